"""The fit of decoder and composer: the bound's terms by hand and by torch's distributions."""

import dataclasses
import math

import pytest
import torch
from torch.distributions import Normal, kl_divergence

from gantext.data.gallery import PictureBatch
from gantext.data.vocabulary import EOS
from gantext.models.dpr_gan.code_fitting import CodeFitting, CodeFittingConfig, copy_reader
from gantext.models.dpr_gan.codes import CodeReader, Gaussian, PictureReader
from gantext.models.dpr_gan.generator import WordGenerator, WordGeneratorConfig
from gantext.nn.captions.reader import CaptionReader, initialise_reader
from gantext.nn.ema import Ema

SMALL = WordGeneratorConfig(noise=3, code=2, coarse=16, fine=8, style=12, rounds=1, heads=4)
FIT = CodeFittingConfig(16, 4, learning_rate=0.01, warmup_steps=1, kl_weight=0.5, kl_warmup_steps=2)


def rng(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def made(seed: int = 1) -> CodeFitting:
    generator = WordGenerator(9, (6, 5), 3, 8, SMALL, rng(seed))
    return CodeFitting(
        generator, CaptionReader(9, 6, 5), Ema(generator, 0.9), 3, FIT, FIT, rng(seed)
    )


def batch(rows: int = 4) -> PictureBatch:
    pictures = torch.rand(rows, 3, 8, 8, generator=rng(7)) * 2 - 1
    words = torch.randint(4, 9, (rows, 3), generator=rng(8))
    tokens = torch.cat([words, torch.full((rows, 1), EOS)], 1)
    return PictureBatch(pictures, torch.full((rows,), -1), tokens)


def test_the_kl_term_equals_torchs() -> None:
    mean, log_var = torch.randn(2, 4, 3, 2, 2, generator=rng(1)).unbind(0)
    wanted = kl_divergence(Normal(mean, (0.5 * log_var).exp()), Normal(0.0, 1.0))
    torch.testing.assert_close(Gaussian(mean, log_var).kl(), wanted.sum((1, 2, 3)).mean())


def test_posteriors_start_near_the_prior() -> None:
    found = PictureReader(3, 2, rng(1))(batch().pictures)
    assert found.mean.shape == found.log_var.shape == (4, 2, 2, 2)
    assert found.kl() < 1
    noise = CodeReader(2, 2, 10, 3, rng(1))(found.mean, torch.randn(4, 10, generator=rng(2)))
    assert noise.mean.shape == (4, 3) and noise.kl() < 1


def test_the_bounds_terms_are_what_they_say() -> None:
    """With a draw from the same seed: the code's error is half the squared distance of what the
    composer makes of the noise, in units of the deviations; the noise's term has its weight."""
    fitting, real = made(), batch()
    composer, scale = fitting.generator.composer, torch.tensor([0.5, 2.0]).view(-1, 1, 1)
    composer.scale.copy_(scale)
    codes = fitting.picture_reader(real.pictures)
    found = fitting.bound(codes, real.tokens, rng(3))
    noise = fitting.code_reader(codes.mean, composer.text.features(real.tokens))
    composed = composer(real.tokens, noise.drawn(rng(3)))
    error = 0.5 * (((composed - codes.mean) / scale) ** 2).sum() / 4
    torch.testing.assert_close(found["code_error"], error)
    torch.testing.assert_close(found["noise_kl"], 0.5 * noise.kl())


def test_the_picture_error_is_half_the_squared_distance() -> None:
    fitting, real = made(), batch()
    codes = fitting.picture_reader(real.pictures)
    picture = fitting.generator.decoder(real.tokens, codes.drawn(rng(3)))
    wanted = 0.5 * ((picture - real.pictures) ** 2).sum() / 4
    torch.testing.assert_close(fitting.picture_error(codes, real, rng(3)), wanted)


def test_the_scale_is_a_running_deviation_of_codes() -> None:
    """The first batch's, then 1% of each next at least: after 2 the mean of both."""
    fitting, one, two = made(), batch(), batch()
    two.pictures.mul_(0.5)
    wanted = []
    for real in (one, two):
        with torch.no_grad():
            wanted.append(fitting.picture_reader(real.pictures).mean.std((0, 2, 3)))
        fitting.composer_step(real, rng(1))
        mean = torch.stack(wanted).mean(0)
        torch.testing.assert_close(fitting.generator.composer.scale.flatten(), mean)


def test_the_kl_weight_rises_evenly() -> None:
    """2 steps to a weight of .5: 0, .25, .5, .5."""
    fitter, weights = made().decoding, []
    for _ in range(4):
        weights.append(fitter.kl_weight())
        fitter.done += 1
    assert weights == pytest.approx([0, 0.25, 0.5, 0.5])


def test_each_fit_begins_with_the_words_of_the_one_before_and_lowers_its_loss() -> None:
    fitting, real = made(), batch()
    generator, seen = fitting.generator, {}
    for name, step in (("error", fitting.decoder_step), ("kl", fitting.composer_step)):
        key = {"error": "picture_error", "kl": "code_error"}[name]
        seen[name] = [float(step(real, rng(i))[key]) for i in range(12)]
        assert seen[name][-1] < seen[name][0], seen
        if name == "error":
            before = generator.composer.text.embedding.weight.clone()
    assert not torch.equal(before, generator.composer.text.embedding.weight)
    other = made()
    other.decoding.config = CodeFittingConfig(1, 4, 0.0, 1, 0.5, 1)
    other.decoder_step(real, rng(1))
    wanted = other.text.embedding.weight
    torch.testing.assert_close(other.generator.decoder.text.embedding.weight, wanted)


def test_a_copied_reader_reads_as_its_source() -> None:
    one, two = CaptionReader(9, 6, 5), CaptionReader(9, 6, 5)
    initialise_reader(one, rng(1))
    initialise_reader(two, rng(2))
    tokens = torch.tensor([[4, 5, EOS]])
    assert not torch.equal(one.features(tokens), two.features(tokens))
    copy_reader(one, two)
    assert torch.equal(one.features(tokens), two.features(tokens))


def test_the_scale_follows_by_a_hundredth_in_the_end() -> None:
    fitting, real = made(), batch()
    with torch.no_grad():
        deviation = fitting.picture_reader(real.pictures).mean.std((0, 2, 3))
    for done in (99, 1000):
        fitting.composing.done = done
        fitting.generator.composer.scale.fill_(2.0)
        fitting.composer_step(real, rng(1))
        wanted = 0.99 * 2 + 0.01 * deviation
        torch.testing.assert_close(fitting.generator.composer.scale.flatten(), wanted)


def test_a_kl_weight_that_rises_over_no_steps_is_whole_from_the_second_on() -> None:
    fitter = made().decoding
    fitter.config = dataclasses.replace(FIT, kl_warmup_steps=0)
    weights = []
    for fitter.done in range(3):
        weights.append(fitter.kl_weight())
    assert weights == [0, 0.5, 0.5]


def test_the_rate_of_a_fit_rises_and_falls_to_a_fiftieth_and_its_gradient_is_clipped() -> None:
    """Over 2 of 4 steps to .01: 1/2, then .02 + .98 (1 + cos(pi i / 4)) / 2. A loss whose gradient
    is 3 * 500 by one weight, 4 * 500 by another, has a norm of 5, and is clipped to 1."""
    fitter = made().decoding
    fitter.config = dataclasses.replace(FIT, steps=4, warmup_steps=2)
    weight = next(fitter.fitted.parameters())
    slope = torch.zeros_like(weight)
    slope.view(-1)[:2] = torch.tensor([3.0, 4.0])
    found = [fitter.descend(500 * (slope * weight).sum()) for _ in range(5)]
    falls = [0.02 + 0.98 * (1 + math.cos(math.pi * i / 4)) / 2 for i in range(5)]
    rises = [0.5, 1, 1, 1, 1]
    wanted = [0.01 * fall * rise for fall, rise in zip(falls, rises, strict=True)]
    assert [row["learning_rate"] for row in found] == pytest.approx(wanted)
    assert [float(row["grad_norm"]) for row in found] == pytest.approx([5] * 5)
    assert weight.grad is not None and weight.grad.norm().item() == pytest.approx(1, rel=1e-5)
    (group,) = fitter.optimiser.param_groups
    assert group["betas"] == (0.9, 0.99) and group["weight_decay"] == 0
