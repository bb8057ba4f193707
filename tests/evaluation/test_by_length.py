"""The table of scores by length."""

from gantext.evaluation.by_length import by_name, chosen, rows
from gantext.metrics.score import Score


def test_a_length_without_sentences_has_none() -> None:
    """Nor has one whose source says nothing of them; a source without a score has no cell."""
    short = Score("bleu-4[1-8]", 0.25, {"sentences": 1200}, 0.01)
    none, unsaid = Score("real-bleu-4[1-8]", 0.5, {"sentences": 0}), Score("bleu-4[17+]", 0.5, {})
    table = {"run": [short, unsaid, Score("bleu-4", 0.3)], "real": [none]}
    assert rows(table) == (
        ["score", "run", "real"],
        [
            ["bleu-4, 1-8 words", "0.2500 (1,200)", "0.5000 (0)"],
            ["bleu-4, 17+ words", "0.5000 (0)", "-"],
        ],
    )
    assert by_name(table)["bleu-4"]["run"]["1-8"].error == 0.01
    assert chosen(table)[0] == "bleu-4"
    known = {"run": [*table["run"], Score("grammatical[1-8]", 1.0, {"sentences": 2})]}
    assert chosen(known)[0] == "grammatical"
