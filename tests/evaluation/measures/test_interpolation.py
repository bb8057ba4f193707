"""Midpoints: on the straight line between the means of two posteriors."""

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch

from gantext.data.flat import Tokens
from gantext.errors import UserError
from gantext.evaluation.measures import interpolation
from gantext.evaluation.measures.interpolation import midpoint_scores
from gantext.inference.latent import Decoding, How
from tests.evaluation.measures.test_likelihood import Known, corpus

MEANS = torch.tensor([[0.0, 2.0], [2.0, 0.0], [1.0, 1.0], [3.0, 5.0]])


def test_midpoints_and_ends_are_what_is_decoded(monkeypatch: pytest.MonkeyPatch) -> None:
    """(0, 2) and (2, 0) meet at (1, 1), on a sphere at (1.41, 1.41). One midpoint of two cannot be,
    nor can one end of four."""
    asked = list[torch.Tensor]()

    def decoded(trained: Any, z: torch.Tensor, decoding: Decoding) -> torch.Tensor:
        asked.append(z)
        return torch.arange(len(z))

    def log_prob(trained: Any, truth: Any, rows: torch.Tensor) -> np.ndarray:
        return np.where(rows.numpy() == 0, -np.inf, -1.0)

    def means(algorithm: Any, ends: Tokens, device: torch.device) -> torch.Tensor:
        rows = ends.padded().tolist()
        assert len(rows) == 4 and all(a != b for a, b in zip(rows[::2], rows[1::2], strict=True))
        return MEANS

    monkeypatch.setattr(interpolation, "latent_of", lambda *given: None)
    monkeypatch.setattr(interpolation, "posterior_means", means)
    monkeypatch.setattr(interpolation, "decode_latent", decoded)
    monkeypatch.setattr(interpolation, "_log_prob", log_prob)
    trained: Any = SimpleNamespace(device=torch.device("cpu"))
    for seed in range(8):  # of two different sentences each, whatever is drawn
        found = midpoint_scores(trained, corpus(Known()), 2, seed)
    assert asked[0].tolist() == [[1, 1], [2, 3]] and asked[1] is MEANS
    assert {score.name: score.value for score in found} == {
        "grammatical-midpoints": 0.5,
        "grammatical-ends": 0.75,
    }
    assert [score.error for score in found] == pytest.approx([0.5, 0.25])
    assert found[0].signature["pairs"] == 2 and found[0].signature["how"] == "greedy"


def test_what_is_drawn_says_how_and_by_default_at_temperature_1() -> None:
    assert Decoding(How.sample).signature() == {
        **{"how": "sample", "temperature": 1, "decode_seed": 0}
    }
    assert Decoding(How.beam).signature() == {"how": "beam", "beam": 5}


def test_midpoints_are_signed_and_need_two_sentences(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("latent_of", "posterior_means"):
        monkeypatch.setattr(interpolation, name, lambda *given: torch.zeros(4, 2))
    monkeypatch.setattr(interpolation, "decode_latent", lambda trained, z, how: z)
    monkeypatch.setattr(interpolation, "_log_prob", lambda trained, truth, z: np.zeros(len(z)))
    trained: Any = SimpleNamespace(device="cpu")
    data = corpus(Known(), ["a b", "b"])
    found = interpolation.midpoint_scores(trained, data, 2, 5)
    assert (
        found[0].signature.items()
        >= {**{"path": "linear", "how": "greedy", "pairs": 2, "seed": 5, "data": data.hash}}.items()
    )
    with pytest.raises(UserError, match="two test sentences"):
        interpolation.midpoint_scores(trained, corpus(Known(), ["a"]), 2, 5)
