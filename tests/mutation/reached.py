"""Which tests run a line: a change of it is tried by these alone, the quick ones first.

What was seen of the tests without a change is kept, and renewed only for the files of tests that
are others since, or that run a module which is.
"""

import ast
import contextlib
import hashlib
import json
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, TypedDict

import pytest

from tests.mutation.changes import Change

Digests = Mapping[str, str]  # of files, by their path in the project


class Known(TypedDict):
    """Of which code it is that something was seen: digests of modules, and one of all the rest."""

    modules: dict[str, str]
    rest: str


class Seen(Known):
    """What was seen of the tests without a change.

    Tests have pytest's names, fixtures such as "tests gives trained". `files` are digests of those
    of tests; `reach`: by test or fixture, and by module, the lines that it runs; `users`: the tests
    that a fixture is given to; `failed`: those from which nothing can be learned.
    """

    files: dict[str, str]
    reach: dict[str, dict[str, list[int]]]
    users: dict[str, list[str]]
    seconds: dict[str, float]
    failed: list[str]


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

    def seen(self, folder: Path, files: Digests, known: Known) -> Seen:
        """What was seen of these files of tests in a copy of the project."""
        data, reach = self.coverage.get_data(), defaultdict[str, dict[str, list[int]]](dict)
        for module in known["modules"]:
            for line, names in data.contexts_by_lineno(str(folder / module)).items():
                for name in filter(None, names):
                    reach[name].setdefault(module, []).append(line)
        return {
            **known,
            "files": {**files},
            "reach": {**reach},
            "users": {**self.users},
            "seconds": {**self.seconds},
            "failed": self.failed,
        }


def _name(fixture: Any) -> str:
    return f"{fixture.baseid} gives {fixture.argname}"


def digest_of(source: bytes) -> str:
    """Of a file's bytes."""
    return hashlib.sha256(source).hexdigest()


def read(path: Path) -> Seen:
    """What was kept; of nothing where nothing was."""
    if path.is_file():
        kept: Seen = json.loads(path.read_text())
        return kept
    return {
        "modules": {}, "rest": "", "files": {}, "reach": {}, "users": {}, "seconds": {},
        "failed": [],
    }  # fmt: skip


def stale(seen: Seen, known: Known, files: Digests) -> list[str]:
    """The files of tests to be watched again: others, or such as run a module that is another.

    All, where something else is: what it is that a test then runs nobody knows.
    """
    if seen["rest"] != known["rest"]:
        return [*files]
    now = known["modules"]
    others = {name for name, digest in seen["modules"].items() if now.get(name) != digest}
    names = [name for name, lines in seen["reach"].items() if not others.isdisjoint(lines)]
    runners = {_file(test) for name in names for test in seen["users"].get(name, [name])}
    return [file for file in files if file in runners or seen["files"].get(file) != files[file]]


def merged(old: Seen, new: Seen, files: Digests) -> Seen:
    """What is known of `files` once some were watched again, of which only that counts."""
    left = {test for test in old["seconds"] if _file(test) in {*files} - {*new["files"]}}
    users = {
        name: [*(test for test in old["users"].get(name, ()) if test in left),
               *new["users"].get(name, ())]
        for name in {**old["users"], **new["users"]}
    }  # fmt: skip
    reach = {name: own for name, own in old["reach"].items() if name in left or name in users}
    return {
        "modules": new["modules"],
        "rest": new["rest"],
        "files": {**files},
        "reach": reach | new["reach"],
        "users": users,
        "seconds": {test: old["seconds"][test] for test in sorted(left)} | new["seconds"],
        "failed": [*sorted({*old["failed"]} & left), *new["failed"]],
    }


def _file(test: str) -> str:
    return test.partition("::")[0]


def _lines(source: bytes, change: Change) -> range | None:
    """The lines of which one is run wherever a change counts: its own, or for an argument's default
    those of the function; None where it stands in no function, such as a constant."""
    own = range(change.line, change.line + change.old.count("\n") + 1)
    heads = list[range]()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.FunctionDef):
            body = range(node.body[0].lineno, (node.end_lineno or 0) + 1)
            if change.line in body:
                return own
            if node.lineno <= change.line < body.start:
                heads.append(body)
    return heads[0] if heads else None


class Reached:
    """Which tests to try a change by.

    Attributes:
        seen: what was seen of them without a change.
    """

    def __init__(self, seen: Seen) -> None:
        self.seen = seen

    def tests(self, module: Path, source: bytes, change: Change) -> list[str]:
        """The tests that run what is changed, the quick ones first.

        None where that is not known, or where it runs when the module is imported: by one test at
        most then, whichever came first.
        """
        lines = _lines(source, change)
        if lines is None or self.seen["modules"].get(str(module)) != digest_of(source):
            return []
        reach, users = self.seen["reach"], self.seen["users"]
        run = {*lines}
        names = [name for name in reach if not run.isdisjoint(reach[name].get(str(module), ()))]
        found = {test for name in names for test in users.get(name, [name])}
        return sorted(found, key=lambda test: (self.seconds(test), test))

    def seconds(self, test: str) -> float:
        """How long a test took, or all tests of a file."""
        every = self.seen["seconds"]
        if "::" in test:
            return every.get(test, 0.0)
        return sum(seconds for name, seconds in every.items() if _file(name) == test)

    def nearest(self, tests: list[str], first: int, files: Sequence[str]) -> list[str]:
        """The first tests as they are, the others by how far down their file stands among files."""
        places = {file: place for place, file in enumerate(files)}
        rest = sorted(tests[first:], key=lambda test: places.get(_file(test), len(places)))
        return [*tests[:first], *rest]

    def turns(self, tests: list[str], first: int, most: float) -> Iterator[list[str]]:
        """Some of the tests, then those that take no more than so many seconds in all."""
        yield tests[:first]
        taken, rest = sum(map(self.seconds, tests[:first])), list[str]()
        for test in tests[first:]:
            taken += self.seconds(test)
            if taken > most:
                break
            rest.append(test)
        if rest:
            yield rest
