"""The engine of a Ray cluster: each job a task, wherever there are as many cores as it has threads.

A task runs `gantext job SWEEP/N` in a process of its own, and Ray begins it again elsewhere when
its node is lost. Of a search a task is a worker, which is `gantext tune` with the same words. All
nodes see the sweep's folder under one path.
"""

import contextlib
import os
import re
import signal
import subprocess
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from rich.console import Console

from gantext.config.settings import Device
from gantext.errors import UserError
from gantext.runs import listing
from gantext.runs.study import StudyDir
from gantext.runs.sweep import SweepDir
from gantext.runs.sweep_job import SweepJob
from gantext.training.board import Board
from gantext.training.pool import RETRIES, words_of
from gantext.training.stop import NUMBERS, Interrupted, Mode, Stopped, stop_request
from gantext.training.sweeps import Engine
from gantext.training.tether import tethered
from gantext.training.trials import Opened

LOOK_SECONDS = 0.5  # between two looks at the tasks
ADDRESS = re.compile(r"auto|(ray://)?[\w.-]+:[0-9]{1,5}", re.ASCII)
# Nothing is sent to Ray's makers; a job that asks for no GPU sees none.
QUIET = {"RAY_USAGE_STATS_ENABLED": "0", "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "1"}


def package() -> Any:
    """Ray. Raises UserError where it is not installed."""
    for name, value in QUIET.items():
        os.environ.setdefault(name, value)
    try:
        import ray
    except ImportError as error:
        raise UserError("--ray needs Ray: pip install 'gantext[ray]'") from error
    return ray


def check_address(address: str) -> None:
    """Refuse what names no cluster: '' is one of this machine. Raises UserError."""
    if address and not ADDRESS.fullmatch(address):
        raise UserError(
            f"--ray {address}: HOST:PORT of a cluster, auto, or nothing for this machine"
        )


def run_task(folder: str, force: bool) -> int:
    """What a task does, on whatever node: a job to its end; its exit code.

    Ray cancels it by KeyboardInterrupt: the job is saved.
    """
    job, code = SweepJob(Path(folder)), -1
    for _ in range(RETRIES + 1):
        code = _ended(tethered(words_of(job, force), job.log))
        if code >= 0:
            break
    return code


def run_worker(words: Sequence[str], folder: str, number: int, place: str) -> int:
    """What a task does of a search: a worker to its end; its exit code."""
    study = StudyDir(Path(folder))
    return _ended(tethered([*words, "--tethered"], study.log(number), place))


def _ended(child: "subprocess.Popen[bytes]") -> int:
    try:
        return child.wait()
    except KeyboardInterrupt:
        child.send_signal(signal.SIGTERM)
        return child.wait()


def cluster(
    address: str, console: Console, force: bool = False, mark: Path | None = None
) -> Engine:
    """The engine that runs each job as a task of Ray; all jobs are shown on the console.

    Args:
        address: of a cluster; "" for one of this machine, which ends with the sweep.
        console: where the jobs are shown.
        force: as of `run_job`.
        mark: where the latest run is marked; None: nowhere.
    """

    def run(sweep: SweepDir, jobs: Sequence[SweepJob]) -> None:
        if jobs:
            with _connected(address) as ray, Board(console, sweep.jobs()) as board:
                _run(ray, jobs, board, force, mark)

    return run


@contextlib.contextmanager
def _connected(address: str) -> Iterator[Any]:
    """Ray, connected to a cluster. Raises UserError where there is none at the address."""
    ray = package()
    own = {number: signal.getsignal(number) for number in NUMBERS}
    quiet = {"log_to_driver": False, "logging_level": "ERROR"}
    place = {"address": address} if address else {"address": "local", "include_dashboard": False}
    try:
        ray.init(**place, **quiet)
    except (ConnectionError, RuntimeError, ValueError, TimeoutError, OSError) as error:
        lines = str(error).strip().splitlines() or [type(error).__name__]
        raise UserError(f"--ray {address}: {lines[0]}") from error
    for number, handler in own.items():  # Ray has put its own in their place
        signal.signal(number, handler)
    try:
        yield ray
    finally:
        ray.shutdown()


def _run(ray: Any, jobs: Sequence[SweepJob], board: Board, force: bool, mark: Path | None) -> None:
    """Run all jobs to their ends. Raises Stopped on a signal, once all are saved."""
    tasks: dict[Any, SweepJob | None] = {}
    for job in jobs:
        settings = job.settings if job.planned is not None else job.run.settings
        task = _task(ray, run_task, settings.threads, settings.device)
        tasks[task.remote(str(job.folder), force)] = job

    def look() -> None:
        began = _look(ray, tasks, board, [job for job in tasks.values() if job is not None])
        if mark is not None:
            for job in began:
                listing.mark_latest(job.run, mark)

    _to_their_ends(ray, tasks, board, look, jobs)


def work(
    opened: Opened, words: Sequence[str], count: int | None, address: str, console: Console
) -> None:
    """Run workers of a search as tasks of Ray until all trials have ended; all are shown.

    Args:
        opened: the search.
        words: what each worker gives gantext.
        count: how many there are; None: as many as there is room for.
        address: as of `cluster`.
        console: where the trials are shown.

    Raises:
        Stopped: on a signal, once all trials are saved.
        UserError: there is no cluster at the address.
    """
    study = opened.folder
    with _connected(address) as ray, Board(console, study.jobs()) as board:
        task = _task(ray, run_worker, opened.threads, opened.device)
        workers = min(count or _room(ray, opened.threads), opened.search.trials)
        tasks: dict[Any, SweepJob | None] = {
            task.remote([*words], str(study.path), number, os.getcwd()): None
            for number in range(workers)
        }

        def look() -> None:
            jobs = study.jobs()
            if new := [job for job in jobs if job.name not in board.states]:
                board.add(new)
            _look(ray, tasks, board, jobs)

        _to_their_ends(ray, tasks, board, look, ())


def _to_their_ends(
    ray: Any,
    tasks: Mapping[Any, SweepJob | None],
    board: Board,
    look: Callable[[], None],
    jobs: Sequence[SweepJob],
) -> None:
    """Look at tasks until all have ended. Raises Stopped on a signal, once all jobs are saved."""
    with stop_request() as stop:
        try:
            with stop.doing(Mode.wait):
                while tasks and stop.number is None:
                    look()
                if stop.number is not None:
                    board.say(None, f"{signal.Signals(stop.number).name}: the jobs are saved")
                    for task in tasks:
                        ray.cancel(task, force=False)
                    while tasks:
                        look()
                    for job in jobs:
                        job.wait_while_held()
                    stop.settled = True
                    raise Stopped(stop.number, "")
        except Interrupted as error:  # the third Ctrl-C
            stop.settled = True
            raise Stopped(error.number, "", saved=False) from error


def _nodes(ray: Any) -> list[dict[str, float]]:
    """What each node has."""
    return [node["Resources"] for node in ray.nodes() if node["Alive"]]


def _task(ray: Any, function: Callable[..., int], threads: int, device: Device) -> Any:
    """A function as a task that has as many cores as threads, where a node has them, and a GPU."""
    nodes = _nodes(ray)
    most = max((node.get("CPU", 0.0) for node in nodes), default=1.0)
    has_gpus = any(node.get("GPU", 0) for node in nodes)
    wants_gpu = device is Device.cuda or (device is Device.auto and has_gpus)
    share = {"num_cpus": min(max(threads, 1), most), "num_gpus": int(wants_gpu)}
    return ray.remote(max_retries=-1, max_calls=1, **share)(function)


def _room(ray: Any, threads: int) -> int:
    """How many tasks of so many threads all nodes have cores for."""
    return max(sum(int(node.get("CPU", 0.0) // max(threads, 1)) for node in _nodes(ray)), 1)


def _look(
    ray: Any, tasks: dict[Any, SweepJob | None], board: Board, shown: Sequence[SweepJob]
) -> list[SweepJob]:
    """See which tasks have ended, and show how far jobs are; those that have just become runs."""
    ended, _ = ray.wait(list(tasks), num_returns=1, timeout=LOOK_SECONDS)
    for task in ended:
        job, code = tasks.pop(task), _code(ray, task)
        if job is not None:
            board.refresh(job)
            if code is not None or job.has_begun:
                board.say_end(job, 128 + signal.SIGTERM if code is None else code)
        elif code:
            board.say(None, f"a worker ended with {code}")
    return board.update(shown)


def _code(ray: Any, task: Any) -> int | None:
    """The exit code of a job's process; None where its task was cancelled."""
    try:
        return int(ray.get(task))
    except ray.exceptions.TaskCancelledError:
        return None
