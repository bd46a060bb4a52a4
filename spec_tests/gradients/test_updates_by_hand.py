"""Parameters updated without an optimizer."""

import pytest
import torch

from fixtures.assertions import check
from fixtures.assertions.tolerances import STEPS
from fixtures.catalogue.document_problems import Bowl
from fixtures.claims import claim

LR = 0.01
# (0.5, 0.5) less a hundredth of the gradient (1, 2).
UPDATED = torch.tensor([0.49, 0.48])

IN_PLACE = {
    "minus_equals": lambda w: w.__isub__(LR * w.grad),
    "sub_": lambda w: w.sub_(LR * w.grad),
    "copy_": lambda w: w.copy_(w - LR * w.grad),
    "one_entry": lambda w: w.__setitem__(0, 0.49),
    "fill_": lambda w: w.fill_(0.0),
}


def ready(device):
    """Return the bowl's leaf with its gradient."""
    w = Bowl.start(device)
    Bowl.loss(w).backward()
    return w


def nature(tensor):
    return {
        "values": tensor,
        "is_leaf": tensor.is_leaf,
        "requires_grad": tensor.requires_grad,
        "graph": tensor.grad_fn is not None,
    }


LEAF = {"values": UPDATED, "is_leaf": True, "requires_grad": True, "graph": False}


@claim("by-hand.new-leaf")
def test_detach_and_requires_grad_make_a_leaf_without_gradient(device):
    w = ready(device)
    updated = (w - LR * w.grad).detach().requires_grad_()
    check.close(
        seen={**nature(updated), "grad": updated.grad},
        expected={**LEAF, "grad": None},
        source="(0.5, 0.5) - 0.01·(1, 2)",
        tolerance=STEPS,
    )


@claim("by-hand.new-leaf")
def test_a_loop_that_makes_a_new_leaf_each_round_sees_no_gradient_at_its_start(device):
    w, found = Bowl.start(device), []
    for _ in range(4):
        found.append(w.grad)
        Bowl.loss(w).backward()
        w = (w - LR * w.grad).detach().requires_grad_()
    # Each round multiplies w1 by 1 - 2·lr and w2 by 1 - 4·lr.
    check.close(
        seen={"gradients": [*found, w.grad], "w": w},
        expected={"gradients": [None] * 5, "w": torch.tensor([0.5 * 0.98**4, 0.5 * 0.96**4])},
        source="001-4, and 0.98^k, 0.96^k",
        tolerance=STEPS,
    )


@claim("by-hand.data")
def test_subtracting_from_data_moves_a_leaf_that_stays_a_leaf(device):
    w = ready(device)
    w.data -= LR * w.grad
    check.close(seen=nature(w), expected=LEAF, source="(0.5, 0.5) - 0.01·(1, 2)", tolerance=STEPS)


@claim("by-hand.no-grad")
def test_subtracting_under_no_grad_moves_a_leaf_that_stays_a_leaf(device):
    w = ready(device)
    with torch.no_grad():
        w -= LR * w.grad
    check.close(seen=nature(w), expected=LEAF, source="(0.5, 0.5) - 0.01·(1, 2)", tolerance=STEPS)


@claim("by-hand.no-grad")
@pytest.mark.parametrize("lr", [0.01, 0.3, 7.0], ids="lr={}".format)
def test_no_grad_and_data_give_the_same_values(lr, device):
    by_data, under_no_grad = ready(device), ready(device)
    for _ in range(3):
        by_data.data -= lr * by_data.grad
        with torch.no_grad():
            under_no_grad -= lr * under_no_grad.grad
    check.same(seen=under_no_grad, expected=by_data, source="w.data -= lr * w.grad")


@claim("by-hand.in-place-is-refused")
@pytest.mark.parametrize("update", IN_PLACE.values(), ids=IN_PLACE)
def test_changing_a_tracked_leaf_in_place_is_an_error(update, device):
    w = ready(device)
    with pytest.raises(RuntimeError, match="leaf Variable that requires grad"):
        update(w)


@claim("by-hand.out-of-place-is-no-leaf")
def test_subtracting_out_of_place_makes_a_tensor_that_is_no_leaf(device):
    w = ready(device)
    w = w - LR * w.grad
    check.close(
        seen=nature(w),
        expected={"values": UPDATED, "is_leaf": False, "requires_grad": True, "graph": True},
        source="(0.5, 0.5) - 0.01·(1, 2)",
        tolerance=STEPS,
    )


@claim("by-hand.out-of-place-is-no-leaf")
@pytest.mark.filterwarnings("ignore:The .grad attribute of a Tensor that is not a leaf")
def test_the_next_backward_gives_its_gradient_to_the_leaf_it_came_from(device):
    start = ready(device)
    w = start - LR * start.grad
    Bowl.loss(w).backward()
    # (1, 2) of the first backward, which the leaf still has, and (2·0.49, 4·0.48) of the second.
    check.close(
        seen={"w": w.grad, "the leaf it came from": start.grad},
        expected={"w": None, "the leaf it came from": torch.tensor([1.98, 3.92])},
        source="the chain rule: d w / d start is 1",
        tolerance=STEPS,
    )


@claim("by-hand.no-grad-rebinding-ends-training")
def test_a_new_tensor_under_no_grad_requires_no_grad(device):
    w = ready(device)
    with torch.no_grad():
        w = w - LR * w.grad
    check.close(
        seen=nature(w),
        expected={"values": UPDATED, "is_leaf": True, "requires_grad": False, "graph": False},
        source="(0.5, 0.5) - 0.01·(1, 2), untracked",
        tolerance=STEPS,
    )


@claim("by-hand.no-grad-rebinding-ends-training")
def test_the_next_backward_from_it_is_an_error(device):
    w = ready(device)
    with torch.no_grad():
        w = w - LR * w.grad
    with pytest.raises(RuntimeError, match="does not require grad"):
        Bowl.loss(w).backward()
