"""A classifier that says what is in a picture of a scene: which colours, which shapes, how many.

It is trained on the training split's captions, each with a new real picture every time, on the CPU,
so that a GPU changes nothing in the scores, and kept in the cache; no model is trained with it.

Legend: N pictures, C channels, S side in pixels, A colours and as many shapes, K counts, F
features.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor, nn

from gantext.data.batches import Batches
from gantext.data.gallery import Gallery, to_unit
from gantext.data.scenes.drawing import PAINT
from gantext.data.scenes.english import SHAPES
from gantext.data.scenes.scene import parse
from gantext.evaluation.judges.redrawn import Redrawn
from gantext.inference.judges.cache import cache_name, cached_weights
from gantext.nn.optim import Optimiser, cosine_rate, set_rate
from gantext.nn.pictures.layers import BN_EPS, Init, Norm, initialise, map_norm
from gantext.nn.state import weights_hash

VERSION = "attributes-1"  # goes up with every change that changes the weights
SEED = 78
ROWS = 250  # pictures read together
SIZE, WIDTHS = 128, (48, 64, 128, 192)
STEPS, BATCH_SIZE, LEARNING_RATE, WARMUP_STEPS, WEIGHT_DECAY = 1600, 64, 3e-3, 100, 0.01
FINAL_RATE = 0.02  # share of the learning rate that is left at the end
EPOCHS = 11  # at most, for the smallest galleries
COLOURS, FORMS = tuple(PAINT), tuple(SHAPES)
MOST = 12  # shapes of a scene


class AttributeNetwork(nn.Module):
    """Convolutions, pooled at two scales, a hidden layer, and a logit for each attribute.

    What a shape is does not depend on where it lies: the largest and the mean of each channel are
    all that is read of a map.
    """

    def __init__(self, channels: int, rng: torch.Generator) -> None:
        super().__init__()
        first, second, third, last = WIDTHS
        self.fine = nn.Sequential(
            *_halving(channels, first),
            *_keeping(first, second),
            *_halving(second, third),
            *_keeping(third, third),
        )
        self.coarse = nn.Sequential(*_halving(third, last))
        self.hidden = nn.Linear(2 * (third + last), SIZE)
        self.output = nn.Linear(SIZE, len(COLOURS) + len(FORMS) + MOST)
        initialise(self, Init.kaiming, rng)

    def features(self, pictures: Tensor) -> Tensor:
        """What the output layer reads, (N, F), of pictures in [-1, 1]."""
        fine = self.fine(pictures)
        maps = (fine, self.coarse(fine))
        pooled = [pool for x in maps for pool in (x.amax((2, 3)), x.mean((2, 3)))]
        hidden: Tensor = self.hidden(torch.cat(pooled, 1))
        return hidden.relu()

    def logits(self, features: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Of colours (N, A), shapes (N, A) and counts 1, 2, ... (N, K)."""
        sizes = [len(COLOURS), len(FORMS), MOST]
        colours, shapes, counts = torch.split(self.output(features), sizes, 1)
        return colours, shapes, counts


def _halving(before: int, after: int) -> list[nn.Module]:
    norm = map_norm(Norm.group, after, BN_EPS)
    return [nn.Conv2d(before, after, 4, stride=2, padding=1), *norm, nn.ReLU()]


def _keeping(before: int, after: int) -> list[nn.Module]:
    return [nn.Conv2d(before, after, 3, padding=1), *map_norm(Norm.group, after, BN_EPS), nn.ReLU()]


@dataclass(frozen=True)
class Attributes:
    """What is in N pictures, or said of them.

    Attributes:
        colours: (N, A) bool; shapes: (N, A) bool.
        counts: (N,) int64, of all shapes together, at most K.
    """

    colours: Tensor
    shapes: Tensor
    counts: Tensor

    def take(self, rows: Tensor) -> "Attributes":
        """Those of the pictures at these positions."""
        return Attributes(self.colours[rows], self.shapes[rows], self.counts[rows])

    def agreement(self, other: "Attributes") -> dict[str, Tensor]:
        """In which pictures all colours, all shapes, or the count are the same: (N,) of 0 and 1."""
        return {
            "colour": (self.colours == other.colours).all(1).float(),
            "shape": (self.shapes == other.shapes).all(1).float(),
            "count": (self.counts == other.counts).float(),
        }

    def recalled(self, said: "Attributes") -> dict[str, tuple[Tensor, Tensor]]:
        """How many of each picture's colours, and shapes, that are said are seen: (N,) of (N,)."""
        return {
            "colour-recall": ((self.colours & said.colours).sum(1), said.colours.sum(1)),
            "shape-recall": ((self.shapes & said.shapes).sum(1), said.shapes.sum(1)),
        }


def said(captions: Sequence[str]) -> Attributes:
    """What captions say. Raises UserError for one that is not of the scene grammar."""
    scenes = [parse(caption.split()) for caption in captions]
    colours = [[any(g.colour == c for g in scene.groups) for c in COLOURS] for scene in scenes]
    shapes = [[any(g.shape == s for g in scene.groups) for s in FORMS] for scene in scenes]
    counts = [min(MOST, sum(group.count for group in scene.groups)) for scene in scenes]
    return Attributes(torch.tensor(colours), torch.tensor(shapes), torch.tensor(counts))


@dataclass(frozen=True)
class AttributeClassifier:
    """A trained network, and its version and a hash of its weights, for signatures."""

    network: AttributeNetwork
    id: str

    @torch.no_grad()
    def read(self, pictures: Tensor) -> tuple[Attributes, NDArray[np.float32]]:
        """What is in pictures (N, C, S, S) as bytes, and their features (N, F)."""
        parts = torch.split(pictures, ROWS)
        features = torch.cat([self.network.features(to_unit(part)) for part in parts])
        colours, shapes, counts = self.network.logits(features)
        found = Attributes(colours > 0, shapes > 0, counts.argmax(1) + 1)
        return found, features.numpy()


def load_attributes(gallery: Gallery, cache: Path) -> AttributeClassifier:
    """The attribute classifier of a gallery: from the cache, or trained now (minutes) and kept.

    Args:
        gallery: of pictures with captions of the scene grammar.
        cache: the folder of all judges.

    Raises:
        UserError: a caption is not of the scene grammar.
    """
    folder = cache / cache_name(VERSION, gallery.hash, SEED, STEPS)
    state = cached_weights(folder, lambda: _fit(gallery))
    network = _network(gallery)
    network.load_state_dict(state["weights"])
    name = f"{VERSION} {weights_hash(state['weights'])}"
    return AttributeClassifier(network, name)


def _network(gallery: Gallery) -> AttributeNetwork:
    rng = torch.Generator().manual_seed(SEED)
    return AttributeNetwork(gallery.channels, rng)


def _fit(gallery: Gallery) -> dict[str, Any]:
    """AdamW with warm-up and a cosine."""
    network, wanted = _network(gallery), said(gallery.train.captions)
    batches = Batches(Redrawn(gallery.train, SEED), SEED)
    optimiser = Optimiser(
        torch.optim.AdamW, network.parameters(), LEARNING_RATE, weight_decay=WEIGHT_DECAY
    )
    steps = min(STEPS, 1 + EPOCHS * len(gallery.train) // BATCH_SIZE)
    for step in range(steps):
        rate = cosine_rate(step, steps, WARMUP_STEPS, FINAL_RATE)
        set_rate(optimiser, LEARNING_RATE * rate)
        places, batch = batches.next(min(BATCH_SIZE, len(gallery.train)))
        logits = network.logits(network.features(batch.pictures))
        loss = attribute_loss(logits, wanted.take(places))
        optimiser.zero_grad()
        torch.autograd.backward(loss)
        optimiser.step()
    return {"weights": network.state_dict()}


def attribute_loss(logits: tuple[Tensor, Tensor, Tensor], wanted: Attributes) -> Tensor:
    """Nats of a picture: of each colour and shape, there or not, and of the count."""
    colours, shapes, counts = logits
    loss = F.cross_entropy(counts, wanted.counts - 1)
    for found, there in ((colours, wanted.colours), (shapes, wanted.shapes)):
        bits = F.binary_cross_entropy_with_logits(found, there.float(), reduction="none")
        loss = loss + bits.sum(1).mean()
    return loss
