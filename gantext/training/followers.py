"""What all but the first process of a run do: its steps, and nothing that is seen."""

import contextlib
from pathlib import Path

from gantext.config.settings import Memory, Settings
from gantext.nn import ranks
from gantext.nn.memory import keep_blocks
from gantext.records.json_file import fitting
from gantext.runs.checkpoint import State
from gantext.runs.folder import RunDir
from gantext.training.console import console_of
from gantext.training.preparation import prepare, settled, take_pretrained
from gantext.training.processes import resume_command
from gantext.training.stepper import Stepper
from gantext.training.stop import Mode, Stopped, StopRequest, stop_request
from gantext.training.threads import UNKNOWN, threads_of


def begin(settings: Settings) -> RunDir:
    """Follow the first process through a new run, whose folder it makes.

    Raises:
        Stopped: one of the processes was asked to stop.
        ranks.Lost: another has ended, such as the first one by an error.
    """
    run = RunDir(Path(ranks.told("")))
    wanted = settled(settings)  # before the first makes a run, which would be the latest
    _follow(wanted, run, settings.threads)
    return run


def go_on(run: RunDir, threads: int | None) -> None:
    """Follow the first process through a run that goes on, as `jobs.resume` does it."""
    if run.info.get("status") != "finished":
        before = run.info.get("threads", UNKNOWN) or run.settings.threads
        _follow(run.settings, run, threads or before, resumes=True)


def _follow(settings: Settings, run: RunDir, threads: int, resumes: bool = False) -> None:
    """Prepare once the first has, which then has fetched what there is to fetch, and train."""
    with stop_request() as stop, threads_of(threads):
        ranks.meet()
        job = prepare(settings, console_of(progress=False))
        if settings.memory is Memory.keep:
            keep_blocks()
        stepper = Stepper(job)
        state = run.load_checkpoint()[0] if resumes else None
        if state is None:
            take_pretrained(job)
        else:
            stepper.load_state(fitting(run.checkpoints, State, state), run.checkpoints)
        with stop.doing(Mode.wait):
            _train(stepper, run, stop)


def _train(stepper: Stepper, run: RunDir, stop: StopRequest) -> None:
    """Step as long as the first process does."""
    while True:
        asked = stepper.agree(stop.number)
        if asked is not None:
            stop.settled = True
            # Until the first has saved and gone: torchrun kills it soon after another has ended.
            with contextlib.suppress(ranks.Lost):
                ranks.meet()
            raise Stopped(asked, resume_command(run.path))
        if stepper.phase == len(stepper.phases):
            return
        stepper.take()
