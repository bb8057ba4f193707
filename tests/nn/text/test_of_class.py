"""Text by classes: shares, draws of classes, and the mixture of models word by word."""

import math

import pytest
import torch

from gantext.data.vocabulary import EOS, PAD
from gantext.nn.text.language_model import GeneratorConfig, LanguageModel
from gantext.nn.text.lstm import Init
from gantext.nn.text.of_class import (
    Mixture,
    drawn_classes,
    log_shares,
    marginal_log_prob,
    rows_of_classes,
    written_of,
)
from gantext.nn.text.sampling import SamplingOptions, decode

CPU = torch.device("cpu")
LOG_W = torch.tensor([0.25, 0.75]).log()


def rng(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def models() -> list[LanguageModel]:
    config = GeneratorConfig(6, 5, 2, True, 0.0, 0.0, Init.mixed)
    made = [LanguageModel(8, config, rng(seed)) for seed in (1, 2)]
    with torch.no_grad():
        for weight in (weight for model in made for weight in model.parameters()):
            weight.mul_(4.0)
    return made


def test_shares_by_hand() -> None:
    assert log_shares([1, 3, 0]).tolist() == pytest.approx(
        [math.log(0.25), math.log(0.75), -math.inf]
    )


def test_few_draws_are_each_for_as_many_rows() -> None:
    """Of 7 rows by 3 draws: 3, 3 and 1. As many draws as rows, more, or 0: each by itself."""
    drawn = drawn_classes(LOG_W, 7, rng(1), 3)
    three = torch.multinomial(LOG_W.exp(), 3, replacement=True, generator=rng(1))
    assert drawn.tolist() == three.repeat_interleave(3).tolist()[:7]
    plain = torch.multinomial(LOG_W.exp(), 7, replacement=True, generator=rng(1))
    for draws in (0, 7, 8):
        assert torch.equal(drawn_classes(LOG_W, 7, rng(1), draws), plain)
    assert drawn_classes(LOG_W, 4, rng(1), 1).unique().numel() == 1
    many = drawn_classes(LOG_W, 40_000, rng(2))
    assert many.float().mean().item() == pytest.approx(0.75, abs=0.01)


def test_each_row_is_written_by_its_class_s_model() -> None:
    labels, made, options = torch.tensor([1, 0, 1, 1]), models(), SamplingOptions()
    rows = {label: places.tolist() for label, places in rows_of_classes(labels)}
    assert rows == {0: [1], 1: [0, 2, 3]} and list(rows) == [0, 1]
    found = written_of(made.__getitem__, labels, 5, rng(3), options, CPU)
    noise = rng(3)
    assert torch.equal(found[[1]], decode(made[0], 1, 5, noise, options))
    assert torch.equal(found[[0, 2, 3]], decode(made[1], 3, 5, noise, options))


def test_a_mixture_is_the_sum_over_classes_word_by_word() -> None:
    """The product of its words' probabilities is the weighted sum of those of sentences."""
    made = models()
    tokens = torch.tensor([[4, 5, 6, EOS], [7, EOS, PAD, PAD], [6, 6, 4, 5]])
    mixture = Mixture(made, LOG_W)
    assert mixture.vocab_size == 8
    state, total, each = mixture.start(3), torch.zeros(3), []
    torch.testing.assert_close(state[0], LOG_W.expand(3, -1))
    with torch.no_grad():
        for t in range(4):
            log_prob = mixture.logits(state)
            torch.testing.assert_close(log_prob.exp().sum(1), torch.ones(3))
            valid = tokens[:, t] != PAD
            total += log_prob.gather(1, tokens[:, t : t + 1])[:, 0].where(valid, 0)
            after = mixture.advance(state, tokens[:, t])
            kept = after[0][~valid]
            torch.testing.assert_close(kept, state[0][~valid])  # <pad> says nothing of the class
            torch.testing.assert_close(after[0].exp().sum(1), torch.ones(3))
            state = after
        each = [model.token_log_prob(tokens, written=True).sum(1) for model in made]
        wanted = (torch.stack(each, 1) + LOG_W).logsumexp(1)
        torch.testing.assert_close(total, wanted)
        read = [model.token_log_prob(tokens).sum(1) for model in made]
        torch.testing.assert_close(
            marginal_log_prob(made, LOG_W, tokens), (torch.stack(read, 1) + LOG_W).logsumexp(1)
        )
    torch.testing.assert_close(
        state[0][0], torch.stack(each, 1)[0] + LOG_W - wanted[0], rtol=1e-4, atol=1e-4
    )
