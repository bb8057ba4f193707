"""trackio: a database in the user's cache folder, or a server that the environment names.

It names a run where others have an id, and finds it again by its name: so it gets one of its own.
"""

import importlib
import os
import re
import secrets
from collections.abc import Mapping
from typing import Any

from gantext.training.trackers.contract import PROJECT, Opening
from gantext.training.trackers.wandb_api import Logged

PACKAGE = "trackio"
EXTRA = "trackio"


def open_sink(opening: Opening) -> "Trackio":
    """Go on with the run of the id, or begin one."""
    trackio = importlib.import_module(PACKAGE)
    plain = re.sub(r"[^A-Za-z0-9_.-]", "-", opening.name)[:100]
    project = os.environ.get("TRACKIO_PROJECT", PROJECT)
    run = trackio.init(
        project=project,
        name=opening.id or f"{plain}-{secrets.token_hex(4)}",
        resume="allow",
        config=opening.settings,
        embed=False,
        auto_log_cpu=False,
        auto_log_gpu=False,
    )
    return Trackio(trackio, run, f"trackio show --project {project}")


class Trackio(Logged):
    """Tells a run of trackio; see `Sink`."""

    def __init__(self, package: Any, run: Any, place: str) -> None:
        super().__init__(package, run)
        self.place = place
        self.id: str = run.name
        # It has no public name for where it goes on; without one steps are told twice.
        self.last: int = getattr(run, "_next_step", 0) - 1
        self._total = self.last

    def row(self, metrics: Mapping[str, float], total: int) -> None:
        """See `Sink`."""
        self._total = total
        super().row(metrics, total)

    def close(self, status: str, scores: Mapping[str, float]) -> None:
        """See `Sink`; it has no place for a status but beside metrics."""
        if self._total > self.last:  # else it was all told before
            final = {f"final/{name}": value for name, value in scores.items()}
            self._run.log({**final, "status": status}, step=self._total)
        self._package.finish()  # the run's own leaves it for the end of the process as well
