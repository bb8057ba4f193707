"""What the engines share: the sweep as it ends when nothing happens, and a table of all cases."""

import secrets
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.engines.cases import JOBS, begin, end_of, the_sweep, write_configs

CASES: list[tuple[str, str, str]] = []


@pytest.fixture(scope="session")
def configs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of the user's own configs."""
    folder = tmp_path_factory.mktemp("configs")
    write_configs(folder)
    return folder


@pytest.fixture(scope="session")
def straight(tmp_path_factory: pytest.TempPathFactory, configs: Path) -> dict[str, Any]:
    """The scores of the sweep one job after the other, which nobody has disturbed."""
    folder = tmp_path_factory.mktemp("straight")
    child = begin(folder, configs)
    assert child.wait() == 0, child.said
    return end_of(the_sweep(folder))


@pytest.fixture
def home(tmp_path: Path) -> Iterator[dict[str, str]]:
    """Where Ray keeps its token and its sockets, whose paths may have 107 bytes in all."""
    folder = f"/tmp/ray-{secrets.token_hex(3)}"
    yield {"HOME": str(tmp_path), "RAY_TMPDIR": folder, "RAY_USAGE_STATS_ENABLED": "0"}
    subprocess.run(["rm", "-rf", folder], check=True)


@pytest.fixture
def ends_alike(straight: dict[str, Any]) -> Callable[[Path, str, str], None]:
    """`ends_alike(folder, engine, event)`: the sweep there has ended bit for bit as the other."""

    def check(folder: Path, engine: str, event: str) -> None:
        found = end_of(the_sweep(folder))
        same = sum(found.get(job) == scores for job, scores in straight.items())
        CASES.append((engine, event, f"{same} of {JOBS} the same"))
        assert found == straight and len(straight) == JOBS

    return check


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """What was killed, and what came out."""
    if CASES:
        terminalreporter.write_line("")
        for engine, event, result in [("engine", "what happened", "final scores"), *CASES]:
            terminalreporter.write_line(f"{engine:<24}{event:<44}{result}")
