"""BLEU and Self-BLEU against nltk, a plain loop's worth of edge cases and values by hand."""

import math
import warnings
from collections import Counter
from collections.abc import Sequence
from fractions import Fraction
from itertools import chain, pairwise, takewhile

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from nltk.translate.bleu_score import SmoothingFunction, sentence_bleu

from gantext.errors import UserError
from gantext.metrics.text import ngrams
from gantext.metrics.text import sentence_counts as counting
from gantext.metrics.text.bleu import ReferenceIndex, self_bleu
from gantext.metrics.text.ngrams import (
    Grams,
    Words,
    encode,
    find_ngrams,
    number_ngrams,
    number_words,
)
from gantext.metrics.text.sentence_counts import (
    highest_counts,
    repeated,
    sentence_counts,
)

Corpus = list[list[str]]
# Few words, so that n-grams overlap and repeat within a sentence.
SENTENCE = st.lists(st.sampled_from("abc"), max_size=9)
CORPUS = st.lists(SENTENCE, min_size=1, max_size=7)
# "z" never stands in a reference; sentences of it alone match nothing at all.
STRANGER = st.lists(st.sampled_from("abz"), max_size=9)
SMOOTHINGS = ("method1", "none", "dropped")


def matched_orders(precisions: list[Fraction], **_: object) -> list[Fraction]:
    """nltk 3.2's `method0`, by which it scored without a smoothing function."""
    return list(takewhile(lambda precision: precision.numerator != 0, precisions))


def nltk_bleu(references: Corpus, hypotheses: Corpus, order: int, smoothing: str) -> np.ndarray:
    functions = {"method1": SmoothingFunction().method1, "dropped": matched_orders}
    function = functions.get(smoothing)
    weights = [1 / order] * order
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # nltk warns of each zero count
        values = [sentence_bleu(references, h, weights, function) for h in hypotheses]
    return np.array(values, dtype=float)


def nltk_self_bleu(sentences: Corpus, order: int, smoothing: str) -> np.ndarray:
    values = [
        nltk_bleu(sentences[:i] + sentences[i + 1 :], [sentence], order, smoothing)[0]
        for i, sentence in enumerate(sentences)
    ]
    return np.array(values)


def assert_same(ours: np.ndarray, theirs: np.ndarray) -> None:
    np.testing.assert_allclose(ours, theirs, rtol=1e-12, atol=0)


@pytest.mark.parametrize("smoothing", SMOOTHINGS)
@given(references=CORPUS, hypotheses=st.lists(STRANGER, min_size=1, max_size=5))
@settings(max_examples=60, deadline=None)
def test_bleu_equals_nltk(references: Corpus, hypotheses: Corpus, smoothing: str) -> None:
    ours = ReferenceIndex(references).bleu(hypotheses, smoothing)
    assert ours.shape == (5, len(hypotheses))
    for order in range(1, 6):
        assert_same(ours[order - 1], nltk_bleu(references, hypotheses, order, smoothing))


@pytest.mark.parametrize("smoothing", SMOOTHINGS)
@given(sentences=st.lists(SENTENCE, min_size=2, max_size=7))
@settings(max_examples=60, deadline=None)
def test_self_bleu_equals_nltk(sentences: Corpus, smoothing: str) -> None:
    ours = self_bleu(sentences, 5, smoothing)
    assert ours.shape == (5, len(sentences))
    for order in range(1, 6):
        assert_same(ours[order - 1], nltk_self_bleu(sentences, order, smoothing))


@pytest.mark.parametrize("smoothing", SMOOTHINGS[:2])
def test_larger_random_corpora_equal_nltk(smoothing: str) -> None:
    """Zipf-like words and lengths 0..14: long sentences in which most orders match somewhere."""
    rng = np.random.default_rng(7)

    def corpus(size: int) -> Corpus:
        lengths = rng.integers(0, 15, size)
        return [[str(word) for word in rng.zipf(1.5, n).clip(max=30)] for n in lengths]

    references, hypotheses = corpus(60), corpus(40)
    ours = ReferenceIndex(references).bleu(hypotheses, smoothing)
    own = self_bleu(hypotheses, 5, smoothing)
    for order in range(2, 6):
        assert_same(ours[order - 1], nltk_bleu(references, hypotheses, order, smoothing))
        assert_same(own[order - 1], nltk_self_bleu(hypotheses, order, smoothing))


def test_bleu_by_hand() -> None:
    """h = "a a b c", references "a b d c e f" and "a a x".

    Unigrams: a twice (max count 2, in the second reference), b, c: 4 of 4.
    Bigrams: "a a" (second), "a b" (first) match, "b c" does not: 2 of 3.
    Trigrams: "a a b", "a b c": 0 of 2, smoothed to 0.1 / 2 = 0.05.
    |h| = 4; reference lengths 6 and 3; the closest is 3 < 4, so BP = 1.
    BLEU-2 = sqrt(1 * 2/3); BLEU-3 = (1 * 2/3 * 0.05) ** (1/3) = (1/30) ** (1/3).
    Without the order that has no match, whose root stays: (1 * 2/3) ** (1/3), above BLEU-2.
    """
    index = ReferenceIndex([list("abdcef"), list("aax")], 3)
    scores = index.bleu([list("aabc")])
    assert scores[:, 0] == pytest.approx([1, math.sqrt(2 / 3), (1 / 30) ** (1 / 3)], rel=1e-14)
    dropped = index.bleu([list("aabc")], "dropped")
    assert dropped[:, 0] == pytest.approx([1, (2 / 3) ** (1 / 2), (2 / 3) ** (1 / 3)], rel=1e-14)
    matches = index.matches([list("aabc")])
    assert matches.clipped[:, 0].tolist() == [4, 2, 0]
    assert (matches.lengths.tolist(), matches.closest.tolist()) == ([4], [3])


def test_self_bleu_by_hand() -> None:
    """Sentences "a a b", "a b", "a b c d".

    First, against "a b" and "a b c d": a is clipped from 2 to 1, b matches: 2 of 3 unigrams;
    "a b" of 2 bigrams. Lengths 2 and 4 are equally close to 3: the shorter, so BP = 1.
    BLEU-2 = sqrt(2/3 * 1/2) = sqrt(1/3).
    Second: 2 of 2 and 1 of 1; the closest other length is 3, BP = exp(1 - 3/2) = exp(-1/2).
    Third: a, b of 4, "a b" of 3; closest other length 3 < 4: sqrt(2/4 * 1/3) = sqrt(1/6).
    """
    scores = self_bleu([list("aab"), list("ab"), list("abcd")], 2)
    by_hand = [math.sqrt(1 / 3), math.exp(-1 / 2), math.sqrt(1 / 6)]
    assert scores[1] == pytest.approx(by_hand, rel=1e-14)


def test_closest_length_tie_takes_the_shorter() -> None:
    """|h| = 3 between 2 and 4: r = 2 and BP = 1; with 4 it would be exp(1 - 4/3) = 0.72."""
    index = ReferenceIndex([list("ab"), list("abcd")], 1)
    assert index.bleu([list("abc")])[0, 0] == 1.0


def test_brevity_penalty_of_a_hypothesis_shorter_than_all() -> None:
    """One word of a reference of five: p_1 = 1, BP = exp(1 - 5/1) = exp(-4)."""
    index = ReferenceIndex([list("abcde")], 1)
    assert index.bleu([["c"]])[0, 0] == pytest.approx(math.exp(-4), rel=1e-15)


def test_no_smoothing_keeps_nltks_smallest_double() -> None:
    """ "a c" of "a b c": p_1 = 1, p_2 = 2.2e-308, BP = exp(1 - 3/2): about 9.05e-155."""
    value = ReferenceIndex([list("abc")], 2).bleu([list("ac")], "none")[1, 0]
    assert value == pytest.approx(math.exp(-0.5) * math.sqrt(2.2250738585072014e-308), rel=1e-12)


@pytest.mark.parametrize("smoothing", SMOOTHINGS)
@pytest.mark.parametrize("hypothesis", [[], ["z"], ["z", "z", "z", "z", "z", "z"]])
def test_no_matching_word_gives_exactly_zero(hypothesis: list[str], smoothing: str) -> None:
    index = ReferenceIndex([list("abc"), []])
    assert index.bleu([hypothesis], smoothing)[:, 0].tolist() == [0.0] * 5


@given(references=CORPUS)
@settings(max_examples=50, deadline=None)
def test_a_corpus_against_itself_is_1_up_to_each_length(references: Corpus) -> None:
    scores = ReferenceIndex(references).bleu(references)
    for sentence, column in zip(references, scores.T, strict=True):
        assert column[: len(sentence)] == pytest.approx(1.0, abs=1e-15)


def test_a_duplicate_stays_a_reference() -> None:
    """Twins score 1 on each other; the third shares no word with them."""
    scores = self_bleu([list("abcde"), list("vwxyz"), list("abcde")])
    assert scores[:, 0] == pytest.approx(1.0)
    assert scores[:, 2] == pytest.approx(1.0)
    assert not scores[:, 1].any()


@given(sentences=st.lists(SENTENCE, min_size=2, max_size=8), seed=st.integers(0, 99))
@settings(max_examples=50, deadline=None)
def test_shuffling_moves_the_scores_along(sentences: Corpus, seed: int) -> None:
    order = np.random.default_rng(seed).permutation(len(sentences))
    shuffled = [sentences[i] for i in order]
    np.testing.assert_array_equal(self_bleu(sentences)[:, order], self_bleu(shuffled))
    plain, mixed = ReferenceIndex(sentences), ReferenceIndex(shuffled)
    np.testing.assert_array_equal(plain.bleu(sentences), mixed.bleu(sentences))


@given(hypotheses=st.lists(STRANGER, min_size=1, max_size=9), size=st.integers(1, 9))
@settings(max_examples=50, deadline=None)
def test_chunks_give_the_same_scores(hypotheses: Corpus, size: int) -> None:
    index = ReferenceIndex([list("abcabc"), list("bbaa"), list("cab")])
    starts = range(0, len(hypotheses), size)
    chunks = [index.bleu(hypotheses[start : start + size]) for start in starts]
    np.testing.assert_array_equal(np.concatenate(chunks, axis=1), index.bleu(hypotheses))


def test_an_empty_chunk_has_no_scores() -> None:
    assert ReferenceIndex([["a"]]).bleu([]).shape == (5, 0)


def test_words_may_be_numbers() -> None:
    """The oracle's tokens are integers; they score as their names would."""
    sentences = [[3, 1, 2, 3], [1, 2, 3], [2, 2, 1]]
    named = [[str(word) for word in sentence] for sentence in sentences]
    np.testing.assert_array_equal(self_bleu(sentences), self_bleu(named))


def test_bad_input_is_refused() -> None:
    with pytest.raises(UserError, match="at least one reference"):
        ReferenceIndex([])
    with pytest.raises(UserError, match="at least 2 sentences, not 1"):
        self_bleu([["a"]])
    with pytest.raises(UserError, match="did you mean method1"):
        ReferenceIndex([["a"]]).bleu([["a"]], "method2")


def windows(sentence: Sequence[str], order: int) -> list[tuple[str, ...]]:
    return [tuple(sentence[i : i + order]) for i in range(len(sentence) - order + 1)]


def read(grams: Grams, sentences: Corpus) -> list[list[tuple[int, tuple[str, ...]]]]:
    """For each n-gram where it stands, in the order of places: sentence and words."""
    text = grams.text
    standing = []
    for place in grams.places.tolist():
        sentence = int(text.sentences[place])
        start = place - int(text.bounds[sentence])
        standing.append((sentence, tuple(sentences[sentence][start : start + grams.order])))
    return [standing[begin:end] for begin, end in pairwise(grams.starts.tolist())]


@given(sentences=CORPUS, strangers=st.lists(STRANGER, max_size=5), part=st.integers(1, 9))
@settings(max_examples=60, deadline=None)
def test_ngram_numbers_name_the_same_ngrams(
    sentences: Corpus, strangers: Corpus, part: int
) -> None:
    """Equal numbers exactly for equal n-grams, each in the order of reading; unknown ones left out.

    However few places are sorted at a time.
    """
    numbering = number_words(sentences)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ngrams, "PART", part)
        fitted = list(number_ngrams(encode(sentences, numbering), 4))
        keys = [grams.keys() for grams in fitted]
        found = list(find_ngrams(encode(strangers, numbering), keys))
    for order, (grams, (others, numbers)) in enumerate(zip(fitted, found, strict=True), 1):
        whole = [(i, gram) for i, s in enumerate(sentences) for gram in windows(s, order)]
        standing = read(grams, sentences)
        names = [places[0][1] for places in standing]
        assert len(set(names)) == len(names) == keys[order - 1].size
        assert standing == [[pair for pair in whole if pair[1] == name] for name in names]
        known = [
            (place, gram)
            for place, sentence in enumerate(strangers)
            for gram in windows(sentence, order)
            if gram in names
        ]
        theirs = zip(numbers.tolist(), read(others, strangers), strict=True)
        pairs = [(n, pair) for n, places in theirs if n >= 0 for pair in places]
        assert sorted(pair for _, pair in pairs) == sorted(known)
        assert all(names[number] == gram for number, (_, gram) in pairs)


@given(sentences=CORPUS)
@settings(max_examples=60, deadline=None)
def test_counts_are_those_of_dictionaries(sentences: Corpus) -> None:
    """Of each n-gram in each sentence; and of those alone that a sentence has more than once."""
    for grams in number_ngrams(encode(sentences, number_words(sentences)), 3):
        names = [places[0][1] for places in read(grams, sentences)]
        plain = Counter(
            (gram, i) for i, s in enumerate(sentences) for gram in windows(s, grams.order)
        )
        for rows, least in ((sentence_counts(grams), 1), (repeated(grams), 2)):
            columns = (rows.numbers, rows.sentences, rows.counts)
            triples = zip(*(column.tolist() for column in columns), strict=True)
            counted = {(names[number], sentence): count for number, sentence, count in triples}
            assert counted == {pair: count for pair, count in plain.items() if count >= least}


def test_highest_and_second_highest_counts() -> None:
    """a: 3, 3 and 1 times, so 3 and 3; b: 2 times in one sentence only, so 2 and 0."""
    sentences = [list("aaabb"), list("aaa"), list("a")]
    (grams,) = number_ngrams(encode(sentences, number_words(sentences)), 1)
    first, second = highest_counts(sentence_counts(grams), grams.counts.size)
    assert (first.tolist(), second.tolist()) == ([3, 2], [3, 0])
    of_none = highest_counts(sentence_counts(grams), 3)
    assert [each.tolist() for each in of_none] == [[3, 2, 0], [3, 0, 0]]


def plain_matches(references: Corpus, hypothesis: list[str], order: int) -> int:
    """The clipped matches of one order, with a dictionary for each sentence."""
    counted = [Counter(windows(reference, order)) for reference in references]
    return sum(
        min(count, max((other[gram] for other in counted), default=0))
        for gram, count in Counter(windows(hypothesis, order)).items()
    )


def test_many_words_and_long_sentences_are_counted_as_by_dictionaries() -> None:
    """More words than two bytes number, sentences of up to 40 words of which few stand apart."""
    rng = np.random.default_rng(3)
    lengths = rng.integers(0, 41, 30).tolist()
    sentences = [[str(word) for word in rng.zipf(1.4, n).clip(max=9)] for n in lengths]
    rare = [[f"w{i}" for i in range(70_000)], ["w69999", "w0", "w1", "w69999"]]
    references, hypotheses = [*rare, *sentences], [["w69998", "w69999", "w0"], *sentences[:9]]
    matches = ReferenceIndex(references, 4).matches(hypotheses)
    for order in range(1, 5):
        plain = [plain_matches(references, one, order) for one in hypotheses]
        assert matches.clipped[order - 1].tolist() == plain
    assert matches.clipped[:, 0].tolist() == [3, 2, 0, 0]


def test_counting_grows_as_the_words_do(monkeypatch: pytest.MonkeyPatch) -> None:
    """Four times as many sentences are four times as many places to sort, and a little more."""

    def sorted_places(size: int) -> int:
        rng = np.random.default_rng(1)
        numbers = (rng.zipf(1.3, size * 10) % 500).astype(np.int32)
        words = Words(numbers, np.full(size, 10), 500)
        sizes: list[int] = []
        sort = ngrams._sort
        with monkeypatch.context() as patch:
            patch.setattr(ngrams, "_sort", lambda *a: (sizes.append(a[0].size), sort(*a)))
            list(number_ngrams(words, 5))
        return sum(sizes)

    few = sorted_places(2000)
    assert few <= 4 * 9 * 2000 and sorted_places(8000) <= 4.1 * few


@pytest.mark.parametrize("words", [50, 300, 70_000])
def test_parts_are_sorted_as_the_whole(words: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Parts of seven places, words of one, two and four bytes: as dictionaries of tuples say."""
    monkeypatch.setattr(ngrams, "PART", 7)
    monkeypatch.setattr(counting, "PART", 7)
    draws = np.random.default_rng(words)
    drawn = [draws.integers(0, 5, size) * (words // 5 - 1) for size in (9, 0, 14, 1, 30, 5)]
    sentences = [one.tolist() for one in drawn]
    laid = list(chain.from_iterable([*one, None] for one in sentences))
    encoded = Words(np.concatenate(drawn).astype(np.int32), np.array(list(map(len, drawn))), words)
    for grams in number_ngrams(encoded, 3):
        n = grams.order
        places: dict[tuple[int, ...], list[int]] = {}
        for place in range(len(laid) - n + 1):
            if None not in laid[place : place + n]:
                places.setdefault(tuple(laid[place : place + n]), []).append(place)
        borders = pairwise(grams.starts.tolist())
        assert [grams.places[a:b].tolist() for a, b in borders] == [
            places[g] for g in sorted(places)
        ]
        counters = [Counter(tuple(one[i : i + n]) for i in range(len(one))) for one in sentences]
        several = [
            (number, row, counter[gram])
            for number, gram in enumerate(sorted(places))
            for row, counter in enumerate(counters)
            if counter[gram] > 1
        ]
        rows = repeated(grams)
        found = (column.tolist() for column in (rows.numbers, rows.sentences, rows.counts))
        assert several and list(zip(*found, strict=True)) == several


def test_what_stands_once_is_not_made_longer(monkeypatch: pytest.MonkeyPatch) -> None:
    """Self-BLEU of sentences that share the word "a" alone: no other word is gone on from."""
    sizes: list[int] = []
    sort = ngrams._sort
    monkeypatch.setattr(ngrams, "_sort", lambda *a: (sizes.append(a[0].size), sort(*a)))
    self_bleu([["a", f"b{i}", f"c{i}", f"d{i}"] for i in range(9)], 4)
    assert sum(sizes) == 9
