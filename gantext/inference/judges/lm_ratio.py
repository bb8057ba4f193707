"""The judge lm-ratio: a backward language model of real sentences against the run's own.

Its logit is log p_backward(x) - log p_model(x). The backward model is trained on the run's training
sentences by likelihood alone and reads them from their ends: it errs in other places than the run's
generator, which reads them from their beginnings.

Shapes: N sentences, T steps.
"""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from gantext import __version__
from gantext.data.batches import of_like_length
from gantext.data.flat import Tokens
from gantext.data.vocabulary import EOS, PAD
from gantext.inference.judges.cache import (
    State,
    cache_name,
    cached_weights,
    judges_folder,
    weights_hash,
)
from gantext.inference.judges.contract import Say
from gantext.inference.judges.sides import Sides
from gantext.inference.judges.small_lm import LM, fit_lm, log_prob, untrained
from gantext.nn.state import restore
from gantext.nn.text.language_model import LanguageModel
from gantext.runs.trained import TrainedText

NAME = "lm-ratio"
SEED = 80
ROWS = 500  # sentences of like length that are scored together
BACKWARD = LM  # the language model of `lm-score`, whose size and steps were tried on COCO
SAID = 200  # steps between two that are said


@dataclass(frozen=True)
class LMRatio:
    """A backward language model, and the run that it judges."""

    trained: TrainedText
    backward: LanguageModel
    digest: str
    name: str = NAME
    stopped_by_half: bool = False

    @torch.no_grad()
    def logits(self, tokens: Tensor) -> Tensor:
        """(N,) of (N, T) tokens, nats."""
        found = torch.from_numpy(log_prob(self.backward, reversed_words(rows_of(tokens)))[0])
        for places, rows in of_like_length(tokens, ROWS):
            own = self.trained.algorithm.log_prob(rows.to(self.trained.device))
            found[places] -= own.double().cpu()
        return found


def lm_ratio(sides: Sides, say: Say) -> LMRatio:
    """The judge of a run: its backward model from the cache, or trained now and kept.

    Raises:
        UserError: the run's data has no held-out sentences.
    """
    trained = sides.trained
    vocabulary, device = trained.vocabulary, trained.device
    asked = (str(trained.run.info.get("data")), SEED, str(device), repr(BACKWARD), __version__)
    folder = judges_folder() / f"backward-{cache_name(*asked)}"

    def begun(step: int) -> None:
        if step % SAID == 0:
            done = f"step {step:,} of {BACKWARD.steps:,}"
            say(f"{sides.name}: training the backward language model of {NAME}, {done}")

    def train() -> State:
        rows = reversed_words(sides.training)
        return {"weights": fit_lm(rows, vocabulary, SEED, device, BACKWARD, begun).state_dict()}

    backward = untrained(vocabulary, SEED, device, BACKWARD)
    weights = cached_weights(folder, train)["weights"]
    restore(backward, weights, folder, "weights")
    return LMRatio(trained, backward, weights_hash(weights))


def rows_of(tokens: Tensor) -> Tokens:
    """(N, T) tokens without their padding."""
    there = tokens != PAD
    return Tokens.behind(tokens[there].numpy(), there.sum(1).numpy())


def reversed_words(tokens: Tokens) -> Tokens:
    """The sentences with their words from last to first; <eos> stays at the end where there is."""
    values, lengths = tokens.gathered(), tokens.lengths.astype(np.int64)
    starts = np.cumsum(lengths) - lengths
    words = lengths - (values[starts + lengths - 1] == EOS)
    place = np.arange(len(values)) - np.repeat(starts, lengths)  # within its sentence
    last = np.repeat(words, lengths) - 1
    turned = np.where(place <= last, last - place, place) + np.repeat(starts, lengths)
    return Tokens.behind(values[turned], lengths)
