"""Of which class of its data a run takes sentences or pictures to be.

Legend: N sentences or pictures, K classes, T tokens, C channels, S pixels of a side.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from gantext import data, models
from gantext.errors import UserError
from gantext.inference.given import READERS, TESTS, Rows, sentences
from gantext.inference.scoring import DIGITS, GIVEN
from gantext.metrics import standard_error
from gantext.metrics.score import Setting, signed
from gantext.models.contract import Ability, Classifier
from gantext.runs.trained import Trained, began_on

ROWS = 500  # classified together
Floats = NDArray[np.float64]
Labels = NDArray[np.int64]


@dataclass(frozen=True)
class Classified:
    """N sentences or pictures and how likely each class is for each.

    Attributes:
        classes: the K names.
        place: what says where they stand: "line", "picture" or "file".
        places: where each stands: its line or its number, from 1, or its file below the folder.
        texts: the sentences; () for pictures.
        probabilities: (N, K); NaN for a sentence of a length that the run never reads.
        labels: (N,) of a test split, their own classes; None where these are not known.
        notes: what is to be said.
        signature: what decided it.
    """

    classes: tuple[str, ...]
    place: str
    places: Sequence[int | str]
    texts: Sequence[str]
    probabilities: Floats
    labels: Labels | None
    notes: tuple[str, ...]
    signature: dict[str, Setting]

    def records(self) -> list[dict[str, Any]]:
        """One for each: its place, class, probability, own class where it is known, and text."""
        found = []
        for i, (place, row) in enumerate(zip(self.places, self.probabilities, strict=True)):
            read = bool(np.isfinite(row).all())
            likeliest = int(row.argmax())
            record: dict[str, Any] = {
                self.place: place,
                "class": self.classes[likeliest] if read else None,
                "probability": float(row[likeliest]) if read else None,
            }
            if self.labels is not None:
                record["label"] = self.classes[self.labels[i]]
            found.append({**record, "text": self.texts[i]} if self.texts else record)
        return found

    def to_tsv(self) -> str:
        """A header and a row each; what is not known is an empty cell."""
        records = self.records()
        rows = [list(records[0]), *(map(_cell, record.values()) for record in records)]
        return "".join("\t".join(row) + "\n" for row in rows)

    def to_json(self) -> dict[str, Any]:
        """{"classes", "rows": records with "probabilities" by class, "test", "signature"}."""
        each = [dict(zip(self.classes, map(float, row), strict=True)) for row in self.probabilities]
        rows = [
            {**record, "probabilities": one}
            for record, one in zip(self.records(), each, strict=True)
        ]
        test = {} if self.labels is None else {"test": self.accuracy.to_json()}
        return {"classes": self.classes, **test, "rows": rows, "signature": self.signature}

    @property
    def accuracy(self) -> "Accuracy":
        """How many were told right; of a test split."""
        assert self.labels is not None
        return Accuracy.of(self.classes, self.labels, self.probabilities.argmax(1))


@dataclass(frozen=True)
class ClassCounts:
    """Of the test rows of one class: how many, how many told right, and what most others were
    taken for ("" where all were right)."""

    name: str
    count: int
    right: int
    mistaken: str


@dataclass(frozen=True)
class Accuracy:
    """How often a test split's classes are told right.

    Attributes:
        value: a share, and its standard error over the test rows.
        largest: the class that most test rows are of, and `majority` their share, which who always
            says that class has right.
    """

    value: float
    error: float | None
    largest: str
    majority: float
    by_class: tuple[ClassCounts, ...]

    @classmethod
    def of(cls, classes: Sequence[str], labels: Labels, told: Labels) -> "Accuracy":
        """Of the true classes (N,) and those told (N,)."""
        counts = np.zeros((len(classes), len(classes)), np.int64)  # true, told
        np.add.at(counts, (labels, told), 1)
        by_class = []
        for k, row in enumerate(counts):
            wrong = row.copy()
            wrong[k] = 0
            mistaken = classes[int(wrong.argmax())] if wrong.any() else ""
            by_class.append(ClassCounts(classes[k], int(row.sum()), int(row[k]), mistaken))
        largest = int(np.bincount(labels).argmax())
        right = labels == told
        majority = float(counts[largest].sum() / len(labels))
        error = standard_error.of_mean(right)
        return cls(float(right.mean()), error, classes[largest], majority, tuple(by_class))

    def to_json(self) -> dict[str, Any]:
        """All of it."""
        rows = [vars(one) for one in self.by_class]
        return {**vars(self), "by_class": rows}


def _cell(value: Any) -> str:
    if value is None:
        return ""
    return f"{value:.{DIGITS}g}" if isinstance(value, float) else re.sub(r"[\t\r]", " ", str(value))


def check_able(name: str, run: str) -> None:
    """Refuse a run, whose model is `name`, that tells no classes apart. Raises UserError."""
    if Ability.classify not in models.abilities(name):
        able = [one for one in models.available() if Ability.classify in models.abilities(one)]
        raise UserError(
            f"{run} is a run of model={name}, which tells no classes apart: "
            f"{', '.join(f'model={one}' for one in able)} can"
        )


def tells_classes(trained: Trained[Any, Any], row: Tensor) -> bool:
    """Whether a run tells classes apart: its model can, and it was trained to; tried on one row."""
    try:
        class_log_prob(trained, row)
    except UserError:
        return False
    return True


@torch.no_grad()
def class_log_prob(trained: Trained[Any, Any], rows: Tensor) -> Tensor:
    """log p(class | row), (N, K) on the CPU, of tokens (N, T) or pictures (N, C, S, S) in [-1, 1].

    Raises:
        UserError: the run tells no classes apart.
    """
    run, algorithm = trained.run.path.name, trained.algorithm
    check_able(trained.settings.model.name, run)
    assert isinstance(algorithm, Classifier)
    try:
        parts = (part.to(trained.device) for part in torch.split(rows, ROWS))
        return torch.cat([algorithm.class_log_prob(part).cpu() for part in parts])
    except UserError as error:
        raise UserError(f"{run} tells no classes apart: {error}") from error


def classify(
    trained: Trained[Any, Any], rows: str | Sequence[str] | Path | None, phase: str | None = None
) -> Classified:
    """The classes of sentences, of a file, or of the run's own test split where there are none.

    Raises UserError as each of these does.
    """
    if rows is None:
        return classify_test(trained, phase)
    if isinstance(rows, Path):
        return classify_file(trained, rows, phase)
    return classify_lines(trained, [rows] if isinstance(rows, str) else rows, phase)


def classify_file(trained: Trained[Any, Any], path: Path, phase: str | None = None) -> Classified:
    """The classes of sentences, one a line, or of the pictures of a file or a folder.

    Raises:
        UserError: the run tells no classes apart; the file cannot be read, or holds nothing.
    """
    check_able(trained.settings.model.name, trained.run.path.name)
    notes: list[str] = []
    rows = READERS[trained.run.kind](trained, path, notes)
    return _classified(trained, rows, path.name, phase, notes)


def classify_lines(
    trained: Trained[Any, Any], lines: Sequence[str], phase: str | None = None
) -> Classified:
    """The classes of sentences; blank ones are left out, and those too long have none.

    Raises:
        UserError: the run tells no classes apart; all lines are blank, or too long.
    """
    check_able(trained.settings.model.name, trained.run.path.name)
    if trained.vocabulary is None:
        raise trained.run.refusal("sentences are classified by a model of text")
    notes: list[str] = []
    return _classified(trained, sentences(trained, lines, GIVEN, notes), GIVEN, phase, notes)


def classify_test(trained: Trained[Any, Any], phase: str | None = None) -> Classified:
    """The classes of the run's own test split, beside its labels.

    Raises:
        UserError: the run tells no classes apart; its data is another now, or has no classes.
    """
    name = trained.settings.model.name
    check_able(name, trained.run.path.name)
    loaded = data.load_for(trained.settings.data, models.reads(name))
    if not began_on(trained.run, loaded):
        raise UserError(f"{trained.run.path.name} was trained on other data than is there now")
    if loaded.test.labels is None or not loaded.classes:
        raise UserError(f"data={loaded.name}: its test split has no classes")
    rows = TESTS[trained.run.kind](loaded)
    return _classified(trained, rows, "test split", phase, (), np.asarray(loaded.test.labels))


def class_names(facts: Mapping[str, Any], count: int) -> tuple[str, ...]:
    """The names of a run's K = `count` classes, by its run.json; numbers where that has none."""
    names = tuple(facts.get("class_counts", ()))
    return names if len(names) == count else tuple(map(str, range(count)))


def _classified(
    trained: Trained[Any, Any],
    rows: Rows,
    source: str,
    phase: str | None,
    notes: Sequence[str],
    labels: Labels | None = None,
) -> Classified:
    facts, log_prob = trained.run.info, class_log_prob(trained, rows.given)
    probabilities = np.full((len(rows.places), log_prob.shape[1]), np.nan)
    probabilities[rows.read] = log_prob.double().exp().numpy()
    names = class_names(facts, probabilities.shape[1])
    sign = signed(**trained.origin(phase), classified=source, data=facts.get("data"))
    where = rows.place, rows.places, rows.texts
    return Classified(names, *where, probabilities, labels, tuple(notes), sign)
