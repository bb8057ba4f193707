"""A dual encoder that judges pictures of captions; no model is ever trained with it or by it.

It is fitted to the captions of the training split, each with a new real picture every time (with
its own one where none can be drawn), with a seed of its own, on the CPU, so that a GPU changes
nothing in the scores, and kept in the cache.

Legend: N pictures, C channels, S side in pixels, T words of a caption.
"""

import dataclasses
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from gantext.data.batches import Batches
from gantext.data.gallery import Gallery, to_unit
from gantext.errors import UserError
from gantext.evaluation.judges.redrawn import pairs_of
from gantext.inference.judges.cache import cache_name, cached_weights
from gantext.nn.captions.dual_encoder import DualEncoder, DualEncoderConfig
from gantext.nn.captions.fitting import Descent, EncoderFitter, FittingConfig
from gantext.nn.state import weights_hash

VERSION = "dual-1"  # goes up with every change that changes the weights
SEED = 77
ROWS = 250  # pictures judged together
DECIMALS = 5
SIZES = DualEncoderConfig(64, 128, (48, 96, 128), 128, 0.07)
FITTING = FittingConfig(1000, 96, 2e-3, 100, 0.01, 0, 0.0)
DESCENT = Descent(betas=(0.9, 0.99), final_rate=0.02, clip=1.0)
EPOCHS = 10  # at most, for the smallest galleries


@dataclass(frozen=True)
class CaptionJudge:
    """A dual encoder, and its version and a hash of its weights, for signatures."""

    encoder: DualEncoder
    id: str

    @torch.no_grad()
    def similarities(self, tokens: Tensor, pictures: Tensor) -> NDArray[np.float64]:
        """Cosines (N, N) of captions (N, T), in rows, and pictures (N, C, S, S) as bytes.

        Rounded: equal pictures differ in the last digits by their places in a batch, and would
        have no tie.
        """
        text = torch.cat([self.encoder.text(part) for part in torch.split(tokens, ROWS)])
        parts = torch.split(pictures, ROWS)
        seen = torch.cat([self.encoder.image(to_unit(part)) for part in parts])
        return np.asarray((text.double() @ seen.double().T).numpy().round(DECIMALS))


def load_judge(gallery: Gallery, cache: Path) -> CaptionJudge:
    """The judge of a gallery: from the cache, or fitted now (some minutes) and kept.

    Args:
        gallery: of pictures with captions.
        cache: the folder of all judges.

    Raises:
        UserError: the pictures have no captions.
    """
    if gallery.vocabulary is None:
        raise UserError(f"the pictures of data={gallery.name} have no captions to be found by")
    folder = cache / cache_name(VERSION, gallery.hash, SEED, repr((SIZES, FITTING)))
    state = cached_weights(folder, lambda: _fit(gallery))
    encoder = _encoder(gallery)
    encoder.load_state_dict(state["weights"])
    return CaptionJudge(encoder, f"{VERSION} {weights_hash(state['weights'])}")


def _encoder(gallery: Gallery) -> DualEncoder:
    assert gallery.vocabulary is not None
    words, rng = len(gallery.vocabulary), torch.Generator().manual_seed(SEED)
    return DualEncoder(words, gallery.channels, gallery.size, SIZES, rng)


def _fit(gallery: Gallery) -> dict[str, Any]:
    encoder, batches = _encoder(gallery), Batches(pairs_of(gallery, SEED), SEED)
    rows, pictures = FITTING.batch_size, len(gallery.train)
    steps = min(FITTING.steps, 1 + EPOCHS * pictures // rows)
    fitter = EncoderFitter(encoder, dataclasses.replace(FITTING, steps=steps), DESCENT)
    rng = torch.Generator().manual_seed(SEED)
    for _ in range(steps):
        fitter.step(batches.next(min(rows, pictures))[1], rng)
    return {"weights": encoder.state_dict()}
