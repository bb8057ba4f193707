"""The types of a `Config` say within what bounds its numbers lie."""

import dataclasses
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, Any, get_args, get_origin, get_type_hints

import pytest
from omegaconf import OmegaConf

from gantext import data, models
from gantext.config import schema
from gantext.config.compose import compose
from gantext.config.settings import Settings
from gantext.data.ranges import Count, Dropout, Momentum, Range, Steps, range_of, ranges
from gantext.errors import UserError


@dataclass(frozen=True)
class Layers:
    hidden: Count
    widths: tuple[Count, ...]
    rate: Dropout
    betas: list[Momentum]
    patience: Steps | None
    name: str | None
    on: bool
    places: tuple[int, ...]
    scale: float


def test_ranges_are_those_of_the_types() -> None:
    assert ranges(Layers) == {
        "hidden": Range(1, 10**9),
        "widths": Range(1, 10**9),
        "rate": Range(0, 1, open_high=True),
        "betas": Range(0, 1, open_high=True),
        "patience": Range(0, 10**9),
        "places": Range(0, 2**53),
        "scale": Range(0, 1e30),
    }


def numbers(config: type) -> Iterator[tuple[str, Any]]:
    """The numeric fields of a tree of dataclasses, and their types."""
    for name, kind in get_type_hints(config, include_extras=True).items():
        if dataclasses.is_dataclass(kind):
            yield from numbers(kind)
        elif {int, float} & set(parts(kind)):
            yield f"{config.__module__}.{config.__qualname__}.{name}", kind


def parts(kind: Any) -> Iterator[Any]:
    """A type and all types in it."""
    yield kind
    for part in get_args(kind)[: 1 if get_origin(kind) is Annotated else None]:
        yield from parts(part)


OURS = [
    Settings,
    *(models.config_class(name) for name in models.available()),
    *(data.config_class(name) for name in data.kinds()),
]


@pytest.mark.parametrize("config", OURS, ids=lambda kind: kind.__module__.removeprefix("gantext."))
def test_every_number_of_ours_has_a_range(config: type) -> None:
    assert not [name for name, kind in numbers(config) if range_of(kind) is None]


@pytest.mark.parametrize(
    ("key", "value", "fault"),
    [
        ("model.mle.clip", -1, "=-1.0: it must be at least 0"),
        ("model.mle.clip", "nan", "=nan: it must be finite"),
        ("model.mle.learning_rate", "inf", "=inf: it must be finite"),
        ("model.mle.learning_rate", 1e31, "=1e+31: it must be at most 1e+30"),
        ("model.generator.dropout", 1, "=1.0: it must be at least 0 and under 1"),
        ("model.generator.hidden", 0, "=0: it must be at least 1"),
        ("model.generator.hidden", 2**63, f"={2**63}: it must be at most 16,384"),
        ("model.discriminator.widths", [2, 0], "=0: it must be at least 1"),
        ("model.adversarial.rollout_lag", 1, "=1.0: it must be at least 0 and under 1"),
        ("eval.temperature", 1e-4, "=0.0001: it must be 0 or at least 0.001"),
        ("eval.samples", 0, "=0: it must be at least 1"),
        ("seed", 2**63, f"={2**63}: it must be at most {2**63 - 1:,}"),
        ("data.seed", -1, "=-1: it must be at least 0"),
    ],
)
def test_a_number_out_of_its_range_is_refused_with_its_key(
    gan: str, key: str, value: object, fault: str
) -> None:
    cfg = OmegaConf.create(gan)
    OmegaConf.update(cfg, key, value)
    with pytest.raises(UserError) as caught:
        schema.typed(cfg)
    assert str(caught.value) == key + fault


@pytest.fixture(scope="module")
def gan() -> str:
    """The settings of a run as YAML."""
    return schema.to_yaml(compose(["model=gan"]))


@pytest.mark.parametrize("value", [0, 1e-3, 1, 1e3])
def test_a_temperature_of_0_is_greedy_and_others_have_bounds(gan: str, value: float) -> None:
    cfg = OmegaConf.create(gan)
    cfg.eval.temperature = value
    assert schema.typed(cfg).eval.temperature == value


@pytest.mark.parametrize("key", ["log.trackers", "model.discriminator.widths"])
def test_a_mapping_in_a_list_s_place_is_refused_with_its_key(gan: str, key: str) -> None:
    cfg = OmegaConf.create(gan)
    OmegaConf.update(cfg, key, {"x": 1}, merge=False)
    with pytest.raises(UserError, match=f"^{key}: a list is needed, not {{'x': 1}}$"):
        schema.typed(cfg)
