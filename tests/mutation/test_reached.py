"""By which tests a change is tried, and which are watched again."""

from pathlib import Path

from tests.mutation.changes import changes
from tests.mutation.reached import Known, Reached, Seen, digest_of, merged, read, stale

MODULE = Path("gantext/nn/sums.py")
SOURCE = b"LIMIT = 3\n\n\ndef one(x, y=2):\n    return x + 1\n"
OTHER = "gantext/nn/other.py"
KNOWN: Known = {"modules": {str(MODULE): digest_of(SOURCE), OTHER: "o"}, "rest": "r"}
FILES = {"a.py": "1", "own.py": "1", "far.py": "1"}


def seen() -> Seen:
    """Line 5 is run by two tests, and by what two are given; lines 1 and 4 when the
    module is imported, which was in the slow test."""
    return {
        **KNOWN,
        "files": {**FILES},
        "reach": {
            "a.py::quick": {str(MODULE): [5], OTHER: [2]},
            "a.py::slow": {str(MODULE): [1, 4, 5]},
            "tests gives run": {str(MODULE): [5]},
            "far.py::apart": {OTHER: [2]},
        },
        "users": {"tests gives run": ["a.py::quick", "own.py::given"]},
        "seconds": {
            "a.py::quick": 0.1,
            "a.py::slow": 3.0,
            "own.py::given": 9.0,
            "far.py::apart": 1,
        },
        "failed": ["far.py::apart"],
    }


def test_a_change_is_tried_by_what_runs_its_line_the_quick_ones_first() -> None:
    limit, default, plus = (next(c for c in changes(SOURCE) if c.line == n) for n in (1, 4, 5))
    for change in (plus, default):
        tried = Reached(seen()).tests(MODULE, SOURCE, change)
        assert tried == ["a.py::quick", "a.py::slow", "own.py::given"]
    assert Reached(seen()).tests(MODULE, SOURCE, limit) == []


def test_behind_the_quick_ones_those_beside_the_module_come_first() -> None:
    reached, tests = Reached(seen()), ["a.py::quick", "far.py::one", "a.py::slow", "own.py::given"]
    found = reached.nearest(tests, 1, ["own.py", "a.py"])
    assert found == ["a.py::quick", "own.py::given", "a.py::slow", "far.py::one"]
    assert reached.nearest([], 1, ["own.py"]) == []


def test_nothing_is_known_of_a_module_that_is_another_since(tmp_path: Path) -> None:
    plus = next(c for c in changes(SOURCE) if c.line == 5)
    assert Reached(seen()).tests(MODULE, SOURCE + b"\n", plus) == []
    assert Reached(seen()).tests(Path("gantext/more.py"), SOURCE, plus) == []
    assert Reached(read(tmp_path / "none.json")).tests(MODULE, SOURCE, plus) == []


def test_the_quick_ones_are_run_by_themselves_and_the_slowest_not_at_all() -> None:
    """3.1 seconds of a file's two tests, 9 of the other."""
    reached, tests = Reached(seen()), ["a.py::quick", "a.py::slow", "own.py::given"]
    assert [*reached.turns(tests, 1, 60)] == [tests[:1], tests[1:]]
    assert [*reached.turns(tests, 1, 12)] == [tests[:1], tests[1:2]]
    assert [*reached.turns(tests, 3, 1)] == [tests]
    assert [*reached.turns(["a.py", "own.py"], 1, 12.05)] == [["a.py"]]


def test_only_what_is_another_is_watched_again() -> None:
    """A file of tests; what runs a module, also by what it is given; all where the rest is."""
    assert stale(seen(), KNOWN, FILES) == []
    assert stale(seen(), KNOWN, {**FILES, "far.py": "2", "new.py": "1"}) == ["far.py", "new.py"]
    changed: Known = {"modules": {str(MODULE): "x", OTHER: "o"}, "rest": "r"}
    assert stale(seen(), changed, FILES) == ["a.py", "own.py"]
    assert stale(seen(), {**KNOWN, "rest": "x"}, FILES) == [*FILES]


def test_of_what_is_watched_again_only_that_counts() -> None:
    """One test of the first file is gone, and so is the last file; what is given stays known."""
    files = {"a.py": "2", "own.py": "1"}
    new: Seen = {
        **KNOWN,
        "files": {"a.py": "2"},
        "reach": {"a.py::quick": {OTHER: [7]}},
        "users": {"tests gives run": ["a.py::quick"]},
        "seconds": {"a.py::quick": 0.2},
        "failed": [],
    }
    found = merged(seen(), new, files)
    assert found["files"] == files and stale(found, KNOWN, files) == []
    assert found["reach"] == {**new["reach"], "tests gives run": {str(MODULE): [5]}}
    assert found["users"] == {"tests gives run": ["own.py::given", "a.py::quick"]}
    assert found["seconds"] == {"own.py::given": 9.0, "a.py::quick": 0.2} and not found["failed"]
