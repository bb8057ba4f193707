"""Runs of older formats -> today's: what each key that came later was before it was there.

A run's format is a number in its run.json. It grows by one when a key is added to config.yaml,
run.json or a checkpoint's state, or gets another name; the change that does so adds a row to
`gantext.runs.changes`. Then a run made before it is read with the value that reproduces what the
code did. Runs without a number are of format 1.
"""

import copy
from collections.abc import Hashable
from pathlib import Path
from typing import Any

import gantext
from gantext.errors import UserError
from gantext.records.content import Damaged
from gantext.runs.changes import CHANGES, Change, Part

FORMAT = CHANGES[-1].format


class NewerFormat(UserError):
    """A run that this version of gantext is too old to read."""

    def __init__(self, run: str, version: str, number: int) -> None:
        super().__init__(
            f"{run} was made by gantext {version}, format {number}; this is gantext "
            f"{gantext.__version__}, which reads up to format {FORMAT}: upgrade"
        )
        self.number = number


def todays(key: str) -> str:
    """What a key of the settings is called today."""
    for change in CHANGES:
        if change.part is Part.settings and change.was == key:
            key = change.key
    return key


def format_of(run: str, facts: dict[str, Any]) -> int:
    """The format of a run, whose name is `run`, by what run.json says of it.

    Raises:
        NewerFormat: it is above FORMAT.
    """
    number: int = facts.get("format", 1)
    if number > FORMAT:
        raise NewerFormat(run, str(facts.get("gantext", "?")), number)
    return number


def written_by(facts: dict[str, Any]) -> str:
    """What an error adds of a run that another version made, which may know other settings."""
    version = facts.get("gantext", gantext.__version__)
    if version == gantext.__version__:
        return ""
    return f" (it was made by gantext {version}; this is gantext {gantext.__version__})"


def config_values(config: Path, facts: dict[str, Any]) -> dict[str, Any]:
    """The values of a run's config.yaml as today's code names them; `facts` are its run.json's.

    Raises:
        Damaged: it is missing, or holds anything but plain values.
        NewerFormat: its format is above FORMAT.
    """
    from gantext.records import yaml_file  # late: yaml, which lists of runs do not need

    number = format_of(config.parent.name, facts)
    try:
        values = yaml_file.read_yaml(config, config.parent)
    except Damaged as error:
        raise Damaged(config, error.fault + written_by(facts)) from error
    return migrated(values, number, Part.settings)


def migrated(values: dict[str, Any], number: int, part: Part) -> dict[str, Any]:
    """The values of a run of format `number` as today's code names them; `values` stay as they are.

    What is there already stays too, so that values of today pass through unchanged.
    """
    found: dict[str, Any] = _copied(values)
    for change in CHANGES:
        if change.part is part and change.format > number and _concerns(change, found):
            _give(found, change)
    return found


def _copied(values: Any) -> Any:
    """Groups copied and what is in them not, since tensors may be large."""
    return {k: _copied(v) for k, v in values.items()} if isinstance(values, dict) else values


def _concerns(change: Change, values: dict[str, Any]) -> bool:
    """Whether the model and the data of the values are those that a change is about."""
    named = {"model": change.model, "data": change.data}
    return all(_name(values.get(group)) == name for group, name in named.items() if name)


def _name(node: Any) -> Any:
    return node.get("name") if isinstance(node, dict) else None


def _give(values: dict[str, Any], change: Change) -> None:
    """Add the key of a change to the values, or rename the old one."""
    value = change.value
    if change.was is not None:
        group, name = _place(values, change.was)
        if group is None or name not in group:
            return
        value = group.pop(name)
        value = change.now.get(value, value) if isinstance(value, Hashable) else value
    group, name = _place(values, change.key)
    if group is not None and (change.beside is None or change.beside in group):
        group.setdefault(name, copy.deepcopy(value))


def _place(values: dict[str, Any], key: str) -> tuple[dict[str, Any] | None, str]:
    """The group that a dotted key is in (None where there is none), and its name there."""
    *groups, name = key.split(".")
    group: Any = values
    for part in groups:
        group = group.get(part) if isinstance(group, dict) else None
    return (group if isinstance(group, dict) else None), name
