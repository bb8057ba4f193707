"""A run shared: its export with a model card, in a folder that is there whole or not at all."""

from pathlib import Path

from gantext.report.card import card
from gantext.runs.export import check_place, export, placed
from gantext.runs.folder import RunDir


def share(run: RunDir, phase: str | None, folder: Path, force: bool = False) -> RunDir:
    """Export a run, as it is or was at the end of a phase, to a folder; the run that it is there.

    Raises:
        UserError: no whole checkpoint; the folder holds something that `force` does not replace.
    """
    check_place(folder, force)
    found = run.checkpoint(phase, moments=False)
    text = card(run, found, phase)
    with placed(folder, force) as new:
        export(run, found, phase, text, new)
    return RunDir(folder)
