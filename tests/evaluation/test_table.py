"""What is said of scores beside those of the real text."""

from gantext.evaluation.table import uneven
from gantext.metrics.score import Score


def test_how_many_are_of_a_length_is_no_size_that_was_asked_for() -> None:
    """As many samples as real sentences, of which fewer are long."""

    def scores(name: str, long: int) -> list[Score]:
        return [
            Score(f"{name}bleu-2", 0.5, {"hypotheses": 50}),
            Score(f"{name}bleu-2[17+]", 0.5, {"length": "17+", "sentences": long}),
        ]

    assert uneven({"a": scores("", 39), "real": scores("real-", 7)}) == []
    fewer = {"a": scores("", 39), "real": [Score("real-bleu-2", 0.5, {"hypotheses": 40})]}
    assert uneven(fewer)[0].startswith("real: only 40 training sentences beside 50 samples")
