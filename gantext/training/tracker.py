"""Metrics of a run: metrics.jsonl always, and the trackers that are asked for.

metrics.jsonl is the truth. A tracker that fails is warned of once and told no more, and changes
nothing in the run.
"""

import contextlib
import functools
from collections.abc import Callable, Mapping, Sequence
from types import TracebackType
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from gantext.config.words import command
from gantext.errors import UserError
from gantext.metrics.score import Score
from gantext.runs.folder import RunDir
from gantext.training.console import Reporter
from gantext.training.divergence import Diverged
from gantext.training.stop import Interrupted, Stopped
from gantext.training.trackers import open_sink, silenced
from gantext.training.trackers.contract import Sink
from gantext.training.trackers.retelling import tellings

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

ENDS: tuple[tuple[type[BaseException], str], ...] = (
    (Stopped, "stopped"),
    (Interrupted, "stopped"),
    (Diverged, "diverged"),
)


def to_floats(metrics: Mapping[str, Tensor | float]) -> dict[str, float]:
    """Bring a step's metrics to the CPU with one transfer."""
    tensors = {key: value for key, value in metrics.items() if isinstance(value, Tensor)}
    numbers = {key: float(value) for key, value in metrics.items() if not isinstance(value, Tensor)}
    if tensors:
        values = torch.stack([value.detach().float().reshape(()) for value in tensors.values()])
        numbers.update(zip(tensors, values.tolist(), strict=True))
    return {key: numbers[key] for key in metrics}


class Tracker:
    """Writes rows of metrics, and tells the trackers; closed at the end of a `with` block.

    Attributes:
        scores: the final ones, told at the end.
    """

    def __init__(self, run: RunDir, names: Sequence[str], total: int, reporter: Reporter) -> None:
        self.run, self.scores = run, tuple[Score, ...]()
        self._reporter = reporter
        self._sinks: dict[str, Sink] = {}
        self._failed: list[Sink] = []
        for name in names:
            self._attempt(name, functools.partial(self._open, name, total))

    def _open(self, name: str, total: int) -> None:
        self._sinks[name] = sink = open_sink(name, self.run, total)
        if sink.last < total:  # a kill took what it was told last, or it is new here
            for step, tell in tellings(self.run):
                if sink.last < step <= total:
                    tell(sink)
        if sink.place:
            self._reporter.say(f"{name}: {sink.place}", "dim")

    def __enter__(self) -> "Tracker":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        ends = (status for cause, status in ENDS if isinstance(error, cause))
        status = "finished" if error is None else next(ends, "failed")
        scores = {score.name: score.value for score in self.scores}
        try:
            self._tell(-1, lambda sink: sink.close(status, scores))
            for sink in self._failed:
                with silenced(), contextlib.suppress(Exception, SystemExit):
                    sink.close(status, {})
        except Interrupted:  # an upload that takes too long; the run is at its end
            self._reporter.note("the trackers were not waited for")

    def row(self, phase: str, step: int, total: int, metrics: Mapping[str, float]) -> None:
        """Store one report."""
        self.run.append_metrics({"phase": phase, "step": step, "total": total, **metrics})
        named = {f"{phase}/{key}": value for key, value in metrics.items()}
        self._tell(total, lambda sink: sink.row(named, total))

    def text(self, name: str, lines: Sequence[str], total: int) -> None:
        """Store a few sentences."""
        self._tell(total, lambda sink: sink.text(name, lines, total))

    def picture(self, name: str, pixels: "NDArray[np.uint8]", total: int) -> None:
        """Store a picture, RGB (height, width, 3)."""
        self._tell(total, lambda sink: sink.picture(name, pixels, total))

    def _tell(self, total: int, tell: Callable[[Sink], None]) -> None:
        """Call each tracker that has not heard of the step yet; -1: each one."""
        for name, sink in list(self._sinks.items()):
            if total < 0 or total > sink.last:
                self._attempt(name, functools.partial(tell, sink))

    def _attempt(self, name: str, deed: Callable[[], None]) -> None:
        try:
            with silenced():
                deed()
        except UserError:  # of the run's own folder, such as a link in it
            raise
        except (Exception, SystemExit) as error:
            self._failed += [self._sinks.pop(name)] if name in self._sinks else []
            why = f"{type(error).__name__}: {error}".strip().splitlines()[0]
            again = command("runs", "replay-to", name, self.run.path)
            self._reporter.warn(
                f"{name} is told no more ({why}); metrics.jsonl has it all, and: {again}"
            )
