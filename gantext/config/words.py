"""Words of a command line before Hydra reads them: what is no override, and what is a path."""

import os
import re
import shlex
from collections.abc import Sequence
from pathlib import Path

from gantext.config import groups
from gantext.errors import UserError, nearest

# With these a value is a list, a dictionary, an interpolation or quoted already, so not a path.
STRUCTURE = ("[", "{", "'", '"', "$")
# captions.txt, or a name of letters of any alphabet. Hydra's own grammar knows ASCII only.
FILE_NAME = re.compile(r".*\.\w{1,8}|[\w.-]+", re.DOTALL)

LATEST = "latest"  # what stands for the newest run where one is named, and the link to it


def check_name(name: str) -> None:
    """Refuse what cannot be the name of a run's folder. Raises UserError."""
    if name.startswith((".", "-")) or "/" in name or "\\" in name or name == LATEST:
        raise UserError(
            f"name '{name}': it is that of a folder in runs_dir, so it is no path, does not begin "
            f"with '.' or '-' and is not '{LATEST}'"
        )
    if not name or not name.isprintable():
        raise UserError(f"name {name!r}: letters that are seen are needed")


def check(overrides: Sequence[str]) -> None:
    """Refuse options and words that are not overrides, before Hydra sees them. Raises UserError."""
    for word in overrides:
        if word.startswith("-"):
            bare = word.lstrip("-")
            hint = f" (did you mean {bare}?)" if "=" in bare else ""
            raise UserError(f"no such option: {word.split('=')[0]}{hint}")
        if "=" not in word and not word.startswith("~"):
            choices = [f"{group}={name}" for group in groups.GROUPS for name in groups.names(group)]
            raise UserError(f"'{word}' is not an override: write key=value{nearest(word, choices)}")
        if word.startswith("hydra.mode"):
            raise UserError("hydra.mode is set by -m; leave it out")
        if not word.isprintable() and any("\ud800" <= letter <= "\udfff" for letter in word):
            shown = word.encode(errors="replace").decode()
            raise UserError(f"{shown}: not in the encoding of this terminal: set PYTHONUTF8=1")


def key_of(word: str) -> str:
    """The key of an override: 'seed' of 'seed=1', '+seed=1' and '~seed'."""
    return word.lstrip("+~").partition("=")[0]


def at_home(value: str) -> str:
    """The value with ~ at its start as the home folder, which a shell leaves after key=."""
    return os.path.expanduser(value) if value == "~" or value.startswith("~/") else value


def is_file(value: str) -> bool:
    """Whether a file or a folder has this name."""
    return bool(value) and "\0" not in value and os.path.exists(value)


def is_path(value: str) -> bool:
    """Whether a value that Hydra's grammar cannot read is plainly a path."""
    if is_file(value):
        return True
    return not value.startswith(STRUCTURE) and ("/" in value or bool(FILE_NAME.fullmatch(value)))


def quote(value: str) -> str:
    """A value as Hydra's override grammar reads it back: backslashes count only before quotes."""
    doubled = re.sub(r"\\+(?='|\Z)", r"\g<0>\g<0>", value)
    return "'" + doubled.replace("'", "\\'") + "'"


def pasted(key: str, value: str) -> str:
    """An override of text as it is typed into a shell: quoted for Hydra, and that for the shell."""
    return shlex.quote(f"{key}={quote(value)}")


def command(*parts: "str | int | Path") -> str:
    """A command of gantext that can be pasted into a shell."""
    return shlex.join(["gantext", *map(str, parts)])
