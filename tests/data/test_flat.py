"""Rows of different lengths in one array, and lines cut into numbered words many at once."""

import random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gantext.data import flat
from gantext.data.flat import Ragged, Text, Tokens
from gantext.data.numbering import Numbering
from gantext.data.tokenizers import TOKENIZERS, tokenize

# What the rules of nltk look at, in any company.
SIGNS = [
    *("a", "Dog", "x-y", "5", "3,4", "e.g", "wanna", "Cannot", "é", "I'm", "dogs'", "'tis", "d'ye"),
    *(".", "..", "...", ",", ":", ";", "?", "(", ")", "]", "<", '"', "'", "''", "``", "`", "--"),
    *("\u2014", "\u201c", "\u2019", "\xbb", "%", "*", "<unk>", "n't", "\xa0", "\t", "\ud800"),
]
LINES = st.lists(st.lists(st.sampled_from([*SIGNS, " ", " ", " "]), min_size=1).map("".join))


@given(st.lists(st.lists(st.integers(0, 9), max_size=5), min_size=1, max_size=9), st.data())
def test_rows_are_what_they_were_as_lists(rows: list[list[int]], data: st.DataObject) -> None:
    held = Ragged(*vars(Tokens.of(rows)).values())
    places = data.draw(st.lists(st.integers(0, len(rows) - 1)))
    chosen = [rows[place] for place in places]
    found = held.take(places)
    assert found.gathered().tolist() == [number for row in chosen for number in row]
    assert found.longest == max(map(len, chosen), default=0) and len(found) == len(chosen)
    assert found.cut(2).gathered().tolist() == [number for row in chosen for number in row[:2]]
    marks = held.gathered() == 3
    assert held.of_rows(marks).tolist() == [3 in row for row in rows]
    both = Ragged.joined([found, held])
    assert both.gathered().tolist() == [number for row in [*chosen, *rows] for number in row]
    assert held.counts(10).tolist() == [sum(row.count(i) for row in rows) for i in range(10)]


def test_sentences_are_encoded_chunk_by_chunk(monkeypatch: pytest.MonkeyPatch) -> None:
    """Words 0, 1, 2 have the ids 4, 6, 5; each row gets EOS, which is 2."""
    monkeypatch.setattr(flat, "CHUNK", 2)
    numbers = Ragged.joined([Tokens.of([[0, 1], [], [2]]), Tokens.of([[1]])])
    found = Tokens.encoded(numbers, np.array([4, 6, 5], np.uint16))
    assert found.values.dtype == np.uint16
    assert found.padded().tolist() == [[4, 6, 2], [2, 0, 0], [5, 2, 0], [6, 2, 0]]


@given(st.lists(st.text(st.characters(exclude_characters="\n"))))
def test_lines_are_what_they_were_as_text(lines: list[str]) -> None:
    held = Text.of(lines)
    assert list(held) == lines == held[:] and len(held) == len(lines)
    assert [held[place] for place in range(-len(lines), len(lines))] == lines * 2
    assert held[1:3] == lines[1:3] and list(held.take([0] * len(lines))) == lines[:1] * len(lines)
    with pytest.raises(IndexError):
        held[len(lines)]


@pytest.mark.parametrize(
    "text", ["a", "a\n", "a\nbb", "\n", "a\n\n", "\n\na b\n", "é\nx\x0cy\u2028z"]
)
def test_lines_of_a_file_are_split_at_line_ends_alone(text: str, monkeypatch) -> None:
    monkeypatch.setattr(flat, "PIECE", 2)
    assert list(Text.of_file(text.encode())) == text.removesuffix("\n").split("\n")


@settings(deadline=None, max_examples=50)
@given(LINES, LINES)
@pytest.mark.parametrize("lowercase", [False, True])
@pytest.mark.parametrize("tokenizer", TOKENIZERS)
def test_many_lines_are_cut_as_each_alone(
    tokenizer: str, lowercase: bool, first: list[str], second: list[str]
) -> None:
    """The second time most pieces are known."""
    numbering = Numbering(tokenizer, lowercase)
    for lines in (first, second, second):
        shown = [line.strip() for line in lines if line.strip()]
        found = numbering.of(shown)
        words = list(numbering.words)
        for row, line in enumerate(shown):
            cut = [words[number] for number in found.take([row]).gathered()]
            assert cut == tokenize(line.lower() if lowercase else line, tokenizer)


@pytest.mark.parametrize("tokenizer", TOKENIZERS)
def test_a_line_end_within_a_line_ends_none(tokenizer: str) -> None:
    """Nor does a line lack where it is empty."""
    numbering = Numbering(tokenizer, False)
    lines = ["a\nb,\n", "", "c.", "\n", "a b"]
    found = numbering.of(lines)
    words = list(numbering.words)
    rows = [found.take([row]).gathered() for row in range(len(lines))]
    cut = [[words[number] for number in row] for row in rows]
    assert cut == [tokenize(line, tokenizer) for line in lines]


def test_the_rules_are_those_of_nltk() -> None:
    """Of 3,000 lines of any signs, by pieces where these are enough and by all rules at once."""
    from nltk.tokenize import NLTKWordTokenizer

    from gantext.data import treebank

    nltk, rng = NLTKWordTokenizer(), random.Random(0)
    signs = [sign for sign in SIGNS if sign not in ("<unk>", "\ud800")]
    for _ in range(3000):
        line = "".join(rng.choice([*signs, " ", " "]) for _ in range(rng.randint(1, 12)))
        assert treebank.words(line) == treebank.words_of_line(line) == nltk.tokenize(line)
