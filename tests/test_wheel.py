"""What is shipped: the wheel holds conf/ and runs anywhere, the source what its tests need."""

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent


def test_the_wheel_is_complete(tmp_path: Path) -> None:
    pytest.importorskip("setuptools", "77", "builds without a network, so with this setuptools")
    source = tmp_path / "source"
    source.mkdir()
    for name in ("gantext", "conf", "pyproject.toml", "setup.py", "README.md", "LICENSE"):
        (source / name).symlink_to(ROOT / name)
    command = [
        sys.executable,
        "-m",
        "pip",
        "wheel",
        str(source),
        "--no-deps",
        "-v",
        "--no-build-isolation",
        "-w",
        str(tmp_path),
    ]
    built = subprocess.run(command, check=True, capture_output=True, text=True)
    assert "absent from the `packages`" not in built.stdout + built.stderr
    (wheel,) = tmp_path.glob("gantext-*.whl")
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
        archive.extractall(tmp_path / "site")
    for path in (ROOT / "conf").rglob("*.yaml"):
        assert f"gantext/conf/{path.relative_to(ROOT / 'conf')}" in names
    for path in (ROOT / "gantext").rglob("*.py"):
        assert str(path.relative_to(ROOT)) in names
    for path in (ROOT / "gantext" / "report" / "templates").iterdir():
        assert f"gantext/report/templates/{path.name}" in names
    assert "gantext/py.typed" in names and not [n for n in names if n.startswith("tests")]
    env = {**os.environ, "PYTHONPATH": str(tmp_path / "site"), "OMP_NUM_THREADS": "1"}
    (tmp_path / "empty").mkdir()
    shown = subprocess.run(
        [sys.executable, "-m", "gantext", "train", "model=mle", "--cfg", "job"],
        capture_output=True,
        text=True,
        env=env,
        cwd=tmp_path / "empty",
        check=True,
    )
    assert shown.stdout.startswith("model:\n  name: mle\n")
    where = "import gantext.config.groups as g; print(g.CONF)"
    found = subprocess.run(
        [sys.executable, "-c", where],
        capture_output=True,
        text=True,
        env=env,
        cwd=tmp_path / "empty",
        check=True,
    )
    assert found.stdout.strip() == str(tmp_path / "site" / "gantext" / "conf")


def test_a_source_distribution_has_what_its_tests_need(tmp_path: Path) -> None:
    pytest.importorskip("setuptools", "77", "without a network, so with this setuptools")
    command = [sys.executable, "setup.py", "-q", "egg_info", "--egg-base", str(tmp_path)]
    subprocess.run(command, check=True, capture_output=True, cwd=ROOT)
    listed = set((tmp_path / "gantext.egg-info" / "SOURCES.txt").read_text().splitlines())
    folders = [ROOT / name for name in ("gantext", "conf", "tests", "bench", "docs", ".ci")]
    needed = [path for folder in folders for path in folder.rglob("*") if path.is_file()]
    names = {str(path.relative_to(ROOT)) for path in needed if path.parent.name != "__pycache__"}
    assert names - listed == set()
    assert {"constraints.txt", "Makefile", "CHANGELOG.md", "MANIFEST.in", "setup.py"} <= listed
    assert not [name for name in listed if name.endswith(".pyc")]
