"""Errors whose message is meant for the user."""

import difflib
from collections.abc import Iterable


class UserError(Exception):
    """Bad input: its message is one clear line, printed on stderr with exit code 2."""


def nearest(word: str, choices: Iterable[str]) -> str:
    """Return ' (did you mean X?)' for the choice closest to `word`, or ''."""
    found = difflib.get_close_matches(word, list(choices), n=1, cutoff=0.5)
    return f" (did you mean {found[0]}?)" if found else ""
