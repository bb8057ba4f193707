"""Sentences of which each thing is made once: the scores are those of plain lists."""

from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sacrebleu.metrics.bleu import BLEU

from gantext.metrics.text import bleu_scores, copying, corpus_bleu, tokens
from gantext.metrics.text.bleu_scores import self_bleu_scores
from gantext.metrics.text.by_length import bleu_by_length
from gantext.metrics.text.corpus_bleu import corpus_bleu_score
from gantext.metrics.text.diversity import diversity_scores
from gantext.metrics.text.texts import Texts, first

LINES = [f"a {w} sat on the {v}, quietly." for w in ("cat", "dog", "ox") for v in ("mat", "cat's")]
REAL = [*(f"the {w} sat on a {w} mat." for w in ("cat", "dog", "hen")), 'he said "no, a cat".']


def scores(lines: Any, references: Any, training: Any, preset: str) -> list[Any]:
    return [
        *bleu_scores.bleu_scores(lines, references, preset, seed=3),
        *self_bleu_scores(lines, preset, seed=3),
        *bleu_by_length(lines, references, preset, seed=3),
        *diversity_scores(lines, references, training),
        corpus_bleu_score(lines, references),
    ]


@pytest.mark.parametrize("preset", ["texygen", "texygen-fast", "leakgan"])
def test_scores_are_those_of_plain_lists(preset: str) -> None:
    lines, real = LINES * 4, REAL * 3
    made = Texts(lines), Texts(real), Texts(real[::-1])
    plain = scores(lines, real, real[::-1], preset)
    assert str(scores(*made, preset)) == str(plain)
    assert str(scores(*made, preset)) == str(plain)  # of what is kept too


def test_each_thing_is_made_once(monkeypatch: pytest.MonkeyPatch) -> None:
    counts: Counter[str] = Counter()

    def counted(owner: Any, name: str, key: Callable[..., str]) -> None:
        original = getattr(owner, name)

        def wrapper(*args: Any) -> Any:
            counts.update([key(*args)])
            return original(*args)

        monkeypatch.setattr(owner, name, wrapper)

    counted(bleu_scores, "ReferenceIndex", lambda *_: "references indexed")
    counted(corpus_bleu, "ReferenceIndex", lambda *_: "references indexed as sacreBLEU does")
    counted(copying, "CopyIndex", lambda *_: "training text indexed")
    counted(tokens, "_numbered", lambda texts, *_: f"{len(texts)} encoded")
    lines, references, training = Texts(LINES), Texts(REAL), Texts(REAL * 2)
    for _ in range(2):
        scores(lines, references, training, "texygen")
    assert counts == {
        "references indexed": 1,
        "references indexed as sacreBLEU does": 1,
        "training text indexed": 1,
        "6 encoded": 1,
        "4 encoded": 1,
        "8 encoded": 1,
    }


def test_the_first_of_them() -> None:
    texts = Texts(["a", "b", "c"])
    assert first(texts, None) is texts is first(texts, 3) and first(texts, 2) == ["a", "b"]
    assert first(["a", "b"], 1) == ["a"] and list(texts) == texts[:] and texts[1] == "b"


@given(st.text(alphabet="ab Z,.-", max_size=30))
def test_plain_lines_are_cut_as_by_sacrebleu(line: str) -> None:
    assert corpus_bleu.PLAIN.fullmatch(line)
    assert corpus_bleu._words(BLEU(), line) == BLEU().tokenizer(line.rstrip()).split()
