"""The words of a search: what is the same in all its trials, and what each of them draws.

`n=50` says how many trials there are and `tune=NAME` stands for the words of a ready search,
conf/tune/NAME.yaml. The grammar of what is drawn is Hydra's: interval(a,b), tag(log,interval(a,b)),
int(interval(a,b)), range(a,b), choice(a,b) and a,b.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gantext.config import groups
from gantext.config.words import check, key_of
from gantext.errors import UserError, nearest
from gantext.records.content import Damaged
from gantext.records.yaml_file import read_yaml

GROUP = "tune"
MOST = 100_000  # trials of a search


@dataclass(frozen=True)
class Numbers:
    """A key whose values are numbers from `low` to `high`, both among them.

    Attributes:
        step: between two neighbours; None: any number.
        log: as many are drawn from 0.001 to 0.01 as from 0.01 to 0.1.
        whole: they have no fraction.
    """

    low: float
    high: float
    step: float | None = None
    log: bool = False
    whole: bool = False

    def has(self, value: object) -> bool:
        """Whether a value may have been drawn of it."""
        return isinstance(value, int | float) and self.low <= value <= self.high

    @property
    def ends(self) -> tuple[float, ...]:
        """Its outermost values."""
        return (self.low, self.high)


@dataclass(frozen=True)
class Choice:
    """A key whose values are some, as an override has them."""

    values: tuple[str, ...]

    def has(self, value: object) -> bool:
        """Whether a value is one of them."""
        return value in self.values

    @property
    def ends(self) -> tuple[str, ...]:
        """All of them."""
        return self.values


Dimension = Numbers | Choice


@dataclass(frozen=True)
class Search:
    """What the words of a search come to.

    Attributes:
        trials: how many are to be made.
        words: all others, those of `tune=NAME` in its place.
        fixed: those that all trials share.
        space: what each trial draws, by key.
    """

    trials: int
    words: tuple[str, ...]
    fixed: tuple[str, ...]
    space: dict[str, Dimension]

    def words_of(self, drawn: dict[str, Any]) -> list[str]:
        """The words of the trial that has drawn these values."""
        return [*self.fixed, *(f"{key}={value}" for key, value in drawn.items())]

    def corners(self) -> Iterator[list[str]]:
        """The words of trials that have, of each key in turn, every outermost value."""
        first = {key: dimension.ends[0] for key, dimension in self.space.items()}
        for key, dimension in self.space.items():
            for value in dimension.ends:
                yield self.words_of({**first, key: value})


def search_of(words: Sequence[str], config_dir: Path | None = None) -> Search:
    """Take the words of `gantext tune` apart.

    Raises:
        UserError: one cannot be read, nothing is drawn, or it is not said how many trials.
    """
    from gantext.config.compose import parsed

    check(words)
    ready = [own for word in words for own in _unfolded(word, config_dir)]
    counts = [word for word in ready if key_of(word) == "n"]
    ready = [word for word in ready if word not in counts]
    for word in ready:
        if key_of(word).startswith(("hydra.", "hydra/")):
            raise UserError(f"{word}: gantext tune runs its trials without Hydra's plugins")
        if key_of(word) == "name":
            raise UserError(f"{word}: the name of a study is the first word of gantext tune")
    fixed: list[str] = []
    space: dict[str, Dimension] = {}
    for word, override in zip(ready, parsed(ready, config_dir), strict=True):
        if override.is_sweep_override():
            space[word.partition("=")[0]] = _dimension(word, override)
        else:
            fixed.append(word)
    if not space:
        raise UserError("nothing is searched: give a key an interval, e.g. seed=choice(1,2)")
    return Search(_trials(counts), tuple(ready), tuple(fixed), space)


def _unfolded(word: str, config_dir: Path | None) -> list[str]:
    """The words that a ready search stands for; any other word as it is."""
    key, _, name = word.partition("=")
    if key != GROUP:
        return [word]
    names = groups.names(GROUP, config_dir)
    if name not in names:
        hint = nearest(name, names) or f" (there are: {', '.join(names)})"
        raise UserError(f"{word}: no such {GROUP}{hint}")
    folders = [folder / GROUP for folder in groups.folders(config_dir)]
    path = next(path for folder in folders if (path := folder / f"{name}.yaml").is_file())
    found = read_yaml(path).get("words")
    if not isinstance(found, list) or not all(isinstance(own, str) for own in found):
        raise Damaged(path, "words: a list of overrides is expected")
    check(found)
    return found


def _trials(counts: Sequence[str]) -> int:
    """The number of 'n=50'. Raises UserError."""
    if not counts:
        raise UserError("how many trials? say so by n=50")
    number = counts[-1].partition("=")[2]
    if not number.isdecimal() or not 1 <= float(number) <= MOST:
        raise UserError(f"{counts[-1]}: n is a number of trials, from 1 to {MOST:,}")
    return int(number)


def _dimension(word: str, override: Any) -> Dimension:
    """What Hydra's grammar has read as a search. Raises UserError for what has no values."""
    if override.is_interval_sweep():
        return _interval(word, override.value())
    values = list(override.sweep_string_iterator())
    if override.is_range_sweep() and not override.value().shuffle and len(values) > 1:
        whole = all(isinstance(value, int) for value in override.sweep_iterator())
        numbers = sorted(map(int if whole else float, values))
        return Numbers(numbers[0], numbers[-1], numbers[1] - numbers[0], whole=whole)
    if not values:
        raise UserError(f"{word}: there is no value in it")
    return Choice(tuple(dict.fromkeys(values)))


def _interval(word: str, interval: Any) -> Numbers:
    low, high, log = interval.start, interval.end, "log" in interval.tags
    if not (math.isfinite(low) and math.isfinite(high) and low < high):
        raise UserError(f"{word}: an interval goes from a number to a greater one")
    if log and low <= 0:
        raise UserError(f"{word}: an interval with log begins above 0")
    whole = isinstance(low, int) and isinstance(high, int)
    return Numbers(low, high, 1 if whole else None, log, whole)
