"""The first step whose numbers are not finite is found and named, at whatever step one looks."""

import math

import pytest
import torch
from torch import nn

from gantext.training.finite import Broken, Lookout, broken_metric


def lookout() -> tuple[nn.Linear, Lookout]:
    network = nn.Linear(2, 1)
    return network, Lookout({"critic": nn.Linear(2, 1), "generator": network})


def test_the_first_metric_that_is_not_finite_is_named() -> None:
    assert broken_metric({"nll": 2.0, "rate": 0.0}) is None
    assert broken_metric({"nll": 2.0, "grad_norm": math.inf, "rate": math.nan}) == (
        "grad_norm is inf"
    )


@pytest.mark.parametrize(("value", "whole"), [(1e18, True), (1e20, False), (math.nan, False)])
def test_weights_whose_products_overflow_are_broken(value: float, whole: bool) -> None:
    """fp32 ends at 3.4e38: the square of 1e18 is below, that of 1e20 above."""
    network, look = lookout()
    with torch.no_grad():
        network.weight[0, 1] = value
    look.note(3, {"loss": torch.tensor(1.0)})
    said = "the weights generator.weight are no longer finite, or overflow"
    assert look.broken() == (None if whole else Broken(3, said))


def test_the_first_of_many_steps_is_found_at_one_look() -> None:
    """Steps 3 to 9, the metrics of which differ; 6 is the first that is broken, by its second."""
    network, look = lookout()
    for step in range(3, 10):
        metrics: dict[str, torch.Tensor | float] = {"loss": torch.tensor(1.0), "rate": 0.5}
        if step % 2 == 0:
            metrics["norm"] = torch.tensor(math.inf if step >= 6 else 2.0)
        if step == 8:
            metrics["rate"] = math.nan
            with torch.no_grad():
                network.bias.fill_(math.nan)
        look.note(step, metrics)
    assert look.broken() == Broken(6, "norm is inf")


@pytest.mark.parametrize(("number", "tensor", "first"), [(4, 6, 4), (6, 4, 4), (5, 5, 5)])
def test_numbers_of_the_host_and_of_the_device_are_looked_at_in_the_order_of_steps(
    number: int, tensor: int, first: int
) -> None:
    _, look = lookout()
    for step in range(3, 8):
        found: dict[str, torch.Tensor | float] = {
            "loss": torch.tensor(math.nan if step == tensor else 1.0),
            "rate": math.inf if step == number else 1.0,
        }
        look.note(step, found)
    broken = look.broken()
    assert broken is not None and broken.step == first


def test_a_look_begins_anew() -> None:
    _, look = lookout()
    look.note(1, {"loss": torch.tensor(1.0)})
    assert look.broken() is None
    look.note(2, {"loss": torch.tensor(math.nan)})
    assert look.broken() == Broken(2, "loss is nan")
    look.note(3, {"loss": torch.tensor(1.0)})
    assert look.broken() is None


def test_a_model_without_networks_has_its_metrics_looked_at() -> None:
    look = Lookout({})
    look.note(1, {})
    look.note(2, {"loss": torch.tensor(math.inf)})
    assert look.broken() == Broken(2, "loss is inf")
