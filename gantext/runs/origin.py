"""Which model a number is of."""

from gantext.metrics.score import HASH_DIGITS, Setting
from gantext.runs.folder import RunDir


def origin_of(
    run: RunDir, model: str, step: int, phase: str | None, digest: str | None
) -> dict[str, Setting]:
    """Which model a number is of, for its signature; the weights by the first of their digest."""
    return {
        "run": run.path.name,
        "model": model,
        "step": step,
        "phase": phase,
        "weights": digest and digest[:HASH_DIGITS],
    }
