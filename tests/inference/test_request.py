"""What is sampled: what is refused, and the settings that samples can be drawn again with."""

import pytest

from gantext import __version__
from gantext.errors import UserError
from gantext.inference.request import Candidates, SamplingRequest, signature
from gantext.runs.kinds import PICTURES


def test_samples_say_all_that_they_can_be_drawn_again_with() -> None:
    request = SamplingRequest(3, 0.5, 2, 0.9, 4, prompt="a", candidates=Candidates(6))
    assert list(signature({"run": "r"}, request, "d").items()) == [
        ("run", "r"),
        ("sampled", 3),
        ("prompt", "a"),
        ("candidates", 6),
        ("temperature", 0.5),
        ("top_k", 2),
        ("top_p", 0.9),
        ("sample_seed", 4),
        ("run_data", "d"),
        ("version", __version__),
    ]


def test_greedy_samples_of_a_class_say_so() -> None:
    found = signature({"run": "r"}, SamplingRequest(3, 0.0, label="sport"), None)
    assert found["temperature"] == "greedy" and found["label"] == "sport"
    assert "prompt" not in found and "candidates" not in found


def test_pictures_say_nothing_of_how_words_are_drawn() -> None:
    found = signature({"run": "r"}, SamplingRequest(3, seed=5), "d", PICTURES)
    expected = {"run": "r", "sampled": 3, "sample_seed": 5, "run_data": "d"}
    assert found == {**expected, "version": __version__}
    with pytest.raises(UserError, match="takes no candidates"):
        signature({"run": "r"}, SamplingRequest(3, candidates=Candidates(2)), "d", PICTURES)


def test_what_cannot_be_drawn_is_refused() -> None:
    with pytest.raises(UserError, match="one of at least 2 is kept"):
        Candidates(1)
    assert Candidates(2).force is False
    with pytest.raises(UserError, match="sentences take one of the two"):
        SamplingRequest(3, prompt="a", label="b")
    with pytest.raises(UserError, match="at temperature 0 nothing is"):
        SamplingRequest(3, 0.0, candidates=Candidates(2))
