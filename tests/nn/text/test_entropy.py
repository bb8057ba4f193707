"""The weight by which a policy gradient leaves the entropy: by enumeration, and its bounds."""

import math

import pytest
import torch
from torch import Tensor

from gantext.errors import UserError
from gantext.nn import ranks
from gantext.nn.text.entropy import (
    HeldEntropy,
    bonus,
    check_entropy,
    held_of,
    settled_entropy,
)
from gantext.nn.text.output_layer import OutputLayer, PolicyLoss, policy_nll
from tests.nn.threaded_ranks import of_ranks
from tests.pretended_gpu import pretended_gpu

TOKENS = torch.tensor([[4, 5, 6], [6, 0, 0]])  # 4 words
ODDS = torch.tensor([0.5, 0.25, 0.25])
REWARDS = torch.tensor([2.0, -1.0, 0.5])  # the likely word is preferred


def of_words(*log_prob: float, entropy: float = 1.0) -> PolicyLoss:
    return PolicyLoss(torch.zeros(()), torch.tensor(log_prob), torch.full((4,), entropy))


def test_it_is_the_slope_of_rewards_on_surprise() -> None:
    """log p + H of 4 words: 0, -1, 1, 2; with rewards 1, -1, 0, 2 these are 0 + 1 + 0 + 4 over
    0 + 1 + 1 + 4."""
    held = HeldEntropy()
    assert held.weight == 0.0
    held.learn(torch.tensor([1.0, -1.0, 0.0, 2.0]), of_words(-1.0, -2.0, 0.0, 1.0), TOKENS)
    assert held.weight.item() == pytest.approx(5 / 6)
    held.learn(torch.zeros(4), of_words(-1.0, -1.0, -1.0, 1.0), TOKENS)  # 0 over 4
    assert held.weight.item() == pytest.approx(0.9 * 5 / (0.9 * 6 + 0.1 * 4))
    found = bonus(held, "held", TOKENS)
    assert isinstance(found, Tensor) and found.tolist() == pytest.approx([held.weight.item()] * 4)


def test_on_a_gpu_padding_takes_no_part() -> None:
    """There 6 places are computed, of which <pad>'s are 9 here, and count nothing."""
    with pretended_gpu():
        held = held_of("held", torch.device("cuda"))
        assert held is not None
        log_prob = torch.tensor([-1.0, -2.0, 0.0, 1.0, 8.0, 8.0]).to("cuda")
        drawn = PolicyLoss(torch.zeros(()), log_prob, torch.ones(6).to("cuda"))
        there = TOKENS.to("cuda")
        held.learn(torch.tensor([1.0, -1.0, 0.0, 2.0, 5.0, 5.0]).to("cuda"), drawn, there)
        assert held.weight.item() == pytest.approx(5 / 6)
        found = bonus(held, "held", there)
        assert isinstance(found, Tensor)
        assert found.cpu().tolist() == pytest.approx([5 / 6] * 4 + [0, 0])


def test_ranks_learn_of_all_words() -> None:
    """The second has other words: 5 + 3 over 6 + 2."""

    def work() -> float:
        held, first = HeldEntropy(), ranks.current().number == 0
        given = (1.0, -1.0, 0.0, 2.0) if first else (3.0, 0.0, 0.0, 0.0)
        drawn = of_words(-1.0, -2.0, 0.0, 1.0) if first else of_words(0.0, -2.0, -1.0, -1.0)
        held.learn(torch.tensor(given), drawn, TOKENS)
        return held.weight.item()

    assert of_ranks(2, work) == [pytest.approx(8 / 8)] * 2


def test_the_entropy_stays_by_enumeration() -> None:
    """Three words, each once by its odds in a batch of four. Along the natural gradient, d log p of
    a word is its reward less the mean one, and the entropy falls; with the weight it does not."""
    logits = ODDS.log().requires_grad_()
    words, mean = torch.tensor([0, 0, 1, 2]), (ODDS * REWARDS).sum()
    weights = (REWARDS - mean)[words] / 4
    layer = OutputLayer(logits[:, None], torch.zeros(3))
    held = HeldEntropy()
    for _ in range(2):
        drawn = policy_nll(layer, torch.ones(4, 1), words, weights, held.weight.expand(4))
        (gradient,) = torch.autograd.grad(drawn.loss, logits)
        natural = -gradient / ODDS  # of the Fisher matrix, diag(p) - p p', but for a constant
        change = (ODDS * (natural - (ODDS * natural).sum()) * (ODDS.log() + 1)).sum()
        if held.weight == 0:
            assert change > 0.1  # of the mean of log p
        held.learn(weights, drawn, torch.tensor([[4], [4], [5], [6]]))
    assert held.weight > 0 and change.item() == pytest.approx(0, abs=1e-6)


def test_words_that_it_takes() -> None:
    assert settled_entropy("auto", known=True) == 0.0
    assert settled_entropy("auto", known=False) == "held"
    assert settled_entropy(0.5, known=False) == 0.5
    assert held_of(0.5, torch.device("cpu")) is None
    assert math.isclose(float(bonus(None, 0.5, TOKENS)), 0.5 / 4)
    check_entropy("held")
    with pytest.raises(UserError, match="entropy_weight=hold: it must be a number, held or auto"):
        check_entropy("hold")
