"""Scores against a known distribution."""

from gantext.evaluation.ground import Ground, Real
from gantext.evaluation.measures import truth
from tests.evaluation.measures.given import PROTOCOL, subject
from tests.evaluation.measures.test_likelihood import Some, corpus


def test_truth_is_of_known_distributions_alone() -> None:
    one = subject("a b", "a")
    known = Ground("h", lambda: Real(corpus=corpus(Some())))
    share, _ = truth.truth(one, known, PROTOCOL)
    assert share.value == 0.5
    for real in (Real(), Real(corpus=corpus(None))):
        assert truth.truth(one, Ground("h", lambda real=real: real), PROTOCOL) == []
