"""Completions of a half-typed override, read from the YAML files: hydra takes half a second."""

import contextlib
from collections.abc import Sequence
from pathlib import Path

from gantext.config import groups, keys
from gantext.config.fields import PLAIN
from gantext.config.keys import Key
from gantext.errors import UserError
from gantext.metrics.text.presets import PRESETS

UNSAID = ("???", "null", "")  # the value of a key that somebody has to give, or that has none
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
    for name in (one.name for one in _keys(given, config_dir)):
        if name.startswith(incomplete):
            dot = name.find(".", len(incomplete))
            found.append(f"{name}=" if dot < 0 else name[: dot + 1])
    return list(dict.fromkeys(found))


def _values(name: str, given: Sequence[str], config_dir: Path | None) -> list[str]:
    """What a key can be, as far as that is known; else what it is by itself."""
    if name in groups.GROUPS:
        return groups.names(name, config_dir)
    if name == PRESET:
        return list(PRESETS)
    key = next((one for one in _keys(given, config_dir) if one.name == name), None)
    if key is None:
        return []
    kind = key.type
    if kind is not None and kind.choices:
        return list(kind.choices)
    if kind is not None and kind.kind == PLAIN["bool"]:
        return ["true", "false"]
    return [] if key.value in UNSAID else [key.value]


def _keys(given: Sequence[str], config_dir: Path | None) -> list[Key]:
    """The keys of the config that overrides choose; none of a file that is damaged."""
    found: list[Key] = []
    with contextlib.suppress(UserError):
        chosen = keys.chosen([word.partition("=")[::2] for word in given], config_dir)
        found += keys.main_keys(config_dir)
        for group in keys.PACKAGES:
            found += keys.option_keys(group, chosen.get(group, ""), config_dir)
    return found
