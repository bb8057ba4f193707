"""The models: one file or folder a family, and those of plugins.

`model.name` names one of them; no other is imported.
"""

from collections.abc import Sequence
from pathlib import Path
from types import ModuleType

from gantext.data import Reads
from gantext.errors import UserError, nearest
from gantext.plugins.registry import Registry

DECLARED = frozenset({"READS", "Config", "build"})  # by every module here that is a model
REGISTRY = Registry(__name__, Path(__file__).parent, DECLARED.issubset)


def available() -> list[str]:
    """Names of the models, alphabetically."""
    return sorted([*REGISTRY.own, *REGISTRY.added])


def module(name: str) -> ModuleType:
    """Import the module of a model: a file here, or an installed plugin's.

    Raises UserError for a name that is neither, before anything is imported.
    """
    if name not in available():
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


def readers(offered: Sequence[Reads]) -> list[str]:
    """Names of the models that are trained on what is offered."""
    return [name for name in available() if reads(name) in offered]
