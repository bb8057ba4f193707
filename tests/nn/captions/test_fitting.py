"""How a dual encoder is fitted: shifted pictures, the schedule, exact resume."""

import copy

import pytest
import torch
from torch import Tensor

from gantext.data.gallery import PictureBatch
from gantext.nn.captions.dual_encoder import (
    DualEncoder,
    DualEncoderConfig,
    contrastive_loss,
    in_batch_accuracy,
    same_captions,
)
from gantext.nn.captions.fitting import Descent, EncoderFitter, FittingConfig, disturbed, shifted
from gantext.nn.optim import descend

SMALL = DualEncoderConfig(6, 5, (4, 4), 7, 0.1)
DESCENT = Descent((0.9, 0.99), final_rate=0.02, clip=1.0)


def rng(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def fitter(steps: int = 4, rate: float = 0.01) -> EncoderFitter:
    config = FittingConfig(steps, 5, rate, warmup_steps=2, weight_decay=0.0, shift=1, noise=0.3)
    return EncoderFitter(DualEncoder(9, 3, 8, SMALL, rng(1)), config, DESCENT)


def batch(seed: int = 0) -> PictureBatch:
    pictures = torch.rand(5, 3, 8, 8, generator=rng(seed)) * 2 - 1
    words = torch.randint(4, 9, (5, 2), generator=rng(seed + 50))
    return PictureBatch(pictures, torch.full((5,), -1), words)


def moved(picture: Tensor, down: int, across: int) -> Tensor:
    """The plain loop: each pixel from (y + down, x + across), or the nearest one inside."""
    found = torch.empty_like(picture)
    for y in range(picture.shape[1]):
        for x in range(picture.shape[2]):
            inside = min(max(y + down, 0), 5), min(max(x + across, 0), 5)
            found[:, y, x] = picture[:, inside[0], inside[1]]
    return found


def test_pictures_are_shifted_each_its_own_way_with_repeated_edges() -> None:
    pictures = torch.rand(60, 2, 6, 6, generator=rng(3))
    ways = {}
    for picture, found in zip(pictures, shifted(pictures, 1, rng(4)), strict=True):
        options = {(d, a): moved(picture, d, a) for d in (-1, 0, 1) for a in (-1, 0, 1)}
        hits = [way for way, wanted in options.items() if torch.equal(wanted, found)]
        assert len(hits) == 1
        ways[hits[0]] = ways.get(hits[0], 0) + 1
    assert len(ways) == 9
    assert shifted(pictures, 0, rng(4)) is pictures


def test_noise_has_a_strength_of_its_own_for_each_picture() -> None:
    """Strength u s with u uniform in 0 ... 1 and s = .4: deviations from 0 to .4, .2 on average."""
    config = FittingConfig(1, 1, 1.0, 1, 0.0, shift=0, noise=0.4)
    found = disturbed(torch.zeros(400, 3, 8, 8), config, rng(5)).flatten(1).std(1)
    assert found.max() < 0.5 and found.min() < 0.05
    assert found.mean().item() == pytest.approx(0.2, abs=0.02)
    quiet = FittingConfig(1, 1, 1.0, 1, 0.0, shift=0, noise=0.0)
    assert not disturbed(torch.zeros(2, 3, 8, 8), quiet, rng(5)).any()


def test_the_rate_rises_then_falls_to_a_fiftieth() -> None:
    """Warm-up of 2 steps, cosine over 4: 1/2, then .02 + .98 (1 + cos(pi/4)) / 2 = .8565, ..."""
    model, rates = fitter(rate=1.0), []
    for i in range(5):
        model.step(batch(i), rng(i))
        rates.append(model.optimiser.param_groups[0]["lr"])
    assert rates == pytest.approx([0.5, 0.8565, 0.51, 0.1635, 0.02], abs=1e-4)


def test_resume_is_exact() -> None:
    straight, resumed = fitter(), fitter()
    for i in range(4):
        if i == 2:
            states = copy.deepcopy((straight.encoder.state_dict(), straight.state_dict()))
            resumed.encoder.load_state_dict(states[0])
            resumed.load_state_dict(states[1])
        for one in (straight, resumed)[: 1 + (i >= 2)]:
            one.step(batch(i), rng(i))
    pairs = zip(straight.encoder.parameters(), resumed.encoder.parameters(), strict=True)
    assert all(torch.equal(a, b) for a, b in pairs)


def test_a_descent_leaves_no_gradient_in_other_networks() -> None:
    """d/dw (3 w v) at v = 2 is 6: SGD with rate .1 moves w by -.6; v gets no gradient."""
    w, v = torch.nn.Parameter(torch.tensor(1.0)), torch.nn.Parameter(torch.tensor(2.0))
    norm = descend(torch.optim.SGD([w], 0.1), 3 * w * v)
    assert norm.item() == pytest.approx(6)
    assert w.item() == pytest.approx(0.4) and v.grad is None


def test_a_step_is_adamw_s_and_says_what_it_was_before_it() -> None:
    """By the plain optimiser, on pictures as they were disturbed."""
    config = FittingConfig(4, 5, 0.01, warmup_steps=0, weight_decay=0.3, shift=1, noise=0.3)
    one, other = (DualEncoder(9, 3, 8, SMALL, rng(1)) for _ in range(2))
    fitted, given = EncoderFitter(one, config, Descent((0.8, 0.97), 0.5, 0.25)), batch()
    plain = torch.optim.AdamW(other.parameters(), 0.01, (0.8, 0.97), weight_decay=0.3)
    text, shown = other.text(given.tokens), other.image(disturbed(given.pictures, config, rng(2)))
    same, scale = same_captions(given.tokens), other.scale().detach()
    loss = contrastive_loss(text, shown, other.scale(), same)
    loss.backward()
    norm = torch.nn.utils.clip_grad_norm_(other.parameters(), 0.25)
    plain.step()
    found = fitted.step(given, rng(2))
    for weight, wanted in zip(one.parameters(), other.parameters(), strict=True):
        torch.testing.assert_close(weight, wanted)
    torch.testing.assert_close(found["contrastive"], loss.detach())
    torch.testing.assert_close(found["grad_norm"], norm)
    assert norm > 0.25 and found["learning_rate"] == 0.01 and fitted.done == 1
    assert found["temperature"].item() == pytest.approx(1 / one.scale().item())
    assert scale.item() == pytest.approx(10)
    assert found["retrieval_real"] == in_batch_accuracy(text, shown, same)
