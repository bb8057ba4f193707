"""What a row of the table of measures says of itself, of its defaults and of whom it fits."""

from types import SimpleNamespace
from typing import Any

import pytest

from gantext.config.settings import Device
from gantext.evaluation.ground import Ground
from gantext.evaluation.measure import Command, Measure, Protocol
from gantext.evaluation.subjects import Subject
from gantext.metrics.score import Score
from gantext.metrics.text.preparation import Preparation
from gantext.metrics.text.texts import Texts
from gantext.runs.kinds import PICTURES, TEXT


def given(subject: Subject, ground: Ground, protocol: Protocol) -> list[Score]:
    return [Score(" ".join(subject.lines), 1.0, {"data": ground.hash})]


def toy(**more: Any) -> Measure:
    return Measure(name="toy", compute=f"{__name__}:given", **more)


def test_defaults_are_those_that_are_documented() -> None:
    assert Protocol(preset="x", seed=1) == Protocol(
        preset="x",
        seed=1,
        encoder=None,
        device=Device.auto,
        draws=500,
        sentences=1000,
        probes=500,
        samples=None,
        examples="50,200,1000",
        temperature=None,
    )
    assert Command(title="", about="").seeds == 1
    row = toy()
    flags = (row.tempered, row.pictures, row.of_model, row.alone, row.after_phase, row.first)
    assert row.in_all and not any(flags)


@pytest.mark.parametrize(
    ("more", "signed"),
    [({}, True), ({"pictures": True}, False), ({"of_model": True}, False)],
)
def test_scores_of_sentences_say_how_these_were_prepared(more: Any, signed: bool) -> None:
    lower = Ground("h", preparation=Preparation(lowercase=True))
    subject = Subject("run", {}, {}, lambda: (Texts(["A", "b"]), None), 2)
    (score,) = toy(**more).scores(subject, lower, Protocol(preset="x", seed=0))
    assert score.name == "a b"
    assert score.signature == {"data": "h", **({"case": "lower"} if signed else {})}


def model(name: str) -> Any:
    kind = PICTURES if name == "image_gan" else TEXT
    return SimpleNamespace(kind=kind, settings=SimpleNamespace(model=SimpleNamespace(name=name)))


@pytest.mark.parametrize(
    ("more", "fits"),
    [
        ({}, {"file", "mle", "vae"}),
        ({"of_model": True}, {"mle", "vae"}),
        ({"needs": ("latent",)}, {"vae"}),
        ({"needs": ("latent", "classify"), "of_model": True}, {"vae"}),
        ({"pictures": True}, {"image_gan"}),
    ],
)
def test_whom_a_measure_fits(more: Any, fits: set[str]) -> None:
    """Of abilities one is enough; what is no model's has none of its own, nor any ability."""
    subjects: dict[str, Any] = {
        name: SimpleNamespace(model=None if name == "file" else model(name))
        for name in ("file", "mle", "vae", "image_gan")
    }
    row = toy(**more)
    assert {name for name, one in subjects.items() if row.fits(one)} == fits
    assert row.reads(TEXT) is not row.reads(PICTURES)
    assert row.is_for(None) == row.reads(TEXT) == (not row.pictures)
