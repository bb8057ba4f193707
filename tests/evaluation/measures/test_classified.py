"""Pictures' classes told right."""

import math
from types import SimpleNamespace
from typing import Any

import pytest
import torch

from gantext.data.gallery import PictureSplit, build_gallery
from gantext.evaluation.ground import Ground, Real
from gantext.evaluation.measures import classified
from tests.evaluation.measures.given import PROTOCOL, subject


def split(n: int) -> PictureSplit:
    shown = torch.zeros(n, 1, 4, 4, dtype=torch.uint8)
    return PictureSplit(shown, torch.arange(n) % 2, torch.zeros(n, 0, dtype=torch.int64))


def test_pictures_classes_told_right(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of classes 0 1 0 1 0 a model that says 0 always tells three of five."""
    gallery = build_gallery("toy", split(6), split(0), split(5), classes=("a", "b"))
    ground, seen, tells = Ground("h", lambda: Real(gallery=gallery)), list[int](), [True]
    says_0 = lambda trained, rows: torch.tensor([[1.0, 0.0]]).expand(len(rows), 2)  # noqa: E731
    monkeypatch.setattr(classified, "class_log_prob", says_0)
    monkeypatch.setattr(
        classified, "tells_classes", lambda trained, rows: seen.append(len(rows)) or tells[0]
    )
    model: Any = SimpleNamespace(trained="trained")
    own = subject("a", model=model)
    (score,) = classified.classified(own, ground, PROTOCOL)
    assert (score.name, score.value, seen) == ("classified", 0.6, [1])
    assert score.error == pytest.approx(math.sqrt(0.24 / 4))
    assert score.signature.items() >= {"test": 5, "classes": 2, "data": "h"}.items()
    bland = Ground("h", lambda: Real(gallery=build_gallery("b", split(6), split(0), split(5))))
    for other, real in ((subject("a"), ground), (own, bland), (own, Ground("h"))):
        assert classified.classified(other, real, PROTOCOL) == []
    tells[0] = False
    assert classified.classified(own, ground, PROTOCOL) == []
