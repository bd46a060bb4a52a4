"""Puts a mutant in the place of the code that is loaded, without touching a file."""

import gc
from collections import defaultdict
from pathlib import Path
from types import CodeType, FunctionType

from self_tests.mutation.mutants import Mutant, mutated_tree

_Key = tuple[str, str, int]


class NotApplicableError(Exception):
    """A mutant that cannot take the place of the loaded code, or that compiles to the same."""


class LoadedFunctions:
    """The functions of some files that are loaded in this process, wherever they are referred to."""

    def __init__(self, folder: Path):
        self._functions: dict[_Key, list[FunctionType]] = defaultdict(list)
        inside = str(folder)
        for thing in gc.get_objects():
            # isinstance() would ask objects for their class, and deprecated ones warn when asked
            if type(thing) is FunctionType and thing.__code__.co_filename.startswith(inside):
                self._functions[_key(thing.__code__)].append(thing)

    def put_in_place(self, mutant: Mutant) -> None:
        """Give every loaded function that the mutant changes its new code and defaults.

        Raises:
            NotApplicableError: If nothing loaded changes, or a function's closure does not fit.
        """
        tree = mutated_tree(mutant)
        changed = 0
        if mutant.kind == "default":
            changed += self._put_defaults(mutant)
        for code in _codes(compile(tree, str(mutant.path), "exec")):
            for function in self._functions.get(_key(code), ()):
                if function.__code__ == code:
                    continue
                if function.__code__.co_freevars != code.co_freevars:
                    raise NotApplicableError("the closure does not fit")
                function.__code__ = code
                changed += 1
        if not changed:
            raise NotApplicableError("it changes nothing that is loaded")

    def _put_defaults(self, mutant: Mutant) -> int:
        """Evaluate the defaults of the mutated function anew, and give them to the loaded ones."""
        import ast

        changed = 0
        for node in ast.walk(mutated_tree(mutant)):
            if not isinstance(node, ast.FunctionDef) or node.body[0].lineno != mutant.lines[0]:
                continue
            first = min([node.lineno, *(d.lineno for d in node.decorator_list)])
            for function in self._functions.get((str(mutant.path), mutant.function, first), ()):
                space = function.__globals__

                def value(expression: ast.expr, space: dict[str, object] = space) -> object:
                    return eval(ast.unparse(expression), space)  # noqa: S307 - torch's own source

                function.__defaults__ = tuple(value(d) for d in node.args.defaults) or None
                function.__kwdefaults__ = {
                    argument.arg: value(default)
                    for argument, default in zip(
                        node.args.kwonlyargs, node.args.kw_defaults, strict=True
                    )
                    if default is not None
                }
                changed += 1
        return changed


def _key(code: CodeType) -> _Key:
    return code.co_filename, code.co_qualname, code.co_firstlineno


def _codes(code: CodeType) -> list[CodeType]:
    """Return a code object and all that are nested in it."""
    nested = [c for constant in code.co_consts if isinstance(constant, CodeType)
              for c in _codes(constant)]  # fmt: skip
    return [code, *nested]
