"""model=catgan: the generator's children, their fitness, and the discriminator's steps.

A child is the parent after one update by a loss m of `mutations` at an inverse temperature beta;

    (5)  F_q = sum over x of w(x) quality(x) (losses.py, 4)
    (6)  F_d = -sum over x of w(x) log G(x | c) / sum over x of w(x) words of x, nats
    (7)  F = F_q + diversity_weight F_d

where x are samples of the parent and w(x) = G(x | c) / G_parent(x | c), divided by their sum: as if
the child had written them. By samples of their own two children would differ by less than samples
vary, and drawn by the same random numbers they mostly write the same words.

Of the children of one loss that of the greatest F_q goes on, of those of all losses that of the
greatest F: first temperatures compete, then losses, which is the hierarchy of the paper.
Shapes: B sentences, T steps, N words of them, V vocabulary, K classes.
"""

import copy
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from gantext.data.labelled import LabelledBatch
from gantext.data.resident import sent
from gantext.errors import UserError
from gantext.models.base.labelled import Labelled, check_classes
from gantext.models.catgan.config import Config, Relaxation, check
from gantext.models.catgan.generator import ClassGenerator, OfClass
from gantext.models.catgan.losses import (
    Mutation,
    beaten_loss,
    class_loss,
    of_class,
    quality,
)
from gantext.models.contract import Phase, Task
from gantext.nn.optim import Metrics, Optimiser, clipped_step, frozen
from gantext.nn.text.class_cnn import ClassCNN
from gantext.nn.text.equal_rows import different_share
from gantext.nn.text.generator import text_generator
from gantext.nn.text.places import words_at
from gantext.nn.text.relaxation import relaxed_words, straight_through
from gantext.nn.text.rollouts import trimmed_on_cpu, valid_lengths
from gantext.nn.text.sampling import SamplingOptions, decode

Reported = dict[str, Tensor | float]


class CentredCNN(ClassCNN):
    """Its logit of 'real' has 0 in the middle between real and generated sentences, since the
    losses leave a constant in all logits free."""

    centre: Tensor

    def __init__(self, *sizes: Any) -> None:
        super().__init__(*sizes)
        self.register_buffer("centre", torch.zeros(()))

    def real(self, logits: Tensor) -> Tensor:
        """Of being real, (B,), by logits (B, K)."""
        return logits.logsumexp(1) - self.centre

    @torch.no_grad()
    def move_centre(self, real: Tensor, fake: Tensor) -> None:
        """Let the centre follow the middle of the logits (B, K) of real and generated ones."""
        middle = (real.logsumexp(1).mean() + fake.logsumexp(1).mean()) / 2
        self.centre.lerp_(middle, 0.1)


class Written(NamedTuple):
    """What a parent has written, by which its children are judged.

    Attributes:
        tokens: (B, T), of classes `labels`, (B,).
        quality: of each, (B,).
        log_prob: by the parent, (B,), nats.
    """

    tokens: Tensor
    labels: Tensor
    quality: Tensor
    log_prob: Tensor


class Child(NamedTuple):
    """A generator after an update.

    Attributes:
        mutation: by the place of its loss.
        beta: its inverse temperature.
        worth: (5) and (6), (2,).
        weights, moments: of the generator and of its optimiser.
        reported: for the metrics.
    """

    mutation: int
    beta: float
    worth: Tensor
    weights: dict[str, Tensor]
    moments: dict[str, Any]
    reported: Reported


class CatGAN(Labelled):
    """Generator, discriminator, their optimisers, and the phases."""

    counters: ClassVar[tuple[str, ...]] = ("adversarial_steps", "beta")
    generator: ClassGenerator
    discriminator: CentredCNN

    def __init__(self, config: Config, task: Task, rng: torch.Generator) -> None:
        check(config)
        check_classes(task)
        words = task.vocab_size, task.max_length, config.generator, rng, task.fixed_length
        generator = ClassGenerator(text_generator(*words), task.classes, rng)
        sizes = task.vocab_size, config.discriminator, task.max_length, rng, task.classes
        networks = generator.to(task.device), CentredCNN(*sizes).to(task.device)
        super().__init__(config, task, *networks, [generator], pays="the adversarial loss")
        self.config, g = config, config.adversarial
        self.g_optimiser = Optimiser(torch.optim.Adam, generator.parameters(), g.learning_rate)
        self.beta = g.inverse_temperature
        self.bound_likelihood(self.log_prob, g.nll_every, g.nll_allowance)

    def phases(self) -> Sequence[Phase]:
        """mle, discriminator, adversarial."""
        g = self.config.adversarial
        return self.labelled_phases(g.batch_size, g.steps, 2 * g.batch_size)

    # Of classes

    def model_of(self, label: int) -> OfClass:
        """The generator of one class."""
        return self.generator.of(sent(torch.tensor(label), self.task.device))

    def models_of(self, labels: Tensor) -> Sequence[tuple[OfClass, Tensor]]:
        """The generator of the classes of all rows (N,) at once."""
        there = sent(labels, self.task.device)
        return [(self.generator.of(there), torch.arange(len(labels), device=there.device))]

    @torch.no_grad()
    def sample_of(self, labels: Tensor, rng: torch.Generator, options: SamplingOptions) -> Tensor:
        """A sentence of each class, (n,) -> (n, T)."""
        policy = self.generator.of(labels)
        return decode(policy, len(labels), self.task.max_length, rng, options)

    def class_log_prob(self, rows: Tensor) -> Tensor:
        """log p(class | sentence), (N, K), of (N, T) tokens, by the discriminator.

        Raises:
            UserError: it has not learned classes.
        """
        if not self.config.class_weight:
            raise UserError("model.class_weight=0: the discriminator of this run tells no classes")
        return self.discriminator.all_logits(rows).log_softmax(1)

    # The discriminator

    def d_loss(self, real: LabelledBatch, rng: torch.Generator) -> tuple[Tensor, Metrics]:
        """(1) on real sentences and samples of the same classes, and (3), weighted."""
        labels = sent(real.labels, real.tokens.device)
        tokens, words = self.fakes(labels, self.beta, rng, learning=False)
        if words is None:
            of_real, of_fake = self.discriminator.class_logits_of([real.tokens, tokens], rng)
        else:
            of_real = self.discriminator.class_logits(real.tokens, rng)
            of_fake = self.discriminator.relaxed_logits(tokens, words, rng)
        loss = beaten_loss(Mutation.rsgan, of_real, of_fake, labels)
        loss = loss + self.config.class_weight * class_loss(of_real, labels)
        self.discriminator.move_centre(of_real, of_fake)
        apart = of_class(of_real.detach(), labels) - of_class(of_fake.detach(), labels)
        return loss, {
            "d_real": apart.sigmoid().mean(),
            "d_fake": (-apart).sigmoid().mean(),
            "d_class": (of_real.argmax(1) == labels).float().mean(),
        }

    def fakes(
        self, labels: Tensor, beta: float, rng: torch.Generator, learning: bool
    ) -> tuple[Tensor, Tensor | None]:
        """Samples of classes (B,), (B, T), and the vectors (N, V) that D reads in the place of
        their words, with a gradient where `learning`; None: the words themselves."""
        tokens = trimmed_on_cpu(self.sample_of(labels, rng, SamplingOptions()))
        through = self.config.adversarial.relaxation is Relaxation.straight_through
        if through and not learning:
            return tokens, None
        with torch.set_grad_enabled(learning):
            model = self.generator.of(labels)
            layer = model.output_layer(written=True)
            scores = F.linear(model.valid_features(tokens), *layer).float()
            words = words_at(tokens)
            relaxed = relaxed_words(scores, words, beta, rng)
            return tokens, straight_through(relaxed, words) if through else relaxed

    # The generator's children

    def g_step(self, real: LabelledBatch, rng: torch.Generator) -> Metrics:
        """The fittest child takes the parent's place; while D is not worth it, a step of
        likelihood alone does, if weighted."""
        g = self.config.adversarial
        if not self.held_out.trusted:
            if not g.mle_weight:
                return {}
            loss = g.mle_weight * self.nll(real, rng)[0]
            return {"g_grad_norm": clipped_step(self.g_optimiser, self.clipped, loss, g.clip)}
        seed = int(torch.randint(2**62, (), generator=rng, device=rng.device))
        with torch.no_grad():
            of_real = self.discriminator.class_logits(trimmed_on_cpu(real.tokens))
        written = self.written(sent(real.labels, of_real.device), of_real, rng)
        parent, moments = self._weights(), copy.deepcopy(self.g_optimiser.state_dict())
        children = []
        for place, mutation in enumerate(g.mutations):
            for beta in self.betas():
                self._become(parent, moments)
                noise = torch.Generator(rng.device).manual_seed(seed)
                given = place, mutation, beta, real, of_real, written, noise
                children.append(self.child(*given))
        best = self.fittest(children)
        self._become(best.weights, best.moments)
        self.beta = best.beta
        return {
            **best.reported,
            "quality": best.worth[0],
            "diversity": best.worth[1],
            "mutation": float(best.mutation),
            "inverse_temperature": best.beta,
        }

    def betas(self) -> list[float]:
        """The inverse temperatures of a step's children, each once."""
        g = self.config.adversarial
        asked = self.beta / g.temperature_factor, self.beta * g.temperature_factor
        low, high = g.least_inverse_temperature, g.greatest_inverse_temperature
        return sorted({min(high, max(low, beta)) for beta in asked})

    def fittest(self, children: Sequence[Child]) -> Child:
        """Of each loss's children that of the greatest (5), of these that of the greatest (7)."""
        worth = torch.stack([child.worth for child in children]).tolist()  # a GPU is waited for
        best: dict[int, int] = {}  # by loss, the place among the children
        for place, child in enumerate(children):
            other = best.setdefault(child.mutation, place)
            if worth[place][0] > worth[other][0]:
                best[child.mutation] = place
        return children[max(best.values(), key=lambda place: self.fitness(*worth[place]))]

    def fitness(self, quality: float, diversity: float) -> float:
        """(7)."""
        return quality + self.config.adversarial.diversity_weight * diversity

    def child(
        self,
        place: int,
        mutation: Mutation,
        beta: float,
        real: LabelledBatch,
        of_real: Tensor,
        written: Written,
        rng: torch.Generator,
    ) -> Child:
        """The generator after one update by a loss at an inverse temperature, and its fitness.

        Args:
            place: of the loss among the mutations.
            mutation: the loss.
            beta: the inverse temperature.
            real: sentences, with whose classes it writes.
            of_real: their logits, (B, K).
            written: by the parent.
            rng: its noise.
        """
        g, labels = self.config.adversarial, written.labels
        tokens, words = self.fakes(labels, beta, rng, learning=True)
        assert words is not None
        with frozen(self.discriminator):
            of_fake = self.discriminator.relaxed_logits(tokens, words, rng)
        adversarial = beaten_loss(mutation, of_fake, of_real, labels)
        loss = adversarial
        if g.mle_weight:
            loss = loss + g.mle_weight * self.nll(real, rng)[0]
        norm = clipped_step(self.g_optimiser, self.clipped, loss, g.clip)
        reported: Reported = {
            "g_loss": adversarial.detach(),
            "batch_unique": different_share(tokens),
            "length": valid_lengths(tokens).float().mean(),
            "g_grad_norm": norm,
        }
        worth = self.worth(written)
        moments = copy.deepcopy(self.g_optimiser.state_dict())
        return Child(place, beta, worth, self._weights(), moments, reported)

    @torch.no_grad()
    def written(self, labels: Tensor, of_real: Tensor, rng: torch.Generator) -> Written:
        """Fresh samples of classes (B,), beside real sentences of these with logits (B, K)."""
        tokens = trimmed_on_cpu(self.sample_of(labels, rng, SamplingOptions()))
        own = quality(self.discriminator.class_logits(tokens), of_real, labels)
        return Written(tokens, labels, own, self._log_prob(tokens, labels))

    @torch.no_grad()
    def worth(self, written: Written) -> Tensor:
        """(5) and (6) of the generator as it is, (2,), by what its parent has written."""
        log_prob = self._log_prob(written.tokens, written.labels)
        weights = (log_prob - written.log_prob).softmax(0)
        words = (weights * valid_lengths(written.tokens)).sum()
        return torch.stack([(weights * written.quality).sum(), -(weights * log_prob).sum() / words])

    def _log_prob(self, tokens: Tensor, labels: Tensor) -> Tensor:
        """log G(x | c) of written sentences (B, T), (B,), nats."""
        return self.generator.of(labels).token_log_prob(tokens, written=True).sum(1).double()

    def _weights(self) -> dict[str, Tensor]:
        return {name: one.detach().clone() for name, one in self.generator.state_dict().items()}

    def _become(self, weights: dict[str, Tensor], moments: dict[str, Any]) -> None:
        self.generator.load_state_dict(weights)
        self.g_optimiser.load_state_dict(copy.deepcopy(moments))

    # State

    def parts(self) -> Mapping[str, Any]:
        """Everything that has a state."""
        return {**super().parts(), "g_optimiser": self.g_optimiser}


def build(config: Config, task: Task, rng: torch.Generator) -> CatGAN:
    """Build the algorithm; `rng` initialises the weights."""
    return CatGAN(config, task, rng)
