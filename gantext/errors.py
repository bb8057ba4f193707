"""Errors whose message is meant for the user."""

import difflib
from collections.abc import Iterable
from pathlib import Path


class UserError(Exception):
    """Bad input: its message is one clear line, printed on stderr with exit code 2."""


def nearest(word: str, choices: Iterable[str]) -> str:
    """Return ' (did you mean X?)' for the choice closest to `word` in any case, or ''."""
    by_letters = {choice.casefold(): choice for choice in choices}
    found = difflib.get_close_matches(word.casefold(), list(by_letters), n=1, cutoff=0.5)
    return f" (did you mean {by_letters[found[0]]}?)" if found else ""


# Where the traceback of an unexpected failure is kept.
PREFIX = "log file: "


def note_log(error: BaseException, log: Path) -> None:
    """Remember on the error which log file holds its traceback."""
    error.add_note(f"{PREFIX}{log}")


def noted_log(error: BaseException) -> Path | None:
    """The log file that was remembered on an error, if any."""
    notes = [note for note in getattr(error, "__notes__", []) if note.startswith(PREFIX)]
    return Path(notes[0].removeprefix(PREFIX)) if notes else None
