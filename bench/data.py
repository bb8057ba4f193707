"""Time and memory of loading text, per million sentences: the first time, and each time after it.

    python bench/data.py [SENTENCES]

The sentences are made of three-word pieces of captions (coco/image_coco.txt under GANTEXT_DATA, or
else the embedded scenes), one word in fifty a rare one. Each load runs in a process of its own, and
what that takes without data is taken off. Times are of the processor.
"""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np

SENTENCES = 1_000_000
PIECE = 3
BLOCK = 50_000  # sentences that are made at a time
RARE, SHARE = 20_000, 0.02  # different words, and how many of all words are of them
# Loads the text in the file that it is given, and prints seconds, bytes and the corpus's hash.
LOAD = """
import json, resource, sys, time
from gantext import data
from gantext.config.compose import compose_data
from gantext.data import prepared, text
cfg = compose_data(["data=text", f"data.train={sys.argv[1]}", "data.validation=1000"])
def taken():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
before, start = taken(), time.process_time()
corpus = data.load(cfg)
rows = sum(map(len, (corpus.train, corpus.validation, corpus.test)))
print(json.dumps([time.process_time() - start, taken() - before, rows, len(corpus.vocabulary)]))
"""


def captions() -> list[str]:
    """Real ones, or the embedded ones."""
    folder = os.environ.get("GANTEXT_DATA")
    if folder:
        return Path(folder, "coco", "image_coco.txt").read_text("utf-8").splitlines()
    from gantext.data.scenes.english import grammar

    rng = np.random.default_rng(1)
    return [" ".join(grammar().sample(rng)) for _ in range(10_000)]


def sentences(size: int) -> Iterator[str]:
    """As long as captions are, of pieces of them, and of rare words, some far rarer than others."""
    rng = np.random.default_rng(0)
    given = [line.rstrip(" .").split() for line in captions()]
    stream = np.array([word for words in given for word in words], object)
    lengths = np.array([len(words) for words in given])
    rare = np.array([f"rare{number}" for number in range(RARE)], object)
    weights = 1 / np.arange(1, RARE + 1)
    pieces = -(-int(lengths.max()) // PIECE)
    for start in range(0, size, BLOCK):
        rows = min(BLOCK, size - start)
        places = rng.integers(0, len(stream) - PIECE, (rows, pieces, 1)) + np.arange(PIECE)
        words = stream[places.reshape(rows, -1)]
        others = rng.random(words.shape) < SHARE
        words[others] = rng.choice(rare, others.sum(), p=weights / weights.sum())
        ends = rng.choice(lengths, rows).tolist()
        yield from (
            " ".join(row[:end]) + " ." for row, end in zip(words.tolist(), ends, strict=True)
        )


def loaded(path: Path, cache: str) -> tuple[float, float, int, int]:
    """Seconds, bytes, sentences and words of a load in a process of its own."""
    found = subprocess.run(
        [sys.executable, "-c", LOAD, str(path)],
        env={**os.environ, "XDG_CACHE_HOME": cache, "OMP_NUM_THREADS": "1"},
        check=True,
        capture_output=True,
        text=True,
    )
    seconds, taken, rows, words = json.loads(found.stdout)
    return seconds, taken, rows, words


def main() -> None:
    size = int(sys.argv[1]) if len(sys.argv) == 2 else SENTENCES
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "sentences.txt"
        with path.open("w", encoding="utf-8") as file:
            file.writelines(line + "\n" for line in sentences(size))
        print(f"{size:,} sentences, {path.stat().st_size / 1e6:,.0f} MB of text")
        for name in ("first load", "each later one"):
            seconds, taken, rows, words = loaded(path, folder)
            share = 1e6 / rows
            print(
                f"{name}: {seconds * share:.2f} s and {taken * share / 1e6:,.0f} MB a million "
                f"sentences ({seconds:.2f} s, {taken / 1e6:,.0f} MB, {words:,} words)"
            )


if __name__ == "__main__":
    main()
