"""SweepJob: one job of a sweep, a folder in the sweep's; the only module that names its files.

job.json        its words                     job.yaml  its composed settings
progress.json   how far it is                 job.log   what a process of its own said

Its run comes to lie in the same folder (runs/folder.py). A job composes nothing: job.yaml has every
value, as a run's config.yaml has, and is held against the same types.
"""

import contextlib
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TypedDict

import gantext
from gantext.errors import UserError
from gantext.files import is_held
from gantext.records.content import Damaged
from gantext.records.json_file import JsonFile
from gantext.records.shape import Positive, Whole
from gantext.runs import migrations
from gantext.runs.enclosed import Enclosed
from gantext.runs.folder import CONFIG, INFO, LOCK, RESULT, RunDir

if TYPE_CHECKING:
    from gantext.config.settings import Settings

JOB, SETTINGS, PROGRESS = "job.json", "job.yaml", "progress.json"
# What a folder has one of when it is a job: of a plan, or of a sweep from before there were plans.
MARKS = (JOB, CONFIG, INFO, RESULT)
LOOK_SECONDS = 0.2  # between two looks at whether a process works on a job
# How a run ends for good: what is done again comes to the same, or is not wanted. One that failed
# may do better.
PRUNED = "pruned"  # by a search, to which it did not promise enough
FINAL = ("finished", "diverged", PRUNED)


class Written(TypedDict):
    """By what a file of the plan was written, which decides how its settings are read."""

    format: Positive
    gantext: str


def written() -> Written:
    return {"format": migrations.FORMAT, "gantext": gantext.__version__}


class PlannedJob(Written):
    """job.json: the words of one job, without those of Hydra itself."""

    words: list[str]
    config_dir: str | None


class _OfPhase(TypedDict):
    phase: str
    step: Whole
    steps: Whole
    rate: float
    left: float


class Headway(_OfPhase, total=False):
    """progress.json: how far the run of a job is, by its own word; older ones say less of the run.

    Attributes:
        phase: that it is in.
        step, steps: those done in it, and all of them.
        rate: steps a second.
        left: seconds of the phase.
        place: the phase with its number, '2/3 discriminator'.
        run: what is left of the whole run, '~0:12:36'.
    """

    place: str
    run: str


_JOB, _HEADWAY = JsonFile(PlannedJob), JsonFile(Headway)


@dataclass(frozen=True)
class SweepJob:
    """One job of a sweep: the folder that its run lies in, or will.

    It may come from a stranger: nothing in it is reached through a symbolic link.
    """

    folder: Path

    @property
    def name(self) -> str:
        """Its number in the sweep."""
        return self.folder.name

    @property
    def run(self) -> RunDir:
        """Its run, which there may not be yet."""
        return RunDir(self.folder)

    @property
    def files(self) -> Enclosed:
        """The files of its folder."""
        return Enclosed(self.folder)

    @property
    def log(self) -> Path:
        """Where a process of its own says what happens before there is a run."""
        return self.folder / "job.log"

    @property
    def is_held(self) -> bool:
        """Whether a process works on it now."""
        return is_held(self.folder / LOCK)

    def wait_while_held(self) -> None:
        """Wait until no process works on it."""
        while self.is_held:
            time.sleep(LOOK_SECONDS)

    @property
    def is_over(self) -> bool:
        """Whether its run has ended, and would end so again; not of one that cannot be read."""
        with contextlib.suppress(UserError):
            return self.run.config.exists() and self.run.status in FINAL
        return False

    def prune(self) -> None:
        """Say that its run, which no process works on, is not worth its end."""
        self.run.save_result({"status": PRUNED, "overrides": self.words, "scores": []})
        self.run.update(status=PRUNED)

    def save_failure(self, overrides: Sequence[str], error: str) -> None:
        """Say what kept it from its end. Raises OSError."""
        result = {"status": "failed", "overrides": [*overrides], "error": error, "scores": []}
        self.run.save_result(result)

    @property
    def can_go_on(self) -> bool:
        """Whether it is known what it is to do: it is planned, or a run has come of it."""
        return any((self.folder / name).exists() for name in (JOB, CONFIG))

    @property
    def planned(self) -> PlannedJob | None:
        """What job.json says; None without a plan. Raises UserError."""
        return self.files.json(self.folder / JOB, _JOB)

    @property
    def words(self) -> list[str]:
        """Its overrides, by its plan, its run or what is left of it. Raises UserError."""
        planned = self.planned
        if planned is not None:
            return planned["words"]
        return self.run.info.get("overrides") or (self.run.result or {}).get("overrides", [])

    @property
    def settings(self) -> "Settings":
        """What the plan has it begin with, in today's words. Raises UserError."""
        from gantext.config import schema

        planned = self.planned
        if planned is None:
            raise UserError(f"{self.folder} is no job that was planned")
        facts = {"format": planned["format"], "gantext": planned["gantext"]}
        path = self.folder / SETTINGS
        values = migrations.config_values(path, facts)
        try:
            return schema.of_values(values)
        except UserError as error:
            raise Damaged(path, f"{error}{migrations.written_by(facts)}") from error

    def plan(self, words: Sequence[str], config_dir: str | None, settings: "Settings") -> None:
        """Write what it is to do. Raises OSError, and UserError through a link."""
        from gantext.config import schema

        self.folder.mkdir(exist_ok=True)
        self.files.write(self.folder / SETTINGS, schema.to_yaml(settings).encode())
        record = PlannedJob(**written(), words=[*words], config_dir=config_dir)
        self.files.write_json(self.folder / JOB, record)

    def unplan(self) -> None:
        """Remove what `plan` wrote, and the folder when nothing else is in it."""
        for name in (JOB, SETTINGS, PROGRESS, self.log.name):
            self.files.remove(self.folder / name)
        with contextlib.suppress(OSError):  # something else is in it
            self.folder.rmdir()

    @property
    def headway(self) -> Headway | None:
        """How far it is; None where nobody has said. Raises UserError."""
        return self.files.json(self.folder / PROGRESS, _HEADWAY)

    def save_headway(self, headway: Headway) -> None:
        """Say how far it is; where that cannot be written it is left out."""
        with contextlib.suppress(OSError):
            self.files.write_json(self.folder / PROGRESS, headway)

    @property
    def has_begun(self) -> bool:
        """Whether a run has come of it, or an error in place of one."""
        return any((self.folder / name).exists() for name in (CONFIG, INFO, RESULT))

    @property
    def is_there(self) -> bool:
        """Whether the folder is a job's at all."""
        return any((self.folder / mark).is_file() for mark in MARKS)
