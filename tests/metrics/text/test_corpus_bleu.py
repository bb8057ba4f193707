"""Corpus BLEU against sacreBLEU with its explicit reference streams."""

import logging

import numpy as np
import pytest
import sacrebleu
from hypothesis import given, settings
from hypothesis import strategies as st
from sacrebleu.metrics.bleu import BLEU

from gantext import __version__
from gantext.errors import UserError
from gantext.metrics.score import signature_line
from gantext.metrics.text.corpus_bleu import CHARACTERS, corpus_bleu_score

logging.getLogger("sacrebleu").setLevel(logging.ERROR)  # it remarks on tokenised full stops

# Pieces whose joins exercise the 13a tokenizer: case, entities, decimals, a final full stop.
PIECES = st.sampled_from(
    ["a", "a", "b", "b", "A", "dog", "dog.", "3.5", "it's", "&amp;", "x-y", " "]
)
TEXT = st.lists(PIECES, max_size=9).map(" ".join)
TEXTS = st.lists(TEXT, min_size=1, max_size=6)


@given(hypotheses=TEXTS, references=TEXTS, lowercase=st.booleans())
@settings(max_examples=150, deadline=None)
def test_equals_sacrebleu(hypotheses: list[str], references: list[str], lowercase: bool) -> None:
    streams = [[reference] * len(hypotheses) for reference in references]
    theirs = sacrebleu.corpus_bleu(hypotheses, streams, lowercase=lowercase)
    ours = corpus_bleu_score(hypotheses, references, lowercase=lowercase)
    assert ours.value == theirs.score


def test_equals_sacrebleu_on_longer_text() -> None:
    """Enough matches of all four orders that no precision is zero."""
    rng = np.random.default_rng(3)

    def texts(size: int) -> list[str]:
        return [" ".join(rng.choice(list("abcdef"), n)) for n in rng.integers(1, 15, size)]

    hypotheses, references = texts(40), texts(30)
    theirs = sacrebleu.corpus_bleu(hypotheses, [[r] * 40 for r in references])
    assert min(theirs.precisions) > 0
    assert corpus_bleu_score(hypotheses, references).value == theirs.score


def test_characters_are_sacrebleus() -> None:
    hypotheses, references = ["ab cd.", "abd"], ["abcd", "bd ab."]
    theirs = sacrebleu.corpus_bleu(hypotheses, [[r] * 2 for r in references], tokenize="char")
    ours = corpus_bleu_score(hypotheses, references, tokenizer=CHARACTERS)
    assert ours.value == theirs.score and "tok:char" in signature_line(ours)


def test_an_unknown_word_in_any_reference_is_said() -> None:
    unknown = corpus_bleu_score(["a b"], ["a <unk>", "b"])
    assert unknown.signature["unk"] == "whole"
    assert corpus_bleu_score(["a <unk>"], ["a", "b"]).signature["unk"] is None


def test_upper_case_counts_unless_it_is_not_to() -> None:
    assert corpus_bleu_score(["A b c d e"], ["a b c d e"]).value < 100
    assert corpus_bleu_score(["A b c d e"], ["a b c d e"], lowercase=True).value > 99.9


def test_by_hand() -> None:
    """ "a b c d e" against "a b c d x" and "e f": 5/5, 3/4, 2/3, 1/2, BP 1 (5 against 5).

    100 * (1 * 3/4 * 2/3 * 1/2) ** (1/4) = 100 * (1/4) ** (1/4) = 70.71...
    """
    score = corpus_bleu_score(["a b c d e"], ["a b c d x", "e f"])
    assert score.value == pytest.approx(100 * 0.25**0.25, rel=1e-12)


def test_signature_is_sacrebleus() -> None:
    """The signature equals the one that sacreBLEU writes for the same explicit references."""
    metric = BLEU(lowercase=True)
    metric.corpus_score(["a b"], [["a b"], ["c"], ["d"]])
    score = corpus_bleu_score(["a b"], ["a b", "c", "d"], lowercase=True, data_hash="ab" * 32)
    assert score.name == "corpus-bleu"
    assert score.signature["signature"] == metric.get_signature().format()
    line = signature_line(score)
    assert line.endswith(f"|{metric.get_signature().format()}")
    assert line.startswith(f"hyp:1|ref:3|data:abababab|gantext:{__version__}|nrefs:3|case:lc")


def test_empty_input_is_refused() -> None:
    with pytest.raises(UserError, match="no sentences"):
        corpus_bleu_score([], ["a"])
    with pytest.raises(UserError, match="reference"):
        corpus_bleu_score(["a"], [])
