"""One run by two processes that torchrun starts: stopped, killed, gone on with, and its end."""

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from gantext.runs.folder import RunDir
from tests.conftest import SMALL_GAN, Result, environment
from tests.ranks import SENTENCES

pytestmark = pytest.mark.engines
# Of short sentences, as each word that is drawn is an exchange.
WORDS = [
    *(word for word in SMALL_GAN if not word.startswith("data")),
    "data=text",
    "data.tokenizer=whitespace",
    "data.test_share=0.1",
    "eval.samples=20",
]


def torchrun(folder: Path, *words: str, count: int = 2) -> "subprocess.Popen[str]":
    """`torchrun --nproc-per-node 2 -m gantext ...` in a folder, with output in files there."""
    engine = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node", str(count)]
    with (folder / "out").open("w") as out, (folder / "err").open("w") as err:
        return subprocess.Popen(
            [sys.executable, *engine, "-m", "gantext", *words],
            cwd=folder,
            env=environment(XDG_CACHE_HOME=str(folder / "cache")),
            stdout=out,
            stderr=err,
            text=True,
        )


def ended(folder: Path, child: "subprocess.Popen[str]") -> Result:
    """What came of it."""
    code = child.wait(300)
    return Result(code, (folder / "out").read_text(), (folder / "err").read_text())


def until(true: Callable[[], bool]) -> None:
    """Wait for something that soon holds."""
    end = time.monotonic() + 200
    while not true():
        assert time.monotonic() < end
        time.sleep(0.02)


def steps(folder: Path) -> int:
    """How many rows of metrics the run has."""
    path = folder / "runs/r/metrics.jsonl"
    return path.read_text().count("\n") if path.is_file() else 0


def children(parent: int) -> list[int]:
    """The processes that torchrun has started, the first one first."""
    found = []
    for status in Path("/proc").glob("[0-9]*/stat"):
        try:
            number, rest = status.read_text().split(" (")[0], status.read_text().rpartition(") ")[2]
            environ = (status.parent / "environ").read_bytes()
        except OSError:  # it has just ended
            continue
        rank = re.search(rb"(?:\A|\0)LOCAL_RANK=(\d+)", environ)
        if int(rest.split()[1]) == parent and rank:
            found.append((int(rank[1]), int(number)))
    return [number for _, number in sorted(found)]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "train.txt").write_text("\n".join(SENTENCES))
    return tmp_path


@pytest.fixture(scope="module")
def straight(tmp_path_factory: pytest.TempPathFactory) -> RunDir:
    """A run that two processes have trained to its end without a stop."""
    folder = tmp_path_factory.mktemp("straight")
    (folder / "train.txt").write_text("\n".join(SENTENCES))
    found = ended(folder, torchrun(folder, "train", *WORDS, "data.train=train.txt", "name=r"))
    assert found.code == 0, found.err
    return RunDir(folder / "runs/r")


def check_same(found: RunDir, wanted: RunDir) -> None:
    """Bit for bit the same end: states, metrics, samples, scores."""
    for phase in wanted.phase_ends():
        assert found.checkpoint(phase).digest == wanted.checkpoint(phase).digest
    assert found.metrics() == wanted.metrics()
    assert found.samples("adversarial") == wanted.samples("adversarial")
    assert found.result == wanted.result


def test_there_is_one_run_and_one_voice(straight: RunDir) -> None:
    folder = straight.path.parent.parent
    assert sorted(path.name for path in straight.path.parent.iterdir()) == ["latest", "r"]
    assert straight.info["processes"] == 2 and straight.status == "finished"
    said, out = (folder / "err").read_text(), (folder / "out").read_text()
    assert said.count("gantext 0") == 1 and said.count("adversarial: scoring") == 1
    assert out.count("run: ") == 1
    rows = straight.metrics()
    assert [row["step"] for row in rows if row["phase"] == "adversarial"] == list(range(1, 9))


@pytest.mark.parametrize(
    ("to", "number"),
    [("torchrun", signal.SIGTERM), ("torchrun", signal.SIGINT), ("second", signal.SIGTERM)],
)
def test_a_signal_saves_once_and_ends_all_and_the_run_goes_on_exactly(
    folder: Path, straight: RunDir, to: str, number: int
) -> None:
    child = torchrun(folder, "train", *WORDS, "data.train=train.txt", "name=r")
    until(lambda: steps(folder) >= 10)
    workers = children(child.pid)
    assert len(workers) == 2
    os.kill(child.pid if to == "torchrun" else workers[1], number)
    found = ended(folder, child)
    assert found.code != 0 and not any(map(Path.exists, (Path(f"/proc/{w}") for w in workers)))
    run = RunDir(folder / "runs/r")
    command = f"torchrun --nproc-per-node 2 -m gantext train --resume {run.path}"
    assert found.err.count(f"stopped and saved; go on with: {command}") == 1
    assert run.status == "stopped"
    found = ended(folder, torchrun(folder, "train", "--resume", "r"))
    assert found.code == 0, found.err
    check_same(run, straight)


@pytest.mark.parametrize("killed", [0, 1])
def test_a_killed_process_ends_the_others_and_the_run_goes_on_exactly(
    folder: Path, straight: RunDir, killed: int
) -> None:
    child = torchrun(folder, "train", *WORDS, "data.train=train.txt", "name=r")
    until(lambda: steps(folder) >= 20)
    workers = children(child.pid)
    os.kill(workers[killed], signal.SIGKILL)
    found = ended(folder, child)
    assert found.code != 0 and "Traceback" not in found.err.partition("torch/distributed")[0]
    run = RunDir(folder / "runs/r")
    assert run.status == ("killed" if killed == 0 else "stopped")
    found = ended(folder, torchrun(folder, "train", "--resume", "r"))
    assert found.code == 0, found.err
    check_same(run, straight)


def test_another_number_of_processes_is_refused_and_bad_input_makes_nothing(
    folder: Path, straight: RunDir
) -> None:
    found = ended(folder, torchrun(folder, "train", "--resume", str(straight.path), count=4))
    assert found.code != 0
    assert found.err.count("r was begun by 2 processes, not 4 processes: go on with torchrun") == 1
    found = ended(folder, torchrun(folder, "train", *WORDS, "data.train=none.txt", "name=q"))
    assert found.code != 0 and found.err.count("error: ") == 1
    assert not (folder / "runs/q").exists()


def test_four_processes_have_the_curve_of_two(folder: Path, straight: RunDir) -> None:
    words = ["train", *WORDS, "data.train=train.txt", "name=r"]
    assert ended(folder, torchrun(folder, *words, count=4)).code == 0
    run = RunDir(folder / "runs/r")
    for row, wanted in zip(run.metrics(), straight.metrics(), strict=True):
        assert row.pop("phase") == wanted.pop("phase")
        assert row == pytest.approx(wanted, rel=1e-4, abs=1e-4)
