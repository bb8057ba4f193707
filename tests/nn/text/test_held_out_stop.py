"""The end of a phase by a loss of held-out sentences that may rise by an allowance."""

import pytest
import torch
from torch import Tensor, nn

from gantext.data.vocabulary import EOS, PAD
from gantext.nn import ranks
from gantext.nn.text.held_out_stop import HeldOutStop, StopRules, nll
from tests.nn.threaded_ranks import of_ranks

REAL = torch.tensor([[4, EOS]])


def number(value: float) -> nn.Linear:
    network = nn.Linear(1, 1, bias=False)
    nn.init.constant_(network.weight, value)
    return network


def stop_of(network: nn.Linear, patience: int = 1) -> HeldOutStop:
    """Looks each second step at a loss that is the network's only weight."""
    rules = StopRules("nll_valid", 2, patience, allowance=0.5)
    return HeldOutStop(rules, lambda tokens: network.weight.detach().squeeze(), network, REAL)


def test_it_goes_on_as_at_the_last_look_within_the_allowance() -> None:
    """1 may become 1.5; that it was 1 again has no part in it."""
    network = number(1.0)
    stop = stop_of(network)
    assert stop.begin() == {"nll_valid": 1.0}
    assert stop.limit == 1.5
    for loss, ends in ((1.25, False), (1.0, False), (1.5, False), (1.75, True)):
        nn.init.constant_(network.weight, loss)
        assert stop.waited_in_vain() is None
        assert stop.step() == {}
        assert stop.step() == {"nll_valid": loss}
        assert stop.ended is ends
    assert stop.waited_in_vain() == ("nll_valid", 1.5, 6, 1.5)
    assert network.weight.item() == 1.5


def test_a_look_within_it_forgives_those_over_it() -> None:
    network = number(1.0)
    stop = stop_of(network, patience=2)
    stop.begin()
    for loss in (1.75, 1.25, 1.75):
        nn.init.constant_(network.weight, loss)
        stop.step(), stop.step()
        assert stop.waited_in_vain() is None
    stop.step(), stop.step()
    assert stop.waited_in_vain() == ("nll_valid", 1.25, 4, 1.5)


def test_its_state_goes_round() -> None:
    network = number(1.0)
    stop = stop_of(network)
    stop.begin()
    nn.init.constant_(network.weight, 1.25)
    stop.step(), stop.step()
    again = stop_of(network)
    again.load_state_dict(stop.state_dict())
    assert (again.limit, again.best, again.best_step) == (1.5, 1.25, 2)
    assert again.begin() == {}  # it has begun


def test_nats_per_word_of_sentences_of_different_lengths() -> None:
    """4 words in all, their ends counted, and e^-6 in all."""

    def log_prob(tokens: Tensor) -> Tensor:
        return torch.tensor([-1.0, -5.0]) * len(tokens) / 2

    rows = torch.tensor([[EOS, PAD, PAD], [4, 5, EOS]])
    assert nll(log_prob)(rows).item() == pytest.approx(6 / 4)


def watched(network: nn.Linear, every: int, patience: int, real: Tensor | None) -> HeldOutStop:
    """Without an allowance: a look is good that is better than the best."""
    rules = StopRules("nll_valid", every, patience)
    return HeldOutStop(rules, lambda tokens: network.weight.detach().squeeze(), network, real)


def test_without_an_allowance_the_best_goes_on() -> None:
    """Only what is lower than the best is better: 0.75 again is in vain."""
    network = number(1.0)
    stop = watched(network, 1, 2, REAL)
    stop.begin()
    for loss, waited in ((0.75, 0), (0.75, 1), (0.5, 0), (0.5, 1), (0.625, 2)):
        assert not stop.ended and stop.limit is None
        nn.init.constant_(network.weight, loss)
        assert stop.step() == {"nll_valid": loss} and stop.waited == waited
    assert stop.waited_in_vain() == ("nll_valid", 0.5, 3, None) and network.weight.item() == 0.5


def test_without_patience_steps_or_sentences_it_never_ends() -> None:
    network = number(1.0)
    stop = watched(network, 1, 0, REAL)
    stop.begin()
    for loss in (2.0, 3.0, 4.0):
        nn.init.constant_(network.weight, loss)
        stop.step()
    assert (stop.waited, stop.ended, stop.first, stop.best) == (3, False, 1.0, 1.0)
    for every, real in ((0, REAL), (1, None), (1, REAL[:0])):
        never = watched(network, every, 1, real)
        assert never.begin() == never.step() == {} and never.steps == 1 and never.best is None


def test_nothing_is_known_at_first() -> None:
    state = watched(number(1.0), 1, 2, REAL).state_dict()
    assert state.pop("kept")["weight"].item() == 1
    assert state == {
        "steps": 0, "first": None, "best": None, "best_step": 0, "waited": 0, "ended": False,
    }  # fmt: skip


def test_ranks_look_at_the_mean_of_their_losses() -> None:
    """1 and 2: both have 1.5."""

    def work() -> float | None:
        network = number(1.0 + ranks.current().number)
        stop = watched(network, 1, 2, REAL)
        stop.begin()
        return stop.best

    assert of_ranks(2, work) == [1.5, 1.5]
