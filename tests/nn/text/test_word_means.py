"""Means over words by the output layer: weighed, of few words, in chunks and beside other ranks."""

import pytest
import torch

from gantext.nn import ranks
from gantext.nn.text import output_layer
from gantext.nn.text.output_layer import OutputLayer, mean_word_nll, policy_nll, word_log_prob
from tests.nn.text import plain
from tests.nn.text.test_output_layer import TOKENS, WORDS, Case, rng
from tests.nn.threaded_ranks import of_ranks


def test_words_that_count_more_and_those_that_are_weighed() -> None:
    """The mean by counts, and a factor of each word by its log p, which leaves the divisor."""
    case = Case(torch.float64)
    counts = torch.arange(TOKENS, dtype=torch.float64) % 3
    plain_log_prob = plain.nll(case.layer, case.features, case.words, counts)[1]
    for given, weigh in (
        (None, lambda log_prob: log_prob.exp() + 2),
        (counts, lambda log_prob: log_prob.exp() + 2),
        (counts, None),
    ):
        share = torch.ones(TOKENS).double() if given is None else given
        factors = torch.ones(TOKENS).double() if weigh is None else weigh(plain_log_prob).detach()
        loss, log_prob = mean_word_nll(case.layer, case.features, case.words, given, weigh)
        wanted = -(share * factors * plain_log_prob).sum() / share.sum()
        torch.testing.assert_close(log_prob, plain_log_prob.detach())
        torch.testing.assert_close(loss, wanted)
        torch.testing.assert_close(case.gradients(loss), case.gradients(wanted))
        plain_log_prob = plain.nll(case.layer, case.features, case.words, counts)[1]


def test_few_words_and_none() -> None:
    """One word that counts: its own. None at all: a loss of 0, and nothing to score."""
    case = Case()
    wanted = -word_log_prob(case.layer, case.features, case.words)
    counts = torch.zeros(TOKENS)
    assert mean_word_nll(case.layer, case.features, case.words, counts)[0] == 0
    counts[7] = 1
    loss, _ = mean_word_nll(case.layer, case.features, case.words, counts)
    torch.testing.assert_close(loss.detach(), wanted[7])
    loss, _ = mean_word_nll(case.layer, case.features[:1], case.words[:1])
    torch.testing.assert_close(loss.detach(), wanted[0])
    none = mean_word_nll(case.layer, case.features[:0], case.words[:0])
    assert none[0] == 0 and none[1].shape == (0,)


@pytest.mark.parametrize("words", [1, 2, 16, 40])
def test_chunks_of_any_number_of_tokens_hold_each_once(
    words: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One feature, so that a chunk may be a single token."""
    read, picked = torch.randn(5, 1, generator=rng(1)), torch.tensor([4, 2, 9, 3, 4])
    weight = torch.randn(WORDS, 1, generator=rng(2)).requires_grad_()
    layer, weights = OutputLayer(weight, torch.zeros(WORDS)), torch.arange(5.0)
    wanted = plain.nll(layer, read, picked, weights)
    monkeypatch.setattr(output_layer, "CHUNK_ELEMENTS", {"cpu": words})
    found = policy_nll(layer, read, picked, weights)
    torch.testing.assert_close(tuple(found), wanted)
    (gradient,) = torch.autograd.grad(found.loss, weight)
    torch.testing.assert_close(gradient, torch.autograd.grad(wanted[0], weight)[0])
    torch.testing.assert_close(word_log_prob(layer, read, picked), wanted[1].detach())


def test_ranks_give_their_shares_of_a_mean() -> None:
    """Of 3 and 5 words: sums over 4, the mean number, so that the mean of both is that of all."""
    case = Case()
    own = [slice(0, 3), slice(3, 8)]
    nll = -word_log_prob(case.layer, case.features, case.words)
    given = case.layer, case.features.detach(), case.words

    def work() -> tuple[float, float]:
        layer, (read, words) = given[0], (part[own[ranks.current().number]] for part in given[1:])
        counts = torch.ones(len(words))
        losses = [mean_word_nll(layer, read, words, each)[0] for each in (None, counts)]
        return losses[0].item(), losses[1].item()

    for rows, found in zip(own, of_ranks(2, work), strict=True):
        assert found == pytest.approx([float(nll[rows].sum()) / 4] * 2)
