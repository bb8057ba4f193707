"""Losses and penalties of GANs against values computed by hand."""

import math

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor, nn

from gantext.nn.pictures.gan_losses import (
    GanLoss,
    discriminator_loss,
    generator_loss,
    gradient_penalty,
    slopes,
    zero_centred_penalty,
)

LN3 = math.log(3)


def rng(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def test_minimax_and_nonsaturating() -> None:
    """D = sigmoid: real ln 3, 0 -> .75, .5; fake -ln 3, 0 -> .25, .5.

    D: (-ln .75 - ln .5) / 2 + (-ln .75 - ln .5) / 2 = .490415 + .490415 = .980829.
    G, minimax: (ln .75 + ln .5) / 2 = -.490415. G, nonsaturating: (-ln .25 - ln .5) / 2 = 1.039721.
    """
    real, fake = torch.tensor([LN3, 0.0]), torch.tensor([-LN3, 0.0])
    for kind, of_generator in ((GanLoss.minimax, -0.490415), (GanLoss.nonsaturating, 1.039721)):
        assert discriminator_loss(kind, real, fake).item() == pytest.approx(0.980829, abs=1e-6)
        assert generator_loss(kind, real, fake).item() == pytest.approx(of_generator, abs=1e-6)


def test_the_discriminator_that_cannot_tell_loses_2_ln_2() -> None:
    """Goodfellow et al., theorem 1: -2 ln(1/2) at D = 1/2; torch's cross-entropy agrees."""
    zero = torch.zeros(3)
    assert discriminator_loss(GanLoss.minimax, zero, zero).item() == pytest.approx(2 * math.log(2))
    real, fake = torch.randn(50, generator=rng(1)), torch.randn(50, generator=rng(2))
    bce = F.binary_cross_entropy_with_logits
    oracle = bce(real, torch.ones(50)) + bce(fake, torch.zeros(50))
    torch.testing.assert_close(discriminator_loss(GanLoss.nonsaturating, real, fake), oracle)
    torch.testing.assert_close(
        generator_loss(GanLoss.nonsaturating, real, fake), bce(fake, torch.ones(50))
    )
    torch.testing.assert_close(
        generator_loss(GanLoss.minimax, real, fake), -bce(fake, torch.zeros(50))
    )


def test_hinge_and_wasserstein() -> None:
    """real 2, .5; fake -2, .5. Hinge: (0 + .5) / 2 + (0 + 1.5) / 2 = 1. Wasserstein: -.75 - 1.25
    = -2. G of both: .75."""
    real, fake = torch.tensor([2.0, 0.5]), torch.tensor([-2.0, 0.5])
    assert discriminator_loss(GanLoss.hinge, real, fake).item() == pytest.approx(1.0)
    assert discriminator_loss(GanLoss.wgan_gp, real, fake).item() == pytest.approx(-2.0)
    for kind in (GanLoss.hinge, GanLoss.wgan_gp):
        assert generator_loss(kind, real, fake).item() == pytest.approx(0.75)


def test_the_relativistic_loss_is_of_pairs() -> None:
    """real ln 3, 1; fake 0, 1: differences ln 3, 0, so sigmoids .75, .5.

    D: (-ln .75 - ln .5) / 2 = .490415; G: (-ln .25 - ln .5) / 2 = 1.039721. Fakes in the other
    order: differences .098612, 1, another loss.
    """
    real, fake = torch.tensor([LN3, 1.0]), torch.tensor([0.0, 1.0])
    loss = discriminator_loss(GanLoss.rpgan, real, fake).item()
    assert loss == pytest.approx(0.490415, abs=1e-6)
    assert generator_loss(GanLoss.rpgan, real, fake).item() == pytest.approx(1.039721, abs=1e-6)
    other = (F.softplus(torch.tensor(-0.098612)) + F.softplus(torch.tensor(-1.0))) / 2
    swapped = discriminator_loss(GanLoss.rpgan, real, fake.flip(0))
    torch.testing.assert_close(swapped, other, atol=1e-5, rtol=0)


numbers = st.lists(st.floats(-5, 5, width=32), min_size=1, max_size=6)


@given(numbers, st.floats(-3, 3, width=32))
def test_a_constant_in_the_logits_counts_only_where_they_have_a_zero(
    values: list[float], shift: float
) -> None:
    real = torch.tensor(values)
    fake = real.flip(0) * 0.5 - 1
    for kind in (GanLoss.rpgan, GanLoss.wgan_gp):
        plain = discriminator_loss(kind, real, fake)
        torch.testing.assert_close(
            discriminator_loss(kind, real + shift, fake + shift), plain, atol=1e-4, rtol=1e-4
        )


@pytest.mark.parametrize("kind", list(GanLoss))
@given(numbers)
def test_the_two_play_against_each_other(kind: GanLoss, values: list[float]) -> None:
    """G's loss falls, D's rises, or neither changes, with a fake picture's logit."""
    fake = torch.tensor(values, requires_grad=True)
    real = torch.zeros(len(values))
    (of_g,) = torch.autograd.grad(generator_loss(kind, real, fake), fake)
    (of_d,) = torch.autograd.grad(discriminator_loss(kind, real, fake), fake)
    assert (of_g <= 0).all() and (of_d >= 0).all()
    assert kind is GanLoss.hinge or ((of_g < 0).all() and (of_d > 0).all())


# Penalties


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
    assert found.item() == pytest.approx(1.0, abs=1e-4)
    assert weight.grad is not None and weight.grad.isfinite().all()


def test_penalties_are_fp32_under_autocast_and_leave_pictures_alone() -> None:
    network = nn.Sequential(nn.Flatten(), nn.Linear(4, 8), nn.Tanh(), nn.Linear(8, 1))
    pictures = torch.randn(5, 1, 2, 2, generator=rng(), requires_grad=True)
    (gradient,) = torch.autograd.grad(network(pictures).sum(), pictures)
    wanted = gradient.square().flatten(1).sum(1).mean()
    with torch.autocast("cpu", torch.bfloat16, cache_enabled=False):
        found = zero_centred_penalty(network, pictures)
        half = generator_loss(GanLoss.rpgan, torch.ones(2).bfloat16(), torch.ones(2).bfloat16())
    assert found.dtype == half.dtype == torch.float32
    torch.testing.assert_close(found, wanted, rtol=1e-6, atol=0)  # bf16 has 1e-2
    found.backward()
    assert pictures.grad is None
    assert all(p.grad is not None for name, p in network.named_parameters() if "weight" in name)


@pytest.mark.parametrize("kind", list(GanLoss))
def test_losses_of_half_precision_logits_are_computed_in_single(kind: GanLoss) -> None:
    """1.0078125 is the number next to 1 in bf16; a mean or a softplus there would be rounded."""
    real = torch.tensor([1.0078125, 1.0, 1.0], dtype=torch.bfloat16)
    fake = torch.tensor([-0.5, 1.0078125, 3.0], dtype=torch.bfloat16)
    for loss in (discriminator_loss, generator_loss):
        found = loss(kind, real, fake)
        assert found.dtype is torch.float32
        torch.testing.assert_close(found, loss(kind, real.float(), fake.float()))
