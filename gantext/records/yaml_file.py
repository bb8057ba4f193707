"""YAML files of plain values: no alias, anchor or tag, nothing that stands for something else.

Read event by event, so that what is refused is refused before anything is made of it.
"""

import math
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from gantext.records.content import Damaged, content, decoded

LIMIT = 64 * 1024  # reading takes a second for 100 KB
NESTING = 16
# As OmegaConf writes them: 1e-5 is a number too, which YAML itself takes for text.
FLOAT = re.compile(
    r"[-+]?[0-9][0-9_]*\.[0-9_]*(?:[eE][-+]?[0-9]+)?|[-+]?[0-9][0-9_]*[eE][-+]?[0-9]+"
    r"|[-+]?\.[0-9][0-9_]*(?:[eE][-+]?[0-9]+)?|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)"
)
WORDS = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL"), None),
    **dict.fromkeys(("true", "True", "TRUE", "yes", "Yes", "YES", "on", "On", "ON"), True),
    **dict.fromkeys(("false", "False", "FALSE", "no", "No", "NO", "off", "Off", "OFF"), False),
}
WHOLE = re.compile(r"[-+]?(?:0|[1-9][0-9_]*)")
# What PyYAML says of faults that are made most, and how one says it.
PROBLEMS = {
    "found character '\\t'": "a tab: YAML is indented by spaces",
    "expected <block end>": "its indentation does not fit the lines above",
    "mapping values are not allowed here": "a second ': ' in a line, or indentation that does not "
    "fit the lines above",
}
DIGITS = 19  # of the largest number of 64 bits


class Refused(Exception):
    """Something that a file of plain values does not hold, at a line (counted from 0)."""

    def __init__(self, event: Any, why: str) -> None:
        super().__init__(f"line {event.start_mark.line + 1}: {why}")


def read_yaml(path: Path, root: Path | None = None) -> dict[str, Any]:
    """The mapping that a file holds. For `root` see `content`.

    Raises:
        UserError: it cannot be read.
        Damaged: it is missing, too large or no mapping, or holds more than plain values; with the
            number of the line.
    """
    text = read_text(path, root)
    try:
        found = _document(yaml.parse(text, Loader=yaml.SafeLoader))
    except Refused as error:
        raise Damaged(path, str(error)) from None
    except yaml.MarkedYAMLError as error:
        raise Damaged(path, place_of(error)) from None
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise Damaged(path, " ".join(str(error).split())) from None
    if not isinstance(found, dict):
        raise Damaged(path, "it holds no settings")
    return found


def read_text(path: Path, root: Path | None = None) -> str:
    """The text of a file. Raises as `read_yaml` does where it is missing, too large or no text."""
    data = content(path, LIMIT, root)
    if data is None:
        raise Damaged(path, "it is missing")
    return decoded(path, data)


def place_of(error: yaml.MarkedYAMLError) -> str:
    """What damaged YAML says, in one line, with the number of the line."""
    mark = error.problem_mark or error.context_mark
    where = f"line {mark.line + 1}: " if mark else ""
    problem = str(error.problem or error.context or "no YAML")
    plain = (words for begins, words in PROBLEMS.items() if problem.startswith(begins))
    return where + next(plain, problem)


def _document(events: Iterator[Any]) -> Any:
    """The value of the only document."""
    found: list[Any] = []
    for event in events:
        if isinstance(event, yaml.DocumentStartEvent) and found:
            raise Refused(event, "a second document begins")
        if isinstance(event, yaml.NodeEvent):
            found.append(_value(event, events, 0))
    return found[0] if found else None


def _value(event: Any, events: Iterator[Any], depth: int) -> Any:
    """The value that begins with an event; takes the events up to its end."""
    _check_plain(event)
    if isinstance(event, yaml.ScalarEvent):
        return _scalar(event)
    if depth == NESTING:
        raise Refused(event, f"more than {NESTING} levels within each other")
    if isinstance(event, yaml.SequenceStartEvent):
        return [_value(item, events, depth + 1) for item in _until_end(events)]
    found: dict[str, Any] = {}
    for item in _until_end(events):
        key = _key(item)
        if key in found:
            raise Refused(item, f"{key!r} stands there twice")
        found[key] = _value(next(events), events, depth + 1)
    return found


def _until_end(events: Iterator[Any]) -> Iterator[Any]:
    """The events that begin the parts of a list or a mapping, up to its end."""
    for event in events:
        if isinstance(event, yaml.CollectionEndEvent):
            return
        yield event


def _check_plain(event: Any) -> None:
    if isinstance(event, yaml.AliasEvent):
        raise Refused(event, f"an alias, *{event.anchor}: a stored config is plain values")
    if event.anchor is not None:
        raise Refused(event, f"an anchor, &{event.anchor}: a stored config is plain values")
    if event.tag is not None:
        raise Refused(event, f"a tag, {event.tag}: a stored config is plain values")


def _key(event: Any) -> str:
    _check_plain(event)
    if not isinstance(event, yaml.ScalarEvent):
        raise Refused(event, "a key that is no name")
    return str(event.value)


def _scalar(event: Any) -> Any:
    text = str(event.value)
    if "${" in text:
        raise Refused(event, "an interpolation, ${...}: a stored config is plain values")
    if event.style is not None:  # in quotes, or a block
        return text
    if text in WORDS:
        return WORDS[text]
    if FLOAT.fullmatch(text):
        return _float(text.replace("_", ""))
    if not WHOLE.fullmatch(text):
        return text
    digits = text.replace("_", "")
    if len(digits.lstrip("+-")) > DIGITS:
        raise Refused(event, f"a number of {len(digits)} digits")
    return int(digits)


def _float(text: str) -> float:
    if text.lower().lstrip("+-") in (".inf", ".nan"):
        sign = -1 if text.startswith("-") else 1
        return sign * (math.inf if "inf" in text.lower() else math.nan)
    return float(text)
