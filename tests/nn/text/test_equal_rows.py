"""Equal sentences are found."""

import pytest
import torch

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
