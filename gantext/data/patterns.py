"""Which files a user means: one, several ("a.txt:b.txt") or a wildcard ("parts/*.txt.gz")."""

import glob
import os
from pathlib import Path

from gantext.errors import UserError


def expand(pattern: str) -> list[Path]:
    """Return the files of a pattern in order; a wildcard's alphabetically.

    Raises UserError when a wildcard fits no file. Named files need not exist.
    """
    paths: list[str] = []
    for name in _parts(pattern):
        wildcard = glob.has_magic(name) and not Path(name).exists()
        paths += sorted(glob.glob(name)) if wildcard else [name]
    if not paths:
        raise UserError(f"{pattern}: no file fits")
    return [Path(path) for path in paths]


def absolute(pattern: str) -> str:
    """Return a pattern that means the same files from any folder; "" stays."""
    return os.pathsep.join(os.path.abspath(part) for part in _parts(pattern)) if pattern else ""


def _parts(pattern: str) -> list[str]:
    whole = Path(pattern).expanduser().exists()
    parts = [pattern] if whole else pattern.split(os.pathsep)
    return [str(Path(part).expanduser()) for part in parts]
