"""Large blocks are kept by glibc, and left to the system elsewhere."""

import ctypes
import functools
import resource
from pathlib import Path

import pytest

from gantext.config.compose import compose
from gantext.config.settings import Device, Memory
from gantext.nn import memory
from gantext.runs.folder import RunDir
from gantext.runs.trained import restore
from tests.conftest import Command

GLIBC = hasattr(memory._libc(), "gnu_get_libc_version")


def test_blocks_are_kept_by_glibc_alone() -> None:
    """A block that is freed and asked for anew, with nothing in between, lies where it lay: none of
    its 12,288 pages of 4 kB is mapped again."""
    assert memory.keep_blocks() is GLIBC
    library = memory._libc()
    if library is None or not GLIBC:
        return
    library.malloc.restype, library.free.argtypes = ctypes.c_void_p, [ctypes.c_void_p]
    size, faults = 48 * 2**20, []
    for _ in range(3):
        before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
        block = library.malloc(ctypes.c_size_t(size))
        ctypes.memset(block, 1, size)
        library.free(block)
        faults.append(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
    assert faults[-1] < 12


class Old:
    """A C library that takes no threshold above 32 MB."""

    gnu_get_libc_version = None

    def __init__(self) -> None:
        self.asked: list[tuple[int, int]] = []

    def mallopt(self, parameter: int, value: int) -> int:
        self.asked.append((parameter, value))
        return int(parameter != memory.MMAP_THRESHOLD)


def test_an_old_glibc_maps_nothing_and_another_library_is_left_alone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    old = Old()
    monkeypatch.setattr(memory, "_libc", lambda: old)
    assert memory.keep_blocks()
    assert old.asked[1:] == [(memory.MMAP_MAX, 0), (memory.TRIM_THRESHOLD, memory.NEVER)]
    for other in (None, object()):
        monkeypatch.setattr(memory, "_libc", lambda other=other: other)
        assert not memory.keep_blocks()

    def refuse(name: None) -> None:
        raise TypeError

    monkeypatch.undo()
    monkeypatch.setattr(ctypes, "CDLL", refuse)
    assert not memory.keep_blocks()


@pytest.mark.parametrize("wanted", list(Memory))
def test_a_run_keeps_memory_as_it_was_asked_to(
    wanted: Memory, cli: Command, small_mle: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Training says so; whatever is done with the run does as its training did."""
    asked: list[str] = []

    def note(module: str) -> bool:
        asked.append(module)
        return True

    for module in ("training.introduction", "runs.trained"):
        monkeypatch.setattr(f"gantext.{module}.keep_blocks", functools.partial(note, module))
    assert compose([]).memory is Memory.keep
    found = cli("train", *small_mle, "name=m", f"memory={wanted.value}")
    kept = wanted is Memory.keep
    assert found.code == 0 and (", memory kept" in found.err) == kept
    restore(RunDir(Path("runs/m")), Device.cpu)
    assert set(asked) == ({"training.introduction", "runs.trained"} if kept else set())
