"""The models: one file a family. `model.name` names a module here; nothing else is imported."""

import importlib
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType

from gantext.data import Reads
from gantext.errors import UserError, nearest


def available() -> list[str]:
    """Names of the model modules."""
    return sorted(p.stem for p in Path(__file__).parent.glob("*.py") if p.stem != "__init__")


def module(name: str) -> ModuleType:
    """Import the module of a model after checking its name against the files here."""
    if name not in available():
        raise UserError(f"unknown model '{name}'{nearest(name, available())}")
    return importlib.import_module(f"gantext.models.{name}")


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
