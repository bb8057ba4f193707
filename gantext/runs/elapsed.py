"""How long a run had been trained at each of its reports.

In a file of its own: `metrics.jsonl` is the same to the byte however often a run was interrupted.
"""

from gantext.records.rows import Row
from gantext.runs.folder import RunDir

FILE = "elapsed.jsonl"  # a line a report: its step of the run, and the seconds of training by then


def note_elapsed(run: RunDir, total: int, seconds: float) -> None:
    """Add a line. Raises UserError where the file is a link."""
    run.files.append(run.path / FILE, f'{{"total": {total}, "seconds": {seconds:.3f}}}')


def elapsed(run: RunDir) -> list[Row]:
    """The lines by their steps; a run that went on from an earlier step has forgotten the later.

    Raises UserError where the file is damaged.
    """
    kept: list[Row] = []
    for row in run.files.rows(run.path / FILE):
        if {"total", "seconds"} <= row.keys():
            while kept and kept[-1]["total"] >= row["total"]:
                kept.pop()
            kept.append(row)
    return kept
