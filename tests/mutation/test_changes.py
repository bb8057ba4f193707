"""The changes that are tried on modules: which there are, and what is left alone."""

import ast
import re
from pathlib import Path

from tests.mutation.__main__ import modules
from tests.mutation.changes import AT_A_TIME, changes

ROOT = Path(__file__).parents[2]
SOURCE = b'''"""A module: 1 + 1."""
LIMIT = 3


def share(values: list[int], weight: float = 0.5) -> float:
    """Twice 2 * 2."""
    if not values or len(values) > LIMIT:
        raise ValueError(f"{len(values)} + 1 values")
    logger.info("no %s", 1 - 1)
    check(values)
    return sum(values[1:]) / draw(values, seed=4)
'''


def test_each_kind_of_change_and_nothing_of_what_is_only_said() -> None:
    """3 -> 4; 0.5 -> 1.0; the condition's `or`, `not` and `>`; the call of check; sum, the slice,
    its 1, the division, the keyword and its 4. None of strings, types, what is raised or said.
    """
    found = [(one.line, one.kind, one.new) for one in changes(SOURCE)]
    assert found == [
        (2, "constant", "4"),
        (5, "constant", "1.0"),
        (7, "sign", "values"),
        (7, "operator", "(not values and len(values) > LIMIT)"),
        (7, "comparison", "(len(values) >= LIMIT)"),
        (10, "call deleted", "pass"),
        (11, "function", "mean(values[1:])"),
        (11, "operator", "(sum(values[1:]) * draw(values, seed=4))"),
        (11, "constant", "2"),
        (11, "slice", ":"),
        (11, "keyword dropped", "draw(values)"),
        (11, "constant", "5"),
    ]


def test_what_is_only_declared_has_no_changes() -> None:
    source = b"""
class Judge(Protocol[T]):
    def score(self, rows: int = 3) -> int: ...
    def place(self, rows: int = 3) -> int:
        'Its docstring.'
    def size(self, rows: int = 3) -> int:
        raise NotImplementedError
    def of(self, rows: int = 3) -> int:
        return rows
"""
    assert [(one.line, one.new) for one in changes(source)] == [(8, "4")]


def test_a_change_is_made_at_its_place_also_behind_wide_characters() -> None:
    source = 'name = "é→"; size = 1 + 2\n'.encode()
    made = [one.apply(source).decode() for one in changes(source)]
    assert 'name = "é→"; size = (1 - 2)\n' in made
    assert 'name = "é→"; size = 1 + 3\n' in made


def test_how_much_is_worked_on_at_a_time_is_left_alone_and_where_it_ends_is_not() -> None:
    source = b"ROWS = 500\nrows = max(1, ROWS // width)\nparts = a[: first + ROWS], max(1, size)\n"
    assert [(one.line, one.new) for one in changes(source)] == [
        (3, ":"),
        (3, "(first - ROWS)"),
        (3, "min(1, size)"),
        (3, "2"),
    ]


def test_a_function_that_says_how_much_is_worked_on_at_a_time_is_left_alone() -> None:
    body = b"(tokens: int) -> int:\n    return tokens // 2\n"
    assert changes(b"def _chunk_size" + body) == [] != changes(b"def _chunks" + body)


def test_where_numbers_lie_is_left_alone() -> None:
    source = b"found = torch.zeros(3, device=state[0].device)\nchunk = max(CHUNK, 2 * size)\n"
    assert [(one.line, one.new) for one in changes(source)] == [
        (1, "torch.ones(3, device=state[0].device)"),
        (1, "4"),
    ]


def test_which_numbers_are_warned_of_is_left_alone() -> None:
    source = b"with np.errstate(over='ignore'):\n    p = np.exp(x)\n"
    assert [one.new for one in changes(source)] == ["np.log1p(x)"]


def test_what_is_left_alone_for_its_name_is_there() -> None:
    words = {word for path in modules() for word in re.findall(r"\w+", (ROOT / path).read_text())}
    assert not AT_A_TIME - words


def test_a_changed_module_can_still_be_read() -> None:
    source = (ROOT / "gantext" / "nn" / "text" / "rewards.py").read_bytes()
    assert len(changes(source)) > 50
    for change in changes(source):
        ast.parse(change.apply(source))
