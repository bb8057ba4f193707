"""Small changes of a module's source that make its numbers wrong.

A change replaces one node of the syntax tree. What decides no number is left alone: strings,
annotations, decorators, classes of constants, functions that are only declared, what is raised,
asserted or said, and how much is worked on at a time.
"""

import ast
import copy
from collections.abc import Iterator
from dataclasses import dataclass

OPERATORS: dict[type[ast.AST], type[ast.AST]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Div,
    ast.Div: ast.Mult,
    ast.FloorDiv: ast.Mult,
    ast.Mod: ast.Mult,
    ast.Pow: ast.Mult,
    ast.BitAnd: ast.BitOr,
    ast.BitOr: ast.BitAnd,
    ast.And: ast.Or,
    ast.Or: ast.And,
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
}
FUNCTIONS = {
    "mean": "sum",
    "sum": "mean",
    "max": "min",
    "min": "max",
    "amax": "amin",
    "argmax": "argmin",
    "any": "all",
    "all": "any",
    "exp": "log1p",
    "log": "exp",
    "tanh": "sigmoid",
    "sigmoid": "tanh",
    "zeros": "ones",
    "ones": "zeros",
    "floor": "ceil",
    "ceil": "floor",
}
SAID = frozenset(
    {"UserError", "ValueError", "TypeError", "logger", "say", "warn", "cast", "field", "TypeVar"}
    | {"Meaning", "Layout"}  # what a score or a figure is called and what is written beside it
    | {"errstate"}  # of which numbers numpy warns
)
# Arguments that only make a call refuse what never comes, or that say where numbers lie: what lies
# elsewhere fails, and is never another number.
CHECKS = frozenset({"strict", "device"})
# How many rows, or numbers, are worked on at a time, for the sake of memory and caches.
AT_A_TIME = frozenset(
    {"ROWS", "GPU_ROWS", "SCORE_ROWS", "SCORED_ROWS", "SCORED_TOKENS", "SCORES", "CHUNK", "PART"}
    | {"DRAWN", "TURNED", "LOOK", "CHUNK_ELEMENTS", "GPU_CHUNK_ELEMENTS", "MIXTURE_ELEMENTS"}
    | {"BEAM_ELEMENTS", "GPU_BEAM_ELEMENTS"}
    | {"_chunk_size"}  # a function that gives such a number
)
CONSTANTS = frozenset({"Enum", "Protocol", "IntEnum"})


@dataclass(frozen=True)
class Change:
    """The bytes `start` ... `end` of a module, `old`, become `new`; line counts from 1."""

    kind: str
    line: int
    old: str
    new: str
    start: int
    end: int

    def apply(self, source: bytes) -> bytes:
        """The module's source with the change."""
        return source[: self.start] + self.new.encode() + source[self.end :]

    def __str__(self) -> str:
        old, new = (" ".join(text.split()) for text in (self.old, self.new))
        return f"line {self.line}, {self.kind}: {old[:70]} -> {new[:70]}"


def changes(source: bytes) -> list[Change]:
    """All changes of a module's source, in the order in which they stand."""
    lengths = [len(line) for line in source.splitlines(keepends=True)]
    starts = [sum(lengths[:i]) for i in range(len(lengths) + 1)]
    found = []
    for node in _deciding(ast.parse(source)):
        start = starts[node.lineno - 1] + node.col_offset
        end = starts[node.end_lineno - 1] + node.end_col_offset
        old = source[start:end].decode()
        for kind, changed in _variants(node):
            new = ast.unparse(ast.fix_missing_locations(changed))
            # In brackets: what stood inside of an expression keeps its place there.
            new = f"({new})" if isinstance(node, ast.BinOp | ast.BoolOp | ast.Compare) else new
            found.append(Change(kind, node.lineno, old, new, start, end))
    return sorted(found, key=lambda change: (change.start, change.end, change.new))


def _deciding(node: ast.AST) -> Iterator[ast.AST]:
    """The nodes that a change may stand at: those that are computed with."""
    if _is_quiet(node):
        return
    if isinstance(node, ast.BinOp | ast.BoolOp | ast.Compare | ast.UnaryOp | ast.Constant):
        yield node
    elif isinstance(node, ast.Call | ast.Slice | ast.Expr):
        yield node
    for name, value in ast.iter_fields(node):
        if name in ("annotation", "returns", "decorator_list", "bases", "type_params"):
            continue
        for child in value if isinstance(value, list) else [value]:
            if isinstance(child, ast.AST):
                yield from _deciding(child)


def _is_quiet(node: ast.AST) -> bool:
    """Whether a node and all in it only say something, or name it."""
    if isinstance(node, ast.Raise | ast.Assert | ast.JoinedStr | ast.Import | ast.ImportFrom):
        return True
    if isinstance(node, ast.FunctionDef):
        return _is_declared(node.body[-1]) or node.name in AT_A_TIME
    if isinstance(node, ast.ClassDef):
        return any(isinstance(base, ast.Attribute | ast.Name) and _name(base) in CONSTANTS
                   for base in node.bases)  # fmt: skip
    if isinstance(node, ast.If):
        return isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING"
    if isinstance(node, ast.keyword):
        return node.arg in CHECKS
    if isinstance(node, ast.Expr):
        return _is_quiet(node.value)
    if isinstance(node, ast.Attribute):
        return node.attr == "device"
    if isinstance(node, ast.Assign):
        return all(_name(target) in AT_A_TIME for target in node.targets)
    if isinstance(node, ast.Call):
        owner = node.func.value if isinstance(node.func, ast.Attribute) else node.func
        return _name(owner) in SAID or _name(node.func) in SAID or _is_part(node)
    return False


def _is_declared(last: ast.stmt) -> bool:
    """Whether a function whose body ends so has none of its own."""
    if isinstance(last, ast.Raise):
        return _name(last.exc) == "NotImplementedError" if last.exc else False
    return isinstance(last, ast.Expr) and isinstance(last.value, ast.Constant)


def _is_part(node: ast.Call) -> bool:
    """Whether that is max(1, ... ROWS ...) or max(ROWS, ...), how many rows at a time."""
    if _name(node.func) != "max" or not node.args:
        return False
    first = node.args[0]
    if _name(first) in AT_A_TIME:
        return True
    is_one = isinstance(first, ast.Constant) and first.value == 1
    return is_one and any(_name(inner) in AT_A_TIME for inner in ast.walk(node))


def _name(node: ast.AST) -> str:
    return node.attr if isinstance(node, ast.Attribute) else getattr(node, "id", "")


def _variants(node: ast.AST) -> Iterator[tuple[str, ast.AST]]:
    """(kind, changed node) of each change at a node."""
    if isinstance(node, ast.BinOp | ast.BoolOp) and type(node.op) in OPERATORS:
        yield "operator", _with(node, op=OPERATORS[type(node.op)]())
    elif isinstance(node, ast.Compare) and type(node.ops[0]) in OPERATORS:
        yield "comparison", _with(node, ops=[OPERATORS[type(node.ops[0])](), *node.ops[1:]])
    elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub | ast.Not | ast.Invert):
        yield "sign", node.operand
    elif isinstance(node, ast.Constant):
        yield from _constants(node)
    elif isinstance(node, ast.Slice):
        yield from _slices(node)
    elif isinstance(node, ast.Call):
        yield from _calls(node)
    elif isinstance(node, ast.Expr) and isinstance(node.value, ast.Call):
        yield "call deleted", ast.Pass()


def _constants(node: ast.Constant) -> Iterator[tuple[str, ast.AST]]:
    value = node.value
    if isinstance(value, bool):
        yield "constant", ast.Constant(not value)
    elif isinstance(value, int | float):
        yield "constant", ast.Constant(value + 1 if isinstance(value, int) else value * 2 or 1.0)


def _slices(node: ast.Slice) -> Iterator[tuple[str, ast.AST]]:
    for bound in ("lower", "upper", "step"):
        if getattr(node, bound) is not None:
            yield "slice", _with(node, **{bound: None})


def _calls(node: ast.Call) -> Iterator[tuple[str, ast.AST]]:
    for place, keyword in enumerate(node.keywords):
        if keyword.arg in CHECKS:
            continue
        rest = node.keywords[:place] + node.keywords[place + 1 :]
        yield "keyword dropped", _with(node, keywords=rest)
    other = FUNCTIONS.get(_name(node.func))
    if other is not None:
        key = "attr" if isinstance(node.func, ast.Attribute) else "id"
        yield "function", _with(node, func=_with(node.func, **{key: other}))


def _with(node: ast.AST, **values: object) -> ast.AST:
    """A copy of a node with other values in some fields."""
    changed = copy.copy(node)
    for name, value in values.items():
        setattr(changed, name, value)
    return changed
