"""Every row of the benchmark runs, and the plain ways do the product's work."""

import contextlib
import math
from pathlib import Path

import pytest
import torch

from bench import commands, gpu, memory, models, texts
from bench.__main__ import all_rows
from bench.children import Ended, ended, seconds_until
from bench.plain_leakgan import PlainLeakGAN
from bench.plain_seqgan import PlainDiscriminator, PlainLanguageModel
from bench.row import FULL, TINY, Row, least, ratios
from gantext.data.vocabulary import BOS, PAD
from tests.conftest import Command


def check_runs(rows: list[Row]) -> None:
    for row in rows:
        found = ratios(least(row.ways(TINY), rounds=1, budget=0))
        assert found and all(0 < ratio < math.inf for ratio in found.values()), row.name


def test_rows_of_models_and_texts_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    check_runs([*models.rows(TINY), *gpu.rows(TINY), *texts.rows(TINY)])


def test_rows_of_commands_and_memory_run(cli: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    """In this process, in the place of a new one for each; a report takes long, and has tests."""

    def run(words: list[str], folder: Path) -> Ended:
        with contextlib.chdir(folder):
            if words[:2] == ["-m", "gantext"]:
                result = cli(*words[2:])
                assert result.code == 0, result.err
            elif words[0] == "-c":
                exec(words[1], {})
            else:
                memory.main(*words[2:])
        return Ended(0.5, str(memory.peak()))

    for module in (commands, memory):
        monkeypatch.setattr(module, "ended", run)
    try:
        check_runs([*commands.rows(TINY), *memory.rows(TINY)])
    finally:
        commands.workshop.cache_clear()
        memory.texts.cache_clear()


def test_the_names_of_rows_are_all_different() -> None:
    names = [row.name for row in all_rows(FULL)]
    assert len(set(names)) == len(names)


@pytest.mark.parametrize("name", gpu.SHOWN)
def test_a_profile_has_what_takes_most(name: str) -> None:
    lines = gpu.profiled(name, TINY).splitlines()
    spent = [float(line.split("|")[3].replace(",", "")) for line in lines[4:]]
    assert len(spent) == gpu.FIRST and spent == sorted(spent, reverse=True) and spent[-1] > 0


def test_a_child_is_measured_or_its_words_are_said(tmp_path: Path) -> None:
    little = ended(["-c", "print('done')"], tmp_path)
    assert 0 < little.seconds < 5 and little.said == "done\n"
    with pytest.raises(RuntimeError, match="not today"):
        ended(["-c", "raise SystemExit('not today')"], tmp_path)


def test_a_child_is_measured_until_its_terminal_shows_something(tmp_path: Path) -> None:
    endless = "import time; print('here', flush=True); time.sleep(600)"
    assert 0 < seconds_until(b"here", ["-c", endless], tmp_path) < 5
    with pytest.raises(RuntimeError, match="nothing"):
        seconds_until(b"here", ["-c", "print('nothing')"], tmp_path)


def test_the_plain_language_model_has_the_models_likelihood() -> None:
    """Words that never come get no probability in the model, and here none in the plain one."""
    model = models.made(models.PAPER_GAN, TINY, TINY.length)
    with torch.no_grad():
        model.generator.output.bias[[PAD, BOS]] = -1e9
    tokens, twin = models.drawn(model, 4), PlainLanguageModel(model.generator).eval()
    wanted = -model.log_prob(tokens).mean() / TINY.length
    torch.testing.assert_close(twin.nll(tokens), wanted)
    assert twin.complete(tokens, TINY.length).equal(tokens)
    drawn = twin.complete(tokens, 2)
    assert drawn[:, :2].equal(tokens[:, :2]) and not drawn.equal(tokens)


def test_the_plain_discriminator_has_the_models_logits() -> None:
    model = models.made(models.GAN, TINY, TINY.length)
    tokens, twin = models.drawn(model, 4), PlainDiscriminator(model.discriminator).eval()
    torch.testing.assert_close(twin(tokens), model.discriminator.logits(tokens))


@pytest.mark.parametrize("overrides", [models.LEAKGAN, models.PAPER_LEAKGAN])
def test_the_plain_leakgan_has_the_models_losses(overrides: tuple[str, ...]) -> None:
    model = models.made(overrides, TINY, TINY.length)
    tokens, twin = models.drawn(model, 4), PlainLeakGAN(model)
    fast, slow = model.mle_loss(tokens, models.rng(TINY))[0], twin.pretraining_loss(tokens)
    torch.testing.assert_close(fast, slow, rtol=1e-5, atol=1e-5)
    rewards = torch.rand(tokens.shape, generator=models.rng(TINY))
    fast, slow = model.policy.loss(tokens, rewards)[0], twin.policy_loss(tokens, rewards)
    torch.testing.assert_close(fast, slow, rtol=1e-5, atol=1e-5)
    assert twin.complete(tokens, TINY.length).equal(tokens)
