"""Command lines made of real words and junk: commands, options, overrides, runs, files."""

import enum
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import typer.main

from gantext import cli
from gantext.config import groups, schema
from gantext.config.compose import compose
from gantext.evaluation import measures

RUNS = ["gan", "gan", "dpr_gan", "latest", "gan@mle", "gan@nothing", "@mle", "runs/gan", "nobody"]
FILES = ["runs/text.txt", "runs/t.csv", "runs/gan/config.yaml", "runs/grid.png", "x.txt", "x.png"]
PLACES = [*FILES, "runs/p.npz", "no/such/x.txt", "runs", ".", "", "-", "runs/gan/.lock"]
NUMBERS = [
    "0",
    "1",
    "2",
    "7",
    "-1",
    "0.5",
    "1e-400",
    "1e400",
    "nan",
    "-inf",
    "9" * 30,
    "9" * 400,
    "9" * 5000,
    "0x1",
    "\u0661",
]
JUNK = [
    *("", " ", "=", "==", "--", "-", "@", "a=b", "+a=b", "~seed", "?", "*", "[1,", "{a:", "'", '"'),
    *(
        "${oc.env:HOME}",
        "${",
        "x=${y}",
        "\\",
        "\n",
        "\x1b[31m",
        "\u202e",
        "\udcff",
        "é" * 300,
        "%s",
    ),
]
LETTERS = "ab=[]{},.:@'\"$-+ ~#%é\t"  # no slash: what is named as output lies in the folder
# They write into the home folder, go on for as long as a run does, or end when stdin does.
LEFT_OUT = {"--install-completion", "--show-completion", "--resume", "--debug", "--tethered"}
DRY = {"train", "pretrain", "adversarial-train"}


@dataclass(frozen=True)
class Command:
    """A command that there is: its words, and its options, each with words that it may take."""

    words: tuple[str, ...]
    options: dict[str, list[str]]

    @property
    def quick(self) -> bool:
        """Whether it answers at once for small runs: not what computes all or takes long."""
        slow = [("eval", name) for name, row in measures.table().items() if row.slow]
        return self.words not in [("report",), ("eval", "all"), ("eval", "frontier"), *slow]


def commands() -> list[Command]:
    """All quick commands, the bare word gantext among them."""
    return [one for one in _below(typer.main.get_command(cli.app), ()) if one.quick]


def _below(command: Any, words: tuple[str, ...]) -> Iterator[Command]:
    options = {name: _values(one) for one in command.params for name in one.opts}
    kept = {name: values for name, values in options.items() if name.startswith("-")}
    yield Command(words, {name: kept[name] for name in kept.keys() - LEFT_OUT})
    for name, one in getattr(command, "commands", {}).items():
        yield from _below(one, (*words, name))


def _values(option: Any) -> list[str]:
    """Words of the kind that an option's default is; none for one that takes none."""
    if getattr(option, "is_flag", False):
        return []
    if isinstance(option.default, enum.Enum):
        return [str(one.value) for one in type(option.default)]
    if isinstance(option.default, (int, float)):
        return NUMBERS
    return PLACES if isinstance(option.default, Path) else [*PLACES, *RUNS, *NUMBERS]


def overrides() -> list[str]:
    """A key=value for each key of the settings of each model, and each choice of a group."""
    found = {f"{group}={name}" for group in groups.GROUPS for name in groups.names(group)}
    for model in groups.names("model"):
        data = "digits" if model == "image_gan" else "scenes"
        values = schema.flat(compose([f"model={model}", f"data={data}"]))
        found |= {f"{key}={value}" for key, value in values.items()}
    return sorted(found)


def lines(commands: list[Command], overrides: list[str]) -> Callable[[random.Random], list[str]]:
    """What makes a command line."""
    others = [name for one in commands for name in one.options]

    def override(rng: random.Random) -> str:
        word = rng.choice(overrides)
        if rng.random() < 0.6:
            return word
        key = word.partition("=")[0]
        changed = [f"{key}={rng.choice([*NUMBERS, *JUNK, *PLACES])}", key, f"+{word}", f"~{key}"]
        return rng.choice([*changed, f"{key[:-1]}=1", f"{key}x=1", word + ",1"])

    def word(rng: random.Random, command: Command) -> list[str]:
        kind = rng.random()
        if kind < 0.4 and command.options:
            name = rng.choice(sorted(command.options))
            values = command.options[name]
            return [name, rng.choice(values)] if values else [name]
        if kind < 0.65:
            return [rng.choice(RUNS)]
        if kind < 0.8:
            return [override(rng)]
        if kind < 0.9:
            return [rng.choice([*PLACES, *NUMBERS, *others])]
        return [rng.choice(JUNK) if rng.random() < 0.7 else _letters(rng)]

    def made(rng: random.Random) -> list[str]:
        command = rng.choice(commands)
        begin = list(command.words)
        if rng.random() < 0.03:
            begin.insert(rng.randrange(len(begin) + 1), _letters(rng))
        if DRY.intersection(begin):  # first, before anything could take it for something else
            begin.insert(begin.index(command.words[0]) + 1, "--dry-run")
        first = [rng.choice(RUNS)] if rng.random() < 0.5 else []
        rest = [one for _ in range(rng.choice((0, 0, 1, 1, 2, 4))) for one in word(rng, command)]
        return [*begin, *first, *rest]

    return made


def _letters(rng: random.Random) -> str:
    return "".join(rng.choice(LETTERS) for _ in range(rng.randint(1, 12)))
