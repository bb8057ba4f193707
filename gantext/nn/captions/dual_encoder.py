"""A dual encoder of captions and pictures: two towers into one space, fitted by contrast.

Dense passage retrieval (Karpukhin et al. 2020, arXiv 2004.04906) with pictures as the passages, in
the symmetric form of CLIP (Radford et al. 2021, arXiv 2103.00020, figure 3).

Shapes: B batch, T words of a caption, N rows, M candidates, C channels, F features of the text
tower, E size of the shared space.
"""

import math
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from gantext.data.ranges import Size, Temperature
from gantext.nn.captions.reader import CaptionReader, initialise_reader
from gantext.nn.pictures.layers import Init, Norm
from gantext.nn.pictures.layers import initialise as initialise_pictures
from gantext.nn.pictures.trunk import PictureTrunk

LARGEST_SCALE = 100.0  # of the learned 1 / temperature, as CLIP has it


@dataclass(frozen=True)
class DualEncoderConfig:
    """Sizes of the two towers (explained in conf/model/dpr_gan.yaml)."""

    embedding: Size
    hidden: Size
    channels: tuple[Size, ...]
    projection: Size
    temperature: Temperature


class TextTower(CaptionReader):
    """What a caption says as a whole, in the shared space."""

    def __init__(self, vocab_size: int, config: DualEncoderConfig) -> None:
        super().__init__(vocab_size, config.embedding, config.hidden)
        self.projection = nn.Linear(self.size, config.projection)

    def forward(self, tokens: Tensor) -> Tensor:
        """Unit vectors (B, E)."""
        return F.normalize(self.projection(self.features(tokens)))


class ImageTower(nn.Module):
    """Convolutions, and a linear layer on what they say is there, and where."""

    def __init__(self, channels: int, size: int, config: DualEncoderConfig) -> None:
        super().__init__()
        self.trunk = PictureTrunk(
            channels, size, tuple(config.channels), Norm.group, key="model.encoder.channels"
        )
        self.projection = nn.Linear(self.trunk.places + self.trunk.pooled, config.projection)

    def forward(self, pictures: Tensor) -> Tensor:
        """Unit vectors (B, E) of pictures (B, C, H, W) in [-1, 1]."""
        return F.normalize(self.projection(torch.cat(self.trunk(pictures), 1)))


class DualEncoder(nn.Module):
    """Both towers and the learned temperature of their cosine similarity."""

    def __init__(
        self,
        vocab_size: int,
        channels: int,
        size: int,
        config: DualEncoderConfig,
        rng: torch.Generator,
    ) -> None:
        super().__init__()
        self.text = TextTower(vocab_size, config)
        self.image = ImageTower(channels, size, config)
        self.log_scale = nn.Parameter(torch.tensor(-math.log(config.temperature)))
        initialise_towers(self, rng)

    def scale(self) -> Tensor:
        """1 / temperature, at most 100."""
        return self.log_scale.exp().clamp_max(LARGEST_SCALE)


def initialise_towers(encoder: DualEncoder, rng: torch.Generator) -> None:
    """Text as in language models, but a word never seen counts for nothing; pictures by fan-in."""
    initialise_reader(encoder.text, rng)
    initialise_pictures(encoder.image, Init.kaiming, rng)


def same_captions(tokens: Tensor) -> Tensor:
    """(B, B) bool: other rows of a batch (B, T) with the same words, which are no negatives."""
    equal = (tokens[:, None] == tokens[None]).all(2)
    return equal & ~torch.eye(len(tokens), dtype=torch.bool, device=tokens.device)


def info_nce(
    queries: Tensor,
    candidates: Tensor,
    scale: Tensor | float,
    masked: Tensor,
    hard: Tensor | None = None,
) -> Tensor:
    """-log softmax of each query's own candidate, the mean over queries, in nats.

    van den Oord et al. 2018, arXiv 1807.03748, eq. 4, with similarity scale * cosine.

    Args:
        queries: (B, E) unit vectors; candidates: (M, E), those of the queries first, M >= B.
        scale: 1 / temperature.
        masked: (B, M) bool, candidates that are left out.
        hard: (B, n, E) candidates of one query each.
    """
    logits = (scale * queries @ candidates.T).masked_fill(masked, -torch.inf)
    if hard is not None:
        logits = torch.cat([logits, scale * (hard @ queries[:, :, None]).squeeze(2)], 1)
    return F.cross_entropy(logits, torch.arange(len(queries), device=queries.device))


def contrastive_loss(
    text: Tensor,
    pictures: Tensor,
    scale: Tensor | float,
    same: Tensor,
    negatives: Tensor | None = None,
    hard: Tensor | None = None,
) -> Tensor:
    """The symmetric in-batch loss (Radford et al. 2021, figure 3), nats.

    Args:
        text: (B, E) unit vectors of captions; pictures: (B, E) of their pictures.
        scale: 1 / temperature.
        same: (B, B) bool, pairs that are no negatives of each other (`same_captions`).
        negatives: (B, E) more candidates for the captions: generated pictures of each of them.
            None of them is ever right, so that nothing of them is masked.
        hard: (B, n, E) more candidates for each picture alone: captions near its own.
    """
    by_picture = info_nce(pictures, text, scale, same, hard)
    if negatives is None:
        return (info_nce(text, pictures, scale, same) + by_picture) / 2
    masked = torch.cat([same, torch.zeros_like(same)], 1)
    return (info_nce(text, torch.cat([pictures, negatives]), scale, masked) + by_picture) / 2


@torch.no_grad()
def in_batch_accuracy(queries: Tensor, candidates: Tensor, masked: Tensor) -> Tensor:
    """R@1: how often a query's own candidate is the nearest; a tie counts as a miss.

    Shapes as in `info_nce`.
    """
    cosines = (queries @ candidates.T).masked_fill(masked, -torch.inf)
    own = cosines.diagonal()[:, None]
    return ((cosines >= own).sum(1) == 1).float().mean()
