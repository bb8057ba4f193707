"""Drawing pictures of a trained run.

Shapes: N pictures, C channels, H and W pixels, T words of a caption.
"""

import hashlib
import json
import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from gantext.data.gallery import Gallery
from gantext.errors import UserError
from gantext.inference.request import SamplingRequest, signature
from gantext.inference.sentences import batch_of, encoded
from gantext.metrics.score import Setting
from gantext.models.contract import Illustrator, Painter
from gantext.nn.rng import generator
from gantext.runs.kinds import PICTURES
from gantext.runs.trained import TrainedPictures

ROWS = 500  # pictures drawn together
SINGLE, EACH = 25, 8  # pictures by default: in all, and of each of several captions


@dataclass(frozen=True)
class PictureRequest:
    """What is drawn: n pictures (of each caption, if there are some), from which state of the run.

    None is for the defaults: n as in SINGLE and EACH, a grid about as high as wide or with one row
    for each of several captions.
    """

    n: int | None = None
    captions: tuple[str, ...] = ()
    columns: int | None = None
    seed: int = 0
    phase: str | None = None

    @property
    def each(self) -> int:
        """Pictures of a caption; of no caption, in all."""
        return self.n or (EACH if len(self.captions) > 1 else SINGLE)


@dataclass(frozen=True)
class Drawing:
    """Pictures (N, C, H, W) in [-1, 1], the columns of their grid, and how they came about.

    `captions` are each of as many of the pictures, one after the other; `notes` say what of them
    the run does not know.
    """

    pictures: Tensor
    columns: int
    signature: dict[str, Setting]
    notes: tuple[str, ...]
    captions: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """A file name that says which drawing it is; another one has another."""
        digest = hashlib.sha256(json.dumps([self.signature, self.columns]).encode()).hexdigest()
        return f"drawn-{len(self.pictures)}-seed{self.signature['sample_seed']}-{digest[:8]}"


def draw_pictures(trained: TrainedPictures, request: PictureRequest) -> Drawing:
    """Draw pictures of a run.

    Raises:
        UserError: it cannot take the captions.
    """
    notes: list[str] = []
    rng = generator(request.seed, "sampling", trained.device)
    n = request.each
    if request.captions:
        pictures = _illustrated(trained, request.captions, n, rng, notes)
    else:
        parts = [trained.algorithm.draw(size, rng).cpu() for size in _sizes(n)]
        pictures = torch.cat(parts)
    several = len(request.captions) > 1
    columns = request.columns or (n if several else columns_for(n))
    asked = SamplingRequest(len(pictures), seed=request.seed)
    sign = signature(trained.origin(request.phase), asked, trained.run.info.get("data"), PICTURES)
    if request.captions:
        sign["captions"] = " | ".join(request.captions)
    return Drawing(pictures, columns, sign, tuple(notes), request.captions)


def illustrator_of(algorithm: Painter) -> Illustrator | None:
    """The model as one that follows captions; None where it draws without them."""
    return algorithm if isinstance(algorithm, Illustrator) else None


def _sizes(n: int) -> list[int]:
    return [min(ROWS, n - start) for start in range(0, n, ROWS)]


def _illustrated(
    trained: TrainedPictures,
    captions: Sequence[str],
    n: int,
    rng: torch.Generator,
    notes: list[str],
) -> Tensor:
    """n pictures of each caption, one caption after the other."""
    illustrator, vocabulary = illustrator_of(trained.algorithm), trained.vocabulary
    if illustrator is None or vocabulary is None:
        name = f"{trained.run.path.name}: model={trained.settings.model.name}"
        raise UserError(f"{name} draws without captions; --caption needs model=dpr_gan")
    width = trained.run.info["max_length"]
    rows = [ids for _, ids in encoded(vocabulary, width, captions, notes)]
    tokens = batch_of(rows, trained.device).repeat_interleave(n, 0)  # (N, T)
    return torch.cat([illustrator.draw_for(part, rng).cpu() for part in torch.split(tokens, ROWS)])


SIDE = 5  # pictures each way of a look


def look_at(algorithm: Painter, gallery: Gallery, seed: int, device: torch.device) -> Tensor:
    """The pictures of a look, (N, C, H, W): always from the same noise, none picked.

    Of a model that follows captions they are those of the first test captions.
    """
    rng = generator(seed, "look", device)
    illustrator = illustrator_of(algorithm)
    if illustrator is not None:
        return illustrator.draw_for(gallery.test.tokens[: SIDE * SIDE].to(device), rng)
    return algorithm.draw(SIDE * SIDE, rng)


def columns_for(n: int) -> int:
    """Columns of a grid of n pictures that is about as high as wide."""
    return math.ceil(math.sqrt(n))
