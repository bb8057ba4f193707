"""Optimisers that are made late, against torch's own."""

import copy
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from gantext.nn.optim import Optimiser, clipped_step
from gantext.nn.state import NamedParts, restore
from gantext.records.content import Damaged
from gantext.runs.state_tree import flatten, unflatten


def model() -> nn.Linear:
    made = nn.Linear(3, 2, bias=False)
    with torch.no_grad():
        made.weight.copy_(torch.arange(6.0).reshape(2, 3) / 7)
    return made


def stepped(network: nn.Linear, optimiser: Any, times: int) -> list[float]:
    for time in range(times):
        optimiser.zero_grad()
        torch.autograd.backward((network(torch.ones(1, 3)) * (1 + time)).square().sum())
        optimiser.step()
    return network.weight.flatten().tolist()


class Part(NamedParts):
    """A network and its optimiser, one of them in a part of its own."""

    def __init__(self) -> None:
        self.network = model()
        self.optimiser = Optimiser(torch.optim.AdamW, self.network.parameters(), 0.1, (0.5, 0.9))

    def parts(self) -> dict[str, Any]:
        """Both."""
        return {"network": self.network, "optimiser": self.optimiser}


def test_steps_and_states_are_torchs() -> None:
    own, theirs = model(), model()
    late = Optimiser(torch.optim.Adam, own.parameters(), 0.01, (0.5, 0.9), weight_decay=0.1)
    made = torch.optim.Adam(theirs.parameters(), 0.01, (0.5, 0.9), weight_decay=0.1)
    assert not late.stepped and late.state_dict() == made.state_dict() and not late.stepped
    assert stepped(own, late, 3) == stepped(theirs, made, 3)
    again, after = model(), copy.deepcopy(own)
    again.load_state_dict(own.state_dict())
    resumed = Optimiser(torch.optim.Adam, again.parameters(), 0.7)
    resumed.load_state_dict(copy.deepcopy(late.state_dict()))
    assert resumed._made is None and resumed.stepped and late.stepped
    assert stepped(again, resumed, 2) == stepped(own, late, 2) != after.weight.flatten().tolist()
    assert resumed.param_groups[0]["lr"] == 0.01


def test_gradients_are_clipped_together_or_each_by_itself() -> None:
    """Gradients 3 and .4, their norm sqrt(9.16), clipped at 1: divided by it, or apart 1 and .4."""
    for apart, expected in ((False, [3 / 9.16**0.5, 0.4 / 9.16**0.5]), (True, [1.0, 0.4])):
        both = nn.ModuleList([nn.Linear(1, 1, bias=False) for _ in range(2)])
        before = [weight.item() for weight in both.parameters()]
        loss = 3 * both[0].weight.sum() + 0.4 * both[1].weight.sum()
        descent = torch.optim.SGD(both.parameters(), 1.0)
        norm = clipped_step(descent, list(both) if apart else both, loss, 1.0)
        moved = [old - new.item() for old, new in zip(before, both.parameters(), strict=True)]
        assert moved == pytest.approx(expected, rel=1e-4)
        assert norm.item() == pytest.approx(9.16**0.5)


def test_what_is_not_to_train_makes_none() -> None:
    trained, place = Part(), Path("state.json")
    stepped(trained.network, trained.optimiser, 1)
    tensors: dict[str, torch.Tensor] = {}
    state = unflatten(flatten(trained.state_dict(), tensors), tensors)
    part = Part()
    restore(part, state, place, "part", to_train=False)
    assert part.optimiser._made is None
    assert torch.equal(part.network.weight, trained.network.weight)
    state["optimiser"]["state"][0].pop("exp_avg")
    restore(Part(), state, place, "part", to_train=False)
    with pytest.raises(Damaged, match=r'"part.optimiser": found a list, expected a mapping'):
        restore(Part(), state, place, "part")
    state["optimiser"]["state"][0]["exp_avg"] = torch.zeros(3, 3)
    with pytest.raises(Damaged, match=r'"part.optimiser.exp_avg": .* expected .*\(2, 3\)'):
        restore(Part(), state, place, "part")
    state["optimiser"]["param_groups"][0].pop("lr")
    with pytest.raises(Damaged, match='expected one with "lr"'):
        restore(part, state, place, "part", to_train=False)


@pytest.mark.parametrize("fused", [True, None])
def test_what_is_kept_of_weights_sees_their_steps(fused: bool | None) -> None:
    """Torch's own fused step leaves the versions of weights as they are."""
    network = model()
    optimiser = Optimiser(torch.optim.Adam, network.parameters(), 0.1, fused=fused)
    seen = [network.weight._version]
    for _ in range(3):
        stepped(network, optimiser, 1)
        seen.append(network.weight._version)
    theirs = torch.optim.Adam(network.parameters(), 0.1, fused=fused)  # a plugin's own
    clipped_step(theirs, network, network(torch.ones(1, 3)).square().sum(), 1.0)
    seen.append(network.weight._version)
    assert len(set(seen)) == len(seen)
