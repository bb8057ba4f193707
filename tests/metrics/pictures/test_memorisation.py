"""Memorisation: distances to the training set by hand, and copies told from new pictures."""

import numpy as np
import pytest

from gantext.errors import UserError
from gantext.metrics.pictures.memorisation import memorisation


def column(*values: float) -> np.ndarray:
    return np.array(values)[:, None]


def test_by_hand() -> None:
    """Training 0, 10, 20. Test 1, 12, 23, 26, 15 are 1, 2, 3, 6, 5 away; median 3, and the 50th
    percentile too. Samples 10, 17.5, 24, 2 are 0, 2.5, 4, 2 away: median (2 + 2.5) / 2 = 2.25, and
    three of four are nearer than 3. The 25th percentile is 2: only the sample at 0 is nearer.
    """
    found = memorisation(column(10, 17.5, 24, 2), column(0, 10, 20), column(1, 12, 23, 26, 15))
    assert found.samples.indices.tolist() == [1, 2, 2, 0]
    assert found.samples.distances.tolist() == [0, 2.5, 4, 2]
    assert (found.median, found.test_median) == (2.25, 3)
    assert (found.share(50), found.share(25), found.share(0)) == (0.75, 0.25, 0.25)
    assert found.most_alike(3).tolist() == [0, 3, 1]


def test_as_near_as_the_nearest_twentieth_of_the_test_points_is_near() -> None:
    """Test points are 0 to 100 away: 4 is under the 5th percentile, 6 is not."""
    found = memorisation(column(4, 6), column(0), column(*range(101)))
    assert found.is_near().tolist() == [True, False] and found.share() == 0.5


def test_copies_are_told_from_new_points() -> None:
    """Points of the training set's own distribution are as near as the test set's: 5% of them are
    nearer than its 5th percentile. Copies with little noise all are.
    """
    rng = np.random.default_rng(0)
    training, test, new = (rng.normal(size=(n, 8)) for n in (500, 400, 400))
    copies = training[:100] + rng.normal(0, 0.01, (100, 8))
    assert memorisation(new, training, test).share() == pytest.approx(0.05, abs=0.03)
    assert memorisation(copies, training, test).share() == 1
    assert (memorisation(copies, training, test).samples.indices == np.arange(100)).all()


def test_of_samples_that_are_as_near_the_first_come_first() -> None:
    """Odd ones are 1 away, even ones 2: of many equal values another sort keeps no order."""
    far = np.arange(1000) % 2 == 0
    found = memorisation(column(*np.where(far, 2.0, 1.0)), column(0), column(1))
    assert found.most_alike(600).tolist() == [*range(1, 1000, 2), *range(0, 200, 2)]


@pytest.mark.parametrize("empty", [0, 1, 2])
def test_an_empty_set_is_refused(empty: int) -> None:
    sets = [column(1, 2), column(3), column(4)]
    sets[empty] = column()
    with pytest.raises(UserError, match="needs samples, training and test"):
        memorisation(*sets)
