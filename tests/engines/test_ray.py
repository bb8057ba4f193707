"""Sweeps on Ray: one node, and two of which one is lost.

A node here is `ray start`, with all that it starts.
"""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from gantext.runs.sweep_state import states
from tests.conftest import environment
from tests.engines.cases import WORDS, Started, kill, the_sweep, wait_for_steps
from tests.forker import until

pytest.importorskip("ray")
pytestmark = pytest.mark.engines
Check = Callable[[Path, str, str], None]


def descendants(process: int) -> list[int]:
    """A process and all below it."""
    found = [process]
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            parent = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
        except OSError:
            continue
        if parent == process:
            found += descendants(int(folder.name))
    return found


class Node:
    """`ray start` with one core, and what it has started."""

    def __init__(self, changes: dict[str, str], *words: str) -> None:
        command = [sys.executable, "-m", "ray.scripts.scripts", "start", "--block", *words]
        self.process = subprocess.Popen(
            [*command, "--num-cpus=1", "--disable-usage-stats"],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env=environment(**changes),
        )

    def lose(self) -> None:
        """End all of it at once, as when a machine's power fails."""
        for process in descendants(self.process.pid):
            try:
                os.kill(process, signal.SIGKILL)
            except ProcessLookupError:
                continue
        self.process.wait()


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


@pytest.fixture
def nodes(home: dict[str, str]) -> Iterator[tuple[str, Node]]:
    """The address of a cluster of two nodes, and the node that is not the head."""
    port = free_port()
    head = Node(home, "--head", f"--port={port}", "--include-dashboard=false")
    address = f"127.0.0.1:{port}"
    until(lambda: socket.socket().connect_ex(("127.0.0.1", port)) == 0, seconds=120)
    other = Node(home, f"--address={address}")
    time.sleep(5)
    yield address, other
    other.lose()
    head.lose()


def begin(folder: Path, configs: Path, changes: dict[str, str], *more: str) -> Started:
    words = ["train", "-m", *WORDS, "name=s", "--config-dir", str(configs), "--ray", *more]
    return Started(folder, words, changes)


def test_one_node(tmp_path: Path, configs: Path, ends_alike: Check, home: dict[str, str]) -> None:
    child = begin(tmp_path, configs, home)
    sweep = the_sweep(tmp_path)
    wait_for_steps(sweep.job("0"))
    kill(sweep.job("0"))
    assert child.wait() == 0, child.said
    ends_alike(tmp_path, "--ray", "SIGKILL of a job")


def test_ctrl_c_saves_all_jobs(
    tmp_path: Path, configs: Path, ends_alike: Check, home: dict[str, str]
) -> None:
    child = begin(tmp_path, configs, home)
    sweep = the_sweep(tmp_path)
    wait_for_steps(sweep.job("0"))
    child.send(signal.SIGINT)
    assert child.wait() == 130, child.said
    last = child.said.splitlines()[-1]
    assert last == f"stopped and saved; go on with: gantext train --resume {sweep.path}"
    found = {job["status"] for job in states(sweep)}
    # Ray takes half a second to pass it on, in which a job so small may finish.
    assert found <= {"stopped", "finished", "planned"} and found != {"finished"}
    other = Started(tmp_path, ["train", "--resume", "runs/s", "--ray"], home)
    assert other.wait() == 0, other.said
    ends_alike(tmp_path, "--ray", "SIGINT, --resume --ray")


def test_a_killed_command_leaves_no_job(
    tmp_path: Path, configs: Path, ends_alike: Check, home: dict[str, str]
) -> None:
    child = begin(tmp_path, configs, home)
    sweep = the_sweep(tmp_path)
    wait_for_steps(sweep.job("0"))
    child.send(signal.SIGKILL)
    child.wait()
    until(lambda: not any(job.is_held for job in sweep.jobs()), seconds=120)
    other = Started(tmp_path, ["train", "--resume", "runs/s"])
    assert other.wait() == 0, other.said
    ends_alike(tmp_path, "--ray", "SIGKILL of the command, --resume")


def test_a_lost_node(
    tmp_path: Path,
    configs: Path,
    ends_alike: Check,
    home: dict[str, str],
    nodes: tuple[str, Node],
) -> None:
    address, other = nodes
    child = begin(tmp_path, configs, home, address)
    sweep = the_sweep(tmp_path)
    for name in ("0", "1"):
        wait_for_steps(sweep.job(name))
    other.lose()
    assert child.wait() == 0, child.said
    ends_alike(tmp_path, "--ray, two nodes", "SIGKILL of one node")
