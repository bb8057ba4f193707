"""The table of scores by length."""

from pathlib import Path
from typing import Any

import pytest

from gantext.evaluation.by_length import by_name, chosen, draw, others, rows
from gantext.metrics.score import Score
from gantext.plots import lengths, output


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


def test_scores_that_are_not_by_length_are_left() -> None:
    whole = [Score("bleu-4", 0.3), Score("real-bleu-4", 0.4)]
    assert others([whole[0], Score("bleu-4[1-8]", 0.25), whole[1]]) == whole


def test_what_is_drawn_has_the_real_text_marked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn = list[Any]()
    monkeypatch.setattr(lengths, "lengths_figure", lambda *given, **more: (given, more))
    monkeypatch.setattr(output, "to_png", lambda *given: drawn.append(given))
    table = {"run": [Score("bleu-4[1-8]", 0.25, {"sentences": 2})]}
    draw(table, tmp_path / "a.png")
    name, series = chosen(table)
    assert drawn == [(((series, name, "light"), {"real": "real"}), tmp_path / "a.png")]
