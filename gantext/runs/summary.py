"""What a run came to: the scores of its phases, and its time."""

from typing import TYPE_CHECKING

from gantext.runs.folder import RunDir

if TYPE_CHECKING:
    from gantext.metrics.score import Score


def phase_scores(run: RunDir) -> "dict[str, list[Score]]":
    """The stored scores at the end of each phase."""
    from gantext.metrics.score import Score

    found = {phase: run.scores(f"phase-{phase}") for phase in run.phase_ends()}
    return {
        phase: [Score.from_json(record) for record in document["scores"]]
        for phase, document in found.items()
        if document is not None and document["scores"]
    }


def clock(seconds: float) -> str:
    """Seconds as h:mm:ss."""
    whole = int(seconds)
    return f"{whole // 3600}:{whole // 60 % 60:02d}:{whole % 60:02d}"
