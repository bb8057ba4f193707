"""Rows of a split, evenly of all classes."""

import pytest
import torch

from gantext.data.balanced import balanced


def drawn(labels: list[int], n: int, seed: int = 0) -> list[int]:
    return balanced(torch.tensor(labels), n, torch.Generator().manual_seed(seed)).tolist()


LABELS = [0] * 50 + [1] * 20 + [2] * 3  # places 0-49, 50-69, 70-72


@pytest.mark.parametrize(
    ("n", "counts"), [(3, (1, 1, 1)), (9, (3, 3, 3)), (23, (10, 10, 3)), (73, (50, 20, 3))]
)
def test_classes_have_as_many_each_as_they_can(n: int, counts: tuple[int, ...]) -> None:
    places = drawn(LABELS, n)
    assert len(set(places)) == n
    assert tuple([LABELS[i] for i in places].count(k) for k in range(3)) == counts


def test_a_number_that_is_no_multiple_leaves_a_difference_of_one() -> None:
    for n in range(1, 9):
        counts = [[LABELS[i] for i in drawn(LABELS, n)].count(k) for k in range(3)]
        assert sum(counts) == n and max(counts) - min(counts) <= 1


def test_more_rows_only_add_to_fewer_and_the_seed_decides() -> None:
    assert drawn(LABELS, 30)[:12] == drawn(LABELS, 12)
    assert drawn(LABELS, 12) != drawn(LABELS, 12, seed=1)
    assert len({tuple(drawn(LABELS, 3, seed)) for seed in range(20)}) > 15
