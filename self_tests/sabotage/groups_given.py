"""Faults of what is given to an optimizer, of what it prints, and of the base class for one's own."""

from torch.optim import Optimizer, optimizer

from self_tests.sabotage.fault import Patch, breaks
from self_tests.support.loaded_code import edit


@breaks("groups-given.in-any-ordered-iterable")
def parameters_are_held_in_reverse(patch: Patch) -> None:
    edit(
        optimizer,
        'param_group["params"] = list(params)',
        'param_group["params"] = list(params)[::-1]',
    )


@breaks("groups-given.dicts-are-kept")
def dicts_of_groups_are_copied(patch: Patch) -> None:
    edit(
        optimizer,
        "self.param_groups.append(param_group)",
        "self.param_groups.append({**param_group})",
    )


@breaks("groups-given.lists-are-copied")
def lists_of_parameters_are_kept(patch: Patch) -> None:
    edit(
        optimizer,
        'param_group["params"] = extracted_param_tensors',
        'param_group["params"] = params',
    )


@breaks("groups-given.names-in-any-iterable")
def names_are_held_in_reverse(patch: Patch) -> None:
    edit(
        optimizer,
        "extracted_param_names.append(param_name)",
        "extracted_param_names.insert(0, param_name)",
    )


@breaks("groups-given.all-named-or-none")
def one_name_is_enough(patch: Patch) -> None:
    edit(
        optimizer,
        "if len(extracted_param_names) == len(extracted_param_tensors):",
        "if len(extracted_param_names) <= len(extracted_param_tensors):",
    )


@breaks("groups-given.refusal-changes-nothing")
def groups_are_added_before_they_are_looked_at(patch: Patch) -> None:
    add = Optimizer.add_param_group

    def hasty(self: Optimizer, group: dict[str, object]) -> None:
        self.param_groups.append({"params": []})
        add(self, group)
        del self.param_groups[-2]

    patch.setattr(Optimizer, "add_param_group", hasty)


@breaks("groups-given.accepted-non-leaf-tensors")
def no_result_is_taken(patch: Patch) -> None:
    edit(optimizer, "param.is_leaf or param.retains_grad", "param.is_leaf or False")


@breaks("repr.lists-options-by-group")
def groups_are_counted_from_one(patch: Patch) -> None:
    edit(optimizer, 'f"Parameter Group {i}\\n"', 'f"Parameter Group {i + 1}\\n"')


@breaks("own-optimizers.required-options")
def required_options_may_be_left_out(patch: Patch) -> None:
    edit(optimizer, "if default is required and name not in param_group:", "if False:")


@breaks("own-optimizers.have-hooks")
def steps_by_hand_are_not_wrapped(patch: Patch) -> None:
    edit(
        optimizer,
        "        if not hooked:",
        "        if not hooked and type(self).__module__.startswith('torch'):",
    )


@breaks("own-optimizers.without-a-step")
def missing_steps_pass(patch: Patch) -> None:
    edit(optimizer, "        raise NotImplementedError", "        return None")


@breaks("own-optimizers.have-hooks-when-unpickled")
def unpickled_steps_are_not_wrapped(patch: Patch) -> None:
    edit(optimizer, "self._patch_step_function()  # To support", "pass  # To support")


@breaks("own-optimizers.clear-after-own-setstate")
def clearing_counts_on_the_constructor(patch: Patch) -> None:
    edit(optimizer, 'if not hasattr(self, "_zero_grad_profile_name"):', "if False:")


@breaks("rates-in-tensors.of-any-shape")
def dimensions_of_rates_stay(patch: Patch) -> None:
    edit(optimizer, "return x.squeeze()", "return x")
