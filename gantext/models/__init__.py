"""The models: one file or folder a family. `model.name` names one of them; no other is imported."""

import importlib
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType

from gantext.data import Reads
from gantext.errors import UserError, nearest

NO_MODELS = {"__init__", "contract", "build"}


def available() -> list[str]:
    """Names of the model modules."""
    here = Path(__file__).parent
    files = {path.stem for path in here.glob("*.py")} - NO_MODELS
    return sorted(files | {path.parent.name for path in here.glob("*/__init__.py")})


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
