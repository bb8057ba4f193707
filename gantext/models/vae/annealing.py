"""The weight of the KL term over training."""

import enum
import math
from dataclasses import dataclass

from gantext.data.ranges import Count, Ramp, Steps, Weight


class Schedule(enum.Enum):
    """How the weight rises."""

    none = "none"
    linear = "linear"
    logistic = "logistic"
    cyclical = "cyclical"


@dataclass(frozen=True)
class AnnealConfig:
    """The weight of the KL term (explained in conf/model/vae.yaml)."""

    schedule: Schedule
    steps: Steps
    rate: Weight
    midpoint: Steps
    cycles: Count
    ramp: Ramp

    @property
    def tied(self) -> str:
        """Why the weight depends on how many steps there are; "" where it does not."""
        cyclical = self.schedule is Schedule.cyclical
        return "the KL weight's cycles are shares of all of its steps" if cyclical else ""


def beta_at(step: int, config: AnnealConfig, total: int) -> float:
    """The weight in [0, 1] of the KL term at a step (from 0) of `total` ones.

    linear: 0 at step 0, 1 from `steps` on. logistic: 1 / (1 + exp(-rate (step - midpoint)))
    (Bowman et al. 2016, figure 2). cyclical: `cycles` times a linear ramp over the share `ramp` of
    the cycle, then 1 to its end (Fu et al. 2019). none: always 1.
    """
    if config.schedule is Schedule.linear:
        return min(1.0, step / max(1, config.steps))
    if config.schedule is Schedule.logistic:
        return 0.5 * (1 + math.tanh(0.5 * config.rate * (step - config.midpoint)))
    if config.schedule is Schedule.cyclical:
        length = math.ceil(total / config.cycles)
        return min(1.0, (step % length) / length / config.ramp)
    return 1.0
