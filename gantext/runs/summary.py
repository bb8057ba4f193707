"""What a run came to: the scores of its phases, and its time; or why nobody can tell."""

from typing import TYPE_CHECKING

from gantext.errors import UserError
from gantext.records.content import Damaged
from gantext.runs.folder import RunDir
from gantext.runs.migrations import NewerFormat

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


def failure(run: RunDir) -> str | None:
    """What a run failed by, in one line; None where it did not."""
    if run.status != "failed":
        return None
    return (run.result or {}).get("error", "its log says why")


def not_adversarial(share: float | None) -> str | None:
    """What is said of a run of whose adversarial steps this share had a policy gradient.

    None where half of them had, or nothing is known of it: of what else it is trained by, such as
    likelihood, the phase then has the name alone.
    """
    if share is None or share >= 0.5:
        return None
    return f"not adversarial: {share:.0%} of its adversarial steps had a policy gradient"


def unreadable(error: UserError) -> str:
    """What stands in a table as the status of a run that cannot be read."""
    if isinstance(error, NewerFormat):
        return f"newer format {error.number}"
    return f"damaged: {error.short if isinstance(error, Damaged) else error}"


def clock(seconds: float) -> str:
    """Seconds as h:mm:ss."""
    whole = int(seconds)
    return f"{whole // 3600}:{whole // 60 % 60:02d}:{whole % 60:02d}"
