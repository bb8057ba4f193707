"""The numbers of a `Config`: a type for each sort, which says within what bounds it lies.

A field of one of these types is checked wherever a config is made of a user's values. Bounds are
wide: they keep out what cannot be meant or cannot be computed, not what is unwise.
"""

import dataclasses
import functools
import math
from dataclasses import dataclass
from typing import Annotated, Any, get_args, get_origin, get_type_hints

from gantext.errors import UserError


@dataclass(frozen=True)
class Range:
    """The bounds of a number, which always has to be finite.

    Attributes:
        low: the least.
        high: the most.
        open_low: `low` itself is refused.
        open_high: `high` itself is refused.
        or_zero: 0 is taken as well, since it switches something.
        shared: several processes that train together share so many rows.
    """

    low: float
    high: float
    open_low: bool = False
    open_high: bool = False
    or_zero: bool = False
    shared: bool = False

    @property
    def words(self) -> str:
        """The bounds as one says them: "1 to 64", "above 0, to 1", "0 or 0.001 to 1,000"."""
        low = f"above {_written(self.low)}," if self.open_low else _written(self.low)
        high = f"under {_written(self.high)}" if self.open_high else _written(self.high)
        return f"{'0 or ' * self.or_zero}{low} to {high}"

    def fault(self, number: float) -> str | None:
        """What a number must be that it is not; None for one that fits."""
        if self.or_zero and number == 0:
            return None
        if isinstance(number, float) and not math.isfinite(number):
            return "it must be finite"
        least = f"{'above' if self.open_low else 'at least'} {_written(self.low)}"
        most = f"{'under' if self.open_high else 'at most'} {_written(self.high)}"
        too_low = number < self.low or (self.open_low and number == self.low)
        too_high = number > self.high or (self.open_high and number == self.high)
        if not (too_low or too_high):
            return None
        # Of a share both bounds say what it is; elsewhere the other one is beside the point.
        said = f"{least} and {most}" if self.high <= 1 else least if too_low else most
        return f"it must be {'0 or ' * self.or_zero}{said}"


def _written(bound: float) -> str:
    """A bound as one writes it: 1,000,000, 0.001 or 1e+30."""
    return f"{bound:,}" if isinstance(bound, int) else f"{bound:g}"


MANY = 10**9  # more steps, words or rows than anybody has

# How many there are of something that costs nothing by itself, and how often something is done.
Count = Annotated[int, Range(1, MANY)]
CountOrNone = Annotated[int, Range(0, MANY)]
# A count, or a word (auto) for one that is worked out; OmegaConf has no types of single words.
CountOrWord = Count | str
CountOrNoneOrWord = CountOrNone | str
# Updates of a network, and epochs; 0 leaves a phase out.
Steps = Annotated[int, Range(0, MANY)]
# Every so many steps, with a weight that is so many times as heavy.
Interval = Annotated[int, Range(1, 10**6)]
# Updates within one step: all their rows are drawn at once.
Updates = Annotated[int, Range(1, 10**4)]
UpdatesOrNone = Annotated[int, Range(0, 10**4)]
# Samples of each row of a batch, which lie in memory together.
Draws = Annotated[int, Range(1, 10**4)]
# Rows that one step is given.
BatchSize = Annotated[int, Range(1, 10**6, shared=True)]
# Sentences or pictures that are made or drawn anew and kept in memory.
Rows = Annotated[int, Range(1, 10**7)]
RowsOrNone = Annotated[int, Range(0, 10**7)]
# Sentences of which each is compared with all others.
Compared = Annotated[int, Range(1, 10**4)]
References = Annotated[int, Range(1, 10**4, shared=True)]  # the others of a batch are shared
ComparedOrNone = Annotated[int, Range(0, 10**4)]
# Different words that are made up.
VocabularySize = Annotated[int, Range(1, 10**6)]
# A width of a network: two layers of the largest have a gigabyte of weights between them.
Size = Annotated[int, Range(1, 16_384)]
# So many times as large as another network.
Times = Annotated[int, Range(1, 64)]
# Layers on top of each other: torch takes many more, training does not.
Layers = Annotated[int, Range(1, 64)]
# Heads of an attention: each has a share of a layer's width.
Heads = Annotated[int, Range(1, 1024)]
# Words side by side that are looked at together: a network's weights or its work grow with them.
Words = Annotated[int, Range(1, 1000)]
# Pixels each way by which a picture is moved: it is padded by so many.
Pixels = Annotated[int, Range(0, 256)]
# What is read of a file.
Bytes = Annotated[int, Range(1, 2**50)]
# Pixels of a picture's side.
Side = Annotated[int, Range(1, 1024)]
Threads = Annotated[int, Range(0, 1024)]
# torch and numpy take no larger one.
Seed = Annotated[int, Range(0, 2**63 - 1)]
Seconds = Annotated[float, Range(0, 1e9)]

Probability = Annotated[float, Range(0, 1)]
# A share that is divided by.
Ramp = Annotated[float, Range(0, 1, open_low=True)]
# What is left is scaled up by 1 / (1 - p).
Dropout = Annotated[float, Range(0, 1, open_high=True)]
# The share of a running mean that stays at each step: with 1 it would never move.
Momentum = Annotated[float, Range(0, 1, open_high=True)]
# Above it single precision overflows at the first step; below it training may end as diverged.
LearningRate = Annotated[float, Range(0, 1e30)]
# A bound of a gradient's norm; 0: none.
Clip = Annotated[float, Range(0, 1e30)]
# Each step takes the rate times this from a weight: more than all of it at common rates.
WeightDecay = Annotated[float, Range(0, 100)]
# The weight of a term of a loss, or another factor; its square is still far from overflow.
Weight = Annotated[float, Range(0, 1e6)]
# The same, or a word for one that is worked out; beside words OmegaConf makes no number of an int.
WeightOrWord = Weight | Annotated[int, Range(0, 10**6)] | str
# By how much more than before a score or a metric, whatever its unit, is to improve.
Margin = Annotated[float, Range(0, 1e6)]
# Between minus and plus which log-odds are kept; 0: probabilities are taken in their place.
LogOddsBound = Annotated[float, Range(1e-3, 100, or_zero=True)]
# Nats of a whole sentence or picture.
Nats = Annotated[float, Range(0, 1e6)]
# Logits are divided by it: beyond these bounds words are certain, or all alike, to the last bit.
Temperature = Annotated[float, Range(1e-3, 1000)]
# The same where 0 is greedy.
GreedyTemperature = Annotated[float, Range(1e-3, 1000, or_zero=True)]
# Where a sigmoid begins: beyond these bounds it is 0 or 1 in single precision.
Bias = Annotated[float, Range(-100, 100)]
# Scores are multiplied by it: beyond it words are certain to the last bit, and have no gradient.
InverseTemperature = Annotated[float, Range(1e-3, 1e4)]
# The deviation of noise on pixels, which lie in [-1, 1].
Deviation = Annotated[float, Range(0, 100)]
# What keeps a division from one by 0, in single precision.
Epsilon = Annotated[float, Range(1e-12, 1)]

# Of a plugin's numbers that say no more than int or float.
UNSAID: dict[Any, Range] = {int: Range(0, 2**53), float: Range(0, 1e30)}


def range_of(kind: Any) -> Range | None:
    """The range that a type says, also of the numbers in a list or tuple; None without one."""
    if get_origin(kind) is Annotated:
        return next((one for one in get_args(kind)[1:] if isinstance(one, Range)), None)
    return next(filter(None, map(range_of, get_args(kind))), None)


@functools.cache
def ranges(config: type) -> dict[str, Range]:
    """The range of each number of a dataclass, by the name of its field."""
    found = {}
    for name, kind in get_type_hints(config, include_extras=True).items():
        plain = (UNSAID[one] for one in (kind, *get_args(kind)) if one in UNSAID)
        found[name] = range_of(kind) or next(plain, None)
    return {name: one for name, one in found.items() if one is not None}


def check(config: Any, prefix: str = "") -> None:
    """Refuse a number of a dataclass that is out of its range; groups in it are not looked into.

    Raises:
        UserError: naming the field behind the prefix, as `model.mle`.
    """
    of = ranges(config.__class__)
    for field in dataclasses.fields(config):
        value = getattr(config, field.name)
        for number in value if isinstance(value, (list, tuple)) else [value]:
            if field.name in of and isinstance(number, (int, float)):
                fault = of[field.name].fault(number)
                if fault is not None:
                    key = f"{prefix}.{field.name}" if prefix else field.name
                    raise UserError(f"{key}={number}: {fault}")
