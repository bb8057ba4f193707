"""Networks of pictures: shapes, sizes, weights from the generator given."""

import pytest
import torch
from torch import Tensor, nn

from gantext.models.image_gan.networks import (
    DCGANDiscriminator,
    DCGANGenerator,
    MLPDiscriminator,
    MLPGenerator,
    sides,
)
from gantext.nn.pictures.layers import SLOPE, Init, Norm

TUTORIAL = (128, 256, 512, 1024)


def rng(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def noise(rows: int, size: int, seed: int = 7) -> Tensor:
    return torch.randn(rows, size, generator=rng(seed))


def generators(channels: int, size: int, norm: Norm, init: Init = Init.dcgan) -> list[nn.Module]:
    shape = 5, channels, size
    found: list[nn.Module] = [MLPGenerator(*shape, (8, 16), norm, init, rng())]
    return [*found, DCGANGenerator(*shape, 8, norm, init, rng())]


def discriminators(channels: int, size: int, norm: Norm) -> list[nn.Module]:
    shape = channels, size
    return [
        MLPDiscriminator(*shape, (16, 12, 8), norm, Init.kaiming, rng()),
        DCGANDiscriminator(*shape, 8, norm, Init.kaiming, rng()),
    ]


def test_sides_are_halved_while_they_stay_whole_and_at_least_4() -> None:
    assert sides(28) == [7, 14, 28] and sides(32) == [4, 8, 16, 32]
    assert sides(8) == [4, 8] and sides(9) == [9] and sides(12) == [6, 12] and sides(4) == [4]


@pytest.mark.parametrize(("channels", "size"), [(1, 8), (1, 28), (3, 32), (1, 9), (2, 4)])
@pytest.mark.parametrize("norm", list(Norm))
def test_shapes(channels: int, size: int, norm: Norm) -> None:
    for generator in generators(channels, size, norm):
        pictures = generator(noise(3, 5))
        assert pictures.shape == (3, channels, size, size)
        assert pictures.dtype == torch.float32 and pictures.is_contiguous()
        assert pictures.abs().max() <= 1
    for discriminator in discriminators(channels, size, norm):
        assert discriminator(pictures.detach()).shape == (3,)


def count(network: nn.Module) -> int:
    return sum(parameter.numel() for parameter in network.parameters())


def test_the_tutorial_s_numbers_of_weights() -> None:
    """D: 784 * 512 + 512 + 512 * 256 + 256 + 256 + 1 = 533,505. G: layers of 100 * 128 + 128,
    128 * 256 + 256, 256 * 512 + 512, 512 * 1024 + 1024, 1024 * 784 + 784 = 1,506,448; norms of
    2 * (256 + 512 + 1024) = 3,584: 1,510,032."""
    generator = MLPGenerator(100, 1, 28, TUTORIAL, Norm.batch, Init.uniform, rng(), 0.8)
    discriminator = MLPDiscriminator(1, 28, (512, 256), Norm.none, Init.uniform, rng())
    assert count(generator) == 1_510_032 and count(discriminator) == 533_505
    norms = [layer for layer in generator.modules() if isinstance(layer, nn.BatchNorm1d)]
    assert [layer.eps for layer in norms] == [0.8] * 3


def test_the_dcgan_s_numbers_of_weights() -> None:
    """G of 28 x 28 with width 4: head 5 * 8 * 49 + 8 * 49 = 2,352; 8 * 4 * 16 + 4 = 516;
    4 * 1 * 16 + 1 = 65: 2,933. D: 1 * 4 * 16 + 4 = 68; 4 * 8 * 16 + 8 = 520; 8 * 49 + 1 = 393:
    981."""
    generator = DCGANGenerator(5, 1, 28, 4, Norm.none, Init.dcgan, rng())
    assert count(generator) == 2_933
    assert count(DCGANDiscriminator(1, 28, 4, Norm.none, Init.dcgan, rng())) == 981


def test_features_are_what_the_output_reads() -> None:
    pictures = torch.rand(3, 1, 8, 8, generator=rng())
    for found in (
        MLPDiscriminator(1, 8, (6, 5), Norm.none, Init.uniform, rng()),
        DCGANDiscriminator(1, 8, 4, Norm.none, Init.dcgan, rng()),
    ):
        features = found.features(pictures)
        assert features.shape == (3, found.layers[-1].in_features)
        torch.testing.assert_close(found.layers[-1](features), found.outputs(pictures))


def test_weights_come_from_the_generator_given() -> None:
    def weights(seed: int, world: int) -> Tensor:
        torch.manual_seed(world)
        network = DCGANGenerator(5, 1, 8, 8, Norm.batch, Init.kaiming, rng(seed))
        return torch.cat([p.detach().flatten() for p in network.parameters()])

    assert torch.equal(weights(1, 1), weights(1, 2))
    assert not torch.equal(weights(1, 1), weights(2, 1))


def test_how_weights_are_drawn() -> None:
    """Fan in of the first 4 x 4 convolution is 3 * 16 = 48, of the transposed 128 * 16 / 4 = 512.

    uniform: +-48^-.5 = +-.1443; kaiming: sqrt(2 / (1.04 * 48)) = .2002, sqrt(2 / (1.04 * 512)) =
    .0613; dcgan: .02 everywhere.
    """
    down, up = {}, {}
    for init in Init:
        discriminator = DCGANDiscriminator(3, 8, 256, Norm.none, init, rng())
        down[init] = discriminator.layers[0]
        generator = DCGANGenerator(5, 64, 8, 128, Norm.none, init, rng())
        up[init] = generator.layers[-1]
    bound = 48**-0.5
    assert 0.99 * bound < down[Init.uniform].weight.abs().max() <= bound
    assert 0.9 * bound < down[Init.uniform].bias.abs().max() <= bound
    assert down[Init.kaiming].weight.std().item() == pytest.approx(0.2002, rel=0.03)
    assert up[Init.kaiming].weight.std().item() == pytest.approx(0.0613, rel=0.03)
    for layer in (down[Init.dcgan], up[Init.dcgan]):
        assert layer.weight.std().item() == pytest.approx(0.02, rel=0.03)
        assert not layer.bias.any()


def test_kaiming_keeps_the_scale_of_activations() -> None:
    """Through six LeakyReLU layers E x^2 stays within a factor of 2; dcgan's init loses it."""
    scales = {}
    for init in (Init.kaiming, Init.dcgan):
        network = MLPDiscriminator(1, 16, (256,) * 6, Norm.none, init, rng())
        found = network.layers[:-1](noise(64, 256).view(64, 1, 16, 16))
        scales[init] = found.square().mean().item() * 2 / (1 + SLOPE**2)
    assert 0.5 < scales[Init.kaiming] < 2
    assert scales[Init.dcgan] < 0.01


@pytest.mark.parametrize("norm", [Norm.none, Norm.group])
def test_a_discriminator_without_batch_norm_judges_each_picture_by_itself(norm: Norm) -> None:
    pictures = noise(4, 28 * 28).view(4, 1, 28, 28)
    for discriminator in discriminators(1, 28, norm):
        together = discriminator(pictures)
        apart = torch.cat([discriminator(picture[None]) for picture in pictures])
        torch.testing.assert_close(together, apart, atol=1e-5, rtol=1e-4)


def test_pixels_have_their_place() -> None:
    """The transposed convolutions' side: a change in one corner of the smallest map stays there."""
    network = DCGANGenerator(5, 1, 32, 4, Norm.none, Init.kaiming, rng())
    start = torch.zeros(1, *network.shape)
    other = start.clone()
    other[0, :, 0, 0] = 1.0
    moved = (network.layers(other) - network.layers(start))[0, 0].abs() > 0
    rows = moved.any(1).nonzero()
    assert moved[0, 0] and int(rows.max()) < 32 // 2


def test_autocast_gives_fp32_pictures_and_logits() -> None:
    with torch.autocast("cpu", torch.bfloat16, cache_enabled=False):
        for generator in generators(1, 8, Norm.batch):
            pictures = generator(noise(4, 5))
            assert pictures.dtype == torch.float32
        for discriminator in discriminators(1, 8, Norm.group):
            assert discriminator(pictures).dtype == torch.float32
