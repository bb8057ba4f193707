"""The user's own configs: file and line of what does not compose, and which option has a key.

Hydra and OmegaConf keep no lines of what they read: those are of the nodes of PyYAML's `compose`.
"""

import contextlib
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import yaml

from gantext.config import groups
from gantext.errors import UserError, nearest
from gantext.records import yaml_file

PACKAGE = re.compile(r"^#\s*@package\b", re.MULTILINE)
WHOLE = "# @package _global_"  # how these say that their keys are those of the whole config
WHOLES = {"experiment": "an experiment", "recipe": "a recipe"}
OTHER = "an experiment that does not build on this one"
KEY = re.compile(r"[\w.]+")
ENTRY = re.compile(r"(?P<override>override\s+)?(?P<group>\S+)")  # of a defaults list


@contextlib.contextmanager
def placed(overrides: Sequence[str], config_dir: Path | None) -> Iterator[None]:
    """Say of a refusal within which file of the user's own, and which line of it, is the cause.

    Raises:
        UserError: what was raised within, with the place where one of the files of `overrides` is
            at fault.
    """
    try:
        yield
    except UserError as error:
        raise UserError(_with_place(str(error), overrides, config_dir)) from error.__cause__


def options_with(key: str, config_dir: Path | None) -> list[str]:
    """The options of the key's group that have it, such as model=vae for model.latent_size."""
    group, _, inner = key.partition(".")
    options = groups.names(group, config_dir) if inner and group in groups.GROUPS else []
    return [f"{group}={name}" for name in options if inner in _lines(group, name, config_dir)]


def _with_place(said: str, overrides: Sequence[str], config_dir: Path | None) -> str:
    given = dict(word.partition("=")[::2] for word in overrides)
    for group in groups.GROUPS:
        path = _own_path(group, given.get(group, ""), config_dir)
        if path is None or said.startswith(str(path)):
            continue
        line = _line_of(said, group, path, given)
        fault = _fault(path, group, config_dir) or (line and f"line {line}: {said}")
        if fault:
            return f"{path}, {fault}"
        if said.startswith((f"{group}: ", f"unknown {group} ")):  # of its `name`, or without one
            return f"{path}: {said}"
    return said


def _own_path(group: str, name: str, config_dir: Path | None) -> Path | None:
    """The file of an option where it is one of the user's own."""
    own = groups.own_folder(config_dir)
    path = own and own.absolute() / group / f"{name}.yaml"
    return path if path and path.is_file() else None


def _fault(path: Path, group: str, config_dir: Path | None) -> str | None:
    """What is wrong with a file by itself, with the line; None where nothing is seen."""
    try:
        text = yaml_file.read_text(path)
        root = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.MarkedYAMLError as error:
        return yaml_file.place_of(error)
    except UserError:
        return "line 1: it is no text of UTF-8"
    if group in WHOLES and not PACKAGE.search(text):
        return f"line 1: {WHOLES[group]} begins with the line '{WHOLE}'"
    if root is not None and not isinstance(root, yaml.MappingNode):
        return f"line {root.start_mark.line + 1}: keys with values are needed, not a list or a word"
    others = groups.names("experiment", config_dir) if group == "experiment" else []
    bases = [name for name in others if not _builds_on(name, path.stem, config_dir)]
    faults = (_entry_fault(entry, bases, config_dir) for entry in entries(root))
    return next(filter(None, faults), None)


def entries(root: yaml.MappingNode | None) -> list[yaml.Node]:
    """Those of the defaults list of a file."""
    lists = [value for key, value in root.value if key.value == "defaults"] if root else []
    return [one for each in lists if isinstance(each, yaml.SequenceNode) for one in each.value]


def _builds_on(name: str, on: str, config_dir: Path | None, passed: tuple[str, ...] = ()) -> bool:
    """Whether an experiment is another one, or builds on it, by itself or by a third."""
    path = groups.path("experiment", name, config_dir)
    if name == on or path is None or name in passed:
        return name == on
    named = [e.value for e in entries(_root(path)) if isinstance(e, yaml.ScalarNode)]
    return any(_builds_on(one, on, config_dir, (*passed, name)) for one in named)


def _entry_fault(entry: Any, bases: Sequence[str], config_dir: Path | None) -> str | None:
    """What is wrong with an entry of a defaults list, with the line; `bases` are the experiments
    that the file may build on."""
    said = f"line {entry.start_mark.line + 1}: "
    if isinstance(entry, yaml.ScalarNode):
        if entry.value in ("_self_", *bases):
            return None
        return f"{said}{entry.value}: write 'override /GROUP: NAME', _self_, or {OTHER}"
    if not isinstance(entry, yaml.MappingNode) or len(entry.value) != 1:
        return f"{said}write 'override /GROUP: NAME', or _self_"
    key, node = entry.value[0]
    found = ENTRY.fullmatch(str(key.value))
    group = found["group"].lstrip("/") if found else ""
    if "/" in group or not found or not isinstance(node, yaml.ScalarNode):  # Hydra's own
        return None
    if group not in groups.GROUPS:
        return f"{said}no such group '{group}'{nearest(group, groups.GROUPS)}"
    if not found["override"] or not found["group"].startswith("/"):
        return f"{said}write 'override /{group}: {node.value}'"
    if node.value not in (*groups.names(group, config_dir), "null"):
        return said + groups.no_such(group, node.value, config_dir)
    return None


def _line_of(said: str, group: str, path: Path, given: dict[str, str]) -> int | None:
    """The line of the key that a refusal names, where the file has it and no word changes it."""
    prefix = "" if group == "experiment" else f"{group}."
    lines = {f"{prefix}{key}": line for key, line in _lines_of(path).items()}
    fault = said.partition(" (")[0]  # without the names that a hint adds
    named = [key for key in KEY.findall(fault) if key in lines and key not in given]
    return lines[named[0]] if named else None


def _lines(group: str, name: str, config_dir: Path | None) -> dict[str, int]:
    path = groups.path(group, name, config_dir)
    return _lines_of(path) if path else {}


def _lines_of(path: Path) -> dict[str, int]:
    """The keys of a file, groups of keys too, by their dotted names, with their lines."""
    root = _root(path)
    with contextlib.suppress(RecursionError):
        return dict(_within(root, "")) if root else {}
    return {}


def _root(path: Path) -> yaml.MappingNode | None:
    """The keys of a file with their values; None of one that has none, or cannot be read."""
    with contextlib.suppress(UserError, yaml.YAMLError, RecursionError):
        root = yaml.compose(yaml_file.read_text(path), Loader=yaml.SafeLoader)
        return root if isinstance(root, yaml.MappingNode) else None
    return None


def _within(root: Any, prefix: str) -> Iterator[tuple[str, int]]:
    for key, node in root.value:
        name = f"{prefix}{key.value}"
        yield name, key.start_mark.line + 1
        if isinstance(node, yaml.MappingNode):
            yield from _within(node, f"{name}.")
