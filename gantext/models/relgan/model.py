"""model=relgan: a GAN of relaxed words (RelGAN, Nie et al. 2019).

Shapes: B sentences, T steps, N words of them, V vocabulary, R views of the discriminator.
"""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from gantext.models.contract import Phase, Task
from gantext.models.relgan.config import Config, Relaxation, check, inverse_temperature
from gantext.models.relgan.discriminator import MultiViewCNN
from gantext.nn.gan_losses import RELATIVE, beliefs, discriminator_loss, generator_loss
from gantext.nn.optim import Metrics, Optimiser, clipped_step, frozen
from gantext.nn.state import NamedParts
from gantext.nn.text.adversary import untrained
from gantext.nn.text.captured_decode import Sampler
from gantext.nn.text.equal_rows import different_share
from gantext.nn.text.fitting import MLETrainer, mean_nll
from gantext.nn.text.generator import text_generator
from gantext.nn.text.held_out import HeldOut
from gantext.nn.text.places import words_at
from gantext.nn.text.relaxation import relaxed_words, straight_through
from gantext.nn.text.rollouts import trimmed_on_cpu, valid_lengths
from gantext.nn.text.sampling import Policy, SamplingOptions

Reported = dict[str, Tensor | float]


class Sentences(NamedTuple):
    """Sentences as the discriminator reads them: tokens (B, T), and the vectors (N, V) that stand
    for their words; None: the words themselves."""

    tokens: Tensor
    words: Tensor | None = None


class RelGAN(NamedParts):
    """Generator, discriminator, their optimisers, and the phases."""

    counters = ("adversarial_steps",)

    def __init__(self, config: Config, task: Task, rng: torch.Generator) -> None:
        check(config, task)
        self.config, self.task = config, task
        words = task.vocab_size, task.max_length, config.generator, rng, task.fixed_length
        self.generator = text_generator(*words).to(task.device)
        self.sampler = Sampler(self.generator, task.max_length, task.graphs)
        sizes = task.vocab_size, config.discriminator, task.max_length
        self.discriminator = MultiViewCNN(*sizes, rng).to(task.device)
        steps = config.mle.steps(task.train_size)
        self.trainer = MLETrainer(self.generator, config.mle, task.singletons, steps)
        g, d = config.adversarial, config.d_training
        self.g_optimiser = Optimiser(torch.optim.Adam, self.generator.parameters(), g.learning_rate)
        self.d_optimiser = Optimiser(
            torch.optim.Adam, self.discriminator.parameters(), d.learning_rate, (d.beta1, 0.999)
        )
        looked = self.discriminator, task.held_out, self.plain_samples
        self.held_out = HeldOut(*looked, d.rules(), pays="the adversarial loss")
        self.adversarial_steps = 0

    # The Algorithm contract

    def phases(self) -> Sequence[Phase]:
        """mle, discriminator, adversarial."""
        mle, d, g = self.config.mle, self.config.d_training, self.config.adversarial
        first = Phase(
            "mle", self.trainer.total, mle.batch_size, self.trainer.step, warmup=mle.warmup_steps
        )
        second = Phase(
            "discriminator", d.pretrain_steps, g.batch_size, self.d_step_alone, scored=False
        )
        rows = g.batch_size * (1 + d.steps)
        third = Phase("adversarial", g.steps, rows, self.adversarial_step, adversarial=True)
        return [
            first.by("mle.epochs", mle.tied),
            second.by("d_training.pretrain_steps", d.tied).until(self.held_out.waited_in_vain),
            third.by("adversarial.steps").some_at_once(2 * g.batch_size),
        ]

    def notes(self) -> Sequence[str]:
        """That nothing is held out."""
        return self.held_out.notes()

    def networks(self) -> Mapping[str, nn.Module]:
        """Generator and discriminator."""
        return {"generator": self.generator, "discriminator": self.discriminator}

    def sample(self, n: int, rng: torch.Generator, options: SamplingOptions) -> Tensor:
        """Draw n sentences, (n, T)."""
        return self.sampler(n, rng, options)

    def writer(self, n: int, rng: torch.Generator) -> Policy:
        """The generator."""
        return self.generator

    def log_prob(self, tokens: Tensor) -> Tensor:
        """log p(sentence), (N,), nats; <eos> counted."""
        return self.generator.token_log_prob(tokens).sum(1)

    def score(self, tokens: Tensor) -> dict[str, Tensor]:
        """The probability that each sentence of (N, T) is real, (N,); none before D has learned.

        Of a loss of pairs: that it is more real than what stands in the middle between real and
        generated sentences.
        """
        trained = self.d_optimiser.stepped
        return {"real": self.discriminator.score(tokens)} if trained else {}

    def plain_samples(self, n: int, rng: torch.Generator) -> Tensor:
        """n sentences at temperature 1, (n, T)."""
        return self.sampler(n, rng, SamplingOptions())

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
        embedded = self.discriminator.embedded(*sentences)
        return self.discriminator.view_logits(embedded, sentences.tokens, rng)

    # Training

    def d_step_alone(self, real: Tensor, rng: torch.Generator) -> Metrics:
        """`d_step` in the discriminator's own phase, with looks at held-out sentences."""
        found = {**self.held_out.enter("discriminator"), **self.d_step(real, rng)}
        last = self.held_out.steps + 1 == self.config.d_training.pretrain_steps
        return {**found, **self.held_out.learned(last=last)}

    def adversarial_step(self, batch: Tensor, rng: torch.Generator) -> Metrics:
        """One update of G, then `d_training.steps` of D, each on its own B real sentences."""
        first, *others = torch.split(batch, self.config.adversarial.batch_size)
        found = dict(self.held_out.enter("adversarial", beside=True))
        rewarded = self.held_out.trusted
        found.update(self.g_step(first, rng))
        for real in others:
            found.update(self.d_step(real, rng))
        found.update(self.held_out.beside(len(others), rewarded))
        self.adversarial_steps += 1
        return found

    def g_step(self, real: Tensor, rng: torch.Generator) -> Metrics:
        """One update of G by what D makes of its words, beside as many real sentences (B, T), and
        by the likelihood of these, if weighted.

        Without a weight of either there is no update.
        """
        config, found = self.config.adversarial, Reported()
        loss = torch.zeros((), device=self.task.device)
        if not self.held_out.trusted and not config.mle_weight:
            return found
        if self.held_out.trusted:
            loss, found = self.g_loss(real, rng)
        if config.mle_weight:
            shown = self.trainer.shown(real, rng)
            loss = loss + config.mle_weight * mean_nll(self.generator, shown, rng)
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

    # State

    def parts(self) -> Mapping[str, Any]:
        """Everything that has a state."""
        return {
            "generator": self.generator,
            "discriminator": self.discriminator,
            "trainer": self.trainer,
            "g_optimiser": self.g_optimiser,
            "d_optimiser": self.d_optimiser,
            "held_out": self.held_out,
        }

    def load_pretrained(self, state: dict[str, Any]) -> Sequence[str]:
        """Take the generator's weights, and the discriminator's where there are some."""
        self.generator.load_state_dict(state["generator"])
        if "discriminator" in state:
            self.discriminator.load_state_dict(state["discriminator"])
        return untrained(state.get("d_optimiser"))


def build(config: Config, task: Task, rng: torch.Generator) -> RelGAN:
    """Build the algorithm; `rng` initialises the weights."""
    return RelGAN(config, task, rng)
