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
from gantext.data import mnist
from gantext.data.corpus import Corpus
from gantext.data.flat import Tokens
from gantext.data.gallery import to_unit
from gantext.data.lines import read_lines
from gantext.data.pictures.colour import Colour
from gantext.data.pictures.folder import SUFFIXES, list_pictures
from gantext.data.pictures.squares import read_squares
from gantext.errors import UserError
from gantext.files import attempt
from gantext.inference.scoring import DIGITS, tokenised
from gantext.metrics import standard_error
from gantext.metrics.score import Setting, signed
from gantext.models.contract import Ability, Classifier
from gantext.runs.kinds import PICTURES
from gantext.runs.trained import Trained

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
            likeliest = int(row.argmax()) if read else 0
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
        largest = int(counts.sum(1).argmax())
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
    if trained.run.kind is PICTURES:
        place, places, rows = _pictures(trained.run.info, path, notes)
        probabilities = class_log_prob(trained, rows).double().exp().numpy()
        return _classified(trained, place, places, (), probabilities, None, notes, phase, path.name)
    return classify_lines(trained, read_lines(path, notes, pipes=True), phase, path.name, notes)


def classify_lines(
    trained: Trained[Any, Any],
    lines: Sequence[str],
    phase: str | None = None,
    source: str = "the sentences",
    notes: Sequence[str] = (),
) -> Classified:
    """The classes of sentences; blank ones are left out, and those too long have none.

    Raises:
        UserError: the run tells no classes apart; all lines are blank, or too long.
    """
    check_able(trained.settings.model.name, trained.run.path.name)
    words, width = trained.vocabulary, trained.run.info["max_length"]
    if trained.run.kind is PICTURES:
        raise trained.run.refusal("sentences are classified by a model of text")
    found = tokenised(words, lines)
    if not found:
        raise UserError(f"{source}: every line is blank")
    read = [i for i, line in enumerate(found) if words.takes(len(line.words), width)]
    if not read:
        raise UserError(f"{source}: no sentence is one that the run takes: {words.limit(width)}")
    tokens = Tokens.of(words.encode(found[i].words) for i in read).padded(width)
    log_prob = class_log_prob(trained, tokens)
    probabilities = np.full((len(found), log_prob.shape[1]), np.nan)
    probabilities[read] = log_prob.double().exp().numpy()
    long = len(found) - len(read)
    limit = f"without a class: the run takes {words.limit(width)}"
    said = [*notes, *([f"{source}: {long} of {len(found)} sentences are {limit}"] if long else [])]
    numbers, texts = [line.number for line in found], [line.text for line in found]
    return _classified(trained, "line", numbers, texts, probabilities, None, said, phase, source)


def classify_test(trained: Trained[Any, Any], phase: str | None = None) -> Classified:
    """The classes of the run's own test split, beside its labels.

    Raises:
        UserError: the run tells no classes apart; its data is another now, or has no classes.
    """
    name = trained.settings.model.name
    check_able(name, trained.run.path.name)
    loaded = data.load_for(trained.settings.data, models.reads(name))
    if trained.run.info.get("data") != loaded.hash:
        raise UserError(f"{trained.run.path.name} was trained on other data than is there now")
    test = loaded.test
    if test.labels is None or not loaded.classes:
        raise UserError(f"data={loaded.name}: its test split has no classes")
    of_text = isinstance(loaded, Corpus)
    rows = test.tokens.padded(loaded.max_length) if of_text else to_unit(test.pictures)
    probabilities = class_log_prob(trained, rows).double().exp().numpy()
    labels, places = np.asarray(test.labels), range(1, len(test) + 1)
    texts = test.text if of_text else ()
    place, source = "line" if of_text else "picture", "test split"
    return _classified(trained, place, places, texts, probabilities, labels, (), phase, source)


def class_names(facts: Mapping[str, Any], count: int) -> tuple[str, ...]:
    """The names of a run's K = `count` classes, by its run.json; numbers where that has none."""
    names = tuple(facts.get("class_counts", ()))
    return names if len(names) == count else tuple(map(str, range(count)))


def _classified(
    trained: Trained[Any, Any],
    place: str,
    places: Sequence[int | str],
    texts: Sequence[str],
    probabilities: Floats,
    labels: Labels | None,
    notes: Sequence[str],
    phase: str | None,
    source: str,
) -> Classified:
    facts = trained.run.info
    names = class_names(facts, probabilities.shape[1])
    sign = signed(**trained.origin(phase), classified=source, data=facts.get("data"))
    return Classified(names, place, places, texts, probabilities, labels, tuple(notes), sign)


def _pictures(
    facts: Mapping[str, Any], path: Path, notes: list[str]
) -> tuple[str, Sequence[int | str], Tensor]:
    """What says where pictures stand, where each does, and the pictures (N, C, S, S) in [-1, 1].

    Of a PNG or JPEG file, of a folder of some, or of an IDX file as MNIST's. They are cut to the
    square in their middle and scaled to the run's size, IDX files have it.
    """
    size, colour = facts["size"], Colour.grey if facts["channels"] == 1 else Colour.rgb
    if path.is_dir() or path.suffix.lower() in SUFFIXES:
        if path.is_dir():
            listing = list_pictures(path, notes)
            names, files = listing.names, listing.files
        else:
            names, files = (path.name,), (path,)
        return "file", names, to_unit(torch.from_numpy(read_squares(files, size, colour, notes)))
    with attempt(f"read {path}"):
        path.stat()
    pictures = mnist.read(path, dimensions=3)  # (N, H, W)
    if pictures.shape[1:] != (size, size) or facts["channels"] != 1:
        sides = " x ".join(map(str, pictures.shape[1:]))
        grey = "grey" if facts["channels"] == 1 else "colour"
        raise UserError(
            f"{path}: grey pictures of {sides}, and the run takes {grey} ones of {size} x {size}"
        )
    rows = to_unit(torch.tensor(pictures)).unsqueeze(1)
    return "picture", range(1, len(rows) + 1), rows
