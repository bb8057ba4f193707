"""A run whose numbers stop being finite: how that is seen, and how it is said."""

import dataclasses
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from gantext.config.settings import Settings


class Diverged(Exception):
    """A run's numbers stopped being finite, and its training with them.

    An Exception, other than `Stopped`, so that a sweep goes on with its other jobs.

    Attributes:
        run: its folder.
        phase: in which it was.
        step: of that phase, the first at which it was seen.
        what: the metric or the weights, and what became of them.
        checkpoint: the last good one; None where none was written before.
        likely: the setting that it most likely comes from, "key=value"; None where none stands out.
    """

    def __init__(
        self,
        run: Path,
        phase: str,
        step: int,
        what: str,
        checkpoint: Path | None,
        likely: str | None = None,
    ) -> None:
        left = "it has no checkpoint from before"
        if checkpoint is not None:  # as it is named also where the folder is moved to
            left = f"its last good checkpoint is {checkpoint.relative_to(run)}"
        by = f" (likely by {likely})" if likely else ""
        super().__init__(f"diverged at step {step:,} of {phase}: {what}{by}; {left}")
        self.run, self.phase, self.step, self.what = run, phase, step, what
        self.checkpoint, self.likely = checkpoint, likely


# By what a model's settings most often diverge, the likeliest first: the last word of the key, and
# whether a value is suspicious. Those of the papers that are trained here are far from it.
SUSPECTS: tuple[tuple[str, Callable[[float], bool]], ...] = (
    ("learning_rate", lambda rate: rate > 0.1),
    ("clip", lambda norm: norm == 0 or norm > 1e3),
    ("weight", lambda scale: scale > 1e3),
    ("gamma", lambda scale: scale > 1e3),
)


def likely_cause(settings: "Settings") -> str | None:
    """The setting of a model that is nearest to a divergence, "key=value": a rate, a clip, a scale.

    None where none is out of the ordinary.
    """
    values = dict(_numbers(dataclasses.asdict(settings.model), "model"))
    for word, suspicious in SUSPECTS:
        for key, value in values.items():
            if key.rpartition(".")[2].endswith(word) and suspicious(value):
                return f"{key}={value:g}"
    return None


def _numbers(values: Mapping[str, Any], name: str) -> Iterator[tuple[str, float]]:
    """All numbers of nested settings, by their dotted keys."""
    for key, value in values.items():
        if isinstance(value, Mapping):
            yield from _numbers(value, f"{name}.{key}")
        elif isinstance(value, int | float):
            yield f"{name}.{key}", value
