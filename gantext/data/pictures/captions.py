"""The captions of pictures, in a table: captions.csv with the columns file and caption."""

from dataclasses import dataclass
from typing import Protocol

from gantext.data.lines import Lines
from gantext.data.pictures.folder import Listing, plain
from gantext.data.tables import Format, read_table, select
from gantext.data.tokenizers import check, tokenize
from gantext.errors import UserError, nearest

COLUMNS = ("file", "caption")


class Preparation(Protocol):
    """How a caption becomes words: the settings that it takes."""

    @property
    def tokenizer(self) -> str: ...
    @property
    def lowercase(self) -> bool: ...
    @property
    def max_length(self) -> int: ...


@dataclass(frozen=True)
class Captions:
    """Captions of pictures, one each.

    places: of these pictures in the listing. tokens: the words of each caption. text: the captions
    themselves.
    """

    places: tuple[int, ...]
    tokens: tuple[list[str], ...]
    text: tuple[str, ...]


def read_captions(listing: Listing, cfg: Preparation, notes: list[str]) -> Captions:
    """Read the captions of a listing; pictures without any are left out, which `notes` count.

    Raises UserError for a table without these columns, for a caption of no picture, and for a
    second one of a picture.
    """
    check(cfg.tokenizer)
    said = _by_name(listing, _rows(listing, notes))
    places = [place for place, name in enumerate(listing.names) if name in said]
    if len(places) < len(listing):
        bare = [name for name in listing.names if name not in said]
        notes.append(f"{len(bare)} pictures without a caption left out, as {bare[0]}")
    text = [said[listing.names[place]] for place in places]
    kept = [_cut(caption, cfg) for caption in text]
    cut = sum(before != after for before, after in zip(text, kept, strict=True))
    if cut:
        notes.append(f"{cut} captions longer than max_length={cfg.max_length} were cut")
    return Captions(tuple(places), tuple(_words(one, cfg) for one in kept), tuple(kept))


def _rows(listing: Listing, notes: list[str]) -> Lines:
    """Captions, and the name of the picture of each in the place of a class."""
    assert listing.captions is not None
    table = read_table(listing.captions, Format.csv, notes)
    if not set(COLUMNS) <= table.columns.keys():
        there = ", ".join(map(str, table.columns))
        raise UserError(
            f"{listing.captions}: the columns file and caption are needed; its columns are {there}"
        )
    return select(table, "caption", "file", notes)


def _by_name(listing: Listing, rows: Lines) -> dict[str, str]:
    """The caption of each picture that has one. Raises UserError as `read_captions` does."""
    known, said = frozenset(listing.names), dict[str, str]()
    for caption, written in zip(rows.text, rows.labels, strict=True):
        name = plain(written.removeprefix("./"))
        if name not in known:
            near = nearest(name, listing.names)
            raise UserError(f"{listing.captions}: there is no picture {written}{near}")
        if name in said:
            raise UserError(
                f"{listing.captions}: a second caption of {written}; a picture has one caption"
            )
        said[name] = caption
    if not said:
        raise UserError(f"{listing.captions}: no row has a caption")
    return said


def _words(text: str, cfg: Preparation) -> list[str]:
    return tokenize(text.lower() if cfg.lowercase else text, cfg.tokenizer)


def _cut(text: str, cfg: Preparation) -> str:
    """The beginning of a caption that has no more than `max_length` words.

    A run keeps the captions that it was trained on as text, so the text is what is cut.
    """
    if len(_words(text, cfg)) <= cfg.max_length:
        return text
    text = " ".join(text.split()[: cfg.max_length])  # each has one word at least
    while len(_words(text, cfg)) > cfg.max_length:
        text = text.rpartition(" ")[0] or text[:-1]
    return text
