"""Tokenising and writing readable text again."""

import os
import random
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gantext.data.tokenizers import detokenize, tokenize
from gantext.errors import UserError

READABLE = [
    (["a", "wheel", "."], "a wheel."),
    (["the", "man", "'s", "hat"], "the man's hat"),
    (["it", "is", "n't", "red", ",", "is", "it", "?"], "it isn't red, is it?"),
    (["a", "sign", "saying", "``", "stop", "''", "."], 'a sign saying "stop".'),
    (["``", "go", "''", "says", "it"], '"go" says it'),
    (["a", "(", "red", ")", "car"], "a (red) car"),
    (["the", "dogs", "'", "bowl"], "the dogs' bowl"),
    (["the", "letters", "'", "mt", "'", "on", "it"], "the letters 'mt' on it"),
    (["the", "dogs", "'", "bowl", "says", "'", "mt", "'"], "the dogs' bowl says 'mt'"),
    (["it", "costs", "$", "3", "."], "it costs $3."),
    (["i", "wan", "na", "go"], "i wanna go"),
    (["a", "cat", "..", "and", "a", "dog"], "a cat.. and a dog"),
]


@pytest.mark.parametrize(("tokens", "text"), READABLE)
def test_detokenised_text_is_what_a_person_writes_and_reads_back(
    tokens: list[str], text: str
) -> None:
    assert detokenize(tokens, "nltk") == text
    assert tokenize(text, "nltk") == tokens


@pytest.mark.parametrize(
    ("tokens", "text"),
    [
        # The tokenizer leaves "cat." whole in mid-sentence, so the dot must stay apart there.
        (["a", "cat", ".", "a", "dog", "."], "a cat . a dog."),
        # "a ." with nothing after it is split, the second dot is glued to none.
        (["a", "cat", ".", "."], "a cat . ."),
        # "1,2" is one number, "1, 2" is not.
        (["1", ",", "2"], "1, 2"),
        # A closing quote mark glued to nothing would be read as an opening one.
        (["a", "``", "b"], 'a "b'),
        # Only the dot stays apart: the second word is glued, and a bracket to what it opens.
        (["i", "'m", "a", "cat", ".", "a", "(", "dog", ")"], "i'm a cat . a (dog)"),
    ],
)
def test_punctuation_stays_apart_where_it_would_not_be_split_off_again(
    tokens: list[str], text: str
) -> None:
    assert detokenize(tokens, "nltk") == text
    assert tokenize(text, "nltk") == tokens


def test_an_unknown_word_does_not_spoil_the_rest() -> None:
    assert detokenize(["a", "<unk>", "wheel", "."], "nltk") == "a <unk> wheel."


def test_nltk_is_the_reference_tokenizer() -> None:
    from nltk.tokenize import NLTKWordTokenizer

    text = "He said \"no\", didn't he? It's $3.50 (or so)..."
    assert tokenize(text, "nltk") == NLTKWordTokenizer().tokenize(text)


@pytest.mark.parametrize("name", ["nltk", "whitespace", "char", "ids"])
def test_nothing_is_nothing(name: str) -> None:
    assert tokenize("", name) == []
    assert detokenize([], name) == ""


def test_unknown_tokenizer_names_the_nearest() -> None:
    with pytest.raises(UserError, match=r"nltkk \(did you mean nltk\?\)"):
        tokenize("a", "nltkk")
    with pytest.raises(UserError):
        detokenize(["a"], "words")


@given(st.text())
def test_char_round_trip_is_exact(text: str) -> None:
    assert tokenize(detokenize(list(text), "char"), "char") == list(text)


@given(st.lists(st.text(st.characters(categories=["L", "N", "P"]), min_size=1)))
def test_whitespace_round_trip_is_exact(tokens: list[str]) -> None:
    assert tokenize(detokenize(tokens, "whitespace"), "whitespace") == tokens


@given(st.lists(st.integers(0, 4999).map(str)))
def test_ids_round_trip_is_exact(tokens: list[str]) -> None:
    assert tokenize(detokenize(tokens, "ids"), "ids") == tokens


@given(st.lists(st.sampled_from(["a", "dog", "red", "3", ",", ".", "?", "!", ";", "(", ")", "%"])))
def test_machine_made_sequences_survive(tokens: list[str]) -> None:
    """Where the tokens joined by spaces read back, the readable text does too."""
    if tokenize(" ".join(tokens), "nltk") == tokens:
        assert tokenize(detokenize(tokens, "nltk"), "nltk") == tokens


@given(st.lists(st.sampled_from(["a", "dogs", "'", "''", "``", "'s", "n't", ".", ",", "<unk>"])))
def test_writing_is_never_worse_than_spaces(tokens: list[str]) -> None:
    """The share of leading tokens that survive is at least that of the plain join."""

    def survive(text: str) -> int:
        read = tokenize(text, "nltk")
        pairs = zip(tokens, read, strict=False)
        return next((i for i, (a, b) in enumerate(pairs) if a != b), min(len(tokens), len(read)))

    assert survive(detokenize(tokens, "nltk")) >= survive(" ".join(tokens))


def test_real_captions_survive() -> None:
    folder = os.environ.get("GANTEXT_DATA")
    if not folder:
        pytest.skip("GANTEXT_DATA is not set: no real captions here")
    lines = Path(folder, "coco", "image_coco.txt").read_text("utf-8").splitlines()
    lines = random.Random(0).sample(lines, 1000)
    tokens = [tokenize(line, "nltk") for line in lines]
    same = sum(tokenize(detokenize(t, "nltk"), "nltk") == t for t in tokens)
    assert same >= 999
