"""A sweep from its words to the end of its jobs: planned first, then run by an engine.

An engine is given the jobs that have not ended and sees to it that `sweep_jobs.run_job` is called
for each, here or elsewhere. What became of a job lies in its folder. A sweep that goes on is the
same plan again.
"""

import contextlib
import os
import shlex
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from gantext.errors import UserError
from gantext.files import attempt, free, made
from gantext.runs.sweep import SweepDir
from gantext.runs.sweep_job import SweepJob
from gantext.training.stop import Interrupted, Stopped

Engine = Callable[[SweepDir, Sequence[SweepJob]], None]


class Planned(NamedTuple):
    """A sweep whose jobs may begin.

    Attributes:
        sweep: its folder.
        runs_dir: where the latest run is marked.
        hydras: the engine of Hydra's that the words choose; None where they choose none.
    """

    sweep: SweepDir
    runs_dir: Path
    hydras: Engine | None = None


def planned(words: list[str], config_dir: Path | None = None, jobs_at_once: int = 1) -> Planned:
    """Write the plan of a new sweep: all jobs, composed and checked, before the first one begins.

    Args:
        words: overrides, with several values of some keys.
        config_dir: the user's own configs.
        jobs_at_once: what shares the cores: `threads=0` comes to so many parts of torch's choice.

    Raises:
        UserError: a job cannot begin; nothing is left behind.
    """
    from gantext.config.compose import compose_sweep, run_sweep, task_words
    from gantext.training.hydra_jobs import sweep_job
    from gantext.training.jobs import origin_of
    from gantext.training.preparation import check_samples
    from gantext.training.sweep_jobs import ready

    swept = compose_sweep(words, config_dir, check_samples)
    at_once = min(jobs_at_once, len(swept.jobs or ()) or 1)
    jobs = None if swept.jobs is None else [(w, ready(s, at_once)) for w, s in swept.jobs]
    sweep = SweepDir(made(free(swept.folder)))
    own_configs = origin_of(words, config_dir)["config_dir"]
    count = None if jobs is None else len(jobs)
    try:
        with attempt(f"write the plan of {sweep.path}"):
            for number, (own, settings) in enumerate(jobs or ()):
                sweep.job(str(number)).plan(task_words(own), own_configs, settings)
            sweep.save_plan(shlex.join(sys.argv[1:]), words, own_configs, count)
    except BaseException:
        sweep.remove_if_unbegun()
        raise
    if not swept.hydras_own:
        return Planned(sweep, swept.runs_dir)

    def hydras(whole: SweepDir, _: Sequence[SweepJob]) -> None:
        run_sweep(sweep_job, words, sweep.path, config_dir)
        for job in whole.jobs():  # for which a launcher may not wait
            job.wait_while_held()

    return Planned(sweep, swept.runs_dir, hydras)


def one_after_the_other(force: bool = False, mark: bool = False) -> Engine:
    """The engine that runs the jobs in this process; `force`, `mark`: as of `run_job`."""

    def run(sweep: SweepDir, jobs: Sequence[SweepJob]) -> None:
        from gantext.training.sweep_jobs import run_job

        for job in jobs:
            run_job(job, force=force, mark=mark)

    return run


def run(sweep: SweepDir, engine: Engine, is_new: bool = False) -> None:
    """Let an engine run all jobs that have not ended for good.

    Raises:
        Stopped: on a signal, once the jobs are saved.
        Interrupted: on a signal before any job of a new sweep was a run; nothing of it is left.
        UserError: another process runs the sweep.
    """
    # What a run says of its folder holds wherever it is read.
    sweep = SweepDir(Path(os.path.abspath(sweep.path)))
    with sweep.lock(), _stopped_as_a_whole(sweep, is_new):
        engine(sweep, [job for job in sweep.jobs() if job.can_go_on and not job.is_over])


@contextlib.contextmanager
def _stopped_as_a_whole(sweep: SweepDir, is_new: bool) -> Iterator[None]:
    """Where a job was stopped, the sweep is what goes on; of a new one without a run nothing is
    left. What stops a job that has not become a run yet has nothing to save.
    """
    try:
        yield
    except (Stopped, Interrupted) as error:
        saved = not isinstance(error, Stopped) or error.saved
        if is_new and sweep.remove_if_unbegun():
            raise Interrupted(error.number) from error
        raise Stopped(error.number, sweep.command, saved) from error


def resumable(sweep: SweepDir) -> list[str]:
    """What is to be said of a sweep before it goes on.

    Raises:
        UserError: its plan was not written to its end, or cannot be read; or a link is in it.
    """
    sweep.files.check()
    plan = sweep.plan
    jobs = sweep.jobs()
    if plan is None and any(job.planned is not None for job in jobs):
        raise UserError(f"{sweep.path}: the sweep was not planned to its end: start it anew")
    lost = [job.name for job in jobs if not job.can_go_on]
    notes = [f"job {name} left no run and no plan, so it cannot go on" for name in lost]
    if plan is None:
        notes.append("it is from before sweeps had plans: jobs that never began are not known")
    elif plan["jobs"] is None:
        notes.append("its sweeper made up its jobs as it went: only those that there are go on")
    return notes
