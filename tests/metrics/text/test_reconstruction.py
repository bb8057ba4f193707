"""Word errors by hand and against nltk; shares; BLEU-4 of pairs."""

import logging

import pytest
from hypothesis import given
from hypothesis import strategies as st
from nltk.metrics.distance import edit_distance

from gantext.metrics.text.reconstruction import (
    exact_share,
    paired_bleu,
    word_edits,
    word_error_rate,
)

WORDS = st.lists(st.sampled_from("abc"), max_size=7)


def test_word_edits_by_hand() -> None:
    """a red ring -> a big red ball: insert big, ring becomes ball."""
    assert word_edits("a big red ball".split(), "a red ring".split()) == 2
    assert word_edits([], "a b".split()) == 2
    assert word_edits("a b".split(), []) == 2
    assert word_edits("a b".split(), ["a", "b"]) == 0


@given(WORDS, WORDS)
def test_word_edits_against_nltk(first: list[str], second: list[str]) -> None:
    assert word_edits(first, second) == edit_distance(first, second)


def test_rates_by_hand() -> None:
    """2 edits + 0 over 3 + 2 words; one of two is exact."""
    originals = ["a red ring".split(), "a b".split()]
    assert word_error_rate([2, 0], originals) == pytest.approx(2 / 5)
    assert exact_share([2, 0]) == 0.5


def test_each_sentence_has_its_own_reference() -> None:
    one, two = "a b c d e".split(), "f g h i j".split()
    assert paired_bleu([one, two], [one, two]) == pytest.approx(100)
    assert paired_bleu([two, one], [one, two]) < 10


def test_words_with_signs_in_them_are_not_cut_again() -> None:
    """One of five words is another: 4/5 of words, 3/4, 2/3 and 1/2 of longer n-grams. Cut, they
    would be six, of which the comma is the same."""
    found = paired_bleu(["x, b c d e".split()], ["y, b c d e".split()])
    assert found == pytest.approx(100 * (4 / 5 * 3 / 4 * 2 / 3 * 1 / 2) ** (1 / 4))


def test_nothing_is_remarked_on_sentences_that_are_cut_into_words(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.WARNING, logger="sacrebleu")
    sentences = ["a b c d .".split()] * 200
    assert paired_bleu(sentences, sentences) == pytest.approx(100) and not caplog.records
