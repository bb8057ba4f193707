"""gantext doctor: what is there, what is not, and what brings it."""

import json
from importlib import metadata
from pathlib import Path

import pytest

import gantext
from gantext.cli import doctor
from gantext.config import groups
from tests.conftest import Command


def test_all_parts_are_said(cli: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "own").mkdir()
    monkeypatch.setenv("GANTEXT_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    found = cli("doctor", "--json", "--config-dir", "own")
    assert found.code == 0 and found.err == ""
    said = json.loads(found.out)
    assert said["versions"]["gantext"] == gantext.__version__
    assert said["versions"]["numpy"] == metadata.version("numpy")
    assert said["devices"].keys() == {"cpu", "cuda", "mps"}
    assert said["threads"]["by"].startswith("OMP_NUM_THREADS decides")
    assert 0 <= said["memory"]["free_bytes"] <= said["memory"]["total_bytes"]
    assert said["free disk"]["runs_bytes"] > 0  # of a folder that is yet to be made
    assert said["data folders"]["GANTEXT_DATA"] == str(tmp_path / "data")
    assert said["data folders"]["cache"] == str(tmp_path / "cache" / "gantext")
    assert "scenes" in said["data sets"]["ready"] and "coco" in said["data sets"]["missing"]
    assert list(said["configs"].values())[:2] == ["own", str(groups.CONF)]


def test_it_fits_80_columns(cli: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gantext.cli.tables.out.width", 80)
    found = cli("doctor")
    assert found.code == 0 and max(map(len, found.out.splitlines())) <= 80
    for part in ("versions", "threads", "memory", "free disk", "data sets", "plugins"):
        assert f" {part} " in found.out
    assert "GiB" in found.out and "_bytes" not in found.out


def test_what_is_missing_has_its_command() -> None:
    needed = [
        "numpy>=1",
        "numpy>=1 ; extra == 'there'",
        'no-such-package>=2; extra == "lacking"',
        "numpy; extra == 'lacking'",
        "no-such-package; extra == 'dev'",
    ]
    assert doctor.optional_parts(needed) == {
        "there": "there",
        "lacking": "no no-such-package: pip install 'gantext[lacking]'",
    }
    assert doctor.optional_parts(None) == {}
