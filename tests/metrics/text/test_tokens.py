"""The fast tokens against nltk itself."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from nltk.tokenize import NLTKWordTokenizer

from gantext.errors import UserError
from gantext.metrics.text.tokens import own_tokenizer, tokenized

NLTK = NLTKWordTokenizer()
# Pieces joined with and without spaces, so that every rule of nltk's can be met at a border.
WORDS = ["a", "Dog", "5", "cannot", "Gonna", "got", "ta", "wan", "na", "n't", "'s", "é"]
MARKS = [" ", " ", "  ", ".", ",", "-", "'", "''", '"', "``", ":", "?", "(", "]", "&", "\t", "\n"]
PIECES = st.sampled_from([*WORDS, *MARKS, "\u2013"])
PLAIN_PIECES = st.sampled_from([" ", " ", "ab", "C3", ".", ",", "-", "can", "not"])


@given(st.lists(PIECES, max_size=12).map("".join))
@settings(max_examples=600, deadline=None)
def test_any_line_as_nltk_splits_it(text: str) -> None:
    assert tokenized([text], "nltk") == [NLTK.tokenize(text)]


@given(st.lists(PLAIN_PIECES, max_size=12).map("".join))
@settings(max_examples=600, deadline=None)
def test_plain_lines_as_nltk_splits_them(text: str) -> None:
    assert tokenized([text], "nltk") == [NLTK.tokenize(text)]


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        ("a dog, a cat and 2 well-fed hens.", "a dog , a cat and 2 well-fed hens ."),
        ("ends in a space. ", "ends in a space ."),
        ("a large u.s air force", "a large u.s air force"),
        ("it cannot be .", "it can not be ."),
        ("two. parts.", "two. parts ."),
        ("1,000 dogs", "1,000 dogs"),
        ("", ""),
    ],
)
def test_lines_by_hand(text: str, tokens: str) -> None:
    assert tokenized([text], "nltk") == [tokens.split()] == [NLTK.tokenize(text)]


def test_other_tokenizers_pass_through() -> None:
    assert tokenized(["a dog."], "whitespace") == [["a", "dog."]]
    with pytest.raises(UserError, match="did you mean nltk"):
        tokenized(["a"], "nltkk")


def test_text_that_was_tokenised_keeps_its_tokens() -> None:
    """nltk changes 1 line of 201 of which 200 have a detached full stop: 0.5 % < 1 %."""
    assert NLTK.tokenize("it '' is") == ["it", "``", "is"]
    texts = ["it '' is"] + ["a dog ."] * 200
    assert own_tokenizer(texts, "nltk") == "whitespace"
    assert tokenized(texts, "whitespace")[0] == ["it", "''", "is"]


def test_up_to_a_hundredth_of_the_detached_lines_may_change() -> None:
    for changed, expected in ((2, "whitespace"), (3, "nltk")):
        assert own_tokenizer(["it ''"] * changed + ["a dog ."] * 200, "nltk") == expected
    # Each line counts once, in whatever part it stands: 2 of 150 with a detached full stop.
    lines = ["it ''"] * 2 + ["a dog"] * 48 + ["a dog ."] * 150
    assert own_tokenizer(lines, "nltk", chunk=10) == "nltk"
    # A hundredth of all, in the first of many parts, is not yet too many.
    assert own_tokenizer(["it '' ."] * 2 + ["a dog ."] * 198, "nltk", chunk=10) == "whitespace"


@pytest.mark.parametrize(
    "texts",
    [
        ["a dog."] * 9 + ["a dog ."] * 200,  # 9 of 200: too many for tokenised text
        ["a man's dog"] + ["a dog"] * 300,  # no punctuation stands apart: plain text
        ["a dog ."] * 300,  # nothing changes, so it makes no difference
    ],
)
def test_other_text_is_tokenised(texts: list[str]) -> None:
    assert own_tokenizer(texts, "nltk") == "nltk"
    assert tokenized(texts, "nltk") == [NLTK.tokenize(text) for text in texts]


def test_no_tokenizer_is_named_that_there_is_not() -> None:
    with pytest.raises(UserError, match="nothing"):
        own_tokenizer(["a dog ."], "nothing")
