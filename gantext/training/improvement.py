"""Whether a run still improves: its best state, and when a phase waits for a better one in vain.

Each goes by one metric: nll_valid (nats per token), which looks at the samples give, or a score of
the table of measures. A value that is not finite improves nothing.
"""

import math
from collections.abc import Mapping, Sequence
from typing import Any

from gantext.config.settings import Settings
from gantext.errors import UserError, nearest
from gantext.evaluation import measures
from gantext.models.contract import Phase
from gantext.runs.checkpoint import State
from gantext.runs.kinds import PICTURES, TEXT, Kind, model_kind
from gantext.runs.shapes import Best, EarlyEnd, Waiting

VALIDATION = "nll_valid"
# The metrics of looks by which a state may be better than another, all the better the lower.
LOOKED_AT: dict[Kind[Any, Any], tuple[str, ...]] = {TEXT: (VALIDATION,), PICTURES: ()}


def asked(settings: Settings) -> dict[str, str]:
    """The metrics that a run is judged by: key of the settings -> its value."""
    best, early = settings.checkpoint.best, settings.early_stop
    found = {} if best is None else {"checkpoint.best": best}
    return found | ({"early_stop.metric": early.metric} if early.patience else {})


def scores_asked(settings: Settings) -> list[str]:
    """Those of them that are scores, each once."""
    return [name for name in dict.fromkeys(asked(settings).values()) if name != VALIDATION]


def check(settings: Settings) -> None:
    """Refuse metrics that the model has not, or never in time, before anything is read.

    Raises:
        UserError: naming the key.
    """
    kind = model_kind(settings.model.name)
    names = [*LOOKED_AT[kind], *measures.judging(kind)]
    for key, name in asked(settings).items():
        if name not in names:
            hint = nearest(name, names) or f" (there are: {', '.join(names)})"
            made = f"model={settings.model.name}, which {kind.does}"
            raise UserError(f"{key}={name}: nothing that judges {made}{hint}")
        if name == VALIDATION and 0 in (settings.log.every_steps, settings.log.sample_every_steps):
            raise UserError(f"{key}={name}: it needs log.every_steps and log.sample_every_steps")
    early = settings.early_stop
    if early.patience and early.metric != VALIDATION and not settings.eval.every_steps:
        raise UserError(f"early_stop.metric={early.metric}: set eval.every_steps, which is 0")


def check_with(data: Any, phases: Sequence[Phase], settings: Settings) -> None:
    """Refuse a metric that the data does not give, and phases that cannot end early.

    Args:
        data: that the model is trained on.
        phases: all that the model has.
        settings: of the run.

    Raises:
        UserError: naming the key.
    """
    for key, name in asked(settings).items():
        if name == VALIDATION and not len(data.validation):
            raise UserError(f"{key}={name}: data={settings.data.name} has no validation sentences")
    scored = [phase.name for phase in phases if phase.scored]
    for name in settings.early_stop.phases:
        if name not in scored:
            hint = nearest(name, scored) or f" (there are: {', '.join(scored)})"
            raise UserError(f"early_stop.phases={name}: no phase that is scored{hint}")


def is_better(metric: str, value: float, than: float | None, by: float = 0.0) -> bool:
    """Whether a value of a metric is better than another by more than a margin.

    Args:
        metric: nll_valid or a score.
        value: of it.
        than: the other; None: any finite value is better.
        by: the margin, in the metric's unit.
    """
    if not math.isfinite(value):
        return False
    falls = metric == VALIDATION or measures.falls(metric)
    return than is None or (than - value if falls else value - than) > by


class Improvement:
    """Remembers a run's best state, and how long its phase has waited for a better one.

    Attributes:
        best: the best state so far; None before there is one, or where none is kept.
    """

    def __init__(self, settings: Settings) -> None:
        self.metric, self.early = settings.checkpoint.best, settings.early_stop
        self.best: Best | None = None
        self._waiting = Waiting(phase="", best=None, step=0, looks=0)

    def is_best(self, phase: Phase, step: int, total: int, values: Mapping[str, float]) -> bool:
        """Whether a state is the best so far, by these metrics of it; then it is remembered."""
        value = None if self.metric is None else values.get(self.metric)
        if self.metric is None or value is None or not phase.scored:
            return False
        better = is_better(self.metric, value, self.best and self.best["value"])
        if better:
            self.best = Best(
                metric=self.metric, value=value, phase=phase.name, step=step, total=total
            )
        return better

    def ends(self, phase: Phase, step: int, values: Mapping[str, float]) -> EarlyEnd | None:
        """Where the best value was when a phase has waited in vain; None while it goes on."""
        value = values.get(self.early.metric)
        if value is None or not self._may_end(phase):
            return None
        waiting = self._waiting
        before = waiting["best"] if waiting["phase"] == phase.name else None
        if before is None or is_better(self.early.metric, value, before, self.early.min_delta):
            finite = value if math.isfinite(value) else None
            waiting = Waiting(phase=phase.name, best=finite, step=step, looks=0)
        else:
            waiting = Waiting(**{**waiting, "looks": waiting["looks"] + 1})
        self._waiting = waiting
        if waiting["best"] is None or waiting["looks"] < self.early.patience:
            return None
        return EarlyEnd(
            step=step,
            metric=self.early.metric,
            best=waiting["best"],
            best_step=waiting["step"],
        )

    def _may_end(self, phase: Phase) -> bool:
        if not self.early.patience:
            return False
        if self.early.phases:
            return phase.name in self.early.phases
        return phase.scored and not phase.adversarial

    def state_dict(self) -> dict[str, Any]:
        """What a resume needs."""
        return {"best": self.best, "waiting": self._waiting}

    def load_state_dict(self, state: State) -> None:
        """Restore what `state_dict` gave."""
        self.best, self._waiting = state["best"], state["waiting"]
