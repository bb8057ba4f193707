"""Losses of GANs against values computed by hand."""

import math

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given
from hypothesis import strategies as st

from gantext.nn.gan_losses import GanLoss, beliefs, discriminator_loss, generator_loss

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


def test_divergences_that_text_gans_minimise() -> None:
    """real artanh .5, 0; fake artanh -.5, 0. Total variation: D (-.5 + 0) / 2 - (.5 + 0) / 2 = -.5,
    G .25. KL: D as the cross-entropy of real ln 3, 0 and fake -ln 3, 0, .980829; G (ln 3 + 0) / 2 =
    .549306."""
    real = torch.tensor([math.atanh(0.5), 0.0])
    assert discriminator_loss(GanLoss.tv, real, -real).item() == pytest.approx(-0.5)
    assert generator_loss(GanLoss.tv, real, -real).item() == pytest.approx(0.25)
    real = torch.tensor([LN3, 0.0])
    assert discriminator_loss(GanLoss.kl, real, -real).item() == pytest.approx(0.980829, abs=1e-6)
    assert generator_loss(GanLoss.kl, real, -real).item() == pytest.approx(0.549306, abs=1e-6)


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


def test_beliefs_by_hand() -> None:
    """real ln 3, -1; fake ln 3, -1: D is .75, .269 of both, mean .509471; one of two right each:
    accuracy .5, gap 0. In pairs: real 1 - fake 0, real 2 - fake 3: sigmoid(1) = .731059,
    sigmoid(-1) = .268941, mean .5 of both; the first pair is right."""
    values = torch.tensor([LN3, -1.0])
    found = beliefs(GanLoss.hinge, values, values)
    assert found["d_real"].item() == found["d_fake"].item() == pytest.approx(0.509471, abs=1e-6)
    assert found["d_accuracy"] == 0.5 and found["d_gap"] == 0
    found = beliefs(GanLoss.rpgan, torch.tensor([1.0, 2.0]), torch.tensor([0.0, 3.0]))
    assert found["d_real"].item() == pytest.approx(0.5) and found["d_accuracy"] == 0.5
    found = beliefs(GanLoss.rpgan, torch.tensor([9.0, 9.0]), torch.tensor([8.0, 8.0]))
    assert found["d_real"].item() == pytest.approx(0.731059, abs=1e-6)
    assert found["d_fake"].item() == pytest.approx(0.268941, abs=1e-6)
    assert found["d_accuracy"] == 1 and found["d_gap"] == 0.5
    found = beliefs(GanLoss.hinge, torch.zeros(2), torch.zeros(2))
    assert found["d_accuracy"] == 0.5  # what is as likely as not is taken for a fake


@pytest.mark.parametrize("kind", list(GanLoss))
def test_losses_of_half_precision_logits_are_computed_in_single(kind: GanLoss) -> None:
    """1.0078125 is the number next to 1 in bf16; a mean or a softplus there would be rounded."""
    real = torch.tensor([1.0078125, 1.0, 1.0], dtype=torch.bfloat16)
    fake = torch.tensor([-0.5, 1.0078125, 3.0], dtype=torch.bfloat16)
    for loss in (discriminator_loss, generator_loss):
        found = loss(kind, real, fake)
        assert found.dtype is torch.float32
        torch.testing.assert_close(found, loss(kind, real.float(), fake.float()))
