"""Corpora. `KINDS` are the names that `data=NAME` accepts; each is a module of this package."""

import importlib
from typing import TYPE_CHECKING, Any, Protocol

from gantext.errors import UserError, nearest

if TYPE_CHECKING:  # the modules behind these names import torch
    from gantext.data.corpus import Corpus
    from gantext.data.download import Progress, Remote

KINDS = ("scenes", "coco", "oracle", "text")


class NamedConfig(Protocol):
    """What every data config has: the name of its kind."""

    @property
    def name(self) -> str: ...


def config_class(name: str) -> type[Any]:
    """Return the frozen dataclass `Config` of the kind of data called `name`.

    Raises UserError for an unknown name.
    """
    found: type[Any] = _module(name).Config
    return found


def load(cfg: NamedConfig, progress: "Progress | None" = None) -> "Corpus":
    """Load the corpus that `cfg` (a `Config` of one of the kinds) describes.

    `progress` is told about downloads, if any are needed. Raises UserError for bad input.
    """
    if progress is not None:
        from gantext.data.download import locate

        for file in files(cfg):
            locate(file, progress)
    corpus: Corpus = _module(cfg.name).load(cfg)
    return corpus


def files(cfg: NamedConfig) -> "tuple[Remote, ...]":
    """Return the data files that `cfg` needs and that may be downloaded; () for most kinds."""
    module = _module(cfg.name)
    found: tuple[Remote, ...] = module.files(cfg) if hasattr(module, "files") else ()
    return found


def absolute(cfg: Any) -> Any:
    """Return `cfg` with the paths that the user gave made absolute, for a run's own config."""
    module = _module(cfg.name)
    return module.absolute(cfg) if hasattr(module, "absolute") else cfg


def _module(name: str) -> Any:
    # Checked against the list first: a name from somebody's run folder imports nothing else.
    if name not in KINDS:
        raise UserError(f"unknown data {name}{nearest(name, KINDS)}: choose {', '.join(KINDS)}")
    return importlib.import_module(f"gantext.data.{name}")
