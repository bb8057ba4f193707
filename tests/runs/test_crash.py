"""What is kept of an unexpected failure, and what is not."""

import platform
import sys
from pathlib import Path

import pytest

import gantext
from gantext.runs import crash
from gantext.runs.folder import RunDir


@pytest.fixture
def error() -> ZeroDivisionError:
    """One that has been raised."""
    try:
        raise ZeroDivisionError("broken")
    except ZeroDivisionError as raised:
        return raised


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> RunDir:
    """A run r in runs/ of the folder that one is in, with a log of 60 lines."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    run = RunDir.create(tmp_path / "runs" / "r", "seed: 7\n", None, {"device": "cuda"})
    run.log.write_text("".join(f"line {n}\n" for n in range(60)))
    return run


def test_a_report_has_all_but_the_environment(
    error: ZeroDivisionError, run: RunDir, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SECRET_TOKEN", "hunter2")
    monkeypatch.setattr(sys, "argv", ["gantext", "sample", "r", "--out", "a b.txt"])
    log = crash.written(error, sys.argv[1:])
    text = log.read_text()
    assert log.stat().st_mode & 0o077 == 0  # for the user's eyes alone
    for said in (
        "ZeroDivisionError: broken\n",
        f"\ngantext {gantext.__version__}\n",
        f"\npython {platform.python_version()}\n",
        *(f"\n{name} {crash.versions()[name]}\n" for name in ("torch", "numpy", "hydra-core")),
        f"\nplatform: {platform.platform()}\n",
        "\ndevice: cuda\n",
        "\ncommand: gantext sample r --out 'a b.txt'\n",
        f"\nconfig of {run.path}:\nseed: 7\n",
        f"\nthe last 50 lines of {run.log}:\nline 10\n",
    ):
        assert said in text, said
    assert text.endswith("line 59\n") and "line 9\n" not in text
    assert "SECRET_TOKEN" not in text and "hunter2" not in text


@pytest.mark.parametrize("words", [["data", "list"], ["sample", "x", "--runs-dir", "other"], []])
def test_a_command_without_a_run(error: ZeroDivisionError, run: RunDir, words: list[str]) -> None:
    text = crash.written(error, words).read_text()
    assert "\ndevice: " in text and "config of" not in text and "line 5" not in text


def test_a_run_in_another_folder(error: ZeroDivisionError, run: RunDir, tmp_path: Path) -> None:
    run.path.parent.rename(tmp_path / "other")
    text = crash.written(error, ["sample", "r@mle", "--runs-dir", "other"]).read_text()
    assert "seed: 7" in text and text.endswith("line 59\n")


def test_a_damaged_run_is_no_second_failure(error: ZeroDivisionError, run: RunDir) -> None:
    (run.path / "run.json").write_text("{")
    run.config.write_bytes(b"\xff")
    text = crash.report(error, run)
    assert "device: unknown (Damaged)" in text and text.endswith("\nunknown (Damaged)")
