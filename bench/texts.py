"""Rows of text: BLEU and Self-BLEU beside plain dictionaries and nltk, and loading a corpus.

Texts are made up, with word frequencies like those of real text, and new each time, so that
nothing that is kept from the time before counts.
"""

import itertools
import os
import tempfile
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import numpy as np
from nltk.tokenize import NLTKWordTokenizer
from nltk.translate.bleu_score import SmoothingFunction, sentence_bleu

from bench.row import Cost, Row, Sizes, Ways, milliseconds, seconds
from gantext import data
from gantext.config.compose import compose
from gantext.metrics.text.bleu_scores import bleu_scores, reference_index, self_bleu_scores

NLTK_SENTENCES = 2  # that nltk scores; all are taken to cost as much
Corpus = list[list[str]]
Gram = tuple[str, ...]
SEEDS = itertools.count()


def made_up(count: int) -> list[str]:
    """Sentences of 7..15 words, Zipf's law with exponent 1.3 over 5,000 words, a final stop."""
    draws = np.random.default_rng(next(SEEDS))
    lengths = draws.integers(7, 16, count)
    words = iter((draws.zipf(1.3, int(lengths.sum())) % 5000).tolist())
    return [" ".join(f"w{next(words)}" for _ in range(length)) + "." for length in lengths]


# BLEU


def tokens_of(texts: list[str]) -> Corpus:
    """nltk's own tokens."""
    tokenizer = NLTKWordTokenizer()
    return [tokenizer.tokenize(text) for text in texts]


def counted(sentences: Corpus) -> list[Counter[Gram]]:
    """Each sentence's n-grams of up to five words."""
    return [
        Counter(tuple(s[i : i + n]) for n in range(1, 6) for i in range(len(s) - n + 1))
        for s in sentences
    ]


def plain_matches(hypotheses: list[str], references: list[str]) -> list[int]:
    """The counting of BLEU with dictionaries of tuples, without its logarithms."""
    highest: dict[Gram, int] = {}
    for counter in counted(tokens_of(references)):
        for gram, count in counter.items():
            highest[gram] = max(count, highest.get(gram, 0))
    return [
        sum(min(count, highest.get(gram, 0)) for gram, count in counter.items())
        for counter in counted(tokens_of(hypotheses))
    ]


def plain_self_matches(sentences: list[str]) -> list[int]:
    """The same for Self-BLEU, by the two highest counts of each n-gram."""
    counters = counted(tokens_of(sentences))
    highest: dict[Gram, tuple[int, int]] = {}
    for counter in counters:
        for gram, count in counter.items():
            first, second = highest.get(gram, (0, 0))
            highest[gram] = (max(first, count), max(second, min(first, count)))
    return [
        sum(min(n, highest[gram][n == highest[gram][0]]) for gram, n in counter.items())
        for counter in counters
    ]


def nltk_bleu(hypotheses: list[str], references: list[str]) -> float:
    """Milliseconds of BLEU-2..5 by nltk, the four in one call, from a few of the hypotheses."""
    weights, chosen = [(1 / n,) * n for n in range(2, 6)], tokens_of(hypotheses[:NLTK_SENTENCES])
    against, smoothing = tokens_of(references), SmoothingFunction().method1

    def score() -> None:
        for hypothesis in chosen:
            sentence_bleu(against, hypothesis, weights, smoothing)

    return 1e3 * seconds(score) * len(hypotheses) / len(chosen)


def bleu_ways(nltk: bool, sizes: Sizes) -> Ways:
    """Texts to BLEU-2..5, as many references as hypotheses."""
    count = sizes.references

    def gantext() -> float:
        texts = made_up(count), made_up(count)
        return 1e3 * seconds(lambda: bleu_scores(*texts))

    def plain() -> float:
        texts = made_up(count), made_up(count)
        return nltk_bleu(*texts) if nltk else 1e3 * seconds(lambda: plain_matches(*texts))

    return {"gantext": gantext, "plain": plain}


def growth_ways(sizes: Sizes) -> Ways:
    """Cutting and counting ten times as many references; the floor is ten times those of one."""

    def timed(count: int, times: int) -> Cost:
        def cost() -> float:
            texts = made_up(count)
            return times * seconds(lambda: reference_index(texts, "nltk"))

        return cost

    return {"gantext": timed(10 * sizes.sentences, 1), "floor": timed(sizes.sentences, 10)}


def self_bleu_ways(sizes: Sizes) -> Ways:
    """Texts to Self-BLEU-2..5."""

    def timed(score) -> Cost:
        def cost() -> float:
            texts = made_up(sizes.references)
            return milliseconds(lambda: score(texts))()

        return cost

    return {"gantext": timed(self_bleu_scores), "plain": timed(plain_self_matches)}


# Loading


def plain_load(path: Path) -> list[list[int]]:
    """A script's way: lines, words, how often each is, numbers by frequency."""
    with open(path, encoding="utf-8") as file:
        sentences = [line.lower().split() for line in file]
    seen = Counter(word for sentence in sentences for word in sentence)
    numbers = {word: number for number, (word, _) in enumerate(seen.most_common(), 4)}
    return [[numbers[word] for word in sentence] for sentence in sentences]


@contextmanager
def own_cache(folder: Path) -> Iterator[None]:
    """What is kept between loads goes where it is thrown away."""
    before = os.environ.get("XDG_CACHE_HOME")
    os.environ["XDG_CACHE_HOME"] = str(folder)
    try:
        yield
    finally:
        os.environ.pop("XDG_CACHE_HOME")
        if before is not None:
            os.environ["XDG_CACHE_HOME"] = before


def load_ways(again: bool, sizes: Sizes) -> Ways:
    """Seconds of a million sentences, from fewer; `again`: of a file that was loaded before."""
    scale = 1e6 / sizes.sentences

    def written(folder: str) -> Path:
        path = Path(folder) / "sentences.txt"
        path.write_text("\n".join(made_up(sizes.sentences)) + "\n", encoding="utf-8")
        return path

    def gantext() -> float:
        with tempfile.TemporaryDirectory() as folder, own_cache(Path(folder)):
            words = [f"data.train={written(folder)}", "data.tokenizer=whitespace"]
            settings = compose(["model=mle", "data=text", *words])
            if again:
                data.load(settings.data)
            return scale * seconds(lambda: data.load(settings.data))

    def plain() -> float:
        with tempfile.TemporaryDirectory() as folder:
            path = written(folder)
            return scale * seconds(lambda: plain_load(path))

    return {"gantext": gantext, "plain": plain}


def rows(sizes: Sizes) -> list[Row]:
    """All of them."""
    count = f"{sizes.references:,}"
    load = f"a million sentences (of {sizes.sentences:,}, scaled)"
    return [
        Row("bleu", f"BLEU-2..5, {count} against {count}", partial(bleu_ways, False)),
        Row("bleu", f"BLEU-2..5, {count} against {count}; plain is nltk, of "
            f"{NLTK_SENTENCES}, scaled", partial(bleu_ways, True)),
        Row("bleu", f"index of {10 * sizes.sentences:,} references; floor is ten times that of "
            f"{sizes.sentences:,}", growth_ways, "s"),
        Row("self-bleu", f"Self-BLEU-2..5, {count}", self_bleu_ways),
        Row("load", f"load {load}: the first time", partial(load_ways, False), "s"),
        Row("load", f"load {load}: again", partial(load_ways, True), "s"),
    ]  # fmt: skip
