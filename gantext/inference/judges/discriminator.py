"""The discriminator of a run as a judge of samples: its own, or another's of the same data."""

from dataclasses import dataclass

import torch
from torch import Tensor

from gantext.errors import UserError
from gantext.metrics.score import HASH_DIGITS
from gantext.models.contract import Judge
from gantext.runs.trained import TrainedText

LEAST = 1e-7  # of a probability: single precision has none between 1 - 6e-8 and 1


@dataclass(frozen=True)
class Discriminator:
    """A run's discriminator; its logit is the log-odds of its probability of `real`."""

    trained: TrainedText
    model: Judge
    name: str
    stopped_by_half: bool = False

    @property
    def digest(self) -> str:
        """Of the weights of the run's checkpoint."""
        return str(self.trained.digest)[:HASH_DIGITS]

    @torch.no_grad()
    def logits(self, tokens: Tensor) -> Tensor:
        """(N,) of (N, T) tokens."""
        real = self.model.score(tokens.to(self.trained.device))["real"]
        return torch.logit(real.double().cpu(), LEAST)


def discriminator_of(trained: TrainedText, name: str) -> Discriminator:
    """The discriminator of a run.

    Raises:
        UserError: it has none, or none that has made a step.
    """
    model, run = trained.algorithm, trained.run.path.name
    if not isinstance(model, Judge):
        raise UserError(f"{run}: model={trained.settings.model.name} has no discriminator")
    width = trained.run.info["max_length"]
    if "real" not in model.score(torch.ones(1, width, dtype=torch.long, device=trained.device)):
        raise UserError(f"{run}: the discriminator is not trained yet at step {trained.step}")
    return Discriminator(trained, model, name)


def other_discriminator(other: TrainedText, trained: TrainedText) -> Discriminator:
    """Another run's discriminator as the judge of a run.

    Raises:
        UserError: as `discriminator_of`; it was trained on other data, of which it may know what is
            held out here.
    """
    if other.run.info.get("data") != trained.run.info.get("data"):
        names = f"{other.run.path.name} and {trained.run.path.name}"
        raise UserError(f"{names} were trained on different data: it cannot judge the other")
    return discriminator_of(other, other.run.path.name)
