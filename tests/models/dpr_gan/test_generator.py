"""The generator that reads words: attention against torch's, and what enters where."""

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from gantext.data.vocabulary import EOS, PAD
from gantext.errors import UserError
from gantext.models.dpr_gan.generator import WordGenerator, WordGeneratorConfig
from gantext.models.dpr_gan.layers import StyledNorm, StyledResidual, WordAttention

SMALL = WordGeneratorConfig(noise=3, code=2, coarse=16, fine=8, style=12, rounds=2, heads=4)
TOKENS = torch.tensor([[4, 5, EOS, PAD], [6, 7, 8, EOS]])


def rng(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def normal(*shape: int, seed: int = 5) -> Tensor:
    return torch.randn(shape, generator=rng(seed))


def generator(seed: int = 1) -> WordGenerator:
    return WordGenerator(9, (6, 5), 3, 8, SMALL, rng(seed))


def test_shapes_and_range() -> None:
    model = generator()
    code = model.composer(TOKENS, normal(2, 3))
    assert code.shape == (2, 2, 2, 2)
    assert model(TOKENS, normal(2, 3)).shape == (2, 3, 8, 8)
    assert model.decoder(TOKENS, 100 * code).abs().max() <= 1
    assert torch.equal(model.drawn(TOKENS, rng(2)), model.drawn(TOKENS, rng(2)))


def test_attention_equals_torchs() -> None:
    """torch.nn.functional.scaled_dot_product_attention of each head, with padding left out."""
    layer, x, words = WordAttention(8, 6, 2), normal(2, 8, 3, 3), normal(2, 4, 6, seed=6)
    padding = torch.tensor([[False, False, True, True], [False] * 4])
    places = layer.norm(x.flatten(2).transpose(1, 2))
    heads = [
        part.view(2, -1, 2, 4).transpose(1, 2)
        for part in (layer.query(places), layer.key(words), layer.value(words))
    ]
    found = F.scaled_dot_product_attention(*heads, attn_mask=~padding[:, None, None])
    wanted = x + layer.output(found.transpose(1, 2).flatten(2)).transpose(1, 2).view_as(x)
    torch.testing.assert_close(layer(x, words, padding), wanted)


def test_a_styled_norm_is_group_norm_scaled_and_shifted() -> None:
    layer, x, style = StyledNorm(16, 5), normal(2, 16, 3, 3), normal(2, 5, seed=6)
    scale, shift = (part[:, :, None, None] for part in layer.style(style).chunk(2, 1))
    wanted = F.leaky_relu(F.group_norm(x, 2) * (1 + scale) + shift, 0.2)
    torch.testing.assert_close(layer(x, style), wanted)


def test_a_residual_with_a_last_convolution_of_0_changes_nothing() -> None:
    layer, x = StyledResidual(8, 5), normal(2, 8, 3, 3)
    for parameter in layer.convolutions[1].parameters():
        torch.nn.init.zeros_(parameter)
    assert torch.equal(layer(x, normal(2, 5)), x)


def test_padding_changes_nothing() -> None:
    model, wide = generator(), F.pad(TOKENS, (0, 3), value=PAD)
    noise = normal(2, 3)
    torch.testing.assert_close(model(wide, noise), model(TOKENS, noise))


def test_words_noise_and_code_each_change_the_picture() -> None:
    model, noise, other = generator(), normal(2, 3), TOKENS.flip(0)
    picture = model(TOKENS, noise)
    assert not torch.allclose(picture, model(TOKENS, normal(2, 3, seed=9)))
    assert not torch.allclose(picture, model(other, noise))
    code = model.composer(TOKENS, noise)
    torch.testing.assert_close(model.decoder(TOKENS, code), picture)
    assert not torch.allclose(model.decoder(other, code), picture)
    assert not torch.allclose(model.decoder(TOKENS, code + 1), picture)


def test_a_value_of_the_code_acts_near_its_place() -> None:
    """On a picture of 32 pixels, the first of 8 x 8 places leaves the far corner as it was, but
    for the statistics of the norms."""
    model = WordGenerator(9, (6, 5), 3, 32, SMALL, rng(1))
    code = normal(2, 2, 8, 8)
    moved = code.clone()
    moved[:, :, 0, 0] += 3
    change = (model.decoder(TOKENS, moved) - model.decoder(TOKENS, code)).abs()
    assert change[:, :, :8, :8].mean() > 3 * change[:, :, 24:, 24:].mean()


def test_places_are_drawn_around_0() -> None:
    places = [generator(seed).decoder.places.detach().flatten() for seed in range(30)]
    drawn = torch.cat(places)
    assert drawn.mean().abs() < 0.1 and 0.45 < drawn.std() < 0.55


def test_weights_come_from_the_generator_given() -> None:
    one, two, other = generator(), generator(), generator(2)
    assert all(map(torch.equal, one.parameters(), two.parameters()))
    drawn = [n for n, p in one.named_parameters() if p.dim() > 1 and p.std() > 0]
    others = dict(other.named_parameters())
    assert drawn and not any(torch.equal(one.get_parameter(n), others[n]) for n in drawn)


@pytest.mark.parametrize(
    ("size", "heads", "said"),
    [(10, 4, "10 pixels: model=dpr_gan needs a multiple of 4"), (8, 3, "heads=3 does not divide")],
)
def test_sizes_that_do_not_fit_are_refused(size: int, heads: int, said: str) -> None:
    config = WordGeneratorConfig(3, 2, 16, 8, 12, 2, heads)
    with pytest.raises(UserError, match=said):
        WordGenerator(9, (6, 5), 3, size, config, rng())
