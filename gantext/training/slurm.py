"""The engine of a SLURM cluster: one array of sbatch, whose tasks are the jobs by their numbers.

Of a search they are workers, each `gantext tune` with the same words.

The array is a script in the sweep's folder, with all that sbatch has to know. It is submitted and
left alone: what becomes of the jobs is read from their folders, as of any sweep.
"""

import contextlib
import os
import re
import shlex
import shutil
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from gantext.errors import UserError
from gantext.runs.study import WORKER, StudyDir
from gantext.runs.sweep import SweepDir
from gantext.runs.sweep_job import SweepJob
from gantext.training import sweeps
from gantext.training.tether import COMMAND

SAVE_SECONDS = 90  # before the end of its time a job is told to save
# How often a job goes on by itself: saved by SIGTERM, it has come further each time; what the
# system kills, as when memory is short, is likely to be killed again.
SAVED_AGAIN, KILLED_AGAIN = 100, 3
NAME = re.compile(r"[a-z]+(-[a-z]+)*")  # of a long option
# Without spaces, quotes, backslashes and #, which end a value or begin a comment in a script.
VALUE = re.compile(r"[\w.,:;/@%+=*&|?!()\[\]~-]*", re.ASCII)
# What the script itself says, or what would have the command not return at once.
OURS = {
    "array": "the jobs of the plan (--jobs N: so many at a time)",
    "chdir": "the folder of the command",
    "cpus-per-task": "the threads of the plan (threads=N)",
    "error": "job.log of each job",
    "job-name": "the name of the sweep",
    "no-requeue": "a job that is interrupted goes on",
    "open-mode": "a log is added to",
    "output": "job.log of each job",
    "parsable": "it is read by this command",
    "requeue": "a job that is interrupted goes on",
    "signal": f"a job is saved {SAVE_SECONDS} seconds before its time ends",
    "test-only": "it submits nothing",
    "wait": "the command returns at once",
    "wrap": "gantext job",
}
# The shell stays, as it alone gets --signal's SIGTERM and asks for another turn. A task is named by
# ARRAY_TASK: its own number may be the array's, and would then mean all tasks. One that somebody
# has cancelled or requeued is not RUNNING any more when it has been saved.
BODY = """
trap 'kill -TERM "$!"' TERM
{command} &
job=$!
while :; do
    wait "$job"
    code=$?
    kill -0 "$job" 2>/dev/null || break  # else the signal ended the waiting, not the job
done
[ "$code" -gt 128 ] || exit "$code"
case $code in
    143) turns={saved} ;;
    *) turns={killed} ;;
esac
task=${{SLURM_ARRAY_JOB_ID}}_$SLURM_ARRAY_TASK_ID
if [ "${{SLURM_RESTART_COUNT:-0}}" -lt "$turns" ] &&
    scontrol --oneliner show job "$task" | grep -q JobState=RUNNING; then
    scontrol requeue "$task"
fi
exit "$code"
"""


@dataclass(frozen=True)
class Order:
    """What the user has SLURM asked for.

    Attributes:
        options: long options of sbatch with their values; "" of one that takes none.
        at_once: so many jobs at a time; None: as many as there is room for.
        force: as of `run_job`.
    """

    options: Mapping[str, str]
    at_once: int | None = None
    force: bool = False


def options_of(text: str) -> dict[str, str]:
    """The options of 'partition=gpu,time=2:00:00': a part without = belongs to the value before.

    Raises:
        UserError: one is no name of an option, or is the plan's; or a value could be more than one.
    """
    options: dict[str, str] = {}
    for part in text.split(",") if text else ():
        name, is_option, value = part.partition("=")
        if not is_option and options:
            options[list(options)[-1]] += f",{name}"
        elif not is_option or not NAME.fullmatch(name) or name in options:
            said = "KEY=VALUE,..., each KEY once, a long option of sbatch, e.g. partition=gpu"
            raise UserError(f"--slurm {text}: {said}")
        else:
            options[name] = value
    for name, value in options.items():
        if name in OURS:
            raise UserError(f"--slurm {name}={value}: left to gantext: {OURS[name]}")
        if not VALUE.fullmatch(value):
            raise UserError(f"--slurm {name}={value}: spaces, quotes, $ and # cannot be in a value")
    return options


def check_installed() -> None:
    """Refuse where there is no sbatch, before anything is planned. Raises UserError."""
    if shutil.which("sbatch") is None:
        raise UserError("--slurm: no sbatch here: give the command on a machine that submits jobs")


def submit(sweep: SweepDir, order: Order, is_new: bool = False) -> int | None:
    """Have SLURM run the jobs that have not ended, and return at once.

    Returns:
        The number of the array; None where all jobs have ended, and nothing is submitted.

    Raises:
        UserError: SLURM has jobs of the sweep already, or refuses these; a new plan is removed.
    """
    numbers: list[int] = []

    def engine(whole: SweepDir, jobs: Sequence[SweepJob]) -> None:
        check_unsubmitted(whole)
        if jobs:
            whole.files.write(whole.script, script(whole, jobs, order).encode())
            numbers.append(_submitted(whole.script))

    try:
        sweeps.run(sweep, engine, is_new)
    except UserError:
        if is_new:
            sweep.remove_if_unbegun()
        raise
    return numbers[0] if numbers else None


def submit_workers(study: StudyDir, words: Sequence[str], threads: int, order: Order) -> int:
    """Have SLURM run workers of a search, `order.at_once` of them, and return at once.

    Args:
        study: the folder of the search.
        words: what each gives gantext.
        threads: that each computes with.
        order: what SLURM is asked for.

    Returns:
        The number of the array.

    Raises:
        UserError: SLURM has workers of the search already, or refuses these.
    """
    check_unsubmitted(study)
    study.files.write(study.script, workers_script(study, words, threads, order).encode())
    return _submitted(study.script)


def check_unsubmitted(sweep: SweepDir) -> None:
    """Refuse a sweep whose jobs SLURM has: they would wait for themselves. Raises UserError."""
    said = _asked(["squeue", "--me", "--noheader", "--format=%F %o"])
    for line in said.stdout.splitlines():
        number, _, command = line.partition(" ")
        if os.path.realpath(command.strip()) == os.path.realpath(sweep.script):
            raise UserError(f"SLURM has jobs of {sweep.path} in array {number}: scancel {number}")


def _submitted(path: Path) -> int:
    """The number of the array that a script became. Raises UserError where it became none."""
    said = _asked(["sbatch", "--parsable", str(path)])
    number = re.match(r"\d+", said.stdout)
    if said.returncode or number is None:
        lines = (said.stderr + said.stdout).split("\n")
        reasons = [line.removeprefix("sbatch: ").removeprefix("error: ") for line in lines if line]
        raise UserError(f"sbatch refuses the sweep: {'; '.join(reasons) or 'it says nothing'}")
    return int(number[0])


def _asked(words: list[str]) -> "subprocess.CompletedProcess[str]":
    """What a command of SLURM's says. Raises UserError where it is not there."""
    try:
        return subprocess.run(
            words, capture_output=True, text=True, errors="replace", stdin=subprocess.DEVNULL
        )
    except OSError as error:
        raise UserError(f"--slurm: cannot run {words[0]}: {error.strerror}") from error


def script(sweep: SweepDir, jobs: Sequence[SweepJob], order: Order) -> str:
    """The script of an array of these jobs, in sh.

    Raises:
        UserError: the folder has a name that cannot stand in one, or a job has no number.
    """
    limit = "" if order.at_once is None else f"%{order.at_once}"
    tasks = ranges(numbers_of(jobs)) + limit
    words = [*COMMAND, "job", *(["--force"] if order.force else [])]
    command = f'{shlex.join(words)} {shlex.quote(str(sweep.path))}/"$SLURM_ARRAY_TASK_ID"'
    return _script(sweep, tasks, "%a/job.log", max(map(_threads, jobs)), command, order)


def workers_script(study: StudyDir, words: Sequence[str], threads: int, order: Order) -> str:
    """The script of an array of workers of a search, in sh; arguments as of `submit_workers`.

    Raises:
        UserError: the folder has a name that cannot stand in one.
    """
    tasks = ranges(range(order.at_once or 1))
    command = shlex.join([*COMMAND, *words])
    return _script(study, tasks, f"{WORKER}%a.log", threads, command, order)


def _script(sweep: SweepDir, tasks: str, log: str, threads: int, command: str, order: Order) -> str:
    """A script in sh: what sbatch has to know, then what each task does."""
    options = {
        "job-name": f"gantext-{sweep.path.name}",
        "array": tasks,
        "output": str(sweep.path).replace("%", "%%") + f"/{log}",
        "cpus-per-task": str(threads),
        "open-mode": "append",
        "requeue": "",
        "signal": f"B:TERM@{SAVE_SECONDS}",
        **order.options,
    }
    body = BODY.format(command=command, saved=SAVED_AGAIN, killed=KILLED_AGAIN)
    return "".join(["#!/bin/sh\n", *map(_line, options, options.values()), body])


def _line(name: str, value: str) -> str:
    """A line of sbatch's in a script: it may be quoted there, but not be two lines."""
    if not value.isprintable():
        raise UserError(f"--slurm: {value!r} cannot stand in a script of sbatch's")
    escaped = re.sub(r'[\\"]', r"\\\g<0>", value)
    return f"#SBATCH --{name}" + (f'="{escaped}"\n' if value else "\n")


def _threads(job: SweepJob) -> int:
    """The threads that a job computes with; 1 where it cannot be read, which its task then says."""
    with contextlib.suppress(UserError):
        if job.run.config.exists():
            return job.run.info.get("threads", 0) or job.run.settings.threads or 1
        return job.settings.threads or 1
    return 1


def numbers_of(jobs: Sequence[SweepJob]) -> list[int]:
    """The numbers of jobs. Raises UserError for one of another name, which no array can have."""
    for job in jobs:
        if not (job.name.isdecimal() and str(int(job.name)) == job.name):
            raise UserError(f"--slurm: {job.folder} is no number, as jobs of an array are")
    return [int(job.name) for job in jobs]


def ranges(numbers: Sequence[int]) -> str:
    """Ascending numbers as sbatch reads them: '0-2,5'."""
    return ",".join(f"{a}-{b}" if a < b else f"{a}" for a, b in _stretches(numbers))


def _stretches(numbers: Sequence[int]) -> Iterator[tuple[int, int]]:
    """The first and the last of each stretch without a gap."""
    first = numbers[0]
    for number, following in pairwise(numbers):
        if following > number + 1:
            yield first, number
            first = following
    yield first, numbers[-1]
