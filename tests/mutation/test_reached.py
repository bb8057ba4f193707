"""By which tests a change is tried."""

import hashlib
import json
from pathlib import Path

import pytest

from tests.mutation.changes import changes
from tests.mutation.reached import Reached

MODULE, SOURCE = Path("gantext/nn/sums.py"), b"LIMIT = 3\n\n\ndef one(x):\n    return x + 1\n"


@pytest.fixture
def reached(tmp_path: Path) -> Reached:
    """Line 5 is run by two tests, and by what two are given; line 1 when the module is imported."""
    kept = {
        "modules": {
            str(MODULE): {
                "digest": hashlib.sha256(SOURCE).hexdigest(),
                "lines": {"1": [], "5": [0, 1, 2]},
            }
        },
        "names": ["a.py::quick", "a.py::slow", "tests gives run"],
        "users": {"tests gives run": ["a.py::quick", "own.py::given"]},
        "seconds": {"a.py::quick": 0.1, "a.py::slow": 3.0, "own.py::given": 9.0},
        "failed": [],
    }
    (tmp_path / "reached.json").write_text(json.dumps(kept))
    return Reached(tmp_path / "reached.json")


def test_a_change_is_tried_by_what_runs_its_line_the_quick_ones_first(reached: Reached) -> None:
    limit, plus = (next(c for c in changes(SOURCE) if c.line == line) for line in (1, 5))
    tried = reached.tests(MODULE, SOURCE, plus)
    assert tried == ["a.py::quick", "a.py::slow", "own.py::given"]
    assert reached.tests(MODULE, SOURCE, limit) == []


def test_nothing_is_known_of_a_module_that_is_another_since(
    reached: Reached, tmp_path: Path
) -> None:
    plus = next(c for c in changes(SOURCE) if c.line == 5)
    assert reached.tests(MODULE, SOURCE + b"\n", plus) == []
    assert reached.tests(Path("gantext/other.py"), SOURCE, plus) == []
    assert Reached(tmp_path / "none.json").tests(MODULE, SOURCE, plus) == []
