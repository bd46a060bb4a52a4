"""Where weight decay enters: inside the step, and nowhere else."""

from fixtures.assertions import check
from fixtures.catalogue import optimizers
from fixtures.claims import claim
from fixtures.runs.training import Training, loss_of


@claim("weight-decay.stays-out-of-grad")
@optimizers.each(having="weight_decay")
def test_a_step_leaves_grad_as_backward_left_it(case, device):
    training = Training(case, device)
    training.backward()
    before = training.gradients()
    training.step()
    check.same(seen=training.gradients(), expected=before, source="the gradients before step()")


@claim("weight-decay.does-not-affect-backward")
@optimizers.each(having="weight_decay")
def test_backward_gives_the_gradient_of_the_loss_alone(case, device):
    training = Training(case, device)
    training.run(2)
    decayed = training.values()
    training.closure()
    copies = [value.requires_grad_() for value in decayed]
    loss_of(case, copies).backward()
    check.same(
        seen=training.gradients(),
        expected=[copy.grad for copy in copies],
        source="the same loss at the same values, without an optimizer",
    )
