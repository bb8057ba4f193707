"""A generator of text and a discriminator beside it, which is trained alone first and looked at on
held-out sentences throughout.

Shapes: B or n sentences, T steps.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar, Generic, Protocol, TypeVar

import torch
from torch import Tensor, nn

from gantext.models.base.text_model import G, TextModel, take_networks
from gantext.models.contract import Phase, Task
from gantext.nn.optim import Metrics, Optimiser
from gantext.nn.state import NamedParts
from gantext.nn.text.adversary import LookConfig, untrained
from gantext.nn.text.fitting import MLEConfig
from gantext.nn.text.held_out import HeldOut
from gantext.nn.text.held_out_stop import HeldOutStop, StopRules, nll
from gantext.nn.text.sentence_judge import Discriminator

D = TypeVar("D", bound=Discriminator)
NLL_VALID = "nll_valid"  # as looks at a model of text call it
PAYS = "the policy gradient"  # what a generator learns from a discriminator for the most part


class Learning(Protocol):
    """How the generator is trained against the discriminator."""

    @property
    def learning_rate(self) -> float: ...


class JudgedConfig(Protocol):
    """What the configs of these models share."""

    @property
    def mle(self) -> MLEConfig: ...
    @property
    def d_training(self) -> LookConfig: ...
    @property
    def adversarial(self) -> Learning: ...


class WithDiscriminator(NamedParts, Generic[D]):
    """A discriminator beside a generator: its own phase, and looks at it on held-out sentences.

    A model states `generator` and `task`, makes `d_optimiser`, calls `look_at`, and has `d_step`.

    Attributes:
        d_held_out: looks at the discriminator on held-out sentences.
        held_out: looks at what the generator learns from: here the same.
        d_optimiser: of the discriminator.
        adversarial_steps: so far.
    """

    counters: ClassVar[tuple[str, ...]] = ("adversarial_steps",)
    alone_key: ClassVar[str] = "pretrain_steps"  # of d_training: counts D's own phase
    alone_adversarial: ClassVar[bool] = False  # whether `phases=pretrain` leaves that out
    d_optimisers: ClassVar[tuple[str, ...]] = ("d_optimiser",)  # among the parts
    judged = True  # whether anybody is asked what sentences are worth
    bound: HeldOutStop | None
    task: Task
    generator: nn.Module
    d_optimiser: Optimiser

    def look_at(
        self, discriminator: D, training: LookConfig, put_back: bool = True, pays: str = PAYS
    ) -> None:
        """Have a discriminator, which is looked at.

        Args:
            discriminator: on the task's device.
            training: how it is trained.
            put_back: whether its better weights may be put back.
            pays: what the generator learns from it is called.
        """
        self.d_training, self.discriminator = training, discriminator
        looked = discriminator, self.task.held_out, self.rewarded_samples
        self.d_held_out = HeldOut(*looked, training.rules(put_back), pays=pays)
        self.held_out: HeldOut = self.d_held_out
        self.adversarial_steps, self.bound = 0, None

    def bound_likelihood(
        self, log_prob: Callable[[Tensor], Tensor], every: int, allowance: float | None
    ) -> None:
        """End the adversarial phase where sentences that no model was trained on become too
        unlikely: what better sentences cost in coverage.

        Args:
            log_prob: of sentences (N, T) by the generator, (N,), nats.
            every: steps between two looks.
            allowance: nats per word over the phase's start; None: it does not end so.
        """
        if allowance is None:
            return
        rules = StopRules(NLL_VALID, every, 1, allowance)
        self.bound = HeldOutStop(rules, nll(log_prob), self.generator, self.task.held_out)

    def bounded(self, phase: Phase) -> Phase:
        """An adversarial phase, that ends so where `bound_likelihood` was asked for."""
        return phase if self.bound is None else phase.until(self.bound.waited_in_vain)

    def rewarded_samples(self, n: int, rng: torch.Generator) -> Tensor:
        """n sentences as the generator learns from them, (n, T)."""
        raise NotImplementedError

    def networks(self) -> Mapping[str, nn.Module]:
        """Generator and discriminator."""
        return {"generator": self.generator, "discriminator": self.discriminator}

    def notes(self) -> Sequence[str]:
        """That nothing is held out."""
        return self.held_out.notes() if self.judged else []

    # The discriminator

    @property
    def d_learns(self) -> bool:
        """Whether somebody asks the discriminator."""
        return self.judged

    @property
    def d_trained(self) -> bool:
        """Whether the discriminator has made a step."""
        return self.d_optimiser.stepped

    def score(self, tokens: Tensor) -> dict[str, Tensor]:
        """The probability that each sentence of (N, T) is real, (N,); none before D has learned."""
        return {"real": self.discriminator.score(tokens)} if self.d_trained else {}

    def d_phase(self, rows: int) -> Phase:
        """The discriminator alone, on so many real sentences a step."""
        d, late = self.d_training, self.alone_adversarial
        steps = self._alone_steps if self.d_learns else 0
        step = self.d_step_alone
        phase = Phase("discriminator", steps, rows, step, adversarial=late, scored=False)
        phase = phase.by(f"d_training.{self.alone_key}", d.tied)
        return phase.until(self.d_held_out.waited_in_vain)

    @property
    def _alone_steps(self) -> int:
        steps: int = getattr(self.d_training, self.alone_key)
        return steps

    def d_step_alone(self, real: Any, rng: torch.Generator) -> Metrics:
        """`d_step` in the discriminator's own phase, with looks at held-out sentences."""
        found = {**self.d_held_out.enter("discriminator"), **self.d_step(real, rng)}
        last = self.d_held_out.steps + 1 == self._alone_steps
        return {**found, **self.d_held_out.learned(last=last)}

    def d_step(self, real: Any, rng: torch.Generator) -> Metrics:
        """One discriminator update on real sentences, (B, T) or of classes, against as many fresh
        samples."""
        raise NotImplementedError

    # An adversarial step: `begin`, what the generator does, the discriminator's steps, `end`

    def begin(self) -> Metrics:
        """Before an adversarial step: what the generator learns from is looked at, in the first."""
        found = dict(self.held_out.enter("adversarial", beside=True)) if self.judged else {}
        return {**found, **self.bound.begin()} if self.bound else found

    @property
    def rewarded(self) -> bool:
        """Whether the generator learns from the discriminator, by what that is worth."""
        return self.held_out.trusted or not self.judged

    def end(self, steps: int, rewarded: bool) -> Metrics:
        """After an adversarial step with so many of the discriminator: a look where that is due.

        `rewarded` is what was so as the generator learned.
        """
        self.adversarial_steps += 1
        found = dict(self.held_out.beside(steps, rewarded)) if self.judged else {}
        return {**found, **self.bound.step()} if self.bound else found

    # State

    def d_parts(self) -> Mapping[str, Any]:
        """What of the discriminator has a state."""
        return {
            "discriminator": self.discriminator,
            "d_optimiser": self.d_optimiser,
            "held_out": self.held_out,
            **({"bound": self.bound} if self.bound else {}),
        }

    def load_pretrained(self, state: dict[str, Any]) -> Sequence[str]:
        """Take the networks' weights, and say of a discriminator that it is untrained."""
        take_networks(self.networks(), state)
        return untrained(*(state.get(name) for name in self.d_optimisers))


class Judged(WithDiscriminator[D], TextModel[G], Generic[G, D]):
    """Generator and discriminator, their optimisers, and looks at the discriminator.

    A model states `d_step`, one update of the discriminator, and what the generator does.

    Args:
        config: of the model.
        task: the facts of the text.
        generator, discriminator: on the task's device.
        clipped: see `TextModel`.
        put_back, pays: see `WithDiscriminator.look_at`.
    """

    generator: G

    def __init__(
        self,
        config: JudgedConfig,
        task: Task,
        generator: G,
        discriminator: D,
        *,
        clipped: Sequence[nn.Module] | None = None,
        put_back: bool = True,
        pays: str = PAYS,
    ) -> None:
        TextModel.__init__(self, task, generator, config.mle, clipped)
        self.setting = config
        rate = config.adversarial.learning_rate
        self.g_optimiser = Optimiser(torch.optim.Adam, generator.parameters(), rate)
        self.look_at(discriminator, config.d_training, put_back, pays)

    def rewarded_samples(self, n: int, rng: torch.Generator) -> Tensor:
        """n sentences as the generator learns from them, (n, T)."""
        return self.plain_samples(n, rng)

    def parts(self) -> Mapping[str, Any]:
        """Everything that has a state."""
        return {**TextModel.parts(self), "g_optimiser": self.g_optimiser, **self.d_parts()}
