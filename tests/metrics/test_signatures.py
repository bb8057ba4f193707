"""Lines of signatures: by families, whose name is that of a single score where it is one."""

from gantext.metrics.score import Score
from gantext.metrics.signatures import signature_lines


def test_a_family_of_one_has_its_own_name() -> None:
    of_orders = [Score(f"bleu-{n}", 0.5, {"n": n}) for n in (2, 3)]
    lines = signature_lines({"a": [*of_orders, Score("length-w1", 1.5, {"unit": "tokens"})]})
    assert [line.partition(":")[0] for line in lines] == ["bleu", "length-w1"]
