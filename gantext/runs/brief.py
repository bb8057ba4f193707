"""The few settings of a run by which it is found, named and scored again, without its model's code.

All of its settings are checked against the model's own, whose module loads torch.
"""

from typing import Annotated, Any, TypedDict

from gantext.data.ranges import Range, Seed
from gantext.records.json_file import fitting
from gantext.runs.folder import RunDir


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
    scores = {name: scored.get(name) for name in ("samples", "temperature", "seed", "preset")}
    return fitting(run.config, Brief, {"model": model.get("name"), "data": data, **scores})
