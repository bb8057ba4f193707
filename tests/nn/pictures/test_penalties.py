"""Penalties of the slopes of discriminators of pictures against values computed by hand."""

import pytest
import torch
from torch import Tensor, nn

from gantext.nn.pictures.penalties import gradient_penalty, slopes, zero_centred_penalty


def rng(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def linear(pictures: Tensor) -> Tensor:
    """D(x) = 3 x_1 + 4 x_2: slope (3, 4), of length 5, everywhere."""
    return (pictures.flatten(1) * torch.tensor([3.0, 4.0])).sum(1)


def test_penalties_of_a_linear_discriminator() -> None:
    """|slope|^2 = 9 + 16 = 25 at each picture; WGAN-GP: (5 - 1)^2 = 16 between any two."""
    real = torch.randn(4, 1, 1, 2, generator=rng(1))
    fake = torch.randn(4, 1, 1, 2, generator=rng(2))
    assert slopes(linear, real).tolist() == pytest.approx([25.0] * 4)
    assert zero_centred_penalty(linear, real).item() == pytest.approx(25.0)
    assert gradient_penalty(linear, real, fake, rng()).item() == pytest.approx(16.0)


def test_the_zero_centred_penalty_and_its_gradient() -> None:
    """D(x) = a |x|^2 / 2 has the slope a x: with x = (1, 2) and (2, 0) the penalty is
    a^2 (5 + 4) / 2 = 4.5 a^2, which is 18 at a = 2; its derivative 9 a is 18 too."""
    a = torch.tensor(2.0, requires_grad=True)
    pictures = torch.tensor([[1.0, 2.0], [2.0, 0.0]]).view(2, 1, 1, 2)
    found = zero_centred_penalty(lambda x: a * x.flatten(1).square().sum(1) / 2, pictures)
    assert found.item() == pytest.approx(18.0)
    found.backward()
    assert a.grad is not None and a.grad.item() == pytest.approx(18.0)


def test_the_gradient_penalty_is_taken_between_the_pair() -> None:
    """D(x) = |x|^2 / 2 has the slope x. Real (0, 0), fake (3, 4): the point (1 - e)(3, 4) has the
    length 5 (1 - e), for e uniform: E (5 u - 1)^2 = 25/3 - 5 + 1 = 4.333 (sd of the mean of
    20,000: 4.9 / 141 = .035)."""
    real = torch.zeros(20_000, 1, 1, 2)
    fake = torch.tensor([3.0, 4.0]).expand(20_000, 1, 1, 2)

    def bowl(x: Tensor) -> Tensor:
        return x.flatten(1).square().sum(1) / 2

    found = gradient_penalty(bowl, real, fake, rng(3)).item()
    assert found == pytest.approx(13 / 3, abs=0.15)
    assert gradient_penalty(bowl, fake, fake, rng(3)).item() == pytest.approx(16.0)
    assert gradient_penalty(bowl, real, fake, rng(3)).item() == found


def test_a_flat_discriminator_gets_a_finite_gradient() -> None:
    weight = torch.zeros(2, requires_grad=True)
    real, fake = torch.ones(3, 1, 1, 2), torch.zeros(3, 1, 1, 2)
    found = gradient_penalty(lambda x: x.flatten(1) @ weight, real, fake, rng())
    found.backward()
    assert found.item() == pytest.approx((1e-6 - 1) ** 2, abs=2e-7)
    assert weight.grad is not None and weight.grad.isfinite().all()


def test_penalties_are_fp32_under_autocast_and_leave_pictures_alone() -> None:
    network = nn.Sequential(nn.Flatten(), nn.Linear(4, 8), nn.Tanh(), nn.Linear(8, 1))
    pictures = torch.randn(5, 1, 2, 2, generator=rng(), requires_grad=True)
    (gradient,) = torch.autograd.grad(network(pictures).sum(), pictures)
    wanted = gradient.square().flatten(1).sum(1).mean()
    with torch.autocast("cpu", torch.bfloat16, cache_enabled=False):
        found = zero_centred_penalty(network, pictures)
    assert found.dtype == torch.float32
    torch.testing.assert_close(found, wanted, rtol=1e-6, atol=0)  # bf16 has 1e-2
    found.backward()
    assert pictures.grad is None
    assert all(p.grad is not None for name, p in network.named_parameters() if "weight" in name)
