"""Optimisers that are made late, against torch's own."""

import copy
import math
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from torch import nn

from gantext.nn import ranks
from gantext.nn.optim import (
    Optimiser,
    clipped_step,
    cosine_rate,
    descend,
    frozen,
    set_rate,
    tied_by_rate,
)
from gantext.nn.state import NamedParts, restore
from gantext.records.content import Damaged
from gantext.runs.state_tree import flatten, unflatten
from tests.nn.threaded_ranks import of_ranks


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
    descend(theirs, network(torch.ones(1, 3)).square().sum())
    assert network.weight._version != seen[-1]


@pytest.mark.parametrize(
    ("devices", "fused"),
    [(["cuda", "cuda"], True), (["cuda", "cpu"], None), (["cpu"], None), ([], None)],
)
def test_steps_are_fused_where_all_weights_are_on_a_gpu(
    devices: list[str], fused: bool | None
) -> None:
    weights: Any = [SimpleNamespace(device=torch.device(name)) for name in devices]
    with (optimiser := Optimiser(torch.optim.Adam, weights, 0.125)).resting():
        (group,) = optimiser.state_dict()["param_groups"]
    assert group.get("fused") is fused
    assert (group["lr"], group["betas"], group["params"]) == (
        0.125, (0.9, 0.999), list(range(len(devices))),
    )  # fmt: skip


def test_it_rests_only_within_the_block_and_as_long_as_it_is_not_made() -> None:
    network = model()
    late = Optimiser(torch.optim.Adam, network.parameters(), 0.01)
    theirs = torch.optim.Adam(network.parameters(), 0.01).state_dict()
    with late.resting():
        assert late.state_dict() != theirs and late._made is None
    assert late.state_dict() == theirs and late._made is not None
    with late.resting():
        assert late.state_dict() == theirs


def test_one_that_is_made_takes_a_state_at_once() -> None:
    trained, other = Part(), Part()
    stepped(trained.network, trained.optimiser, 2)
    assert not other.optimiser.stepped and not other.optimiser.made.state
    assert not other.optimiser.stepped  # made, and still without a step
    other.optimiser.load_state_dict(copy.deepcopy(trained.optimiser.state_dict()))
    assert other.optimiser.stepped
    other.network.load_state_dict(trained.network.state_dict())
    assert stepped(other.network, other.optimiser, 1) == stepped(
        trained.network, trained.optimiser, 1
    )
    empty = Part()
    empty.optimiser.load_state_dict(Part().optimiser.state_dict())
    assert not empty.optimiser.stepped


def test_a_step_down_a_loss_by_hand() -> None:
    """Gradients 3 and 4 of its own weights, of norm 5, whatever they had before; the judge, whose
    gradient would be the generator's weight, gets none, and keeps what it had."""
    own = [nn.Parameter(torch.tensor([2.0])), nn.Parameter(torch.tensor([1.0]))]
    unread, judge = nn.Parameter(torch.tensor([9.0])), nn.Parameter(torch.tensor([3.0]))
    descent = torch.optim.SGD([*own, unread], 0.1)
    own[0].grad = torch.tensor([100.0])
    for _ in range(2):
        norm = descend(descent, (judge * own[0] + 4 * own[1]).sum())
        assert norm.item() == pytest.approx(5) and not norm.requires_grad
    assert [weight.item() for weight in own] == pytest.approx([2 - 0.6, 1 - 0.8])
    assert judge.grad is None and unread.grad is None and unread.item() == 9
    late = Optimiser(torch.optim.Adam, own, 0.1)
    descend(late, (own[0] + own[1]).sum())
    assert own[0].item() == pytest.approx(1.3)


@pytest.mark.parametrize("clip", [0.0, 100.0])
def test_a_clipped_step_begins_without_a_gradient(clip: float) -> None:
    """Norm 0 clips nothing; a weight that the loss does not depend on is left out."""
    both = nn.ModuleList([nn.Linear(1, 1, bias=False) for _ in range(2)])
    before = [weight.item() for weight in both.parameters()]
    descent = torch.optim.SGD(both.parameters(), 1.0)
    for _ in range(2):
        norm = clipped_step(descent, list(both), 3 * both[0].weight.sum(), clip)
        assert norm.item() == pytest.approx(3) and not norm.requires_grad
    assert both[0].weight.item() == pytest.approx(before[0] - 6)
    assert both[1].weight.item() == before[1]


@pytest.mark.parametrize("clipped", [True, False])
def test_ranks_step_by_the_mean_of_their_gradients(clipped: bool) -> None:
    """Gradients 1 and 3: both step by 2, and the norm is that of what they step by."""

    def work() -> tuple[float, float]:
        weight = nn.ParameterList([nn.Parameter(torch.tensor([5.0]))])
        descent = torch.optim.SGD(weight.parameters(), 1.0)
        loss = (1 + 2 * ranks.current().number) * weight[0].sum()
        norm = clipped_step(descent, weight, loss, 0.0) if clipped else descend(descent, loss)
        return weight[0].item(), norm.item()

    assert of_ranks(2, work) == [(3.0, 2.0)] * 2


def test_a_gradient_passes_through_a_frozen_network() -> None:
    """Its weights get none; those that had none before have none after."""
    network = nn.Sequential(model(), nn.Linear(2, 1))
    network[1].bias.requires_grad_(False)
    read = torch.ones(1, 3, requires_grad=True)
    with pytest.raises(RuntimeError, match="stop"), frozen(network):
        network(read).sum().backward()
        raise RuntimeError("stop")
    assert read.grad is not None and bool((read.grad != 0).any())
    assert all(weight.grad is None for weight in network.parameters())
    assert [w.requires_grad for w in network.parameters()] == [True, True, False]


def test_the_rate_rises_and_falls_by_hand() -> None:
    """Warm-up over 4 of 10 steps, then half a cosine to a tenth: at step 5 (1 + cos 90) / 2 = 1/2
    of what is left, .1 + .9 / 2; behind the last step it stays."""
    shares = [cosine_rate(step, 10, 4, 0.1) for step in (0, 5, 10, 12)]
    assert shares == pytest.approx([0.25, 0.55, 0.1, 0.1])
    third = 0.1 + 0.9 * (1 + math.cos(math.pi / 10)) / 2
    assert cosine_rate(1, 10, 4, 0.1) == pytest.approx(third / 2)
    assert cosine_rate(0, 10, 0, 0.1) == cosine_rate(0, 10, 1, 0.1) == 1
    assert cosine_rate(0, 0, 0, 0.2) == cosine_rate(0, 1, 0, 0.2) == 1
    assert cosine_rate(1, 0, 0, 0.2) == cosine_rate(1, 1, 0, 0.2) == pytest.approx(0.2)
    assert cosine_rate(7, 10, 2, 1.0) == 1
    assert tied_by_rate(1.0) == "" and tied_by_rate(0.99).startswith("its learning rate falls")
    descent = torch.optim.SGD([nn.Parameter(torch.zeros(1))], 1.0)
    set_rate(descent, 0.3)
    assert descent.param_groups[0]["lr"] == 0.3
