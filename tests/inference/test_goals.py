"""Goals and leaked features in the plane, on an algorithm whose features are known."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pytest
import torch
from torch import Tensor

from gantext.data.vocabulary import PAD, Vocabulary
from gantext.errors import UserError
from gantext.inference.goals import goals_of
from gantext.inference.projection import principal_directions
from gantext.inference.request import SamplingRequest
from gantext.models.contract import Guided
from gantext.nn.text.sampling import SamplingOptions
from gantext.runs.trained import Trained

WORDS = Vocabulary.build([["east", "west", "north", "south"]], tokenizer="whitespace")
MOVES = {"east": (4.0, 0, 0), "west": (-4.0, 0, 0), "north": (0, 1.0, 0), "south": (0, -1.0, 0)}
ORIGIN, GOAL = torch.full((3,), 5.0), torch.tensor([0.6, 0.0, 0.8])


class Compass:
    """Words move the features from (5, 5, 5); every goal is (0.6, 0, 0.8), which looks 2 ahead."""

    goal_steps = 2

    def trace(self, tokens: Tensor) -> tuple[Tensor, Tensor]:
        table = torch.tensor([MOVES.get(word, (0.0, 0, 0)) for word in WORDS.words])
        moved = ORIGIN + table[tokens].cumsum(1)
        features = torch.cat([ORIGIN.expand(len(tokens), 1, 3), moved], 1)
        return GOAL.expand(*tokens.shape, 3), features

    def sample(self, n: int, rng: torch.Generator, options: SamplingOptions) -> Tensor:
        """Sentences that never end, the second like the first."""
        east, west = WORDS.encode(["east", "west"])[:2]
        return torch.tensor([[east] * 5, [east] * 5, [west] * 5])[:n]


def trained(algorithm: Any = None) -> Trained:
    run = SimpleNamespace(path=Path("runs/one"), info={"max_length": 5, "data": "d"})
    settings = SimpleNamespace(
        model=SimpleNamespace(name="compass"), eval=SimpleNamespace(batch_size=10)
    )
    parts = (run, settings, WORDS, algorithm or Compass(), torch.device("cpu"), 7, None, "")
    return Trained(*cast(Any, parts))


def test_directions_by_hand() -> None:
    """Squared lengths along x: 4 + 4, along y: 1 + 1: shares 0.8 and 0.2. The first row, (2, 0, 0),
    must not point along the first direction: it is (-1, 0, 0)."""
    rows = np.array([[2.0, 0, 0], [-2, 0, 0], [0, 1, 0], [0, -1, 0]])
    directions, shares = principal_directions(rows)
    assert shares == pytest.approx((0.8, 0.2))
    np.testing.assert_allclose(directions[0], [-1, 0, 0], atol=1e-12)
    np.testing.assert_allclose(np.abs(directions[1]), [0, 1, 0], atol=1e-12)


def test_of_a_direction_and_its_opposite_the_first_row_decides() -> None:
    rows = np.random.default_rng(1).normal(size=(9, 4))
    for given in (rows, -rows):
        directions, _ = principal_directions(given)
        assert (directions @ given[0] < 0).all()


def test_directions_against_the_covariance_matrix() -> None:
    """Independent: eigenvectors of the covariance of centred rows, up to their sign."""
    rows = np.random.default_rng(0).normal(size=(40, 6)) * [5, 3, 1, 1, 1, 1]
    rows -= rows.mean(0)
    directions, shares = principal_directions(rows)
    values, vectors = np.linalg.eigh(np.cov(rows.T))
    assert shares == pytest.approx(values[[-1, -2]] / values.sum())
    np.testing.assert_allclose(np.abs(directions @ vectors[:, [-1, -2]]), np.eye(2), atol=1e-9)
    assert (directions @ rows[0] <= 0).all()


@pytest.mark.parametrize("rows", [np.zeros((3, 4)), np.ones((1, 4)), np.ones((5, 1))])
def test_a_direction_that_the_rows_lack_is_zero(rows: np.ndarray) -> None:
    directions, shares = principal_directions(rows)
    found = float(rows.any())
    assert directions.shape == (2, rows.shape[1]) and not directions[1].any()
    assert shares == pytest.approx((found, 0.0))
    assert np.linalg.norm(directions[0]) == pytest.approx(found)


def test_projection_by_hand() -> None:
    """One word and <eos> each: points at the origin, then twice at +-4 along x or +-1 along y, so
    the centre is the origin; sums of squares 4 * 16 = 64 and 4 * 1. The goal is a direction: its
    projection is (0.6, 0), wherever the centre lies. Alone, all goals are one: of length 1 along
    one direction. Cosines of `east`: f_2 - f_0 = (4, 0, 0): 0.6; f_2 - f_1 = 0: 0; `west`: -0.6."""
    assert isinstance(Compass(), Guided)
    found = goals_of(trained(), SamplingRequest(1), ["east", "west", "north", "south"])
    assert found.plot.feature_shares == pytest.approx((64 / 68, 4 / 68))
    assert found.plot.goal_shares == pytest.approx((1.0, 0.0))
    east, west, north, south = found.plot.paths
    x, y = np.sign(east.features[1, 0]), np.sign(north.features[1, 1])
    for path, end in ((east, (4, 0)), (west, (-4, 0)), (north, (0, 1)), (south, (0, -1))):
        expected = np.array([(0, 0), end, end]) * [x, y]
        np.testing.assert_allclose(path.features, expected, atol=1e-6)
        np.testing.assert_allclose(path.goals, [[0.6 * x, 0]] * 2, atol=1e-6)
        np.testing.assert_allclose(path.own, [[-1, 0]] * 2, atol=1e-6)
        assert len(path.words) == 2 and path.words[1] == "<eos>"
    assert east.cosines == pytest.approx([0.6, 0.0], abs=1e-6)
    assert (east.mean_cosine, west.mean_cosine) == pytest.approx((0.3, -0.3))
    assert found.notes == [] and found.goal_steps == 2


def test_sentences_of_several_lengths_keep_their_own() -> None:
    """Padding is no part of a path: the longer sentence changes nothing in the shorter's words."""
    found = goals_of(trained(), SamplingRequest(1), ["east", "north north west"])
    short, long = found.plot.paths
    assert (short.words, long.words[:3]) == (("east", "<eos>"), ("north", "north", "west"))
    for path, steps in ((short, 2), (long, 4)):
        assert path.features.shape == (steps + 1, 2) and path.cosines.shape == (steps,)
        assert path.goals.shape == path.own.shape == (steps, 2)
    whole = np.concatenate([short.features, long.features])
    np.testing.assert_allclose(whole.mean(0), 0, atol=1e-6)  # of both sentences together


def test_samples_that_never_end_and_repetitions() -> None:
    """A sample of the longest length has no <eos>; one that comes twice is drawn once."""
    found = goals_of(trained(), SamplingRequest(3, 0.7, seed=4))
    assert [path.words for path in found.plot.paths] == [("east",) * 5, ("west",) * 5]
    assert found.notes == ["1 of 3 sentences are repetitions: left out"]
    wanted = {"run": "one", "model": "compass", "step": 7, "sample_seed": 4, "temperature": 0.7}
    assert found.signature.items() >= wanted.items()


def test_own_texts_are_signed_without_a_seed_and_unknown_words_are_said() -> None:
    found = goals_of(trained(), SamplingRequest(3), [" east up down "])
    (path,) = found.plot.paths
    assert path.text == "east up down" and path.words == ("east", "<unk>", "<unk>", "<eos>")
    assert found.notes == ["not in the run's vocabulary, read as <unk>: up, down"]
    assert "sample_seed" not in found.signature and found.signature["run_data"] == "d"
    record = found.to_json()
    assert record["sentences"][0]["words"] == list(path.words)
    assert np.shape(record["sentences"][0]["features"]) == (5, 2)
    assert record["sentences"][0]["mean_cosine"] == path.mean_cosine


@pytest.mark.parametrize(
    ("texts", "said"),
    [
        (["east", " "], "an empty text"),
        (
            ["east east east east east"],
            r"has 5 words: the run takes at most the 5 tokens \(<eos> counted\)",
        ),
    ],
)
def test_texts_that_have_no_path(texts: list[str], said: str) -> None:
    with pytest.raises(UserError, match=said):
        goals_of(trained(), SamplingRequest(1), texts)


def test_the_longest_text_has_one() -> None:
    (path,) = goals_of(trained(), SamplingRequest(1), ["east east east east"]).plot.paths
    assert len(path.words) == 5 and WORDS.words[PAD] not in path.words


def test_a_model_without_goals() -> None:
    with pytest.raises(UserError, match="one: model=compass has no goals; goals are leakgan's"):
        goals_of(trained(object()), SamplingRequest(1))
