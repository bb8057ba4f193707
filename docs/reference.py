"""Writes docs/glossary.md and docs/config.md: `python -m docs.reference`, or `make docs`.

The glossary is the table of meanings; the reference of the configuration is what the YAML files say
of their keys. Nothing is edited in the pages themselves; a test says when they are stale.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from gantext.config import groups, keys
from gantext.config.keys import Experiment, Key
from gantext.metrics.meaning import Meaning
from gantext.metrics.meanings import MEANINGS, WAYS
from gantext.metrics.text.planes import PLANES
from gantext.metrics.text.presets import PRESETS

FOLDER = Path(__file__).parent
RECIPES = """What a model's settings are on some data, where they differ from its own.
`recipe=MODEL_DATA` is taken with `model=MODEL data=DATA`, by name with others; `recipe=none` leaves
it out."""
WRITTEN = "<!-- Written by `make docs` from {source}; not to be edited here. -->"


def pages() -> dict[str, str]:
    """The pages by the names of their files."""
    return {"glossary.md": glossary(), "config.md": configuration()}


def glossary() -> str:
    """What each score means, by the command that gives it."""
    parts = [
        "# Glossary of scores",
        WRITTEN.format(source="gantext/metrics/*/meanings.py"),
        "What each score says, its formula, which way it is better, and how it is computed here: "
        "`gantext explain NAME` says the same in a terminal. How scores are asked for, what their "
        "signatures say and what published numbers used stands in [scores](scores.md).",
        "A name may say more: `bleu-4[9-12]` is of sentences of 9 to 12 tokens, `retrieval-1-seen` "
        "of captions that the model was trained on, `frechet-real` and the column `real` of real "
        "text or pictures in the samples' place, which is what a perfect model would get.",
    ]
    for command in dict.fromkeys(one.command for one in MEANINGS):
        parts.append(f"## `gantext {command}`")
        parts += [part for one in MEANINGS if one.command == command for part in _meaning(one)]
    parts += [
        "## Presets of BLEU",
        "\n".join(f"- `{p.name}`: {p.about}." for p in PRESETS.values()),
        "## Planes of `gantext eval frontier`",
        "\n".join(
            f"- `{p.name.value}`: `{p.y.score}` over `{p.x.score}`. {p.about} {p.mind}"
            for p in PLANES
        ),
    ]
    return "\n\n".join(parts) + "\n"


def _meaning(one: Meaning) -> list[str]:
    facts = {
        "Formula": f"`{one.formula}`",
        "Better": WAYS[one.better],
        "Scale": _plain(one.scale),
        "Mind": _plain(one.caution),
        "Computed": _plain(one.computed),
        "Source": _plain(one.source),
    }
    listed = "\n".join(f"- {name}: {said}" for name, said in facts.items() if said)
    return [f"### {', '.join(f'`{name}`' for name in one.names)}", _plain(one.says), listed]


def configuration() -> str:
    """Every key with its default, what it takes and what its file says of it."""
    parts = [
        "# Reference of the configuration",
        WRITTEN.format(source="conf/*.yaml"),
        "Every key of a run, with its default and what it takes. `gantext train KEY=VALUE` sets "
        "one, `gantext explain KEY` says the same in a terminal, and `gantext train --cfg job` "
        "prints all of them as composed. A key of `model` or `data` is one of the chosen option's.",
        "\n".join(f"- [{title}](#{_anchor(title)})" for title, _, _ in _tables()),
    ]
    for title, about, found in _tables():
        parts += [f"## {title}", *filter(None, [_plain(about)]), _table(found)]
    parts += ["## Recipes", RECIPES, *_changing("recipe", keys.recipes())]
    parts += ["## Experiments", *_changing("experiment", keys.experiments())]
    return "\n\n".join(parts) + "\n"


def _tables() -> Iterable[tuple[str, str, Sequence[Key]]]:
    yield "Every run", "", keys.main_keys()
    for group in keys.PACKAGES:
        for name in groups.names(group):
            yield f"{group}={name}", groups.describe(group, name), keys.option_keys(group, name)


def _table(found: Sequence[Key]) -> str:
    rows = [
        (f"`{key.name}`", f"`{_cell(key.value)}`", _type(key), _cell(_plain(key.comment)))
        for key in found
    ]
    lines = ["| key | default | takes | what it is |", "| --- | --- | --- | --- |"]
    return "\n".join([*lines, *(f"| {' | '.join(row)} |" for row in rows)])


def _changing(group: str, options: Mapping[str, Experiment]) -> list[str]:
    found = []
    for name, one in options.items():
        takes = ", ".join(f"`{option}`" for option in one.options)
        takes += "".join(f"; all of `experiment={base}` but for these" for base in one.builds_on)
        sets = "\n".join(f"- `{key}={value}`" for key, value in one.values.items())
        about = _plain(groups.describe(group, name))
        more = [_plain(groups.remarks(group, name)), sets]
        found += [f"### `{group}={name}`", f"{about} ({takes}).", *filter(None, more)]
    return found


def _type(key: Key) -> str:
    return _cell(key.type.words) if key.type else ""


def _plain(text: str) -> str:
    """Text in which nothing is markup but what stands between backticks."""
    parts = re.split(r"(`[^`]*`)", text)
    return "".join(part if part.startswith("`") else _escaped(part) for part in parts)


def _escaped(text: str) -> str:
    return re.sub(r"([*\[\]])", r"\\\1", text).replace("<", "&lt;")


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def _anchor(title: str) -> str:
    """The anchor that GitHub and mkdocs give a heading of words, `=` and `_`."""
    return title.lower().replace(" ", "-").replace("=", "")


if __name__ == "__main__":
    for name, text in pages().items():
        (FOLDER / name).write_text(text, encoding="utf-8")
