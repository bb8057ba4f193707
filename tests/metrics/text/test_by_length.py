"""Means by sentence length: the borders of the buckets, and that they add up to the whole."""

import math

import numpy as np
import pytest
from nltk.translate.bleu_score import SmoothingFunction, sentence_bleu

from gantext.metrics.score import Score
from gantext.metrics.text.bleu_scores import bleu_scores
from gantext.metrics.text.by_length import BUCKETS, bleu_by_length, by_length

LABELS = ["1-8", "9-12", "13-16", "17+"]


def texts(size: int, seed: int) -> list[str]:
    """Sentences of 0..24 of six words; none of 13 to 16."""
    rng = np.random.default_rng(seed)
    lengths = rng.choice([*range(13), *range(17, 25)], size)
    return [" ".join(rng.choice(list("abcdef"), length)) for length in lengths]


def of_order(scores: list[Score], n: int) -> list[Score]:
    return [score for score in scores if score.name.startswith(f"bleu-{n}[")]


def test_borders_by_hand() -> None:
    """Lengths 0, 1, 8 | 9, 12 | none | 17, 40 with values 1..7: means 2, 4.5, none, 6.5."""
    values = np.arange(1.0, 8)
    lengths = np.array([0, 1, 8, 9, 12, 17, 40])
    scores = by_length("x", values, lengths, {"seed": 3, "sentences": 7})
    assert [score.name for score in scores] == [f"x[{label}]" for label in LABELS]
    assert [score.value for score in scores] == pytest.approx([2, 4.5, math.nan, 6.5], nan_ok=True)
    assert [score.signature["sentences"] for score in scores] == [3, 2, 0, 2]
    assert scores[1].signature == {"seed": 3, "sentences": 2, "length": "9-12"}


def test_16_and_17_part() -> None:
    scores = by_length("x", np.array([1.0, 2.0, 3.0]), np.array([13, 16, 17]), {})
    assert [score.value for score in scores[2:]] == [1.5, 3]


@pytest.mark.parametrize("preset", ["texygen", "leakgan", "relgan"])
def test_buckets_add_up_to_the_presets_bleu(preset: str) -> None:
    lines, references = texts(300, 1), texts(80, 2)
    parts = bleu_by_length(lines, references, preset, seed=4, data_hash="abc")
    whole = bleu_scores(lines, references, preset, seed=4, data_hash="abc")
    assert len(parts) == 4 * len(BUCKETS)
    for score in whole:
        mine = of_order(parts, int(str(score.signature["n"])))
        counts = [int(str(part.signature["sentences"])) for part in mine]
        assert sum(counts) == score.signature["hypotheses"]
        assert counts[2] == 0 < min(counts[0], counts[1], counts[3])
        total = sum(p.value * c for p, c in zip(mine, counts, strict=True) if c)
        assert total / sum(counts) == pytest.approx(score.value, rel=1e-12)
        for part in mine:
            assert score.signature.items() <= part.signature.items()


def test_a_bucket_equals_nltk_on_its_sentences() -> None:
    """All references serve every bucket."""
    lines, references = texts(60, 1), [line.split() for line in texts(40, 2)]
    chosen = [line.split() for line in lines if 9 <= len(line.split()) <= 12]
    smooth = SmoothingFunction().method1
    nltk = [sentence_bleu(references, hypothesis, [1 / 3] * 3, smooth) for hypothesis in chosen]
    scores = bleu_by_length(lines, [" ".join(reference) for reference in references])
    ours = next(score for score in scores if score.name == "bleu-3[9-12]")
    assert ours.signature["sentences"] == len(chosen) > 3
    assert ours.value == pytest.approx(np.mean(nltk), rel=1e-12)


def test_order_and_copies_of_the_references() -> None:
    """Shuffling changes nothing; the references themselves score 1 where five tokens long."""
    lines, references = texts(50, 1), texts(30, 2)
    scores = bleu_by_length(lines, references)
    again = bleu_by_length(lines[::-1], references[::-1])
    values = [score.value for score in again]
    assert values == pytest.approx([score.value for score in scores], rel=1e-12, nan_ok=True)
    long = [line for line in references if len(line.split()) >= 5]
    best = [score.value for score in bleu_by_length(long, long)]
    assert [v for v in best if not math.isnan(v)] == pytest.approx([1] * 12)


def test_lengths_must_fit_the_values() -> None:
    with pytest.raises(ValueError, match="values, but"):
        by_length("x", np.zeros(3), np.zeros(2, np.int64), {})
