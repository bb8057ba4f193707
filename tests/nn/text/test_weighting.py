"""Words weighted by their probability: weights and losses by hand, gradients as of held weights."""

import math
from collections.abc import Callable
from functools import partial

import pytest
import torch
from torch import Tensor

from gantext.data.vocabulary import EOS, PAD
from gantext.nn.text.fitting import MLEConfig, mean_nll, weighted_nll
from gantext.nn.text.language_model import GeneratorConfig, LanguageModel
from gantext.nn.text.lstm import Init
from gantext.nn.text.output_layer import OutputLayer, mean_word_nll
from gantext.nn.text.weighting import Weigh, Weighting, mixce_weights, tailr_weights

GAMMA, ETA = 0.5, 0.3
TAILR: Weigh = partial(tailr_weights, gamma=GAMMA, least=0.0)
MIXCE: Weigh = partial(mixce_weights, eta=ETA)


def rng(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def test_weights_by_hand() -> None:
    """TaiLr with gamma 1/2: p = 1/4: .25 / (.5 + .125) = .4; p = 1: 1; p = 0: 0, or the least.
    gamma 1e-7: p = 1e-7 has about 1/2, p = .01 nearly 1. MixCE: .3 + .7 / 2 = .65."""
    log_prob = torch.tensor([0.25, 1.0, 0.0]).log()
    assert TAILR(log_prob).tolist() == pytest.approx([0.4, 1.0, 0.0])
    assert tailr_weights(log_prob, GAMMA, 0.5).tolist() == pytest.approx([0.5, 1.0, 0.5])
    rare = tailr_weights(torch.tensor([1e-7, 0.01]).log(), 1e-7, 0.0)
    assert rare.tolist() == pytest.approx([0.5, 1.0], abs=1e-4)
    assert MIXCE(torch.tensor([0.5, 1.0]).log()).tolist() == pytest.approx([0.65, 1.0])


@pytest.mark.parametrize(("weigh", "weight"), [(TAILR, 0.4), (MIXCE, 0.475)])
def test_a_loss_by_hand(weigh: Weigh, weight: float) -> None:
    """Four words of p = 1/4 each: every word costs the weight times log 4, and by the score of the
    word that is there the mean of two falls by weight (1 - 1/4) / 2. TaiLr's weight is .4, MixCE's
    .3 + .7 / 4 = .475. A second word that counts nothing leaves the first one's loss whole."""
    bias = torch.zeros(4, requires_grad=True)
    layer, read = OutputLayer(torch.zeros(4, 2), bias), torch.ones(2, 2)
    loss, log_prob = mean_word_nll(layer, read, torch.tensor([1, 2]), None, weigh)
    loss.backward()
    assert loss.item() == pytest.approx(weight * math.log(4))
    assert log_prob.tolist() == pytest.approx([-math.log(4)] * 2)
    assert bias.grad is not None
    assert bias.grad[1].item() == pytest.approx(weight * (-0.75 + 0.25) / 2)
    assert bias.grad[0].item() == pytest.approx(weight * (0.25 + 0.25) / 2)
    counts = torch.tensor([1.0, 0.0])
    one, _ = mean_word_nll(layer, read, torch.tensor([1, 2]), counts, weigh)
    assert one.item() == pytest.approx(weight * math.log(4)) and counts.tolist() == [1, 0]


@pytest.mark.parametrize("weigh", [TAILR, MIXCE])
def test_the_gradient_is_that_of_held_weights(weigh: Weigh) -> None:
    """Central differences of the mean of w times -log p, w as it was at first, in float64."""
    features = torch.randn(5, 3, generator=rng(1), dtype=torch.float64)
    weight = torch.randn(7, 3, generator=rng(2), dtype=torch.float64).requires_grad_()
    bias, words = torch.zeros(7, dtype=torch.float64), torch.randint(7, (5,), generator=rng(3))
    loss, log_prob = mean_word_nll(OutputLayer(weight, bias), features, words, None, weigh)
    loss.backward()
    held, step = weigh(log_prob), 1e-5

    def moved(place: tuple[int, int], by: float) -> float:
        other = weight.detach().clone()
        other[place] += by
        found = torch.log_softmax(features @ other.T, 1).gather(1, words[:, None])[:, 0]
        return float(-(held * found).mean())

    assert weight.grad is not None
    for place in [(int(words[0]), 0), (int(words[3]), 2), (6, 1)]:
        slope = (moved(place, step) - moved(place, -step)) / (2 * step)
        assert weight.grad[place].item() == pytest.approx(slope, abs=1e-9), place


@pytest.mark.parametrize(
    ("weigh", "objective"),
    [
        (TAILR, lambda q: (GAMMA + (1 - GAMMA) * q).log() / (1 - GAMMA)),
        (partial(tailr_weights, gamma=1.0, least=0.0), lambda q: q),
        (MIXCE, lambda q: ETA * q.log() + (1 - ETA) * q),
    ],
    ids=["tailr", "total variation", "mixce"],
)
def test_the_expected_gradient_is_the_objective_s(
    weigh: Weigh, objective: Callable[[Tensor], Tensor]
) -> None:
    """All words x of a vocabulary of 4, as often as the data P has them: w grad log q(x) is the
    gradient of what is maximised. TaiLr: sum of P log(gamma + (1 - gamma) q) / (1 - gamma), with
    gamma 1 sum of P q; MixCE: eta times sum of P log q, and 1 - eta times sum of P q."""
    data = torch.tensor([0.5, 0.25, 0.125, 0.125], dtype=torch.float64)
    scores = torch.tensor([0.2, -0.5, 1.0, 0.0], dtype=torch.float64)
    bias = scores.clone().requires_grad_()
    read, words = torch.zeros(4, 1, dtype=torch.float64), torch.arange(4)
    layer = OutputLayer(torch.zeros(4, 1, dtype=torch.float64), bias)
    mean_word_nll(layer, read, words, data, weigh)[0].backward()
    wanted = scores.clone().requires_grad_()
    (data * objective(torch.softmax(wanted, 0))).sum().backward()
    assert bias.grad is not None and wanted.grad is not None
    torch.testing.assert_close(bias.grad, -wanted.grad)


def test_a_language_model_s_loss_is_weighted_and_its_nll_is_not() -> None:
    model = LanguageModel(9, GeneratorConfig(6, 5, 1, True, 0.0, 0.0, Init.mixed), rng(1))
    tokens = torch.tensor([[4, 5, EOS, PAD], [6, 7, 8, EOS]])
    plain = mean_nll(model, tokens, None)
    loss, found = weighted_nll(model, tokens, None, MIXCE)
    log_prob = model.token_log_prob(tokens)[tokens != PAD]
    torch.testing.assert_close(loss, -(MIXCE(log_prob) * log_prob).mean())
    torch.testing.assert_close(found["nll"], plain)
    torch.testing.assert_close(found["word_weight"], MIXCE(log_prob).mean())
    assert weighted_nll(model, tokens, None, None)[1] == {"nll": plain}


def test_a_config_weighs_as_it_says() -> None:
    """Of p = 1/2: TaiLr with gamma .5 .5 / .75 = 2/3, MixCE with eta .2 .2 + .8 / 2 = .6."""
    half = torch.tensor([0.5]).log()
    common = (1, 4, 0.1, 1.0, 0, 0.0, 0.95, 5.0, 0.0)
    assert MLEConfig(*common, Weighting.none, 0.5, 0.0, 0.2).weigh is None
    for kind, wanted in [(Weighting.tailr, 2 / 3), (Weighting.mixce, 0.6)]:
        weigh = MLEConfig(*common, kind, 0.5, 0.0, 0.2).weigh
        assert weigh is not None and weigh(half).item() == pytest.approx(wanted)
