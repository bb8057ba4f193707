"""Sentence encoders, for distances between sets of sentences; an optional package has them.

The encoder decides the numbers, so its id stands in every signature.

Legend: N sentences, D size of an embedding.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from gantext.errors import UserError
from gantext.nn.text.judges import pretrained
from gantext.nn.text.judges.pretrained import DEFAULT

Embeddings = NDArray[np.float32]
BATCH_SIZE = 32
HUB_SECONDS = 10
PURPOSE = "the Frechet distance", "frechet"  # and the extra that has what it needs


class Encoder(Protocol):
    """Turns sentences into points of a space in which distance is meaning."""

    @property
    def id(self) -> str:
        """Which encoder, for signatures: its name, and its version or a hash of its weights."""
        ...

    def encode(self, lines: Sequence[str]) -> Embeddings:
        """(N, D) of N sentences; the order of the sentences changes nothing else."""
        ...


@dataclass(frozen=True)
class SentenceTransformer:
    """An `Encoder` by the library sentence-transformers (Reimers & Gurevych 2019)."""

    id: str
    model: Any

    def encode(self, lines: Sequence[str]) -> Embeddings:
        """(N, D) of N sentences. An equal sentence is encoded once: collapsed samples are fast."""
        rows = {line: row for row, line in enumerate(dict.fromkeys(lines))}
        # The library sorts by length before it cuts batches: little is padded.
        found = self.model.encode(list(rows), batch_size=BATCH_SIZE, show_progress_bar=False)
        return np.asarray(found, dtype=np.float32)[[rows[line] for line in lines]]


def load_encoder(name: str | None = None, device: str | None = None) -> Encoder:
    """Load the default encoder, or a sentence-transformers model by its folder or hub name.

    The default and folders are never looked for on the network; a hub name only where it is not
    in the local cache.

    Args:
        name: None or "" for the default.
        device: a torch device; None is the library's choice (a GPU where there is one).

    Raises:
        UserError: an optional package is missing, or the model cannot be loaded.
    """
    with pretrained.loading(name or DEFAULT):
        return _named(name, device) if name else _default(device)


def _default(device: str | None) -> Encoder:
    folder = pretrained.default_folder(*PURPOSE)
    known = pretrained.default_id(*PURPOSE)
    return SentenceTransformer(known, _load(folder, device, local=True))


def _named(name: str, device: str | None) -> Encoder:
    folder = Path(name)
    if folder.is_dir():
        return SentenceTransformer(pretrained.folder_id(folder), _load(name, device, local=True))
    if name.startswith((".", "~")) or folder.is_absolute():
        raise UserError(f"cannot load the sentence encoder {name}: no such folder")
    try:
        return SentenceTransformer(name, _load(name, device, local=True))
    except OSError:  # not in the cache
        # One quick question first: without a network, loading would try for more than a minute.
        full = name if "/" in name else f"sentence-transformers/{name}"
        pretrained.package("huggingface_hub", *PURPOSE).HfApi().model_info(
            full, timeout=HUB_SECONDS
        )
        return SentenceTransformer(name, _load(name, device, local=False))


def _load(name: str, device: str | None, *, local: bool) -> Any:
    library = pretrained.package("sentence_transformers", *PURPOSE)
    # Never a pickle: whoever made the weights could run code in it.
    weights = {"use_safetensors": True}
    return library.SentenceTransformer(
        name, device=device, local_files_only=local, model_kwargs=weights
    )
