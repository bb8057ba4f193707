"""Settings that a run goes on with in place of its own: more steps, and what decides no number.

More steps are exact where none of those before depends on how many there are: the run then has the
weights, bit by bit, that it would have had if it had begun with them. All else is refused.
"""

import os
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from gantext.config import schema
from gantext.config.settings import Settings
from gantext.errors import UserError, nearest
from gantext.models.contract import Phase
from gantext.runs.folder import RunDir
from gantext.runs.shapes import Extension
from gantext.runs.sweep import is_planned

# What decides no step. Scores of phases that have ended stay as they were computed.
FREE = ("log.", "eval.", "checkpoint.every_", "checkpoint.keep", "objective")
JUDGED = ("log.every_", "log.sample_", "eval.")  # decides when the best state is looked for
REASONS = {
    "data": "it has begun on its own; gantext pretrain --from takes its weights to other data",
    "model": "its steps were taken with another; --from begins a new run with its weights",
    "seed": "its random numbers have begun with another",
    "checkpoint": "its best state was looked for by another",
}
OTHERWISE = "it has begun with another"


@dataclass(frozen=True)
class Change:
    """What a run is asked to go on with.

    Attributes:
        run: the run.
        settings: with what is asked for.
        was: the values of before, by key, of those that differ.
        now: those that take their place.
    """

    run: RunDir
    settings: Settings
    was: dict[str, Any]
    now: dict[str, Any]

    def refused(self, key: str, why: str) -> UserError:
        """What is said of a key that the run cannot go on with."""
        return UserError(f"{self.run.path.name} cannot go on with {key}={self.now[key]}: {why}")

    @property
    def lengths(self) -> list[str]:
        """The keys that say how long phases are, or would be of none."""
        return [key for key in self.now if not key.startswith(FREE)]


def changed(run: RunDir, words: Sequence[str]) -> Change:
    """A run's settings with some in place of its own, held against what is known without its data.

    Raises:
        UserError: a word that is no key=value of a run's settings, or changes what a run cannot.
    """
    if not words:
        return Change(run, run.settings, {}, {})
    if is_planned(run.path.parent):
        raise UserError(f"{run.path} is a job of a sweep, whose plan says what it goes on with")
    values = _replaced(run.values, words)
    settings, old = schema.of_values(values), schema.flat(run.settings)
    new = schema.flat(settings)
    differing = [key for key in new if new[key] != old.get(key)]
    was, now = ({key: side.get(key) for key in differing} for side in (old, new))
    change = Change(run, settings, was, now)
    judged = run.settings.early_stop.patience or run.settings.checkpoint.best is not None
    for key in differing:
        if key.startswith(JUDGED) and judged:
            raise change.refused(key, "early_stop or checkpoint.best goes by when it looks")
        if not key.startswith((*FREE, "model.")):
            raise change.refused(key, REASONS.get(key.partition(".")[0], OTHERWISE))
    return change


def _replaced(values: dict[str, Any], words: Sequence[str]) -> dict[str, Any]:
    """Plain values with those of the words in their places. Raises UserError."""
    from gantext.config.compose import parsed

    found: dict[str, Any] = _copied(values)
    for one in parsed(words):
        key = str(one.key_or_group)
        if one.is_sweep_override() or one.is_add() or one.is_delete():
            raise UserError(f"--resume takes key=value, one value each, not {one.input_line}")
        *groups, name = key.split(".")
        group: Any = found
        for part in groups:
            group = group.get(part) if isinstance(group, dict) else None
        if not isinstance(group, dict) or name not in group:
            raise UserError(f"unknown key '{key}'{nearest(key, schema.leaves(values))}")
        if isinstance(group[name], dict):
            why = REASONS.get(key.partition(".")[0], OTHERWISE)
            raise UserError(f"a run cannot go on with {one.input_line}: {why}")
        group[name] = one.value()
    return found


def _copied(values: Any) -> Any:
    return {k: _copied(v) for k, v in values.items()} if isinstance(values, dict) else values


def check_steps(
    change: Change, before: Sequence[Phase], after: Sequence[Phase], state: dict[str, Any] | None
) -> None:
    """Refuse more steps, or fewer, where the run would not be one that had begun with them.

    Args:
        change: what is asked for.
        before: the run's phases.
        after: those that it would have.
        state: its newest checkpoint; None where it has none, so that it begins again.

    Raises:
        UserError: naming the key.
    """
    keys = {f"model.{phase.key}": phase for phase in (*before, *after) if phase.key}
    for key in change.lengths:
        if key not in keys:
            raise change.refused(key, REASONS["model"])
        if state is not None:
            _check_phase(change, key, keys[key], (before, after), state)


def _check_phase(
    change: Change,
    key: str,
    phase: Phase,
    phases: tuple[Sequence[Phase], Sequence[Phase]],
    state: dict[str, Any],
) -> None:
    """Refuse another length of a phase that has begun, where that would change its steps."""
    before, after = ([one.name for one in those] for those in phases)
    current, step = before[state["phase"]], state["step"]
    if phase.name != current:
        order = after if phase.name in after else before
        if current not in order or order.index(phase.name) < order.index(current):
            raise change.refused(key, f"{current} has begun without these steps of {phase.name}")
        _check_before(change, key, phase, order.index(current), order, step)
        return
    if step == 0:
        return
    if phase.tied:
        raise change.refused(key, f"{phase.name} has begun, and {phase.tied}")
    if state["ended"]:
        raise change.refused(key, f"{phase.name} has ended early")
    if phase.steps < step or current not in after:
        raise change.refused(key, f"{step:,} steps of {phase.name} are done")
    early = change.settings.early_stop
    if early.patience and (phase.name in early.phases or not early.phases):
        raise change.refused(key, f"early_stop has counted its looks at {phase.name}")


def _check_before(
    change: Change, key: str, phase: Phase, place: int, order: Sequence[str], step: int
) -> None:
    """Refuse another length of a phase to come where steps that are done depend on it.

    Args:
        place: among the phases, of the one that the run is in.
        order: the names of the phases.
        step: how many steps of that one are done.
    """
    if phase.since in order and (order.index(phase.since), 0) < (place, step):
        raise change.refused(key, f"{phase.since} has begun, and {phase.tied}")


def store(change: Change, total: int) -> RunDir:
    """Let the run's folder say what it goes on with, and what it was; the run anew.

    Args:
        change: which was checked.
        total: the step that it goes on at.
    """
    run = change.run
    info, config = run.info, run.config.stat()
    entry = Extension(
        time=time.strftime("%Y-%m-%d %H:%M:%S"), total=total, was=change.was, now=change.now
    )
    extensions = [*info.get("extensions", []), entry]
    run.update(extensions=extensions)
    run.files.write(run.config, schema.to_yaml(change.settings).encode())
    # Lists of runs are in the order in which they began.
    os.utime(run.config, ns=(config.st_atime_ns, config.st_mtime_ns), follow_symlinks=False)
    return RunDir(run.path)
