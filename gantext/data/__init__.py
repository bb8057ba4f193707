"""Corpora of text and galleries of pictures.

A kind of data is a module of this package, or of a plugin, with a `Config`, and `load` for text,
`load_pictures` for pictures, and both where the text is the pictures' captions. It may also have
- `files(cfg)`, the files that it reads and that may be downloaded,
- `sources(cfg)`, the paths of all that it reads where these are not `files`, so that one can tell
  without reading it that it is as it was; None where one cannot,
- `WHERE`, one line that says where it comes from when it reads none of these,
- `TRUTH`, true where its corpus has the distribution that it was drawn from (`Corpus.truth`),
- `published(cfg)`, whether this config is of the data that papers' numbers are of, where it may be
  of others too,
- `LABELS`, the key of its config that gives its sentences classes, where it has one,
- `CAPTIONS`, where to put the captions of pictures that may have some and have no `load`,
- `NEEDS`, a package that must be installed for it and that gantext does not install by itself,
- `absolute(cfg)`, the config with the user's paths made absolute.
"""

import enum
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from gantext.errors import UserError, nearest
from gantext.plugins.registry import Registry

if TYPE_CHECKING:
    from gantext.data.corpus import Corpus
    from gantext.data.download import Progress, Remote
    from gantext.data.gallery import Gallery


LOADERS = frozenset({"load", "load_pictures"})
REGISTRY = Registry(
    __name__, Path(__file__).parent, lambda bound: "Config" in bound and bool(bound & LOADERS)
)


class Reads(enum.Enum):
    """What a model is trained on."""

    text = "text"
    labelled = "sentences with classes"
    pictures = "pictures"
    captioned = "pictures with captions"

    @property
    def sentences(self) -> bool:
        """Whether it is text, with classes or without, and no picture."""
        return self in (Reads.text, Reads.labelled)


class NamedConfig(Protocol):
    """What every data config has: the name of its kind."""

    @property
    def name(self) -> str: ...


def kinds() -> list[str]:
    """The names of all kinds of data, in the order in which they are advised; a plugin's last.

    What most models read comes first, text before pictures, what needs another package last.
    """

    def rank(name: str) -> tuple[bool, bool, bool]:
        bound = REGISTRY.own[name]
        return not bound >= LOADERS, "load" not in bound, "NEEDS" in bound

    return [*sorted(REGISTRY.own, key=rank), *REGISTRY.added]


def config_class(name: str) -> type[Any]:
    """Return the frozen dataclass `Config` of the kind of data called `name`.

    Raises UserError for an unknown name.
    """
    found: type[Any] = _module(name).Config
    return found


def load(cfg: NamedConfig) -> "Corpus":
    """Load the corpus of text that `cfg` (a `Config` of one of the kinds) describes.

    Nothing is fetched: `fetch` does that. Raises UserError for bad input.
    """
    corpus: Corpus = load_for(cfg, Reads.text)
    return corpus


def load_pictures(cfg: NamedConfig) -> "Gallery":
    """Load the pictures that `cfg` describes, as `load` does text."""
    gallery: Gallery = load_for(cfg, Reads.pictures)
    return gallery


def load_for(cfg: NamedConfig, reads: Reads) -> Any:
    """Load what a model reads: a Corpus for text, else a Gallery.

    Raises UserError for bad input, and for data without what the model reads.
    """
    module = _module(cfg.name)
    if reads not in offers(cfg.name):
        others = ", ".join(f"data={name}" for name in kinds() if reads in offers(name))
        raise UserError(f"data={cfg.name} has no {reads.value}: try {others}")
    check_labels(cfg, reads)
    from gantext.data.download import Missing

    try:
        if reads.sentences:
            corpus = module.load(cfg)
            return corpus if reads is Reads.text else _labelled(corpus)
        gallery = module.load_pictures(cfg)
    except Missing as error:
        words = f"gantext data get {cfg.name} downloads it, or " if error.file.url else ""
        raise Missing(error.file, words) from error
    if reads is Reads.captioned and gallery.vocabulary is None:
        where = f": put them into {module.CAPTIONS}" if hasattr(module, "CAPTIONS") else ""
        raise UserError(f"data={cfg.name}: these pictures have no captions{where}")
    return gallery


def _labelled(corpus: "Corpus") -> "Corpus":
    """The corpus with labels in its batches. Raises UserError where all are of one class."""
    from gantext.data.labelled import with_labels

    if len(corpus.classes) < 2:
        raise UserError(f"data={corpus.name}: its sentences are all of one class; 2 are needed")
    return with_labels(corpus)


def check_labels(cfg: NamedConfig, reads: Reads) -> None:
    """Raise UserError for a model of sentences with classes where this config gives them none."""
    if reads is Reads.labelled and reads not in offered(cfg):
        raise UserError(
            f"data={cfg.name}: its sentences have no classes unless data.{labels_key(cfg.name)} "
            "names them"
        )


def labels_key(name: str) -> str | None:
    """The key of a kind of data that gives its sentences classes; None where none does."""
    key: str | None = getattr(_module(name), "LABELS", None)
    return key


def offered(cfg: NamedConfig) -> tuple[Reads, ...]:
    """What data of this config has for models to read, known without loading it."""
    key = labels_key(cfg.name)
    without = {Reads.labelled} if key is None or not getattr(cfg, key) else set()
    return tuple(reads for reads in offers(cfg.name) if reads not in without)


def offers(name: str) -> tuple[Reads, ...]:
    """What the kind of data called `name` has for models to read.

    Whether its sentences have classes, its config says too (see `offered`).

    Raises UserError for an unknown name.
    """
    module = _module(name)
    text, pictures = hasattr(module, "load"), hasattr(module, "load_pictures")
    captioned = pictures and (text or hasattr(module, "CAPTIONS"))
    there = {
        Reads.text: text,
        Reads.labelled: text and hasattr(module, "LABELS"),
        Reads.pictures: pictures,
        Reads.captioned: captioned,
    }
    return tuple(reads for reads, has in there.items() if has)


def files(cfg: NamedConfig) -> "tuple[Remote, ...]":
    """Return the data files that `cfg` needs and that may be downloaded; () for most kinds."""
    module = _module(cfg.name)
    found: tuple[Remote, ...] = module.files(cfg) if hasattr(module, "files") else ()
    return found


def sources(cfg: NamedConfig) -> "tuple[Path, ...] | None":
    """Return all files that `cfg` is read from, () where it is made; None where nobody can say."""
    from gantext.data.download import find

    module = _module(cfg.name)
    if hasattr(module, "sources"):
        found: tuple[Path, ...] | None = module.sources(cfg)
        return found
    paths = [find(file) for file in module.files(cfg)] if hasattr(module, "files") else [None]
    there = [path for path in paths if path is not None]
    return tuple(there) if len(there) == len(paths) else None


def fetch(cfg: NamedConfig, progress: "Progress | None" = None) -> list[Path]:
    """Find, check and if need be download every file of `cfg`; return where they lie.

    Only `gantext data get` and training do so. `progress` is told about downloads. Raises
    UserError when one cannot be had.
    """
    from gantext.data import download

    return [download.fetch(file, progress) for file in files(cfg)]


def where(name: str) -> str:
    """Where data without files comes from, in a few words."""
    said: str = getattr(_module(name), "WHERE", "made on the fly")
    return said


def has_truth(name: str) -> bool:
    """Whether the distribution that the data was drawn from is known."""
    return bool(getattr(_module(name), "TRUTH", False))


def published(cfg: NamedConfig) -> bool:
    """Whether `cfg` is of the data that papers' numbers of that name are of."""
    module = _module(cfg.name)
    return bool(module.published(cfg)) if hasattr(module, "published") else True


def installed(name: str) -> bool:
    """Whether the package that the kind of data called `name` needs, if any, is there."""
    needed = getattr(_module(name), "NEEDS", None)
    return needed is None or find_spec(needed) is not None


def absolute(cfg: Any) -> Any:
    """Return `cfg` with the paths that the user gave made absolute, for a run's own config."""
    module = _module(cfg.name)
    return module.absolute(cfg) if hasattr(module, "absolute") else cfg


def _module(name: str) -> Any:
    # Checked against the names first: one from somebody's run folder imports nothing else.
    if name not in REGISTRY:
        names = kinds()
        raise UserError(f"unknown data {name}{nearest(name, names)}: choose {', '.join(names)}")
    return REGISTRY.module(name)
