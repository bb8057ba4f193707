"""The judge lm-ratio: backward sentences, its logit, and what is kept of it."""

import dataclasses
from pathlib import Path

import pytest
import torch

import gantext
from gantext.config.compose import compose
from gantext.data.flat import Tokens
from gantext.data.vocabulary import EOS, PAD
from gantext.inference.judges import lm_ratio as judge_of
from gantext.inference.judges.lm_ratio import lm_ratio
from gantext.inference.judges.sides import Sides
from gantext.nn.text.judges.lm_ratio import BACKWARD, RATIO, reversed_words, rows_of


def test_words_are_turned_round_and_the_end_stays() -> None:
    rows = [[5, 6, 7, EOS], [8, EOS], [EOS], [5, 6, 7, 8]]
    turned = [[7, 6, 5, EOS], [8, EOS], [EOS], [8, 7, 6, 5]]
    tokens = Tokens.of(rows).take([0, 1, 2, 3])
    found = reversed_words(tokens)
    assert found.padded().tolist() == Tokens.of(turned).padded().tolist()
    assert reversed_words(rows_of(tokens.padded(6))).padded().tolist() == found.padded().tolist()


def test_its_logit_is_the_ratio_and_its_model_is_trained_once(
    trained: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr(judge_of, "BACKWARD", dataclasses.replace(judge_of.BACKWARD, steps=2))
    run, said = gantext.load_run(trained).trained, list[str]()
    sides = Sides(run)
    judge = lm_ratio(sides, said.append)
    assert said == ["run: training the backward language model of lm-ratio, step 0 of 2"]
    rows = sides.padded(sides.held_out)
    for row, value in zip(rows[:3], judge.logits(rows)[:3], strict=True):
        words = row[(row != PAD) & (row != EOS)]
        backward = torch.cat([words.flip(0), torch.tensor([EOS])])[None]
        wanted = judge.backward.token_log_prob(backward).sum() - run.algorithm.log_prob(row[None])
        assert float(value) == pytest.approx(float(wanted), abs=1e-3)
    monkeypatch.setattr(judge_of, "fit_lm", None)  # it would fail
    again = lm_ratio(sides, said.append)
    assert again.digest == judge.digest and len(said) == 1
    assert torch.equal(again.logits(rows), judge.logits(rows))


def test_each_two_hundredth_step_is_said(
    trained: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))

    def fitted(rows, vocabulary, seed, device, config, begun):
        for step in range(401):
            begun(step)
        return judge_of.untrained(vocabulary, seed, device, config)

    monkeypatch.setattr(judge_of, "fit_lm", fitted)
    said = list[str]()
    lm_ratio(Sides(gantext.load_run(trained).trained), said.append)
    assert [line.rsplit("step ")[-1].split()[0] for line in said] == ["0", "200", "400"]


@pytest.mark.parametrize("model", ["gan", "leakgan"])
def test_a_run_is_rewarded_by_the_ratio_that_keeps_candidates(model: str) -> None:
    """The defaults of model.judge.lm_ratio and of --judge lm-ratio are the same."""
    judge = compose([f"model={model}"]).model.judge
    assert judge.lm_ratio == RATIO and judge.steps == BACKWARD.steps
