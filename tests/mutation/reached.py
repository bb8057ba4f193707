"""Which tests run a line: a change of it is tried by these alone, the quick ones first."""

import contextlib
import hashlib
import json
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.mutation.changes import Change


class Watcher:
    """A plugin of pytest that keeps whose code runs: a test's, or that of what a test is given."""

    def __init__(self, coverage: Any) -> None:
        self.coverage = coverage
        self.seconds: dict[str, float] = defaultdict(float)
        self.users: dict[str, list[str]] = defaultdict(list)
        self.failed: list[str] = []
        self.running: list[str] = []

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_protocol(self, item: Any) -> Iterator[None]:
        given = item._fixtureinfo.name2fixturedefs.values()
        for fixture in (one for several in given for one in several):
            self.users[_name(fixture)].append(item.nodeid)
        with self._of(item.nodeid):
            return (yield)

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_fixture_setup(self, fixturedef: Any) -> Iterator[None]:
        with self._of(_name(fixturedef)):
            return (yield)

    def pytest_runtest_logreport(self, report: Any) -> None:
        self.seconds[report.nodeid] += report.duration
        if report.failed:
            self.failed.append(report.nodeid)

    @contextlib.contextmanager
    def _of(self, name: str) -> Iterator[None]:
        self.running.append(name)
        self.coverage.switch_context(name)
        try:
            yield
        finally:
            self.running.pop()
            self.coverage.switch_context(self.running[-1] if self.running else "")

    def document(self, folder: Path) -> dict[str, Any]:
        """What was found: who runs each line of each module, by number, and what a test took."""
        data, modules = self.coverage.get_data(), {}
        names = {name: number for number, name in enumerate(sorted(data.measured_contexts()))}
        for file in map(Path, data.measured_files()):
            found = data.contexts_by_lineno(str(file))
            lines = {line: [names[one] for one in set(found[line]) if one] for line in found}
            digest = hashlib.sha256(file.read_bytes()).hexdigest()
            modules[str(file.relative_to(folder))] = {"digest": digest, "lines": lines}
        return {
            "modules": modules,
            "names": [*names],
            "users": self.users,
            "seconds": self.seconds,
            "failed": self.failed,
        }


def _name(fixture: Any) -> str:
    return f"{fixture.baseid} gives {fixture.argname}"


class Reached:
    """What was kept of the tests without a change; nothing of a module that is another since.

    Attributes:
        failed: tests that failed without a change, from which nothing can be learned.
    """

    def __init__(self, path: Path) -> None:
        known = json.loads(path.read_text()) if path.is_file() else {"modules": {}, "failed": []}
        self._known, self.failed = known, known["failed"]

    def tests(self, module: Path, source: bytes, change: Change) -> list[str]:
        """The tests that run what is changed, the quick ones first.

        None where that is not known, or where it runs when the module is imported.
        """
        known = self._known["modules"].get(str(module))
        if known is None or known["digest"] != hashlib.sha256(source).hexdigest():
            return []
        last = change.line + change.old.count("\n")
        places = [known["lines"].get(str(line), []) for line in range(change.line, last + 1)]
        names = {self._known["names"][number] for numbers in places for number in numbers}
        users, seconds = self._known["users"], self._known["seconds"]
        found = {test for name in names for test in users.get(name, [name])}
        return sorted(found, key=lambda test: (seconds.get(test, 0), test))
