"""Small changes to a module's source, enumerated from its syntax tree."""

import ast
import copy
import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

_BINARY: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Div, ast.Div: ast.Mult, ast.Pow: ast.Mult,
    ast.FloorDiv: ast.Div, ast.Mod: ast.Mult, ast.MatMult: ast.Mult, ast.BitOr: ast.BitAnd,
    ast.BitAnd: ast.BitOr,
}  # fmt: skip
_COMPARISON: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt, ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq, ast.Is: ast.IsNot, ast.IsNot: ast.Is, ast.In: ast.NotIn, ast.NotIn: ast.In,
}  # fmt: skip
_SWAPPED = {
    "add_": "sub_", "sub_": "add_", "add": "sub", "sub": "add", "mul_": "div_", "div_": "mul_",
    "mul": "div", "div": "mul", "addcmul_": "addcdiv_", "addcdiv_": "addcmul_", "max": "min",
    "min": "max", "maximum": "minimum", "minimum": "maximum", "clamp_min_": "clamp_max_",
    "zeros_like": "ones_like", "ones_like": "zeros_like", "zeros": "ones", "any": "all", "all": "any",
    "sqrt": "abs", "sqrt_": "abs_", "sin": "cos", "cos": "sin", "floor": "ceil", "neg": "abs",
    "_foreach_add_": "_foreach_sub_", "_foreach_sub_": "_foreach_add_",
    "_foreach_mul_": "_foreach_div_", "_foreach_div_": "_foreach_mul_",
    "_foreach_addcmul_": "_foreach_addcdiv_", "_foreach_addcdiv_": "_foreach_addcmul_",
    "_foreach_maximum_": "_foreach_minimum_", "_foreach_add": "_foreach_sub",
    "_foreach_sub": "_foreach_add", "_foreach_mul": "_foreach_div", "_foreach_div": "_foreach_mul",
    "_foreach_neg": "_foreach_abs", "_foreach_sqrt": "_foreach_abs", "_foreach_sqrt_": "_foreach_abs_",
    "append": "count", "extend": "count", "clone": "detach", "update": "copy", "copy": "keys",
}  # fmt: skip


@dataclass(frozen=True)
class Mutant:
    """One change of one module.

    Attributes:
        path: The module's file.
        kind: The kind of change, such as ``comparison``.
        lines: The first and last line that have to be reached for it to matter.
        function: The qualified name of the function that contains it, as code objects have it.
        before: The source of the changed piece.
        after: The source of what it becomes.
        index: Which change it is, in the order of enumeration.
    """

    path: Path
    kind: str
    lines: tuple[int, int]
    function: str
    before: str
    after: str
    index: int

    def __str__(self) -> str:
        return f"{self.path.name}:{self.lines[0]} {shortened(self.change)}"

    @property
    def change(self) -> str:
        """What it changes, whole and wherever it stands: ``[kind] before → after``."""
        before, after = (" ".join(text.split()) for text in (self.before, self.after))
        return f"[{self.kind}] {before} → {after}"


def mutants_below(folder: Path) -> list[Mutant]:
    """Return all mutants of the modules in a folder and below it, in a stable order."""
    return [mutant for path in sorted(folder.rglob("*.py")) for mutant in mutants_of(path)]


def sample_of(mutants: Sequence[Mutant], size: int, seed: int) -> list[Mutant]:
    """Return so many mutants, drawn by a seed; all, in another order, if there are no more."""
    return random.Random(seed).sample(mutants, min(size, len(mutants)))  # noqa: S311 - a sample


_KEPT = 24


def shortened(change: str) -> str:
    """Return a change with the beginning and the end that both sides share cut to a few letters."""
    kind, _, rest = change.partition("] ")
    before, _, after = rest.partition(" → ")
    front = _shared(before, after)
    back = _shared(before[front:][::-1], after[front:][::-1])
    first = max(front - _KEPT, 0)
    last = max(back - _KEPT, 0)
    sides = [
        ("…" if first else "") + side[first : len(side) - last] + ("…" if last else "")
        for side in (before, after)
    ]
    return f"{kind}] {sides[0]} → {sides[1]}"


def _shared(one: str, other: str) -> int:
    """Return how many letters two texts have in common at their beginning."""
    pairs = enumerate(zip(one, other, strict=False))
    return next((i for i, (a, b) in pairs if a != b), min(len(one), len(other)))


@dataclass(frozen=True)
class _Change:
    node: ast.AST
    kind: str
    apply: Callable[[ast.AST], ast.AST]


def mutants_of(path: Path) -> list[Mutant]:
    """Return every mutant of a module, in a stable order."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    result = []
    for index, (change, statement, function) in enumerate(_changes(tree)):
        after = change.apply(copy.deepcopy(change.node))
        result.append(
            Mutant(
                path, change.kind, _lines(statement), function,
                ast.unparse(change.node), ast.unparse(after), index,
            )
        )  # fmt: skip
    return result


def mutated_tree(mutant: Mutant) -> ast.Module:
    """Return the syntax tree of the mutant's module, with its change and the original positions."""
    tree = ast.parse(mutant.path.read_text(encoding="utf-8"))
    change = next(c for i, (c, _, _) in enumerate(_changes(tree)) if i == mutant.index)
    target, new = change.node, change.apply(copy.deepcopy(change.node))

    class Replace(ast.NodeTransformer):
        def visit(self, node: ast.AST) -> ast.AST:
            if node is target:
                return ast.copy_location(new, node) if isinstance(new, ast.expr | ast.stmt) else new
            return super().generic_visit(node)

    Replace().visit(tree)
    return ast.fix_missing_locations(tree)


def _lines(statement: ast.stmt) -> tuple[int, int]:
    if isinstance(statement, ast.FunctionDef):  # a default of a parameter: any line of the body
        return statement.body[0].lineno, statement.end_lineno or statement.lineno
    body = getattr(statement, "body", None)
    last = body[0].lineno - 1 if body else statement.end_lineno
    return statement.lineno, max(last or 0, statement.lineno)


def _changes(tree: ast.Module) -> Iterator[tuple[_Change, ast.stmt, str]]:
    """Yield every change inside a function, its statement and the function's qualified name."""
    yield from _in_body(tree.body, "", inside=False)


def _in_body(
    body: list[ast.stmt], prefix: str, *, inside: bool
) -> Iterator[tuple[_Change, ast.stmt, str]]:
    for statement in body:
        if isinstance(statement, ast.ClassDef):
            yield from _in_body(statement.body, f"{prefix}{statement.name}.", inside=inside)
        elif isinstance(statement, ast.FunctionDef):
            name = f"{prefix}{statement.name}"
            for default in (*statement.args.defaults, *statement.args.kw_defaults):
                for change in _of_expression(default) if default else ():
                    renamed = _Change(change.node, "default", change.apply)
                    yield renamed, statement, name
            yield from _in_body(statement.body, f"{name}.<locals>.", inside=True)
        else:
            if inside and not _is_docstring(statement):
                function = prefix.removesuffix(".<locals>.")
                for change in _of_statement(statement):
                    yield change, statement, function
            for field in ("body", "orelse", "finalbody"):
                yield from _in_body(getattr(statement, field, []), prefix, inside=inside)
            for handler in getattr(statement, "handlers", []):
                yield from _in_body(handler.body, prefix, inside=inside)


def _is_docstring(statement: ast.stmt) -> bool:
    return isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)


def _of_statement(statement: ast.stmt) -> Iterator[_Change]:
    if isinstance(statement, ast.Raise):
        yield _Change(statement, "raise removed", lambda _: ast.Pass())
        return  # what a message says is not torch's behaviour
    if isinstance(statement, ast.Expr | ast.AugAssign | ast.Continue | ast.Break | ast.Delete):
        yield _Change(statement, "statement removed", lambda _: ast.Pass())
    if isinstance(statement, ast.Return) and statement.value is not None:
        yield _Change(statement, "return", lambda _: ast.Return(ast.Constant(None)))
    if isinstance(statement, ast.If | ast.While):
        yield _Change(statement.test, "condition", _negate)
    if isinstance(statement, ast.AugAssign) and type(statement.op) in _BINARY:
        yield _Change(statement, "operator", _other_operator)
    for expression in _own_expressions(statement):
        yield from _of_expression(expression)


def _own_expressions(statement: ast.stmt) -> Iterator[ast.expr]:
    """Yield the expressions of a statement itself, without those of the statements in it."""
    if isinstance(statement, ast.AnnAssign):
        children: list[ast.AST | None] = [statement.value]
    else:
        children = list(ast.iter_child_nodes(statement))
    for child in children:
        if isinstance(child, ast.expr):
            yield child
        elif isinstance(child, ast.withitem):
            yield child.context_expr


def _of_expression(root: ast.expr) -> Iterator[_Change]:
    for node in _walk(root):
        if isinstance(node, ast.Call):
            for index in range(len(node.keywords)):
                yield _Change(node, "argument removed", _without_keyword(index))
        elif isinstance(node, ast.IfExp):
            yield _Change(node.test, "condition", _negate)
        else:
            yield from _of_node(node)


def _of_node(node: ast.expr) -> Iterator[_Change]:
    """Yield the one change of an expression's outermost node, if it has one."""
    if isinstance(node, ast.BinOp) and type(node.op) in _BINARY:
        yield _Change(node, "operator", _other_operator)
    elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        yield _Change(node, "sign", _operand)
    elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
        yield _Change(node, "condition", _operand)
    elif isinstance(node, ast.Compare) and type(node.ops[0]) in _COMPARISON:
        yield _Change(node, "comparison", _other_comparison)
    elif isinstance(node, ast.BoolOp):
        yield _Change(node, "and or", _other_connective)
    elif isinstance(node, ast.Constant) and _other_value(node.value) is not None:
        yield _Change(node, "constant", _other_constant)
    elif isinstance(node, ast.Attribute) and node.attr in _SWAPPED:
        yield _Change(node, "method", _other_method)


def _walk(root: ast.expr) -> Iterator[ast.expr]:
    """Yield an expression and those in it, outside messages and nested functions."""
    if isinstance(root, ast.JoinedStr | ast.Lambda):
        return
    yield root
    for child in ast.iter_child_nodes(root):
        if isinstance(child, ast.keyword):
            yield from _walk(child.value)
        elif isinstance(child, ast.comprehension):
            for part in (child.iter, *child.ifs):
                yield from _walk(part)
        elif isinstance(child, ast.expr):
            yield from _walk(child)


def _negate(node: ast.AST) -> ast.AST:
    assert isinstance(node, ast.expr)
    return ast.UnaryOp(ast.Not(), node)


def _operand(node: ast.AST) -> ast.AST:
    assert isinstance(node, ast.UnaryOp)
    return node.operand


def _other_operator(node: ast.AST) -> ast.AST:
    assert isinstance(node, ast.BinOp | ast.AugAssign)
    node.op = _BINARY[type(node.op)]()
    return node


def _other_comparison(node: ast.AST) -> ast.AST:
    assert isinstance(node, ast.Compare)
    node.ops[0] = _COMPARISON[type(node.ops[0])]()
    return node


def _other_connective(node: ast.AST) -> ast.AST:
    assert isinstance(node, ast.BoolOp)
    node.op = ast.Or() if isinstance(node.op, ast.And) else ast.And()
    return node


def _other_value(value: object) -> str | bool | int | float | None:
    """Return the value that a constant becomes, or None if it is left alone."""
    if isinstance(value, bool):
        return not value
    if isinstance(value, int | float):
        return value + 1 if value in (0, 1) else value * 2
    if isinstance(value, str) and value.isidentifier():  # a key or a mode, not a message
        return f"{value}_"
    return None


def _other_constant(node: ast.AST) -> ast.AST:
    assert isinstance(node, ast.Constant)
    return ast.Constant(_other_value(node.value))


def _other_method(node: ast.AST) -> ast.AST:
    assert isinstance(node, ast.Attribute)
    node.attr = _SWAPPED[node.attr]
    return node


def _without_keyword(index: int) -> Callable[[ast.AST], ast.AST]:
    def remove(node: ast.AST) -> ast.AST:
        assert isinstance(node, ast.Call)
        del node.keywords[index]
        return node

    return remove
