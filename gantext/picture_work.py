"""What a run of a picture model shows and how it is scored, for training, sampling and evaluation.

Shapes: N pictures, C channels, H and W pixels, T words of a caption.
"""

import math
from pathlib import Path

import torch
from torch import Tensor

from gantext.assemble import generator
from gantext.data.download import cache_folder
from gantext.data.gallery import Gallery
from gantext.metrics.score import Score
from gantext.nn.algorithm import Illustrator, Painter

SIDE = 5  # pictures each way of a look


def look_at(algorithm: Painter, gallery: Gallery, seed: int, device: torch.device) -> Tensor:
    """The pictures of a look, (N, C, H, W): always from the same noise, none picked.

    Of a model that follows captions they are those of the first test captions.
    """
    rng = generator(seed, "look", device)
    if isinstance(algorithm, Illustrator):
        return algorithm.draw_for(gallery.test.tokens[: SIDE * SIDE].to(device), rng)
    return algorithm.draw(SIDE * SIDE, rng)


def scores_of(
    algorithm: Painter, gallery: Gallery, device: torch.device, *, samples: int, seed: int
) -> list[Score]:
    """The scores of a picture model; its judges are trained once and kept in the user's cache.

    None for pictures with neither captions nor classes, of which nothing can be told.
    """
    kept = judges_folder()
    if isinstance(algorithm, Illustrator):
        from gantext.retrieval_scores import caption_scores

        return caption_scores(algorithm, gallery, device, samples=samples, seed=seed, cache=kept)
    if not gallery.classes:
        return []
    from gantext.picture_scores import picture_scores

    return picture_scores(algorithm, gallery, device, samples=samples, seed=seed, cache=kept)


def judges_folder() -> Path:
    """Where trained judges and classifiers are kept."""
    return cache_folder() / "judges"


def columns_for(n: int) -> int:
    """Columns of a grid of n pictures that is about as high as wide."""
    return math.ceil(math.sqrt(n))
