"""A run that is killed or stopped and goes on ends as if nothing had happened."""

import shutil
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import torch

from gantext.runs.folder import RunDir
from tests.conftest import SMALL_GAN, Command, finished
from tests.forker import Forker, rows, until
from tests.torture import FILE, RUNS, SENTENCES, chains, difference, end_of, on_short, table


@pytest.fixture(scope="module")
def forker() -> Iterator[Forker]:
    found = Forker()
    yield found
    found.close()


@pytest.fixture(scope="module")
def small_gan(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """The tiny GAN with its three phases, on sentences that are drawn in no time."""
    path = tmp_path_factory.mktemp("text") / FILE
    path.write_text("\n".join(SENTENCES))
    return [*on_short(SMALL_GAN), f"data.train={path}", "eval.samples=50"]


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


def assert_same_end(run: Path, other: Path) -> None:
    assert difference(run, other) == ""
    assert len((run / "metrics.jsonl").read_text().splitlines()) == 30  # 16 + 6 + 8 steps
    assert len(end_of(run)[1]) > 30
    assert RunDir(run).result == RunDir(other).result
    assert RunDir(run).info["status"] == "finished"


def test_random_kills_change_nothing(forker: Forker, tmp_path: Path) -> None:
    """Chains of SIGKILL at random moments, over all models and sweeps; `make torture`: 100."""
    done = list(chains(forker, tmp_path, 10, 1, list(RUNS)))
    print(*table(done), sep="\n")
    assert not [one for one in done if one.lost or one.differing]
    assert sum(one.kills for one in done) >= 10


def test_kills_amid_the_first_scoring_and_the_first_checkpoint(
    forker: Forker, tmp_path: Path
) -> None:
    """On long sentences, whose scores take long enough; beside a run of this process."""
    run = tmp_path / "runs" / "r"
    child = forker.start(tmp_path, "train", *SMALL_GAN, "name=r")
    until(lambda: bool(list(run.glob("checkpoints/.*.partial"))) or rows(run) > 3)
    child.kill(signal.SIGKILL)
    child = forker.start(tmp_path, "train", "--resume", str(run))
    until(lambda: bool(list(run.glob("checkpoints/*-mle"))))
    child.kill(signal.SIGKILL)
    assert not (run / "scores" / "phase-mle.json").exists()
    assert RunDir(run).status == "killed"
    child = forker.start(tmp_path, "train", "--resume", str(run))
    assert child.wait() == 0, child.said
    (tmp_path / "straight").mkdir()
    assert difference(run, finished(tmp_path / "straight", SMALL_GAN, "r")) == ""
    assert RunDir(run).info["status"] == "finished"


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
    assert [row.split(",")[:2] for row in table[1:]] == [["0", "stopped"], ["1", "planned"]]
    command = f"go on with: gantext train --resume {tmp_path / 'runs/s'}"
    assert child.said.splitlines()[-1] == f"stopped and saved; {command}"


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
