"""The models: one file or folder a family, and those of plugins.

`model.name` names one of them; no other is imported.
"""

from collections.abc import Sequence
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

from gantext.data import Reads
from gantext.errors import UserError, nearest
from gantext.plugins.registry import Registry

if TYPE_CHECKING:
    from gantext.models.contract import Ability
    from gantext.plots.layouts import Layout

DECLARED = frozenset({"READS", "CAN", "SHOWN", "CURVES", "Config", "build"})
REGISTRY = Registry(__name__, Path(__file__).parent, DECLARED.issubset)


def available() -> list[str]:
    """Names of the models, alphabetically."""
    return sorted([*REGISTRY.own, *REGISTRY.added])


def module(name: str) -> ModuleType:
    """Import the module of a model: a file here, or an installed plugin's.

    Raises UserError for a name that is neither, before anything is imported.
    """
    if name not in REGISTRY:
        raise UserError(f"unknown model '{name}'{nearest(name, available())}")
    return REGISTRY.module(name)


def config_class(name: str) -> type:
    """The `Config` dataclass of a model."""
    cls = module(name).Config
    assert isinstance(cls, type)
    return cls


def reads(name: str) -> Reads:
    """What a model is trained on."""
    found = module(name).READS
    assert isinstance(found, Reads)
    return found


def abilities(name: str) -> "frozenset[Ability]":
    """What a model can do beyond its kind's contract, known without building it."""
    declared: frozenset[Ability] = module(name).CAN
    return declared


def is_parallel(name: str) -> bool:
    """Whether several processes can train a model together."""
    return bool(getattr(module(name), "PARALLEL", False))


def progress_metrics(name: str) -> tuple[str, ...]:
    """The metrics of a model that the line of progress shows, in order."""
    declared: tuple[str, ...] = module(name).SHOWN
    return declared


def curves(name: str) -> "tuple[Layout, ...]":
    """The figures of a model's metrics, in order."""
    declared: tuple[Layout, ...] = module(name).CURVES
    return declared


def readers(offered: Sequence[Reads]) -> list[str]:
    """Names of the models that are trained on what is offered."""
    return [name for name in available() if reads(name) in offered]
