"""Scores: JSON and back, and the line that a reader sees."""

import json
import math

import pytest

from gantext import __version__
from gantext.errors import UserError
from gantext.metrics.score import (
    Score,
    origin,
    protocol,
    shown,
    shown_with_error,
    signature_line,
    signed,
)

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


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (None, "-"),
        (math.nan, "-"),
        (0.12345, "0.1235"),
        (-9.99, "-9.9900"),
        (10.0, "10.00"),
        (-10.5, "-10.50"),
        (math.inf, "inf"),
    ],
)
def test_values_have_four_decimals_and_from_ten_on_two(value: float | None, said: str) -> None:
    assert shown(value) == said


@pytest.mark.parametrize(
    ("score", "said"),
    [
        (Score("x", 0.5, error=0.0123), "0.5000 ±.0123"),
        (Score("x", 0.5, error=0.0123, sd=0.25), "0.5000 ±.2500"),
        (Score("x", 12.0, error=1.234), "12.00 ±1.23"),
        (Score("x", 0.5, error=math.inf), "0.5000"),
        (Score("x", math.nan, error=0.1), "-"),
        (Score("x", 0.5), "0.5000"),
    ],
)
def test_what_a_value_varies_by_has_its_decimals(score: Score, said: str) -> None:
    """The deviation over seeds stands before the standard error; what is not known is not said."""
    assert shown_with_error(score) == said
