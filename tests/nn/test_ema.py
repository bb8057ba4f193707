"""The average of weights, by hand and against a plain loop; buffers; state."""

import copy

import pytest
import torch
from torch import nn

from gantext.nn.ema import Ema, of_averages


def set_weight(network: nn.Linear, value: float) -> None:
    with torch.no_grad():
        network.weight.fill_(value)


def test_the_first_updates_by_hand() -> None:
    """From 0. n = 1: decay 2/11, weight 11: 0 + 9/11 * 11 = 9. n = 2: decay 3/12, weight 13:
    9/4 + 13 * 3/4 = 12. With decay .2, the second: 9 * .2 + 13 * .8 = 12.2."""
    for decay, wanted in ((0.999, 12.0), (0.2, 12.2)):
        network = nn.Linear(1, 1, bias=False)
        set_weight(network, 0.0)
        ema = Ema(network, decay)
        for weight in (11.0, 13.0):
            set_weight(network, weight)
            ema.update()
        assert ema.module.weight.item() == pytest.approx(wanted, rel=1e-6)


def test_it_is_the_plain_sum_in_the_end() -> None:
    """After the beginning each update keeps the share `decay`: the weights' sum, written out."""
    network, decay = nn.Linear(3, 2), 0.7
    ema = Ema(network, decay)
    wanted = network.weight.detach().clone().double()
    for n in range(1, 40):
        with torch.no_grad():
            network.weight.add_(torch.randn(2, 3, generator=torch.Generator().manual_seed(n)))
        ema.update()
        keep = min(decay, (1 + n) / (10 + n))
        wanted = keep * wanted + (1 - keep) * network.weight.detach().double()
    torch.testing.assert_close(ema.module.weight.double(), wanted)
    assert (1 + 39) / (10 + 39) > decay


def test_a_still_network_is_its_own_average() -> None:
    network = nn.Linear(5, 4)
    ema = Ema(network, 0.9)
    for _ in range(20):
        ema.update()
    assert torch.equal(ema.module.weight, network.weight)


def test_buffers_are_copied_and_the_average_takes_no_part_in_training() -> None:
    network = nn.Sequential(nn.Linear(2, 3), nn.BatchNorm1d(3))
    ema = Ema(network, 0.9)
    network(torch.randn(8, 2, generator=torch.Generator().manual_seed(1)))
    ema.update()
    for name, buffer in network.named_buffers():
        assert torch.equal(ema.module.get_buffer(name), buffer)
    assert int(ema.module.get_buffer("1.num_batches_tracked")) == 1
    assert not ema.module.training and network.training
    assert not any(p.requires_grad for p in ema.module.parameters())
    before = copy.deepcopy(network.state_dict())
    with torch.no_grad():
        for average in ema.module.parameters():
            average.zero_()
    assert all(torch.equal(before[name], value) for name, value in network.state_dict().items())


def test_a_restored_average_goes_on_exactly() -> None:
    def walk(network: nn.Linear, ema: Ema, steps: range) -> None:
        for n in steps:
            with torch.no_grad():
                network.weight.add_(torch.randn(2, 3, generator=torch.Generator().manual_seed(n)))
            ema.update()

    network = nn.Linear(3, 2)
    ema = Ema(network, 0.99)
    walk(network, ema, range(5))
    again = copy.deepcopy(network)
    with torch.no_grad():
        restored = Ema(again, 0.99)
    restored.load_state_dict(copy.deepcopy(ema.state_dict()))
    walk(network, ema, range(5, 12))
    walk(again, restored, range(5, 12))
    assert torch.equal(ema.module.weight, restored.module.weight)
    assert restored.updates == 12
    fresh = Ema(again, 0.99)  # without the number of updates it would go on faster
    walk(again, fresh, range(12, 13))
    assert not torch.equal(fresh.module.weight, restored.module.weight)


def test_it_begins_anew() -> None:
    """As the first update: 9/11 of the way from the weights that it begins with, 2 to 13."""
    network = nn.Linear(1, 1, bias=False)
    ema = Ema(network, 0.999)
    for weight in (5.0, 7.0):
        set_weight(network, weight)
        ema.update()
    set_weight(network, 2.0)
    ema.restart()
    assert ema.updates == 0 and ema.module.weight.item() == 2.0
    set_weight(network, 13.0)
    ema.update()
    assert ema.module.weight.item() == pytest.approx(2 + 9 / 11 * 11)


def test_a_run_is_gone_on_from_by_its_average_once_there_is_one() -> None:
    state = {"generator": {"w": 1}, "d": 2, "average": {"module": {"w": 3}, "updates": 4}}
    assert of_averages(state)["generator"] == {"w": 3} and of_averages(state)["d"] == 2
    early = {**state, "average": {"module": {"w": 3}, "updates": 0}}
    without = {"generator": {"w": 1}}
    assert of_averages(early)["generator"] == of_averages(without)["generator"] == {"w": 1}
