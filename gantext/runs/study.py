"""StudyDir: the folder of a search. It is a sweep's, and besides its files has

study.db         the trials, where no other storage is named (Optuna's)
importance.png   what share of the objective's spread each key has
worker-0.log ... what its workers on a cluster have said
"""

from dataclasses import dataclass
from pathlib import Path

from gantext.runs.sweep import SweepDir

WORKER = "worker-"


@dataclass(frozen=True)
class StudyDir(SweepDir):
    """The folder of a search; its jobs are the trials, by their numbers."""

    @property
    def database(self) -> Path:
        """Where the trials are kept."""
        return self.path / "study.db"

    @property
    def importance(self) -> Path:
        """Where it is drawn how much each key matters."""
        return self.path / "importance.png"

    def log(self, worker: int) -> Path:
        """Where what a worker on a cluster says is kept."""
        return self.path / f"{WORKER}{worker}.log"
