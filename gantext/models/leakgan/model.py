"""model=leakgan: text generation with leaked information (LeakGAN, Guo et al. 2018, 1709.08624)."""

import copy
import dataclasses
import math
from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from gantext.errors import UserError
from gantext.models.contract import Phase, Task
from gantext.models.leakgan.config import Config, LeakSource, check, settled
from gantext.models.leakgan.features import LeakyTextCNN
from gantext.models.leakgan.generator import LeakGenerator
from gantext.models.leakgan.policy import PolicyGradient
from gantext.nn import ranks
from gantext.nn.ema import Ema
from gantext.nn.optim import Metrics, Optimiser, clipped_step
from gantext.nn.state import NamedParts
from gantext.nn.text.adversary import DiscriminatorTrainer, fresh, untrained
from gantext.nn.text.fitting import MLETrainer, word_metrics
from gantext.nn.text.held_out import HeldOut
from gantext.nn.text.judges.config import Kind
from gantext.nn.text.judges.training import PHASE, JudgeTrainer
from gantext.nn.text.output_layer import mean_word_nll
from gantext.nn.text.places import at_places, counted, mean_of_words, words_at
from gantext.nn.text.rollouts import trimmed
from gantext.nn.text.sampling import Policy, SamplingOptions, decode

MOST_D_STEPS = 10_000  # within one step of pretraining, whose rows are drawn together


class LeakGAN(NamedParts):
    """Manager, worker, discriminator or another judge, their optimisers, and the phases."""

    counters = ("adversarial_steps",)

    def __init__(self, config: Config, task: Task, rng: torch.Generator) -> None:
        config = settled(config, task)
        check(config)
        self.config, self.task = config, task
        self.discriminator = LeakyTextCNN(
            task.vocab_size, config.discriminator, task.max_length, rng
        ).to(task.device)
        keeps = config.d_training.leak is LeakSource.pretrained
        self.leak = copy.deepcopy(self.discriminator) if keeps else self.discriminator
        parts = task.vocab_size, config.generator, self.leak, rng, task.fixed_length
        self.generator = LeakGenerator(*parts).to(task.device)
        apart = [self.generator.manager, self.generator.worker]
        self.clipped = apart if config.generator.clip_apart else [self.generator]
        steps = config.mle.steps(task.train_size)
        self.trainer = MLETrainer(self.generator, config.mle, task.singletons, steps, self.clipped)
        self.judge = self._judge(rng)
        given = config.adversarial, task, self.generator, self.judge or self.discriminator
        self.policy = PolicyGradient(*given)
        self.judged = self.policy.judged
        adversarial, parameters = config.adversarial, list(self.generator.parameters())
        self.g_optimiser = Optimiser(torch.optim.Adam, parameters, adversarial.learning_rate)
        # One of its own, as in the code: among the many larger gradients of the likelihood, a
        # shared one would shrink the policy's steps to nothing.
        self.mle_optimiser = Optimiser(torch.optim.Adam, parameters, adversarial.mle_learning_rate)
        d = config.d_training
        first = dataclasses.replace(
            d, batch_size=d.pretrain_batch_size, learning_rate=d.pretrain_learning_rate
        )
        self.d_pretrainer = DiscriminatorTrainer(self.discriminator, first, d.prefixes)
        self.d_trainer = DiscriminatorTrainer(self.discriminator, d, d.prefixes)
        looked = self.discriminator, task.held_out, self.rewarded_samples
        self.d_held_out = HeldOut(*looked, d.rules(put_back=keeps))
        self.held_out = self.judge.held_out if self.judge else self.d_held_out
        self.d_steps = math.ceil(d.pretrain_steps / max(1, self.trainer.total))
        if self.trainer.total and self.d_steps > MOST_D_STEPS:
            raise UserError(
                f"model.d_training.pretrain_steps={d.pretrain_steps}: {self.d_steps:,} for each of "
                f"the {self.trainer.total:,} steps of pretraining; at most {MOST_D_STEPS:,}"
            )
        self.adversarial_steps = 0
        decay, generator = adversarial.ema, self.generator
        self.average = Ema(generator, decay, generator.twin()) if decay else None
        every, rows = adversarial.mle_every, config.mle.batch_size
        self.mle_steps = math.ceil(task.train_size / (every * rows)) if every else 0

    def _judge(self, rng: torch.Generator) -> JudgeTrainer | None:
        """What rewards in the place of the discriminator; None where that does."""
        config = self.config.judge
        if config.kind is Kind.cnn:
            return None
        given = self.rewarded_samples, self.generator_log_prob, self.discriminator
        return JudgeTrainer(config, self.task, *given, rng)

    # The Algorithm contract

    def phases(self) -> Sequence[Phase]:
        """pretraining (D and G interleaved), discriminator (where it is asked for), judge (where
        that is another), adversarial."""
        d, mle, g = self.config.d_training, self.config.mle, self.config.adversarial
        d.check_with(self.task.draw)
        self.config.judge.check(self.task.held_out)
        alone = d.alone_steps if self.d_learns else 0
        others = self.d_rows + self.judge_rows
        used = max(1, self.mle_steps * mle.batch_size + others, g.rank_real)
        rows = max(mle.batch_size, self.d_steps * d.pretrain_batch_size)
        step, total, rise = self.pretraining_step, self.trainer.total, mle.warmup_steps
        spread = "the discriminator's steps are spread over its own" if d.pretrain_steps else ""
        first = Phase("pretraining", total, rows, step, warmup=rise)
        second = Phase("discriminator", alone, d.batch_size, self.d_step_alone, True, False)
        third = Phase("adversarial", g.steps, used, self.adversarial_step, adversarial=True)
        first = first.by("mle.epochs", mle.tied or spread)
        first = first.some_at_once(max(mle.batch_size, 2 * d.pretrain_batch_size))
        both = max(mle.batch_size, 2 * d.batch_size, g.batch_size, g.rank_real)
        third = third.by("adversarial.steps").some_at_once(both)
        second = second.by("d_training.alone_steps", d.tied).until(self.d_held_out.waited_in_vain)
        return [first, second, *self._judge_phase(), third]

    def _judge_phase(self) -> Sequence[Phase]:
        """The judge's own, where that is not the discriminator."""
        if self.judge is None:
            return []
        steps = self.judge.config.steps, self.judge.rows, self.judge.step
        found = Phase(PHASE, *steps, scored=False).until(self.held_out.waited_in_vain)
        return [found.by("judge.steps", self.judge.tied)]

    def notes(self) -> Sequence[str]:
        """Another judge; that nothing is held out; how far apart rollouts are, where that was
        worked out."""
        judge = self.judge.notes() if self.judge else []
        return [*judge, *self.held_out.notes(), *self.policy.notes()]

    def memory_later(self) -> int:
        """Of another judge."""
        return self.judge.memory if self.judge else 0

    def networks(self) -> Mapping[str, nn.Module]:
        """Generator (manager and worker) and discriminator."""
        return {"generator": self.generator, "discriminator": self.discriminator}

    def sample(self, n: int, rng: torch.Generator, options: SamplingOptions) -> Tensor:
        """Draw n sentences, (n, T)."""
        return self._drawn(self.evaluated, n, rng, options)

    def _drawn(
        self, generator: LeakGenerator, n: int, rng: torch.Generator, options: SamplingOptions
    ) -> Tensor:
        length = self.task.max_length
        with self.leak.read_often(n * length):
            return decode(generator, n, length, rng, options)

    def rewarded_samples(self, n: int, rng: torch.Generator) -> Tensor:
        """n sentences as they are rewarded, (n, T)."""
        options = SamplingOptions(self.config.adversarial.temperature)
        return self._drawn(self.generator, n, rng, options)

    def writer(self, n: int, rng: torch.Generator) -> Policy:
        """The generator, or its average, which reads the leaked features of each prefix."""
        return self.evaluated

    def log_prob(self, tokens: Tensor) -> Tensor:
        """log p(sentence), (N,), nats; <eos> counted."""
        return self.evaluated.token_log_prob(tokens).sum(1)

    def generator_log_prob(self, tokens: Tensor) -> Tensor:
        """The same of the generator that is trained."""
        return self.generator.token_log_prob(tokens).sum(1)

    @property
    def evaluated(self) -> LeakGenerator:
        """What is sampled and scored: the average of the generator's weights, once it has begun.

        What it is trained on is drawn by the generator itself.
        """
        average = self.average
        return average.module if average and average.updates else self.generator

    @property
    def d_learns(self) -> bool:
        """Whether the discriminator goes on after pretraining: somebody asks it, or the generator
        reads its features as it is."""
        asked = self.judge is None or Kind.cnn in self.judge.config.members
        return self.judged and (asked or self.leak is self.discriminator)

    @property
    def d_rows(self) -> int:
        """Real sentences that the discriminator's steps of an adversarial step are given."""
        d = self.config.d_training
        return d.steps * d.batch_size if self.d_learns else 0

    @property
    def judge_rows(self) -> int:
        """Those that another judge's are given."""
        return self.judge.beside_rows if self.judge else 0

    def score(self, tokens: Tensor) -> dict[str, Tensor]:
        """The probability that each sentence of (N, T) is real, by whom rewards come from; none
        before that has learned."""
        if self.judge is not None:
            return {"real": self.judge.score(tokens)} if self.judge.calibrated else {}
        trained = self.d_pretrainer.optimiser.stepped or self.d_trainer.optimiser.stepped
        return {"real": self.discriminator.score(tokens)} if trained else {}

    @property
    def goal_steps(self) -> int:
        """c, the words that a goal looks ahead."""
        return self.config.generator.goal_steps

    @torch.no_grad()
    def trace(self, tokens: Tensor) -> tuple[Tensor, Tensor]:
        """Goals (B, T, F) and leaked features (B, T + 1, F) of given sentences (B, T).

        Goal s is set after the first s words, whose features are features[:, s].
        """
        features, goals = self.evaluated.leak(tokens)
        return goals, features

    # Pretraining: D on real against generated, worker by cross-entropy, manager by cosine

    def pretraining_step(self, batch: Tensor, rng: torch.Generator) -> Metrics:
        """D steps where they are due, then one of the generator."""
        d, done, total = self.config.d_training, self.trainer.done, self.trainer.total
        due = (done + 1) * d.pretrain_steps // total - done * d.pretrain_steps // total
        found = self.d_steps_within(batch, due, rng) if due else {}
        shown = self.trainer.shown(batch[: self.config.mle.batch_size], rng)
        loss, said = self.mle_loss(shown, rng)
        return {**found, **said, **self.trainer.update(loss)}

    def d_steps_within(self, batch: Tensor, due: int, rng: torch.Generator) -> Metrics:
        """So many D steps of pretraining, as long as D learns; the generator reads what it learns.

        When D's best weights are put back, what the generator reads stays as it was last: at no
        step do its features jump.
        """
        d, rows = self.config.d_training, self.config.d_training.pretrain_batch_size
        found = dict(self.d_held_out.enter("pretraining"))
        if self.d_held_out.stopped:
            return found
        for i in range(due):
            found.update(self.d_step(batch[i * rows : (i + 1) * rows], rng, self.d_pretrainer))
        if self.leak is not self.discriminator:
            self.leak.load_state_dict(self.discriminator.state_dict())
        last = self.d_held_out.steps + due == d.pretrain_steps
        return {**found, **self.d_held_out.learned(due, last)}

    def d_step_alone(self, real: Tensor, rng: torch.Generator) -> Metrics:
        """`d_step` in the discriminator's own phase, with looks at held-out sentences."""
        found = {**self.d_held_out.enter("discriminator"), **self.d_step(real, rng)}
        last = self.d_held_out.steps + 1 == self.config.d_training.alone_steps
        return {**found, **self.d_held_out.learned(last=last)}

    def d_step(
        self, real: Tensor, rng: torch.Generator, trainer: DiscriminatorTrainer | None = None
    ) -> Metrics:
        """One discriminator update on real (B, T) against as many fresh samples."""
        config = self.config.d_training
        real = fresh(self.task.draw, real, rng) if config.fresh_real else real
        options = SamplingOptions(config.temperature)
        fake = decode(self.generator, len(real), self.task.max_length, rng, options)
        return (trainer or self.d_trainer).step(real, fake, rng)

    def mle_loss(self, tokens: Tensor, rng: torch.Generator) -> tuple[Tensor, Metrics]:
        """Worker's cross-entropy (nats per token) + manager's -mean cos(f_{s+c} - f_s, g_s)."""
        tokens = ranks.mine(tokens)
        features, goals = self.generator.leak(tokens)
        read = self.generator.worker_features(tokens, goals, rng)
        given = self.generator.output_layer(), read, words_at(tokens), counted(tokens)
        weigh = self.config.mle.weigh
        nll, log_prob = mean_word_nll(*given, weigh)
        cosines = self.generator.goal_cosines(features, goals)
        cosine = mean_of_words(at_places(cosines, tokens), tokens)
        said = word_metrics(nll, log_prob, tokens, weigh)
        return nll - cosine, {**said, "goal_cosine": cosine.detach()}

    # Adversarial training

    def adversarial_step(self, batch: Tensor, rng: torch.Generator) -> Metrics:
        """One policy-gradient step, its share of a maximum-likelihood epoch, then D's steps."""
        config, d = self.config.adversarial, self.config.d_training
        rows = self.config.mle.batch_size
        found: dict[str, Tensor | float] = {}
        self._begin_adversarial()
        if self.judged:
            found.update(self.held_out.enter("adversarial", beside=True))
        rewarded = bool(config.policy_weight) and (self.held_out.trusted or not self.judged)
        if rewarded:
            found.update(self.g_step(batch[: self.joining], rng))
        for i in range(self.mle_steps):
            shown = self.trainer.shown(batch[i * rows : (i + 1) * rows], rng)
            loss, said = self.mle_loss(shown, rng)
            clipped_step(self.mle_optimiser, self.clipped, loss, config.clip)
            found.update(said)
        if self.average:
            self.average.update()
        first = self.mle_steps * rows
        for i in range(first, first + self.d_rows, d.batch_size):
            found.update(self.d_step(batch[i : i + d.batch_size], rng))
        if self.judge is not None:
            first += self.d_rows
            found.update(self.judge.refresh(batch[first : first + self.judge_rows], rng))
        if self.judged:
            found.update(self.held_out.beside(self.d_rows // d.batch_size, rewarded))
        self.adversarial_steps += 1
        return found

    def _begin_adversarial(self) -> None:
        """At the first step: the generator is held to what it is now, and averaged from here on."""
        if self.adversarial_steps:
            return
        if self.policy.anchor:
            self.policy.anchor.drop(self.generator)
        if self.average:
            self.average.restart()

    @property
    def joining(self) -> int:
        """How many real sentences join the ranking of rewards by now."""
        config = self.config.adversarial
        if not config.rank_real_every:
            return config.rank_real
        return min(config.rank_real, self.adversarial_steps // config.rank_real_every)

    def g_step(self, real: Tensor, rng: torch.Generator) -> Metrics:
        """One policy-gradient update of manager and worker on fresh samples.

        `real` sentences, (rank_real, T), join the ranking of rewards.
        """
        config = self.config.adversarial
        options = SamplingOptions(config.temperature)
        tokens = trimmed(self._drawn(self.generator, config.batch_size, rng, options))
        loss, found = self.policy.loss(tokens, self.policy.rewards(tokens, real, rng))
        weighted = config.policy_weight * loss
        norm = clipped_step(self.g_optimiser, self.clipped, weighted, config.clip)
        return {**found, "g_grad_norm": norm}

    # State

    def parts(self) -> Mapping[str, Any]:
        """Everything that has a state."""
        return {
            "generator": self.generator,
            "discriminator": self.discriminator,
            "leak": self.leak,
            "trainer": self.trainer,
            "g_optimiser": self.g_optimiser,
            "mle_optimiser": self.mle_optimiser,
            "d_optimiser": self.d_trainer.optimiser,
            "d_pretraining_optimiser": self.d_pretrainer.optimiser,
            **({"judge": self.judge, "d_held_out": self.d_held_out} if self.judge else {}),
            "held_out": self.held_out,  # behind the judge, whose weights it may keep
            **({"anchor": self.policy.anchor.frozen} if self.policy.anchor else {}),
            **({"average": self.average} if self.average else {}),
        }

    def state_dict(self) -> dict[str, Any]:
        """Weights, optimiser states and counters."""
        accuracies = [self.d_pretrainer.accuracy, self.d_trainer.accuracy]
        return {**super().state_dict(), "d_accuracies": accuracies}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Restore what `state_dict` gave."""
        super().load_state_dict(state)
        self.d_pretrainer.accuracy, self.d_trainer.accuracy = state["d_accuracies"]

    def load_pretrained(self, state: dict[str, Any]) -> Sequence[str]:
        """Take the weights of generator and discriminator."""
        self.generator.load_state_dict(state["generator"])
        self.discriminator.load_state_dict(state["discriminator"])
        self.leak.load_state_dict(state.get("leak", state["discriminator"]))
        if self.judge is not None:
            return self.judge.take(state.get("judge"))
        return untrained(state.get("d_optimiser"), state.get("d_pretraining_optimiser"))


def build(config: Config, task: Task, rng: torch.Generator) -> LeakGAN:
    """Build the algorithm; `rng` initialises the weights."""
    return LeakGAN(config, task, rng)
