"""How pictures are drawn: in blocks of rows, as many as were asked for."""

import dataclasses
import re
from types import SimpleNamespace
from typing import Any

import pytest
import torch

from gantext.inference.drawing import (
    ROWS,
    PictureRequest,
    _sizes,
    columns_for,
    draw_pictures,
    look_at,
)


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


def test_pictures_say_how_they_can_be_drawn_again() -> None:
    """By default 25 in a square, of seed 0; another seed has another name."""
    sizes = list[int]()

    def draw(n: int, rng: torch.Generator) -> torch.Tensor:
        sizes.append(n)
        return torch.rand(n, 1, 2, 2, generator=rng)

    run = SimpleNamespace(info={"data": "d"})
    trained: Any = SimpleNamespace(
        algorithm=SimpleNamespace(draw=draw),
        device=torch.device("cpu"),
        run=run,
        origin=lambda phase: {"run": "r", "phase": phase},
    )
    found = draw_pictures(trained, PictureRequest(phase="p"))
    assert found.pictures.shape == (25, 1, 2, 2) and found.columns == 5 and sizes == [25]
    sign = {key: value for key, value in found.signature.items() if key != "version"}
    assert sign == {"run": "r", "phase": "p", "sampled": 25, "sample_seed": 0, "run_data": "d"}
    assert re.fullmatch("drawn-25-seed0-[0-9a-f]{8}", found.name)
    other = draw_pictures(trained, PictureRequest(n=6, columns=2, seed=3))
    assert (len(other.pictures), other.columns, other.notes) == (6, 2, ())
    assert other.name.startswith("drawn-6-seed3-") and other.name[-8:] != found.name[-8:]
    assert dataclasses.replace(other, columns=3).name != other.name
    assert draw_pictures(trained, PictureRequest(n=6)).columns == 3


def test_a_grid_is_about_as_high_as_wide() -> None:
    assert [columns_for(n) for n in (1, 4, 5, 9, 10)] == [1, 2, 3, 3, 4]
