"""Norms of activations, and how weights are drawn: bounds and deviations by the fan in."""

import pytest
import torch
from torch import nn

from gantext.nn.pictures.layers import Init, Norm, flat_norm, initialise, map_norm


@pytest.mark.parametrize(("channels", "groups"), [(16, 2), (12, 3), (7, 7), (8, 1), (4, 1)])
def test_groups_have_8_channels_or_as_many_as_go(channels: int, groups: int) -> None:
    for found in (map_norm(Norm.group, channels, 0.1), flat_norm(Norm.group, channels, 0.1)):
        (norm,) = found
        assert isinstance(norm, nn.GroupNorm)
        assert (norm.num_groups, norm.num_channels, norm.eps) == (groups, channels, 1e-5)


def test_a_batch_s_norm_has_the_epsilon_that_is_asked_for() -> None:
    (of_map,), (flat,) = map_norm(Norm.batch, 6, 0.25), flat_norm(Norm.batch, 6, 0.25)
    assert isinstance(of_map, nn.BatchNorm2d) and isinstance(flat, nn.BatchNorm1d)
    assert (of_map.eps, flat.eps, of_map.num_features, flat.num_features) == (0.25, 0.25, 6, 6)
    assert map_norm(Norm.none, 6, 0.25) == flat_norm(Norm.none, 6, 0.25) == []


# Fan in: inputs; of a convolution channels times places; turned round, those that meet in a place.
LAYERS = [
    (nn.Linear(300, 400), 300),
    (nn.Conv2d(16, 200, 5, stride=2), 16 * 25),
    (nn.ConvTranspose2d(200, 16, 4, stride=2), 200 * 16 // 4),
]


@pytest.mark.parametrize(("layer", "fan_in"), LAYERS)
def test_weights_are_drawn_by_the_fan_in(layer: nn.Module, fan_in: int) -> None:
    """51,200 numbers and more: a deviation is known to .3 %, and the largest is near the bound."""
    weight, bias, bound = layer.weight, layer.bias, fan_in**-0.5
    initialise(layer, Init.uniform, torch.Generator().manual_seed(1))
    assert 0.999 * bound < weight.abs().max().item() <= bound
    assert abs(weight.mean().item()) < 0.02 * bound
    assert 0 < bias.abs().max().item() <= bound and bias.min() < 0 < bias.max()
    drawn = weight.detach().clone()
    initialise(layer, Init.uniform, torch.Generator().manual_seed(1))
    assert torch.equal(weight, drawn)
    for init, wanted in ((Init.dcgan, 0.02), (Init.kaiming, (2 / 1.04 / fan_in) ** 0.5)):
        initialise(nn.Sequential(layer), init, torch.Generator().manual_seed(1))
        assert weight.std().item() == pytest.approx(wanted, rel=0.015)
        assert abs(weight.mean().item()) < 0.02 * wanted and not bias.any()
        drawn = weight.detach().clone()
        initialise(layer, init, torch.Generator().manual_seed(1))
        assert torch.equal(weight, drawn)


def test_norms_keep_their_scale() -> None:
    network = nn.Sequential(nn.Conv2d(3, 8, 3), *map_norm(Norm.batch, 8, 1e-5))
    initialise(network, Init.dcgan, torch.Generator().manual_seed(1))
    assert bool((network[1].weight == 1).all()) and not network[1].bias.any()
