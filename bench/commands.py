"""Rows of whole commands, in processes of their own, beside Python that only imports.

What is imported is what the command cannot do without.
"""

import itertools
import shutil
import tempfile
from collections.abc import Sequence
from functools import cache, partial
from pathlib import Path

from bench.children import ended
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


def command_ways(words: Sequence[str], imports: str, sizes: Sizes) -> Ways:
    """A command of gantext."""
    return {"gantext": cost(["-m", "gantext", *words]), "floor": cost(["-c", imports])}


def report_ways(sizes: Sizes) -> Ways:
    """A report of a run that has none of its own scores yet."""

    def fresh() -> float:
        runs = place() / "runs"
        (run,) = (path for path in runs.iterdir() if path.is_dir() and not path.is_symlink())
        copy = place() / f"fresh-{next(COUNT)}"
        shutil.copytree(run, copy)
        words = ["-m", "gantext", "report", str(copy), "--out", "report.html"]
        return 1e3 * ended(words, place()).seconds

    return {"gantext": fresh, "floor": cost(["-c", "import torch, matplotlib.pyplot, jinja2"])}


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
    return [*made, Row("report", "gantext report of a fresh, tiny run", report_ways)]
