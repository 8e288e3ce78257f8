"""Mutants of a Python module: one operator, number, text, branch, bound, refusal or statement changed in its syntax tree.

Sentences of refusals, annotations and decorators are left alone.
"""

import ast
import importlib.abc
import importlib.util
import re
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import CodeType, ModuleType

_COMPARED: dict[type[ast.cmpop], Sequence[type[ast.cmpop]]] = {
    ast.Lt: (ast.LtE, ast.GtE),
    ast.LtE: (ast.Lt, ast.Gt),
    ast.Gt: (ast.GtE, ast.LtE),
    ast.GtE: (ast.Gt, ast.Lt),
    ast.Eq: (ast.NotEq,),
    ast.NotEq: (ast.Eq,),
    ast.In: (ast.NotIn,),
    ast.NotIn: (ast.In,),
    ast.Is: (ast.IsNot,),
    ast.IsNot: (ast.Is,),
}
_COMPUTED: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.FloorDiv,
    ast.FloorDiv: ast.Mult,
    ast.Mod: ast.FloorDiv,
    ast.LShift: ast.RShift,
    ast.RShift: ast.LShift,
    ast.BitAnd: ast.BitOr,
}
_CALLED = {
    "any": "all",
    "min": "max",
    "startswith": "endswith",
    "partition": "rpartition",
    "removeprefix": "removesuffix",
}
_CALLED |= {other: name for name, other in _CALLED.items()}


# Making them


@dataclass(frozen=True)
class PythonMutant:
    """A module with one place of its syntax tree replaced."""

    path: Path
    tree: ast.Module
    place: ast.AST
    variant: ast.AST

    @property
    def line(self) -> int:
        return min(int(each.lineno) for each in ast.walk(self.place) if hasattr(each, "lineno"))

    def __str__(self) -> str:
        return f"{_told(self.place)}  →  {_told(self.variant)}"

    def install(self) -> None:
        """Let this process import the module as mutated."""
        name = str(self.path).removesuffix(".py").replace("/", ".")
        sys.meta_path.insert(0, _Mutated(name, self._code()))

    def _code(self) -> CodeType:
        _Replaced(self.place, self.variant).visit(self.tree)
        ast.fix_missing_locations(self.tree)
        made = compile(self.tree, "mutant", "exec")
        _Replaced(self.variant, self.place).visit(self.tree)
        return made


def mutants_of(path: Path) -> list[PythonMutant]:
    """Every mutant of a module, in the order of its syntax tree."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return [PythonMutant(path, tree, place, variant) for place in _mutable(tree) for variant in _variants(place)]


class _Replaced(ast.NodeTransformer):
    def __init__(self, old: ast.AST, new: ast.AST) -> None:
        self.old, self.new = old, new

    def visit(self, node: ast.AST) -> ast.AST:
        return ast.copy_location(self.new, node) if node is self.old else super().generic_visit(node)


def _mutable(node: ast.AST) -> Iterator[ast.AST]:
    """The nodes that make up what a module does."""
    yield node
    if isinstance(node, ast.Call) and ast.unparse(node.func) == "re.compile":
        return
    for name, value in ast.iter_fields(node):
        if name in ("annotation", "returns", "decorator_list", "exc", "cause"):
            continue
        for each in value if isinstance(value, list) else [value]:
            is_docstring = isinstance(each, ast.Expr) and isinstance(each.value, ast.Constant)
            is_docstring |= isinstance(each, ast.Assign) and ast.unparse(each.targets[0]) == "sentence"
            is_docstring |= isinstance(each, ast.AnnAssign) and ast.unparse(each.target) == "nearest"
            if isinstance(each, ast.AST) and not is_docstring:
                yield from _mutable(each)


def _variants(node: ast.AST) -> Iterator[ast.AST]:  # noqa: C901 - a table, a line or two a kind of statement
    match node:
        case ast.expr():
            yield from _expressions(node)
        case ast.Raise() | ast.Break() | ast.Continue():
            yield ast.Pass()
        case ast.Assign() if node.col_offset:  # without a name of the whole module nothing would run
            yield ast.Pass()
        case ast.Expr(value=ast.Call() | ast.YieldFrom() | ast.Yield()):
            yield ast.Pass()
        case ast.AugAssign(target, op, value):
            yield ast.Pass()
            yield ast.Assign([target], value, lineno=node.lineno)
            if type(op) in _COMPUTED:
                yield ast.AugAssign(target, _COMPUTED[type(op)](), value)
        case ast.Return(None | ast.Constant(None)):
            return  # at the end of a function it says what is so anyhow; elsewhere its condition is turned
        case ast.Return():
            yield ast.Return(ast.Constant(None))
        case ast.If(test, body, orelse):
            yield from (ast.If(each, body, orelse) for each in _turned(test))
        case ast.While(test, body, orelse):
            yield from (ast.While(each, body, orelse) for each in _turned(test))
        case ast.comprehension(target, of, conditions, is_async):
            for n, _ in enumerate(conditions):
                yield ast.comprehension(target, of, conditions[:n] + conditions[n + 1 :], is_async)
        case ast.ExceptHandler(ast.Tuple(classes), name, body):
            for n, _ in enumerate(classes):
                yield ast.ExceptHandler(ast.Tuple(classes[:n] + classes[n + 1 :], ast.Load()), name, body)
        case ast.MatchOr(patterns):
            for n, _ in enumerate(patterns):
                yield ast.MatchOr(patterns[:n] + patterns[n + 1 :])
        case _:
            pass


def _expressions(node: ast.expr) -> Iterator[ast.expr]:  # noqa: C901 - a table, a line or two a kind of expression
    match node:
        case ast.Constant(value):
            yield from map(ast.Constant, _constants(value))
        case ast.Compare(left, ops, comparators):
            for n, op in enumerate(ops):
                for other in _COMPARED[type(op)]:
                    yield ast.Compare(left, [*ops[:n], other(), *ops[n + 1 :]], comparators)
        case ast.BoolOp(op, values):
            yield ast.BoolOp(ast.And() if isinstance(op, ast.Or) else ast.Or(), values)
            for n, _ in enumerate(values):
                rest = values[:n] + values[n + 1 :]
                yield rest[0] if len(rest) == 1 else ast.BoolOp(op, rest)
        case ast.UnaryOp(ast.Not() | ast.USub(), operand):
            yield operand
        case ast.BinOp(left, ast.BitOr(), right):
            yield from (left, right)
        case ast.BinOp(left, op, right) if type(op) in _COMPUTED:
            yield ast.BinOp(left, _COMPUTED[type(op)](), right)
        case ast.IfExp(_, body, orelse):
            yield from (body, orelse)
        case ast.Slice(lower, upper, step):
            if lower:
                yield ast.Slice(None, upper, step)
            if upper:
                yield ast.Slice(lower, None, step)
        case ast.Dict(keys, values) if len(keys) > 1:
            for n, _ in enumerate(keys):
                yield ast.Dict(keys[:n] + keys[n + 1 :], values[:n] + values[n + 1 :])
        case ast.Call(ast.Attribute(ast.Name("re"), "compile"), [ast.Constant(text), *others], keywords):
            for shorter in _patterns(str(text)):
                yield ast.Call(node.func, [ast.Constant(shorter), *others], keywords)
        case ast.Call(ast.Name(name), arguments, keywords) if name in _CALLED:
            yield ast.Call(ast.Name(_CALLED[name], ast.Load()), arguments, keywords)
        case ast.Call(ast.Attribute(value, name), arguments, keywords) if name in _CALLED:
            yield ast.Call(ast.Attribute(value, _CALLED[name], ast.Load()), arguments, keywords)
        case _:
            pass


def _turned(test: ast.expr) -> Iterator[ast.expr]:
    """The opposite of a condition whose own mutants do not include it."""
    if not isinstance(test, ast.Compare | ast.BoolOp | ast.UnaryOp):
        yield ast.UnaryOp(ast.Not(), test)


def _constants(value: object) -> list[bool | int | str | bytes]:
    match value:
        case bool():
            return [not value]
        case int():
            return [value + 1, value - 1]
        case str():
            return [value[:-1], value + "x"] if value else ["x"]
        case bytes():
            return [value[:-1], value + b"x"] if value else [b"x"]
    return []


def _patterns(text: str | bytes) -> Iterator[str | bytes]:
    """A regular expression without one of its characters, as far as that is one."""
    seen = {text}
    for at in range(len(text)):
        shorter = text[:at] + text[at + 1 :]  # type: ignore[operator]
        try:
            re.compile(shorter)
        except (re.error, FutureWarning):
            continue
        if shorter not in seen:
            seen.add(shorter)
            yield shorter


def _told(node: ast.AST) -> str:
    match node:
        case ast.If(test) | ast.While(test):
            return f"{type(node).__name__.lower()} {ast.unparse(test)}"
        case ast.ExceptHandler(type=caught):
            return f"except {ast.unparse(caught)}" if caught else "except"
    return " ".join(ast.unparse(node).split())


class _Mutated(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Imports one module as mutated."""

    def __init__(self, name: str, code: CodeType) -> None:
        self.name, self.code = name, code

    def find_spec(self, fullname: str, *_: object) -> ModuleSpec | None:
        return importlib.util.spec_from_loader(fullname, self) if fullname == self.name else None

    def exec_module(self, module: ModuleType) -> None:
        exec(self.code, module.__dict__)  # noqa: S102 - it is the module's own code
