"""Runs that are rewarded by another judge than the text CNN: trained, resumed, sampled."""

import shutil
from pathlib import Path

import pytest

from gantext.nn.text.judges import config as config_of
from gantext.nn.text.judges import encoder, pretrained, training
from gantext.runs.folder import RunDir
from tests.conftest import Command
from tests.nn.text.judges.characters import Characters

JUDGED = [
    "model.mle.epochs=1",
    "model.judge.steps=4",
    "model.judge.look_every=3",
    "model.judge.refresh_every=2",
    "model.judge.refresh_steps=1",
    "model.judge.encoder.base=package",
    "model.judge.encoder.batch_size=4",
    "model.adversarial.steps=4",
    "checkpoint.keep=50",
    "log.curve.every_steps=0",
    "log.curve.adversarial_every_steps=0",
]


def no_encoder(*given: object) -> None:
    raise AssertionError("the encoder was loaded")


@pytest.fixture
def planted(monkeypatch: pytest.MonkeyPatch) -> None:
    """A tiny encoder in the place of the package's."""
    monkeypatch.setattr(encoder, "load_encoder", lambda folder, device: Characters())
    for module in (config_of, training):
        monkeypatch.setattr(module, "encoder_id", lambda folder: "characters")
    monkeypatch.setattr(pretrained, "weights_size", lambda folder: 0)


def test_the_mean_of_three_judges_trains_and_goes_on_exactly(
    cli: Command,
    small_gan: list[str],
    tmp_path: Path,
    planted: None,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It is cut off amid the adversarial phase, behind a refreshing: a state of each kind is there;
    its samples need no encoder."""
    found = cli("train", *small_gan, *JUDGED, "model.judge.kind=mean", "name=whole")
    assert found.code == 0, found.err
    assert "the judge cnn and lm_ratio and encoder (characters), in a phase of its own" in found.err
    assert "phases: mle 8, discriminator 6, judge 4, adversarial 4 steps" in found.err
    whole = RunDir(tmp_path / "runs" / "whole")
    part = RunDir(shutil.copytree(whole.path, tmp_path / "runs" / "part"))
    for state in (part.path / "checkpoints").iterdir():
        if int(state.name[:9]) > 21:
            shutil.rmtree(state)
    (part.path / "result.json").unlink()
    part.update(status="stopped")
    resumed = cli("train", "--resume", "part")
    assert resumed.code == 0 and "going on with part at step 21" in resumed.err
    assert part.checkpoint().digest == whole.checkpoint().digest
    words = ["whole", "-n", "3", "--candidates", "2", "--judge=discriminator", "--force"]
    kept = cli("sample", *words)
    assert kept.code == 0 and "1 of 2 kept by discriminator" in kept.err, kept.err
    monkeypatch.setattr(encoder, "load_encoder", no_encoder)
    assert len(cli("sample", "whole", "-n", "3").out.splitlines()) == 3


def test_a_leakgan_is_rewarded_by_a_ratio_of_language_models(
    cli: Command, small_leakgan: list[str], tmp_path: Path
) -> None:
    """Its discriminator has the steps of pretraining alone, since the generator reads it."""
    words = [*JUDGED, "model.adversarial.steps=2", "model.judge.kind=lm_ratio", "name=a"]
    found = cli("train", *small_leakgan, *words)
    assert found.code == 0, found.err
    assert "phases: pretraining 8, judge 4, adversarial 2 steps" in found.err
    rows = RunDir(tmp_path / "runs" / "a").metrics()
    assert {row["phase"] for row in rows if "judge_nll" in row} == {"judge"}
    assert {row["phase"] for row in rows if "d_loss" in row} == {"pretraining"}
    assert {row["phase"] for row in rows if "policy_on" in row} == {"adversarial"}


def test_what_auto_took_is_in_the_config(
    cli: Command, small_gan: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "text.txt").write_text("a red cat sits .\nthe dog runs .\n" * 20)
    monkeypatch.setattr(config_of, "is_installed", lambda: False)
    own = ["data=text", f"data.train={tmp_path / 'text.txt'}", "data.validation=8"]
    kept = [word for word in (*small_gan, *JUDGED) if not word.startswith(("data", "model.judge"))]
    found = cli("pretrain", *kept, *own, "model.judge.steps=2", "name=a")
    assert found.code == 0, found.err
    judge = RunDir(tmp_path / "runs" / "a").settings.model.judge
    assert judge.kind is config_of.Kind.lm_ratio and judge.encoder.base == "none"
    asked = [*own[:2], "data.validation=0", "model.judge.kind=lm_ratio"]
    refused = cli("pretrain", *kept, *asked)
    assert refused.code == 2
    assert "no sentences are held out to check it on: data.val" in refused.errors[-1]
    prefix = cli("pretrain", *kept, *own, *asked[-1:], "model.adversarial.reward=prefix")
    assert prefix.code == 2
    assert "model.judge.kind=lm_ratio: it scores whole sentences" in prefix.errors[-1]
