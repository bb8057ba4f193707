"""A sweep of 3 seeds x 2 models that every engine runs, and what is compared of its end."""

import os
import signal
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from omegaconf import OmegaConf

from gantext.runs.sweep import SweepDir
from gantext.runs.sweep_job import SweepJob
from tests.conftest import SMALL_GAN, SMALL_MLE, environment
from tests.forker import rows, until

JOBS = 6
MODELS = {"tiny_mle": SMALL_MLE, "tiny_gan": SMALL_GAN}
WORDS = ["seed=1,2,3", f"experiment={','.join(MODELS)}"]


def write_configs(folder: Path) -> None:
    """The two models as experiments of the user's own, since they have different keys."""
    (folder / "experiment").mkdir(parents=True)
    for name, words in MODELS.items():
        chosen = [word for word in words if not word.startswith(("model=", "data="))]
        model = words[0].partition("=")[2]
        head = f"# @package _global_\ndefaults:\n  - override /model: {model}\n"
        text = head + OmegaConf.to_yaml(OmegaConf.from_dotlist(chosen))
        (folder / "experiment" / f"{name}.yaml").write_text(text)


def listen() -> None:
    """Ignore no signal, as a shell's background process does Ctrl-C."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_DFL)


@dataclass
class Started:
    """A command in a process of its own, in the folder that it works in."""

    folder: Path
    words: list[str]
    changes: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.out = self.folder / f"said-{len(list(self.folder.glob('said-*')))}.txt"
        with open(self.out, "wb") as said:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "gantext", *self.words],
                cwd=self.folder,
                stdin=subprocess.DEVNULL,
                stdout=said,
                stderr=said,
                env=environment(**self.changes),
                preexec_fn=listen,
            )

    @property
    def said(self) -> str:
        """All that it has said until now."""
        return self.out.read_text()

    def wait(self, seconds: float = 900) -> int:
        """Its exit code."""
        return self.process.wait(seconds)

    def send(self, number: int) -> None:
        """Send it a signal."""
        self.process.send_signal(number)


def begin(folder: Path, configs: Path, *more: str) -> Started:
    """Begin the sweep as runs/s."""
    words = ["train", "-m", *WORDS, "name=s", "--config-dir", str(configs), *more]
    return Started(folder, words)


def the_sweep(folder: Path) -> SweepDir:
    return SweepDir(folder / "runs" / "s")


def wait_for_steps(job: SweepJob, steps: int = 3) -> None:
    """Wait until a job is amid its training."""
    until(lambda: rows(job.folder) >= steps, seconds=300)


def kill(job: SweepJob) -> None:
    """End the process that has a job as the kernel does when memory is short."""
    os.kill(int((job.folder / ".lock").read_text()), signal.SIGKILL)


def end_of(sweep: SweepDir) -> dict[str, Any]:
    """The final scores of each job with their signatures, which hold a hash of the weights."""
    return {job.name: (job.run.result or {}).get("scores") for job in sweep.jobs()}
