"""MAUVE of a seeded choice of samples, against real text."""

from typing import Any

import numpy as np
import pytest

from gantext.evaluation.ground import Ground
from gantext.evaluation.measures import mauve
from gantext.evaluation.subjects import REAL
from gantext.metrics.text.mauve import clusters, k_means
from gantext.metrics.text.mauve import mauve as mauve_of
from tests.evaluation.measures.given import PROTOCOL, subject


class Letters:
    """Encodes a sentence by how often some letters stand in it."""

    id = "letters 1"

    def encode(self, lines: Any) -> Any:
        return np.array([[line.count(x) for x in "abc"] for line in lines], dtype=np.float32)


def test_mauve_is_of_a_seeded_choice_of_so_many_at_most(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("sklearn")
    rng = np.random.default_rng(0)
    sets = [["".join(rng.choice(list("abc"), 5)) for _ in range(30)] for _ in range(3)]
    real = mauve.EmbeddedText(sets[1], sets[2], Letters(), seed=4, data_hash="h")
    monkeypatch.setattr(mauve, "MOST", 20)
    found = mauve.mauve_scores(sets[0], real)
    places = np.random.default_rng([4, 3]).permutation(30)[:20]
    samples, references, training = (Letters().encode(lines)[places] for lines in sets)
    group = k_means(4)
    expected = (mauve_of(side, references, group) for side in (samples, training))
    assert [score.value for score in found] == list(expected)
    assert (
        found[0].signature.items()
        >= {
            **{"features": "letters 1", "clusters": clusters(20), "sentences": 20, "seed": 4},
            "data": "h",
        }.items()
    )
    assert "encoder" not in found[0].signature


def test_real_text_has_no_distance_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mauve, "embedded_text", lambda *given: "real")
    monkeypatch.setattr(mauve, "mauve_scores", lambda lines, real: [real, *lines])
    assert mauve.mauve(subject("a"), Ground("h"), PROTOCOL) == ["real", "a"]
    assert mauve.mauve(subject("a", name=REAL), Ground("h"), PROTOCOL) == []
