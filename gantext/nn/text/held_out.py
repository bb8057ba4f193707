"""What a discriminator is worth on sentences that it never saw, while it is trained.

Every so many of its steps it is looked at: at its logits of held-out real sentences and of as many
fresh samples of the generator. Its held-out loss is the cross-entropy of these logits, calibrated
by cross-fitting (metrics/two_classes.py), nats; ln 2 is knowing nothing.

Where looks decide (`balance: held_out`) the weights of the best look are kept. At each look they
and the present ones are measured on the same sentences and samples, since those of a generator
that learns are harder to tell from one look to the next.
- Where the discriminator alone is trained it stops when so many looks in a row were no better than
  the kept weights, if these know something, and they go on.
- Beside the generator the better ones go on from each look, and the policy gradient has no weight
  while their loss is not under ln 2 by two standard errors.

A look draws from a generator of its own, which the number of the look decides. So a run in which
looks decide nothing is the same bit for bit with them and without, and a resume is exact. What
optimisers keep of weights goes on when weights are put back. N held-out sentences, T steps.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

import torch
from torch import Tensor

from gantext.data.batches import of_like_length
from gantext.metrics.two_classes import KNOWING_NOTHING, LEAST, Calibration, Held, held_out
from gantext.nn import ranks
from gantext.nn.optim import Metrics
from gantext.nn.rng import generator

LOSS, AUC, SLOPE = "held_out_loss", "held_out_auc", "held_out_slope"
SHOWN = (LOSS, AUC)  # in the order in which the line of progress has them
POLICY_ON = "policy_on"  # 1 in a step whose policy gradient had a weight, else 0
ROWS = 256  # sentences of like length that are read together
SEED = 83

Draw = Callable[[int, torch.Generator], Tensor]


class Judging(Protocol):
    """What tells real sentences from samples: a discriminator, or another judge in training."""

    def logits(self, tokens: Tensor) -> Tensor:
        """Of being real, (B,), of sentences (B, T); the same whenever its weights are."""
        ...

    def state_dict(self) -> Mapping[str, Tensor]:
        """Its weights, by name."""
        ...

    def load_state_dict(self, state: Mapping[str, Any]) -> object:
        """Take weights that `state_dict` gave."""
        ...


class Waited(NamedTuple):
    """That a metric was the best after a step of a phase; with a limit: that it was under it."""

    metric: str
    best: float
    best_step: int
    limit: float | None = None


@dataclass(frozen=True)
class Rules:
    """When there are looks, and what they decide.

    Attributes:
        every: steps of the discriminator between two of them; 0: there are none.
        patience: looks in a row without a better one after which it stops; 0: it never does.
        decide: whether anything follows from them.
        put_back: whether better weights are kept and put back; without it they only stop.
    """

    every: int
    patience: int
    decide: bool
    put_back: bool = True


class HeldOut:
    """Looks at a judge on held-out sentences while it trains, and what follows from them.

    Args:
        judge: its weights are kept and put back.
        real: held-out sentences (N, T), where the judge is; None, or too few: there are no looks.
        draw: so many fresh samples of the generator, (n, T).
        rules: of looks.
        called: what the judge is called where something is said of it.
        pays: what the generator learns from it is called there.

    Attributes:
        phase: the name of the phase that it is in, in which the judge has made `steps`.
        looks: so far; `waited` is how many in a row were no better than the best of the phase.
        best_step: after which its weights were the best; `best` is their loss (nats) then.
        stopped: whether the judge learns no more in this phase.
        trusted: whether it may reward the generator.
        played, rewarded: adversarial steps so far, and those of them with a policy gradient.
    """

    counters = (
        *("phase", "steps", "looks", "waited", "best_step", "best"),
        *("stopped", "trusted", "played", "rewarded"),
    )

    def __init__(
        self,
        judge: Judging,
        real: Tensor | None,
        draw: Draw,
        rules: Rules,
        called: str = "the discriminator",
        pays: str = "the policy gradient",
    ) -> None:
        self.judge, self.draw, self.rules, self.called = judge, draw, rules, called
        self.pays = pays
        self.puts_back = rules.decide and rules.put_back
        self.real = real if real is not None and len(real) >= LEAST and rules.every else None
        self.phase, self.steps, self.looks, self.waited, self.best_step = "", 0, 0, 0, 0
        self.best: float | None = None
        self.stopped, self.trusted, self.played, self.rewarded = False, True, 0, 0
        # Whether or not there are sentences, so that a state is always of one form.
        self._kept = self._weights() if self.puts_back else {}
        self._of_kept: Held | None = None  # what they were worth at the last look
        self._news: list[str] = []

    @property
    def decides(self) -> bool:
        """Whether anything follows from looks."""
        return self.rules.decide and self.real is not None

    # What a model calls in its phases

    def enter(self, phase: str, beside: bool = False) -> Metrics:
        """Before each step of a phase: look where it begins, if looks decide.

        Args:
            phase: its name.
            beside: whether the judge rewards a generator in it.

        Returns:
            What was seen, for the metrics of the step.
        """
        if phase == self.phase:
            return {}
        self.phase, self.steps, self.waited, self.best_step = phase, 0, 0, 0
        self.best, self.stopped = None, False
        if not self.decides:
            return {}
        worth = self._look()
        if beside:
            self._trust(worth)
        return _seen(worth)

    def learned(self, steps: int = 1, last: bool = False) -> Metrics:
        """After steps of the judge in a phase that trains it for itself: look where that is due.

        Args:
            steps: that it has made.
            last: whether they are its last ones in the phase, after which the best weights go on.

        Returns:
            What was seen, of the weights that go on.
        """
        if not (self._is_due(steps) or (last and self.decides)):
            return {}
        worth = self._look()
        if not self.decides:
            return _seen(worth)
        # One that knows nothing yet has nothing to keep: it may learn late.
        knew = self._of_kept is None or self._of_kept.knows
        self.stopped = knew and 0 < self.rules.patience <= self.waited and not last
        if self.stopped:
            self._news.append(
                f"{self.called} stops after {self.steps:,} of its steps in {self.phase}: its "
                f"held-out loss was the lowest after {self.best_step:,}, {self.best:.3f}"
            )
        return _seen(self._better(worth) if self.stopped or last else worth)

    def beside(self, steps: int, rewarded: bool) -> Metrics:
        """After an adversarial step: look where that is due; the better weights go on.

        Args:
            steps: that the judge has made in it; one that makes none is looked at as if it did.
            rewarded: whether the generator's step had a policy gradient.

        Returns:
            What was seen, of the weights that go on, and `POLICY_ON` where looks decide.
        """
        self.played, self.rewarded = self.played + 1, self.rewarded + rewarded
        found: dict[str, Tensor | float] = {POLICY_ON: float(rewarded)} if self.decides else {}
        if self._is_due(max(1, steps)):
            worth = self._look()
            if self.decides:
                worth = self._better(worth)
                self._trust(worth)
            found.update(_seen(worth))
        return found

    # What the training loop asks

    def notes(self) -> Sequence[str]:
        """What is to be said when training starts."""
        if not self.rules.decide or self.real is not None:
            return []
        return [
            "no sentences are held out to look at the discriminator on: model.d_training.balance="
            "held_out does what fixed does (data.validation or data.validation_size holds some out)"
        ]

    def news(self) -> Sequence[str]:
        """What was decided since this was asked last, a line for each thing."""
        said, self._news = self._news, []
        return said

    def waited_in_vain(self) -> Waited | None:
        """By what the judge has stopped in this phase; None while it learns."""
        if not self.stopped or self.best is None:
            return None
        return Waited(LOSS, self.best, self.best_step)

    @property
    def share(self) -> float | None:
        """The share of adversarial steps that had a policy gradient; None before there was one."""
        return self.rewarded / self.played if self.played else None

    # Looks

    def _is_due(self, steps: int) -> bool:
        """Count steps of the judge: whether there is a look after them."""
        before, self.steps = self.steps, self.steps + steps
        return self.real is not None and self.steps // self.rules.every > before // self.rules.every

    def _look(self) -> Held:
        """What the present weights are worth; where looks decide they are held against the kept."""
        assert self.real is not None
        rng = generator(SEED, f"held-out/{self.looks}", self.real.device)
        self.looks += 1
        samples = self.draw(len(self.real), rng)
        worth = self._worth(samples)
        if self.decides:
            self._of_kept = self._worth_of_kept(samples)
            before = self.best if self._of_kept is None else self._of_kept.loss
            if self.best is None or before is None or worth.loss < before:
                self._keep(worth)
            else:
                self.waited += 1
        return worth

    def _keep(self, worth: Held) -> None:
        self.best, self.best_step, self.waited = worth.loss, self.steps, 0
        if self.puts_back:
            self._kept = self._weights()

    def _worth_of_kept(self, samples: Tensor) -> Held | None:
        """What the kept weights are worth by the same samples; None where there are none yet."""
        if not self.puts_back or self.best is None:
            return None
        present = self._weights()
        self.judge.load_state_dict(self._kept)
        worth = self._worth(samples)
        self.judge.load_state_dict(present)
        return worth

    def _better(self, worth: Held) -> Held:
        """Put the kept weights back where the last look found them better; what goes on is worth
        what is returned."""
        if not self.waited or self._of_kept is None:
            return worth
        self.waited = 0
        self.judge.load_state_dict(self._kept)
        return self._of_kept

    def _trust(self, worth: Held) -> None:
        """Decide whether the judge may reward, and say so where that is new."""
        if worth.knows == self.trusted:
            return
        self.trusted = worth.knows
        turned = "on again" if self.trusted else "off"
        under = "under" if self.trusted else "not under"
        self._news.append(
            f"{self.pays} is {turned}: {self.called}'s {worth.words}, {under} ln 2 = "
            f"{KNOWING_NOTHING:.3f} by two standard errors"
        )

    @torch.no_grad()
    def _worth(self, samples: Tensor) -> Held:
        """What the judge's logits are worth; all ranks have what the first makes of them."""
        assert self.real is not None
        real, drawn = self._logits(self.real), self._logits(samples)
        numbers = torch.zeros(5, dtype=torch.float64)
        for _ in ranks.turns(range(1)):  # others might round otherwise, and decide otherwise
            own = held_out(real.numpy(), drawn.numpy())
            fit = own.calibration
            told = [own.loss, own.error, own.auc, fit.slope, fit.bias]
            numbers = torch.tensor(told, dtype=torch.float64)
        loss, error, auc, slope, bias = ranks.total(numbers).tolist()
        return Held(loss, error, auc, Calibration(slope, bias), len(real), len(drawn))

    def _logits(self, tokens: Tensor) -> Tensor:
        """(N,) float64 on the CPU, of (N, T); ranks take turns."""
        found = torch.zeros(len(tokens), dtype=torch.float64)
        for places, rows in ranks.turns(of_like_length(tokens, ROWS)):
            with ranks.apart():
                found[places] = self.judge.logits(rows).double().cpu()
        return ranks.total(found)

    # State

    def _weights(self) -> dict[str, Tensor]:
        return {name: each.detach().clone() for name, each in self.judge.state_dict().items()}

    def state_dict(self) -> dict[str, Any]:
        """Counters, decisions, and the kept weights."""
        return {name: getattr(self, name) for name in self.counters} | {"kept": self._kept}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Restore what `state_dict` gave."""
        for name in self.counters:
            setattr(self, name, state[name])
        device = next((each.device for each in self._kept.values()), None)
        self._kept = {name: each.to(device) for name, each in state["kept"].items()}


def _seen(worth: Held) -> Metrics:
    """A look as metrics."""
    return {LOSS: worth.loss, AUC: worth.auc, SLOPE: worth.calibration.slope}
