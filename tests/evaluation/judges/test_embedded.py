"""Real text, encoded once for all that asks for it."""

import contextlib
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from gantext.config.settings import Device
from gantext.errors import UserError
from gantext.evaluation.ground import Ground, Real
from gantext.evaluation.judges import embedded, encoders
from gantext.evaluation.judges.embedded import EmbeddedText, embedded_text
from gantext.evaluation.measure import Protocol


class Lengths:
    """Encodes a sentence by its place in the alphabet."""

    id = "letters"

    def encode(self, lines: Any) -> Any:
        return np.array([[ord(line[0])] for line in lines], dtype=np.float32)


def test_the_real_text_last_used_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = list[Any]()
    monkeypatch.setattr(embedded, "_last", {})
    monkeypatch.setattr(embedded, "best_device", lambda wanted: wanted.value)
    monkeypatch.setattr(embedded, "load_encoder", lambda *given: asked.append(given) or Lengths())
    ground = Ground("h", lambda: Real(("a",), ("b",)))
    protocol = Protocol(preset="x", seed=3, encoder="e", device=Device.cpu)
    found = embedded_text(ground, protocol)
    assert embedded_text(ground, protocol) is found and asked == [("e", "cpu")]
    assert (found.seed, found.data_hash) == (3, "h")
    other = embedded_text(ground, Protocol(preset="x", seed=4))
    assert other is not found and list(embedded._last.values()) == [other]
    with pytest.raises(UserError, match="needs training text"):
        embedded_text(Ground("h", lambda: Real(("a",))), protocol)


def test_each_set_is_chosen_by_its_own_numbers() -> None:
    """Samples by 0, references by 1, training text by 2."""
    lines = [chr(ord("a") + n) for n in range(20)]
    real = EmbeddedText(lines, lines, Lengths())
    assert real.seed == 0 and real.size(lines) == 20
    for stream, found in enumerate((real.samples(lines, 5), real.references(5), real.training(5))):
        places = np.random.default_rng([0, stream]).permutation(20)[:5]
        assert np.asarray(found)[:, 0].tolist() == [97 + place for place in places]


def test_the_library_is_asked_for_quiet_batches_and_no_pickles(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """An equal sentence is encoded once."""
    asked = list[Any]()

    def encode(lines: Any, **more: Any) -> Any:
        asked.append((list(lines), more))
        return np.arange(len(lines), dtype=np.float64)[:, None]

    found = encoders.SentenceTransformer("id", SimpleNamespace(encode=encode)).encode(
        ["a", "b", "a"]
    )
    assert found.dtype == np.float32 and found.tolist() == [[0], [1], [0]]
    assert asked == [(["a", "b"], {"batch_size": 32, "show_progress_bar": False})]

    def library(name: str, **more: Any) -> Any:
        if more["local_files_only"] and name == "hub":
            raise OSError("not in the cache")
        return name, more

    def hub(name: str, **more: Any) -> None:
        asked.append((name, more))

    packages = {
        "sentence_transformers": SimpleNamespace(SentenceTransformer=library),
        "huggingface_hub": SimpleNamespace(HfApi=lambda: SimpleNamespace(model_info=hub)),
    }
    monkeypatch.setattr(encoders.pretrained, "package", lambda name, *purpose: packages[name])
    monkeypatch.setattr(encoders.pretrained, "default_folder", lambda *purpose: "folder")
    monkeypatch.setattr(encoders.pretrained, "default_id", lambda *purpose: "known")
    called = list[str]()
    quiet = lambda name: called.append(name) or contextlib.nullcontext()  # noqa: E731
    monkeypatch.setattr(encoders.pretrained, "loading", quiet)
    safe = {"device": "cpu", "model_kwargs": {"use_safetensors": True}}
    own: Any = encoders.load_encoder(device="cpu")
    assert (own.id, own.model) == ("known", ("folder", {**safe, "local_files_only": True}))
    cached: Any = encoders.load_encoder("there", "cpu")
    assert (cached.id, cached.model) == ("there", ("there", {**safe, "local_files_only": True}))
    fetched: Any = encoders.load_encoder("hub", "cpu")
    assert fetched.model == ("hub", {**safe, "local_files_only": False})
    assert called == [encoders.DEFAULT, "there", "hub"]
    assert asked[1:] == [("sentence-transformers/hub", {"timeout": 10})]
