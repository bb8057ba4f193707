"""The generator of pictures of captions and the discriminator that knows them."""

import copy

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from gantext.errors import UserError
from gantext.models.dpr_gan.discriminator import ProjectionConfig, ProjectionDiscriminator
from gantext.models.dpr_gan.plain_generator import (
    CaptionGenerator,
    CaptionGeneratorConfig,
    DoubledConvolution,
)
from gantext.nn.pictures.layers import Init, Norm


def rng(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def normal(*shape: int, seed: int = 5) -> Tensor:
    return torch.randn(shape, generator=rng(seed))


def generator(norm: Norm = Norm.group, init: Init = Init.kaiming) -> CaptionGenerator:
    return CaptionGenerator(6, 3, 16, CaptionGeneratorConfig(4, (16, 8, 8), norm, init), rng(1))


@pytest.mark.parametrize("norm", list(Norm))
@pytest.mark.parametrize("init", list(Init))
def test_shapes_and_range(norm: Norm, init: Init) -> None:
    pictures = generator(norm, init)(normal(5, 6), normal(5, 4))
    assert pictures.shape == (5, 3, 16, 16) and pictures.abs().max() <= 1


def test_a_doubled_convolution_is_that_of_the_upsampled_map() -> None:
    """Against torch's interpolation and convolution; also the gradients of weights and map."""
    fast, x = DoubledConvolution(3, 4), normal(2, 3, 4, 5).requires_grad_()
    slow = copy.deepcopy(fast)
    other = x.detach().clone().requires_grad_()
    wanted = F.conv2d(F.interpolate(other, scale_factor=2), slow.weight, slow.bias, padding=1)
    torch.testing.assert_close(fast(x), wanted)
    weights = normal(2, 4, 8, 10, seed=6)
    (fast(x) * weights).sum().backward()
    (wanted * weights).sum().backward()
    torch.testing.assert_close(x.grad, other.grad)
    torch.testing.assert_close(fast.weight.grad, slow.weight.grad, atol=1e-4, rtol=1e-4)


def test_the_plain_generator_is_the_chain_that_it_says() -> None:
    """Linear head, then upsample, convolution, norm, convolution, norm, activation, then tanh."""
    config = CaptionGeneratorConfig(4, (16, 8), Norm.batch, Init.dcgan)
    model = CaptionGenerator(6, 3, 8, config, rng(1))
    text, noise = normal(5, 6), normal(5, 4, seed=6)
    mean, std = text.mean(1, keepdim=True), text.std(1, keepdim=True, unbiased=False)
    x = model.head(torch.cat([(text - mean) / (std**2 + 1e-5).sqrt(), noise], 1))
    x = F.leaky_relu(x, 0.2).view(5, 16, 4, 4)
    block = model.blocks[0]
    x = F.interpolate(x, scale_factor=2)
    for convolution in (block[0], block[2]):
        x = F.conv2d(x, convolution.weight, convolution.bias, padding=1)
        x = F.batch_norm(x, None, None, training=True)
    wanted = torch.tanh(model.last(F.leaky_relu(x, 0.2)))
    torch.testing.assert_close(model(text, noise), wanted)


def test_weights_come_from_the_generator_given() -> None:
    one, two = generator(), generator()
    assert all(map(torch.equal, one.parameters(), two.parameters()))


def test_blocks_that_do_not_fit_are_refused() -> None:
    config = CaptionGeneratorConfig(4, (8, 8, 8, 8), Norm.group, Init.kaiming)
    with pytest.raises(UserError, match="3 blocks do not end at 12 pixels"):
        CaptionGenerator(6, 3, 12, config, rng())


def discriminator() -> ProjectionDiscriminator:
    return ProjectionDiscriminator(6, 3, 16, ProjectionConfig((4, 8), 10), rng(2))


def test_the_logit_is_linear_in_the_captions_projection() -> None:
    """logit(x, c) - logit(x', c) - logit(x, c') + logit(x', c') is the inner product of the
    differences of the two towers, over the root of their size: 10 + 2 * (4 + 8)."""
    model = discriminator()
    x, c = normal(2, 3, 16, 16), normal(2, 6, seed=6)
    table = torch.stack([model(x, row.expand(2, -1)) for row in c], 1)  # pictures, captions
    cross = table[0, 0] - table[1, 0] - table[0, 1] + table[1, 1]
    looked = model.look(x)
    first, second = model.caption
    towers = second(F.leaky_relu(first(F.layer_norm(c, (6,))), 0.2))
    wanted = ((looked[0] - looked[1]) * (towers[0] - towers[1])).sum() / 34**0.5
    torch.testing.assert_close(cross, wanted, atol=1e-5, rtol=1e-4)


def test_a_logit_does_not_depend_on_the_rest_of_the_batch() -> None:
    model = discriminator()
    x, c = normal(3, 3, 16, 16), normal(3, 6)
    torch.testing.assert_close(model(x, c)[1:2], model(x[1:2], c[1:2]))
