"""Weights & Biases: on its server, or offline where WANDB_MODE says so.

Which server, account and project is the environment's matter (WANDB_BASE_URL, WANDB_API_KEY,
WANDB_PROJECT): a run's folder names none, and keeps no key.
"""

import importlib
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from gantext.training.trackers.contract import PROJECT, Opening
from gantext.training.trackers.wandb_api import Logged

PACKAGE = "wandb"
EXTRA = "wandb"
MARK = "gantext_run"  # in the config of a run there: which of ours it is


def open_sink(opening: Opening) -> "Wandb":
    """Go on with the run of the id where it is this one's, or begin one.

    Raises:
        RuntimeError: nobody has logged in, which would be asked for amid a training otherwise.
    """
    os.environ.setdefault("WANDB_ERROR_REPORTING", "false")  # what fails here is told to us alone
    wandb = importlib.import_module(PACKAGE)
    if wandb.setup().settings.mode == "online" and not wandb.login(prompt=False, verify=False):
        raise RuntimeError("no API key: `wandb login` keeps one, WANDB_MODE=offline needs none")
    run = _opened(wandb, opening, opening.id)
    # One of somebody else's folder may name another run of the user's.
    if run.resumed and run.config.get(MARK) != opening.mark:
        run.finish()
        run = _opened(wandb, opening, None)
    run.name = opening.name
    run.config.update({**opening.settings, MARK: opening.mark}, allow_val_change=True)
    return Wandb(wandb, run, opening.total)


def _opened(wandb: Any, opening: Opening, identity: str | None) -> Any:
    """The run of an id, with its config where the server has one; a new one without an id."""
    return wandb.init(
        project=os.environ.get("WANDB_PROJECT", PROJECT),
        id=identity,
        resume="allow",
        settings=wandb.Settings(
            silent=True, console="off", save_code=False, disable_git=True, disable_code=True
        ),
    )


class Wandb(Logged):
    """Tells a run of wandb; see `Sink`. Its steps cannot go back."""

    def __init__(self, package: Any, run: Any, total: int) -> None:
        super().__init__(package, run)
        self.id: str = run.id
        offline = run.settings.mode != "online"
        # Offline each process has files of its own: those of the one before have the steps before.
        self.last: int = total if offline else run.step - 1
        self.place: str = f"offline in {Path(run.dir).parent}" if offline else str(run.url)

    def close(self, status: str, scores: Mapping[str, float]) -> None:
        """See `Sink`."""
        final = {f"final/{name}": value for name, value in scores.items()}
        self._run.summary.update({**final, "status": status})
        self._run.finish(exit_code=0 if status in ("finished", "stopped") else 1)
