"""Completions of a half-typed override, read from the YAML files: hydra takes half a second."""

import contextlib
import dataclasses
import enum
import functools
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, get_type_hints

import yaml

from gantext.config import groups
from gantext.config.settings import Settings
from gantext.errors import UserError
from gantext.metrics.text.presets import PRESETS
from gantext.records import yaml_file

LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # ten times as quick, where it is built
HYDRAS = ("defaults", "hydra")
UNSAID = ("???", "None")  # what the value of a key is that somebody has to give, or that has none
PRESET = "eval.preset"


def complete(
    incomplete: str, given: Sequence[str] = (), config_dir: Path | None = None
) -> list[str]:
    """What a half-typed override may become: groups and their options, keys and their values.

    Keys come level by level: "model.m" becomes "model.mle.", and that "model.mle.epochs=".

    Args:
        incomplete: what is typed.
        given: the overrides before it, which choose the model and the data that have the keys.
        config_dir: the user's own configs.
    """
    key, equals, value = incomplete.partition("=")
    if equals:
        values = _values(key, given, config_dir)
        return [f"{key}={one}" for one in values if one.startswith(value)]
    found = [f"{group}=" for group in groups.GROUPS if group.startswith(incomplete)]
    for name in _keys(given, config_dir):
        if name.startswith(incomplete):
            dot = name.find(".", len(incomplete))
            found.append(f"{name}=" if dot < 0 else name[: dot + 1])
    return list(dict.fromkeys(found))


def _values(key: str, given: Sequence[str], config_dir: Path | None) -> list[str]:
    """What a key can be, as far as that is known; else what it is by itself."""
    if key in groups.GROUPS:
        return groups.names(key, config_dir)
    if key == PRESET:
        return list(PRESETS)
    kind = _kinds().get(key)
    if kind is not None and issubclass(kind, enum.Enum):
        return [str(one.value) for one in kind]
    default = _keys(given, config_dir).get(key)
    if isinstance(default, bool):
        return ["true", "false"]
    return [] if str(default) in UNSAID else [str(default)]


@functools.cache
def _kinds() -> dict[str, type]:
    """The types of a run's settings that are a class, by their dotted names."""
    return dict(_types(Settings, ""))


def _types(schema: type, prefix: str) -> Iterator[tuple[str, type]]:
    for name, kind in get_type_hints(schema).items():
        if dataclasses.is_dataclass(kind) and isinstance(kind, type):
            yield from _types(kind, f"{prefix}{name}.")
        elif isinstance(kind, type):
            yield f"{prefix}{name}", kind


def _keys(given: Sequence[str], config_dir: Path | None) -> dict[str, Any]:
    """The keys of the config that overrides choose, with their values."""
    main = _read(groups.CONF / f"{groups.MAIN}.yaml")
    chosen = _named(main) | dict(word.partition("=")[::2] for word in given)
    experiment = _file("experiment", chosen, config_dir)
    chosen = _named(main) | _named(experiment) | dict(word.partition("=")[::2] for word in given)
    tree = {key: value for key, value in main.items() if key not in HYDRAS}
    tree |= {group: _file(group, chosen, config_dir) for group in ("model", "data")}
    return dict(_leaves(tree, ""))


def _named(tree: Mapping[str, Any]) -> dict[str, str]:
    """The options of groups that a file's defaults list names."""
    entries = [entry for entry in tree.get("defaults") or () if isinstance(entry, dict)]
    pairs = [pair for entry in entries for pair in entry.items()]
    return {str(k).removeprefix("override ").lstrip("/"): str(v) for k, v in pairs}


def _file(group: str, chosen: Mapping[str, str], config_dir: Path | None) -> dict[str, Any]:
    path = groups.path(group, chosen.get(group, ""), config_dir)
    return _read(path) if path else {}


def _read(path: Path) -> dict[str, Any]:
    """What a file says; nothing of one that is damaged."""
    with contextlib.suppress(UserError, yaml.YAMLError):
        tree = yaml.load(yaml_file.read_text(path), Loader=LOADER)
        return tree if isinstance(tree, dict) else {}
    return {}


def _leaves(tree: Mapping[str, Any], prefix: str) -> Iterator[tuple[str, Any]]:
    for key, value in tree.items():
        if isinstance(value, dict):
            yield from _leaves(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", value
