"""Words of a command line before Hydra reads them: what is no override, and what is a path."""

import dataclasses
import os
import re
import shlex
from collections.abc import Sequence
from pathlib import Path

from gantext.config import groups
from gantext.config.settings import Settings
from gantext.errors import UserError, nearest

# With these a value is a list, a dictionary, an interpolation or quoted already, so not a path.
STRUCTURE = ("[", "{", "'", '"', "$")
# captions.txt, or a name of letters of any alphabet. Hydra's own grammar knows ASCII only.
FILE_NAME = re.compile(r".*\.\w{1,8}|[\w.-]+", re.DOTALL)

# What an override may begin with: the groups, and the other keys at the top of a config.
TOP = (
    *groups.GROUPS,
    *(f.name for f in dataclasses.fields(Settings) if f.name not in groups.GROUPS),
)

LATEST = "latest"  # what stands for the newest run where one is named, and the link to it


def check_name(name: str) -> None:
    """Refuse what cannot be the name of a run's folder. Raises UserError."""
    why = ""
    if "/" in name or "\\" in name:
        why = "it is that of a folder in runs_dir, so no path; runs_dir=FOLDER says where that lies"
    elif name.startswith((".", "-")):
        why = "it is that of a folder in runs_dir, so it does not begin with '.' or '-'"
    elif name == LATEST:
        why = "it is that of a folder in runs_dir, and is not 'latest', which names the newest run"
    if why:
        raise UserError(f"name '{name}': {why}")
    if not name or not name.isprintable():
        raise UserError(f"name {name!r}: letters that are seen are needed")


def check(overrides: Sequence[str]) -> None:
    """Refuse options and words that are not overrides, before Hydra sees them. Raises UserError."""
    for place, word in enumerate(overrides):
        key, equals, _ = word.partition("=")
        following = overrides[place + 1 :]
        if word.startswith("-"):
            raise UserError(f"no such option: {key}{meant_by_option(word, following)}")
        if not key or (not equals and not word.startswith("~")):
            raise UserError(f"'{word}' is not an override: write {_override(word, following)}")
        if word.startswith("hydra.mode"):
            raise UserError("hydra.mode is set by -m; leave it out")
        if not word.isprintable() and any("\ud800" <= letter <= "\udfff" for letter in word):
            shown = word.encode(errors="replace").decode()
            raise UserError(f"{shown}: not in the encoding of this terminal: set PYTHONUTF8=1")


def meant_by_option(word: str, following: Sequence[str]) -> str:
    """A hint at the override that an option was meant for, as --seed 3 for seed=3; or ''."""
    key, equals, value = word.lstrip("-").partition("=")
    if equals:
        return f" (did you mean {key}={value}?)"
    values = [other for other in following[:1] if not other.startswith("-") and "=" not in other]
    return f" (did you mean {key}={'...' if not values else values[0]}?)" if key in TOP else ""


def _override(word: str, following: Sequence[str]) -> str:
    """How what a word seems to mean is written; `following` are the words behind it."""
    if re.fullmatch(r"[\w.]+", word) and word.partition(".")[0] in TOP:
        values = [other.lstrip("=") for other in following[:2] if other.strip("=")]
        value = values[0] if values and "=" not in values[0] else "..."
        return f"{word}={value}, without spaces"
    choices = [f"{group}={name}" for group in groups.GROUPS for name in groups.names(group)]
    return f"key=value{nearest(word, choices)}"


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


def unclosed(value: str) -> str:
    """What a value lacks that a bracket or a quotation mark begins; '' where that is not it."""
    for first, last in ("()", "[]", "{}"):
        if value.count(first) != value.count(last):
            return f"a '{first if value.count(first) < value.count(last) else last}' is missing"
    return next((f"a {mark} is missing" for mark in "'\"" if value.count(mark) % 2), "")


def pasted(key: str, value: str) -> str:
    """An override of text as it is typed into a shell: quoted for Hydra, and that for the shell."""
    word = f"{key}={quote(value)}"
    return shlex.quote(word) if re.search(r'["$`\\!]', word) else f'"{word}"'


def command(*parts: "str | int | Path") -> str:
    """A command of gantext that can be pasted into a shell."""
    return shlex.join(["gantext", *map(str, parts)])
