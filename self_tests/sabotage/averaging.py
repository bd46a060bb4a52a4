"""Faults of averages: their rules, copies and buffers, the statistics of layers, the rate of SWALR."""

from torch.optim import swa_utils

from self_tests.sabotage.fault import Patch, breaks
from self_tests.support.loaded_code import edit


@breaks("averages.follow-their-rule")
def the_mean_counts_one_model_too_few(_: Patch) -> None:
    edit(
        swa_utils,
        "return averaged_param + (current_param - averaged_param) / (num_averaged + 1)",
        "return averaged_param + (current_param - averaged_param) / (num_averaged + 2)",
    )


@breaks("averages.follow-their-rule")
def the_decay_is_given_to_the_model(_: Patch) -> None:
    edit(
        swa_utils,
        "torch._foreach_lerp_(ema_param_list, current_param_list, 1 - decay)",
        "torch._foreach_lerp_(ema_param_list, current_param_list, decay)",
    )


@breaks("averages.first-update-copies")
def the_first_update_averages_nothing(_: Patch) -> None:
    edit(swa_utils, "p_averaged.detach().copy_(p_model_)", "pass")


@breaks("averages.count-the-models")
def models_are_counted_twice(_: Patch) -> None:
    edit(swa_utils, "self.n_averaged += 1", "self.n_averaged += 2")


@breaks("averages.dtypes-are-independent")
def only_the_first_dtype_is_averaged(_: Patch) -> None:
    edit(swa_utils, "in grouped_tensors.items():", "in [*grouped_tensors.items()][:1]:")


@breaks("averaging-functions.avg-fn-calls")
def an_averaging_function_gets_its_values_swapped(_: Patch) -> None:
    edit(
        swa_utils,
        "self.avg_fn(p_averaged.detach(), p_model, n_averaged)",
        "self.avg_fn(p_model, p_averaged.detach(), n_averaged)",
    )


@breaks("averaging-functions.decay-out-of-range")
def any_decay_is_taken(_: Patch) -> None:
    edit(swa_utils, "if decay < 0.0 or decay > 1.0:", "if False:")


@breaks("averaged-model.is-a-copy")
def the_average_is_the_model_itself(_: Patch) -> None:
    edit(swa_utils, "self.module = deepcopy(model)", "self.module = model")


@breaks("averaged-model.passes-on-its-arguments")
def arguments_by_name_are_dropped(_: Patch) -> None:
    edit(swa_utils, "return self.module(*args, **kwargs)", "return self.module(*args)")


@breaks("averaged-model.state-dict-contents")
def the_count_is_not_saved(_: Patch) -> None:
    edit(
        swa_utils,
        '"n_averaged", torch.tensor(0, dtype=torch.long, device=device)',
        '"n_averaged", torch.tensor(0, dtype=torch.long, device=device), persistent=False',
    )


@breaks("averaged-model.device-places-the-copy")
def the_device_is_ignored(_: Patch) -> None:
    edit(swa_utils, "self.module = self.module.to(device)", "self.module = self.module.to(None)")


@breaks("buffers.follow-the-model-unless-averaged")
def buffers_stay_as_they_were_copied(_: Patch) -> None:
    edit(swa_utils, "        if not self.use_buffers:", "        if False:")


@breaks("update-bn.averages-batch-statistics")
def later_batches_weigh_more(_: Patch) -> None:
    edit(swa_utils, "        module.momentum = None", "        module.momentum = 0.5")


@breaks("update-bn.averages-batch-statistics")
def old_statistics_are_kept(_: Patch) -> None:
    edit(swa_utils, "module.reset_running_stats()", "pass")


@breaks("update-bn.restores-momenta")
def every_layer_keeps_no_momentum(_: Patch) -> None:
    edit(swa_utils, "bn_module.momentum = momenta[bn_module]", "pass")


@breaks("update-bn.restores-the-mode")
def the_model_stays_in_training(_: Patch) -> None:
    edit(swa_utils, "model.train(was_training)", "model.train()")


@breaks("update-bn.takes-tensors-lists-and-tuples")
def tuples_are_not_opened(_: Patch) -> None:
    edit(swa_utils, "isinstance(input, (list, tuple))", "isinstance(input, list)")


@breaks("swalr.anneals-from-its-first-rate")
def annealing_ends_an_epoch_late(_: Patch) -> None:
    edit(
        swa_utils,
        "        t = max(0, min(1, step / max(1, self.anneal_epochs)))",
        "        t = max(0, min(1, step / max(1, self.anneal_epochs + 1)))",
    )


@breaks("swalr.anneals-from-current-rates")
def annealing_begins_at_the_initial_rate(_: Patch) -> None:
    edit(
        swa_utils,
        'self._get_initial_lr(group["lr"], group["swa_lr"], prev_alpha)',
        'self._get_initial_lr(group["initial_lr"], group["swa_lr"], 0)',
    )


@breaks("swalr.resumes-from-state-dict")
def the_strategy_is_not_loaded(_: Patch) -> None:
    edit(swa_utils, "self._set_anneal_func(self._anneal_strategy)", "pass")


@breaks("swalr.invalid-options-raise")
def an_unknown_strategy_is_a_line(_: Patch) -> None:
    edit(swa_utils, 'if anneal_strategy not in ["cos", "linear"]:', "if False:")


@breaks("recipes.ema")
def averages_lag_behind(_: Patch) -> None:
    edit(swa_utils, "copy_param = bool(self.n_averaged == 0)", "copy_param = False")
