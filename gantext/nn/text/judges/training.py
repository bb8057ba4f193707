"""A judge in place of the text CNN: a phase of its own, then rewards and, now and then, some more
steps on what the generator writes by then.

Its logit is the mean of its members' calibrated logits (of one judge its own). Each is calibrated
on held-out sentences and as many fresh samples at the end of the phase, and again after each
refreshing: a logit of nats, or one that is too sure, is no log-odds. Before, it is the logit of the
member that decides when training stops: the encoder, or else the ratio of language models, which
makes all of its steps, since it knows something only near the end of its schedule.

Shapes: M members, N or B sentences, T steps.
"""

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from gantext.metrics.two_classes import fit
from gantext.nn import ranks
from gantext.nn.optim import Metrics
from gantext.nn.state import NamedParts
from gantext.nn.text.held_out import Rules
from gantext.nn.text.judges.config import JudgeConfig, Kind
from gantext.nn.text.judges.lm_ratio import LogProb, backward_config
from gantext.nn.text.judges.looked import LeanHeldOut, Looked, Weights
from gantext.nn.text.judges.members import (
    CnnMember,
    Draw,
    EncoderMember,
    Member,
    RatioMember,
    TextFacts,
)
from gantext.nn.text.judges.pretrained import encoder_id
from gantext.nn.text.rollouts import PLACES
from gantext.nn.text.text_cnn import TextCNN

PHASE, FEW_PLACES = "judge", 4
LEAST_ROWS = 32  # that a step is given at least: the sentences that an encoder reads depend on it


class JudgeTrainer(NamedParts):
    """The judge that a config names, its phase, and its refreshing beside the generator.

    Args:
        config: of which kind, and its training; `auto` is settled.
        facts: of the text.
        sample: draws of the generator as it is.
        log_prob: of the generator as it is.
        discriminator: a member of `mean`.
        rng: draws first weights.

    Attributes:
        held_out: looks at it on held-out sentences.
        calibrations: (M, 2) slopes and biases, once it is `calibrated`.
        beside: adversarial steps so far.
    """

    counters = ("calibrated", "beside")

    def __init__(
        self,
        config: JudgeConfig,
        facts: TextFacts,
        sample: Draw,
        log_prob: LogProb,
        discriminator: TextCNN,
        rng: torch.Generator,
    ) -> None:
        self.config, self.facts, self.sample = config, facts, sample
        self.members: dict[str, Member] = {}
        for kind in config.members:
            if kind is Kind.cnn:
                self.members[kind.value] = CnnMember(discriminator)
            elif kind is Kind.lm_ratio:
                backward = backward_config(config.lm_ratio, config.steps)
                self.members[kind.value] = RatioMember(backward, facts, log_prob, rng)
            else:
                self.members[kind.value] = EncoderMember(config.encoder, facts, sample)
        self.leading = list(self.members.values())[-1]
        self.calibrations = torch.zeros(len(self.members), 2, dtype=torch.float64)
        self.calibrated, self.beside = False, 0
        # What is fitted by likelihood makes all of its steps, whatever looks say.
        fitted, reads = Kind.lm_ratio in config.members, Kind.encoder in config.members
        rules = Rules(config.look_every, 0 if fitted else config.patience, True, put_back=reads)
        looked = Looked(self.logits, self.weights), facts.held_out, sample, rules
        self.held_out = LeanHeldOut(*looked, "the judge")

    @property
    def memory(self) -> int:
        """Bytes that encoders among its members take, which are loaded later."""
        read = (one for one in self.members.values() if isinstance(one, EncoderMember))
        return sum(one.memory for one in read)

    # What it says

    def logits(self, tokens: Tensor) -> Tensor:
        """(N,) float64 on the CPU, of (N, T) tokens."""
        if not self.calibrated:
            return self.leading.logits(tokens)
        found = torch.stack([member.logits(tokens) for member in self.members.values()])  # (M, N)
        return (self.calibrations[:, :1] * found + self.calibrations[:, 1:]).mean(0)

    @torch.no_grad()
    def log_odds(self, tokens: Tensor) -> Tensor:
        """The logit of each of (N, T) sentences, (N,), without gradient; ranks share the work."""
        own = ranks.mine(tokens)
        with ranks.apart():
            found = self.logits(own) if len(own) else torch.zeros(0)
        return ranks.gathered(found.to(tokens.device, torch.float32), len(tokens))

    def score(self, tokens: Tensor) -> Tensor:
        """Probability of 'real' of (N, T) sentences, (N,), without gradient."""
        return self.log_odds(tokens).sigmoid()

    @property
    def places(self) -> int:
        """At how many words of the longest sentences `rollout_every: auto` rolls out: few where
        an encoder reads each completed sentence, which takes a millisecond or two."""
        return FEW_PLACES if Kind.encoder in self.config.members else PLACES

    def notes(self) -> list[str]:
        """What is said of it when training starts."""
        config = self.config
        read = f" ({encoder_id(config.encoder.folder)})" if Kind.encoder in config.members else ""
        names = " and ".join(kind.value for kind in config.members)
        said = f"rewards are by the judge {names}{read}, in a phase of its own"
        return [f"{said} (model.judge.kind={config.kind.value})"]

    # How it learns

    @property
    def tied(self) -> str:
        """Why its steps depend on how many there are."""
        return "the judge's best weights go on after the last of its steps"

    @property
    def rows(self) -> int:
        """Real sentences of a step of its phase."""
        config = self.config
        asked = {
            Kind.encoder: config.encoder.batch_size,
            Kind.lm_ratio: config.lm_ratio.batch_size,
        }
        return max(LEAST_ROWS, *(asked.get(kind, 0) for kind in config.members))

    @property
    def beside_rows(self) -> int:
        """Real sentences of an adversarial step, whether or not it is refreshed in it."""
        config = self.config
        refreshed = config.refresh_every and isinstance(self.leading, EncoderMember)
        return config.refresh_steps * config.encoder.batch_size if refreshed else 0

    def step(self, real: Tensor, rng: torch.Generator) -> Metrics:
        """One step of its phase, on real sentences (B, T), B at least `rows`."""
        found = dict(self.held_out.enter(PHASE))
        for member in self.members.values():
            found |= member.step(real, rng)
        last = self.held_out.steps + 1 >= self.config.steps
        found |= self.held_out.learned(last=last)
        if last or self.held_out.stopped:
            for member in self.members.values():
                member.rest()
            self.calibrate(rng)
        return found

    def refresh(self, real: Tensor, rng: torch.Generator) -> Metrics:
        """After an adversarial step: some steps of the encoder where they are due, each of which is
        on real sentences of its own among (B, T), then what each member's logit is worth by now."""
        self.beside += 1
        due = self.config.refresh_every and self.beside % self.config.refresh_every == 0
        if not due:
            return {}
        found: dict[str, Tensor | float] = {}
        if isinstance(self.leading, EncoderMember):
            for rows in torch.split(real, self.config.encoder.batch_size):
                found |= self.leading.step(rows, rng)
            self.leading.rest()
        self.calibrate(rng)
        return found

    def calibrate(self, rng: torch.Generator) -> None:
        """Fit each member's slope and bias to held-out sentences and as many fresh samples."""
        real = self.facts.held_out
        if real is None or not self.held_out.decides:
            return
        samples = self.sample(len(real), rng)
        for place, member in enumerate(self.members.values()):
            with ranks.apart():
                sides = [member.logits(tokens).numpy() for tokens in (real, samples)]
            fitted = fit(*sides)
            self.calibrations[place] = torch.tensor([fitted.slope, fitted.bias])
        self.calibrated = True

    # State

    def parts(self) -> Mapping[str, Any]:
        """Its members but the discriminator, which is the model's own."""
        return {name: member for name, member in self.members.items() if name != Kind.cnn.value}

    def state_dict(self) -> dict[str, Any]:
        """Its members', its calibrations and counters."""
        return {**super().state_dict(), "calibrations": self.calibrations}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Restore what `state_dict` gave."""
        super().load_state_dict(state)
        self.calibrations = state["calibrations"].cpu()

    def take(self, state: Mapping[str, Any] | None) -> list[str]:
        """Begin with what another run's judge has learned; what is to be said where that is none.

        Raises:
            KeyError: that is of another kind.
        """
        if state is None or not state["calibrated"]:
            return ["the judge starts untrained: it has made no step there"]
        for name, member in self.members.items():
            member.take(state[name] if name in self.parts() else {})
        self.calibrations, self.calibrated = state["calibrations"].cpu(), True
        return []

    def weights(self) -> Weights:
        """Those that looks decide about, and calibrations, by name; not copied. None before there
        is an encoder."""
        if not self.leading.weights():
            return {}
        found = {"calibrations": self.calibrations}
        for name, member in self.members.items():
            found |= {f"{name}/{key}": one for key, one in member.weights().items()}
        return found
