"""Scores: JSON and back, and the line that a reader sees."""

import json
import math

import pytest

from gantext import __version__
from gantext.errors import UserError
from gantext.metrics.score import Score, origin, protocol, signature_line, signed

SIGNATURE = {"preset": "texygen", "n": 4, "seed": None, "exact": True}


@pytest.mark.parametrize("value", [0.25, -3.0, math.inf, -math.inf])
def test_strict_json_and_back(value: float) -> None:
    score = Score("bleu-4", value, SIGNATURE)
    text = json.dumps(score.to_json(), allow_nan=False)
    assert Score.from_json(json.loads(text)) == score


def test_nan_survives_json() -> None:
    text = json.dumps(Score("entropy", math.nan).to_json(), allow_nan=False)
    assert math.isnan(Score.from_json(json.loads(text)).value)


@pytest.mark.parametrize(
    "record",
    [
        {},
        {"name": "x", "value": 1.0},
        {"name": 3, "value": 1.0, "signature": {}},
        {"name": "x", "value": None, "signature": {}},
        {"name": "x", "value": "high", "signature": {}},
    ],
)
def test_a_broken_record_is_refused(record: dict[str, object]) -> None:
    with pytest.raises(UserError, match="score"):
        Score.from_json(record)


def test_signature_line() -> None:
    """None is left out, a bool is yes or no, the hash is cut to 8 digits, names are short."""
    signature = {**SIGNATURE, "hypotheses": 10, "data": "0123456789abcdef", "version": "0.1.0"}
    line = signature_line(Score("bleu-4", 0.5, signature))
    assert line == "preset:texygen|n:4|exact:yes|hyp:10|data:01234567|v:0.1.0"


def test_a_signature_ends_with_the_version() -> None:
    sign = signed(sentences=3, data="abc")
    assert list(sign.items()) == [("sentences", 3), ("data", "abc"), ("version", __version__)]


def test_a_temperature_is_of_the_samples_or_else_of_the_likelihood() -> None:
    drawn = Score("bleu-4", 0.1, {"n": 4, "sampled": 30, "temperature": 0.5, "model": "gan"})
    assert protocol(drawn) == {"n": 4} and origin(drawn)["temperature"] == 0.5
    likely = Score("nll-test", 2.0, {"unit": "nats/token", "temperature": 0.5, "model": "gan"})
    assert protocol(likely) == {"unit": "nats/token", "temperature": 0.5}
    assert origin(likely) == {"model": "gan"}
