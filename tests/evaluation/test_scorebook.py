"""Where scores are kept, and what is asked for that cannot be."""

from pathlib import Path

import pytest

from gantext.cli.options import asked_for
from gantext.config.settings import Device
from gantext.errors import UserError
from gantext.evaluation import measures
from gantext.evaluation.scorebook import _place


def test_the_place_of_a_score_does_not_depend_on_the_order_of_what_decides_it() -> None:
    row, key = measures.find("bleu"), {"preset": "texygen", "seed": 1}
    place = _place(row, key)
    assert place == _place(row, dict(reversed(key.items()))) != _place(row, {**key, "seed": 2})
    assert place.startswith("bleu-") and len(place) == len("bleu-") + 12


def test_a_preset_that_there_is_not_is_refused_before_anything_is_read() -> None:
    with pytest.raises(UserError, match="did you mean texygen"):
        asked_for(["no run"], None, "texygn", None, None, Device.cpu, Path("runs"))
