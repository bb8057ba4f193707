"""Where runs differ: in their settings, and in what they were trained on and by."""

from collections.abc import Mapping, Sequence
from typing import Any

from gantext.runs.folder import RunDir

# Of run.json: what decides a run's numbers beside its settings.
FACTS = ("data", "gantext", "torch", "python", "device", "threads")
# Where a run lies and is told of, which decides nothing of it.
UNTOLD = frozenset({"name", "runs_dir", "force"})


def settings(runs: Sequence[RunDir]) -> dict[str, list[Any]]:
    """The settings that are not the same in all runs: by dotted key, a value for each run.

    None where a run has no such key. Raises UserError.
    """
    return _different([dict(_flat(run.values)) for run in runs])


def facts(runs: Sequence[RunDir]) -> dict[str, list[Any]]:
    """The same of what run.json says: the data's hash, versions, device and threads."""
    return _different([{key: run.info.get(key) for key in FACTS} for run in runs])


def _flat(tree: Mapping[str, Any], above: str = "") -> list[tuple[str, Any]]:
    found: list[tuple[str, Any]] = []
    for key, value in tree.items():
        if isinstance(value, Mapping) and value:
            found += _flat(value, f"{above}{key}.")
        elif above or key not in UNTOLD:
            found.append((f"{above}{key}", value))
    return found


def _different(each: Sequence[Mapping[str, Any]]) -> dict[str, list[Any]]:
    keys = dict.fromkeys(key for values in each for key in values)
    rows = {key: [values.get(key) for values in each] for key in keys}
    return {key: row for key, row in rows.items() if any(value != row[0] for value in row)}
