"""The types of a config's keys, read off the source of its dataclass.

Nothing is imported for it: a model's module loads torch, which takes a second, and a plugin's may
do anything.
"""

import ast
import functools
import types
from collections.abc import Iterator
from dataclasses import dataclass, replace
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated, Any, Union, get_args, get_origin

from gantext.data import ranges
from gantext.data.ranges import Range

PLAIN = {"int": "whole number", "float": "number", "str": "text", "bool": "true or false"}


@dataclass(frozen=True)
class FieldType:
    """What a key takes.

    Attributes:
        kind: in words, of one value: "whole number", "text", "one of" its choices.
        bounds: of a number; None without any.
        choices: the words that it takes; empty where it takes others.
        listed: it takes a list of such values.
        optional: it may be null.
    """

    kind: str
    bounds: Range | None = None
    choices: tuple[str, ...] = ()
    listed: bool = False
    optional: bool = False

    @property
    def words(self) -> str:
        """All of it in a line."""
        kind = f"one of {', '.join(self.choices)}" if self.choices else self.kind
        bounds = f", {self.bounds.words}" if self.bounds else ""
        listed, optional = "a list, each: " * self.listed, ", or null" * self.optional
        return f"{listed}{kind}{bounds}{optional}"


@functools.cache
def field_types(module: str, name: str = "Config") -> dict[str, FieldType]:
    """The type of each key of a dataclass in a module, by its dotted name.

    Keys whose type cannot be made out, as of a plugin's own kind, are left out.
    """
    found = _class(module, name)
    return dict(_fields(*found, "")) if found else {}


def docstring(module: str) -> str:
    """The docstring of a module; "" where there is none."""
    tree = _tree(module)
    return (ast.get_docstring(tree) or "") if tree else ""


@functools.cache
def _tree(module: str) -> ast.Module | None:
    """The source of a module; only the package at its top is looked for, which imports nothing."""
    top, *rest = module.split(".")
    spec = find_spec(top)
    if spec is None:
        return None
    folders = [Path(root).joinpath(*rest) for root in spec.submodule_search_locations or ()]
    places = [path for one in folders for path in (one / "__init__.py", one.with_suffix(".py"))]
    alone = [] if rest or spec.origin is None else [Path(spec.origin)]
    path = next((path for path in [*places, *alone] if path.is_file()), None)
    return ast.parse(path.read_text(encoding="utf-8")) if path else None


def _class(module: str, name: str) -> tuple[str, ast.ClassDef] | None:
    """A class that a module defines, or imports from another, and the module that defines it."""
    tree = _tree(module)
    for node in tree.body if tree else ():
        if isinstance(node, ast.ClassDef) and node.name == name:
            return module, node
        if isinstance(node, ast.ImportFrom) and node.module:
            for alias in node.names:
                if (alias.asname or alias.name) == name:
                    return _class(node.module, alias.name)
    return None


def _fields(module: str, node: ast.ClassDef, prefix: str) -> Iterator[tuple[str, FieldType]]:
    """The fields of a dataclass and of those within it, its bases' first."""
    for base in node.bases:
        found = _class(module, ast.unparse(base))
        yield from _fields(*found, prefix) if found else ()
    for line in node.body:
        if isinstance(line, ast.AnnAssign) and isinstance(line.target, ast.Name):
            key, group = f"{prefix}{line.target.id}", _class(module, ast.unparse(line.annotation))
            if group and not _is_enumeration(group[1]):
                yield from _fields(*group, f"{key}.")
            elif known := _type(module, line.annotation):
                yield key, known


def _type(module: str, annotation: ast.expr) -> FieldType | None:
    """What an annotation says."""
    if isinstance(annotation, ast.BinOp):  # X | None
        known = _type(module, annotation.left)
        return replace(known, optional=True) if known else None
    if isinstance(annotation, ast.Subscript):  # tuple[X, ...]
        inner = annotation.slice
        first = inner.elts[0] if isinstance(inner, ast.Tuple) else inner
        known = _type(module, first)
        return replace(known, listed=True) if known else None
    name = ast.unparse(annotation)
    if name in PLAIN:
        return FieldType(PLAIN[name])
    if enumeration := _class(module, name):
        return FieldType("one of", choices=_members(enumeration[1]))
    return _number(getattr(ranges, name, None))


def _number(kind: Any) -> FieldType | None:
    """A type of gantext/data/ranges.py."""
    if get_origin(kind) in (Union, types.UnionType):  # a number, or a word
        known = _number(get_args(kind)[0])
        return replace(known, kind=f"a word, or a {known.kind}") if known else None
    if get_origin(kind) is not Annotated:
        return None
    plain: type = get_args(kind)[0]
    return FieldType(PLAIN[plain.__name__], ranges.range_of(kind))


def _is_enumeration(node: ast.ClassDef) -> bool:
    return any(ast.unparse(base).endswith("Enum") for base in node.bases)


def _members(node: ast.ClassDef) -> tuple[str, ...]:
    values = [line.value for line in node.body if isinstance(line, ast.Assign)]
    return tuple(str(value.value) for value in values if isinstance(value, ast.Constant))
