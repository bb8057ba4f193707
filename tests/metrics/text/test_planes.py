"""The planes: what each of them asks of samples, and what its curves are read by."""

import pytest

from gantext.metrics.text.planes import LM, ORACLE, PLANES, Plane, PlaneName, bleu, find_plane

BLEU = bleu(3)


@pytest.mark.parametrize(
    ("plane", "needs"),
    [
        (BLEU, (None, False, False, False, 10_000)),
        (ORACLE, (8.0, True, True, True, None)),
        (LM, (None, False, False, False, None)),
    ],
    ids=["bleu", "oracle", "lm"],
)
def test_what_a_plane_needs(plane: Plane, needs: tuple[object, ...]) -> None:
    """The value that published curves are read at; whether its curve turns, the likelihood is
    known at each temperature, the truth is; of how many samples published points are."""
    found = (plane.at, plane.turns, plane.tempered, plane.truth, plane.published_size)
    assert found == needs


def test_the_scores_on_the_axes() -> None:
    axes = [(one.x.score, one.y.score, one.reads.score, one.where.score) for one in (BLEU, LM)]
    assert axes == [
        ("self-bleu-3", "bleu-3", "bleu-3", "self-bleu-3"),
        ("reverse-lm", "lm-score", "reverse-lm", "lm-score"),
    ]
    assert (ORACLE.reads.score, ORACLE.where.score) == ("nll-oracle", "nll-test")
    assert ORACLE.y.share == "grammatical" and not ORACLE.x.share


def test_tables_hold_the_scores_of_a_plane_and_more_behind_them() -> None:
    orders = (2, 3, 4, 5)
    columns = (*(f"bleu-{n}" for n in orders), *(f"self-bleu-{n}" for n in orders))
    assert [one.columns for one in (BLEU, ORACLE, LM)] == [
        columns,
        ("nll-test", "nll-oracle"),
        ("reverse-lm", "lm-score"),
    ]
    assert [one.extra for one in (BLEU, ORACLE, LM)] == [
        ("unique", "copied", "grammatical", "nll-oracle"),
        ("unique", "grammatical"),
        ("unique", "grammatical", "nll-oracle"),
    ]
    assert [one.of_real for one in (BLEU, ORACLE, LM)] == [(), ("true-likelihood",), ()]


def test_a_plane_is_found_by_its_name_bleu_of_any_order() -> None:
    assert find_plane(PlaneName.bleu, 3) == BLEU and find_plane(PlaneName.oracle, 3) is ORACLE
    assert find_plane(PlaneName.lm, 3) is LM
    assert [one.x.score for one in PLANES] == ["self-bleu-4", "nll-test", "reverse-lm"]
