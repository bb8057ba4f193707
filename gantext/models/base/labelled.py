"""Generators of text by classes against a discriminator that knows these: what the families share.

Shapes: B or N sentences, T steps, K classes.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import torch
from torch import Tensor, nn

from gantext.data.labelled import LabelledBatch
from gantext.data.ranges import BatchSize, Clip, LearningRate, Momentum, Steps, Updates
from gantext.data.resident import sent
from gantext.data.vocabulary import PAD
from gantext.errors import UserError
from gantext.models.base.judged import WithDiscriminator
from gantext.models.contract import Phase, Task
from gantext.nn.optim import Metrics, Optimiser, clipped_step
from gantext.nn.text.adversary import ByLooks, LookConfig
from gantext.nn.text.class_cnn import ClassCNN
from gantext.nn.text.fitting import Fitter, MLEConfig, weighted_nll
from gantext.nn.text.lstm import TextGenerator
from gantext.nn.text.of_class import (
    Mixture,
    drawn_classes,
    log_shares,
    marginal_log_prob,
    rows_of_classes,
    written_of,
)
from gantext.nn.text.rollouts import trimmed_on_cpu
from gantext.nn.text.sampling import Policy, SamplingOptions


@dataclass(frozen=True)
class DTrainingConfig(LookConfig):
    """How the discriminator is trained (explained in conf/model/sentigan.yaml)."""

    pretrain_steps: Steps
    batch_size: BatchSize
    learning_rate: LearningRate
    beta1: Momentum
    clip: Clip
    steps: Updates
    balance: ByLooks
    look_every: Steps
    patience: Steps


class LabelledConfig(Protocol):
    """What the configs of these models share."""

    @property
    def mle(self) -> MLEConfig: ...
    @property
    def d_training(self) -> DTrainingConfig: ...


def check_classes(task: Task) -> None:
    """Raises UserError for sentences without classes, or a run that has lost them."""
    if task.classes < 2 or not sum(task.class_counts):
        raise UserError("this model needs sentences of 2 classes at least, and there are none")


class Labelled(WithDiscriminator[ClassCNN]):
    """Generators of classes, a discriminator, and how they take turns.

    Args:
        config: of the model.
        task: the facts of the text.
        generator, discriminator: on the task's device.
        clipped: the generator's parts whose gradients are clipped each by itself.
        pays: what the generator learns from the discriminator is called.

    Attributes:
        log_w: log share of each class in the training sentences, (K,).
    """

    def __init__(
        self,
        config: LabelledConfig,
        task: Task,
        generator: nn.Module,
        discriminator: ClassCNN,
        clipped: Sequence[nn.Module],
        pays: str,
    ) -> None:
        config.d_training.check_looks()
        self.setting, self.task = config, task
        self.generator, self.clipped = generator, clipped
        self.log_w = log_shares(task.class_counts).to(task.device)
        steps, d = config.mle.steps(task.train_size), config.d_training
        self.trainer = Fitter(generator, config.mle, task.singletons, steps, clipped)
        betas = d.beta1, 0.999
        self.d_optimiser = Optimiser(
            torch.optim.Adam, discriminator.parameters(), d.learning_rate, betas
        )
        self.look_at(discriminator, d, pays=pays)

    # What a family states

    def model_of(self, label: int) -> TextGenerator:
        """The generator of one class."""
        raise NotImplementedError

    def models_of(self, labels: Tensor) -> Sequence[tuple[TextGenerator, Tensor]]:
        """The generators of the classes of rows (N,), and which rows each has, on the device."""
        device, found = self.task.device, rows_of_classes(labels)
        return [(self.model_of(label), sent(rows, device)) for label, rows in found]

    def d_loss(self, real: LabelledBatch, rng: torch.Generator) -> tuple[Tensor, Metrics]:
        """What the discriminator loses on real sentences and fresh samples, and what is logged."""
        raise NotImplementedError

    def g_step(self, real: LabelledBatch, rng: torch.Generator) -> Metrics:
        """The generator's update of an adversarial step."""
        raise NotImplementedError

    # The Algorithm contract

    def labelled_phases(self, g_rows: int, g_steps: int, together: int) -> Sequence[Phase]:
        """mle, discriminator, adversarial; the last has `g_rows` real sentences for the generator
        and updates of `together` rows at most."""
        mle, d = self.setting.mle, self.setting.d_training
        steps, rise = self.trainer.total, mle.warmup_steps
        first = Phase("mle", steps, mle.batch_size, self.mle_step, warmup=rise)
        rows = g_rows + d.steps * d.batch_size
        third = Phase("adversarial", g_steps, rows, self.adversarial_step, adversarial=True)
        third = third.by("adversarial.steps").some_at_once(max(2 * d.batch_size, together))
        return [
            first.by("mle.epochs", mle.tied),
            self.d_phase(d.batch_size),
            self.bounded(third),
        ]

    def sample_of(self, labels: Tensor, rng: torch.Generator, options: SamplingOptions) -> Tensor:
        """A sentence of each class, (n,) -> (n, T)."""
        length, device = self.task.max_length, self.task.device
        return written_of(self.model_of, labels, length, rng, options, device)

    def sample(self, n: int, rng: torch.Generator, options: SamplingOptions) -> Tensor:
        """Draw n sentences, (n, T), of classes drawn by their shares of the training sentences."""
        return self.sample_of(drawn_classes(self.log_w, n, rng), rng, options)

    def rewarded_samples(self, n: int, rng: torch.Generator) -> Tensor:
        """n sentences at temperature 1, (n, T)."""
        return self.sample(n, rng, SamplingOptions())

    def class_models(self) -> Sequence[TextGenerator]:
        """Those of all classes, in order."""
        return [self.model_of(label) for label in range(len(self.log_w))]

    def writer(self, n: int, rng: torch.Generator) -> Policy:
        """The mixture of all classes."""
        return Mixture(self.class_models(), self.log_w)

    @torch.no_grad()
    def log_prob(self, tokens: Tensor) -> Tensor:
        """log p(sentence), (N,), nats, <eos> counted: of the mixture of all classes."""
        return marginal_log_prob(self.class_models(), self.log_w, tokens)

    # Training

    def mle_step(self, batch: LabelledBatch, rng: torch.Generator) -> Metrics:
        """One update by the likelihood of sentences given their classes."""
        loss, found = self.nll(batch, rng)
        return {**found, **self.trainer.update(loss)}

    def nll(self, batch: LabelledBatch, rng: torch.Generator) -> tuple[Tensor, Metrics]:
        """-log p(x | c), nats per token of the batch, and what is logged of it."""
        shown = self.trainer.shown(batch.tokens, rng)
        words = (shown != PAD).sum(1)
        total, logged = torch.zeros((), device=shown.device), dict[str, Tensor]()
        for model, rows in self.models_of(batch.labels):
            share = words[rows].sum() / words.sum()
            own = trimmed_on_cpu(shown[rows])
            loss, found = weighted_nll(model, own, rng, self.setting.mle.weigh)
            total = total + share * loss
            for name, value in found.items():
                logged[name] = logged.get(name, torch.zeros_like(share)) + share * value
        return total, logged

    def d_step(self, real: LabelledBatch, rng: torch.Generator) -> Metrics:
        """One update of the discriminator."""
        loss, found = self.d_loss(real, rng)
        total = loss + self.discriminator.penalty()
        clip = self.setting.d_training.clip
        norm = clipped_step(self.d_optimiser, self.discriminator, total, clip)
        return {"d_loss": loss.detach(), **found, "d_grad_norm": norm}

    def adversarial_step(self, batch: LabelledBatch, rng: torch.Generator) -> Metrics:
        """One update of the generator, then `d_training.steps` of the discriminator, each on its
        own real sentences."""
        size, steps = self.setting.d_training.batch_size, self.setting.d_training.steps
        first = len(batch) - size * steps
        found, rewarded = dict(self.begin()), self.rewarded
        found.update(self.g_step(batch.part(0, first), rng))
        for place in range(first, len(batch), size):
            found.update(self.d_step(batch.part(place, place + size), rng))
        return {**found, **self.end(steps, rewarded)}

    # State

    def parts(self) -> Mapping[str, Any]:
        """Everything that has a state."""
        return {"generator": self.generator, "trainer": self.trainer, **self.d_parts()}
