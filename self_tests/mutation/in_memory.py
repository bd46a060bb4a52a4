"""Puts a mutant in the place of the code that is loaded."""

import ast
from types import FunctionType

from self_tests.mutation.mutants import Mutant, mutated_tree
from self_tests.support.loaded_code import LoadedFunctions, NotApplicableError


def put_in_place(mutant: Mutant, loaded: LoadedFunctions) -> None:
    """Give every loaded function that the mutant changes its new code and defaults.

    Raises:
        NotApplicableError: If nothing loaded changes, or a function's closure does not fit.
    """
    tree = mutated_tree(mutant)
    changed = loaded.replace(compile(tree, str(mutant.path), "exec"))
    if mutant.kind == "default":
        changed += _put_defaults(tree, mutant, loaded)
    if not changed:
        raise NotApplicableError("it changes nothing that is loaded")


def _put_defaults(tree: ast.Module, mutant: Mutant, loaded: LoadedFunctions) -> int:
    """Evaluate the defaults of the mutated function anew, and give them to the loaded ones."""
    changed = 0
    for node in ast.walk(tree):
        if not isinstance(node, ast.FunctionDef) or node.body[0].lineno != mutant.lines[0]:
            continue
        first = min([node.lineno, *(d.lineno for d in node.decorator_list)])
        for function in loaded.at(mutant.path, mutant.function, first):
            positional = tuple(_value(default, function) for default in node.args.defaults)
            function.__defaults__ = positional or None
            function.__kwdefaults__ = {
                argument.arg: _value(default, function)
                for argument, default in zip(
                    node.args.kwonlyargs, node.args.kw_defaults, strict=True
                )
                if default is not None
            }
            changed += 1
    return changed


def _value(expression: ast.expr, function: FunctionType) -> object:
    return eval(ast.unparse(expression), function.__globals__)  # noqa: S307 - torch's own source
