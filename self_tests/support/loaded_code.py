"""Changes the code of functions that are loaded, wherever they are referred to, and touches no file."""

import gc
from collections import defaultdict
from functools import cache
from pathlib import Path
from types import CodeType, FunctionType, ModuleType

_Key = tuple[str, str, int]


class NotApplicableError(Exception):
    """A change that cannot take the place of the loaded code, or that changes none of it."""


class LoadedFunctions:
    """The functions of the files of a folder that are loaded in this process."""

    def __init__(self, folder: Path):
        self._functions: dict[_Key, list[FunctionType]] = defaultdict(list)
        inside = str(folder)
        gc.unfreeze()  # the run has hidden from the collector what it loaded
        for thing in gc.get_objects():
            # isinstance() would ask objects for their class, and deprecated ones warn when asked
            if type(thing) is FunctionType and thing.__code__.co_filename.startswith(inside):
                self._functions[_key(thing.__code__)].append(thing)

    def at(self, path: Path, qualified_name: str, first_line: int) -> list[FunctionType]:
        """Return the loaded functions of one definition."""
        return self._functions.get((str(path), qualified_name, first_line), [])

    def replace(self, module_code: CodeType) -> int:
        """Give every function of a module the code it has in a compiled variant of it.

        The variant has the same definitions on the same lines. Returns how many functions changed.

        Raises:
            NotApplicableError: If a function's closure does not fit its new code.
        """
        changed = 0
        for code in _codes(module_code):
            for function in self._functions.get(_key(code), ()):
                if function.__code__ == code:
                    continue
                if function.__code__.co_freevars != code.co_freevars:
                    raise NotApplicableError(f"the closure of {code.co_qualname} does not fit")
                function.__code__ = code
                changed += 1
        return changed


@cache
def loaded_in(folder: Path) -> LoadedFunctions:
    """Return the loaded functions of the files of a folder; look for them once."""
    return LoadedFunctions(folder)


def loaded_optim() -> LoadedFunctions:
    """Return the loaded functions of torch.optim; to be called before processes are forked."""
    import torch

    return loaded_in(Path(torch.optim.__file__).parent)


def edit(module: ModuleType, old: str, new: str) -> None:
    """Replace a piece of a module's source wherever it occurs, in the functions that are loaded.

    Raises:
        NotApplicableError: If the source does not contain it, or nothing loaded changes.
    """
    path = Path(str(module.__file__))
    source = path.read_text(encoding="utf-8")
    if old not in source:
        raise NotApplicableError(f"{path.name} does not contain {old!r}")
    if old.count("\n") != new.count("\n"):
        raise NotApplicableError("the lines below would move")
    if not loaded_in(path.parent).replace(compile(source.replace(old, new), str(path), "exec")):
        raise NotApplicableError(f"nothing that is loaded changes with {old!r}")


def _key(code: CodeType) -> _Key:
    return code.co_filename, code.co_qualname, code.co_firstlineno


def _codes(code: CodeType) -> list[CodeType]:
    """Return a code object and all that are nested in it."""
    found = [code]
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            found += _codes(constant)
    return found
