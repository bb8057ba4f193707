"""Rows of whole commands, in processes of their own, beside Python that only imports.

What is imported is what the command cannot do without.
"""

import itertools
import shutil
import tempfile
from collections.abc import Sequence
from functools import cache, partial
from pathlib import Path

from bench.children import ended, seconds_until
from bench.row import Cost, Row, Sizes, Ways

TABLES = "import typer, rich.table"
TRAIN = [
    "train", "model=mle", "data=scenes", "data.train_size=64", "data.test_size=30",
    "data.validation_size=10", "model.generator.embedding=8", "model.generator.hidden=8",
    "model.mle.epochs=1", "model.mle.batch_size=8", "eval.samples=50", "log.trackers=[]",
    "threads=1", "device=cpu",
]  # fmt: skip
COUNT = itertools.count()


@cache
def workshop() -> tempfile.TemporaryDirectory:
    """A folder with one tiny run, removed at the end; stored scores of BLEU are in it."""
    folder = tempfile.TemporaryDirectory()
    ended(["-m", "gantext", *TRAIN], Path(folder.name))
    ended(["-m", "gantext", "eval", "bleu"], Path(folder.name))
    return folder


def place() -> Path:
    """That folder."""
    return Path(workshop().name)


def cost(words: Sequence[str]) -> Cost:
    """Milliseconds of `python WORDS` beside the run."""
    return lambda: 1e3 * ended(list(words), place()).seconds


def only_run() -> Path:
    """The folder of the run."""
    runs = (place() / "runs").iterdir()
    (run,) = (path for path in runs if path.is_dir() and not path.is_symlink())
    return run


def command_ways(words: Sequence[str], imports: str, sizes: Sizes) -> Ways:
    """A command of gantext."""
    return {"gantext": cost(["-m", "gantext", *words]), "floor": cost(["-c", imports])}


def reported(copy: Path) -> float:
    """Milliseconds of a report of a run's copy."""
    words = ["-m", "gantext", "report", str(copy), "--out", "report.html"]
    return 1e3 * ended(words, place()).seconds


def new_copy() -> Path:
    """The run once more, without any scores of a report."""
    return Path(shutil.copytree(only_run(), place() / f"fresh-{next(COUNT)}"))


def report_ways(sizes: Sizes) -> Ways:
    """A report of a run that has none of its own scores yet."""
    needed = "import torch, matplotlib.pyplot, jinja2"
    return {"gantext": lambda: reported(new_copy()), "floor": cost(["-c", needed])}


def stored_report_ways(sizes: Sizes) -> Ways:
    """The same of a run all of whose scores and figures are stored."""
    copy = next(place().glob("fresh-*"), None) or new_copy()
    reported(copy)
    return {"gantext": lambda: reported(copy), "floor": cost(["-c", "import torch, jinja2"])}


def list_ways(words: Sequence[str], sizes: Sizes) -> Ways:
    """A list of many finished runs, of which there is an index."""
    many, run = place() / "many", only_run()
    for number in range(0 if many.exists() else sizes.runs):
        copy = many / f"run-{number:05d}"
        copy.mkdir(parents=True)
        for name in ("config.yaml", "run.json", "result.json"):
            shutil.copy(run / name, copy)
    ended(["-m", "gantext", "runs", "list", "--runs-dir", "many"], place())
    return command_ways(["runs", "list", "--runs-dir", "many", *words], TABLES, sizes)


def first_line_ways(sizes: Sizes) -> Ways:
    """A training until something stands on the terminal."""
    words = ["-m", "gantext", *TRAIN, "name=unseen"]
    return {
        "gantext": lambda: 1e3 * seconds_until(b"gantext ", words, place()),
        "floor": cost(["-c", TABLES]),
    }


COMMANDS = [
    ("start", "gantext --help", ["--help"], TABLES),
    ("start", "gantext runs list", ["runs", "list"], TABLES),
    ("start", "gantext sample -n 1", ["sample", "-n", "1"], "import torch, safetensors.torch"),
    ("start", "gantext eval bleu, its scores stored", ["eval", "bleu"], TABLES),
]


def rows(sizes: Sizes) -> list[Row]:
    """All of them."""
    made = [
        Row(group, name, partial(command_ways, words, imports))
        for group, name, words, imports in COMMANDS
    ]
    return [
        *made,
        Row("start", "gantext train, until its first line", first_line_ways),
        Row("start", f"gantext runs list of {sizes.runs:,} runs", partial(list_ways, [])),
        Row("start", f"gantext runs list --json of {sizes.runs:,} runs",
            partial(list_ways, ["--json"])),
        Row("report", "gantext report of a fresh, tiny run", report_ways),
        Row("report", "gantext report of that run, everything stored", stored_report_ways),
    ]  # fmt: skip
