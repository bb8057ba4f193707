"""Updates in memory that stays: the same weights and numbers, whatever replays them."""

import copy

import pytest
import torch
from torch import Tensor, nn

from gantext.nn.optim import Metrics, Optimiser, cosine_rate, placed, set_rate
from gantext.nn.rng import generator
from gantext.nn.text.dropout import locked_dropout
from gantext.nn.update import StaticUpdate, Update
from tests.graphs import graphed as graphed  # a fixture

CPU, CUDA = torch.device("cpu"), torch.device("cuda")


class Regression(nn.Module):
    """A linear map of what dropout leaves of (B, T, 3), held against (B, T, 2)."""

    def __init__(self, device: torch.device) -> None:
        super().__init__()
        self.map = nn.Linear(3, 2).to(device)
        with torch.no_grad():
            for weight in self.parameters():
                weight.normal_(generator=generator(1, "weights", device))

    def loss(
        self, x: Tensor, y: Tensor, rng: torch.Generator
    ) -> tuple[Tensor, dict[str, Tensor | float]]:
        apart = self.map(locked_dropout(x, 0.3, rng)) - y
        loss = apart.square().mean()
        return loss, {"loss": loss.detach(), "largest": apart.detach().abs().max()}


def given(step: int, length: int, device: torch.device) -> tuple[Tensor, Tensor]:
    rng = generator(step, "given", device)
    sizes = [(4, length, 3), (4, length, 2)]
    return tuple(torch.randn(size, generator=rng, device=device) for size in sizes)


def updated(graphs: bool, lengths: list[int], device: torch.device = CUDA) -> list[dict]:
    """What each update logs, at a rate of its own, and the weights after the last of them."""
    model, rng = Regression(device), generator(1, "noise", device)
    optimiser = Optimiser(torch.optim.AdamW, model.parameters(), 0.1, weight_decay=0.1)
    update = Update(model.loss, optimiser, model, 0.5, graphs)
    found = []
    for step, length in enumerate(lengths):
        set_rate(optimiser, 0.1 / (step + 1))
        versions = [weight._version for weight in model.parameters()]
        if step == 6:  # the same state, in other memory
            optimiser.load_state_dict(copy.deepcopy(optimiser.state_dict()))
        found.append(update(*given(step, length, device), rng=rng))
        told = [weight._version for weight in model.parameters()]
        assert all(after > before for before, after in zip(versions, told, strict=True))
    assert all(
        isinstance(group["lr"], float) and not group["capturable"]
        for group in optimiser.param_groups
    )
    ends = {name: weight.detach() for name, weight in model.named_parameters()}
    return [{**logged} for logged in found] + [ends]


def test_updates_by_a_graph_are_those_without(graphed: list[StaticUpdate]) -> None:
    """Of two shapes, the second and later ones of which are replayed: bit for bit, each at the rate
    and with the noise of its step; what was logged of one stays as the next is made. An optimiser's
    state that is read lies elsewhere: graphs are captured anew."""
    lengths = [5, 5, 5, 7, 5, 7, 7, 5, 7, 7]
    found, wanted = updated(True, lengths), updated(False, lengths)
    assert [static.given[0].shape[1] for static in graphed] == [5, 7, 7]
    for one, other in zip(found, wanted, strict=True):
        assert list(one) == list(other)
        assert all(torch.equal(one[name].cpu(), other[name].cpu()) for name in one)
    assert list(found[0]) == ["loss", "largest", "grad_norm"]


def test_what_is_captured_does_not_write_the_rates() -> None:
    """Each replay would write that of its capture."""
    weight = nn.Parameter(torch.ones(3))
    optimiser = Optimiser(torch.optim.Adam, [weight], 0.5)
    optimiser.place_rates()
    set_rate(optimiser, 0.25)
    with optimiser.by_placed_rates():
        assert optimiser.param_groups[0]["lr"].item() == 0.5
    assert optimiser.param_groups[0]["lr"] == 0.25


def test_numbers_of_the_host_are_refused(graphed: list[StaticUpdate]) -> None:
    """They would stay what they were as the graph was captured."""
    model = Regression(CUDA)

    def loss(x: Tensor, y: Tensor, rng: torch.Generator) -> tuple[Tensor, Metrics]:
        return model.loss(x, y, rng)[0], {"rate": 0.1}

    optimiser = Optimiser(torch.optim.Adam, model.parameters(), 0.1)
    update, rng = Update(loss, optimiser, model, 0.5, True), generator(1, "noise", CUDA)
    update(*given(1, 5, CUDA), rng=rng)
    with pytest.raises(AssertionError, match="a number of the host's"):
        update(*given(2, 5, CUDA), rng=rng)


@pytest.mark.parametrize("asked", [True, False])
def test_nothing_is_captured_where_numbers_are_looked_at(
    graphed: list[StaticUpdate], asked: bool
) -> None:
    with torch.autograd.set_detect_anomaly(asked):
        updated(True, [5, 5, 5])
    assert len(graphed) == (not asked)


def test_on_a_cpu_nothing_is_captured() -> None:
    assert len(updated(True, [5, 5, 5], CPU)) == 4


def test_rates_are_placed_in_single_precision_on_a_gpu_alone(graphed: list[StaticUpdate]) -> None:
    rates = []
    for device in (CPU, CUDA):
        weight = nn.Parameter(torch.ones(3, device=device))
        optimiser = Optimiser(torch.optim.Adam, [weight], 0.1)
        before = optimiser.param_groups[0]["lr"]
        set_rate(optimiser, cosine_rate(1, 3, 0, 0))
        rates.append((before, optimiser.param_groups[0]["lr"]))
        assert rates[-1] == (placed(0.1, [weight]), placed(0.75, [weight]))
    assert rates[0] == (0.1, 0.75)
    assert rates[1] == (torch.tensor(0.1).item(), 0.75)
