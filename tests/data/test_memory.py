"""What bounds memory, and what is refused for it: before it is taken, in one line with numbers."""

import gzip
import os
import resource
import tracemalloc
from pathlib import Path

import pytest
import torch

from gantext.data import content, memory
from gantext.data.content import read_text
from gantext.data.lines import read_lines
from gantext.data.memory import Memory, available, size
from gantext.errors import UserError
from tests.conftest import Command

GIB = 2**30
MEMINFO = "MemTotal:  8388608 kB\nMemFree: 1 kB\nMemAvailable: 4194304 kB\n"  # 8 and 4 GiB
V2 = "/sys/fs/cgroup"
V1 = "/sys/fs/cgroup/memory"


def bounded(monkeypatch: pytest.MonkeyPatch, files: dict[str, str]) -> Memory:
    """What there is on a machine of 8 GiB, 4 of them free, with these files of cgroups."""
    files = {"/proc/meminfo": MEMINFO, **files}
    monkeypatch.setattr(memory, "_read", lambda path: files.get(str(path), ""))
    monkeypatch.setattr(resource, "getrlimit", lambda _: (resource.RLIM_INFINITY, 0))
    return available()


@pytest.mark.parametrize(
    ("files", "total", "free", "owner"),
    [
        ({}, 8 * GIB, 4 * GIB, "this machine"),
        (
            {
                "/proc/self/cgroup": "0::/a/b\n",
                f"{V2}/a/memory.max": f"{2 * GIB}\n",
                f"{V2}/a/memory.current": f"{GIB}\n",
                f"{V2}/a/memory.stat": f"anon 5\ninactive_file {GIB // 2}\n",
                f"{V2}/a/b/memory.max": "max\n",
            },
            2 * GIB,
            3 * GIB // 2,
            "its cgroup (memory.max)",
        ),
        (
            {
                "/proc/self/cgroup": "0::/a\n",
                f"{V2}/a/memory.max": f"{3 * GIB}\n",
                f"{V2}/a/memory.high": f"{GIB}\n",
            },
            GIB,
            GIB,
            "its cgroup (memory.high)",
        ),
        (  # in a container, whose path on the host is not seen
            {
                "/proc/self/cgroup": "5:cpu:/x\n4:memory:/docker/0a\n0::/\n",
                f"{V1}/memory.limit_in_bytes": f"{GIB}\n",
                f"{V1}/memory.usage_in_bytes": f"{GIB}\n",
            },
            GIB,
            0,
            "its cgroup (memory.limit_in_bytes)",
        ),
        (  # as version 1 writes that there is no limit
            {
                "/proc/self/cgroup": "4:memory:/\n",
                f"{V1}/memory.limit_in_bytes": "9223372036854771712\n",
            },
            8 * GIB,
            4 * GIB,
            "this machine",
        ),
    ],
)
def test_the_tightest_bound_counts(
    monkeypatch: pytest.MonkeyPatch, files: dict[str, str], total: int, free: int, owner: str
) -> None:
    assert bounded(monkeypatch, files) == Memory(total, free, owner)


def test_what_ulimit_leaves(monkeypatch: pytest.MonkeyPatch) -> None:
    """3 GiB of addresses, of which 1 GiB is mapped."""
    bounded(monkeypatch, {"/proc/self/status": "Name: x\nVmSize:  1048576 kB\n"})
    monkeypatch.setattr(resource, "getrlimit", lambda _: (3 * GIB, resource.RLIM_INFINITY))
    assert available() == Memory(2 * GIB, 2 * GIB, "ulimit -v still")


def test_this_machine_has_some() -> None:
    found = available()
    assert 1 << 28 < found.total and 0 <= found.free <= found.total


def test_sizes_are_said_as_people_do() -> None:
    said = [size(n) for n in (0, 999, 1000, 1536, 200 * 1024, 3 * GIB, 5 * 2**40, 2**50)]
    assert said[:4] == ["0 B", "999 B", "1.0 KiB", "1.5 KiB"]
    assert said[4:] == ["200 KiB", "3.0 GiB", "5.0 TiB", "1,024 TiB"]


# Files


def refused(path: Path, most: int = content.MOST) -> str:
    """What is said of a file that is not read; nothing large was taken until then."""
    tracemalloc.start()
    with pytest.raises(UserError) as caught:
        read_lines(path, [], most)
    assert tracemalloc.get_traced_memory()[1] < 80e6
    tracemalloc.stop()
    assert str(caught.value).startswith(f"{path}")
    return str(caught.value).removeprefix(f"{path}: ")


def test_zeros_are_no_text_however_many(tmp_path: Path) -> None:
    """A file of 100 MB on no disk space, and a packed one: the first piece of either is enough."""
    sparse, packed = tmp_path / "a.txt", tmp_path / "b.txt"
    sparse.touch()
    os.truncate(sparse, 100_000_000)
    packed.write_bytes(gzip.compress(bytes(50_000_000), 1))
    for path in (sparse, packed):
        assert refused(path) == "line 1 holds a zero byte: this is not text"


def test_no_more_is_read_than_allowed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.txt"
    path.write_text("a b\n" * 25)
    assert read_text(path, [], 100) == "a b\n" * 25
    said = "it holds more than 99 B, which data.max_bytes allows"
    assert refused(path, 99) == said
    path.write_bytes(gzip.compress(b"a b\n" * 25))
    assert refused(path, 99) == said
    monkeypatch.setattr(content, "UNSUSPECTED", 50)
    monkeypatch.setattr(content, "UNPACKS", 2)
    assert "times what it is packed to" in refused(path)
    bounded(monkeypatch, {"/proc/meminfo": "MemTotal: 1 kB"})
    path.write_text("a b\n" * 50)
    assert (
        refused(path)
        == "it holds more than 128 B, 1/8 of the 1.0 KiB of memory that this machine has"
    )


def test_what_may_never_end_is_no_file(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path / "pipe", Path("/dev/zero")):
        assert refused(path) == "not a regular file, but a pipe or a device"


def test_a_line_that_is_no_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gantext.data.lines.LONGEST_LINE", 20)
    path = tmp_path / "a.txt"
    path.write_text("a b\n" + "x" * 21)
    assert refused(path).startswith("line 2 has 21 characters: one sentence a line")


# Through the command line


def test_a_line_of_100_000_words_is_said_and_its_batches_refused(
    cli: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The data itself takes no more for it; a batch as wide would take what there is many times."""
    (tmp_path / "a.txt").write_text("a b\n\n" * 500)
    (tmp_path / "b.txt").write_text("c d\n" * 499 + "w " * 100_000 + "\ne f\n")
    bounded(monkeypatch, {})
    words = ["data=text", "data.train=a.txt:b.txt", "data.tokenizer=whitespace"]
    tracemalloc.start()
    found = cli("train", "model=mle", *words, "data.max_length=0")
    assert tracemalloc.get_traced_memory()[1] < 300e6
    tracemalloc.stop()
    assert found.code == 2, found.err
    said = f"train: {tmp_path / 'b.txt'}: line 500 has 100,000 tokens, the others 2 on average"
    assert said in found.err and "data.max_length cuts or drops longer ones" in found.err
    assert "the run would take about" in found.errors[-1]
    assert "data.max_length take less" in found.errors[-1]
    assert not list(tmp_path.glob("runs/*"))
    assert cli("data", "show", *words[0].split("=")[1:], *words[1:], "data.max_length=9").code == 0


def test_max_bytes_is_a_key_of_all_text(cli: Command, tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("a b\nb c\nc d\n")
    found = cli("data", "show", "text", "data.train=a.txt", "data.max_bytes=11")
    assert found.code == 2 and len(found.errors) == 1
    assert "it holds more than 11 B, which data.max_bytes allows" in found.err


@pytest.mark.parametrize("words", ["data=scenes", "data=oracle", "data=oracle data.length=1000"])
def test_data_that_is_made_is_refused_before(
    cli: Command, monkeypatch: pytest.MonkeyPatch, words: str
) -> None:
    bounded(monkeypatch, {"/proc/meminfo": "MemTotal: 1048576 kB"})
    found = cli("train", "model=mle", *words.split(), "data.train_size=10000000")
    assert found.code == 2 and len(found.errors) == 1, found.err
    assert "would take" in found.err and "data.train_size" in found.err


def test_a_gpu_whose_driver_says_nothing_has_the_machine_s(monkeypatch: pytest.MonkeyPatch) -> None:
    def silent(device: object) -> tuple[int, int]:
        raise AssertionError("Torch not compiled with CUDA enabled")

    monkeypatch.setattr(torch.cuda, "mem_get_info", silent)
    assert memory.of_gpu(torch.device("cuda")).owner == memory.available().owner
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda device: (3, 8))
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda device: "a card")
    assert memory.of_gpu(torch.device("cuda")) == memory.Memory(8, 3, "a card")
