"""A small network that tells a gallery's classes apart; its features judge samples.

It is trained on the training pictures and their labels alone, on the CPU, so that a GPU changes
nothing in the scores, and knows nothing of the models it judges. Another network has other
features and other distances: its id stands in every signature.

Legend: N pictures, C channels, H pixels of a side, K classes, F = 64 features.
"""

import math
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
from gantext.data.gallery import Gallery, PictureSplit, to_unit
from gantext.errors import UserError
from gantext.inference.judges.cache import cache_name, cached_weights
from gantext.nn.optim import Optimiser, set_rate
from gantext.nn.state import weights_hash

VERSION = "cnn-1"  # goes up with every change that changes the weights
SIZE = 64
FILTERS = (16, 32)
STEPS, BATCH_SIZE, LEARNING_RATE = 1000, 64, 3e-3
SCORED_ROWS = 500
CPU = torch.device("cpu")


class PictureCNN(nn.Module):
    """Two convolutions, each followed by max pooling of 2, a hidden layer and the logits."""

    def __init__(self, channels: int, size: int, classes: int, rng: torch.Generator) -> None:
        super().__init__()
        first, second = FILTERS
        self.first = nn.Conv2d(channels, first, 3, padding=1)
        self.second = nn.Conv2d(first, second, 3, padding=1)
        self.hidden = nn.Linear(second * (size // 4) ** 2, SIZE)
        self.output = nn.Linear(SIZE, classes)
        with torch.no_grad():
            for parameter in self.parameters():
                if parameter.dim() > 1:
                    nn.init.kaiming_normal_(parameter, generator=rng)  # whose default is of ReLUs
                else:
                    parameter.zero_()

    def features(self, pictures: Tensor) -> Tensor:
        """What the output layer reads, (N, F), at least 0, of (N, C, H, H) in [-1, 1]."""
        found = F.max_pool2d(self.first(pictures).relu(), 2)
        found = F.max_pool2d(self.second(found).relu(), 2)
        hidden: Tensor = self.hidden(found.flatten(1))
        return hidden.relu()

    def forward(self, pictures: Tensor) -> Tensor:
        """Logits (N, K)."""
        logits: Tensor = self.output(self.features(pictures))
        return logits


@dataclass(frozen=True)
class Reading:
    """What the classifier makes of N pictures.

    Attributes:
        features: (N, F).
        labels: (N,), the likeliest class of each.
    """

    features: NDArray[np.float32]
    labels: NDArray[np.int64]


@dataclass(frozen=True)
class PictureClassifier:
    """A trained network, and how good it is.

    Attributes:
        network: on the device where it computes.
        accuracy: on the gallery's test pictures, 0 ... 1.
        seed: of its training.
        id: its version and a hash of its weights, for signatures.
    """

    network: PictureCNN
    accuracy: float
    seed: int
    id: str

    def read(self, pictures: Tensor) -> Reading:
        """Features and classes of pictures (N, C, H, H), as bytes."""
        return read_by(self.network, pictures)


@torch.no_grad()
def read_by(network: PictureCNN, pictures: Tensor) -> Reading:
    """What a network makes of pictures (N, C, H, H), as bytes."""
    device = network.output.weight.device
    features, labels = [], []
    for part in torch.split(pictures, SCORED_ROWS):
        found = network.features(to_unit(part.to(device)))
        features.append(found.cpu())
        labels.append(network.output(found).argmax(1).cpu())
    return Reading(torch.cat(features).numpy(), torch.cat(labels).numpy())


def load_classifier(
    gallery: Gallery, cache: Path, device: torch.device = CPU, seed: int = 0
) -> PictureClassifier:
    """The classifier of a gallery: from the cache, or trained now (well under a minute) and kept.

    Args:
        gallery: of pictures with classes.
        cache: the folder of all classifiers.
        device: where it will read pictures; it is trained on the CPU.
        seed: of its weights and batches.

    Raises:
        UserError: the pictures have no classes, or are smaller than 4 x 4.
    """
    if not gallery.classes:
        raise UserError(f"the pictures of data={gallery.name} have no classes to be told apart")
    if gallery.size < 4:
        raise UserError(f"pictures of {gallery.size} x {gallery.size} are too small to classify")
    folder = cache / cache_name(VERSION, gallery.hash, seed)
    state = cached_weights(folder, lambda: _train(gallery, seed))
    network = _network(gallery, seed)
    network.load_state_dict(state["weights"])
    name = f"{VERSION} {weights_hash(state['weights'])}"
    return PictureClassifier(network.to(device), state["accuracy"], seed, name)


def _network(gallery: Gallery, seed: int) -> PictureCNN:
    rng = torch.Generator().manual_seed(seed)
    return PictureCNN(gallery.channels, gallery.size, len(gallery.classes), rng)


def _train(gallery: Gallery, seed: int) -> dict[str, Any]:
    network = fitted([gallery.train], len(gallery.classes), seed)
    test = read_by(network, gallery.test.pictures).labels
    accuracy = float((test == gallery.test.labels.numpy()).mean())
    return {"weights": network.state_dict(), "accuracy": accuracy}


def fitted(parts: Sequence[PictureSplit], classes: int, seed: int) -> PictureCNN:
    """A network fitted by Adam in a fixed number of steps, whatever there is; rate to 0 by cosine.

    Each of several parts has its share of a batch, and as much weight as the others.
    """
    channels, size = parts[0].pictures.shape[1:3]
    network = PictureCNN(channels, size, classes, torch.Generator().manual_seed(seed))
    optimiser = Optimiser(torch.optim.Adam, network.parameters(), LEARNING_RATE)
    batches = [Batches(part, seed) for part in parts]
    rows = [min(BATCH_SIZE // len(parts), len(part)) for part in parts]
    rng = torch.Generator().manual_seed(seed)
    for step in range(STEPS):
        set_rate(optimiser, LEARNING_RATE * 0.5 * (1 + math.cos(math.pi * step / STEPS)))
        drawn = [one.next(count) for one, count in zip(batches, rows, strict=True)]
        losses = [
            F.cross_entropy(network(_shifted(batch.pictures, rng)), batch.labels) for batch in drawn
        ]
        optimiser.zero_grad()
        torch.autograd.backward(torch.stack(losses).mean())
        optimiser.step()
    return network


def _shifted(pictures: Tensor, rng: torch.Generator) -> Tensor:
    """Moved by up to 2 pixels of 28 each way, all alike: unseen pictures are read better for it."""
    most = pictures.size(3) // 14
    down, right = torch.randint(-most, most + 1, (2,), generator=rng).tolist()
    return pictures.roll((down, right), (2, 3))
