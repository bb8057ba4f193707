"""The discriminator's update: what it reports, by hand, and when it steps."""

import math
from dataclasses import replace

import pytest
import torch

from gantext.data.vocabulary import EOS, PAD
from gantext.nn.state import check_like
from gantext.nn.text.adversary import Balance, DiscriminatorTrainer, DTrainingConfig, bce, weighted
from gantext.nn.text.text_cnn import DiscriminatorConfig, TextCNN
from gantext.records.shape import Misfit

REAL = torch.tensor([[4, 4, EOS], [4, EOS, PAD]])
FAKE = torch.tensor([[5, 5, EOS], [5, EOS, PAD]])
LOGIT = {4: 2.0, 5: -1.0, EOS: 0.5, PAD: 0.0}


class Told(TextCNN):
    """A discriminator whose logit of a sentence is that of its first word, of a prefix its last's.

    Two sentences with the same first word differ by a tenth of their length.
    """

    def logits(self, tokens, rng=None):
        shift = (tokens != PAD).sum(1) / 10 - 0.3
        return self.bias(torch.tensor([LOGIT[int(row[0])] for row in tokens])) + shift

    def logits_of(self, batches, rng):
        return [self.logits(tokens) for tokens in batches]

    def prefix_logits(self, tokens, rng=None):
        return self.bias(torch.tensor([[LOGIT[int(word)] for word in row] for row in tokens]))

    def bias(self, values):
        return values + 0.0 * self.output.bias.sum()


def trainer(
    prefixes: bool = False, balance: Balance = Balance.fixed, **values
) -> DiscriminatorTrainer:
    config = DiscriminatorConfig(
        embedding=4, widths=[1], filters=[2], dropout=0.0, l2=0.0, gate_bias=-1.0
    )
    told = Told(6, config, 3, torch.Generator().manual_seed(0))
    settings = {"pretrain_steps": 1, "batch_size": 2, "learning_rate": 0.1, "beta1": 0.5,
                "clip": 5.0, "temperature": 1.0, "fresh_real": False, "steps": 1, "ceiling": 0.8,
                "look_every": 0, "patience": 0,
                **values}  # fmt: skip
    return DiscriminatorTrainer(told, DTrainingConfig(balance=balance, **settings), prefixes)


def test_a_logit_of_0_is_not_taken_for_real() -> None:
    """Of all four sentences it is 0: no real one is on its side, both samples are."""

    class Undecided(Told):
        def logits(self, tokens, rng=None):
            return self.bias(torch.zeros(len(tokens)))

    undecided = trainer()
    undecided.discriminator.__class__ = Undecided
    found = undecided.step(REAL, FAKE, torch.Generator())
    assert (found["d_accuracy_real"], found["d_accuracy_fake"], found["d_gap"]) == (0, 1, 0)


def sigmoid(x: float) -> float:
    return 1 / (1 + math.exp(-x))


def test_losses_and_accuracies_by_hand() -> None:
    """Real logits 2, 1.9; fake -1, -1.1: every sentence is on its side."""
    found = trainer().step(REAL, FAKE, torch.Generator())
    real = [-math.log(sigmoid(2)), -math.log(sigmoid(1.9))]
    fake = [-math.log(1 - sigmoid(-1)), -math.log(1 - sigmoid(-1.1))]
    assert found["d_loss"].item() == pytest.approx((sum(real) + sum(fake)) / 4, rel=1e-5)
    assert found["d_real"].item() == pytest.approx((sigmoid(2) + sigmoid(1.9)) / 2, rel=1e-5)
    assert found["d_fake"].item() == pytest.approx((sigmoid(-1) + sigmoid(-1.1)) / 2, rel=1e-5)
    assert found["d_accuracy_real"] == found["d_accuracy_fake"] == 1
    assert found["d_gap"] == 0.5
    turned = trainer().step(FAKE, REAL, torch.Generator())
    assert turned["d_accuracy_real"] == turned["d_accuracy_fake"] == 0
    assert turned["d_gap"] == -0.5


def test_prefixes_are_weighed_by_the_words_that_are_there() -> None:
    """Real prefixes 2, 2, .5 and 2, .5 (no <pad>): all five over 0. Fake -1, -1, .5 and -1, .5:
    three of five under it.
    """
    found = trainer(prefixes=True).step(REAL, FAKE, torch.Generator())
    assert found["d_accuracy_real"].item() == 1
    assert found["d_accuracy_fake"].item() == pytest.approx(3 / 5)
    assert found["d_real"].item() == pytest.approx(
        (3 * sigmoid(2) + 2 * sigmoid(0.5)) / 5, rel=1e-5
    )
    assert found["d_gap"].item() == pytest.approx((1 + 3 / 5) / 2 - 0.5)


def test_the_running_accuracy_keeps_nine_tenths() -> None:
    """From .5 at an accuracy of 1: .55, .595, ...; the ceiling of .58 is passed at the second."""
    adaptive = trainer(balance=Balance.adaptive, ceiling=0.58)
    first = adaptive.step(REAL, FAKE, torch.Generator())
    assert adaptive.accuracy == pytest.approx(0.55) and "d_grad_norm" in first
    second = adaptive.step(REAL, FAKE, torch.Generator())
    assert adaptive.accuracy == pytest.approx(0.595) and "d_grad_norm" not in second


def test_a_weighted_cross_entropy_by_hand() -> None:
    """Logits 0 and ln 3 against 1: ln 2 and ln 4/3, weighted 1 and 3."""
    logits, weights = torch.tensor([0.0, math.log(3)]), torch.tensor([1.0, 3.0])
    expected = (math.log(2) + 3 * math.log(4 / 3)) / 4
    assert bce(logits, weights, 1.0).item() == pytest.approx(expected, rel=1e-6)
    assert weighted(torch.tensor([1.0, 3.0]), weights).item() == 2.5


def test_the_optimiser_steps_as_torchs_plain_one() -> None:
    """Three updates of random sentences: weights to 1e-6."""
    tokens = torch.randint(3, 6, (2, 4, 3), generator=torch.Generator().manual_seed(1))
    found = []
    for fused in (True, None):
        config = DiscriminatorConfig(
            embedding=4, widths=[1, 2], filters=[2, 3], dropout=0, l2=0, gate_bias=-1
        )
        network = TextCNN(6, config, 3, torch.Generator().manual_seed(0))
        settings = DTrainingConfig(1, 4, 0.1, 0.5, 5.0, 1.0, False, 1, Balance.fixed, 0.8, 0, 0)
        taught = DiscriminatorTrainer(network, settings, prefixes=False)
        assert taught.optimiser.param_groups[0]["fused"] is True
        taught.optimiser.param_groups[0]["fused"] = fused
        for _ in range(3):
            taught.step(*tokens, torch.Generator())
        found.append(torch.cat([weight.detach().flatten() for weight in network.parameters()]))
    torch.testing.assert_close(*found, rtol=1e-6, atol=1e-6)


def test_adam_and_the_gates_begin_as_they_are_told_to() -> None:
    taught = trainer(beta1=0.9)
    assert taught.optimiser.param_groups[0]["betas"] == (0.9, 0.999)
    assert (taught.discriminator.gate.bias == -1.0).all()
    config = replace(taught.discriminator.config, gate_bias=0.25)
    assert (TextCNN(6, config, 3, torch.Generator()).gate.bias == 0.25).all()


def test_an_optimiser_from_before_it_was_fused_goes_on_as_it_began() -> None:
    own = trainer().optimiser
    state = own.state_dict()
    group = state["param_groups"][0] | {"betas": [0.5, 0.999], "fused": None}
    check_like(own.state_dict(), {**state, "param_groups": [group]})
    own.load_state_dict({**state, "param_groups": [group]})
    assert own.param_groups[0]["fused"] is None
    with pytest.raises(Misfit, match="fused"):
        check_like(own.state_dict(), {**state, "param_groups": [group | {"fused": "yes"}]})
