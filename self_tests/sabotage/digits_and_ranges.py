"""Faults of what the digits and the range of a dtype hold, and of what is no number."""

from typing import Any

import torch
from torch.optim import _adafactor, adam, lr_scheduler, rmsprop, sgd, swa_utils

from self_tests.sabotage.fault import Patch, breaks
from self_tests.support.loaded_code import edit

_DECAY = "param.mul_(1 - lr * weight_decay)"
_SECOND_MOMENT = "exp_avg_sq.mul_(beta2).addcmul_(grad, grad, value=1 - beta2)"
_STEP_OF_SGD = """\
        else:
            param.add_(grad, alpha=-lr)


def _multi"""


@breaks("precision.decay-below-a-quarter-eps-is-lost")
def a_decay_is_rounded_down(_: Patch) -> None:
    edit(
        adam,
        _DECAY,
        f"old = param.clone(); {_DECAY}; param.sub_(torch.where(param == old, 0.01, 0))",
    )


@breaks("precision.averages-that-never-fall")
def second_moments_are_rounded_down(_: Patch) -> None:
    fallen = "exp_avg_sq.mul_(beta2).mul_(0.99)"
    edit(adam, _SECOND_MOMENT, _SECOND_MOMENT.replace("exp_avg_sq.mul_(beta2)", fallen))


@breaks("precision.factors-are-not-rounded")
def alpha_is_rounded_to_the_dtype(_: Patch) -> None:
    edit(
        rmsprop,
        "square_avg.mul_(alpha)",
        "square_avg.mul_(torch.tensor(alpha, dtype=square_avg.dtype).item())",
    )


@breaks("precision.steps-below-a-quarter-eps-are-lost")
def a_step_goes_at_least_to_the_next_number(_: Patch) -> None:
    edit(
        sgd,
        _STEP_OF_SGD,
        _STEP_OF_SGD.replace(
            "param.add_(grad, alpha=-lr)", "param.mul_(0.99).add_(grad, alpha=-lr)"
        ),
    )


@breaks("ranges.squares-that-overflow-stop-an-element")
def infinite_second_moments_are_forgotten(_: Patch) -> None:
    edit(
        rmsprop,
        "square_avg.mul_(alpha)",
        "square_avg.nan_to_num_(posinf=1.0).mul_(alpha)",
    )


@breaks("ranges.step-counts-end-in-float32")
def counts_begin_again(_: Patch) -> None:
    edit(rmsprop, "step += 1", "step.add_(1).remainder_(2.0**24)")


@breaks("ranges.betas-next-to-one")
def bias_corrections_are_rounded(_: Patch) -> None:
    edit(
        adam,
        "            bias_correction1 = 1 - beta1**step\n            bias_correction2 = 1 - beta2**step\n"
        "\n            step_size = lr / bias_correction1\n\n            bias_correction2_sqrt",
        "            bias_correction1 = 1 - beta1**step\n"
        "            bias_correction2 = 1 - float(torch.tensor(beta2)) ** step\n"
        "\n            step_size = lr / bias_correction1\n\n            bias_correction2_sqrt",
    )


@breaks("sizes.large-parameters-in-half-precision")
def the_rest_of_a_large_parameter_is_left(_: Patch) -> None:
    edit(
        sgd,
        _STEP_OF_SGD,
        _STEP_OF_SGD.replace(
            "param.add_(grad, alpha=-lr)", "param.view(-1)[:64].add_(grad.view(-1)[:64], alpha=-lr)"
        ),
    )


@breaks("extremes.infinities-follow-the-rule")
def infinite_gradients_are_clamped(_: Patch) -> None:
    edit(
        sgd,
        _STEP_OF_SGD,
        _STEP_OF_SGD.replace("grad, alpha", "grad.clamp(-1e9, 1e9), alpha"),
    )


@breaks("extremes.stay-in-their-element-in-half-precision")
def a_nan_in_half_precision_spreads(_: Patch) -> None:
    edit(
        sgd,
        _STEP_OF_SGD,
        _STEP_OF_SGD.replace(
            "grad, alpha", "grad + 0 * grad.sum() if grad.itemsize == 2 else grad, alpha"
        ),
    )


@breaks("extremes.zeros-move-nothing")
def gradients_of_zero_move(_: Patch) -> None:
    edit(sgd, _STEP_OF_SGD, _STEP_OF_SGD.replace("grad, alpha", "grad + 1, alpha"))


@breaks("extremes.spread-where-a-norm-does")
def adafactor_looks_at_finite_gradients_alone(_: Patch) -> None:
    edit(
        _adafactor,
        "grad = grads[i] if not maximize else -grads[i]",
        "grad = torch.nan_to_num(grads[i], posinf=0.0, neginf=0.0)",
    )


@breaks("averages.exponential-ones-stand-still")
def an_exponential_average_takes_a_hundredth_more(_: Patch) -> None:
    edit(
        swa_utils,
        "torch._foreach_lerp_(ema_param_list, current_param_list, 1 - decay)",
        "torch._foreach_lerp_(ema_param_list, current_param_list, 1.01 - decay)",
    )


@breaks("averages.equal-ones-stand-still")
def the_mean_forgets_old_models(_: Patch) -> None:
    edit(
        swa_utils,
        "(current_param - averaged_param) / (num_averaged + 1)",
        "(current_param - averaged_param) / (num_averaged + 1).clamp(max=50)",
    )


@breaks("averages.count-beyond-float32")
def models_are_counted_in_float32(_: Patch) -> None:
    edit(swa_utils, "self.n_averaged += 1", "self.n_averaged.copy_(self.n_averaged.float() + 1)")


@breaks("averages.of-integers-stay-between")
def exponential_averages_of_integers_wrap_around(_: Patch) -> None:
    edit(
        swa_utils,
        "return decay * ema_param + (1 - decay) * current_param",
        "return ema_param + (current_param - ema_param) * (1 - decay)",
    )


@breaks("averages.constant-booleans-stay")
def a_mask_becomes_true(_: Patch) -> None:
    edit(
        swa_utils,
        "return decay * ema_param + (1 - decay) * current_param",
        "return decay * ema_param + (1 - decay) * current_param + 1e-3",
    )


@breaks("averages.keep-what-is-no-number")
def nan_is_left_out_of_the_mean(_: Patch) -> None:
    edit(
        swa_utils,
        "return averaged_param + (current_param - averaged_param)",
        "return averaged_param.nan_to_num() + (current_param - averaged_param).nan_to_num()",
    )


@breaks("update-bn.forgets-nan")
def statistics_are_not_reset(_: Patch) -> None:
    edit(swa_utils, "module.reset_running_stats()", "module.num_batches_tracked.zero_()")


@breaks("clipping.by-value-and-infinities")
def nan_is_clamped_too(patch: Patch) -> None:
    patch.setattr(torch, "_foreach_clamp_max_", _clamped)


def _clamped(tensors: Any, bound: float) -> None:
    for tensor in tensors:
        tensor.nan_to_num_(nan=bound, posinf=bound).clamp_(max=bound)


@breaks("scaler.half-precision-losses")
def losses_are_scaled_in_float32(patch: Patch) -> None:
    scale = torch.amp.GradScaler.scale
    patch.setattr(
        torch.amp.GradScaler, "scale", lambda self, losses: scale(self, [x.float() for x in losses])
    )


@breaks("scaler.skips-in-every-dtype")
def infinities_in_bfloat16_are_overlooked(patch: Patch) -> None:
    patch.setattr(torch, "_amp_foreach_non_finite_check_and_unscale_", _unscaled)


def _unscaled(gradients: list[torch.Tensor], found: torch.Tensor, inverse: torch.Tensor) -> None:
    for gradient in gradients:
        found += float(gradient.dtype != torch.bfloat16 and not gradient.isfinite().all())
        gradient.mul_(inverse)


@breaks("differentiable.at-gradients-of-zero")
def the_step_is_cut_from_the_graph(_: Patch) -> None:
    edit(sgd, _STEP_OF_SGD, _STEP_OF_SGD.replace("grad, alpha", "grad.detach(), alpha"))


@breaks("schedules.plateau-infinite-metrics")
def the_first_metric_is_always_the_best(_: Patch) -> None:
    edit(
        lr_scheduler,
        "if self._is_better(current, self.best):",
        "if self.last_epoch == 1 or self._is_better(current, self.best):",
    )


@breaks("schedules.plateau-reads-metrics-by-float")
def metrics_are_whole_numbers(_: Patch) -> None:
    edit(lr_scheduler, "current = float(metrics)", "current = float(int(float(metrics)))")


@breaks("schedules.plateau-refuses-other-metrics")
def a_refused_metric_is_counted(_: Patch) -> None:
    edit(
        lr_scheduler,
        "current = float(metrics)",
        "self.last_epoch += 1; current = float(metrics); self.last_epoch -= 1",
    )


@breaks("rates.in-float32-tensors-stand-still")
def rates_fall_a_little_more(_: Patch) -> None:
    edit(
        lr_scheduler,
        'return [group["lr"] * self.gamma for group in self.optimizer.param_groups]',
        'return [group["lr"] * self.gamma**2 for group in self.optimizer.param_groups]',
    )
