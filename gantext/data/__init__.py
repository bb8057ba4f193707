"""Corpora of text and galleries of pictures.

`KINDS` are the names that `data=NAME` accepts; each is a module of this package, with `load` for
text, `load_pictures` for pictures, and both where the text is the pictures' captions.
"""

import enum
import importlib
from typing import TYPE_CHECKING, Any, Protocol

from gantext.errors import UserError, nearest

if TYPE_CHECKING:
    from gantext.data.corpus import Corpus
    from gantext.data.download import Progress, Remote
    from gantext.data.gallery import Gallery


KINDS = ("scenes", "coco", "oracle", "text", "mnist", "digits")


class Reads(enum.Enum):
    """What a model is trained on."""

    text = "text"
    pictures = "pictures"
    captioned = "pictures with captions"


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
    """Load the corpus of text that `cfg` (a `Config` of one of the kinds) describes.

    `progress` is told about downloads, if any are needed. Raises UserError for bad input.
    """
    corpus: Corpus = load_for(cfg, Reads.text, progress)
    return corpus


def load_pictures(cfg: NamedConfig, progress: "Progress | None" = None) -> "Gallery":
    """Load the pictures that `cfg` describes, as `load` does text."""
    gallery: Gallery = load_for(cfg, Reads.pictures, progress)
    return gallery


def load_for(cfg: NamedConfig, reads: Reads, progress: "Progress | None" = None) -> Any:
    """Load what a model reads: a Corpus for text, else a Gallery.

    Raises UserError for bad input, and for data without what the model reads.
    """
    module = _module(cfg.name)
    if reads not in offers(cfg.name):
        others = ", ".join(f"data={name}" for name in KINDS if reads in offers(name))
        raise UserError(f"data={cfg.name} has no {reads.value}: try {others}")
    if progress is not None:
        from gantext.data.download import locate

        for file in files(cfg):
            locate(file, progress)
    return module.load(cfg) if reads is Reads.text else module.load_pictures(cfg)


def offers(name: str) -> tuple[Reads, ...]:
    """What the kind of data called `name` has for models to read.

    Raises UserError for an unknown name.
    """
    module = _module(name)
    text, pictures = hasattr(module, "load"), hasattr(module, "load_pictures")
    there = {Reads.text: text, Reads.pictures: pictures, Reads.captioned: text and pictures}
    return tuple(reads for reads, has in there.items() if has)


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
