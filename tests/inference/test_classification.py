"""Classes of sentences and pictures: what is told of each row, by hand."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch

from gantext.errors import UserError
from gantext.inference import classification
from gantext.inference.classification import Classified, _cell, class_names, classify_lines
from gantext.inference.given import Rows

NAN = float("nan")


def told(labels: list[int] | None, texts: tuple[str, ...] = ("a", "b\tc")) -> Classified:
    probabilities = np.array([[0.25, 0.75], [NAN, 1.0]])
    own = None if labels is None else np.array(labels)
    return Classified(("x", "y"), "line", [3, 5], texts, probabilities, own, (), {"n": 1})


def test_a_row_says_its_likeliest_class_and_one_that_is_not_read_none() -> None:
    assert told([0, 1]).records() == [
        {"line": 3, "class": "y", "probability": 0.75, "label": "x", "text": "a"},
        {"line": 5, "class": None, "probability": None, "label": "y", "text": "b\tc"},
    ]
    assert told(None, ()).records()[0] == {"line": 3, "class": "y", "probability": 0.75}
    table = told(None).to_tsv()
    assert table == "line\tclass\tprobability\ttext\n3\ty\t0.75\ta\n5\t\t\tb c\n"
    assert _cell(0.12345678) == "0.123457"
    one = Classified(("x", "y"), "line", [3], (), np.array([[0.25, 0.75]]), None, (), {"n": 1})
    assert one.to_tsv() == "line\tclass\tprobability\n3\ty\t0.75\n"


def test_classes_without_names_are_numbers() -> None:
    facts = {"class_counts": {"a": 3, "b": 4}}
    assert class_names(facts, 2) == ("a", "b")
    assert class_names(facts, 3) == ("0", "1", "2") and class_names({}, 1) == ("0",)


def test_rows_that_cannot_be_read_have_no_probabilities(monkeypatch: pytest.MonkeyPatch) -> None:
    given = torch.zeros(1, 2)
    found = torch.tensor([[0.25, 0.75]]).log()
    monkeypatch.setattr(classification, "class_log_prob", lambda trained, rows: found)
    run = SimpleNamespace(info={"data": "d"})
    trained: Any = SimpleNamespace(run=run, origin=lambda phase: {"run": phase})
    rows = Rows("line", [1, 2], ("a", "b"), given, [1])
    one = classification._classified(trained, rows, "f.txt", "mle", ["said"])
    assert np.isnan(one.probabilities[0]).all()
    assert one.probabilities[1] == pytest.approx([0.25, 0.75], rel=1e-6)
    signature = {key: value for key, value in one.signature.items() if key != "version"}
    assert signature == {"run": "mle", "classified": "f.txt", "data": "d"}
    assert (one.classes, one.notes, one.labels) == (("0", "1"), ("said",), None)


def test_sentences_are_told_by_a_model_of_text_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("_classified", "sentences"):
        monkeypatch.setattr(classification, name, lambda *args: args)
    monkeypatch.setattr(classification, "check_able", lambda name, run: None)
    settings = SimpleNamespace(model=SimpleNamespace(name="m"))
    run = SimpleNamespace(path=Path("r"), refusal=UserError)
    trained: Any = SimpleNamespace(settings=settings, run=run, vocabulary=None)
    with pytest.raises(UserError, match="by a model of text"):
        classify_lines(trained, ["a"])
    trained.vocabulary = {}
    assert classify_lines(trained, ["a"])[1][1] == ["a"]


def test_a_run_that_tells_no_classes_apart_is_refused_before_anything_is_read() -> None:
    settings = SimpleNamespace(model=SimpleNamespace(name="mle"))
    trained: Any = SimpleNamespace(settings=settings, run=SimpleNamespace(path=Path("r")))
    for rows in (None, Path("nowhere"), "a"):
        with pytest.raises(UserError, match="r is a run of model=mle, which tells no classes"):
            classification.classify(trained, rows)
