"""distinct-n, entropy and unique share: by hand, against nltk and scipy, and their properties."""

import math
from collections import Counter
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from nltk.util import ngrams
from scipy.stats import entropy as scipy_entropy
from scipy.stats import sem, wasserstein_distance

from gantext import __version__
from gantext.errors import UserError
from gantext.metrics import standard_error
from gantext.metrics.score import signature_line
from gantext.metrics.text.bleu_scores import self_bleu_scores
from gantext.metrics.text.divergence import ms_jaccard
from gantext.metrics.text.diversity import (
    distinct,
    distinct_error,
    diversity_scores,
    entropy,
    entropy_error,
    unique_error,
    unique_share,
)
from gantext.metrics.text.ngrams import IntArray, Words, encode, number_ngrams, number_words

Corpus = list[list[str]]
SENTENCES = st.lists(st.lists(st.sampled_from("abc"), max_size=7), min_size=1, max_size=7)
NAMES = [
    *(f"distinct-{n}" for n in (1, 2, 3, 4)),
    *(f"entropy-{n}" for n in (1, 2, 3, 4)),
    *("length-mean", "length-sd", "unique"),
    *(f"ms-jaccard-{n}" for n in (2, 3, 4, 5)),
    *("length-w1", "copied", "longest-copy-mean", "longest-copy-p90"),
]


def encoded(sentences: Corpus) -> Words:
    return encode(sentences, number_words(sentences))


def counted(sentences: Corpus, order: int) -> Counter[tuple[str, ...]]:
    return Counter(gram for sentence in sentences for gram in ngrams(sentence, order))


def values(
    lines: list[str], references: list[str] | None = None, training: list[str] | None = None
) -> dict[str, float]:
    return {s.name: s.value for s in diversity_scores(lines, references or (), training or ())}


def counts_of(words: Words, order: int) -> list[IntArray]:
    return [grams.counts for grams in number_ngrams(words, order)]


def test_distinct_by_hand() -> None:
    """ "a b a b" and "a b": a, b of 6 words; ab, ba of 4 bigrams; aba, bab of 2 trigrams."""
    counts = counts_of(encoded([list("abab"), list("ab")]), 3)
    assert [distinct(one) for one in counts] == pytest.approx([2 / 6, 2 / 4, 1])


def test_entropy_by_hand() -> None:
    """The same: words half and half, so log 2; bigrams ab 3/4, ba 1/4; trigrams log 2.

    -(3/4 log 3/4 + 1/4 log 1/4) = log 4 - 3/4 log 3.
    """
    ours = [entropy(one) for one in counts_of(encoded([list("abab"), list("ab")]), 3)]
    by_hand = [math.log(2), math.log(4) - 0.75 * math.log(3), math.log(2)]
    assert ours == pytest.approx(by_hand, rel=1e-14)


@given(sentences=SENTENCES)
@settings(max_examples=80, deadline=None)
def test_equal_nltk_and_scipy(sentences: Corpus) -> None:
    for order, ours in zip((1, 2, 3, 4), counts_of(encoded(sentences), 4), strict=True):
        counts = counted(sentences, order)
        if counts:
            assert distinct(ours) == len(counts) / sum(counts.values())
            expected = scipy_entropy(list(counts.values()))
            assert entropy(ours) == pytest.approx(expected, rel=1e-12, abs=1e-15)
        else:
            assert math.isnan(distinct(ours))
            assert math.isnan(entropy(ours))


def test_no_ngram_occurs_twice() -> None:
    """The best values: distinct-n 1, entropy the logarithm of the number of n-grams."""
    counts = counts_of(encoded([list("abcd"), list("efgh")]), 4)
    assert [distinct(one) for one in counts] == [1] * 4
    assert [entropy(one) for one in counts] == pytest.approx([math.log(n) for n in (8, 6, 4, 2)])


@given(sentences=st.lists(st.lists(st.sampled_from("abc"), max_size=5), min_size=2, max_size=7))
@settings(max_examples=40, deadline=None)
def test_their_jackknife_leaves_each_sentence_out(sentences: Corpus) -> None:
    def left_out(score: Callable[[Corpus], float]) -> list[float]:
        return [score([*sentences[:i], *sentences[i + 1 :]]) for i in range(len(sentences))]

    for order, grams in enumerate(number_ngrams(encoded(sentences), 3), 1):
        counts = [counted([s], order) for s in sentences]
        if sum(map(bool, counts)) < 2:  # without one of them there is no n-gram
            assert distinct_error(grams) is None or grams.counts.size
            continue

        def plain(rest: Corpus, order: int = order) -> float:
            found = counted(rest, order)
            return len(found) / sum(found.values())

        def plain_entropy(rest: Corpus, order: int = order) -> float:
            return float(scipy_entropy(list(counted(rest, order).values())))

        assert distinct_error(grams) == pytest.approx(plainly_jackknifed(left_out(plain)))
        by_hand = plainly_jackknifed(left_out(plain_entropy))
        assert entropy_error(grams) == pytest.approx(by_hand, abs=1e-12)


def test_the_error_of_the_unique_share_by_hand() -> None:
    """Of ten sentences three are alone, F1, and two stand twice, F2: e counts in neither.

    (3 - 9 / 10 - 2) / 90. Where the pairs are as many as those alone it is the jackknife's.
    """
    assert unique_error(list("abcddeeeff")) == pytest.approx(math.sqrt(0.1 / 90))
    for lines in ("abcde", "aabb", "aaabbb", "aabbc"):
        each = [unique_share([*lines[:i], *lines[i + 1 :]]) for i in range(len(lines))]
        assert unique_error(list(lines)) == pytest.approx(plainly_jackknifed(each))
    assert unique_error(["a"]) is None and unique_error(["a", "b"]) == 0
    assert unique_error(list("abcc")) == pytest.approx(math.sqrt(1 / 12))  # whole = F2 = 1


def test_without_the_only_sentence_that_has_ngrams_there_is_no_error() -> None:
    (grams,) = number_ngrams(encoded([list("abc"), []]), 1)
    with np.errstate(all="raise"):
        assert distinct_error(grams) is None and entropy_error(grams) is None


def test_the_error_of_the_unique_share_is_what_is_seen() -> None:
    """500 of 10,000 equal ones, 400 times (known to 4 %): the jackknife alone says 1.4 times it."""
    rng = np.random.default_rng(0)
    sets = [rng.integers(10_000, size=500).astype(str).tolist() for _ in range(400)]
    said = math.sqrt(np.mean([(unique_error(lines) or 0.0) ** 2 for lines in sets]))
    assert said == pytest.approx(np.std([unique_share(lines) for lines in sets]), rel=0.12)


def plainly_jackknifed(left_out: list[float]) -> float:
    """Efron and Stein 1981, eq. 1.2: the square root of (N - 1) / N times the sum of squares."""
    values = np.array(left_out)
    return math.sqrt((len(values) - 1) / len(values) * ((values - values.mean()) ** 2).sum())


def test_unique_share_by_hand() -> None:
    assert unique_share(["a b", "a  b", "a b"]) == pytest.approx(2 / 3)  # the lines as they are
    assert unique_share([]) == 0


def test_a_sentence_repeated_1000_times_is_seen() -> None:
    """100 different sentences: unique 1 and no n-gram shared beyond the last word and full stop.

    With one of them 1,001 times, 100 of 1,100 are unique, and 1,001 have a twin: Self-BLEU 1.
    """
    lines = [f"a{i} b{i} c{i} d{i} e{i} ." for i in range(100)]
    repeated = [*lines, *[lines[0]] * 1000]
    assert values(lines)["unique"] == 1
    assert values(repeated)["unique"] == pytest.approx(100 / 1100)
    assert self_bleu_scores(lines)[0].value < 0.2
    assert 1001 / 1100 <= self_bleu_scores(repeated)[2].value + 1e-12 < 0.93
    assert values(repeated)["entropy-4"] < 0.5 * values(lines)["entropy-4"]


def test_order_of_sentences_does_not_matter() -> None:
    rng = np.random.default_rng(3)
    sets = [
        [" ".join(rng.choice(list("abcde"), n)) + "." for n in rng.integers(1, 12, size)]
        for size in (40, 30, 50)
    ]
    backwards = values(*(lines[::-1] for lines in sets))
    assert backwards == pytest.approx(values(*sets), rel=1e-13)
    assert list(backwards) == NAMES


def test_identical_sets_give_the_best_values() -> None:
    """Six tokens with the full stop, of which all are copied."""
    lines = [f"a b c d {word}." for word in "efgh"]
    found = values(lines, lines, lines)
    assert [found[f"ms-jaccard-{n}"] for n in (2, 3, 4, 5)] == pytest.approx([1] * 4, abs=1e-15)
    assert found["length-w1"] == 0
    assert found["copied"] == 1
    assert found["longest-copy-mean"] == found["longest-copy-p90"] == 6


def test_scores_by_hand() -> None:
    """ "a dog ." and "a cat runs .": 7 tokens, mean length 3.5 and sd 0.5; a and . twice.

    Test lengths 3 and 3: half of the sentences are one token longer, W1 = 0.5. Of the training
    sentence "A cat runs ." the first shares ".", the second "cat runs ." (A is not a): mean 2,
    and the 90th percentile of 1 and 3 is 1 + 0.9 * 2 = 2.8. MS-Jaccard: of words 2.5 of 4 are
    shared, of bigrams 1 ("a dog" and "dog .") of 3.5, of trigrams .5 ("a dog .") of 2.
    """
    found = values(["a dog.", "a cat runs."], ["a cow.", "a dog."], ["A cat runs."])
    assert found["distinct-1"] == pytest.approx(5 / 7)
    assert (found["length-mean"], found["length-sd"]) == (3.5, 0.5)
    assert found["length-w1"] == 0.5
    assert (found["copied"], found["longest-copy-mean"]) == (0, 2)
    assert found["longest-copy-p90"] == pytest.approx(2.8)
    shared = 5 / 8 * 2 / 7
    assert found["ms-jaccard-2"] == pytest.approx(shared ** (1 / 2))
    assert found["ms-jaccard-3"] == pytest.approx((shared / 4) ** (1 / 3))


def test_scores_have_the_errors_of_what_they_are_made_of() -> None:
    """Lengths 3, 4, 3, 3; the first and third are copied, of the second "cat runs .", of the last
    a word. Test lengths 3 and 4."""
    lines = ["a dog.", "a cat runs.", "a dog.", "no cat."]
    references = ["a cow.", "a dog runs."]
    scores = diversity_scores(lines, references, ["a dog.", "A cat runs."])
    found = {score.name: score.error for score in scores}
    lengths, longest = np.array([3, 4, 3, 3]), np.array([3, 3, 3, 1])
    words = [line.replace(".", " .").split() for line in (*lines, *references)]
    numbering = number_words(words)
    shares = ms_jaccard(encode(words[:4], numbering), encode(words[4:], numbering))
    grams = [*number_ngrams(encode(words[:4], numbering), 2)]
    drawn = standard_error.bootstrapped
    expected = {
        "length-mean": sem(lengths),
        "length-sd": standard_error.of_deviation(lengths),
        "length-w1": drawn(lengths, lambda rows: wasserstein_distance(rows, [3, 4])),
        "copied": sem([1, 0, 1, 0]),
        "longest-copy-mean": sem(longest),
        "longest-copy-p90": drawn(longest, lambda rows: float(np.percentile(rows, 90))),
        "unique": unique_error(lines),
        "distinct-2": distinct_error(grams[1]),
        "entropy-1": entropy_error(grams[0]),
        "ms-jaccard-2": shares.error(2),
    }
    assert {name: found[name] for name in expected} == pytest.approx(expected)
    assert all(expected.values()) and found["ms-jaccard-5"] is None


def test_signatures_name_what_was_used() -> None:
    hashed = diversity_scores(["a dog."], ["a b", "c"], ["a b", "c", "d"], data_hash="ab" * 32)
    lines = {score.name: signature_line(score) for score in hashed}
    tail = f"tok:nltk|data:abababab|v:{__version__}"
    assert lines["distinct-3"] == f"n:3|sentences:1|{tail}"
    assert lines["entropy-2"] == f"unit:nats|n:2|sentences:1|{tail}"
    assert lines["ms-jaccard-4"] == f"n:4|sentences:1|ref:2|{tail}"
    assert lines["length-w1"] == f"unit:tokens|sentences:1|ref:2|{tail}"
    assert lines["copied"] == f"sentences:1|training:3|{tail}"
    assert lines["unique"] == f"sentences:1|data:abababab|v:{__version__}"


def test_without_references_or_training_their_scores_are_left_out() -> None:
    assert list(values(["a dog."])) == NAMES[:11]
    assert list(values(["a dog."], ["a cat."])) == NAMES[:16]


def test_bad_input_is_refused() -> None:
    with pytest.raises(UserError, match="no sentences"):
        diversity_scores([], ["a"], ["a"])
    with pytest.raises(UserError, match="did you mean nltk"):
        diversity_scores(["a"], ["a"], ["a"], tokenizer="nltkk")
