"""The fit of decoder and composer: the bound's terms by hand and by torch's distributions."""

import pytest
import torch
from torch.distributions import Normal, kl_divergence

from gantext.data.gallery import PictureBatch
from gantext.data.vocabulary import EOS
from gantext.nn.caption_reader import CaptionReader
from gantext.nn.code_fitting import CodeFitting, CodeFittingConfig
from gantext.nn.ema import Ema
from gantext.nn.picture_code import CodeReader, Gaussian, PictureReader
from gantext.nn.word_generator import WordGenerator, WordGeneratorConfig

SMALL = WordGeneratorConfig(noise=3, code=2, coarse=16, fine=8, style=12, rounds=1, heads=4)
FIT = CodeFittingConfig(steps=16, batch_size=4, learning_rate=0.01, warmup_steps=1, kl_weight=0.5)


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


def test_kl_terms_equal_torchs() -> None:
    """Against torch.distributions, to N(0, 1) and to Gaussians of the same variances."""
    mean, log_var = torch.randn(2, 4, 3, 2, 2, generator=rng(1)).unbind(0)
    other, q = torch.randn(4, 3, 2, 2, generator=rng(2)), Gaussian(mean, log_var)
    std = (0.5 * log_var).exp()
    torch.testing.assert_close(
        q.kl(), kl_divergence(Normal(mean, std), Normal(0.0, 1.0)).sum((1, 2, 3)).mean()
    )
    torch.testing.assert_close(
        q.kl_to_mean(other),
        kl_divergence(Normal(mean, std), Normal(other, std)).sum((1, 2, 3)).mean(),
    )


def test_posteriors_start_near_the_prior() -> None:
    found = PictureReader(3, 2, rng(1))(batch().pictures)
    assert found.mean.shape == found.log_var.shape == (4, 2, 2, 2)
    assert found.kl() < 1
    noise = CodeReader(2, 2, 10, 3, rng(1))(found.mean, torch.randn(4, 10, generator=rng(2)))
    assert noise.mean.shape == (4, 3) and noise.kl() < 1


def test_the_bounds_terms_are_what_they_say() -> None:
    """With draws from the same seed: the error is half the squared distance of the picture, the
    codes' term their KL to what the composer makes of the noise drawn."""
    fitting, real = made(), batch()
    found = fitting.bound(real, rng(3))
    draws, generator = rng(3), fitting.generator
    codes = fitting.picture_reader(real.pictures)
    read = generator.composer.text.read(real.tokens)
    noise = fitting.code_reader(codes.mean, read[1])
    composed = generator.composer(real.tokens, noise.drawn(draws))
    picture = generator.decoder(real.tokens, codes.drawn(draws))
    wanted = {
        "picture_error": 0.5 * ((picture - real.pictures) ** 2).sum() / 4,
        "composed_kl": codes.kl_to_mean(composed),
        "noise_kl": noise.kl(),
    }
    for name, value in wanted.items():
        torch.testing.assert_close(found[name], value)


def test_the_kl_weight_rises_over_an_eighth_of_the_steps() -> None:
    """16 steps to a weight of .5: 0, .25, .5, .5."""
    fitter, weights = made().decoding, []
    for _ in range(4):
        weights.append(fitter.kl_weight())
        fitter.done += 1
    assert weights == pytest.approx([0, 0.25, 0.5, 0.5])


def test_each_fit_begins_with_the_words_of_the_one_before_and_lowers_its_loss() -> None:
    fitting, real = made(), batch()
    generator, seen = fitting.generator, {}
    for name, step in (("error", fitting.decoder_step), ("kl", fitting.composer_step)):
        key = {"error": "picture_error", "kl": "composed_kl"}[name]
        seen[name] = [float(step(real, rng(i))[key]) for i in range(12)]
        assert seen[name][-1] < seen[name][0], seen
        if name == "error":
            before = generator.composer.text.embedding.weight.clone()
    assert not torch.equal(before, generator.composer.text.embedding.weight)
    other = made()
    other.decoding.config = CodeFittingConfig(1, 4, 0.0, 1, 0.5)
    other.decoder_step(real, rng(1))
    wanted = other.text.embedding.weight
    torch.testing.assert_close(other.generator.decoder.text.embedding.weight, wanted)
