"""Optimisers that are made late, against torch's own."""

import copy
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from gantext.nn.optim import Optimiser
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
    state["optimiser"]["param_groups"][0].pop("lr")
    with pytest.raises(Damaged, match='expected one with "lr"'):
        restore(part, state, place, "part", to_train=False)
