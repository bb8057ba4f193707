"""What holds scores between commands: a run's folder, or of real text the user's cache folder.

Real text has the same scores beside every run and file of the same data.
"""

import json
from typing import Any, Protocol

from gantext.data.download import cache_folder
from gantext.files import write_atomic
from gantext.runs import shapes
from gantext.runs.shapes import StoredScores


class Keeper(Protocol):
    """Documents of scores by name."""

    def scores(self, name: str) -> StoredScores | None:
        """A stored document, or None. Raises UserError for one that is damaged or was changed."""
        ...

    def save_scores(self, name: str, document: Any) -> None:
        """Store a document. Raises OSError."""
        ...


class CachedScores:
    """Those in the user's cache folder."""

    def scores(self, name: str) -> StoredScores | None:
        """See `Keeper`."""
        path = cache_folder() / "scores" / f"{name}.json"
        return shapes.unchanged(path, shapes.SCORES.read(path))

    def save_scores(self, name: str, document: Any) -> None:
        """See `Keeper`."""
        text = json.dumps(shapes.sealed(document), ensure_ascii=False)
        write_atomic(cache_folder() / "scores" / f"{name}.json", text.encode())
