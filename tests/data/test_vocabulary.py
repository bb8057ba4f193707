"""Numbering words, encoding and decoding."""

import json
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gantext.data.vocabulary import BOS, EOS, PAD, SPECIALS, UNK, Unk, Vocabulary
from gantext.errors import UserError

SENTENCES = [["b", "a", "c"], ["c", "a"], ["c", "d"]]


def test_order_is_falling_frequency_then_alphabet() -> None:
    """c stands 3 times, a twice, b and d once each; 3 sentences end."""
    vocabulary = Vocabulary.build(SENTENCES)
    assert vocabulary.words == ("<pad>", "<bos>", "<eos>", "<unk>", "c", "a", "b", "d")
    assert vocabulary.counts == (0, 0, 3, 0, 3, 2, 1, 1)
    assert (PAD, BOS, EOS, UNK) == (0, 1, 2, 3)


def test_min_count_and_max_size() -> None:
    """min_count 2 leaves out b and d (2 tokens); max_size 1 leaves out a, b and d (4 tokens)."""
    rare = Vocabulary.build(SENTENCES, min_count=2)
    assert rare.words[4:] == ("c", "a")
    assert rare.counts == (0, 0, 3, 2, 3, 2)
    small = Vocabulary.build(SENTENCES, max_size=1)
    assert small.words[4:] == ("c",)
    assert small.counts == (0, 0, 3, 4, 3)


def test_encode_ends_with_eos_and_marks_unknown_words() -> None:
    vocabulary = Vocabulary.build(SENTENCES)
    assert vocabulary.encode(["a", "zebra", "c"]) == [5, UNK, 4, EOS]
    assert vocabulary.encode([]) == [EOS]


def test_decode_stops_at_the_first_eos_and_skips_pad_and_bos() -> None:
    vocabulary = Vocabulary.build(SENTENCES)
    assert vocabulary.decode([BOS, 4, PAD, UNK, EOS, 5, 5]) == ["c", "<unk>"]
    assert vocabulary.decode([EOS]) == []
    for wrong in (-1, 8):
        with pytest.raises(IndexError):
            vocabulary.decode([wrong])


def test_special_words_in_the_text_do_not_end_a_sentence() -> None:
    """<eos> and <unk> in the text are 2 unknown tokens, not words and not the end."""
    vocabulary = Vocabulary.build([["a", "<eos>", "<unk>"]], tokenizer="whitespace")
    assert vocabulary.words == (*SPECIALS, "a")
    assert vocabulary.counts == (0, 0, 1, 2, 1)
    assert vocabulary.encode(["<eos>", "a", "<pad>"]) == [UNK, 4, UNK, EOS]
    assert "<eos>" not in vocabulary
    assert "a" in vocabulary


def test_unk_of_the_text_may_be_a_word() -> None:
    """It has an id of its own, 4; other unknown words and specials stay UNK, 3."""
    vocabulary = Vocabulary.build(
        [["a", "<unk>", "<eos>"], ["<unk>"]], tokenizer="whitespace", unk=Unk.write
    )
    assert vocabulary.words == (*SPECIALS, "<unk>", "a")
    assert vocabulary.counts == (0, 0, 2, 1, 2, 1)
    assert vocabulary.encode(["<unk>", "b", "<eos>"]) == [4, UNK, UNK, EOS]
    assert vocabulary.decode([4, 5]) == ["<unk>", "a"] and "<unk>" in vocabulary
    assert Vocabulary.from_json(vocabulary.to_json()) == vocabulary


def test_text_is_readable_and_tokenize_follows_the_case() -> None:
    vocabulary = Vocabulary.build([["the", "man", "'s", "wheel", "."]])
    assert vocabulary.tokenize("The man's WHEEL.") == ["the", "man", "'s", "wheel", "."]
    assert vocabulary.text(vocabulary.encode(["the", "man", "'s", "wheel", "."])) == (
        "the man's wheel."
    )
    cased = Vocabulary.build([["A"]], lowercase=False)
    assert cased.tokenize("A b") == ["A", "b"]


def test_sentences_of_one_length_have_no_end() -> None:
    """Others may have as many words as the longest has tokens, but one for the end."""
    plain = Vocabulary.build(SENTENCES)
    fixed = Vocabulary(plain.words, plain.counts, "nltk", True, 3)
    assert plain.fixed_length == 0 and plain.end == (EOS,) and fixed.end == ()
    assert fixed.encode(["a", "c"]) == [5, 4]
    assert [plain.takes(words, 5) for words in (0, 4, 5)] == [True, True, False]
    assert [fixed.takes(words, 3) for words in (2, 3, 4)] == [False, True, False]
    assert plain.limit(5) == "at most the 5 tokens (<eos> counted) of its longest sentence"
    assert fixed.limit(3) == "sentences of exactly 3 words"
    assert Vocabulary.from_json(fixed.to_json()) == fixed
    assert "fixed_length" not in plain.to_json()


def test_json_round_trip() -> None:
    vocabulary = Vocabulary.build(SENTENCES, tokenizer="char", lowercase=False)
    again = Vocabulary.from_json(json.loads(json.dumps(vocabulary.to_json())))
    assert again == vocabulary
    assert again.encode(["a"]) == vocabulary.encode(["a"])


@pytest.mark.parametrize(
    "change",
    [
        {"words": None},
        {"words": ["a", "b"], "counts": [1, 1]},
        {"counts": [0]},
        {"counts": ["x"] * 8},
        {"words": [*SPECIALS, "a", "a", "b", "c"]},
        {"tokenizer": "latin"},
        {"lowercase": "yes"},
    ],
)
def test_damaged_json_is_refused(change: dict[str, object]) -> None:
    good = Vocabulary.build(SENTENCES).to_json()
    Vocabulary.from_json(good)
    with pytest.raises(UserError):
        Vocabulary.from_json({**good, **change})


words = st.sampled_from(["a", "b", "c", "<unk>", "<eos>", "red"])


@given(st.lists(st.lists(words), min_size=1), st.integers(1, 3), st.integers(0, 4))
def test_counts_add_up_and_known_words_survive(
    sentences: list[list[str]], min_count: int, max_size: int
) -> None:
    vocabulary = Vocabulary.build(sentences, min_count=min_count, max_size=max_size)
    assert sum(vocabulary.counts) == sum(map(len, sentences)) + len(sentences)
    seen = Counter(word for sentence in sentences for word in sentence)
    for word, count in zip(vocabulary.words[4:], vocabulary.counts[4:], strict=True):
        assert count == seen[word] >= min_count
    for sentence in sentences:
        read = vocabulary.decode(vocabulary.encode(sentence))
        assert read == [word if word in vocabulary else "<unk>" for word in sentence]
