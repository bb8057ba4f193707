"""A run that is killed or stopped and goes on ends as if nothing had happened."""

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import torch

from gantext.runs import checkpoint
from gantext.runs.folder import RunDir
from tests.conftest import Command, environment

# Imports torch once, then forks a process for each command: only the commands are killed.
FORKER = """
import json, os, sys
import gantext.cli, gantext.config.compose, gantext.training.jobs, gantext.training.loop
import gantext.models.gan, gantext.data.scenes
print("ready", flush=True)
for line in sys.stdin:
    order = json.loads(line)
    child = os.fork()
    if not child:
        os.chdir(order["cwd"])
        for number in (1, 2):
            os.dup2(os.open(order["log"], os.O_WRONLY | os.O_CREAT | os.O_APPEND), number)
        sys.argv = ["gantext", *order["words"]]
        gantext.cli.main()
    print(child, flush=True)
    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
"""


class Child:
    """A command that runs in a process of its own."""

    def __init__(self, forker: "Forker", number: int, log: Path) -> None:
        self.forker, self.number, self.log = forker, number, log

    def kill(self, number: int) -> int:
        os.kill(self.number, number)
        return self.wait()

    def wait(self) -> int:
        return int(self.forker.line())

    @property
    def said(self) -> str:
        return self.log.read_text() if self.log.exists() else ""


class Forker:
    """Starts commands quickly, one at a time."""

    def __init__(self) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", FORKER],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=environment(),
        )
        assert self.line() == "ready"

    def line(self) -> str:
        assert self.process.stdout is not None
        return self.process.stdout.readline().strip()

    def start(self, cwd: Path, *words: str) -> Child:
        assert self.process.stdin is not None
        log = cwd / f"said-{time.monotonic_ns()}.txt"
        order = {"cwd": str(cwd), "words": words, "log": str(log)}
        print(json.dumps(order), file=self.process.stdin, flush=True)
        return Child(self, int(self.line()), log)


@pytest.fixture(scope="module")
def forker() -> Iterator[Forker]:
    found = Forker()
    yield found
    assert found.process.stdin is not None
    found.process.stdin.close()
    found.process.wait(10)


@pytest.fixture(scope="module")
def straight(
    forker: Forker, tmp_path_factory: pytest.TempPathFactory
) -> Callable[[list[str]], Path]:
    """The same run without an interruption; made once."""
    made: list[Path] = []

    def run(words: list[str]) -> Path:
        if not made:
            folder = tmp_path_factory.mktemp("straight")
            child = forker.start(folder, "train", *words, "name=r")
            assert child.wait() == 0, child.said
            made.append(folder / "runs" / "r")
        return made[0]

    return run


def rows(run: Path) -> int:
    path = run / "metrics.jsonl"
    return path.read_bytes().count(b"\n") if path.exists() else 0


def until(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < end, "waited for a minute"
        time.sleep(0.0005)


def end_of(run: Path) -> tuple[Any, dict[str, torch.Tensor]]:
    """The last checkpoint: its plain part without the seconds, and its tensors."""
    state, damaged = RunDir(run).load_checkpoint()
    assert state is not None and not damaged
    assert state.pop("seconds") >= 0
    tensors: dict[str, torch.Tensor] = {}
    return checkpoint.flatten(state, tensors), tensors


def assert_same_end(run: Path, other: Path) -> None:
    plain, tensors = end_of(run)
    other_plain, other_tensors = end_of(other)
    assert plain == other_plain
    assert tensors.keys() == other_tensors.keys() and len(tensors) > 30
    for name, tensor in tensors.items():
        assert tensor.dtype == other_tensors[name].dtype
        assert torch.equal(tensor, other_tensors[name]), name
    lines = (run / "metrics.jsonl").read_text().splitlines()
    assert lines == (other / "metrics.jsonl").read_text().splitlines()
    assert len(lines) == 30  # 16 + 6 + 8 steps, each reported once
    for folder in ("samples", "scores"):
        names = sorted(path.name for path in (run / folder).iterdir())
        assert names == sorted(path.name for path in (other / folder).iterdir())
        for name in names:
            assert (run / folder / name).read_text() == (other / folder / name).read_text()
    assert RunDir(run).result == RunDir(other).result
    assert RunDir(run).info["status"] == "finished"


@pytest.mark.parametrize("seed", [1, 2])
def test_five_kills_change_nothing(
    forker: Forker,
    straight: Callable[[list[str]], Path],
    tmp_path: Path,
    small_gan: list[str],
    seed: int,
) -> None:
    """SIGKILL after five random reports and up to 30 ms: amid a step, a save or the scoring."""
    rng, run = random.Random(seed), tmp_path / "runs" / "r"
    words = [*small_gan, "name=r"]
    for kill, row in enumerate(sorted(rng.sample(range(1, 30), 5))):
        command = (
            words if not kill or not (run / "config.yaml").exists() else ["--resume", str(run)]
        )
        child = forker.start(tmp_path, "train", *command)
        until(lambda row=row: rows(run) >= row)
        time.sleep(rng.random() * 0.03)
        assert child.kill(signal.SIGKILL) == -signal.SIGKILL
    child = forker.start(tmp_path, "train", "--resume", str(run))
    assert child.wait() == 0, child.said
    assert f"going on with {run.name} at step" in child.said
    assert_same_end(run, straight(small_gan))


def test_kills_amid_the_first_scoring_and_the_first_checkpoint(
    forker: Forker, straight: Callable[[list[str]], Path], tmp_path: Path, small_gan: list[str]
) -> None:
    run = tmp_path / "runs" / "r"
    child = forker.start(tmp_path, "train", *small_gan, "name=r")
    until(lambda: bool(list(run.glob("checkpoints/.*.partial"))) or rows(run) > 3)
    child.kill(signal.SIGKILL)
    child = forker.start(tmp_path, "train", "--resume", str(run))
    until(lambda: bool(list(run.glob("checkpoints/*-mle"))))
    child.kill(signal.SIGKILL)
    assert not (run / "scores" / "phase-mle.json").exists()
    assert RunDir(run).status == "killed"
    child = forker.start(tmp_path, "train", "--resume", str(run))
    assert child.wait() == 0, child.said
    assert_same_end(run, straight(small_gan))


def test_a_killed_leakgan_goes_on_identically(
    forker: Forker, tmp_path: Path, small_leakgan: list[str]
) -> None:
    """SIGKILL amid each phase: the end is that of a run that was left alone."""
    assert forker.start(tmp_path, "train", *small_leakgan, "name=whole").wait() == 0
    whole, run = tmp_path / "runs" / "whole", tmp_path / "runs" / "r"
    words = [*small_leakgan, "name=r"]
    for row in (7, 18):
        child = forker.start(tmp_path, "train", *words)
        until(lambda row=row: rows(run) >= row)
        assert child.kill(signal.SIGKILL) == -signal.SIGKILL
        words = ["--resume", str(run)]
    child = forker.start(tmp_path, "train", *words)
    assert child.wait() == 0, child.said
    assert RunDir(run).phase_ends() == ["pretraining", "discriminator", "adversarial"]
    assert_same_weights(run, whole)
    assert end_of(run)[0] == end_of(whole)[0]


def test_a_killed_vae_goes_on_identically(
    forker: Forker, tmp_path: Path, small_vae: list[str]
) -> None:
    """SIGKILL amid the autoencoder and amid aggressive training."""
    assert forker.start(tmp_path, "train", *small_vae, "name=whole").wait() == 0
    whole, run = tmp_path / "runs" / "whole", tmp_path / "runs" / "r"
    words = [*small_vae, "name=r"]
    for row in (5, 12):
        child = forker.start(tmp_path, "train", *words)
        until(lambda row=row: rows(run) >= row)
        assert child.kill(signal.SIGKILL) == -signal.SIGKILL
        words = ["--resume", str(run)]
    child = forker.start(tmp_path, "train", *words)
    assert child.wait() == 0, child.said
    assert RunDir(run).phase_ends() == ["autoencoder", "vae"]
    assert any("inner_steps" in row for row in RunDir(run).metrics())
    assert_same_weights(run, whole)
    assert end_of(run)[0] == end_of(whole)[0]


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_a_stop_request_finishes_the_step_saves_and_says_how_to_go_on(
    forker: Forker,
    straight: Callable[[list[str]], Path],
    tmp_path: Path,
    small_gan: list[str],
    number: signal.Signals,
    code: int,
) -> None:
    run = tmp_path / "runs" / "r"
    words = [*small_gan, "name=r", "checkpoint.every_steps=0"]
    child = forker.start(tmp_path, "train", *words)
    until(lambda: rows(run) >= 18)
    assert child.kill(number) == code
    last = child.said.splitlines()[-1]
    assert last == f"stopped and saved; go on with: gantext train --resume {run}"
    assert "Traceback" not in child.said
    done = rows(run)
    state, _ = RunDir(run).load_checkpoint()
    assert state is not None and state["total"] == done >= 18  # nothing done is lost
    assert RunDir(run).status == "stopped"
    child = forker.start(tmp_path, "train", "--resume", "runs/r")
    assert child.wait() == 0, child.said
    assert_same_weights(run, straight(small_gan))


def assert_same_weights(run: Path, other: Path) -> None:
    tensors, other_tensors = end_of(run)[1], end_of(other)[1]
    assert all(torch.equal(tensors[name], other_tensors[name]) for name in other_tensors)
    assert (run / "metrics.jsonl").read_text() == (other / "metrics.jsonl").read_text()
    assert RunDir(run).scores("phase-adversarial") == RunDir(other).scores("phase-adversarial")


def test_a_stop_at_the_end_of_a_phase_keeps_that_end(
    forker: Forker, straight: Callable[[list[str]], Path], tmp_path: Path, small_gan: list[str]
) -> None:
    """SIGTERM amid the scoring of mle: its end is a checkpoint, and the next step is saved too."""
    run = tmp_path / "runs" / "r"
    child = forker.start(tmp_path, "train", *small_gan, "name=r")
    until(lambda: rows(run) >= 16)
    assert child.kill(signal.SIGTERM) == 143
    assert RunDir(run).phase_ends()[0] == "mle"
    assert forker.start(tmp_path, "train", "--resume").wait() == 0
    assert_same_end(run, straight(small_gan))


def test_a_damaged_checkpoint_costs_some_steps_and_a_warning(
    forker: Forker, straight: Callable[[list[str]], Path], tmp_path: Path, small_gan: list[str]
) -> None:
    run = tmp_path / "runs" / "r"
    child = forker.start(tmp_path, "train", *small_gan, "name=r")
    until(lambda: rows(run) >= 20)
    child.kill(signal.SIGTERM)
    newest = max(path for path in run.glob("checkpoints/[0-9]*"))
    (newest / "tensors.safetensors").write_bytes(b"nonsense")
    child = forker.start(tmp_path, "train", "--resume")
    assert child.wait() == 0
    assert f"checkpoint {newest.name} is damaged" in child.said
    assert "the one before it is used" in child.said
    assert_same_end(run, straight(small_gan))


def test_without_any_whole_checkpoint_it_begins_again(
    forker: Forker, straight: Callable[[list[str]], Path], tmp_path: Path, small_gan: list[str]
) -> None:
    run = tmp_path / "runs" / "r"
    shutil.copytree(straight(small_gan), run)
    for state in run.glob("checkpoints/*/state.json"):
        state.unlink()
    RunDir(run).update(status="running")
    child = forker.start(tmp_path, "train", "--resume", "r")
    assert child.wait() == 0
    assert child.said.count("none is left; starting again") >= 3
    assert_same_end(run, straight(small_gan))


def test_a_stopped_sweep_says_what_became_of_its_jobs(
    forker: Forker, tmp_path: Path, small_mle: list[str]
) -> None:
    words = [*small_mle, "model.mle.epochs=100000", "seed=1,2", "hydra.sweep.dir=runs/s"]
    child = forker.start(tmp_path, "train", "-m", *words)
    until(lambda: rows(tmp_path / "runs" / "s" / "0") >= 2)
    assert child.kill(signal.SIGINT) == 130
    table = (tmp_path / "runs" / "s" / "scores.csv").read_text().splitlines()
    assert len(table) == 2 and table[1].startswith("0,stopped,")
    command = f"go on with: gantext train --resume {tmp_path / 'runs/s/0'}"
    assert f"job 0: {command}" in child.said and f"stopped and saved; {command}" in child.said


def test_a_second_process_on_a_run_is_refused(
    forker: Forker, cli: Command, tmp_path: Path, small_mle: list[str]
) -> None:
    child = forker.start(tmp_path, "train", *small_mle, "name=r", "model.mle.epochs=100000")
    until(lambda: rows(tmp_path / "runs" / "r") >= 1)
    assert RunDir(tmp_path / "runs" / "r").status == "running"
    for words in (["--resume", "r"], [*small_mle, "name=r"]):
        found = cli("train", *words)
        assert found.code == 2 and len(found.errors) == 1, found.err
        assert "in use by process" in found.err or "holds a run already" in found.err
    assert child.kill(signal.SIGTERM) == 143


def test_a_finished_run_is_left_as_it_is(
    straight: Callable[[list[str]], Path], cli: Command, tmp_path: Path, small_gan: list[str]
) -> None:
    run = tmp_path / "runs" / "r"
    shutil.copytree(straight(small_gan), run)
    before = {p: p.read_bytes() for p in run.rglob("*") if p.is_file() and p.name != ".lock"}
    found = cli("train", "--resume", "r")
    assert found.code == 0 and found.errors == ["r has finished already"]
    assert "bleu-4" in found.out
    after = {p: p.read_bytes() for p in run.rglob("*") if p.is_file() and p.name != ".lock"}
    assert before == after


def test_a_run_killed_just_before_it_finished_keeps_its_scores(
    straight: Callable[[list[str]], Path], cli: Command, tmp_path: Path, small_gan: list[str]
) -> None:
    run = tmp_path / "runs" / "r"
    shutil.copytree(straight(small_gan), run)
    (run / "result.json").unlink()
    RunDir(run).update(status="running")
    assert cli("train", "--resume", "r").code == 0
    assert_same_end(run, straight(small_gan))


def test_a_run_killed_in_an_unscored_phase_keeps_the_scores_before_it(
    forker: Forker, tmp_path: Path, small_gan: list[str]
) -> None:
    """pretrain's last phase is the discriminator, which is not scored."""
    run = tmp_path / "runs" / "r"
    child = forker.start(tmp_path, "pretrain", *small_gan, "name=r")
    until(lambda: rows(run) >= 19)
    child.kill(signal.SIGKILL)
    assert forker.start(tmp_path, "train", "--resume").wait() == 0
    result = RunDir(run).result
    assert result is not None and "bleu-4" in {score["name"] for score in result["scores"]}


def test_text_by_a_relative_path_resumes_from_another_folder(
    forker: Forker, tmp_path: Path, small_mle: list[str]
) -> None:
    (tmp_path / "texts").mkdir()
    (tmp_path / "elsewhere").mkdir()
    lines = [f"the {a} {b} sits on the {c} ." for a in "abc" for b in "def" for c in "gh"]
    (tmp_path / "texts" / "train.txt").write_text("\n".join(lines))
    words = [w for w in small_mle if not w.startswith("data")]
    words += ["data=text", "data.train=texts/*.txt", "model.mle.epochs=1000"]
    child = forker.start(tmp_path, "train", *words, "name=r")
    until(lambda: rows(tmp_path / "runs" / "r") >= 4)
    assert child.kill(signal.SIGTERM) == 143
    child = forker.start(tmp_path / "elsewhere", "train", "--resume", "../runs/r")
    until(lambda: "going on with r at step" in child.said)
    until(lambda: RunDir(tmp_path / "runs" / "r").status == "running")
    assert child.kill(signal.SIGTERM) == 143
    (tmp_path / "texts" / "train.txt").write_text("\n".join(lines[1:]))
    child = forker.start(tmp_path, "train", "--resume", "r")
    assert child.wait() == 2
    assert child.said.splitlines()[-1] == "error: the data has changed since r began"
