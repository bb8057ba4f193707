"""How pictures are drawn: in blocks of rows, as many as were asked for."""

import pytest

from gantext.inference.drawing import ROWS, _sizes


@pytest.mark.parametrize("n", [1, ROWS - 1, ROWS, ROWS + 1, 3 * ROWS + 7])
def test_blocks_come_to_as_many_as_were_asked_for(n: int) -> None:
    found = _sizes(n)
    assert sum(found) == n and 0 < min(found) and max(found) <= ROWS
    assert len(found) == -(-n // ROWS)
