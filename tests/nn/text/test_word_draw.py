"""One word a row: by inverse CDF, by noise, and the likeliest."""

import math

import pytest
import torch
from scipy.stats import chisquare

from gantext.data.vocabulary import PAD
from gantext.nn.rng import generator
from gantext.nn.text.word_draw import _first_above, draw, draw_by_noise
from tests.nn.text.test_sampling import draw_each, rng
from tests.pretended_gpu import pretended_gpu


@pytest.mark.parametrize("words", [5, 64, 130, 700])
def test_draw_equals_the_plain_inverse_cdf(words):
    """The two-level search finds the same index as one cumulative sum over all words."""
    logits = torch.randn(400, words, generator=rng(1)) * 3
    uniform = torch.rand(400, generator=rng(2), dtype=torch.float64)
    plain = logits.double().softmax(-1).cumsum(-1)
    expected = torch.searchsorted(plain / plain[:, -1:], uniform[:, None], right=True)[:, 0]
    assert (draw_each(logits, uniform) == expected).float().mean() > 0.995  # float32 at the borders


def test_draw_reaches_the_first_and_the_last_word_and_never_an_impossible_one():
    logits = torch.zeros(3, 131)
    logits[:, [0, 64, 129]] = -torch.inf
    edges = torch.tensor([0.0, 1 - 2**-53, 0.5], dtype=torch.float64)
    first, last, middle = draw_each(logits, edges).tolist()
    assert (first, last) == (1, 130)
    assert middle not in (0, 64, 129)
    uniform = torch.rand(20000, generator=rng(), dtype=torch.float64)
    many = draw(logits[:1], uniform, torch.zeros(20000, dtype=torch.long))
    assert set(many.tolist()) == set(range(131)) - {0, 64, 129}


@pytest.mark.parametrize("words", [3, 64, 131])
def test_rounded_up_to_1_it_draws_the_last_word_still(words):
    one = torch.ones(2, dtype=torch.float64)
    assert draw_each(torch.zeros(2, words), one).tolist() == [words - 1] * 2


def test_draw_has_the_tails_of_float32():
    """A word of probability 1e-6 comes about 10 times in 10^7 draws: 5 standard errors."""
    logits = torch.full((1, 100), -torch.inf)
    logits[0, 99], logits[0, 0] = torch.tensor(1e-6).log(), 0.0
    seen = 0
    generator = rng(5)
    for _ in range(10):
        u = torch.rand(10**6, generator=generator, dtype=torch.float64)
        seen += int((u > 1 / (1 + 1e-6)).sum())
        hits = u[u > 0.99]
        same = torch.zeros(len(hits), dtype=torch.long)
        assert torch.equal(draw(logits, hits, same) == 99, hits > 1 / (1 + 1e-6))
    assert 0 < seen < 26


def test_draws_by_noise_have_the_softmax_s_frequencies():
    """40,000 draws by Gumbel noise, chi-square; a word of probability 0 never comes."""
    logits = torch.tensor([0.0, -1.0, -torch.inf, 2.0, 0.5, -3.0])
    words = draw_by_noise(logits.expand(40_000, -1), rng(3))
    counts = torch.bincount(words, minlength=6).double()
    assert counts[2] == 0
    kept = [0, 1, 3, 4, 5]
    expected = logits.double().softmax(-1) * 40_000
    assert chisquare(counts[kept], expected[kept]).pvalue > 1e-3


@pytest.mark.parametrize("broken", [math.nan, math.inf])
def test_draws_by_noise_of_broken_logits_are_no_words(broken):
    logits = torch.zeros(2, 6)
    logits[1, 4] = broken
    whole, word = draw_by_noise(logits, rng()).tolist()
    assert word == PAD
    assert 0 <= whole < 6


def test_a_word_of_probability_exactly_0_is_never_drawn_at_the_edges():
    """At a uniform of 0, and just under 1, the neighbours of words that cannot be are drawn."""
    logits = torch.full((2, 70), -torch.inf)
    logits[:, [3, 66]] = 0.0
    edges = torch.tensor([0.0, 1 - 2**-53], dtype=torch.float64)
    assert draw_each(logits, edges).tolist() == [3, 66]
    half = torch.tensor([0.5 - 2**-53, 0.5], dtype=torch.float64)
    assert draw_each(logits, half).tolist() == [3, 66]


@pytest.mark.parametrize("words", [60, 64, 65, 128, 130])
def test_each_word_is_drawn_between_its_bounds(words):
    """Words that are alike, one of three of them impossible: of n kept ones the k-th lies between
    k / n and (k + 1) / n. Two prefixes, the second with the last word alone."""
    logits = torch.zeros(2, words)
    logits[0, 1::3], logits[1, :-1] = -torch.inf, -torch.inf
    kept = [word for word in range(words) if word % 3 != 1]
    middles = (torch.arange(len(kept), dtype=torch.float64) + 0.5) / len(kept)
    uniform, prefix = middles.repeat(2), torch.arange(2).repeat_interleave(len(kept))
    assert draw(logits, uniform, prefix).tolist() == kept + [words - 1] * len(kept)


def test_the_first_word_above_is_one_that_can_be():
    """Sums .5, 1, 1 of weights .5, .5, 0: at .5 itself the second; at 1, past all, the second too.
    Where no weight is a number, the first, which is <pad>."""
    sums, weights = torch.tensor([[0.5, 1.0, 1.0]]), torch.tensor([[0.5, 0.5, 0.0]])
    for target, wanted in ((0.0, 0), (0.49, 0), (0.5, 1), (1.0, 1), (2.0, 1)):
        assert _first_above(sums, torch.tensor([target]), weights).tolist() == [wanted]
    broken = torch.full((1, 3), torch.nan)
    assert _first_above(broken, torch.tensor([math.nan]), broken).tolist() == [PAD]


def test_a_gpu_draws_by_its_generator():
    """The same word by the same noise; by uniforms what a CPU draws."""
    logits, uniform = torch.randn(6, 70, generator=rng(1)), torch.rand(6, generator=rng(2))
    with pretended_gpu():
        there, cuda = logits.to("cuda"), torch.device("cuda")
        one, two = (draw_by_noise(there, generator(1, "a", cuda)).tolist() for _ in range(2))
        found = draw(there, uniform.to("cuda"), torch.arange(6).to("cuda")).tolist()
    assert one == two and found == draw_each(logits, uniform).tolist()
