"""Spectral normalisation against torch's singular values."""

import copy

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from gantext.models.image_gan.spectral_norm import SpectralNorm, add_spectral_norm, iterate


def rng(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def network() -> nn.Sequential:
    found = nn.Sequential(nn.Conv2d(2, 6, 3), nn.Flatten(), nn.Linear(24, 5), nn.Linear(5, 1))
    with torch.no_grad():
        for i, parameter in enumerate(found.parameters()):
            parameter.copy_(torch.randn(parameter.shape, generator=rng(i)))
    return found


def test_one_iteration_by_hand() -> None:
    """W = diag(2, 1), u = (.6, .8): W'u = (1.2, .8), v = (1.2, .8) / 1.442221 = (.832050, .554700);
    W v = (1.664101, .554700), of length 1.754116: u = (.948683, .316228)."""
    u, v = iterate(torch.diag(torch.tensor([2.0, 1.0])), torch.tensor([0.6, 0.8]))
    assert v.tolist() == pytest.approx([0.832050, 0.554700], abs=1e-6)
    assert u.tolist() == pytest.approx([0.948683, 0.316228], abs=1e-6)


@pytest.mark.parametrize("shape", [(7, 5), (4, 9), (6, 2, 3, 3), (1, 8)])
def test_sigma_is_the_largest_singular_value(shape: tuple[int, ...]) -> None:
    weight = torch.randn(shape, generator=rng(1))
    norm = SpectralNorm(weight, rng(2), iterations=300)
    largest = torch.linalg.svdvals(weight.flatten(1))[0]
    torch.testing.assert_close(norm(weight), weight / largest, atol=1e-5, rtol=1e-4)


def test_it_begins_with_fifteen_iterations_of_normal_numbers() -> None:
    weight = torch.randn(7, 5, generator=rng(1))
    u = F.normalize(torch.randn(7, generator=rng(2)), dim=0)
    for _ in range(15):
        u, v = iterate(weight, u)
    norm = SpectralNorm(weight, rng(2))
    assert torch.equal(norm.u, u) and torch.equal(norm.v, v)


def test_every_layer_ends_with_the_largest_singular_value_1() -> None:
    """Also when the weights change: one iteration a pass in training; none in evaluation."""
    net = network()
    add_spectral_norm(net, rng())
    with torch.no_grad():
        for i, parameter in enumerate(net.parameters()):
            parameter.copy_(torch.randn(parameter.shape, generator=rng(50 + i)))
    picture = torch.randn(3, 2, 4, 4, generator=rng(9))
    for _ in range(200):
        net(picture)
    net.eval()
    state = copy.deepcopy(net.state_dict())
    net(picture)
    for layer in (net[0], net[2], net[3]):
        value = torch.linalg.svdvals(layer.weight.detach().flatten(1))[0]
        assert value.item() == pytest.approx(1.0, abs=1e-4)
    assert all(torch.equal(state[name], value) for name, value in net.state_dict().items())


def test_the_gradient_is_that_of_w_over_sigma() -> None:
    """Against torch's own derivative through the singular value decomposition."""
    weight = torch.randn(5, 4, generator=rng(3), requires_grad=True)
    norm = SpectralNorm(weight, rng(4), iterations=500)
    probe = torch.randn(5, 4, generator=rng(5))
    (found,) = torch.autograd.grad((norm(weight) * probe).sum(), weight)
    exact = weight / torch.linalg.svdvals(weight)[0]
    (wanted,) = torch.autograd.grad((exact * probe).sum(), weight)
    torch.testing.assert_close(found, wanted, atol=1e-4, rtol=1e-3)


def test_it_takes_its_vectors_from_the_generator_given_and_restores_them() -> None:
    nets = [network(), network(), network()]
    for i, net in enumerate(nets):
        torch.manual_seed(i)
        add_spectral_norm(net, rng(0 if i < 2 else 1))
    picture = torch.randn(3, 2, 4, 4, generator=rng(9))
    first, second, third = (net(picture) for net in nets)
    assert torch.equal(first, second) and not torch.equal(first, third)
    nets[2].load_state_dict(nets[0].state_dict())
    for _ in range(3):
        assert torch.equal(nets[2](picture), nets[0](picture))


def test_autocast_leaves_sigma_in_fp32() -> None:
    net = network()
    add_spectral_norm(net, rng())
    net.eval()
    plain = net[2].weight
    with torch.autocast("cpu", torch.bfloat16, cache_enabled=False):
        assert torch.equal(net[2].weight, plain)
