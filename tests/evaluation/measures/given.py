"""What measures are given in their tests."""

from typing import Any

from gantext.config.settings import Device
from gantext.evaluation.measure import Protocol
from gantext.evaluation.subjects import Subject
from gantext.metrics.text.texts import Texts

PROTOCOL = Protocol(preset="texygen", seed=3, probes=7, sentences=8, draws=9, device=Device.cpu)
REFERENCES = Texts(["a b", "b a b"])


def subject(*lines: str, name: str = "run", **more: Any) -> Subject:
    """Samples of a run."""
    texts = Texts(lines)
    return Subject(name, {}, {}, lambda: (texts, None), len(lines), **more)
