"""Values drawn at random for all keys of all models: refused with the key's name, or trained on.

The fixed values that tests/config/test_walk.py tries are not the only ones that nobody means.
"""

import math
import random
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import torch

from gantext import data, models
from gantext.config.compose import compose
from gantext.config.settings import Settings
from gantext.data import ranges
from tests.config.test_walk import CAP, OTHERS, broken, prepared
from tests.config.walk import Case, Place, fault, places
from tests.fuzz.kind import FOUND, Kind, at_length, short
from tests.fuzz.mutation import ODD
from tests.models.test_contract import made, overrides

SHORT = 5
SMALL = 64  # a count or a size above it is accepted or refused, but not trained with


# Composing has put something in the place of what stands for it.
PLAIN = [odd for odd in ODD if "${" not in str(odd)]


def value(rng: random.Random, now: Any, bounds: ranges.Range | None) -> Any:
    """A value for a key: odd, of another kind, or a number near its bounds and between them."""
    kind = rng.random()
    if isinstance(now, list) and kind < 0.6:
        return [value(rng, None, bounds) for _ in range(rng.randint(0, len(now) + 1))]
    if bounds is None or kind < 0.3:
        return rng.choice(PLAIN)
    if kind < 0.6:
        bound = rng.choice((bounds.low, bounds.high))
        return rng.choice((bound, bound - 1, bound + 1, -bound, bound * 2, _next(rng, bound)))
    if kind < 0.8:
        return rng.randint(0, 9)
    return rng.choice((1, -1)) * 10.0 ** rng.uniform(-45, 45)


def _next(rng: random.Random, bound: float) -> float:
    return math.nextafter(bound, rng.choice((-math.inf, math.inf)))


def case(rng: random.Random, base: Settings) -> Case:
    """One key of the settings and its value; of models of pictures a key of the model."""
    text = models.reads(base.model.name).sentences
    groups = (one for one in places(base) if text or one.prefix.partition(".")[0] == "model")
    place = rng.choice([one for one in groups if keys(one)])
    name = rng.choice(keys(place))
    bounds = ranges.ranges(place.config).get(name)
    return Case(place, name, value(rng, place.values[name], bounds))


def keys(place: Place) -> list[str]:
    """Those of a group that are no groups themselves."""
    groups = ("model", "data") if not place.prefix else ()
    return [
        name
        for name, now in place.values.items()
        if not isinstance(now, dict) and name not in groups
    ]


def is_large(value: Any) -> bool:
    """Whether a value is or holds a whole number that would take long."""
    parts = value if isinstance(value, list) else [value]
    return any(type(part) is int and abs(part) > SMALL for part in parts)


@pytest.fixture
def kinds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Kind]]:
    """A kind of input a model, as it is by default, then with each of its switches."""
    monkeypatch.chdir(tmp_path)
    threads = torch.get_num_threads()
    rows = [(name, tuple[str, ...]()) for name in models.available()]
    rows += [(name, tuple(words)) for name, words, _ in OTHERS]
    yield [kind(name, words, tmp_path) for name, words in rows]
    torch.set_num_threads(threads)


def kind(name: str, words: tuple[str, ...], folder: Path) -> Kind:
    """Values for the keys of a model's settings."""

    @cache
    def base() -> tuple[Settings, Any]:
        settings = compose([*overrides(name, CAP), *words, f"runs_dir={folder}"])
        return settings, data.load_for(settings.data, models.reads(name))

    def of(seed: int) -> Case:
        return case(random.Random(f"{name}/{words}/{seed}"), base()[0])

    def work(case: Case) -> str | None:
        settings, loaded = base()

        def train(changed: Settings) -> str | None:
            if is_large(case.value):
                return None
            if case.place.prefix.startswith("model"):
                return broken(made(changed, loaded))
            return prepared(changed)

        return fault(case, settings, train)

    return Kind(" ".join([name, *words]), of, work, (folder,), 1, written)


def written(case: Case) -> bytes:
    """A key and its value, to be looked at."""
    return f"{case.key}={case.value!r}".encode(errors="backslashreplace")


def test_values_are_refused_or_trained_with(kinds: list[Kind]) -> None:
    assert not short(kinds[: len(models.available())], SHORT)


def test_configs_at_length(
    seconds: float, kinds: list[Kind], changes: Callable[[Path], None]
) -> None:
    changes(FOUND)
    assert not at_length(kinds, 0.2 * seconds)
