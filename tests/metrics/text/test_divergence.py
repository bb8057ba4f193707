"""MS-Jaccard and the distance of lengths: by hand, against plain loops and scipy."""

import math
from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from nltk.util import ngrams
from scipy.stats import gmean, wasserstein_distance

from gantext.metrics.text.divergence import _rarer, ms_jaccard, wasserstein_1
from gantext.metrics.text.ngrams import Words, encode, number_words

Corpus = list[list[str]]
CORPUS = st.lists(st.lists(st.sampled_from("abc"), max_size=7), min_size=1, max_size=6)
# "y" and "z" are unknown to the other set.
STRANGER = st.lists(st.lists(st.sampled_from("abyz"), max_size=7), min_size=1, max_size=6)
LENGTHS = st.lists(st.integers(0, 30), min_size=1, max_size=20).map(np.array)


def encoded(a: Corpus, b: Corpus) -> tuple[Words, Words]:
    """The numbering is of the first set alone."""
    numbering = number_words(a)
    return encode(a, numbering), encode(b, numbering)


def plain_jaccard(a: Corpus, b: Corpus, order: int) -> float:
    """J_n with dictionaries."""
    first, second = (Counter(g for s in c for g in ngrams(s, order)) for c in (a, b))
    pairs = [(first[g] / len(a), second[g] / len(b)) for g in first | second]
    highest = sum(max(pair) for pair in pairs)
    return sum(min(pair) for pair in pairs) / highest if pairs else math.nan


def test_ms_jaccard_by_hand() -> None:
    """A = "a b a", "b c"; B = "a b": counts are halved for A and kept for B.

    Words: a 1 and 1, b 1 and 1, c 1/2 and 0: minima 2, maxima 2.5, J_1 = 4/5.
    Bigrams: ab 1/2 and 1, ba 1/2 and 0, bc 1/2 and 0: minima 1/2, maxima 2, J_2 = 1/4.
    MS-Jaccard-2 = sqrt(4/5 * 1/4) = sqrt(1/5).
    Trigrams: aba 1/2 and 0, so J_3 = 0; neither set has four words in a row.
    """
    ours = ms_jaccard(*encoded([list("aba"), list("bc")], [list("ab")]), 4).values
    assert ours[:3] == pytest.approx([4 / 5, math.sqrt(1 / 5), 0], rel=1e-14)
    assert math.isnan(ours[3])


@given(a=CORPUS, b=STRANGER)
@settings(max_examples=80, deadline=None)
def test_equals_the_plain_loop(a: Corpus, b: Corpus) -> None:
    ours = ms_jaccard(*encoded(a, b)).values
    assert ours.shape == (5,)
    plain = [plain_jaccard(a, b, order) for order in range(1, 6)]
    for order in range(1, 6):
        expected = gmean(plain[:order]) if min(plain[:order]) > 0 else min(plain[:order])
        if any(map(math.isnan, plain[:order])):
            assert math.isnan(ours[order - 1])
        else:
            assert ours[order - 1] == pytest.approx(expected, rel=1e-12)


@given(a=CORPUS, b=STRANGER)
@settings(max_examples=50, deadline=None)
def test_is_symmetric(a: Corpus, b: Corpus) -> None:
    numbering = number_words(b)
    other = ms_jaccard(encode(b, numbering), encode(a, numbering)).values
    np.testing.assert_allclose(ms_jaccard(*encoded(a, b)).values, other, rtol=1e-13)


@given(a=CORPUS, seed=st.integers(0, 99))
@settings(max_examples=50, deadline=None)
def test_the_same_sentences_in_any_order_and_doubled_give_1(a: Corpus, seed: int) -> None:
    """Twice as many sentences of the same kind have the same frequencies a sentence."""
    order = np.random.default_rng(seed).permutation(2 * len(a))
    doubled = [(a + a)[i] for i in order]
    longest = max(map(len, a))
    assert ms_jaccard(*encoded(a, doubled)).values[:longest] == pytest.approx(1, abs=1e-14)


def test_its_error_by_hand() -> None:
    """a a, a b and a c beside a, b: of a sentence a 4/3 and 1/2, b 1/3 and 1/2, c 1/3 and 0.

    Minima 1/2 + 1/3, maxima 4/3 + 1/2 + 1/3: J = 5/13. b and c stand there once: without it b is
    rarer than 1.5 times among three, c no rarer than never. Of a there are 3 others, beside 1.5:
    P(X <= 0) and P(X <= 1) of their curve are 1 / (1 + exp(1.702 * 2.5 / sqrt 3)) = .0790 and
    1 / (1 + exp(1.702 * 1.5 / sqrt 3)) = .1864, whose mean is q. So minima move by 2 q, q + 1, q
    and maxima by 2 (1 - q), 1 - q, 2 - q.
    """
    found = ms_jaccard(*encoded([list("aa"), list("ab"), list("ac")], [list("a"), list("b")]), 1)
    assert found.values == pytest.approx([5 / 13])
    q = (0.0790 + 0.1864) / 2
    minima, maxima = np.array([2 * q, q + 1, q]), np.array([2 - 2 * q, 1 - q, 2 - q])
    moved = minima - minima.mean() - 5 / 13 * (maxima - maxima.mean())
    assert found.influences[0] == pytest.approx(moved / (13 / 6), rel=1e-3)
    assert found.error(1) == pytest.approx((moved / (13 / 6)).std(ddof=1) / np.sqrt(3), rel=1e-3)
    with np.errstate(all="raise"):
        assert ms_jaccard(*encoded([list("a")], [list("b")]), 1).error(1) is None
        assert ms_jaccard(*encoded([list("ab")], [list("ba")]), 2).error(2) is None


def test_longer_sentences_add_more_to_its_error() -> None:
    """a and a b beside a hundred of both: the smaller counts are theirs, 1 and 1/2, the larger ones
    100 and 100. Whatever they have adds to the minima alone, 1 and 2 words."""
    found = ms_jaccard(*encoded([list("a"), list("ab")], [list("ab") * 100]), 1)
    assert found.values == pytest.approx([1.5 / 200])
    assert found.influences[0] == pytest.approx([-0.5 / 200, 0.5 / 200], rel=1e-6)


def test_by_how_much_one_more_raises_the_smaller_count() -> None:
    """Of a word that no other sentence has: by all of it, up to what stands there; half at 1/2.

    Of ten others beside 10: P(X < 10) of their curve, 1 / (1 + exp(1.702 * .5 / sqrt 10)).
    """
    found = _rarer(np.array([1, 1, 1, 11]), np.array([0.0, 0.5, 3.0, 10.0]))
    below = 1 / (1 + math.exp(1.702 * 0.5 / math.sqrt(10)))
    assert found == pytest.approx([0, 0.5, 1, below], abs=1e-12)
    with np.errstate(divide="raise", over="raise"):
        assert _rarer(np.array([1, 10**7]), np.array([0.5, 0.5])).tolist() == [0.5, 0]


def test_its_error_is_what_is_seen_of_sets_that_are_drawn_anew() -> None:
    """Over 100 sets, known to 7 %; the slope of min says 1.3 of it for words, .4 for threes."""
    rng = np.random.default_rng(0)
    shares = 1 / np.arange(1, 61)
    drawn = rng.choice(60, (101 * 150, 4), p=shares / shares.sum())
    sets = [Words(rows.ravel(), np.full(150, 4), 60) for rows in np.split(drawn, 101)]
    found = [ms_jaccard(one, sets[0], 3) for one in sets[1:]]
    for order in (1, 2, 3):
        seen = np.std([one.values[order - 1] for one in found], ddof=1)
        said = np.sqrt(np.mean([(one.error(order) or 0.0) ** 2 for one in found]))
        assert 0.8 < said / seen < 1.2


def test_all_orders_by_counting() -> None:
    """The geometric mean of the orders up to each, from the n-grams of each side as shares."""
    ours, theirs = map(str.split, ("abcab abd bca acb abca", "abc cab bcd"))

    def share(n: int) -> float:
        first, second = Counter[tuple[str, ...]](), Counter[tuple[str, ...]]()
        for sentences, counts in ((ours, first), (theirs, second)):
            for sentence in sentences:
                for gram in ngrams(sentence, n):
                    counts[gram] += 1 / len(sentences)
        return (first & second).total() / (first | second).total()

    found = ms_jaccard(*encoded(list(map(list, ours)), list(map(list, theirs))), 3)
    for order in (1, 2, 3):
        expected = math.prod(map(share, range(1, order + 1))) ** (1 / order)
        assert found.values[order - 1] == pytest.approx(expected)


def test_one_sentence_repeated_lowers_it() -> None:
    sentences = [list(f"abcd{i}") for i in range(10)]
    collapsed = ms_jaccard(*encoded(sentences, [*sentences, *[sentences[0]] * 1000])).values
    assert (collapsed < [0.9, 0.85, 0.8, 0.75, 0.7]).all()


def test_sets_that_cannot_be_compared_are_refused() -> None:
    a, b = [list("abc")], [list("ab")]
    with pytest.raises(ValueError, match="two numberings, of 3 and of 2 words"):
        ms_jaccard(encode(a, number_words(a)), encode(b, number_words(b)))
    with pytest.raises(ValueError, match="sentences on both sides"):
        ms_jaccard(*encoded(a, []))
    with pytest.raises(ValueError, match="two samples"):
        wasserstein_1(np.array([1]), np.array([], np.int64))


def test_wasserstein_by_hand() -> None:
    """1, 3 against 2, 7: the sorted pairs are 1 and 4 apart, 2.5 on the mean."""
    assert wasserstein_1(np.array([3, 1]), np.array([2, 7])) == pytest.approx(2.5)
    assert wasserstein_1(np.array([4]), np.array([4, 4, 4])) == 0


@given(a=LENGTHS, b=LENGTHS)
@settings(max_examples=80, deadline=None)
def test_wasserstein_equals_scipy(a: np.ndarray, b: np.ndarray) -> None:
    assert wasserstein_1(a, b) == pytest.approx(wasserstein_distance(a, b), abs=1e-12)
