"""The types of a `Config` say which of its numbers are counts."""

from dataclasses import dataclass

import pytest

from gantext import models
from gantext.config import schema
from gantext.config.compose import compose
from gantext.data.count import Count
from gantext.errors import UserError


@dataclass(frozen=True)
class Layers:
    seed: int
    rate: float
    hidden: Count
    widths: tuple[Count, ...]
    kernels: list[Count]
    places: tuple[int, ...]
    name: str | None


def test_counts_are_the_fields_of_that_type() -> None:
    assert schema.counts(Layers) == {"hidden", "widths", "kernels"}


def test_every_model_has_counts_and_none_of_them_may_be_zero() -> None:
    for name in models.available():
        config = models.config_class(name)
        nodes = {"": config} | {f"{key}.": kind for key, kind in config.__annotations__.items()}
        key = next(
            f"model.{prefix}{count}"
            for prefix, kind in nodes.items()
            if hasattr(kind, "__dataclass_fields__")
            for count in sorted(schema.counts(kind))
        )
        with pytest.raises(UserError, match=f"{key}=0: it must be at least 1"):
            compose([f"model={name}", f"{key}=0"])
