"""The engine of a Ray cluster: each job a task, wherever there are as many cores as it has threads.

A task runs `gantext job SWEEP/N` in a process of its own, as the pool of one machine does, and Ray
begins it again elsewhere when its node is lost. All nodes see the sweep's folder under one path.
"""

import contextlib
import os
import re
import signal
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from rich.console import Console

from gantext.config.settings import Device
from gantext.errors import UserError
from gantext.runs import listing
from gantext.runs.sweep import SweepDir
from gantext.runs.sweep_job import SweepJob
from gantext.training.board import Board
from gantext.training.pool import RETRIES, started
from gantext.training.stop import NUMBERS, Interrupted, Mode, Stopped, stop_request
from gantext.training.sweeps import Engine

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
        code = _ended(started(job, force))
        if code >= 0:
            break
    return code


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
    options = {"max_retries": -1, "max_calls": 1}
    room = [node["Resources"] for node in ray.nodes() if node["Alive"]]
    tasks = {}
    for job in jobs:
        task = ray.remote(**options, **_share(job, room))(run_task)
        tasks[task.remote(str(job.folder), force)] = job
    with stop_request() as stop:
        try:
            with stop.doing(Mode.wait):
                while tasks and stop.number is None:
                    _look(ray, tasks, board, mark)
                if stop.number is not None:
                    board.say(None, f"{signal.Signals(stop.number).name}: the jobs are saved")
                    for task in tasks:
                        ray.cancel(task, force=False)
                    while tasks:
                        _look(ray, tasks, board, None)
                    for job in jobs:
                        job.wait_while_held()
                    stop.settled = True
                    raise Stopped(stop.number, "")
        except Interrupted as error:  # the third Ctrl-C
            stop.settled = True
            raise Stopped(error.number, "", saved=False) from error


def _share(job: SweepJob, room: Sequence[dict[str, float]]) -> dict[str, float]:
    """The cores and GPUs that a job has of a node: as many cores as threads, where one has them."""
    settings = job.settings if job.planned is not None else job.run.settings
    most = max((node.get("CPU", 0.0) for node in room), default=1.0)
    has_gpus = any(node.get("GPU", 0) for node in room)
    wants_gpu = settings.device is Device.cuda or (settings.device is Device.auto and has_gpus)
    return {"num_cpus": min(max(settings.threads, 1), most), "num_gpus": int(wants_gpu)}


def _look(ray: Any, tasks: dict[Any, SweepJob], board: Board, mark: Path | None) -> None:
    """See which tasks have ended, and show how far the others are."""
    ended, _ = ray.wait(list(tasks), num_returns=1, timeout=LOOK_SECONDS)
    for task in ended:
        job = tasks.pop(task)
        code = _code(ray, task)
        board.refresh(job)
        if code is not None or job.has_begun:
            board.say_end(job, 128 + signal.SIGTERM if code is None else code)
    began = board.update([*tasks.values()])
    if mark is not None:
        for job in began:
            listing.mark_latest(job.run, mark)


def _code(ray: Any, task: Any) -> int | None:
    """The exit code of a job's process; None where its task was cancelled."""
    try:
        return int(ray.get(task))
    except ray.exceptions.TaskCancelledError:
        return None
