"""The loop over phases: steps, reports, samples, checkpoints, scores at the end of each phase."""

import contextlib
import shlex
import time
from collections.abc import Iterator, Sequence
from typing import Any

import torch

from gantext.config.settings import Precision, Settings
from gantext.data.batches import Batches
from gantext.errors import UserError
from gantext.metrics.score import Score
from gantext.models.contract import Phase, Trainable
from gantext.nn.optim import Metrics
from gantext.nn.rng import generator
from gantext.runs.folder import RunDir
from gantext.training.console import Reporter
from gantext.training.divergence import Diverged, broken_metric, broken_weights
from gantext.training.inspection import Inspector
from gantext.training.preparation import Job
from gantext.training.stop import Interrupted, Mode, Stopped, StopRequest
from gantext.training.tracker import Tracker, to_floats
from gantext.training.watch import Watch


class Trainer:
    """One run's training. Everything that a resume needs is in `state`."""

    def __init__(self, job: Job, run: RunDir, inspector: Inspector, reporter: Reporter) -> None:
        self.settings, self.run, self.inspector = job.settings, run, inspector
        self.algorithm: Trainable = job.algorithm
        self.device: torch.device = job.device
        self.reporter = reporter
        self.phases = job.phases
        data_seed = generator(self.settings.seed, "data", torch.device("cpu")).initial_seed()
        self.batches: Batches[Any] = Batches(job.data.train, data_seed)
        self.noise = generator(self.settings.seed, "noise", self.device)
        self.watch = Watch()
        self.phase, self.step, self.total, self.seconds = 0, 0, 0, 0.0

    # State

    def state(self) -> dict[str, Any]:
        """All that the next step depends on, and the place in the run's files."""
        return {
            "algorithm": self.algorithm.state_dict(),
            "batches": self.batches.state_dict(),
            "noise": self.noise.get_state(),
            "watch": self.watch.state_dict(),
            "phase": self.phase,
            "step": self.step,
            "total": self.total,
            "seconds": self.seconds,
            "metrics_size": self.run.metrics_size(),
        }

    def load_state(self, state: dict[str, Any]) -> None:
        """Go on from a checkpoint: lines of metrics written after it are dropped."""
        if state["noise"].shape != self.noise.get_state().shape:
            kind = self.device.type
            raise UserError(f"the run began on another kind of device than {kind}: go on there")
        self.algorithm.load_state_dict(state["algorithm"])
        self.batches.load_state_dict(state["batches"])
        self.noise.set_state(state["noise"])
        self.watch.load_state_dict(state["watch"])
        self.phase, self.step, self.total = state["phase"], state["step"], state["total"]
        self.seconds = state["seconds"]
        self.run.cut_metrics(state["metrics_size"])

    def save(self, stop: StopRequest, phase_end: str | None = None) -> None:
        """Write a checkpoint, which nothing cuts off.

        Raises Diverged instead of writing weights that are not finite.
        """
        self._refuse(broken_weights(self.algorithm.networks()))
        keep = self.settings.checkpoint.keep
        with stop.doing(Mode.finish):
            self.run.save_checkpoint(self.state(), self.total, phase_end, keep)

    # The loop

    def train(self, stop: StopRequest) -> list[Score]:
        """Run all phases; returns the last phase's scores.

        Raises:
            Stopped: on Ctrl-C, SIGTERM or SIGHUP, after the step is done and saved.
            Interrupted: on the third Ctrl-C, amid a step.
            Diverged: a metric of a step or a weight is not finite; no such state is saved.
        """
        tracker = Tracker(self.run, self.settings.log.tensorboard, self.total)
        scores = self._scores_so_far()
        try:
            while self.phase < len(self.phases):
                phase = self.phases[self.phase]
                if self.step < phase.steps:
                    self._run_phase(phase, tracker, stop)
                # Also when a resumed run was already there: its phase's end may be damaged.
                self.save(stop, phase.name)
                self._stop_if_asked(stop)
                if phase.scored:
                    with self._cut_off_by(stop):
                        scores = self._score(phase)
                self.phase, self.step = self.phase + 1, 0
        finally:
            tracker.close()
        return scores

    def _stop_if_asked(self, stop: StopRequest) -> None:
        if stop.number is not None:
            command = f"gantext train --resume {shlex.quote(str(self.run.path))}"
            raise Stopped(stop.number, command)

    @contextlib.contextmanager
    def _cut_off_by(self, stop: StopRequest) -> Iterator[None]:
        """A signal need not wait for scores: what they are of is saved, and a resume has them."""
        with contextlib.suppress(Interrupted), stop.doing(Mode.interrupt):
            yield
        self._stop_if_asked(stop)

    def _scores_so_far(self) -> list[Score]:
        """The scores of the last scored phase that a resumed run has behind it."""
        scored = [phase.name for phase in self.phases[: self.phase] if phase.scored]
        stored = self.run.scores(f"phase-{scored[-1]}") if scored else None
        return [Score.from_json(record) for record in stored["scores"]] if stored else []

    def _run_phase(self, phase: Phase, tracker: Tracker, stop: StopRequest) -> None:
        self.reporter.phase(phase.name, self.step, phase.steps)
        if phase.warmup > phase.steps and self.step == 0:
            self.reporter.note(
                f"{phase.name} has {phase.steps:,} steps, fewer than the {phase.warmup:,} of its "
                "warm-up: in it the learning rate does not reach its peak"
            )
        self.run.update(status="running", phase=phase.name)
        began, saved = time.monotonic() - self.seconds, time.monotonic()
        while self.step < phase.steps:
            metrics = self._take_step(phase)
            self.seconds = time.monotonic() - began
            reported = self._due(self.settings.log.every_steps, phase)
            # Metrics of other steps stay on a GPU, which is not waited for.
            if reported or self.device.type == "cpu":
                numbers = to_floats(metrics)
                self._refuse(broken_metric(numbers))
            if reported:
                self._report(phase, tracker, numbers)
            if self.step == phase.steps:
                break  # saved as the end of the phase
            if stop.number is not None or self._save_due(saved):
                self.save(stop)
                saved = time.monotonic()
            self._stop_if_asked(stop)

    def _take_step(self, phase: Phase) -> Metrics:
        """One step of a phase; its metrics, on the device."""
        batch = self.batches.next(phase.rows).to(self.device)
        self.step, self.total = self.step + 1, self.total + 1
        try:
            with autocast(self.settings, self.device):
                return phase.step(batch, self.noise)
        except Exception as error:
            # Networks that broke amid the step fail in many ways, such as sampling's.
            self._refuse(broken_weights(self.algorithm.networks()), error)
            raise

    def _refuse(self, broken: str | None, cause: Exception | None = None) -> None:
        """Raise Diverged where something is not finite."""
        if broken is not None:
            phase, last = self.phases[self.phase].name, self.run.last_checkpoint()
            raise Diverged(self.run.path, phase, self.step, broken, last) from cause

    def _due(self, every: int, phase: Phase) -> bool:
        return bool(every) and (self.step % every == 0 or self.step == phase.steps)

    def _save_due(self, saved: float) -> bool:
        due = self.settings.checkpoint
        by_time = due.every_seconds and time.monotonic() - saved >= due.every_seconds
        by_steps = due.every_steps and self.total % due.every_steps == 0
        return bool(by_time or by_steps)

    def _report(self, phase: Phase, tracker: Tracker, metrics: dict[str, float]) -> None:
        if self._due(self.settings.log.sample_every_steps, phase):
            name = f"{self.total:09d}-{phase.name}"
            metrics.update(self.inspector.look(name, self.total, tracker, self.reporter))
        tracker.row(phase.name, self.step, self.total, metrics)
        self.reporter.step(self.step, metrics)
        for warning in self.watch.look(self.total, metrics):
            self.reporter.warn(warning)

    def _score(self, phase: Phase) -> list[Score]:
        """The scores at the end of a phase, computed once."""
        stored = self.run.scores(f"phase-{phase.name}")
        if stored is not None and stored["total"] == self.total:
            return [Score.from_json(record) for record in stored["scores"]]
        self.reporter.say(f"{phase.name}: scoring {self.settings.eval.samples:,} samples", "dim")
        scores = self.inspector.score(phase.name, self.total)
        document = {"phase": phase.name, "total": self.total, "scores": _records(scores)}
        self.run.save_scores(f"phase-{phase.name}", document)
        return scores


def _records(scores: Sequence[Score]) -> list[dict[str, object]]:
    return [score.to_json() for score in scores]


def autocast(settings: Settings, device: torch.device) -> contextlib.AbstractContextManager[object]:
    """bf16 forward passes when they are asked for.

    Without autocast's cache of cast weights: one step updates weights and uses them again, and
    would go on with the old ones.
    """
    if settings.precision is Precision.fp32:
        return contextlib.nullcontext()
    return torch.autocast(device.type, torch.bfloat16, cache_enabled=False)
