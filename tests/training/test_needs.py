"""What a run needs of memory: by hand, for each model, and refused with the numbers."""

import dataclasses
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from torch import nn

from gantext import data, models
from gantext.config.compose import compose
from gantext.config.settings import Phases
from gantext.data.memory import Memory
from gantext.errors import UserError
from gantext.models.contract import Task
from gantext.runs.folder import RunDir
from gantext.training import needs
from gantext.training.needs import Needs, needs_of, outputs, said
from tests.conftest import (
    SMALL_DPR_GAN,
    SMALL_GAN,
    SMALL_IMAGE_GAN,
    SMALL_LEAKGAN,
    SMALL_MLE,
    SMALL_VAE,
    Command,
)

MODELS = [SMALL_MLE, SMALL_GAN, SMALL_LEAKGAN, SMALL_VAE, SMALL_IMAGE_GAN, SMALL_DPR_GAN]
CPU = torch.device("cpu")


def test_what_the_layers_of_a_network_write() -> None:
    """Of 7 words: an embedding of 3, an LSTM's 4 x 5 gates twice, a layer of 8: 7 x 51. The scores
    of the 11 words are made for some tokens at a time."""
    layers = [nn.Embedding(11, 3), nn.LSTM(3, 5), nn.Linear(5, 8), nn.Linear(8, 11)]
    task = Task(11, 7, 1, torch.zeros(11, dtype=torch.bool), CPU)
    assert outputs(nn.ModuleList(layers), task) == 7 * (3 + 20 + 20 + 8)


def test_the_parts_of_what_a_language_model_needs() -> None:
    settings = compose(SMALL_MLE)
    loaded = data.load(settings.data)
    V, T = len(loaded.vocabulary), loaded.max_length
    # Tied embedding (V, 8) and a bias V; the LSTM's 4 x 8 gates of 8 + 8 inputs and two biases;
    # the projection 8 x 8 and its bias. Four numbers of 4 bytes each.
    weights = 8 * V + V + 32 * 16 + 64 + 72
    found = needs_of(settings, loaded)
    assert found.model == 16 * weights
    assert found.batch == 2 * 4 * 8 * T * (8 + 32 + 32 + 8)
    # A token takes 2 bytes, a letter 1; where words and text of a sentence are, four times 8.
    splits = (loaded.train, loaded.validation, loaded.test)
    tokens = sum(int(split.tokens.lengths.sum()) for split in splits)
    letters = sum(len("".join(split.text)) for split in splits)
    assert found.data == 2 * tokens + letters + 32 * (64 + 10 + 30) and found.rows == 8


def test_updates_of_a_step_need_memory_one_by_one() -> None:
    """A thousand updates of D on 8 + 8 rows, and of phases that are left out none."""
    many = [*SMALL_GAN, "model.d_training.batch_size=8", "model.d_training.steps=1000"]
    settings = compose([*many, "model.adversarial.batch_size=9", "model.mle.batch_size=7"])
    loaded = data.load(settings.data)
    assert needs_of(settings, loaded).rows == 16
    pretraining = dataclasses.replace(settings, phases=Phases.pretrain)
    assert needs_of(pretraining, loaded).rows == 8


@pytest.mark.parametrize("words", MODELS, ids=lambda words: words[0])
def test_every_model_is_measured_without_its_memory(words: list[str]) -> None:
    """On data with few facts: the model's weights are those of its own build."""
    from gantext.models.build import build, task_of

    settings = compose(words)
    loaded = data.load_for(settings.data, models.reads(settings.model.name))
    found = needs_of(settings, loaded)
    built = build(settings.model, 1, task_of(loaded, CPU))
    weights = {id(w): w for net in built.networks().values() for w in net.parameters()}
    assert found.model == sum((16 if w.requires_grad else 4) * w.numel() for w in weights.values())
    assert found.batch > 0 and found.data > 0
    assert found.total < 1 << 28


def test_a_run_that_cannot_fit_is_refused_unless_forced(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(needs, "available", lambda: Memory(1000, 500, "this machine"))
    small, tight, large = (Needs(100, 200, n, 4, 50) for n in (50, 300, 701))
    line = "memory: about 400 B of 1.0 KiB: model 100 B, batch 200 B, data 50 B"
    assert said(small, CPU, False) == line
    assert said(dataclasses.replace(small, judge=50), CPU, False) == f"{line}, judge 50 B".replace(
        "400", "450"
    )
    assert said(tight, CPU, False).endswith("; only 500 B are free")
    with pytest.raises(
        UserError, match=r"^the run would take about 1\.0 KiB .* --force goes on$"
    ) as e:
        said(large, CPU, False)
    assert "(model and optimiser 100 B, batch 200 B of 4, data 701 B, torch 50 B) of" in str(
        e.value
    )
    assert said(large, CPU, True).startswith("memory: about 1.0 KiB")


def test_arrays_of_any_library_are_data() -> None:
    split = SimpleNamespace(tokens=torch.zeros(3, dtype=torch.int64), pixels=np.zeros(5), text="x")
    assert needs._bytes(split) == 3 * 8 + 5 * 8


def test_a_model_too_large_is_refused_before_a_run_is_made(
    cli: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    words = [*SMALL_MLE, "model.generator.hidden=16384", "model.generator.layers=60", "name=r"]
    found = cli("train", *words)
    assert found.code == 2, found.err
    assert found.errors[-1].startswith("error: the run would take about 1.9 TiB (model and opti")
    assert not list(tmp_path.glob("runs/*"))
    # Little memory: a run, its resume and a sweep's jobs are refused, and --force goes on.
    monkeypatch.setattr(needs, "available", lambda: Memory(1000, 500, "this machine"))
    words = [*SMALL_MLE, "model.mle.epochs=1", "eval.samples=10"]
    found = cli("train", "-m", *words, "seed=1,2", "name=s")
    assert found.code == 1 and found.err.count("the run would take about") == 2
    found = cli("train", *words, "--force", "name=r")
    assert found.code == 0 and "memory: about" in found.err
    assert RunDir(tmp_path / "runs" / "r").settings.force


def test_resume_asks_for_memory_too(
    cli: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    words = [*SMALL_MLE, "model.mle.epochs=1", "eval.samples=10"]
    assert cli("train", *words, "name=r").code == 0
    RunDir(tmp_path / "runs" / "r").update(status="stopped")
    monkeypatch.setattr(needs, "available", lambda: Memory(1000, 500, "this machine"))
    found = cli("train", "--resume", "r")
    assert found.code == 2 and found.errors[-1].endswith("--force goes on"), found.err
    assert cli("train", "--resume", "r", "--force").code == 0
