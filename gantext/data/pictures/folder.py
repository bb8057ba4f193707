"""Which files of a folder are pictures, of which classes, and what is left out."""

import os
import unicodedata
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from gantext.errors import UserError
from gantext.files import attempt

SUFFIXES = frozenset((".png", ".jpg", ".jpeg"))
CAPTIONS = "captions.csv"
HIDDEN, OTHER, LINK = "hidden", "no PNG or JPEG", "links out of the folder"


@dataclass(frozen=True)
class Listing:
    """The N pictures of a folder, in the order of their names.

    files: their paths. names: the same below the folder, as captions.csv has them. folders: the
    sub-folder that each is in, "" where these are no classes. captions: the file of captions; None
    where there is none.
    """

    files: tuple[Path, ...]
    names: tuple[str, ...]
    folders: tuple[str, ...]
    captions: Path | None

    def __len__(self) -> int:
        return len(self.files)

    @property
    def classes(self) -> tuple[str, ...]:
        """The names of the classes in order; () for none."""
        return tuple(sorted(set(self.folders) - {""}))

    def take(self, places: Sequence[int]) -> "Listing":
        """Return the pictures at these places, in this order."""
        return Listing(
            tuple(self.files[i] for i in places),
            tuple(self.names[i] for i in places),
            tuple(self.folders[i] for i in places),
            self.captions,
        )


def list_pictures(folder: Path, notes: list[str]) -> Listing:
    """Find the pictures of a folder and its sub-folders; what is left out goes to `notes`.

    Raises UserError when it cannot be read, has no picture, or has some beside its classes.
    """
    left_out: Counter[str] = Counter()
    with attempt(f"read {folder}"):
        found = sorted(_pictures(folder, left_out), key=Path.as_posix)
        captions = _captions(folder)
    counts = ", ".join(f"{count} {what}" for what, count in sorted(left_out.items()))
    if not found:
        seen = f"; files: {counts}" if counts else ", it is empty"
        raise UserError(f"{folder}: no PNG or JPEG picture{seen}")
    if counts:
        notes.append(f"files left out: {counts}")
    names = tuple(plain(path.as_posix()) for path in found)
    files = tuple(folder / path for path in found)
    return Listing(files, names, _classes(folder, found, notes), captions)


def plain(name: str) -> str:
    """A name with its accents in one form: some file systems take them apart."""
    return unicodedata.normalize("NFC", name)


def _pictures(folder: Path, left_out: Counter[str]) -> Iterator[Path]:
    """Names of pictures below the folder, in no order. Raises OSError."""
    inside = folder.resolve()
    for where, folders, files in os.walk(folder, onerror=_fail):
        here = Path(where)
        linked = [name for name in folders if (here / name).is_symlink()]
        for path in map(here.joinpath, (*files, *linked, *filter(_is_hidden, folders))):
            if path == folder / CAPTIONS:
                continue
            if why := _unfit(path, inside):
                left_out[why] += 1
            else:
                yield path.relative_to(folder)
        folders[:] = [name for name in folders if not _is_hidden(name)]


def _fail(error: OSError) -> None:
    raise error


def _is_hidden(name: str) -> bool:
    return name.startswith(".")


def _unfit(path: Path, inside: Path) -> str | None:
    """Why a file is left out; None for a picture."""
    if _is_hidden(path.name):
        return HIDDEN
    if path.is_symlink() and not path.resolve().is_relative_to(inside):
        return LINK
    return None if path.suffix.lower() in SUFFIXES and path.is_file() else OTHER


def _captions(folder: Path) -> Path | None:
    path = folder / CAPTIONS
    fits = path.is_file() and path.resolve().is_relative_to(folder.resolve())
    return path if fits else None


def _classes(folder: Path, found: Sequence[Path], notes: list[str]) -> tuple[str, ...]:
    """The class of each picture, "" for none. Raises UserError for pictures beside classes."""
    names = [path.parts[0] if len(path.parts) > 1 else "" for path in found]
    several = sorted(set(names))
    if len(several) > 1 and "" in several:
        beside, first = names.count(""), found[names.index("")]
        raise UserError(
            f"{folder}: {beside} pictures, as {first}, lie beside the sub-folders "
            f"{', '.join(several[1:4])}: sub-folders are classes, so each picture has to be in one"
        )
    if several != [""] and len(several) == 1:
        notes.append(f"one sub-folder only, {several[0]}: no classes")
    return tuple(names if len(several) > 1 else [""] * len(names))
