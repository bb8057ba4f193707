"""pretrain, then adversarial-train --from it: the same settings without saying them again."""

from pathlib import Path

import pytest
import torch

from gantext.config.settings import Phases
from gantext.runs import listing
from gantext.runs.folder import RunDir
from tests.conftest import Command


@pytest.fixture
def pretrained(cli: Command, small_gan: list[str], tmp_path: Path) -> RunDir:
    """A pretrained tiny GAN in runs/before."""
    found = cli("pretrain", *small_gan, "name=before")
    assert found.code == 0, found.err
    return RunDir(tmp_path / "runs" / "before")


def test_the_overrides_of_the_source_are_used_again(
    cli: Command, pretrained: RunDir, tmp_path: Path
) -> None:
    assert pretrained.phase_ends() == ["mle", "discriminator"]
    found = cli("adversarial-train", "--from", "before", "name=after")
    assert found.code == 0, found.err
    run = RunDir(tmp_path / "runs" / "after")
    assert run.phase_ends() == ["adversarial"] and run.info["total"] == 8
    before, after = RunDir(pretrained.path).settings, run.settings
    assert after.model == before.model and after.data == before.data
    assert after.eval == before.eval and after.seed == before.seed
    assert after.phases is Phases.adversarial and after.from_run == str(pretrained.path)
    # Straight through gives other noise, so the test is that it started from these weights: one
    # adversarial step at a learning rate of 0 leaves them as they were.
    words = ["model.adversarial.steps=1", "model.adversarial.learning_rate=0", "name=still"]
    assert cli("adversarial-train", "--from", str(pretrained.path), *words).code == 0
    still = RunDir(tmp_path / "runs" / "still").load_checkpoint()[0]
    source = pretrained.load_checkpoint()[0]
    assert still is not None and source is not None
    for name, weight in source["algorithm"]["generator"].items():
        assert torch.equal(weight, still["algorithm"]["generator"][name]), name


def test_from_a_phase_of_a_run_that_went_on(
    cli: Command, small_gan: list[str], tmp_path: Path
) -> None:
    """Not from the run's end: at a learning rate of 0 its weights are those of the phase named."""
    assert cli("train", *small_gan, "name=whole").code == 0
    still = ["model.adversarial.steps=1", "model.adversarial.learning_rate=0", "name=still"]
    assert cli("adversarial-train", "--from", "whole@discriminator", *still).code == 0
    whole, after = RunDir(tmp_path / "runs" / "whole"), RunDir(tmp_path / "runs" / "still")
    assert after.settings.from_run == f"{whole.path}@discriminator"
    states = [whole.load_checkpoint("discriminator")[0], after.load_checkpoint()[0]]
    ended = whole.load_checkpoint()[0]
    assert states[0] is not None and states[1] is not None and ended is not None
    old, new, end = (s["algorithm"]["generator"] for s in (*states, ended))
    assert all(torch.equal(old[name], new[name]) for name in old)
    assert not all(torch.equal(old[name], end[name]) for name in old)
    found = cli("adversarial-train", "--from", "whole@nothing", "name=no")
    assert found.code == 2 and "phases that ended: mle, discriminator, adversarial" in found.err


def test_with_another_seed_and_as_a_sweep(cli: Command, pretrained: RunDir, tmp_path: Path) -> None:
    found = cli("adversarial-train", "seed=5", "model.adversarial.steps=2", "name=after")
    assert found.code == 0, found.err
    run = RunDir(tmp_path / "runs" / "after")
    settings = run.settings
    assert settings.seed == 5 and run.info["total"] == 2
    assert "seed=5" in run.info["overrides"]
    words = ["--from", "before", "-m", "seed=1,2", "model.adversarial.steps=1"]
    found = cli("adversarial-train", *words)
    assert found.code == 0, found.err
    assert len(list((tmp_path / "runs").glob("*-sweep/*/config.yaml"))) == 2


def test_what_does_not_fit_is_said(cli: Command, pretrained: RunDir, tmp_path: Path) -> None:
    for words, said in (
        (["data.train_size=50"], "was trained with another vocabulary"),
        (["model.generator.hidden=9"], "do not fit this model"),
        (["sed=3"], "did you mean seed?"),
    ):
        found = cli("adversarial-train", "--from", "before", *words, "name=x")
        assert found.code == 2 and said in found.errors[-1], found.err
        assert not (tmp_path / "runs" / "x").exists()


def test_own_configs_and_relative_texts_are_found_again(
    cli: Command, small_gan: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "mine" / "model").mkdir(parents=True)
    (tmp_path / "elsewhere").mkdir()
    conf = Path(__file__).parents[2] / "conf" / "model" / "gan.yaml"
    (tmp_path / "mine" / "model" / "my.yaml").write_text(conf.read_text())
    lines = [f"the {a} {b} sits on the {c} ." for a in "abc" for b in "def" for c in "gh"]
    (tmp_path / "a.txt").write_text("\n".join(lines))
    words = [w for w in small_gan if not w.startswith(("data", "model=gan"))]
    words += ["model=my", "data=text", "data.train=a.txt", "--config-dir", "mine"]
    assert cli("pretrain", *words, "name=before").code == 0
    monkeypatch.chdir(tmp_path / "elsewhere")
    found = cli("adversarial-train", "--from", "../runs/before", "name=after")
    assert found.code == 0, found.err
    # The source may be deleted meanwhile: the run goes on from its own checkpoints.
    run = RunDir(tmp_path / "elsewhere" / "runs" / "after")
    run.update(status="running")
    import shutil

    shutil.rmtree(tmp_path / "runs")
    found = cli("train", "--resume", "after")
    assert found.code == 0, found.err


def test_without_from_it_takes_the_newest_finished_pretraining_and_says_so(
    cli: Command, pretrained: RunDir, small_gan: list[str]
) -> None:
    steps = "model.adversarial.steps=1"
    assert cli("adversarial-train", "--from", "before", steps, "name=adversarial").code == 0
    for name in ("again", "once-more"):  # the latest run is an adversarial one by now
        found = cli("adversarial-train", steps, f"name={name}")
        assert found.code == 0, found.err
        assert f"from {pretrained.path}, the newest pretrained run" in found.err
        run = listing.find(name, Path("runs"))
        assert run.settings.from_run == str(pretrained.path)
    pretrained.update(status="stopped")
    found = cli("adversarial-train", steps, "name=no")
    assert found.code == 2 and "no finished run of gantext pretrain in runs" in found.err
