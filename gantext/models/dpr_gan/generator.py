"""A generator of pictures in two steps: caption and noise -> code -> picture.

The code says, place by place, what the caption leaves open: where things lie and how large they
are. The decoder draws a picture of a code and a caption; the composer makes codes. A network that
has to find the places of shapes and to draw them at once learns blots.

Shapes: B batch, T words, F features, Z noise, K channels of a code, C channels, S side in pixels;
a code has S / 4 places each way.
"""

import itertools
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from gantext.data.ranges import Layers, Size
from gantext.data.vocabulary import PAD
from gantext.errors import UserError
from gantext.models.dpr_gan.layers import (
    CaptionRounds,
    StyledNorm,
    StyledResidual,
    initialise_caption_layers,
)
from gantext.models.dpr_gan.plain_generator import DoubledConvolution
from gantext.nn.captions.reader import CaptionReader, initialise_reader
from gantext.nn.pictures.layers import SLOPE, Init, initialise

SHRINK = 4  # pixels of a place of the code, each way
PLACE_STD = 0.5
Read = tuple[Tensor, Tensor]  # states of words and features of captions


@dataclass(frozen=True)
class WordGeneratorConfig:
    """Sizes of the generator (explained in conf/model/dpr_gan.yaml)."""

    noise: Size
    code: Size
    coarse: Size
    fine: Size
    style: Size
    rounds: Layers
    heads: Size


class Composer(nn.Module):
    """Captions and noise -> codes: a linear head to a map, rounds of attention, a convolution.

    Attributes:
        scale: (K, 1, 1), the deviation of real pictures' codes; what it composes has that scale.
    """

    scale: Tensor

    def __init__(self, reader: CaptionReader, side: int, config: WordGeneratorConfig) -> None:
        super().__init__()
        self.text, self.side = reader, side
        widths = (reader.size + config.noise, config.style, config.style)
        self.mapping = nn.ModuleList(nn.Linear(a, b) for a, b in itertools.pairwise(widths))
        self.head = nn.Linear(config.style, config.coarse * side**2)
        self.rounds = _rounds(reader, config)
        self.norm = StyledNorm(config.coarse, config.style)
        self.last = nn.Conv2d(config.coarse, config.code, 3, padding=1)
        self.register_buffer("scale", torch.ones(config.code, 1, 1))

    def forward(self, tokens: Tensor, noise: Tensor, read: Read | None = None) -> Tensor:
        """(B, K, S / 4, S / 4) of captions (B, T) and noise (B, Z).

        read: what `text.read` gave of the captions, if it is known already.
        """
        words, features = read or self.text.read(tokens)
        style = torch.cat([F.layer_norm(features, features.shape[1:]), noise], 1)
        for layer in self.mapping:
            style = F.leaky_relu(layer(style), SLOPE)
        x = self.head(style).view(len(style), -1, self.side, self.side)
        x = self.rounds(x, words, tokens == PAD, style)
        code: Tensor = self.last(self.norm(x, style)).float() * self.scale
        return code


class Decoder(nn.Module):
    """Captions and codes -> pictures: rounds of attention, then twice as many pixels, twice."""

    def __init__(
        self, reader: CaptionReader, channels: int, side: int, config: WordGeneratorConfig
    ) -> None:
        super().__init__()
        self.text = reader
        coarse, fine, style = config.coarse, config.fine, config.style
        self.mapping = nn.Linear(reader.size, style)
        self.head = nn.Linear(style, coarse)
        self.places = nn.Parameter(torch.empty(coarse, side, side))
        self.code = nn.Conv2d(config.code, coarse, 3, padding=1)
        self.rounds = _rounds(reader, config)
        self.doubled = DoubledConvolution(coarse, fine)
        self.residual = StyledResidual(fine, style)
        self.norm = StyledNorm(fine, style)
        self.last = nn.Conv2d(fine, 4 * channels, 3, padding=1)

    def forward(self, tokens: Tensor, code: Tensor) -> Tensor:
        """(B, C, S, S) in [-1, 1] of captions (B, T) and codes (B, K, S / 4, S / 4)."""
        words, features = self.text.read(tokens)
        style = F.leaky_relu(self.mapping(F.layer_norm(features, features.shape[1:])), SLOPE)
        x = self.places + self.head(style)[:, :, None, None] + self.code(code)
        x = self.doubled(self.rounds(x, words, tokens == PAD, style))
        x = self.norm(self.residual(x, style), style)
        return torch.tanh(F.pixel_shuffle(self.last(x), 2))


class WordGenerator(nn.Module):
    """`Composer` and `Decoder`, each with a reader of captions of its own.

    Raises:
        UserError: the heads do not divide the map's channels, or 4 not the picture's side.
    """

    def __init__(
        self,
        vocab_size: int,
        words: tuple[int, int],
        channels: int,
        size: int,
        config: WordGeneratorConfig,
        rng: torch.Generator,
    ) -> None:
        super().__init__()
        if config.coarse % config.heads:
            raise UserError(
                f"model.generator.heads={config.heads} does not divide coarse={config.coarse}"
            )
        if size % SHRINK:
            raise UserError(
                f"pictures of {size} pixels: model=dpr_gan needs a multiple of {SHRINK}"
            )
        self.noise, self.code, side = config.noise, config.code, size // SHRINK
        self.composer = Composer(CaptionReader(vocab_size, *words), side, config)
        self.decoder = Decoder(CaptionReader(vocab_size, *words), channels, side, config)
        self._initialise(rng)

    @torch.no_grad()
    def _initialise(self, rng: torch.Generator) -> None:
        initialise_caption_layers(self, rng)
        initialise(self.decoder.doubled, Init.kaiming, rng)
        nn.init.normal_(self.decoder.places, 0.0, PLACE_STD, generator=rng)
        for part in (self.composer, self.decoder):
            initialise_reader(part.text, rng)

    def forward(self, tokens: Tensor, noise: Tensor) -> Tensor:
        """One picture a row, (B, C, S, S) in [-1, 1]."""
        pictures: Tensor = self.decoder(tokens, self.composer(tokens, noise))
        return pictures

    @property
    def device(self) -> torch.device:
        """Where its weights are."""
        return self.decoder.places.device

    def drawn(self, tokens: Tensor, rng: torch.Generator) -> Tensor:
        """Pictures of captions (B, T) with noise from `rng`, one vector a row."""
        noise = torch.randn(len(tokens), self.noise, generator=rng, device=tokens.device)
        pictures: Tensor = self(tokens, noise)
        return pictures


def _rounds(reader: CaptionReader, config: WordGeneratorConfig) -> CaptionRounds:
    return CaptionRounds(config.coarse, reader.size, config.style, config.rounds, config.heads)
