"""Time and peak memory of the text metrics: 1,000,000 sentences, 10,000 references.

    GANTEXT_DATA=FOLDER python bench/memory.py [SENTENCES]

The sentences are made of three-word pieces of real ones. With GANTEXT_DATA these, and the training
text, are coco/image_coco.txt, and the references coco/test_coco.txt; without it both are drawn
from the embedded scenes. Each metric runs in a process of its own, which first reads the
compressed file.
"""

import gzip
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.table import Table

from gantext.data.lines import read_lines
from gantext.data.scenes.english import grammar
from gantext.metrics.text.bleu_scores import bleu_scores, self_bleu_scores
from gantext.metrics.text.copying import CopyIndex
from gantext.metrics.text.corpus_bleu import corpus_bleu_score
from gantext.metrics.text.diversity import diversity_scores

SENTENCES = 1_000_000
SIZE = 10_000
PIECE = 3
# Sentences that are made at a time.
BLOCK = 50_000


def read_only(lines: list[str], references: list[str], training: list[str]) -> None:
    """The rest of the table holds this much more than its metric needs."""


def bleu(lines: list[str], references: list[str], training: list[str]) -> None:
    bleu_scores(lines, references)


def self_bleu(lines: list[str], references: list[str], training: list[str]) -> None:
    self_bleu_scores(lines)


def corpus_bleu(lines: list[str], references: list[str], training: list[str]) -> None:
    corpus_bleu_score(lines, references)


def copying(lines: list[str], references: list[str], training: list[str]) -> None:
    index = CopyIndex(training)
    index.verbatim(lines)
    index.longest(lines)


def diversity(lines: list[str], references: list[str], training: list[str]) -> None:
    diversity_scores(lines, references, ())


def everything(lines: list[str], references: list[str], training: list[str]) -> None:
    bleu_scores(lines, references)
    self_bleu_scores(lines)
    corpus_bleu_score(lines, references)
    diversity_scores(lines, references, training)


METRICS: dict[str, Callable[[list[str], list[str], list[str]], None]] = {
    "reading the file": read_only,
    "BLEU-2..5": bleu,
    "Self-BLEU-2..5": self_bleu,
    "corpus BLEU": corpus_bleu,
    "diversity, divergence": diversity,
    "copying": copying,
    "all of them in one process": everything,
}


def sources() -> tuple[list[str], list[str], str]:
    """Return training sentences, references and where they are from."""
    folder = os.environ.get("GANTEXT_DATA")
    if folder is None:
        train, test = (drawn(seed) for seed in (1, 2))
        return train, test, "the embedded scenes (GANTEXT_DATA is not set)"
    files = [Path(folder) / "coco" / name for name in ("image_coco.txt", "test_coco.txt")]
    train, test = (read_lines(file, [])[:SIZE] for file in files)
    return train, test, "COCO captions"


def drawn(seed: int) -> list[str]:
    rng = np.random.default_rng(seed)
    return [" ".join(grammar().sample(rng)) for _ in range(SIZE)]


def made_up(given: list[str], size: int) -> Iterator[str]:
    """Sentences as long as the given ones, of pieces of three words from anywhere in them."""
    rng = np.random.default_rng(0)
    sentences = [line.rstrip(" .").split() for line in given]
    stream = np.array([word for sentence in sentences for word in sentence], object)
    lengths = np.array([len(sentence) for sentence in sentences])
    pieces = -(-int(lengths.max()) // PIECE)
    for start in range(0, size, BLOCK):
        rows = min(BLOCK, size - start)
        places = rng.integers(0, stream.size - PIECE, (rows, pieces, 1)) + np.arange(PIECE)
        words = stream[places.reshape(rows, -1)].tolist()
        ends = rng.choice(lengths, rows).tolist()
        for sentence, end in zip(words, ends, strict=True):
            yield " ".join(sentence[:end]) + "."


def write(path: Path, given: list[str], size: int) -> float:
    """Write the sentences; return their mean number of words."""
    words = 0
    with gzip.open(path, "wt", encoding="utf-8", compresslevel=1) as file:
        for line in made_up(given, size):
            words += 1 + line.count(" ")
            file.write(line + "\n")
    return words / size


def peak_memory() -> float:
    """Highest resident memory of this process so far, in gigabytes."""
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 1e9


def measure(name: str, path: Path) -> None:
    """Run one metric in this process, and print its seconds and peak memory as JSON."""
    training, references, _ = sources()
    lines = read_lines(path, [])
    start = time.perf_counter()
    METRICS[name](lines, references, training)
    print(json.dumps([time.perf_counter() - start, peak_memory()]))


def compare(size: int) -> Table:
    training, _, source = sources()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "sentences.txt.gz"
        mean = write(path, training, size)
        table = Table(title=f"{size:,} sentences of {mean:.1f} words, made of {source}")
        for heading in ("metric", "seconds", "peak GB"):
            table.add_column(heading, justify="left" if heading == "metric" else "right")
        for name in METRICS:
            command = [sys.executable, __file__, name, str(path)]
            done = subprocess.run(command, check=True, capture_output=True, text=True)
            seconds, memory = json.loads(done.stdout)
            table.add_row(name, f"{seconds:.1f}", f"{memory:.2f}")
    return table


def main() -> None:
    if len(sys.argv) == 3:
        measure(sys.argv[1], Path(sys.argv[2]))
    else:
        Console().print(compare(int(sys.argv[1]) if len(sys.argv) == 2 else SENTENCES))


if __name__ == "__main__":
    main()
