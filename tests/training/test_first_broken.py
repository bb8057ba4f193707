"""The first operation whose result is not finite is named, and a mask's infinities are not."""

import math
from collections.abc import Callable
from functools import partial

import pytest
import torch
from torch import nn

from gantext.nn.optim import Optimiser, Stepping, clipped_step
from gantext.nn.text.lstm import WordScores
from gantext.training.first_broken import FirstBroken, Operation


def broken(step: Callable[[], object], **networks: nn.Module) -> Operation | None:
    first = FirstBroken(networks)
    with first.on():
        step()
    return first.found


def test_the_first_of_several_is_named() -> None:
    """exp(100) is inf in fp32, and inf - inf is nan."""
    found = broken(lambda: (torch.full((2,), 100.0).exp() - torch.inf).sum())
    assert found is not None
    assert (found.name, found.value, found.backward) == ("aten.exp", "inf", None)


def test_memory_that_is_not_filled_yet_is_not_named_by_a_view_of_it() -> None:
    """What `torch.empty` was given may hold NaN; a slice of it computes nothing."""
    left = torch.full((4,), torch.nan)
    assert broken(lambda: left[:2].copy_(torch.ones(2)).add(1)) is None
    found = broken(lambda: left[2:].neg())
    assert found is not None and found.name == "aten.neg"


def test_the_module_is_named() -> None:
    network = nn.Sequential(nn.Linear(2, 2), nn.Linear(2, 1))
    with torch.no_grad():
        network[0].weight.fill_(1.0)
        network[1].weight.fill_(3e38)
    found = broken(lambda: network(torch.full((1, 2), 9.0)), critic=network)
    assert found is not None and found.module == "critic.1"


def test_a_gradient_is_named_by_its_forward_pass() -> None:
    """sqrt(0) is 0, and its gradient 1 / (2 * 0) is inf."""
    x = torch.zeros(1, requires_grad=True)
    found = broken(lambda: x.sqrt().sum().backward())
    assert found is not None
    assert (found.backward, found.module) == ("SqrtBackward0", None)


@pytest.mark.parametrize(
    ("kind", "operation"),
    [(torch.optim.SGD, "aten.add_"), (partial(Optimiser, torch.optim.Adam), "aten.addcdiv_")],
    ids=["torch's", "ours"],
)
def test_an_update_is_named_by_the_line_that_asks_for_it(
    kind: Callable[..., Stepping], operation: str
) -> None:
    """The gradient is 1, so a step of 1e37 takes -3.4e38 past fp32's last number, 3.403e38."""
    model = nn.Linear(1, 1, bias=False)
    optimiser = kind(model.parameters(), 1e37)
    with torch.no_grad():
        model.weight.fill_(-3.4e38)
    found = broken(lambda: clipped_step(optimiser, model, model(torch.ones(1, 1)).sum(), 0))
    assert found is not None and found.line is not None
    assert (found.name, found.value, found.backward) == (operation, "-inf", None)
    assert found.line.startswith("gantext/nn/optim.py:") and found.line.endswith("clipped_step")


@pytest.mark.parametrize(
    "harmless",
    [
        lambda: WordScores(7).ban(torch.zeros(1, 7), True).log_softmax(-1)[:, :2].neg(),
        lambda: torch.zeros(2).log().clamp_min(-1e9),
        lambda: math.inf / (torch.ones(2) + 1e-6),
        lambda: torch.empty(1000).normal_(),
    ],
    ids=["banned words", "log of 0", "no clip", "memory"],
)
def test_what_is_meant_to_be_infinite_is_not_named(harmless: Callable[[], object]) -> None:
    assert broken(harmless) is None
