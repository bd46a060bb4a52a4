"""Faults of saving and loading."""

from typing import Any

import torch
from torch.optim import Optimizer, adagrad, adam, lr_scheduler, nadam, optimizer, sgd
from torch.optim.lr_scheduler import StepLR

from self_tests.sabotage.fault import Patch, breaks
from self_tests.support.loaded_code import edit


@breaks("checkpoints.resume-bit-for-bit")
def loading_leaves_out_the_state(patch: Patch) -> None:
    load = Optimizer.load_state_dict

    def without_state(self: Optimizer, state_dict: dict[str, Any]) -> None:
        load(self, {**state_dict, "state": {}})

    patch.setattr(Optimizer, "load_state_dict", without_state)


@breaks("checkpoints.resume-bit-for-bit")
def loading_leaves_out_the_groups(patch: Patch) -> None:
    load = Optimizer.load_state_dict

    def without_groups(self: Optimizer, state_dict: dict[str, Any]) -> None:
        load(self, {**state_dict, "param_groups": self.state_dict()["param_groups"]})

    patch.setattr(Optimizer, "load_state_dict", without_groups)


@breaks("checkpoints.resume-bit-for-bit")
def loading_rounds_the_moments(patch: Patch) -> None:
    load = Optimizer.load_state_dict

    def rounding(self: Optimizer, state_dict: dict[str, Any]) -> None:
        load(self, state_dict)
        for state in self.state.values():
            for key, value in state.items():
                if isinstance(value, torch.Tensor):
                    state[key] = value.to(torch.bfloat16).to(value.dtype)

    patch.setattr(Optimizer, "load_state_dict", rounding)


@breaks("checkpoints.rate-needs-scheduler-state")
def a_fresh_scheduler_believes_to_resume(patch: Patch) -> None:
    patch.setattr(StepLR.__init__, "__defaults__", (0.1, 0))


@breaks("checkpoints.loss-comes-back-as-a-leaf")
def a_loaded_loss_is_detached(patch: Patch) -> None:
    load = torch.load

    def detaching(*args: Any, **options: Any) -> Any:
        loaded = load(*args, **options)
        loaded["loss"] = loaded["loss"].detach()
        return loaded

    patch.setattr(torch, "load", detaching)


@breaks("checkpoints.load-refuses-other-objects")
def load_unpickles_anything(patch: Patch) -> None:
    defaults = torch.load.__kwdefaults__ or {}
    patch.setattr(torch.load, "__kwdefaults__", {**defaults, "weights_only": False})


@breaks("checkpoints.resume-at-any-time")
def loading_brings_the_state_of_the_first_group_alone(patch: Patch) -> None:
    edit(
        optimizer,
        'chain.from_iterable(g["params"] for g in saved_groups),',
        'saved_groups[0]["params"] + [None] * (sum(map(len, (g["params"] for g in groups))) - 2),',
    )


@breaks("checkpoints.resume-at-any-time")
def a_refused_checkpoint_loses_the_state(patch: Patch) -> None:
    edit(
        optimizer,
        "if len(groups) != len(saved_groups):",
        "if len(groups) != len(saved_groups) and not self.state.clear():",
    )


@breaks("checkpoints.resume-in-every-dtype")
def loading_casts_to_the_default_dtype(patch: Patch) -> None:
    edit(
        optimizer,
        "return value.to(dtype=param.dtype, device=param.device)",
        "return value.to(dtype=torch.get_default_dtype(), device=param.device)",
    )


@breaks("checkpoints.late-scheduler-resets-rate")
def a_late_scheduler_keeps_the_rate(patch: Patch) -> None:
    def keep(self: lr_scheduler.LRScheduler) -> None:
        self.last_epoch = 0
        self._last_lr = [group["lr"] for group in self.optimizer.param_groups]

    patch.setattr(lr_scheduler.LRScheduler, "_initial_step", keep)


@breaks("state-dict.entries-of-each-optimizer")
def moments_are_float32(patch: Patch) -> None:
    edit(
        adam,
        'state["exp_avg"] = torch.zeros_like(\n                        p, memory',
        'state["exp_avg"] = torch.zeros_like(\n                        p.float(), memory',
    )


@breaks("state-dict.entries-at-construction")
def adagrad_starts_without_a_state(patch: Patch) -> None:
    init = torch.optim.Adagrad.__init__

    def lazy(self: torch.optim.Adagrad, *args: Any, **options: Any) -> None:
        init(self, *args, **options)
        self.state.clear()

    patch.setattr(torch.optim.Adagrad, "__init__", lazy)


@breaks("state-dict.scalars-are-float32")
def counters_have_the_default_dtype(patch: Patch) -> None:
    edit(
        nadam,
        "else torch.tensor(0.0, dtype=_get_scalar_dtype())",
        "else torch.tensor(0.0)",
    )


@breaks("state-dict.step-ignores-default-device")
def the_counter_follows_the_default_device(patch: Patch) -> None:
    edit(adam, 'device="cpu"', "device=None")


@breaks("state-dict.plain-containers")
def nesterov_is_saved_as_a_tensor_of_its_own_class(patch: Patch) -> None:
    read = Optimizer.state_dict

    def with_parameters(self: Optimizer) -> dict[str, Any]:
        state_dict = read(self)
        for state in state_dict["state"].values():
            state["of"] = torch.nn.Parameter(torch.ones(1))
        return state_dict

    patch.setattr(Optimizer, "state_dict", with_parameters)


@breaks("state-dict.parameters-are-numbered")
def numbers_start_over_in_every_group(patch: Patch) -> None:
    edit(optimizer, 'start_index += len(packed["params"])', "start_index += 0")


@breaks("state-dict.state-is-keyed-by-number")
def numbers_go_backwards(patch: Patch) -> None:
    read = Optimizer.state_dict

    def reversed_numbers(self: Optimizer) -> dict[str, Any]:
        state_dict = read(self)
        last = len(state_dict["state"]) - 1
        return {**state_dict, "state": {last - n: e for n, e in state_dict["state"].items()}}

    patch.setattr(Optimizer, "state_dict", reversed_numbers)


@breaks("state-dict.holds-no-parameter")
def momentum_starts_in_the_memory_of_the_parameter(patch: Patch) -> None:
    edit(
        adam,
        'state["exp_avg"] = torch.zeros_like(\n                        p, memory',
        'state["exp_avg"] = p.detach(\n                        ) or dict(memory',
    )


@breaks("state-dict.refers-to-the-state")
def the_state_is_copied(patch: Patch) -> None:
    edit(
        optimizer,
        "(param_mappings[id(k)] if isinstance(k, torch.Tensor) else k): v",
        "(param_mappings[id(k)] if isinstance(k, torch.Tensor) else k): dict(v)",
    )


@breaks("state-dict.groups-are-copies")
def the_groups_are_handed_out(patch: Patch) -> None:
    edit(
        optimizer,
        'packed = {k: v for k, v in group.items() if k != "params"}',
        "packed = group",
    )


@breaks("loading.options-come-from-the-checkpoint")
def the_rate_of_the_constructor_wins(patch: Patch) -> None:
    edit(
        optimizer,
        'new_group["params"] = group["params"]',
        'new_group.update(params=group["params"], lr=group["lr"])',
    )


@breaks("loading.keeps-the-parameters")
def loading_keeps_copies_of_the_parameters(patch: Patch) -> None:
    edit(
        optimizer,
        'new_group["params"] = group["params"]',
        'new_group["params"] = [p.detach().clone() for p in group["params"]]',
    )


@breaks("loading.replaces-the-state")
def loading_adds_to_the_state(patch: Patch) -> None:
    edit(
        optimizer,
        'self.__setstate__({"state": state, "param_groups": param_groups})',
        'self.__setstate__({"state": self.state | state, "param_groups": param_groups})',
    )


@breaks("loading.leaves-the-dict-alone")
def loading_casts_in_place(patch: Patch) -> None:
    edit(
        optimizer,
        "return value.to(dtype=param.dtype, device=param.device)",
        "value.data = value.to(dtype=param.dtype, device=param.device); return value",
    )


@breaks("loading.shares-the-tensors")
def loading_copies_the_tensors(patch: Patch) -> None:
    edit(
        optimizer,
        "return value.to(dtype=param.dtype, device=param.device)",
        "return value.to(dtype=param.dtype, device=param.device, copy=True)",
    )


@breaks("loading.copies-the-groups")
def loading_takes_the_groups_as_they_are(patch: Patch) -> None:
    edit(
        optimizer,
        'saved_groups = deepcopy(state_dict["param_groups"])',
        'saved_groups = state_dict["param_groups"]',
    )


@breaks("loading.goes-by-the-order-of-the-numbers")
def numbers_are_taken_for_places(patch: Patch) -> None:
    edit(
        optimizer,
        'chain.from_iterable(g["params"] for g in saved_groups),',
        'range(sum(len(g["params"]) for g in saved_groups)),',
    )


@breaks("loading.refuses-other-group-sizes")
def sizes_of_groups_are_not_compared(patch: Patch) -> None:
    edit(optimizer, "p_len != s_len for p_len, s_len in zip(", "False for p_len, s_len in zip(")


@breaks("loading.refuses-what-does-not-fit")
def fewer_groups_are_taken(patch: Patch) -> None:
    edit(optimizer, "if len(groups) != len(saved_groups):", "if len(groups) < len(saved_groups):")


@breaks("loading.keeps-unknown-entries")
def unknown_parameters_are_dropped(patch: Patch) -> None:
    edit(optimizer, "                state[k] = v", "                state.pop(k, v)")


@breaks("loading.steps-without-later-options")
def a_missing_option_is_taken_for_on(patch: Patch) -> None:
    edit(
        adam,
        'setdefault("decoupled_weight_decay", False)',
        'setdefault("decoupled_weight_decay", 1)',
    )


@breaks("loading.python-counters-continue")
def counters_of_python_start_over(patch: Patch) -> None:
    edit(adam, 'step_val = float(p_state["step"])', "step_val = 0.0")


@breaks("casting.tensors-follow-the-parameter")
def loading_casts_nothing(patch: Patch) -> None:
    edit(
        optimizer,
        "return value.to(dtype=param.dtype, device=param.device)",
        "return value.to(device=param.device)",
    )


@breaks("casting.leaves-the-counter-alone")
def loading_casts_the_counter(patch: Patch) -> None:
    edit(optimizer, 'if key == "step":', 'if key == "count":')


@breaks("casting.fused-and-capturable-move-step")
def the_counter_of_fused_stays_as_it_is(patch: Patch) -> None:
    edit(optimizer, "if capturable or fused:", "if capturable:")


@breaks("casting.complex-parameters-cast-nothing")
def state_of_complex_parameters_becomes_complex(patch: Patch) -> None:
    edit(optimizer, "if param.is_floating_point():", "if True:")


@breaks("casting.other-entries-come-back")
def numbers_become_tensors(patch: Patch) -> None:
    edit(
        optimizer,
        "            else:\n                return value\n\n        # Copy state",
        "            else:\n                return torch.tensor(value or 0)\n\n        # Copy state",
    )


@breaks("param-names.are-saved")
def names_are_left_out(patch: Patch) -> None:
    edit(optimizer, 'if k != "params"}', 'if k not in ("params", "param_names")}')


@breaks("param-names.survive-unnamed-checkpoint")
def names_are_lost(patch: Patch) -> None:
    edit(optimizer, 'if "param_names" in group and', "if False and")


@breaks("param-names.come-from-the-checkpoint")
def names_of_the_checkpoint_are_ignored(patch: Patch) -> None:
    edit(
        optimizer,
        'if "param_names" in group and "param_names" not in new_group:',
        'if "param_names" in group:',
    )


@breaks("files.truncated-ones-are-refused")
def what_is_left_of_a_file_is_returned(patch: Patch) -> None:
    load = torch.load

    def lenient(*args: Any, **options: Any) -> Any:
        try:
            return load(*args, **options)
        except (RuntimeError, OSError):
            return {}

    patch.setattr(torch, "load", lenient)


@breaks("checkpoints.map-location-places-tensors")
def map_location_is_ignored(patch: Patch) -> None:
    load = torch.load

    def elsewhere(*args: Any, **options: Any) -> Any:
        return load(*args, **{**options, "map_location": "meta"})

    patch.setattr(torch, "load", elsewhere)


@breaks("older-releases.checkpoints-continue")
def adagrad_forgets_the_sum_of_a_checkpoint(patch: Patch) -> None:
    edit(adagrad, 'state_steps.append(state["step"])', 'state_steps.append(state["step"] * 0)')


@breaks("older-releases.checkpoints-continue")
def the_buffer_of_a_checkpoint_starts_over(patch: Patch) -> None:
    edit(sgd, 'state.get("momentum_buffer")', 'state.get("momentum")')


@breaks("loading.continues-from-the-loop")
def foreach_counts_from_the_checkpoint_s_end(patch: Patch) -> None:
    edit(adam, "1 - beta1 ** _get_value(step)", "1 - beta1 ** (_get_value(step) - 1)")


@breaks("loading.continues-from-the-loop")
def fused_counts_twice(patch: Patch) -> None:
    edit(
        adam,
        "torch._foreach_add_(device_state_steps, 1)",
        "torch._foreach_add_(device_state_steps, 2)",
    )


@breaks("loading.continues-in-the-loop")
def a_checkpoint_of_fused_is_taken_for_a_fresh_start(patch: Patch) -> None:
    edit(
        optimizer,
        "if capturable or fused:\n                return value",
        "if capturable or fused or True:\n                return 0 * value",
    )


@breaks("state-dict.reading-changes-nothing")
def reading_the_state_counts_as_a_step(patch: Patch) -> None:
    read = Optimizer.state_dict

    def counting(self: Optimizer) -> dict[str, Any]:
        for state in self.state.values():
            state["step"] = state.get("step", 0) + 1
        return read(self)

    patch.setattr(Optimizer, "state_dict", counting)


@breaks("state-dict.a-file-shares-nothing")
def a_file_is_not_read(patch: Patch) -> None:
    saved: list[Any] = []
    patch.setattr(torch, "save", lambda thing, *_: saved.append(thing))
    patch.setattr(torch, "load", lambda *_, **__: saved[-1])


@breaks("loading.missing-state-starts-fresh")
def parameters_without_state_get_that_of_the_first(patch: Patch) -> None:
    load = Optimizer.load_state_dict

    def lending(self: Optimizer, state_dict: dict[str, Any]) -> None:
        state = {n: dict(state_dict["state"][0]) for n in state_dict["param_groups"][0]["params"]}
        load(self, {**state_dict, "state": {**state, **state_dict["state"]}})

    patch.setattr(Optimizer, "load_state_dict", lending)


@breaks("loading.unknown-entries-have-no-effect")
def unknown_options_switch_the_decay_on(patch: Patch) -> None:
    edit(adam, 'group.setdefault("amsgrad", False)', 'group.update(amsgrad="unheard of" in group)')


@breaks("state-dict.fused-counters-are-float32")
def fused_counters_have_the_default_dtype(patch: Patch) -> None:
    edit(optimizer, "    if is_fused:\n", "    if False:\n")
