"""The loop over phases: steps, reports, samples, checkpoints, scores at the end of each phase."""

import contextlib
import time
from collections.abc import Iterator, Mapping
from typing import Any, NoReturn

from gantext.evaluation.at_real import at_real, order_of
from gantext.evaluation.table import remarks
from gantext.metrics.score import Score
from gantext.models.contract import Phase
from gantext.nn.optim import Metrics
from gantext.nn.text import held_out
from gantext.nn.text.sampling import LogitsNotFinite
from gantext.records.json_file import fitting
from gantext.runs import bad_step
from gantext.runs.bad_step import BadStep
from gantext.runs.checkpoint import NotFinite, State
from gantext.runs.elapsed import note_elapsed
from gantext.runs.folder import RunDir
from gantext.runs.stored_checkpoint import BEST
from gantext.training.console import Reporter
from gantext.training.curve import Curve
from gantext.training.divergence import Diverged, likely_cause
from gantext.training.early_end import correct_facts, end_early, hear, note_share
from gantext.training.finite import Broken, Lookout, has_to_wait
from gantext.training.improvement import VALIDATION, Improvement, scores_asked
from gantext.training.inspection import Inspector
from gantext.training.preparation import Job
from gantext.training.processes import resume_command
from gantext.training.stepper import Stepper, batch_of, parts_of
from gantext.training.stop import Interrupted, Mode, Stopped, StopRequest
from gantext.training.tracker import Tracker, to_floats
from gantext.training.watch import Watch


class Trainer:
    """One run's training. Everything that a resume needs is in `state`."""

    def __init__(self, job: Job, run: RunDir, inspector: Inspector, reporter: Reporter) -> None:
        self.job, self.settings, self.run = job, job.settings, run
        self.inspector, self.reporter = inspector, reporter
        self.stepper = Stepper(job)
        self.curve = Curve(job.settings, job.data, job.algorithm, job.device)
        self.lookout = Lookout(job.algorithm.networks())
        self.watch = Watch()
        self.improvement = Improvement(job.settings)
        self.seconds = 0.0
        self.digest: str | None = None  # of the weights that were saved last

    @property
    def step(self) -> int:
        """Steps of the phase that are done."""
        return self.stepper.step

    @property
    def total(self) -> int:
        """Steps of all phases that are done."""
        return self.stepper.total

    # State

    def state(self) -> dict[str, Any]:
        """All that the next step depends on, and the place in the run's files."""
        return {
            **self.stepper.state(),
            **self.improvement.state_dict(),
            "watch": self.watch.state_dict(),
            "seconds": self.seconds,
            "metrics_size": self.run.metrics_size(),
        }

    def load_state(self, state: dict[str, Any]) -> None:
        """Go on from a checkpoint: lines of metrics written after it are dropped.

        Raises:
            UserError: it is of another kind of device, or does not fit.
        """
        known = fitting(self.run.checkpoints, State, state)
        self.stepper.load_state(known, self.run.checkpoints)
        self.improvement.load_state_dict(known)
        self.watch.load_state_dict({**known["watch"]})
        self.seconds = known["seconds"]
        self.run.cut_metrics(known["metrics_size"])

    def save(self, stop: StopRequest, phase_end: str | None = None) -> None:
        """Write a checkpoint, which nothing cuts off.

        Raises Diverged instead of writing what is not finite.
        """
        self._look()
        keep = self.settings.checkpoint.keep
        try:
            with stop.doing(Mode.finish):
                self.digest = self.run.save_checkpoint(self.state(), self.total, phase_end, keep)
        except NotFinite as error:
            self._diverge(Broken(self.step, str(error)), error)

    # The loop

    def train(self, stop: StopRequest) -> list[Score]:
        """Run all phases; returns the last phase's scores.

        Raises:
            Stopped: on Ctrl-C, SIGTERM or SIGHUP, after the step is done and saved.
            Interrupted: on the third Ctrl-C, amid a step.
            Diverged: a metric of a step or a weight is not finite; no such state is saved.
        """
        names, total = self.settings.log.trackers, self.total
        scores = self._scores_so_far()
        correct_facts(self.run, self.stepper, self.improvement.best)
        with Tracker(self.run, names, total, self.reporter) as tracker:
            while self.stepper.phase < len(self.job.phases):
                phase = self.stepper.current
                if not self.stepper.is_at_end:
                    self._run_phase(phase, tracker, stop)
                # Also when a resumed run was already there: its phase's end may be damaged.
                self.save(stop, phase.name)
                self._stop_if_asked(stop)
                if phase.scored:
                    with self._cut_off_by(stop):
                        scores = self._score(phase)
                    self._keep_best(phase, {one.name: one.value for one in scores}, stop)
                self.stepper.end_phase()
            scores = [*scores, *self._score_of_the_whole(stop)]
            tracker.scores = tuple(scores)
            self.stepper.agree(None)
        return scores

    def _stop_if_asked(self, stop: StopRequest) -> None:
        if stop.number is not None:
            raise Stopped(stop.number, resume_command(self.run.path))

    def _stop_with_others(self, stop: StopRequest) -> None:
        """Stop where another process was asked to; what is done is saved by now."""
        asked = self.stepper.agree(None)
        if asked is not None:
            stop.hear(asked)
            self._stop_if_asked(stop)

    @contextlib.contextmanager
    def _cut_off_by(self, stop: StopRequest) -> Iterator[None]:
        """A signal need not wait for scores: what they are of is saved, and a resume has them."""
        with contextlib.suppress(Interrupted), stop.doing(Mode.interrupt):
            yield
        self._stop_if_asked(stop)

    def _score_of_the_whole(self, stop: StopRequest) -> list[Score]:
        """The objective, where it is of the whole curve of temperatures and none of a phase's."""
        order, found = order_of(self.settings.objective), list[Score]()
        if order is not None:
            said = f"{self.settings.objective}: scoring at all temperatures"
            with self.reporter.doing(said), self._cut_off_by(stop):
                found = at_real(self.run, self.settings, order, self.reporter.say)
        return found

    def _scores_so_far(self) -> list[Score]:
        """The scores of the last scored phase that a resumed run has behind it."""
        scored = [phase.name for phase in self.job.phases[: self.stepper.phase] if phase.scored]
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
        self._stop_with_others(stop)
        while not self.stepper.is_at_end:
            metrics = self._take_step()
            self.reporter.step(self.step)
            self.seconds = time.monotonic() - began
            hear(self.job.algorithm, self.stepper, self.run, self.reporter)
            reported = self._report_due(phase, metrics)
            # A GPU is waited for only where its numbers are read anyway.
            if reported or not has_to_wait(self.job.device) or self.lookout.is_full:
                self._look()
            if reported:
                values = self._report(phase, tracker, to_floats(metrics))
                self._judge(phase, values, stop)
            if self.stepper.is_at_end:
                break  # saved as the end of the phase
            stop.hear(self.stepper.agree(stop.number))
            if stop.number is not None or self._save_due(saved):
                self.save(stop)
                saved = time.monotonic()
            self._stop_if_asked(stop)
        self.reporter.end_phase()
        if phase.adversarial:
            for warning in note_share(self.job.algorithm, self.run, self.watch, self.total):
                self.reporter.warn(warning)
        self.run.update(rates=self.reporter.timetable.measured)

    def _take_step(self) -> Metrics:
        """One step of the phase, noted by the lookout; its metrics, on the device."""
        try:
            metrics = self.stepper.take()
        except Exception as error:
            # Networks that broke amid the step fail in many ways, such as sampling's.
            self.lookout.note(self.step, {})
            self._look(error)
            raise
        self.lookout.note(self.step, metrics)
        return metrics

    def _look(self, cause: Exception | None = None) -> None:
        """Raise Diverged where a step since the last look was not finite."""
        broken = self.lookout.broken()
        if broken is not None:
            self._diverge(broken, cause)

    @contextlib.contextmanager
    def _drawable(self) -> Iterator[None]:
        """Raise Diverged where the weights are finite and what they make of a word is not."""
        try:
            yield
        except LogitsNotFinite as error:
            self._diverge(Broken(self.step, str(error)), error)

    def _diverge(self, broken: Broken, cause: Exception | None) -> NoReturn:
        """Keep the batch of the step that broke, and raise Diverged."""
        self.stepper.back_to(broken.step)
        phase, last = self.stepper.current.name, self.run.last_checkpoint()
        likely = likely_cause(self.settings)
        error = Diverged(self.run.path, phase, broken.step, broken.what, last, likely)
        # What cannot be kept, as on a full disk, must not hide what happened.
        with contextlib.suppress(OSError):
            bad_step.save(self.run, self._bad_step(broken))
        raise error from cause

    def _bad_step(self, broken: Broken) -> BadStep:
        """The step that the stepper is at, and its batch, which a GPU is past already."""
        state, _ = self.run.load_checkpoint()
        batch = batch_of(self.job, state, self.total)
        name = self.stepper.current.name
        return BadStep(name, broken.step, self.total, broken.what, parts_of(batch))

    def _due(self, every: int, phase: Phase) -> bool:
        return bool(every) and (self.step % every == 0 or self.step == phase.steps)

    def _report_due(self, phase: Phase, metrics: Metrics) -> bool:
        every = self.settings.log.every_steps
        looked = every > 0 and held_out.LOSS in metrics
        computed = looked or self._score_due(phase) or self.curve.is_due(phase, self.step)
        return computed or self._due(every, phase)

    def _score_due(self, phase: Phase) -> bool:
        """Whether what the run is judged by is computed; at the phase's end all scores are."""
        every = self.settings.eval.every_steps
        due = phase.scored and every and self.step % every == 0 and self.step < phase.steps
        return bool(due and scores_asked(self.settings))

    def _save_due(self, saved: float) -> bool:
        due = self.settings.checkpoint
        by_time = due.every_seconds and time.monotonic() - saved >= due.every_seconds
        by_steps = due.every_steps and self.total % due.every_steps == 0
        return bool(by_time or by_steps)

    def _report(
        self, phase: Phase, tracker: Tracker, metrics: dict[str, float]
    ) -> dict[str, float]:
        """Look at samples and compute scores where that is due; what the run is judged by."""
        if self._due(self.settings.log.sample_every_steps, phase):
            name = f"{self.total:09d}-{phase.name}"
            with self._drawable():
                metrics.update(self.inspector.look(name, self.total, tracker, self.reporter))
        if self.curve.is_due(phase, self.step):
            with self._drawable():
                metrics.update(self.curve.point(self.total))
        judged = {name: metrics[name] for name in (VALIDATION,) if name in metrics}
        if self._score_due(phase):
            scores = self._measured(phase)
            judged |= scores
            metrics.update({f"score/{name}": value for name, value in scores.items()})
        tracker.row(phase.name, self.step, self.total, metrics)
        note_elapsed(self.run, self.total, self.seconds)
        self.reporter.report(metrics)
        for warning in self.watch.look(self.total, metrics):
            self.reporter.warn(warning)
        return judged

    def _measured(self, phase: Phase) -> dict[str, float]:
        """The scores that the run is judged by, of those that it has."""
        with self._drawable():
            found = {
                name: self.inspector.measure(name, phase.name, self.total)
                for name in scores_asked(self.settings)
            }
        return {name: value for name, value in found.items() if value is not None}

    def _judge(self, phase: Phase, values: Mapping[str, float], stop: StopRequest) -> None:
        """End the phase here, or keep the state as the best one, where these metrics say so."""
        end = self.improvement.ends(phase, self.step, values)
        if end is not None and self.step < phase.steps:
            end_early(end, self.stepper, self.run, self.reporter)
        self._keep_best(phase, values, stop)  # last: it saves all of this

    def _keep_best(self, phase: Phase, values: Mapping[str, float], stop: StopRequest) -> None:
        if self.improvement.is_best(phase, self.step, self.total, values):
            self.save(stop, BEST)
            self.run.update(best=self.improvement.best)

    def _score(self, phase: Phase) -> list[Score]:
        """The scores at the end of a phase, computed once."""
        stored = self.run.scores(f"phase-{phase.name}")
        if stored is not None and stored.get("total") == self.total:
            return [Score.from_json(record) for record in stored["scores"]]
        began = time.monotonic()
        with self.reporter.doing(f"{phase.name}: scoring {self.settings.eval.samples:,} samples"):
            scores = self.inspector.score(phase.name, self.total, self.digest)
        self.reporter.timetable.scoring = time.monotonic() - began
        for note in remarks({phase.name: scores}):
            self.reporter.note(note)
        records = [score.to_json() for score in scores]
        document = {"phase": phase.name, "total": self.total, "scores": records}
        self.run.save_scores(f"phase-{phase.name}", document)
        return scores
