"""The discriminator of a run as a judge of samples."""

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


def trained_discriminator(trained: TrainedText) -> Judge | None:
    """A run's model where it has a discriminator that has made a step."""
    model, width = trained.algorithm, trained.run.info["max_length"]
    if not isinstance(model, Judge):
        return None
    word = torch.ones(1, width, dtype=torch.long, device=trained.device)
    return model if "real" in model.score(word) else None


def discriminator_of(trained: TrainedText, name: str) -> Discriminator:
    """The discriminator of a run.

    Raises:
        UserError: it has none, or none that has made a step.
    """
    run = trained.run.path.name
    if not isinstance(trained.algorithm, Judge):
        raise UserError(f"{run}: model={trained.settings.model.name} has no discriminator")
    model = trained_discriminator(trained)
    if model is None:
        raise UserError(f"{run}: the discriminator is not trained yet at step {trained.step}")
    return Discriminator(trained, model, name)
