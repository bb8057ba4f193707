"""Damaged files of every kind: read all the same, or refused in one line, and quickly.

A short round of fixed seeds is among the tests; `make fuzz` goes on with seeds of its own, prints
them, and keeps each file that was read wrongly in .fuzz/.
"""

import re
import time
import traceback
import warnings
from pathlib import Path

import pytest

from gantext.errors import UserError
from tests.fuzz.loaders import LOADERS, Loader, changed, place

ROOT = Path(__file__).parent.parent.parent
FOUND = ROOT / ".fuzz"
SHORT, SECONDS = 20, 5.0


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with whole files of all kinds."""
    folder = tmp_path_factory.mktemp("files")
    place(folder)
    return folder


def fault(loader: Loader, path: Path, whole: bytes, seed: int) -> str | None:
    """What is wrong with how a damaged file is read; None where nothing is."""
    data = changed(loader, whole, seed)
    path.write_bytes(data)
    loader.seal(path)
    began = time.process_time()
    try:
        loader.read(path)
    except UserError as error:
        if "\n" in str(error):
            return f"several lines: {error}"
        if not re.search(r"[a-z]", str(error)):
            return f"says nothing: {error!r}"
    except Exception as error:
        place = traceback.extract_tb(error.__traceback__)[-1]
        return f"{type(error).__name__}: {error} ({Path(place.filename).name}:{place.lineno})"
    finally:
        took = time.process_time() - began
        path.write_bytes(whole)
        loader.seal(path)
    return f"it took {took:.1f} s" if took > SECONDS else None


def keep(loader: Loader, whole: bytes, seed: int) -> None:
    """Keep a file that was read wrongly, to be looked at."""
    FOUND.mkdir(exist_ok=True)
    name = f"{loader.name.replace(' ', '-')}-{seed}{Path(loader.file).suffix}"
    (FOUND / name).write_bytes(changed(loader, whole, seed))


@pytest.mark.parametrize("loader", LOADERS, ids=lambda one: one.name)
def test_whole_files_are_read(files: Path, loader: Loader) -> None:
    loader.read(files / loader.file)


@pytest.mark.parametrize("loader", LOADERS, ids=lambda one: one.name)
def test_damaged_files_are_read_or_refused(files: Path, loader: Loader) -> None:
    path = files / loader.file
    whole = path.read_bytes()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        seeds = range(round(SHORT * loader.share))
        faults = {seed: fault(loader, path, whole, seed) for seed in seeds}
    assert not {seed: said for seed, said in faults.items() if said}


def test_at_length(
    files: Path, request: pytest.FixtureRequest, caplog: pytest.LogCaptureFixture
) -> None:
    """`make fuzz`: all kinds in turn, until the time is over."""
    seconds: float = request.config.getoption("--fuzz")
    if not seconds:
        pytest.skip("takes minutes: make fuzz")
    first = time.time_ns() // 1_000_000
    wholes = {loader.name: (files / loader.file).read_bytes() for loader in LOADERS}
    faults: list[str] = []
    end, seed, read = time.monotonic() + seconds, first, 0
    warnings.simplefilter("ignore")
    caplog.set_level("CRITICAL", "gantext")
    while time.monotonic() < end:
        for loader in LOADERS:
            if seed % round(1 / loader.share):
                continue
            read += 1
            said = fault(loader, files / loader.file, wholes[loader.name], seed)
            if said:
                faults.append(f"{loader.name}, seed {seed}: {said}")
                keep(loader, wholes[loader.name], seed)
        seed += 1
    print(f"\n{read:,} files, seeds {first} to {seed - 1}: {len(faults)} read wrongly")
    assert not faults, "\n".join(faults)
