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
from gantext.inference.judges.sides import Sides
from gantext.nn.state import restore, weights_hash
from gantext.nn.text.held_out import LOSS, HeldOut, Rules
from gantext.nn.text.judges.config import PACKAGE, EncoderConfig
from gantext.nn.text.judges.encoder import FineTuning, Reader, TextEncoder
from gantext.nn.text.judges.looked import Looked
from gantext.nn.text.sampling import SamplingOptions

NAME = "encoder"
SEED = 81
VERSION = "encoder-2"  # goes up with every change that changes the weights
# On the COCO captions held-out loss .545 and AUC .80 after 800 steps, still rising a little.
FINE_TUNING = EncoderConfig(PACKAGE, learning_rate=5e-5, output_rate=1e-3, batch_size=16)
STEPS, LOOK_EVERY, PATIENCE = 800, 100, 2


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
    asked = cache_name(VERSION, encoder.id, *sides.key, STEPS, SEED)
    folder = judges_folder() / f"{NAME}-{asked}"
    state = cached_weights(folder, lambda: _fine_tuned(sides, reader, say))
    for name, part in reader.networks.items():
        restore(part, state[name], folder, name)
    return EncoderJudge(sides, reader, weights_hash(state["encoder"] | state["head"]))


def _fine_tuned(sides: Sides, reader: Reader, say: Say) -> State:
    """The weights of the lowest loss on half of the held-out sentences and as many samples; each
    step has as many real sentences as samples."""
    held = sides.padded(sides.held_out)[::2]
    say(f"{sides.name}: training {NAME}, {STEPS} steps at most")
    samples = sides.samples(len(held), "stop", SamplingOptions())
    tuning = FineTuning(reader, FINE_TUNING)
    looked = Looked(lambda tokens: reader.logits(sides.lines(tokens)), reader.weights)
    looks = HeldOut(looked, held, lambda n, rng: samples, Rules(LOOK_EVERY, PATIENCE, decide=True))
    for step, batch in enumerate(_batches(sides), 1):
        looks.enter(NAME)
        tuning.step(*batch)
        seen = looks.learned(last=step == STEPS)
        if seen:
            done, loss = f"step {step} of {STEPS}", seen[LOSS]
            say(f"{sides.name}: training {NAME}, {done}, held-out loss {loss:.3f}")
        if looks.stopped:
            break
    return {name: dict(part.state_dict()) for name, part in reader.networks.items()}


def _batches(sides: Sides) -> Iterator[tuple[list[str], list[str]]]:
    """The real lines and the lines of samples of each step; no sample comes twice."""
    rows = FINE_TUNING.batch_size
    real = Batches(sides.training.known(), SEED)
    fresh = sides.samples(STEPS * rows, "train", SamplingOptions())
    for samples in torch.split(fresh, rows):
        yield sides.lines(real.next(rows)), sides.lines(samples)
