"""What `gantext explain` knows, each thing found by its name: scores, keys, models, data, presets,
what training logs.

Nothing is kept here: scores are explained by gantext/metrics/meanings.py and the table of measures,
keys by the comments of the YAML files and the types of their dataclasses, what is logged by the
figures that models draw of it.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gantext.config import groups, keys
from gantext.config.fields import docstring
from gantext.config.keys import Key
from gantext.errors import UserError, nearest
from gantext.evaluation import measures
from gantext.metrics import meanings
from gantext.metrics.meaning import Better, Meaning
from gantext.metrics.meanings import WAYS
from gantext.metrics.signatures import family
from gantext.metrics.text.planes import PLANES, Axis, Plane
from gantext.metrics.text.presets import PRESETS, Preset
from gantext.metrics.text.published import PUBLISHED

if TYPE_CHECKING:
    from gantext.plots.layouts import Layout


@dataclass(frozen=True)
class Entry:
    """One thing, explained.

    Attributes:
        name: as it was asked for.
        kind: "score", "measure", "key", "preset", "logged while training", or a group of the
            configuration.
        about: what it is, in a sentence or two.
        facts: more, by what they say; a mapping or a list of words is several of one sort.
        text: paragraphs on it.
    """

    name: str
    kind: str
    about: str
    facts: Mapping[str, Any]
    text: Sequence[str] = field(default_factory=list)


def explained(name: str, config_dir: Path | None = None) -> list[Entry]:
    """What has this name: several of different kinds, or of different models.

    A key whose last part it is has it too, unless other keys end so as well: none (`matching`).

    Raises:
        UserError: nothing has it, with the nearest name.
    """
    group, _, option = name.partition("=")
    if option and group in groups.GROUPS:
        found = list(_options(option, config_dir, (group,)))
    else:
        found = [
            *_scores(name),
            *(_preset(one) for one in PRESETS.values() if one.name == name),
            *(_plane(one) for one in PLANES if one.name == name),
            *_options(name, config_dir, groups.GROUPS),
            *(_of_key(key) for key in keys.keys(config_dir) if key.name == name),
        ]
    several = [] if found else matching(name, config_dir)
    if len({key.name for key in several}) == 1:
        return [_of_key(key) for key in several]
    found = found or ([] if several else list(_logged(name)))
    if not (found or several):
        tails = [key.name.rpartition(".")[2] for key in keys.keys(config_dir)]
        hint = nearest(name, [*known(config_dir), *tails])
        raise UserError(f"nothing is called '{name}'{hint}; gantext explain lists what can be")
    return found


def matching(part: str, config_dir: Path | None = None) -> list[Key]:
    """The keys of a group, as model.adversarial, or that end in a name, as rollouts."""
    return [
        key
        for key in keys.keys(config_dir)
        if key.name.startswith(f"{part}.") or key.name.endswith(f".{part}")
    ]


def known(config_dir: Path | None = None) -> list[str]:
    """Every name that can be explained, each once."""
    listed = catalogue(config_dir).values()
    stems = [family(name) for name in meanings.names()]
    return list(dict.fromkeys([*(name for names in listed for name in names), *stems]))


def catalogue(config_dir: Path | None = None) -> dict[str, list[str]]:
    """The names that can be explained, by what they are of."""
    by_command: dict[str, list[str]] = {}
    for one in meanings.MEANINGS:
        by_command.setdefault(one.command, []).extend(one.names)
    by_option: dict[str, list[str]] = {}
    for key in keys.keys(config_dir):
        by_option.setdefault(f"keys of {key.option}" if key.option else "keys", []).append(key.name)
    options = {f"{group}=": groups.names(group, config_dir) for group in groups.GROUPS}
    planes = [plane.name.value for plane in PLANES]
    others = {"measures": [*measures.table()], "presets of BLEU": [*PRESETS], **options}
    others["planes of eval frontier"] = planes
    return {**by_command, **others, **by_option}


def _scores(name: str) -> Iterator[Entry]:
    """A score by its name, also as metrics.jsonl writes it (nll_test), all of a family (bleu), or a
    measure with its scores."""
    read = meanings.read(name) or meanings.read(name.replace("_", "-"))
    if read:
        yield from (_of_meaning(name, one, read) for one in read.meanings)
        return
    stem = [one for one in meanings.MEANINGS if family(one.names[0]) == name]
    if stem:
        yield from (_of_meaning(name, one) for one in stem)
        return
    for row in measures.table().values():
        if name in (*row.columns, *row.summary):  # a plugin's
            rises: Better | None = "higher" if name in row.rising else None
            way: Better | None = "lower" if name in row.falling else rises
            about = row.command.about if row.command else f"A score of {row.name}."
            yield Entry(name, "score", about, {"better": WAYS[way], "computed": row.compute})
        elif name == row.name and row.command is not None:
            own = [one.names for one in meanings.MEANINGS if one.command == f"eval {name}"]
            scores = [score for names in own for score in names] or [*row.columns]
            facts = {"command": f"gantext eval {name}"} | ({"scores": scores} if scores else {})
            yield Entry(name, "measure", row.command.about, facts)


def _of_meaning(name: str, one: Meaning, read: meanings.Read | None = None) -> Entry:
    facts = {
        "here": "; ".join(read.of) if read else "",
        "better": WAYS[read.better if read else one.better],
        "formula": one.formula,
        "scale": one.scale,
        "mind": one.caution,
        "computed": one.computed,
        "source": one.source,
        "command": f"gantext {one.command}",
        "family": [*one.names] if len(one.names) > 1 else [],
    }
    return Entry(name, "score", one.says, {key: said for key, said in facts.items() if said})


def _preset(one: Preset) -> Entry:
    every = "all"
    facts = {
        "scored": one.hypotheses or every,
        "references": one.references or every,
        "smoothing": one.smoothing,
        "tokenizer": one.tokenizer,
        "chosen by": f"--preset {one.name}, eval.preset={one.name}",
    }
    return Entry(one.name, "preset of BLEU", f"{one.about}.", facts)


def _plane(one: Plane) -> Entry:
    at = f", or {one.at:g} beside published points" if one.at else ""
    where = "is the lowest that all curves reach" if one.turns else "is the real text's"
    published = dict.fromkeys(p.source for p in PUBLISHED if p.plane is one.name)
    facts = {
        "across": _axis(one.x),
        "up": _axis(one.y),
        "read": f"{one.reads.score} where {one.where.score} {where}{at}; --at says otherwise",
        "mind": one.mind,
        "computed": f"at each temperature: {', '.join(one.measures)}",
        "published": "; ".join(published),
        "chosen by": f"gantext eval frontier --plane {one.name.value}",
    }
    said = {name: fact for name, fact in facts.items() if fact}
    return Entry(one.name.value, "plane of eval frontier", one.about, said)


def _axis(one: Axis) -> str:
    return f"{one.score} ({one.way} \N{RIGHTWARDS ARROW}), the {one.better} the better"


def _options(name: str, config_dir: Path | None, among: Sequence[str]) -> Iterator[Entry]:
    """The option of that name of each group that has one."""
    for group in among:
        path = groups.path(group, name, config_dir)
        if path is None:
            continue
        facts: dict[str, Any] = {"chosen by": f"gantext train {group}={name}"}
        if group in ("experiment", "recipe"):
            all_of = keys.experiments if group == "experiment" else keys.recipes
            experiment = all_of(config_dir)[name]
            facts |= {"builds on": [*experiment.builds_on]} if experiment.builds_on else {}
            facts |= {"takes": [*experiment.options], "sets": dict(experiment.values)}
            text = list(filter(None, [groups.remarks(group, name, config_dir)]))
        else:
            facts["keys"] = [key.name for key in keys.option_keys(group, name, config_dir)]
            module = keys.module(group, groups.module(group, name, config_dir))
            text = paragraphs(docstring(module))
        yield Entry(f"{group}={name}", group, groups.describe(group, name, config_dir), facts, text)


def _of_key(key: Key) -> Entry:
    facts = {
        "of": key.option,
        "default": key.value,
        "takes": key.type.words if key.type else "",
        "set by": dict(key.changes),
        "stands in": key.where,
    }
    said = {name: fact for name, fact in facts.items() if fact}
    return Entry(key.name, "key", key.comment or "Its file says nothing of it.", said)


def _logged(name: str) -> Iterator[Entry]:
    """A value of metrics.jsonl, by each figure that draws it."""
    if not name.replace("_", "").isalnum():
        return  # the models are imported in vain
    from gantext import models
    from gantext.plots.curves import COURSE, CURVE, LOOKS, POSSIBLE

    of_all = [CURVE, POSSIBLE, *LOOKS, *COURSE]
    using = [(layout, list[str]()) for layout in of_all]
    for model in models.available():
        for layout in models.curves(model):
            if all(layout != one for one, _ in using):
                using.append((layout, []))
            next(those for one, those in using if one == layout).append(model)
    for layout, those in using:
        if name in layout.names or name in layout.band.values():
            yield _of_layout(name, layout, ["all"] if layout in of_all else those)


def _of_layout(name: str, layout: "Layout", using: Sequence[str]) -> Entry:
    line = layout.names.get(name) or "the band, a standard deviation"
    facts = {
        "figure": f"{layout.title}: {line}",
        "scale": layout.ylabel,
        "line at": layout.level[1] if layout.level else "",
        "models": using,
        "stands in": "metrics.jsonl of a run, its report, trackers, some in the line of progress",
    }
    said = {key: fact for key, fact in facts.items() if fact}
    return Entry(name, "logged while training", layout.caption, said)


def paragraphs(text: str) -> list[str]:
    """The paragraphs and the items of lists of a docstring, each in one line."""
    found: list[str] = []
    for block in text.split("\n\n"):
        for place, line in enumerate(block.splitlines()):
            if place == 0 or line.lstrip().startswith("- "):
                found.append(line.strip())
            else:
                found[-1] += f" {line.strip()}"
    return found
