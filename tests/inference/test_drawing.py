"""How pictures are drawn: in blocks of rows, as many as were asked for."""

from types import SimpleNamespace

import pytest
import torch

from gantext.inference.drawing import ROWS, PictureRequest, _sizes, look_at


@pytest.mark.parametrize("n", [1, ROWS - 1, ROWS, ROWS + 1, 3 * ROWS + 7])
def test_blocks_come_to_as_many_as_were_asked_for(n: int) -> None:
    found = _sizes(n)
    assert sum(found) == n and 0 < min(found) and max(found) <= ROWS
    assert len(found) == -(-n // ROWS)


def test_how_many_are_drawn_by_default() -> None:
    """25 in all, or of a single caption; 8 of each of several."""
    asked = [PictureRequest(captions=captions) for captions in ((), ("a",), ("a", "b"))]
    assert [one.each for one in asked] == [25, 25, 8] and PictureRequest(3, ("a", "b")).each == 3


def test_a_look_is_of_five_by_five() -> None:
    painter = SimpleNamespace(draw=lambda n, rng: torch.rand(n, 1, generator=rng))
    one, two = (look_at(painter, None, seed, torch.device("cpu")) for seed in (3, 3))
    assert torch.equal(one, two) and len(one) == 25
