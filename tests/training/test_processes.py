"""Several processes that train one run: what they come to, and what is refused before they begin.

`make test-engines` has whole runs by torchrun, that are stopped, killed and gone on with.
"""

import json
import os
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch

from gantext import data
from gantext.nn import ranks
from gantext.runs.folder import RunDir
from gantext.training import processes
from tests.conftest import SMALL_IMAGE_GAN, Command, environment
from tests.ranks import MODELS, SENTENCES, taken, taken_together

TORCHRUN = {"TORCHELASTIC_RUN_ID": "test", "LOCAL_WORLD_SIZE": "2", "WORLD_SIZE": "2"}


@pytest.fixture(scope="module")
def text(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file of short sentences."""
    path = tmp_path_factory.mktemp("text") / "train.txt"
    path.write_text("\n".join(SENTENCES))
    return path


@pytest.fixture(scope="module")
def two(text: Path) -> tuple[dict[str, Any], dict[str, Any]]:
    """What all models come to by two processes, of which this is the first; as each has it."""
    out = text.with_name("second.json")
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    words = [sys.executable, "-m", "tests.ranks", str(port), str(text), str(out)]
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    with subprocess.Popen(words, env=environment()) as second:
        try:
            first = taken_together(port, 0, text)
            assert second.wait(60) == 0
        finally:
            second.kill()
            torch.set_num_threads(threads)
    return first, json.loads(out.read_text())


@pytest.mark.parametrize("name", MODELS)
def test_two_processes_have_the_loss_curve_of_one(
    name: str, text: Path, two: tuple[dict[str, Any], dict[str, Any]]
) -> None:
    """At the same total batch to 1e-4, which is a thousand times what differs: sums of floats."""
    first, second = (found[name] for found in two)
    assert first == second
    alone = taken(MODELS[name], text)
    assert alone["noise"] == first["noise"] and len(alone["metrics"]) >= 20
    for (phase, wanted), (same, row) in zip(alone["metrics"], first["metrics"], strict=True):
        assert phase == same and row == pytest.approx(wanted, rel=1e-4, abs=1e-4)


def test_alone_nothing_is_exchanged_and_everything_comes_back() -> None:
    rows, rng = torch.arange(6.0), torch.Generator()
    with ranks.together():
        assert ranks.mine(rows) is rows and ranks.gathered(rows, 6) is rows
        assert ranks.mean(rows) is rows and ranks.mean(3) == 3 and ranks.total(rows) is rows
        assert ranks.own_generator(rng) is rng and ranks.largest(1, 2) == (1, 2)
        assert list(ranks.turns("abc")) == ["a", "b", "c"] and not ranks.shared()


def test_a_rank_has_its_rows_and_the_noise_of_the_whole_batch() -> None:
    rows = torch.arange(10).view(5, 2)
    with ranks.joined(ranks.Ranks(1, 2)), ranks.together():
        assert ranks.mine(rows).tolist() == [[2, 3], [6, 7]]
        assert ranks.noise((2, 2), lambda shape: torch.arange(8).view(shape)).tolist() == [
            [2, 3],
            [6, 7],
        ]
        assert list(ranks.turns("abcd")) == ["b", "d"]
        with ranks.apart():
            assert ranks.mine(rows) is rows
    assert ranks.mine(rows) is rows


def test_ranks_draw_apart_and_leave_the_generator_alike() -> None:
    states, drawn = [], []
    for number in range(2):
        rng = torch.Generator().manual_seed(1)
        with ranks.joined(ranks.Ranks(number, 2)), ranks.together():
            drawn.append(torch.rand(3, generator=ranks.own_generator(rng)))
        states.append(rng.get_state())
    assert torch.equal(*states) and not torch.equal(*drawn)


def test_another_process_that_is_gone_is_said_in_one_line() -> None:
    """There is no group at all here, which torch says by the same kind of error."""
    with ranks.joined(ranks.Ranks(0, 2)), pytest.raises((ranks.Lost, ValueError)):
        ranks.meet()


def torchrun(monkeypatch: pytest.MonkeyPatch, number: int = 0, **changes: str) -> None:
    """Let this process look like one of two that torchrun has started."""
    environ = {**TORCHRUN, "RANK": str(number), "LOCAL_RANK": str(number), **changes}
    for name, value in environ.items():
        monkeypatch.setenv(name, value)


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (["-m", "seed=1,2"], "torchrun trains one run by several processes: not with -m"),
        (["--cfg", "job"], "torchrun trains one run by several processes: not with --cfg"),
        (["--replay"], "torchrun trains one run by several processes: not with --replay"),
        (
            ["model.adversarial.batch_size=7"],
            "model.adversarial.batch_size=7: 2 processes need a multiple of 2",
        ),
        (
            SMALL_IMAGE_GAN,
            "model=image_gan is trained by one process; torchrun trains cot, dpgan, gan, jsdgan, ",
        ),
        (["model=dpr_gan"], "model=dpr_gan is trained by one process; torchrun trains cot, "),
        (["device=cuda"], "device=cuda is asked for, but torch"),
    ],
)
def test_what_several_processes_cannot_train_is_refused_in_one_line(
    cli: Command, monkeypatch: pytest.MonkeyPatch, words: list[str], line: str
) -> None:
    torchrun(monkeypatch)
    found = cli("train", *words)
    assert found.code == 2 and len(found.errors) == 1 and not found.out
    assert found.err.startswith(f"error: {line}")
    assert not Path("runs").exists()


def test_the_second_process_leaves_that_to_the_first(
    cli: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    torchrun(monkeypatch, 1)
    found = cli("train", "-m", "seed=1,2")
    assert found.code == 2 and not found.err and not found.out


@pytest.mark.parametrize("change", [{"RANK": "x\n1"}, {"RANK": "2"}, {"WORLD_SIZE": "0"}])
def test_an_environment_that_torchrun_did_not_make_is_refused(
    cli: Command, monkeypatch: pytest.MonkeyPatch, change: dict[str, str]
) -> None:
    torchrun(monkeypatch, **change)
    found = cli("train", "seed=1")
    assert found.code == 2 and len(found.errors) == 1
    assert found.err.startswith("error: TORCHELASTIC_RUN_ID is set, but not by torchrun: RANK=")
    assert not Path("runs").exists()


def test_a_run_goes_on_with_as_many_processes_as_it_began_with(
    cli: Command, monkeypatch: pytest.MonkeyPatch, trained: Path
) -> None:
    path = Path("run")
    RunDir(path).path.mkdir()
    for name in ("config.yaml", "run.json"):
        (path / name).write_bytes((trained / name).read_bytes())
    whole = path.resolve()
    with monkeypatch.context() as patch:
        torchrun(patch)
        found = cli("train", "--resume", "run")
        assert found.errors == [
            "error: run was begun by one process, not 2 processes: go on with gantext train "
            f"--resume {whole}"
        ]
    RunDir(path).update(processes=2, status="stopped")
    before = sorted(os.listdir(path))
    found = cli("train", "--resume", "run")
    assert found.code == 2 and found.errors == [
        "error: run was begun by 2 processes, not one process: go on with torchrun "
        f"--nproc-per-node 2 -m gantext train --resume {whole}"
    ]
    assert sorted(os.listdir(path)) == before


def test_a_run_on_several_machines_says_how_many_on_each() -> None:
    assert processes._command(Path("r"), 8, 4) == (
        "torchrun --nnodes 2 --nproc-per-node 4 -m gantext train --resume r"
    )


def test_the_rows_that_processes_share_are_found_by_their_type() -> None:
    from gantext.config.compose import compose

    model = compose(["model=leakgan"]).model
    assert dict(processes._shared_rows(model, "model")) == {
        "model.mle.batch_size": model.mle.batch_size,
        "model.d_training.batch_size": model.d_training.batch_size,
        "model.d_training.pretrain_batch_size": model.d_training.pretrain_batch_size,
        "model.adversarial.batch_size": model.adversarial.batch_size,
        "model.judge.encoder.batch_size": model.judge.encoder.batch_size,
        "model.judge.lm_ratio.batch_size": model.judge.lm_ratio.batch_size,
        "model.judge.ranker.references": model.judge.ranker.references,
    }
    assert data.ranges.range_of(data.ranges.Interval) != data.ranges.range_of(data.ranges.BatchSize)
