"""Rows of memory: what a score or a corpus holds at most, beside having read the texts.

`python -m bench.memory SCORE FILE REFERENCES` computes one score in a process of its own.
"""

import resource
import sys
import tempfile
from collections.abc import Callable
from functools import cache, partial
from pathlib import Path

from bench.children import ended
from bench.row import Cost, Row, Sizes, Ways
from bench.texts import made_up
from gantext import data
from gantext.config.compose import compose
from gantext.metrics.text.bleu_scores import bleu_scores, self_bleu_scores
from gantext.metrics.text.corpus_bleu import corpus_bleu_score
from gantext.metrics.text.diversity import diversity_scores

Score = Callable[[Path, Path], object]


def lines(path: Path) -> list[str]:
    """The sentences of a file."""
    return path.read_text(encoding="utf-8").splitlines()


def nothing(sentences: Path, references: Path) -> list[list[str]]:
    """Having imported the scores and read the texts."""
    return [lines(sentences), lines(references)]


def bleu(sentences: Path, references: Path) -> None:
    """BLEU-2..5."""
    bleu_scores(lines(sentences), lines(references))


def self_bleu(sentences: Path, references: Path) -> None:
    """Self-BLEU-2..5."""
    self_bleu_scores(lines(sentences))


def corpus_bleu(sentences: Path, references: Path) -> None:
    """BLEU of the whole text."""
    corpus_bleu_score(lines(sentences), lines(references))


def diversity(sentences: Path, references: Path) -> None:
    """Diversity and divergence."""
    diversity_scores(lines(sentences), lines(references), ())


def load(sentences: Path, references: Path) -> None:
    """A corpus to train on."""
    data.load(compose(["model=mle", "data=text", f"data.train={sentences}"]).data)


SCORES: dict[str, Score] = {
    "nothing": nothing,
    "BLEU": bleu,
    "Self-BLEU": self_bleu,
    "corpus BLEU": corpus_bleu,
    "diversity": diversity,
    "a corpus": load,
}


@cache
def texts(sizes: Sizes) -> tempfile.TemporaryDirectory:
    """A folder with sentences and references, removed at the end."""
    folder = tempfile.TemporaryDirectory()
    for name, count in (("sentences", sizes.sentences), ("references", sizes.references)):
        lines = "\n".join(made_up(count)) + "\n"
        (Path(folder.name) / f"{name}.txt").write_text(lines, encoding="utf-8")
    return folder


def memory_ways(score: str, sizes: Sizes) -> Ways:
    """Megabytes."""

    def cost(name: str) -> Cost:
        words = ["-m", "bench.memory", name, "sentences.txt", "references.txt"]
        return lambda: float(ended(words, Path(texts(sizes).name)).said)

    return {"gantext": cost(score), "floor": cost("nothing")}


def rows(sizes: Sizes) -> list[Row]:
    """All of them."""
    count = f"{sizes.sentences:,} sentences"
    return [
        Row("memory", f"{name} of {count}: memory", partial(memory_ways, name), "MB")
        for name in SCORES
        if name != "nothing"
    ]


def main(name: str, *paths: str) -> None:
    """Compute one score, and print the peak memory in megabytes."""
    SCORES[name](*map(Path, paths))
    print(peak())


def peak() -> float:
    """Highest resident memory of this process so far, in megabytes.

    Linux' rusage counts what the process that began this one had, too.
    """
    status = Path("/proc/self/status")
    if status.exists():
        (line,) = (line for line in status.read_text().splitlines() if line.startswith("VmHWM:"))
        return int(line.split()[1]) * 1024 / 1e6
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 1e6


if __name__ == "__main__":
    main(*sys.argv[1:])
