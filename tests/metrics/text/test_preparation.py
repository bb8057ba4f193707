"""How text is prepared: lower case, characters, and without what a model never writes."""

import pytest

from gantext.data.vocabulary import Unk, Vocabulary
from gantext.metrics.text.preparation import AS_IT_IS, Preparation

TEXTS = ["A dog <unk> runs", "<unk>", "<UNK> b"]


@pytest.mark.parametrize(
    ("preparation", "lines"),
    [
        (AS_IT_IS, TEXTS),
        (Preparation(lowercase=True), ["a dog <unk> runs", "<unk>", "<unk> b"]),
        (Preparation(unknown=True), ["A dog runs", "", "<UNK> b"]),
        (Preparation(lowercase=True, unknown=True), ["a dog runs", "", "b"]),
    ],
)
def test_lines_keep_their_places_and_sentences_are_those_that_are_left(
    preparation: Preparation, lines: list[str]
) -> None:
    assert preparation.lines(TEXTS) == lines
    assert preparation.sentences(TEXTS) == [line for line in lines if line]
    assert AS_IT_IS.sentences(["", "a"]) == ["", "a"]  # where nothing is left out, nothing goes


def test_unknown_words_are_counted_before_they_are_left_out() -> None:
    assert (AS_IT_IS.unknowns(TEXTS), Preparation(lowercase=True).unknowns(TEXTS)) == (2, 3)
    (note,) = Preparation(unknown=True).notes(7)
    assert "7 times" in note and AS_IT_IS.notes(7) == ()
    assert Preparation(unknown=True).met(False) == AS_IT_IS
    assert Preparation(True, True, True).met(True) == Preparation(True, True, True)
    assert AS_IT_IS.met(True) == AS_IT_IS


@pytest.mark.parametrize("place", range(3))
def test_what_either_asks_for_both_get(place: int) -> None:
    one = Preparation(*(place == i for i in range(3)))
    assert one | AS_IT_IS == AS_IT_IS | one == one == one | one and AS_IT_IS | AS_IT_IS == AS_IT_IS


def test_a_score_says_how_its_text_was_prepared() -> None:
    assert AS_IT_IS.signature == {} and AS_IT_IS.tokenizer("nltk") == "nltk"
    both = Preparation(lowercase=True, characters=True, unknown=True)
    assert both.signature == {"case": "lower", "unk": "left out"}
    assert both.tokenizer("nltk") == "char"
    assert Preparation(unknown=True).signature == {"unk": "left out"}


def test_data_asks_for_what_its_vocabulary_is_made_of() -> None:
    """Lower case, characters, and no <unk> where it is no word."""
    plain = Vocabulary.build([["a"]], lowercase=False)
    assert Preparation.of(plain) == Preparation(False, False, True)
    written = Vocabulary.build([["a", "<unk>"]], tokenizer="char", unk=Unk.write)
    assert Preparation.of(written) == Preparation(True, True, False)
