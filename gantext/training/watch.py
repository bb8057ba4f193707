"""Signs of a collapsed or broken run, said aloud once each."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

from gantext.plots.curves import D_ACCURACY

UNIQUE_FLOOR = 0.5
D_STUCK = 0.99
D_PATIENCE = 20
KL_FLOOR = 0.1  # nats per sentence


class Watch:
    """Looks at each reported row of metrics; `warnings` holds what was found so far."""

    def __init__(self) -> None:
        self.warnings: list[str] = []
        self._stuck = 0

    def look(self, step: int, metrics: Mapping[str, float]) -> list[str]:
        """New warnings at a step: NaN, few unique samples, a collapsed posterior, or D's accuracy
        stuck at 1.
        """
        found: list[str] = []
        broken = [key for key, value in metrics.items() if not math.isfinite(value)]
        if broken:
            found.append(f"not a number: {', '.join(sorted(broken))}")
        if metrics.get("unique", 1.0) < UNIQUE_FLOOR:
            found.append(f"the samples collapse: under {UNIQUE_FLOOR:.0%} of them are unique")
        if metrics.get("kl_valid", math.inf) < KL_FLOOR or metrics.get("active_units", 1) == 0:
            found.append(
                f"the posterior collapses: KL {metrics['kl_valid']:.3f} nats per sentence, "
                f"{metrics['active_units']:.0f} active units"
            )
        accuracies = [metrics[key] for key in D_ACCURACY.keys(metrics)]
        accuracy = min(accuracies, default=0.0)
        if accuracies:
            self._stuck = self._stuck + 1 if accuracy >= D_STUCK else 0
        if self._stuck == D_PATIENCE:
            found.append(f"the discriminator is too strong: accuracy at {D_STUCK} or above")
        return self.warn(step, found)

    def warn(self, step: int, found: Sequence[str]) -> list[str]:
        """Those of some warnings at a step whose kind was not warned of before."""
        kinds = {warning.partition(": ")[2].partition(":")[0] for warning in self.warnings}
        new = [f"step {step}: {text}" for text in found if text.partition(":")[0] not in kinds]
        self.warnings += new
        return new

    def state_dict(self) -> dict[str, Any]:
        """What a resume needs."""
        return {"warnings": self.warnings, "stuck": self._stuck}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Restore what `state_dict` gave."""
        self.warnings, self._stuck = list(state["warnings"]), state["stuck"]
