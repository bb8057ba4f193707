"""Layers of a generator that reads a caption word by word.

Shapes: B batch, T words, F features of a word, C channels, H and W places of a map, S style.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from gantext.nn.pictures.layers import BN_EPS, SLOPE, Init, Norm, initialise, map_norm

STYLE_STD = 0.02


class WordAttention(nn.Module):
    """Every place of a map asks the words what it is of, and adds the answer.

    Scaled dot-product attention with several heads (Vaswani et al. 2017, section 3.2), from places
    to words as in AttnGAN (Xu et al. 2018, arXiv 1711.10485).
    """

    def __init__(self, channels: int, features: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.norm = nn.LayerNorm(channels)
        self.query = nn.Linear(channels, channels)
        self.key = nn.Linear(features, channels)
        self.value = nn.Linear(features, channels)
        self.output = nn.Linear(channels, channels)

    def forward(self, x: Tensor, words: Tensor, padding: Tensor) -> Tensor:
        """(B, C, H, W) from a map, words (B, T, F) and which of them are none, (B, T) bool."""
        queries = self._split(self.query(self.norm(x.flatten(2).transpose(1, 2))))
        keys, values = self._split(self.key(words)), self._split(self.value(words))
        scores = (queries @ keys.transpose(2, 3)).float() * keys.shape[3] ** -0.5
        weights = scores.masked_fill(padding[:, None, None], -torch.inf).softmax(3)
        found = (weights.to(values.dtype) @ values).transpose(1, 2).flatten(2)  # (B, H W, C)
        added: Tensor = x + self.output(found).transpose(1, 2).view_as(x)
        return added

    def _split(self, x: Tensor) -> Tensor:
        """(B, N, C) -> (B, heads, N, C / heads)."""
        return x.view(*x.shape[:2], self.heads, -1).transpose(1, 2)


class StyledNorm(nn.Module):
    """Group normalisation whose scale and shift a style sets, then the activation.

    As in BigGAN (Brock et al. 2019, arXiv 1809.11096, appendix C).
    """

    def __init__(self, channels: int, style: int) -> None:
        super().__init__()
        self.norm = nn.Sequential(*map_norm(Norm.group, channels, BN_EPS))
        self.style = nn.Linear(style, 2 * channels)

    def forward(self, x: Tensor, style: Tensor) -> Tensor:
        """(B, C, H, W) from a map and styles (B, S)."""
        scale, shift = self.style(style)[:, :, None, None].chunk(2, 1)
        return F.leaky_relu(self.norm(x) * (1 + scale) + shift, SLOPE)


class StyledResidual(nn.Module):
    """x + what two styled norms and convolutions make of it (He et al. 2016, arXiv 1603.05027)."""

    def __init__(self, channels: int, style: int) -> None:
        super().__init__()
        self.norms = nn.ModuleList(StyledNorm(channels, style) for _ in range(2))
        self.convolutions = nn.ModuleList(
            nn.Conv2d(channels, channels, 3, padding=1) for _ in range(2)
        )

    def forward(self, x: Tensor, style: Tensor) -> Tensor:
        """(B, C, H, W) from a map and styles (B, S)."""
        found = x
        for norm, convolution in zip(self.norms, self.convolutions, strict=True):
            found = convolution(norm(found, style))
        return x + found


class CaptionRounds(nn.Module):
    """Rounds of `WordAttention` and `StyledResidual` on one map."""

    def __init__(self, channels: int, features: int, style: int, rounds: int, heads: int) -> None:
        super().__init__()
        self.attention = nn.ModuleList(
            WordAttention(channels, features, heads) for _ in range(rounds)
        )
        self.residual = nn.ModuleList(StyledResidual(channels, style) for _ in range(rounds))

    def forward(self, x: Tensor, words: Tensor, padding: Tensor, style: Tensor) -> Tensor:
        """(B, C, H, W) from a map, words (B, T, F), padding (B, T) and styles (B, S)."""
        for attention, residual in zip(self.attention, self.residual, strict=True):
            x = residual(attention(x, words, padding), style)
        return x


@torch.no_grad()
def initialise_caption_layers(module: nn.Module, rng: torch.Generator) -> None:
    """Residual convolutions by fan-in, all else as torch has it; styles start near 1 and 0."""
    initialise(module, Init.uniform, rng)
    for part in module.modules():
        if isinstance(part, StyledResidual):
            initialise(part.convolutions, Init.kaiming, rng)
    for part in module.modules():
        if isinstance(part, StyledNorm):
            nn.init.normal_(part.style.weight, 0.0, STYLE_STD, generator=rng)
            nn.init.zeros_(part.style.bias)
