"""The discriminator's update: what it reports, by hand, and when it steps."""

import math
from dataclasses import replace

import pytest
import torch

from gantext.data.vocabulary import EOS, PAD
from gantext.errors import UserError
from gantext.nn.state import check_like
from gantext.nn.text.adversary import (
    Balance,
    DiscriminatorTrainer,
    DTrainingConfig,
    bce,
    fresh,
    untrained,
    weighted,
)
from gantext.nn.text.held_out import Rules
from gantext.nn.text.text_cnn import DiscriminatorConfig, TextCNN
from gantext.records.shape import Misfit
from tests.nn.threaded_ranks import of_ranks

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
    training = DTrainingConfig(balance=balance, **settings)
    return DiscriminatorTrainer(told, training, prefixes, graphs=False)


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


def test_at_the_ceiling_itself_it_waits() -> None:
    """.9 * .5 + .1 is as large as the ceiling."""
    adaptive = trainer(balance=Balance.adaptive, ceiling=0.9 * 0.5 + 0.1 * 1.0)
    assert adaptive.accuracy == 0.5
    assert "d_grad_norm" not in adaptive.step(REAL, FAKE, torch.Generator())


def test_the_penalty_is_a_part_of_what_it_steps_down() -> None:
    """The logits depend on no weight: of l2 (|W|^2 + b^2) / 2 the gradient is l2 (W, b)."""
    taught = trainer()
    taught.discriminator.config = replace(taught.discriminator.config, l2=0.5)
    output = taught.discriminator.output
    with torch.no_grad():
        output.weight.fill_(3.0)
        output.bias.fill_(2.0)
    norm = taught.step(REAL, FAKE, torch.Generator())["d_grad_norm"]
    assert norm == pytest.approx(0.5 * (9 * output.weight.numel() + 4) ** 0.5)


def test_ranks_tell_their_own_rows() -> None:
    """Each sees every other sentence, as many of either kind."""

    def work() -> tuple[list[int], list[int], float]:
        told = trainer().tell(REAL, FAKE, torch.Generator())
        return (
            [len(each) for each in told.logits],
            [len(each) for each in told.weights],
            told.loss.item(),
        )

    losses = []
    for sizes, weights, loss in of_ranks(2, work):
        assert sizes == weights == [1, 1]
        losses.append(loss)
    whole = trainer().tell(REAL, FAKE, torch.Generator()).loss.item()
    assert sum(losses) / 2 == pytest.approx(whole)


def test_fresh_sentences_are_drawn_by_a_seed_that_the_generator_draws() -> None:
    seeds: list[int] = []

    def draw(n: int, rng: torch.Generator) -> torch.Tensor:
        seeds.append(rng.initial_seed())
        return FAKE[:n]

    own, other = (torch.Generator().manual_seed(7) for _ in range(2))
    for _ in range(2):
        assert torch.equal(fresh(draw, REAL, own), FAKE)
    assert seeds == [int(torch.randint(2**62, (), generator=other)) for _ in range(2)]
    assert max(seeds) > 2**40
    with pytest.raises(ValueError, match="nothing draws"):
        fresh(None, REAL, own)


def test_one_that_has_made_no_step_is_said() -> None:
    stepped, new = {"state": {0: {}}}, {"state": {}}
    assert untrained(stepped) == untrained(new, stepped) == untrained(None, stepped) == []
    assert untrained(new) == untrained(None) == untrained(new, None) != []


def test_looks_that_decide_and_what_they_tie() -> None:
    settings = trainer(look_every=5, patience=3).config
    assert settings.rules() == Rules(5, 3, decide=False, put_back=True) and settings.tied == ""
    deciding = replace(settings, balance=Balance.held_out)
    assert deciding.rules(put_back=False) == Rules(5, 3, decide=True, put_back=False)
    assert deciding.tied.startswith("its discriminator's best weights")
    deciding.check_with(None)
    replace(settings, look_every=0).check_with(None)
    with pytest.raises(UserError, match="look_every=0: balance=held_out decides by looks"):
        replace(deciding, look_every=0).check_with(None)
    fresh_real = replace(settings, fresh_real=True)
    fresh_real.check_with(lambda n, rng: REAL)
    with pytest.raises(UserError, match="no more sentences of this data can be drawn"):
        fresh_real.check_with(None)


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
        taught = DiscriminatorTrainer(network, settings, prefixes=False, graphs=False)
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
