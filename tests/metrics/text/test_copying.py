"""Copies of training text: by hand, and against loops over every n-gram and every sentence."""

from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from nltk.tokenize import NLTKWordTokenizer
from nltk.util import ngrams

from gantext.errors import UserError
from gantext.metrics.text.copying import CopyIndex

TRAINING = st.lists(st.lists(st.sampled_from("abc"), max_size=8).map(" ".join), min_size=1)
LINES = st.lists(st.lists(st.sampled_from("abcz"), max_size=9).map(" ".join), max_size=6)
# Pieces at which a tokenizer cuts, glues or rewrites.
PIECES = st.sampled_from(
    ["a", "a ", "b ", " ", "  ", "\t", '"', "``", "''", "'", ".", ",", "cannot ", "n't", "é", "“"]
)
TEXT = st.lists(PIECES, max_size=14).map("".join)


def grams(line: str) -> set[tuple[str, ...]]:
    words = line.split()
    return {gram for n in range(1, len(words) + 1) for gram in ngrams(words, n)}


def bag(line: str) -> Counter[tuple[str, ...]]:
    words = line.split()
    return Counter([*ngrams(words, 1), *ngrams(words, 2)])


def plain_nearest(line: str, training: list[str]) -> tuple[int, float]:
    """The F1 of words and bigrams with every training sentence, with dictionaries."""
    mine = bag(line)
    scores = []
    for theirs in map(bag, training):
        total = mine.total() + theirs.total()
        scores.append(2 * (mine & theirs).total() / total if total else 0.0)
    best = max(scores)
    return scores.index(best), best


def copied(pieces: list[tuple[str, bool]]) -> list[str]:
    return [text for text, known in pieces if known]


def test_verbatim_by_hand() -> None:
    """Spacing does not matter, upper case and every word do; "e" is in no training sentence."""
    index = CopyIndex(["a dog.", "b c d"])
    lines = ["a  dog .", "A dog.", "b c", "b c d", "b c d d", "b c e", ""]
    assert index.verbatim(lines).tolist() == [True, False, False, True, False, False, False]


def test_longest_by_hand() -> None:
    """ "b c" and "d a": a copy ends at the border between two training sentences."""
    index = CopyIndex(["a b c d", "d a"], "whitespace")
    lines = ["b c d a", "x b c", "c d a b c x", "z", "", "a b c d"]
    assert index.longest(lines).tolist() == [3, 2, 3, 0, 0, 4]


@given(training=TRAINING, lines=LINES, chunk=st.integers(1, 4))
@settings(max_examples=80, deadline=None)
def test_equal_the_plain_loops(training: list[str], lines: list[str], chunk: int) -> None:
    index = CopyIndex(training, "whitespace", chunk=chunk)
    known = set().union(*map(grams, training))
    longest = [max(map(len, grams(line) & known), default=0) for line in lines]
    assert index.longest(lines).tolist() == longest
    assert index.verbatim(lines).tolist() == [line in training for line in lines]
    assert index.nearest(lines) == [plain_nearest(line, training) for line in lines]


@given(training=TRAINING, text=TEXT | LINES.map(" ".join), least=st.integers(1, 4))
@settings(max_examples=120, deadline=None)
def test_segments_make_up_the_text(training: list[str], text: str, least: int) -> None:
    pieces = CopyIndex(training).segments(text, least)
    assert "".join(piece for piece, _ in pieces) == text
    assert all(piece for piece, _ in pieces)


@given(training=TRAINING, lines=LINES, least=st.integers(1, 4))
@settings(max_examples=80, deadline=None)
def test_segments_are_long_enough_known_and_not_extensible(
    training: list[str], lines: list[str], least: int
) -> None:
    """And no copy of that length is left between them."""
    known = set().union(*map(grams, training))
    index = CopyIndex(training, "whitespace")
    for line in lines:
        pieces = index.segments(line, least)
        for place, (piece, is_copy) in enumerate(pieces):
            words = tuple(piece.split())
            if not is_copy:
                assert not {g for g in grams(piece) & known if len(g) >= least}
                continue
            assert words in known
            assert len(words) >= least
            rest = "".join(text for text, _ in pieces[place + 1 :]).split()
            assert (*words, *rest[:1]) not in known or not rest


def test_segments_by_hand() -> None:
    """Three words or more: "a man rides" from one sentence, so "rides a horse" lacks its start.

    "a horse ," are three words of the second sentence, which begin where the first copy ended.
    """
    index = CopyIndex(["a man rides", "the cow rides a horse, too"])
    assert index.segments("now a man rides a horse, he said", 3) == [
        ("now ", False),
        ("a man rides", True),
        (" ", False),
        ("a horse,", True),
        (" he said", False),
    ]
    assert index.segments("") == []


def test_copies_of_five_words_are_marked_unless_fewer_are_asked_for() -> None:
    index = CopyIndex(["a b c d e"])
    assert index.segments("a b c d e x") == [("a b c d e", True), (" x", False)]
    assert index.segments("a b c d x") == [("a b c d x", False)]
    assert CopyIndex(["dog"]).segments("dog", 1) == [("dog", True)]


@pytest.mark.parametrize(
    ("text", "copies"),
    [
        ('so he said "go home" to us', ['he said "go home"']),
        ("so he said `` go home '' to us", ["he said `` go home '' to us"]),
        ("He cannot   go, now", ["cannot   go,"]),
        ("he said \"go home'' or ``", ["he said \"go home''"]),
        ("so he said 'go' \"home", []),
    ],
)
def test_segments_keep_the_text_as_it_is(text: str, copies: list[str]) -> None:
    """nltk turns " into `` or '', and cuts cannot in two; the text keeps its own signs."""
    index = CopyIndex(['he said "go home"', "we can not go, ever", "he said `` go home '' to us"])
    assert NLTKWordTokenizer().tokenize('he said "go home"')[2] == "``"
    found = copied(index.segments(text, 3))
    assert found == copies


def test_nearest_by_hand() -> None:
    """ "a b c" has a, b, c, ab, bc. "a b d" shares a, b, ab of its 5: 2 * 3 / 10 = 0.6.

    "c b a" shares three words of 5 n-grams too, and stands first. "a b" shares its 3: 6 / 8.
    """
    index = CopyIndex(["c b a", "a b d"])
    assert index.nearest(["a b c", "a b d", "q"]) == [(0, 0.6), (1, 1.0), (0, 0.0)]
    assert CopyIndex(["c b a", "a b"]).nearest(["a b c"]) == [(1, 0.75)]


def test_training_text_is_its_own_copy() -> None:
    """The best values; in another order, and with a sentence 1,000 times, it stays so."""
    rng = np.random.default_rng(1)
    training = [" ".join(rng.choice(list("abcdefgh"), n)) for n in rng.integers(5, 12, 200)]
    index = CopyIndex(training)
    lines = [*training[::-1], *[training[0]] * 1000]
    assert index.verbatim(lines).all()
    assert index.longest(lines).tolist() == [len(line.split()) for line in lines]
    assert all(similarity == 1 for _, similarity in index.nearest(training))
    assert all(index.segments(line) == [(line, True)] for line in training[:20])
    other = CopyIndex(training[::-1])
    strange = [line[::-1] for line in training]
    assert other.longest(strange).tolist() == index.longest(strange).tolist()


def test_no_lines_and_bad_input() -> None:
    index = CopyIndex(["a b"])
    assert index.verbatim([]).shape == index.longest([]).shape == (0,)
    assert index.nearest([]) == []
    with pytest.raises(UserError, match="at least one training sentence"):
        CopyIndex([])
    with pytest.raises(UserError, match="did you mean nltk"):
        CopyIndex(["a"], "nltkk")
    with pytest.raises(UserError, match="min_words=0"):
        index.segments("a b", 0)
