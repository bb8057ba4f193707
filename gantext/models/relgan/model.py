"""model=relgan: a GAN of relaxed words (RelGAN, Nie et al. 2019).

Shapes: B sentences, T steps, N words of them, V vocabulary, R views of the discriminator.
"""

from collections.abc import Sequence
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from gantext.models.base.judged import Judged
from gantext.models.base.text_model import generator_of
from gantext.models.contract import Phase, Task
from gantext.models.relgan.config import Config, Relaxation, check, inverse_temperature
from gantext.models.relgan.discriminator import MultiViewCNN
from gantext.nn.gan_losses import RELATIVE, beliefs, discriminator_loss, generator_loss
from gantext.nn.optim import Metrics, Optimiser, clipped_step, frozen
from gantext.nn.text.equal_rows import different_share
from gantext.nn.text.lstm import TextGenerator
from gantext.nn.text.places import words_at
from gantext.nn.text.relaxation import relaxed_words, straight_through
from gantext.nn.text.rollouts import trimmed_on_cpu, valid_lengths

Reported = dict[str, Tensor | float]


class Sentences(NamedTuple):
    """Sentences as the discriminator reads them: tokens (B, T), and the vectors (N, V) that stand
    for their words; None: the words themselves."""

    tokens: Tensor
    words: Tensor | None = None


class RelGAN(Judged[TextGenerator, MultiViewCNN]):
    """Generator, discriminator, their optimisers, and the phases."""

    def __init__(self, config: Config, task: Task, rng: torch.Generator) -> None:
        check(config)
        self.config, d = config, config.d_training
        generator = generator_of(config.generator, task, rng)
        sizes = task.vocab_size, config.discriminator, task.max_length
        discriminator = MultiViewCNN(*sizes, rng).to(task.device)
        super().__init__(config, task, generator, discriminator, pays="the adversarial loss")
        weights, betas = discriminator.parameters(), (d.beta1, 0.999)
        self.d_optimiser = Optimiser(torch.optim.Adam, weights, d.learning_rate, betas)
        g = config.adversarial
        self.bound_likelihood(self.log_prob, g.nll_every, g.nll_allowance)

    # The Algorithm contract

    def phases(self) -> Sequence[Phase]:
        """mle, discriminator, adversarial."""
        g = self.config.adversarial
        rows = g.batch_size * (1 + self.config.d_training.steps)
        last = Phase("adversarial", g.steps, rows, self.adversarial_step, adversarial=True)
        last = self.bounded(last.by("adversarial.steps")).some_at_once(2 * g.batch_size)
        return [self.mle_phase(), self.d_phase(g.batch_size), last]

    # The relaxation

    @property
    def beta(self) -> float:
        """The inverse temperature of the next step."""
        g = self.config.adversarial
        given = g.inverse_temperature, g.schedule_steps, g.schedule
        return inverse_temperature(self.adversarial_steps, *given)

    def fakes(self, rows: int, rng: torch.Generator, learning: bool) -> Sentences:
        """B = `rows` generated sentences; with `learning` their words have a gradient.

        What the generator reads on are the words that it drew, as in the released code: so one pass
        over the drawn sentences computes all scores with their gradients.
        """
        tokens = trimmed_on_cpu(self.plain_samples(rows, rng))
        through = self.config.adversarial.relaxation is Relaxation.straight_through
        if through and not learning:  # D reads the words themselves
            return Sentences(tokens)
        with torch.set_grad_enabled(learning):
            features = self.generator.valid_features(tokens)
            scores = F.linear(features, *self.generator.output_layer(written=True)).float()
            words = words_at(tokens)
            relaxed = relaxed_words(scores, words, self.beta, rng)
            return Sentences(tokens, straight_through(relaxed, words) if through else relaxed)

    def view_logits(self, sentences: Sentences, rng: torch.Generator) -> Tensor:
        """D's logits of each view, (B, R), with dropout."""
        return self.discriminator.view_logits(*sentences, rng)

    # Training

    def adversarial_step(self, batch: Tensor, rng: torch.Generator) -> Metrics:
        """One update of G, then `d_training.steps` of D, each on its own B real sentences."""
        first, *others = torch.split(batch, self.config.adversarial.batch_size)
        found, rewarded = dict(self.begin()), self.rewarded
        found.update(self.g_step(first, rng))
        for real in others:
            found.update(self.d_step(real, rng))
        return {**found, **self.end(len(others), rewarded)}

    def g_step(self, real: Tensor, rng: torch.Generator) -> Metrics:
        """One update of G by what D makes of its words, beside as many real sentences (B, T), and
        by the likelihood of these, if weighted.

        Without a weight of either there is no update.
        """
        config, found = self.config.adversarial, Reported()
        loss = torch.zeros((), device=self.task.device)
        if not self.rewarded and not config.mle_weight:
            return found
        if self.rewarded:
            loss, found = self.g_loss(real, rng)
        if config.mle_weight:
            loss = loss + config.mle_weight * self.trainer.loss(real, rng)[0]
        norm = clipped_step(self.g_optimiser, self.generator, loss, config.clip)
        return {**found, "g_grad_norm": norm}

    def g_loss(self, real: Tensor, rng: torch.Generator) -> tuple[Tensor, Reported]:
        """What G's words lose against D, a scalar, and what is reported of them."""
        kind = self.config.adversarial.loss
        fake = self.fakes(len(real), rng, learning=True)
        with frozen(self.discriminator):
            logits = self.view_logits(fake, rng)
            of_real = logits.detach()
            if kind in RELATIVE:
                of_real = self.view_logits(Sentences(trimmed_on_cpu(real)), rng)
        loss = generator_loss(kind, of_real.flatten(), logits.flatten())
        lengths = valid_lengths(fake.tokens).float().mean()
        return loss, {
            "g_loss": loss.detach(),
            "inverse_temperature": self.beta,
            "batch_unique": different_share(fake.tokens),
            "length": lengths,
        }

    def d_step(self, real: Tensor, rng: torch.Generator) -> Metrics:
        """One update of D on real sentences (B, T) and as many fakes, and its beliefs before it."""
        kind, d = self.config.adversarial.loss, self.config.d_training
        fake = self.fakes(len(real), rng, learning=False)
        of_real = self.view_logits(Sentences(trimmed_on_cpu(real)), rng)
        of_fake = self.view_logits(fake, rng)
        loss = discriminator_loss(kind, of_real.flatten(), of_fake.flatten())
        norm = clipped_step(self.d_optimiser, self.discriminator, loss, d.clip)
        if kind in RELATIVE:
            self.discriminator.move_centre(of_real, of_fake)
        said = beliefs(kind, of_real.detach().mean(1), of_fake.detach().mean(1))
        return {"d_loss": loss.detach(), **said, "d_grad_norm": norm}


def build(config: Config, task: Task, rng: torch.Generator) -> RelGAN:
    """Build the algorithm; `rng` initialises the weights."""
    return RelGAN(config, task, rng)
