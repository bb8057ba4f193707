"""Texts are tokenised a chunk at a time: the same numbers, and no list of all their tokens."""

import tracemalloc
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gantext.errors import UserError
from gantext.metrics.text import bleu_scores as presets
from gantext.metrics.text import corpus_bleu, ngrams
from gantext.metrics.text.bleu import ReferenceIndex, self_bleu
from gantext.metrics.text.bleu_scores import self_bleu_scores
from gantext.metrics.text.copying import CopyIndex
from gantext.metrics.text.corpus_bleu import corpus_bleu_score
from gantext.metrics.text.diversity import diversity_scores
from gantext.metrics.text.ngrams import (
    Words,
    _cuts,
    _narrow,
    _places_in,
    encode,
    number_ngrams,
    number_words,
)
from gantext.metrics.text.tokens import encode_texts, own_tokenizer, tokenized

LINES = st.lists(st.lists(st.sampled_from("abc."), max_size=6).map(" ".join), max_size=9)


def texts(size: int, seed: int) -> list[str]:
    """Sentences of 8..14 words out of 500, raw as captions are."""
    rng = np.random.default_rng(seed)
    lengths = rng.integers(8, 15, size).tolist()
    return [" ".join(f"w{word}" for word in rng.integers(0, 500, n)) + "." for n in lengths]


def peak(work: Callable[[], object]) -> int:
    """Highest memory, in bytes, that the work held beyond what there was before."""
    tracemalloc.start()
    try:
        work()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@given(lines=LINES, chunk=st.integers(1, 5))
@settings(max_examples=80, deadline=None)
def test_chunks_are_encoded_as_the_whole(lines: list[str], chunk: int) -> None:
    tokens = tokenized(lines, "nltk")
    numbering = number_words(tokens)
    whole = encode(tokens, numbering)
    words, grown = encode_texts(lines, "nltk", chunk=chunk)
    assert grown == numbering
    assert words.unknown == whole.unknown
    np.testing.assert_array_equal(words.numbers, whole.numbers)
    np.testing.assert_array_equal(words.lengths, whole.lengths)


@given(lines=LINES, known=LINES, chunk=st.integers(1, 5))
@settings(max_examples=80, deadline=None)
def test_a_given_numbering_does_not_grow(lines: list[str], known: list[str], chunk: int) -> None:
    numbering = number_words(tokenized(known, "nltk"))
    before = dict(numbering)
    words, same = encode_texts(lines, "nltk", numbering, chunk=chunk)
    assert same is numbering
    assert numbering == before
    whole = encode(tokenized(lines, "nltk"), numbering)
    np.testing.assert_array_equal(words.numbers, whole.numbers)
    assert words.unknown == len(numbering)


@pytest.mark.parametrize("size", range(253, 260))
def test_words_are_counted_where_a_byte_no_longer_numbers_them(size: int) -> None:
    """Each stands once, the last three twice."""
    words = [str(number) for number in range(size)]
    (grams,) = number_ngrams(encode([words, words[-3:]], number_words([words])), 1)
    assert grams.counts.tolist() == [1] * (size - 3) + [2] * 3


def test_bleu_of_numbers_equals_bleu_of_tokens() -> None:
    lines, references = texts(50, 1), texts(60, 2)
    tokens = tokenized(lines, "nltk")
    np.testing.assert_array_equal(self_bleu(encode_texts(lines, "nltk").words), self_bleu(tokens))
    numbers = ReferenceIndex(encode_texts(references, "nltk", chunk=7))
    plain = ReferenceIndex(tokenized(references, "nltk"))
    np.testing.assert_array_equal(numbers.bleu(tokens), plain.bleu(tokens))
    with pytest.raises(UserError, match="at least one reference"):
        ReferenceIndex(encode_texts([], "nltk"))


@pytest.mark.parametrize("chunk", [1, 3, 100, 1000])
@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        (["it '' is"] + ["a dog ."] * 200, "whitespace"),
        (["a dog ."] * 200 + ["it '' is"], "whitespace"),
        (["a dog."] * 9 + ["a dog ."] * 200, "nltk"),
        (["a dog ."] * 200 + ["a dog."] * 9, "nltk"),
        (["a man's dog"] + ["a dog"] * 300, "nltk"),
        (["a dog ."] * 300, "nltk"),
        ([], "nltk"),
    ],
)
def test_own_tokenizer_in_chunks(lines: list[str], expected: str, chunk: int) -> None:
    assert own_tokenizer(lines, "nltk", chunk=chunk) == expected
    assert own_tokenizer(lines, "nltk") == expected


def test_chunks_do_not_change_a_digit(monkeypatch: pytest.MonkeyPatch) -> None:
    lines, references = texts(40, 1), texts(30, 2)

    def found() -> list[object]:
        textgan = self_bleu_scores([*lines * 6, *references], "textgan")
        return [corpus_bleu_score(lines, references), *textgan]

    whole = found()
    monkeypatch.setattr(presets, "CHUNK", 7)
    monkeypatch.setattr(corpus_bleu, "CHUNK", 7)
    assert found() == whole


def test_encoding_holds_no_list_of_all_tokens() -> None:
    """10,000 sentences of 11 words and a full stop: .48 MB of numbers, held twice at the end.

    As lists of shared strings they take four times as much.
    """
    lines = texts(10_000, 1)
    numbers = encode_texts(lines, "nltk").words.numbers.nbytes
    assert peak(lambda: encode_texts(lines, "nltk", chunk=125)) < 3 * numbers
    assert peak(lambda: tokenized(lines, "nltk")) > 3.5 * numbers


@pytest.mark.parametrize(
    "work",
    [self_bleu_scores, lambda lines: diversity_scores(lines, lines[:500], lines[:500])],
    ids=["self-bleu", "diversity"],
)
def test_memory_a_word(work: Callable[[list[str]], object]) -> None:
    """At most 200 bytes a word: a million sentences of 12 words then take less than 2.4 GB."""
    lines = texts(5000, 1)
    words = int(encode_texts(lines, "nltk").words.lengths.sum())
    assert peak(lambda: work(lines)) < 200 * words


def test_copying_takes_memory_for_one_chunk_only() -> None:
    """Twenty times as many lines, in chunks of the same size: only the results grow."""
    lines = texts(5000, 1)
    index = CopyIndex(texts(500, 2), chunk=250)
    few = peak(lambda: (index.longest(lines[:250]), index.verbatim(lines[:250])))
    many = peak(lambda: (index.longest(lines), index.verbatim(lines)))
    assert many < 1.5 * few + 20 * len(lines)


def test_parts_are_sentences_one_after_the_other() -> None:
    words = Words(np.arange(7), np.array([2, 0, 3, 1, 1]), 9)
    parts = [(one.lengths.tolist(), one.numbers.tolist()) for one in words.parts(2)]
    assert parts == [([2, 0], [0, 1]), ([3, 1], [2, 3, 4, 5]), ([1], [6])]
    assert {one.unknown for one in words.parts(2)} == {9}


def test_a_key_is_made_of_the_beginning_and_the_last_word() -> None:
    """Of two words and what has no number: aa, ab, ba, bb are 0, 1 and 3, 4."""
    sentences = [list("aabba")]
    _, pairs = number_ngrams(encode(sentences, number_words(sentences)), 2)
    assert pairs.keys().tolist() == [0, 1, 3, 4]
    assert pairs.keys(np.array([1, 0])).tolist() == [3, 4, 0, 1]


def test_where_keys_stand_among_known_ones() -> None:
    """Nowhere is -1, also before the first, behind the last, and where there are none."""
    wanted = np.array([1, 3, 4, 5, 9])
    assert _places_in(np.array([3, 5]), wanted).tolist() == [-1, 0, -1, 1, -1]
    assert _places_in(np.array([9]), wanted).tolist() == [-1, -1, -1, -1, 0]
    assert _places_in(np.array([1]), wanted).tolist() == [0, -1, -1, -1, -1]
    assert _places_in(np.array([], np.int64), wanted).tolist() == [-1] * 5
    assert ReferenceIndex([["a"]], 2).matches([["a", "a"]]).clipped[:, 0].tolist() == [1, 0]


def test_places_take_four_bytes_as_long_as_these_hold_them() -> None:
    assert [_narrow(size) for size in (2**30 - 1, 2**30)] == [np.int32, np.int64]
    for grams in number_ngrams(Words(np.array([0, 1, 0], np.int32), np.array([2, 1]), 2), 2):
        columns = (grams.places, grams.starts, grams.text.sentences)
        assert {column.dtype for column in columns} == {np.dtype(np.int32)}


def test_parts_have_as_many_places_as_fit_and_one_n_gram_at_least(monkeypatch) -> None:
    """Of n-grams with 2, 3, 1 and 9 places."""
    starts = np.array([0, 2, 5, 6, 15])
    for size, cuts in ((100, [0, 4]), (15, [0, 4]), (6, [0, 3, 4]), (5, [0, 2, 3, 4])):
        monkeypatch.setattr(ngrams, "PART", size)
        assert list(_cuts(starts)) == cuts
