"""The judge lm-ratio: a backward language model of real sentences against the run's own.

The backward model is trained on the run's training sentences.

Shapes: N sentences, T steps.
"""

from dataclasses import dataclass

from torch import Tensor

from gantext import __version__
from gantext.inference.judges.cache import State, cache_name, cached_weights, judges_folder
from gantext.inference.judges.contract import Say
from gantext.inference.judges.sides import Sides
from gantext.nn.state import restore, weights_hash
from gantext.nn.text.judges.lm_ratio import BACKWARD, ratio, reversed_words
from gantext.nn.text.judges.small_lm import fit_lm, untrained
from gantext.nn.text.language_model import LanguageModel
from gantext.runs.trained import TrainedText

NAME = "lm-ratio"
SEED = 80
SAID = 200  # steps between two that are said


@dataclass(frozen=True)
class LMRatio:
    """A backward language model, and the run that it judges."""

    trained: TrainedText
    backward: LanguageModel
    digest: str
    name: str = NAME
    stopped_by_half: bool = False

    def logits(self, tokens: Tensor) -> Tensor:
        """(N,) of (N, T) tokens, nats."""
        return ratio(self.backward, self.trained.algorithm.log_prob, tokens)


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
