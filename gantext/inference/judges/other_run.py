"""Another run of the same data as a judge: by its discriminator, or by its likelihood.

A language model that is stronger than the run's own model tells its samples from real sentences
where a discriminator, trained from nothing on the same sentences, cannot: of all that could be
written it has learned what is.

Shapes: N sentences, T steps.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from gantext.errors import UserError
from gantext.inference.judges.contract import TextJudge
from gantext.inference.judges.discriminator import Discriminator, trained_discriminator
from gantext.metrics.score import HASH_DIGITS
from gantext.models.contract import Estimator
from gantext.nn.text.judges.lm_ratio import by_length
from gantext.runs.trained import TrainedText


@dataclass(frozen=True)
class Likelihood:
    """The model of another run against that of the run that it judges."""

    other: TrainedText
    trained: TrainedText
    stopped_by_half: bool = False

    @property
    def name(self) -> str:
        """By what, and of which run."""
        return f"likelihood of {self.other.run.path.name}"

    @property
    def digest(self) -> str:
        """Of the weights of the other run's checkpoint."""
        return str(self.other.digest)[:HASH_DIGITS]

    @torch.no_grad()
    def logits(self, tokens: Tensor) -> Tensor:
        """Its log p of each of (N, T) tokens less the judged model's, (N,), nats."""
        other, own = (
            by_length(one.algorithm.log_prob, tokens, one.device)
            for one in (self.other, self.trained)
        )
        return other - own


def other_run(other: TrainedText, trained: TrainedText) -> TextJudge:
    """Another run as the judge of a run: its discriminator if that is trained, else its likelihood.

    Raises:
        UserError: it was trained on other data, of which it may know what is held out here; it has
            neither a discriminator nor a likelihood that can be computed.
    """
    name = other.run.path.name
    if other.run.info.get("data") != trained.run.info.get("data"):
        names = f"{name} and {trained.run.path.name}"
        raise UserError(f"{names} were trained on different data: it cannot judge the other")
    model = trained_discriminator(other)
    if model is not None:
        return Discriminator(other, model, name)
    if isinstance(other.algorithm, Estimator):
        raise UserError(
            f"{name}: model={other.settings.model.name} has no discriminator, and its likelihood "
            "is an estimate: it cannot judge"
        )
    return Likelihood(other, trained)
