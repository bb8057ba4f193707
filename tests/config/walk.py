"""Every key of a config with values that nobody means: what has to be refused, or to train.

A `Place` is a group of keys in the settings of a run, whose values are checked together. `walk`
changes one key of one group at a time, and `fault` says what is wrong with what came of it: it has
to be a refusal in one line that names the key, or a model that takes a finite step of each phase.
"""

import dataclasses
import math
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, get_type_hints

from gantext.config import schema
from gantext.config.settings import Settings
from gantext.errors import UserError

VALUES = (-1, 0, 10**9, math.nan, math.inf, 1e308, 2**63, "", None)
MEANT = 0.1  # the largest learning rate with which any step has to be finite
SECONDS = 8.0  # of a processor, for what takes a tenth of one: nothing may hang


@dataclass(frozen=True)
class Place:
    """A group of keys: its dotted name, its dataclass, and the plain values of its keys."""

    prefix: str
    config: type
    values: dict[str, Any]

    def key(self, name: str) -> str:
        """The dotted name of one of its keys."""
        return schema.join(self.prefix, name)


@dataclass(frozen=True)
class Case:
    """One key of a place, and the value that it gets."""

    place: Place
    name: str
    value: Any

    @property
    def key(self) -> str:
        """Its dotted name."""
        return self.place.key(self.name)

    @property
    def may_diverge(self) -> bool:
        """Whether its value is a rate that nobody means, but that is taken.

        Its first update is finite. Some steps have a second one, which begins with weights as large
        as the rate: training then ends as diverged.
        """
        is_rate = self.name.endswith("learning_rate") and isinstance(self.value, int | float)
        return is_rate and self.value > MEANT

    def settings(self, base: Settings) -> Settings:
        """The settings with this value. Raises UserError as composing them does."""
        values = {**self.place.values, self.name: self.value}
        group = schema.merged(self.place.config, values, self.place.prefix)
        if not self.place.prefix:
            return dataclasses.replace(group, model=base.model, data=base.data)
        found: Settings = with_group(base, self.place.prefix.split("."), group)
        return schema.known(found)


def with_group(tree: Any, path: list[str], group: Any) -> Any:
    """A tree of dataclasses with another group at a path."""
    if not path:
        return group
    part = with_group(getattr(tree, path[0]), path[1:], group)
    return dataclasses.replace(tree, **{path[0]: part})


def places(settings: Settings) -> Iterator[Place]:
    """All groups of keys of the settings."""
    plain = schema.plain(settings)
    yield Place("", Settings, {**plain, "model": None, "data": None})
    for group in ("checkpoint", "log", "eval", "model", "data"):
        yield from within(group, type(getattr(settings, group)), plain[group])


def within(prefix: str, config: type, values: dict[str, Any]) -> Iterator[Place]:
    """A group and all in it."""
    yield Place(prefix, config, values)
    for name, kind in get_type_hints(config).items():
        if dataclasses.is_dataclass(kind):
            assert isinstance(kind, type)
            yield from within(schema.join(prefix, name), kind, values[name])


def walk(place: Place) -> Iterator[Case]:
    """Each value for each key of a group, of a list also as its only and as its first element."""
    for name, now in place.values.items():
        if isinstance(now, dict) or (not place.prefix and name in ("model", "data")):
            continue
        for value in VALUES:
            yield Case(place, name, value)
            if isinstance(now, list):
                yield Case(place, name, [value])
                yield Case(place, name, [value, *now[1:]])


def fault(case: Case, base: Settings, train: Callable[[Settings], str | None]) -> str | None:
    """What is wrong with how a case ends; None for what is right.

    Args:
        case: a key and its value.
        base: the settings that it changes.
        train: builds a model of settings and takes a step of each phase; what is not finite then.
    """
    began = time.process_time()
    try:
        broken = train(case.settings(base))
        found = None if case.may_diverge else broken
    except UserError as error:
        found = None if names(str(error), case) else f"refused by: {error}"
    except Exception as error:
        found = f"{type(error).__name__}: {error}"
    took = time.process_time() - began
    slow = f"{took:.1f} s" if took > SECONDS else None
    what = found or slow
    return f"{case.key}={case.value!r}: {what}" if what else None


def names(said: str, case: Case) -> bool:
    """Whether a refusal is one line that names the key of a case, or its group and it.

    The name of a file, of a run or of a group itself may stand for its key: unknown model 'x'.
    """
    group = case.place.prefix in said and case.name in said
    text = isinstance(case.place.values[case.name], str | None) and str(case.value) in said
    return (case.key in said or group or text) and "\n" not in said
