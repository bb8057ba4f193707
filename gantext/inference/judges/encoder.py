"""The judge encoder: a pretrained sentence encoder that tells a run's samples from real text.

It reads text: both sides are written from tokens in one way (`Sides.lines`).

Shapes: N sentences, T steps.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from gantext.data.batches import Batches
from gantext.inference.judges.cache import State, cache_name, cached_weights, judges_folder
from gantext.inference.judges.contract import Say
from gantext.inference.judges.sides import FRESH, Sides
from gantext.inference.sentences import known_sentences
from gantext.nn.state import restore, weights_hash
from gantext.nn.text.judges.encoder import FINE_TUNING, FineTuning, Reader, TextEncoder
from gantext.nn.text.sampling import SamplingOptions

NAME = "encoder"
SEED = 81
VERSION = "encoder-1"  # goes up with every change that changes the weights


@dataclass(frozen=True)
class EncoderJudge:
    """An encoder with its output, and the run whose samples it judges."""

    sides: Sides
    reader: Reader
    digest: str
    name: str = NAME
    stopped_by_half: bool = True

    def logits(self, tokens: Tensor) -> Tensor:
        """(N,) of (N, T) tokens."""
        return self.reader.logits(self.sides.lines(tokens))


def encoder_judge(sides: Sides, encoder: TextEncoder, say: Say) -> EncoderJudge:
    """The judge of a run by an encoder: from the cache, or fine-tuned now and kept.

    Raises:
        UserError: the run's data has no held-out sentences.
    """
    reader = Reader(encoder, sides.trained.device)
    asked = cache_name(VERSION, encoder.id, *sides.key, FINE_TUNING.steps, SEED)
    folder = judges_folder() / f"{NAME}-{asked}"
    state = cached_weights(folder, lambda: _fine_tuned(sides, reader, say))
    for name, part in reader.networks.items():
        restore(part, state[name], folder, name)
    return EncoderJudge(sides, reader, weights_hash(state["encoder"] | state["head"]))


def _fine_tuned(sides: Sides, reader: Reader, say: Say) -> State:
    """The weights of the lowest loss on half of the held-out sentences and as many samples twice
    over; each step has as many real sentences as samples."""
    held = sides.padded(sides.held_out)[::2]
    say(f"{sides.name}: training {NAME}, {FINE_TUNING.steps} steps at most")
    fresh = sides.samples(FRESH * len(held), "stop", SamplingOptions())
    looked_at = sides.lines(held), sides.lines(fresh)
    tuning, batches = FineTuning(reader, FINE_TUNING), _batches(sides)
    while not tuning.ended:
        tuning.step(*next(batches))
        if tuning.is_due:
            done, loss = f"step {tuning.done} of {FINE_TUNING.steps}", reader.loss(*looked_at)
            say(f"{sides.name}: training {NAME}, {done}, held-out loss {loss:.3f}")
            tuning.look(loss)
    return {name: dict(part.state_dict()) for name, part in reader.networks.items()}


def _batches(sides: Sides) -> Iterator[tuple[list[str], list[str]]]:
    """The real lines and the lines of samples of each step; no sample comes twice."""
    rows = FINE_TUNING.batch_size
    real = Batches(known_sentences(sides.training), SEED)
    fresh = sides.samples(FINE_TUNING.steps * rows, "train", SamplingOptions())
    for samples in torch.split(fresh, rows):
        yield sides.lines(real.next(rows)), sides.lines(samples)
