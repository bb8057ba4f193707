"""The few settings of a run by which it is found, named and scored again, without its model's code.

All of its settings are checked against the model's own, whose module loads torch.
"""

import contextlib
from typing import Annotated, Any, TypedDict

from gantext.data.ranges import Range, Seed
from gantext.errors import UserError
from gantext.records.content import Damaged
from gantext.records.json_file import fitting
from gantext.records.shape import Whole
from gantext.runs.folder import RunDir
from gantext.runs.shapes import Facts


class Brief(TypedDict):
    """Some of a run's settings.

    Attributes:
        model: the name of its model.
        data: those of its data.
        samples: how many of its samples are scored.
        temperature, seed: of these.
        preset: by which BLEU protocol.
    """

    model: str
    data: dict[str, Any]
    samples: Annotated[int, Range(1, 10**7)]
    temperature: float
    seed: Seed
    preset: str


def brief_of(run: RunDir) -> Brief:
    """What config.yaml says of these. Raises UserError where it is damaged."""
    groups = {name: run.values.get(name) for name in ("model", "data", "eval")}
    model, data, scored = (one if isinstance(one, dict) else {} for one in groups.values())
    if model.get("name") is None:
        raise Damaged(run.config, "it names no model: model.name is missing")
    scores = {name: scored.get(name) for name in ("samples", "temperature", "seed", "preset")}
    return fitting(run.config, Brief, {"model": model.get("name"), "data": data, **scores})


class Named(TypedDict, total=False):
    """By what a run is told from others; keys that nothing is known of are missing.

    Attributes:
        model: the name of its model.
        data: that of its data.
        seed: of all of its random numbers.
    """

    model: str
    data: str
    seed: Whole


def named(run: RunDir, info: Facts) -> Named:
    """What run.json says of these, and of a run made before it did, config.yaml."""
    found: Named = {}
    with contextlib.suppress(UserError):
        known = _in_facts(info) if "seed" in info else _in_config(run)
        given = {key: value for key, value in known.items() if value is not None}
        found = fitting(run.config, Named, given)
    return found


def _in_facts(info: Facts) -> dict[str, Any]:
    return {"model": info.get("model"), "data": info.get("data_name"), "seed": info.get("seed")}


def _in_config(run: RunDir) -> dict[str, Any]:
    values = run.values
    groups = {name: values.get(name) for name in ("model", "data")}
    names = {key: one.get("name") for key, one in groups.items() if isinstance(one, dict)}
    return {**names, "seed": values.get("seed")}
