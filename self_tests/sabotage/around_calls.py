"""Faults that show in some modes only, or for parameters that come about in other ways."""

from typing import Any

import torch
from torch.nn.parameter import is_lazy
from torch.optim import Optimizer, adam, lr_scheduler, optimizer, sgd, swa_utils

from self_tests.sabotage.fault import Patch, breaks
from self_tests.support.loaded_code import edit

_STEP = """\
        else:
            param.add_(grad, alpha=-lr)


def _multi"""


def _step_by(factor: str) -> None:
    edit(sgd, _STEP, _STEP.replace("alpha=-lr", f"alpha=-lr * ({factor})"))


@breaks("modes.change-no-call")
def deterministic_steps_are_twice_as_long(_: Patch) -> None:
    _step_by("2 if torch.are_deterministic_algorithms_enabled() else 1")


@breaks("modes.autocast-changes-no-call")
def a_step_is_cast_with_the_forward_pass(_: Patch) -> None:
    edit(
        sgd,
        _STEP,
        _STEP.replace(
            "grad,", "torch.mm(grad.reshape(-1, 1), torch.ones(1, 1)).reshape(grad.shape),"
        ),
    )


@breaks("modes.half-default-dtype-changes-no-call")
def the_rate_is_made_in_the_default_dtype(_: Patch) -> None:
    _step_by("float(torch.tensor(lr)) / lr")


@breaks("modes.default-device-changes-no-call")
def the_rate_is_made_on_the_default_device(_: Patch) -> None:
    _step_by("float(torch.tensor(lr)) / lr")


@breaks("inference-mode.other-calls-may-enter-it")
def loading_copies_the_state(_: Patch) -> None:
    edit(
        optimizer,
        "return value.to(dtype=param.dtype, device=param.device)",
        "return value.to(dtype=param.dtype, device=param.device, copy=True)",
    )


@breaks("modes.derivatives-refuse-steps")
def a_step_within_a_derivative_is_left_out(_: Patch) -> None:
    statement = "torch._C._functorch.peek_interpreter_stack() or param.add_(grad, alpha=-lr)"
    edit(sgd, _STEP, _STEP.replace("param.add_(grad, alpha=-lr)", statement))


@breaks("rates.same-in-every-mode")
def epochs_count_twice_under_no_grad(_: Patch) -> None:
    edit(
        lr_scheduler,
        "self.last_epoch += 1",
        "self.last_epoch += 1 if __import__('torch').is_grad_enabled() else 2",
    )


@breaks("averaged-model.modes-change-no-average")
def models_count_twice_under_anomaly_detection(_: Patch) -> None:
    edit(swa_utils, "self.n_averaged += 1", "self.n_averaged += 1 + torch.is_anomaly_enabled()")


@breaks("averaged-model.may-enter-inference-mode")
def models_count_twice_in_inference_mode(_: Patch) -> None:
    edit(
        swa_utils,
        "self.n_averaged += 1",
        "self.n_averaged += 1 + torch.is_inference_mode_enabled()",
    )


@breaks("clipping.modes-change-no-gradient")
def gradients_are_not_clipped_under_no_grad(patch: Patch) -> None:
    clip = torch.nn.utils.clip_grad_norm_

    def clipping(parameters: Any, max_norm: float, *rest: Any, **options: Any) -> Any:
        bound = max_norm if torch.is_grad_enabled() else 1e9
        return clip(parameters, bound, *rest, **options)

    patch.setattr(torch.nn.utils, "clip_grad_norm_", clipping)


@breaks("steps-in-backward.equal-steps-after-it")
def the_rate_grows_with_the_number_of_parameters(_: Patch) -> None:
    _step_by("len(params)")


@breaks("references.assigned-parameters-are-not-followed")
def assigned_parameters_are_copied(patch: Patch) -> None:
    load: Any = torch.nn.Module.load_state_dict
    patch.setattr(
        torch.nn.Module, "load_state_dict", lambda self, state, assign=False: load(self, state)
    )


@breaks("references.swapped-parameters-are-followed")
def parameters_are_never_swapped(patch: Patch) -> None:
    patch.setattr(torch.__future__, "set_swap_module_params_on_conversion", lambda _: None)


@breaks("references.late-casts-are-refused")
def a_gradient_is_cast_to_the_state(_: Patch) -> None:
    edit(adam, "exp_avg.lerp_(grad,", "exp_avg.lerp_(grad.to(exp_avg.dtype),")


@breaks("uninitialized.train-once-they-have-values")
def uninitialized_parameters_are_left_out(patch: Patch) -> None:
    add: Any = torch.optim.Optimizer.add_param_group

    def without(self: Any, group: dict[str, Any]) -> None:
        made = [p for p in group["params"] if not is_lazy(p)]
        add(self, {**group, "params": made})

    patch.setattr(torch.optim.Optimizer, "add_param_group", without)


@breaks("computed-weights.given-to-functional-call")
def the_parameters_of_the_module_are_called(patch: Patch) -> None:
    patch.setattr(torch.func, "functional_call", lambda module, _, arguments: module(*arguments))


@breaks("subclasses.step-as-plain-tensors")
def subclasses_take_steps_twice_as_long(_: Patch) -> None:
    _step_by("1 if type(grad) is torch.Tensor else 2")


@breaks("gradient-dtypes.stepped-by-lists")
def lists_are_of_one_dtype(patch: Patch) -> None:
    group = Optimizer._group_tensors_by_device_and_dtype

    def refusing(tensorlistlist: list[list[Any]], *arguments: Any) -> Any:
        parameters, gradients = tensorlistlist[:2]
        if any(p.dtype != g.dtype for p, g in zip(parameters, gradients, strict=True)):
            raise RuntimeError("Tensors of the same index must have the same dtype")
        return group(tensorlistlist, *arguments)

    patch.setattr(Optimizer, "_group_tensors_by_device_and_dtype", staticmethod(refusing))


@breaks("gradient-dtypes.step-as-if-cast")
def gradients_of_another_dtype_count_twice(_: Patch) -> None:
    _step_by("1 if grad.dtype == param.dtype else 2")


@breaks("refused.differentiable-over-leaves")
def leaves_are_changed_behind_autograd(_: Patch) -> None:
    edit(sgd, _STEP, _STEP.replace("param.add_", "param.data.add_"))


@breaks("order.step-may-be-another-method")
def a_counted_step_is_not_taken(_: Patch) -> None:
    edit(
        lr_scheduler,
        "return func.__get__(opt, opt.__class__)(*args, **kwargs)",
        "return func.__get__(opt, opt.__class__)(*args, **kwargs) if func.__name__ == 'step' else None",
    )
