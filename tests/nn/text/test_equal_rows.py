"""Equal sentences are found."""

import pytest
import torch

from gantext.nn.text import equal_rows
from gantext.nn.text.equal_rows import different_share, unique_rows


def test_unique_rows_finds_one_copy_of_each() -> None:
    tokens = torch.tensor([[4, 5, 0], [5, 4, 0], [4, 5, 0], [4, 5, 6]])
    first, inverse = unique_rows(tokens)
    assert len(first) == 3
    assert torch.equal(tokens[first[inverse]], tokens)


def test_the_share_of_different_rows() -> None:
    tokens = torch.tensor([[5, 2], [2, 0], [5, 2]])
    assert float(different_share(tokens)) == pytest.approx(2 / 3)
    assert float(different_share(tokens[:1])) == 1


def test_rows_that_differ_in_any_one_place_are_told_apart() -> None:
    """Powers of an even base would be 0 in 64 bits after so many words at most."""
    tokens = torch.full((101, 100), 5)
    tokens[torch.arange(100), torch.arange(100)] = 6
    assert float(different_share(tokens)) == 1
    first, inverse = unique_rows(tokens)
    assert len(first) == 101 and torch.equal(first[inverse], torch.arange(101))


def test_rows_of_one_hash_count_as_different(monkeypatch: pytest.MonkeyPatch) -> None:
    """By sums of words 4 5 and 5 4 are the same."""
    monkeypatch.setattr(equal_rows, "BASE", 1)
    first, inverse = unique_rows(torch.tensor([[4, 5], [5, 4], [4, 5]]))
    assert first.tolist() == inverse.tolist() == [0, 1, 2]


def test_hashes_are_polynomials_of_64_bits() -> None:
    """By whole numbers of any size."""
    rows = [[4, 5, 6], [6, 5, 4], [130, 2, 0]]
    wanted = [
        sum(word * equal_rows.BASE ** (place + 1) for place, word in enumerate(row)) for row in rows
    ]
    found = equal_rows._hashes(torch.tensor(rows))
    assert found.dtype == torch.int64
    assert [value % 2**64 for value in found.tolist()] == [value % 2**64 for value in wanted]
