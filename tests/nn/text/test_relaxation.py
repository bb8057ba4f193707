"""Relaxed words: their noise, their gradient, and how the inverse temperature rises."""

import math

import pytest
import torch

from gantext.models.relgan.config import Schedule, inverse_temperature
from gantext.nn.text.relaxation import noisy_scores, relaxed_words, straight_through


def rng(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def test_the_noise_of_drawn_words_is_gumbel_noise() -> None:
    """Words drawn by p = (.6, .3, .1) are the largest of log p + g, and g of each word has the mean
    .5772 (Euler's constant) and the variance pi^2 / 6 = 1.645 of a Gumbel variable, whichever word
    was drawn: of 60,000 within .02 and .06, four standard errors."""
    p = torch.tensor([0.6, 0.3, 0.1])
    words = torch.multinomial(p, 60_000, replacement=True, generator=rng(1))
    noisy = noisy_scores(p.log().expand(60_000, 3).clone(), words, rng(2))
    assert torch.equal(noisy.argmax(1), words)
    noise = noisy - p.log()
    assert noise.mean(0).tolist() == pytest.approx([0.57722] * 3, abs=0.022)
    assert noise.var(0).tolist() == pytest.approx([math.pi**2 / 6] * 3, abs=0.07)
    assert noise.T.corrcoef().fill_diagonal_(0).abs().max() < 0.02


def test_a_relaxed_word_and_its_gradient() -> None:
    """w = softmax(2 (s + g)): dw_0 / ds_j = 2 w_0 ([j = 0] - w_j). A word that is never written has
    w = 0 and no gradient; the largest w is the drawn word's."""
    scores = torch.tensor([[0.0, math.log(2), -torch.inf, 0.0]] * 5, requires_grad=True)
    words = torch.tensor([1, 0, 1, 3, 0])
    found = relaxed_words(scores, words, 2.0, rng())
    assert found.sum(1).tolist() == pytest.approx([1.0] * 5)
    assert torch.equal(found.argmax(1), words) and not found[:, 2].any()
    found[:, 0].sum().backward()
    w = found.detach()
    wanted = 2 * w[:, :1] * (torch.tensor([1.0, 0, 0, 0]) - w)
    torch.testing.assert_close(scores.grad, wanted)


def test_straight_through_gives_words_forward_and_relaxed_ones_back() -> None:
    relaxed = torch.tensor([[0.2, 0.7, 0.1]], requires_grad=True)
    found = straight_through(relaxed, torch.tensor([1]))
    assert found.tolist() == [[0.0, 1.0, 0.0]]
    (found * torch.tensor([1.0, 2.0, 3.0])).sum().backward()
    assert relaxed.grad is not None and relaxed.grad.tolist() == [[1.0, 2.0, 3.0]]


@pytest.mark.parametrize(
    ("schedule", "step", "wanted"),
    [
        (Schedule.exponential, 50, 10.0),  # 100^(1/2)
        (Schedule.linear, 33, 34.0),  # 1 + 99 / 3
        (Schedule.quadratic, 33, 12.0),  # 1 + 99 / 9
        (Schedule.root, 11, 34.0),  # 1 + 99 sqrt(1/9)
        (Schedule.logarithmic, 9, 50.5),  # 1 + 99 ln 10 / ln 100
        (Schedule.sigmoid, 50, 50.5),  # 1 + 99 / 2
        (Schedule.none, 0, 100.0),
        *((schedule, 1000, 100.0) for schedule in Schedule),
    ],
)
def test_the_inverse_temperature_rises(schedule: Schedule, step: int, wanted: float) -> None:
    """To 100 over 100 steps; behind them it stays."""
    found = inverse_temperature(step, 100.0, 100, schedule)
    assert found == pytest.approx(wanted, abs=0.01)
