"""The trackers that a run may be told of in: one module each, and those of plugins.

A module states `PACKAGE`, what it imports when a run is opened in it, `EXTRA`, what installs that
(None: it is always there), and `open_sink(opening)`. An installed package adds one by an entry
point of the group `gantext.training.trackers`.
"""

import contextlib
import importlib.util
import io
import re
from collections.abc import Sequence
from pathlib import Path

from gantext.errors import UserError, nearest
from gantext.plugins.registry import Registry
from gantext.records.content import Damaged
from gantext.records.shape import shown
from gantext.runs.folder import INFO, RunDir
from gantext.training.trackers.contract import Opening, Sink

DECLARED = frozenset({"PACKAGE", "EXTRA", "open_sink"})
REGISTRY = Registry(__name__, Path(__file__).parent, DECLARED.issubset)
# An id of a run in a tracker. One in a run's folder may come from a stranger.
IDENTITY = re.compile(r"[A-Za-z0-9_.-]{1,128}")


def available() -> list[str]:
    """Names of the trackers, alphabetically."""
    return sorted([*REGISTRY.own, *REGISTRY.added])


def check(names: Sequence[str], key: str = "log.trackers") -> None:
    """Refuse a tracker that there is not, or whose package is not installed.

    Raises:
        UserError: naming the key, and what to install.
    """
    for name in names:
        if name not in REGISTRY:
            hint = nearest(name, available()) or f" (there are: {', '.join(available())})"
            raise UserError(f"{key}: no tracker '{name}'{hint}")
        module = REGISTRY.module(name)
        if importlib.util.find_spec(module.PACKAGE) is None:
            what = f"gantext[{module.EXTRA}]" if name in REGISTRY.own else module.EXTRA
            missing = f"{module.PACKAGE} is not installed: pip install '{what}'"
            raise UserError(f"{key}: {name}: {missing}")


def check_ids(run: RunDir) -> dict[str, str]:
    """The ids under which a run goes on in its trackers, by tracker. Raises Damaged for no id."""
    known = run.info.get("trackers", {})
    for name, identity in known.items():
        if not IDENTITY.fullmatch(identity):
            what = f'"trackers.{name}": found {shown(identity)}, expected an id of letters, digits'
            raise Damaged(run.path / INFO, f"{what}, ., - and _")
    return known


def open_sink(name: str, run: RunDir, total: int) -> Sink:
    """Open a run in a tracker, where it is known there already or anew; run.json keeps its id.

    Args:
        name: of the tracker.
        run: its folder.
        total: the steps that are done; -1 where it is told of from its beginning once more.

    Raises:
        Exception: whatever the tracker's package raises.
    """
    identity = check_ids(run).get(name)
    with silenced():
        sink: Sink = REGISTRY.module(name).open_sink(Opening(run, identity, total))
    if sink.id not in (None, identity):
        run.update(trackers={**run.info.get("trackers", {}), name: sink.id})
    return sink


def silenced() -> contextlib.AbstractContextManager[object]:
    """Keeps what packages print from stdout, where `--json` and tables go."""
    return contextlib.redirect_stdout(io.StringIO())
