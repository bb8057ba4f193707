"""SweepDir: the folder of a sweep, and the only module that names its own files.

sweep.json   what was asked for              scores.csv   all scores of all jobs
.lock        held while jobs are run         scores.png   a score over what is swept
slurm.sh     what SLURM is given             0, 1, ...    the jobs (runs/sweep_job.py)

The plan is written before the first job begins, sweep.json last.
"""

import contextlib
import os
import re
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from gantext.config.words import command
from gantext.errors import UserError, nearest
from gantext.files import Held, check_at, folder_inside, hold, is_held, names_inside
from gantext.records.json_file import JsonFile
from gantext.records.shape import Whole
from gantext.runs import migrations
from gantext.runs.enclosed import Enclosed
from gantext.runs.folder import CONFIG, LOCK
from gantext.runs.sweep_job import SweepJob, Written, written

PLAN, TABLE, FIGURE, SCRIPT = "sweep.json", "scores.csv", "scores.png", "slurm.sh"
HYDRAS = "multirun.yaml"  # which its own launchers write into a sweep
NUMBER = re.compile(r"[0-9]+")


class Plan(Written):
    """sweep.json: a sweep as it was asked for.

    Attributes:
        created: when.
        command: by which command line.
        words: all overrides, several values of one key among them.
        config_dir: the user's own configs.
        jobs: how many; None where a sweeper makes them up as it goes.
    """

    created: str
    command: str
    words: list[str]
    config_dir: str | None
    jobs: Whole | None


_PLAN = JsonFile(Plan)


@dataclass(frozen=True)
class SweepDir:
    """The folder of a sweep.

    It may come from a stranger: nothing in it is reached through a symbolic link.
    """

    path: Path

    @property
    def files(self) -> Enclosed:
        """The files of its folder."""
        return Enclosed(self.path)

    @property
    def table(self) -> Path:
        """Where all scores of all jobs stand."""
        return self.path / TABLE

    @property
    def figure(self) -> Path:
        """Where a score is drawn over what is swept."""
        return self.path / FIGURE

    @property
    def script(self) -> Path:
        """What SLURM is given."""
        return self.path / SCRIPT

    @property
    def command(self) -> str:
        """The command that goes on with it, wherever it is given."""
        return command("train", "--resume", os.path.abspath(self.path))

    @property
    def plan(self) -> Plan | None:
        """What sweep.json says; None of a sweep from before there were plans.

        Raises:
            UserError: it cannot be read, or is of a newer format.
        """
        plan = self.files.json(self.path / PLAN, _PLAN)
        if plan is not None:
            migrations.format_of(self.path.name, {**plan})
        return plan

    def save_plan(
        self, line: str, words: Sequence[str], config_dir: str | None, jobs: int | None
    ) -> None:
        """Write what was asked for, when all jobs are planned. Raises OSError."""
        now = time.strftime("%Y-%m-%d %H:%M:%S")
        plan = Plan(
            **written(),
            created=now,
            command=line,
            words=[*words],
            config_dir=config_dir,
            jobs=jobs,
        )
        self.files.write_json(self.path / PLAN, plan)

    def job(self, name: str) -> SweepJob:
        """The job of this name, which there may not be yet."""
        return SweepJob(self.path / name)

    def jobs(self) -> list[SweepJob]:
        """The jobs by their numbers, those without a run too.

        Raises:
            UserError: one is a symbolic link, or has one in the place of its plan.
        """
        inside = names_inside(self.path, self.path)
        names = [name for name in inside if name[0] != "." and self.job(name).is_there]
        with folder_inside(self.path, self.path) as place:
            for name in names:
                check_at(place, self.path / name)
        return [SweepJob(self.path / name) for name in sorted(names, key=_numbered)]

    @property
    def is_held(self) -> bool:
        """Whether a process runs its jobs now."""
        return is_held(self.path / LOCK)

    @contextlib.contextmanager
    def lock(self) -> Iterator[None]:
        """Hold the sweep while its jobs are run. Raises UserError where another process does."""
        try:
            with hold(self.path / LOCK):
                yield
        except Held as error:
            raise UserError(f"the sweep {self.path} is run by process {error.holder}") from error

    def remove_if_unbegun(self) -> bool:
        """Remove the plan where no job is a run or has failed; whether that was so."""
        jobs = self.jobs()
        if any(job.has_begun for job in jobs):
            return False
        for job in jobs:
            job.unplan()
        for name in (PLAN, LOCK, HYDRAS, SCRIPT):
            self.files.remove(self.path / name)
        with contextlib.suppress(OSError):  # something else is in it
            self.path.rmdir()
        return True


def _numbered(name: str) -> tuple[int, str]:
    return (int(name) if NUMBER.fullmatch(name) else 10**9, name)


def is_planned(path: Path) -> bool:
    """Whether a folder is certainly a sweep's, and no folder of runs, some of which are numbers."""
    return (path / PLAN).is_file() and not (path / CONFIG).exists()


def is_sweep(path: Path) -> bool:
    """Whether a folder is a sweep's: it is planned, or from before and has numbered jobs."""
    if (path / CONFIG).exists() or not path.is_dir():
        return False
    if any((path / name).is_file() for name in (PLAN, HYDRAS)):
        return True
    numbered = (inner for inner in path.iterdir() if NUMBER.fullmatch(inner.name))
    return any(SweepJob(inner).is_there for inner in numbered)


def find_sweep(spec: str | None, runs_dir: Path) -> SweepDir:
    """Open a sweep by its path, by its name in `runs_dir`, or the newest one (None).

    Raises:
        UserError: there is none.
    """
    sweeps = [path for path in _folders_in(runs_dir) if is_sweep(path)]
    if spec is None:
        if not sweeps:
            raise UserError(f"there is no sweep in {runs_dir} yet: start one with gantext train -m")
        return SweepDir(max(sweeps, key=_changed))
    for path in (Path(spec), runs_dir / spec):
        if is_sweep(path):
            return SweepDir(path.resolve())
    names = [path.name for path in sweeps]
    hint = nearest(spec, names) or f" (there are: {', '.join(sorted(names)[-4:]) or 'none'})"
    raise UserError(f"no sweep at '{spec}'{hint}")


def _folders_in(folder: Path) -> list[Path]:
    return [path.resolve() for path in folder.iterdir()] if folder.is_dir() else []


def _changed(sweep: Path) -> float:
    """When a sweep was planned; when its folder was written to, where it has no plan."""
    plan = sweep / PLAN
    return (plan if plan.is_file() else sweep).stat().st_mtime


def job_at(path: Path) -> SweepJob:
    """The job whose folder this is. Raises UserError where it is none, or lies behind a link."""
    whole = Path(os.path.abspath(path))
    jobs = SweepDir(whole.parent).jobs() if whole.parent.is_dir() else []
    found = next((job for job in jobs if job.name == whole.name), None)
    if found is None:
        raise UserError(f"{path} is no job of a sweep")
    return found
