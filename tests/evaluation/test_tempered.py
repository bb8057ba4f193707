"""Of which models the likelihood is known at a temperature."""

from types import SimpleNamespace
from typing import Any

import pytest

from gantext.evaluation import tempered


@pytest.mark.parametrize(
    ("abilities", "temperature", "said"),
    [
        ({"write"}, 1.0, ""),
        ({"write"}, 0.5, ""),
        ({"write"}, 0.0, "one sentence has all the probability there"),
        ({"write", "of_class"}, 1.0, ""),
        ({"write", "of_class"}, 2.0, "model=toy draws a class first"),
        ({"write", "estimate"}, 1.0, "that of model=toy is an estimate"),
        (set(), 1.0, "model=toy does not write word by word"),
    ],
)
def test_why_there_is_no_likelihood(
    abilities: set[str], temperature: float, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempered, "able", lambda model, ability: ability in abilities)
    model: Any = SimpleNamespace(brief={"model": "toy"})
    found = tempered.why_not(model, temperature)
    assert found.startswith(said) and bool(found) == bool(said)
