"""Which sentences are compared, at which N, and what the scores say of it; with a toy encoder."""

from collections.abc import Sequence

import numpy as np
import pytest
from numpy.typing import NDArray

from gantext import __version__
from gantext.errors import UserError
from gantext.evaluation.judges.embedded import EmbeddedText
from gantext.evaluation.measures.frechet import frechet_scores as scores_of
from gantext.evaluation.measures.mauve import mauve_scores
from gantext.metrics.frechet import fit, frechet_distance
from gantext.metrics.score import Score, signature_line
from gantext.metrics.text.texts import Texts


class LetterCounts:
    """Encodes a sentence by how often a, b and c stand in it; counts what it was asked."""

    id = "letters 1"

    def __init__(self) -> None:
        self.encoded = 0

    def encode(self, lines: Sequence[str]) -> NDArray[np.float32]:
        self.encoded += len(lines)
        return np.array([[line.count(x) for x in "abc"] for line in lines], dtype=np.float32)


def texts(size: int, seed: int, letters: str = "abc") -> list[str]:
    rng = np.random.default_rng(seed)
    return ["".join(rng.choice(list(letters), rng.integers(1, 9))) for _ in range(size)]


def frechet_scores(
    lines: Sequence[str],
    references: Sequence[str],
    training: Sequence[str],
    encoder: LetterCounts,
    **given: str | int,
) -> list[Score]:
    return scores_of(lines, EmbeddedText(references, training, encoder, **given))


def test_equal_sizes_take_every_sentence() -> None:
    lines, references, training = texts(30, 0, "aab"), texts(30, 1), texts(30, 2)
    encoder = LetterCounts()
    frechet, real = frechet_scores(lines, references, training, encoder, data_hash="0123456789")
    a, b, c = (fit([encoder.encode(part)]) for part in (lines, references, training))
    assert (frechet.name, real.name) == ("frechet", "frechet-real")
    assert frechet.value == pytest.approx(frechet_distance(a, b), rel=1e-12)
    assert real.value == pytest.approx(frechet_distance(c, b), rel=1e-12)
    assert frechet.value > 2 * real.value
    line = f"encoder:letters 1|sentences:30|data:01234567|v:{__version__}"
    assert signature_line(frechet) == signature_line(real) == line


@pytest.mark.parametrize("sizes", [(20, 50, 40), (50, 20, 40), (50, 40, 20)])
def test_the_smallest_set_decides_n_and_the_seed_decides_the_rest(
    sizes: tuple[int, int, int],
) -> None:
    """The set with 20 is taken whole: a choice of it in another order changes nothing."""
    sets = [texts(size, seed) for seed, size in enumerate(sizes)]
    encoder = LetterCounts()
    first = frechet_scores(*sets, encoder, seed=0)
    assert encoder.encoded == 60
    assert first == frechet_scores(*sets, encoder, seed=0)
    assert first[0].signature["sentences"] == 20
    assert first[0].signature["seed"] == 0
    other = frechet_scores(*sets, encoder, seed=1)
    assert first[0].value != other[0].value
    assert first[1].value != other[1].value


def test_equal_training_and_test_text_are_not_drawn_alike() -> None:
    """Otherwise the same sentences would be compared with themselves: a floor of 0."""
    real = texts(60, 0)
    assert frechet_scores(texts(20, 1), real, real, LetterCounts())[1].value > 1e-3


def test_two_sentences_a_set_are_enough() -> None:
    found = frechet_scores(["a", "b"], ["b", "aa"], ["a", "bb"], LetterCounts())
    assert found[0].signature["sentences"] == 2


def test_several_sample_sets_share_the_real_side() -> None:
    references, training, samples = texts(30, 1), texts(30, 2), (texts(30, 3), texts(30, 4))
    encoder = LetterCounts()
    shared = EmbeddedText(references, training, encoder)
    found = [scores_of(lines, shared) for lines in samples]
    assert encoder.encoded == 4 * 30
    assert found == [
        frechet_scores(lines, references, training, LetterCounts()) for lines in samples
    ]
    smaller = scores_of(samples[0][:10], shared)
    assert encoder.encoded == 4 * 30 + 3 * 10
    assert smaller[1].value != found[0][1].value


@pytest.mark.parametrize("empty", [0, 1, 2])
def test_too_few_sentences_are_refused(empty: int) -> None:
    sets = [texts(5, seed) for seed in range(3)]
    sets[empty] = sets[empty][:1]
    with pytest.raises(UserError, match="at least 2 sentences a set, not 1"):
        frechet_scores(*sets, LetterCounts())


def test_mauve_takes_the_embeddings_of_the_distance() -> None:
    """Sentences of two kinds in the real text's shares overlap with it, others do not."""
    pytest.importorskip("sklearn")
    references, training = texts(40, 1), texts(40, 2)
    encoder = LetterCounts()
    real, lines = EmbeddedText(references, training, encoder), Texts(texts(40, 3))
    scores_of(lines, real)
    near, ceiling = mauve_scores(lines, real)
    assert encoder.encoded == 3 * 40
    far, _ = mauve_scores(["c"] * 40, real)
    assert (near.name, ceiling.name) == ("mauve", "mauve-real")
    assert far.value < 0.1 < 0.5 < near.value <= 1 and 0.5 < ceiling.value <= 1
    line = "features:letters 1|clusters:4|scale:5.0|sentences:40|"
    assert signature_line(near).startswith(line)
