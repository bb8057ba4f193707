"""Time and memory of BLEU-2..5 and Self-BLEU-2..5: 10,000 hypotheses, 10,000 references.

    GANTEXT_DATA=FOLDER python bench/bleu.py

With GANTEXT_DATA the references are coco/test_coco.txt and the hypotheses coco/image_coco.txt;
without it both are made up, with word frequencies like those of real text. Beside gantext stand
a plain version with dictionaries, and nltk, which scores a few hypotheses only: its time for all
of them is extrapolated.
"""

import os
import resource
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from nltk.tokenize import NLTKWordTokenizer
from nltk.translate.bleu_score import SmoothingFunction, sentence_bleu
from rich.console import Console
from rich.table import Table

from gantext.metrics.text.bleu import ReferenceIndex, self_bleu
from gantext.metrics.text.bleu_scores import bleu_scores, self_bleu_scores
from gantext.metrics.text.tokens import tokenized

SIZE = 10_000
NLTK_SIZE = 3
Corpus = list[list[str]]
Gram = tuple[str, ...]


class Stopwatch:
    """Seconds by the name of what took them."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}

    @contextmanager
    def __call__(self, name: str) -> Iterator[None]:
        start = time.perf_counter()
        yield
        self.seconds[name] = time.perf_counter() - start


def texts() -> tuple[list[str], list[str], str]:
    """Return hypotheses, references and where they are from."""
    folder = os.environ.get("GANTEXT_DATA")
    if folder is None:
        return made_up(1), made_up(2), "made-up text (GANTEXT_DATA is not set)"
    files = [Path(folder) / "coco" / name for name in ("image_coco.txt", "test_coco.txt")]
    hypotheses, references = (file.read_text(encoding="utf-8").splitlines() for file in files)
    return hypotheses[:SIZE], references[:SIZE], "COCO captions"


def made_up(seed: int) -> list[str]:
    """Sentences of 7..15 words, Zipf's law with exponent 1.3 over 5,000 words, a final stop."""
    rng = np.random.default_rng(seed)
    lengths = rng.integers(7, 16, SIZE)
    words = iter(rng.zipf(1.3, int(lengths.sum())) % 5000)
    return [" ".join(f"w{next(words)}" for _ in range(length)) + "." for length in lengths]


def peak_memory() -> float:
    """Highest resident memory of this process so far, in megabytes."""
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 1e6


def counted(sentences: Corpus) -> list[Counter[Gram]]:
    return [
        Counter(tuple(s[i : i + n]) for n in range(1, 6) for i in range(len(s) - n + 1))
        for s in sentences
    ]


def plain_matches(references: Corpus, hypotheses: Corpus) -> list[int]:
    """The counting of BLEU with dictionaries of tuples, without its logarithms."""
    highest: dict[Gram, int] = {}
    for counter in counted(references):
        for gram, count in counter.items():
            highest[gram] = max(count, highest.get(gram, 0))
    return [
        sum(min(count, highest.get(gram, 0)) for gram, count in counter.items())
        for counter in counted(hypotheses)
    ]


def plain_self_matches(sentences: Corpus) -> list[int]:
    """The same for Self-BLEU, by the two highest counts of each n-gram."""
    counters = counted(sentences)
    highest: dict[Gram, tuple[int, int]] = {}
    for counter in counters:
        for gram, count in counter.items():
            first, second = highest.get(gram, (0, 0))
            highest[gram] = (max(first, count), max(second, min(first, count)))
    return [
        sum(min(n, highest[gram][n == highest[gram][0]]) for gram, n in counter.items())
        for counter in counters
    ]


def nltk_bleu(references: Corpus, hypotheses: Corpus) -> list[list[float]]:
    """BLEU-2..5 of each hypothesis, the four in one call (nltk counts once for all of them)."""
    weights = [(1 / n,) * n for n in range(2, 6)]
    smoothing = SmoothingFunction().method1
    return [sentence_bleu(references, h, weights, smoothing) for h in hypotheses]


def nltk_self_bleu(sentences: Corpus, size: int) -> list[list[float]]:
    return [nltk_bleu(sentences[:i] + sentences[i + 1 :], [sentences[i]])[0] for i in range(size)]


def measure(hypotheses: list[str], references: list[str], watch: Stopwatch) -> float:
    """Time gantext's steps apart, then from text to scores; return its peak memory."""
    with watch("tokens"):
        tokens = tokenized(hypotheses, "nltk")
        reference_tokens = tokenized(references, "nltk")
    with watch("bleu"):
        ReferenceIndex(reference_tokens).bleu(tokens)
    with watch("self"):
        self_bleu(tokens)
    with watch("all"):
        bleu_scores(hypotheses, references)
        self_bleu_scores(hypotheses)
    return peak_memory()


def compare(hypotheses: list[str], references: list[str], watch: Stopwatch) -> float:
    """Time the plain version and nltk; return the peak memory after the plain version."""
    tokenizer = NLTKWordTokenizer()
    with watch("nltk tokens"):
        tokens = [tokenizer.tokenize(text) for text in hypotheses]
        reference_tokens = [tokenizer.tokenize(text) for text in references]
    with watch("plain bleu"):
        plain_matches(reference_tokens, tokens)
    with watch("plain self"):
        plain_self_matches(tokens)
    memory = peak_memory()
    with watch("nltk bleu"):
        nltk_bleu(reference_tokens, tokens[:NLTK_SIZE])
    with watch("nltk self"):
        nltk_self_bleu(tokens, NLTK_SIZE)
    return memory


def table(watch: Stopwatch, ours: float, plain: float, title: str) -> Table:
    def cell(seconds: float) -> str:
        return f"{seconds:.2f} s" if seconds < 1000 else f"{seconds / 3600:.1f} h"

    s = watch.seconds
    scale = SIZE / NLTK_SIZE
    nltk_bleu_all, nltk_self_all = s["nltk bleu"] * scale, s["nltk self"] * scale
    nltk_all = s["nltk tokens"] + nltk_bleu_all + nltk_self_all
    plain_all = s["nltk tokens"] + s["plain bleu"] + s["plain self"]
    rows: list[tuple[str, float, float, float]] = [
        ("tokens of both sets", s["tokens"], s["nltk tokens"], s["nltk tokens"]),
        ("BLEU-2..5", s["bleu"], s["plain bleu"], nltk_bleu_all),
        ("Self-BLEU-2..5", s["self"], s["plain self"], nltk_self_all),
        ("text to all scores", s["all"], plain_all, nltk_all),
    ]
    result = Table(title=title, caption=f"nltk extrapolated from {NLTK_SIZE} hypotheses")
    for heading in ("", "gantext", "plain dictionaries", "nltk"):
        result.add_column(heading, justify="right" if heading else "left")
    for name, *seconds in rows:
        result.add_row(name, *map(cell, seconds))
    result.add_row("peak memory", f"{ours:.0f} MB", f"{plain:.0f} MB", "")
    return result


def main() -> None:
    hypotheses, references, source = texts()
    watch = Stopwatch()
    start_memory = peak_memory()
    ours = measure(hypotheses, references, watch)
    plain = compare(hypotheses, references, watch)
    title = f"{len(hypotheses):,} hypotheses, {len(references):,} references: {source}"
    console = Console()
    console.print(table(watch, ours, plain, title))
    console.print(f"Before the first score the process held {start_memory:.0f} MB.")


if __name__ == "__main__":
    main()
