"""What is read of curves, by hand."""

from gantext.evaluation.frontier import Frontier, Place, _reading
from gantext.evaluation.frontier_shown import reading
from gantext.metrics.text.frontier import Point
from gantext.metrics.text.planes import ORACLE


def test_a_reading_says_of_which_share_of_the_samples_it_is() -> None:
    """Half way from nll-test 3 to 2 nll-oracle is between 1 and 2, and the share between 1 and .5.

    Where all samples have an nll-oracle no share is known, and none is shown.
    """
    ends = [(3.0, 1.0, 1.0), (2.0, 2.0, 0.5)]
    names = ("nll-test", "nll-oracle", "grammatical")
    points = [Point("a", "a", 1.0, dict(zip(names, end, strict=True)), 0) for end in ends]
    whole = [Point("b", "b", 1.0, dict(zip(names[:2], end[:2], strict=True)), 0) for end in ends]
    partly, all_of_it = _reading("a", ORACLE, points, 2.5), _reading("b", ORACLE, whole, 2.5)
    assert (partly.value, partly.share) == (1.5, 0.75)
    assert (all_of_it.value, all_of_it.share) == (1.5, None)

    def table(*readings):
        real = Point("real text", "", None, {"nll-oracle": 1.2, "grammatical": 1.0})
        return reading(Frontier(ORACLE, points, real, (), Place(2.5, "2.5"), list(readings), {}))

    _, columns, rows = table(partly, all_of_it)
    assert columns == ["curve", "nll-oracle", "sd", "grammatical"]
    assert [row[3] for row in rows] == ["0.7500", "-", "1.0000"]
    assert table(all_of_it)[1] == columns[:3]
