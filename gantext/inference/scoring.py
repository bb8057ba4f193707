"""Sentences of a file as a run sees them: how likely, and how real to its discriminator."""

import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from gantext.data.corpus import Split
from gantext.data.flat import Tokens
from gantext.data.lines import read_lines
from gantext.data.vocabulary import UNK, Vocabulary
from gantext.errors import UserError
from gantext.inference.likelihood import estimate_signature, split_log_prob
from gantext.metrics.score import Setting, signed
from gantext.models.contract import Judge
from gantext.runs.trained import TrainedText

DIGITS = 6
GIVEN = "the sentences"  # that come from no file


@dataclass(frozen=True)
class Line:
    """One sentence of the file: `number` counts all lines from 1, blank ones too."""

    number: int
    text: str
    words: list[str]


@dataclass(frozen=True)
class Scored:
    """A sentence and its scores; those of a sentence that is too long are None.

    Attributes:
        line: its number in the file, from 1.
        tokens: its length, <eos> counted.
        unknown: words that the run's vocabulary lacks, read as <unk>.
        log_prob: the generator's log-likelihood, nats per sentence.
        log_prob_per_token: the same divided by `tokens`.
        probabilities: the discriminator's, by name; `real` is that of being a real sentence.
        text: the sentence as it stands in the file.
    """

    line: int
    tokens: int
    unknown: int
    log_prob: float | None
    log_prob_per_token: float | None
    probabilities: dict[str, float | None]
    text: str

    def to_json(self) -> dict[str, Any]:
        """A flat record; `probabilities` stand beside the other scores."""
        record = asdict(self)
        text, probabilities = record.pop("text"), record.pop("probabilities")
        return {**record, **probabilities, "text": text}


@dataclass(frozen=True)
class Scores:
    """All sentences in the order of the file, what to tell the user, and the signature."""

    lines: list[Scored]
    notes: list[str]
    signature: dict[str, Setting]

    def to_json(self) -> dict[str, Any]:
        """{"sentences": [...], "signature": {...}}."""
        return {"sentences": [line.to_json() for line in self.lines], "signature": self.signature}

    def to_tsv(self) -> str:
        """A header and one row a sentence; a score that is not there is an empty cell."""
        records = [line.to_json() for line in self.lines]
        rows = ["\t".join(records[0]), *("\t".join(map(_cell, r.values())) for r in records)]
        return "".join(f"{row}\n" for row in rows)


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, float):
        return f"{value:.{DIGITS}g}"
    return re.sub(r"[\t\r]", " ", str(value))


def score_file(trained: TrainedText, path: Path, phase: str | None = None) -> Scores:
    """Score each sentence of a file, one a line, as `score_lines` does.

    Raises:
        UserError: the file is missing, empty, not UTF-8 or all blank.
    """
    notes: list[str] = []
    return score_lines(trained, read_lines(path, notes, pipes=True), path, phase, notes)


def score_lines(
    trained: TrainedText,
    texts: Sequence[str],
    path: Path | None = None,
    phase: str | None = None,
    notes: Sequence[str] = (),
) -> Scores:
    """Score sentences with a restored run; `path` is their file, and `notes` what was said of it.

    Sentences longer than the run's longest (which it never writes, and its discriminator has
    never seen), or not of the one length that all have, keep their place without scores.

    Raises:
        UserError: all are blank.
    """
    lines, where = tokenised(trained.vocabulary, texts), path or GIVEN
    if not lines:
        raise UserError(f"{where}: every line is blank")
    width = trained.run.info["max_length"]
    fitting = [line for line in lines if trained.vocabulary.takes(len(line.words), width)]
    tokens = Tokens.of(trained.vocabulary.encode(line.words) for line in fitting)
    split = Split(tokens, [line.text for line in fitting])
    found = _scores_of(trained, split, width) if fitting else {}
    by_number = {line.number: {k: v[i] for k, v in found.items()} for i, line in enumerate(fitting)}
    names = [name for name in found if name != "log_prob"]
    scored = [_scored(line, by_number.get(line.number), names, trained) for line in lines]
    said = [*notes, *_notes(scored, trained.vocabulary, width, where)]
    if isinstance(trained.algorithm, Judge) and fitting and not names:
        said.append(f"step {trained.step}: the discriminator is not trained yet, no probability")
    return Scores(scored, said, _signature(trained, path, phase))


def tokenised(vocabulary: Vocabulary, lines: Sequence[str]) -> list[Line]:
    """The lines that are not blank, cut into words as the run's corpus was."""
    found = ((i, line.strip()) for i, line in enumerate(lines, 1))
    return [Line(i, text, vocabulary.tokenize(text)) for i, text in found if text]


def _scores_of(trained: TrainedText, split: Split, width: int) -> dict[str, list[float]]:
    """log_prob, and the discriminator's probabilities where there is one; a number a row each."""
    algorithm, device = trained.algorithm, trained.device
    found = {"log_prob": split_log_prob(algorithm, split, device).tolist()}
    if isinstance(algorithm, Judge):
        judged = algorithm.score(split.tokens.padded(width).to(device))
        found |= {name: values.tolist() for name, values in judged.items()}
    return found


def _scored(
    line: Line, scores: dict[str, float] | None, names: Sequence[str], trained: TrainedText
) -> Scored:
    ids = trained.vocabulary.encode(line.words)
    log_prob = None if scores is None else scores["log_prob"]
    return Scored(
        line.number,
        len(ids),
        ids.count(UNK),
        log_prob,
        None if log_prob is None else log_prob / len(ids),
        {name: None if scores is None else scores[name] for name in names},
        line.text,
    )


def _notes(
    scored: Sequence[Scored], vocabulary: Vocabulary, width: int, where: Path | str
) -> list[str]:
    """What was counted: unknown words, and sentences that are too long."""
    notes = []
    ends = len(vocabulary.end) * len(scored)
    words, unknown = sum(s.tokens for s in scored) - ends, sum(s.unknown for s in scored)
    if unknown:
        share = f"{unknown} of {words} tokens ({unknown / words:.1%})"
        notes.append(f"{where}: {share} are not in the run's vocabulary: read as <unk>")
    long = sum(s.log_prob is None for s in scored)
    if long:
        limit = f"not scored: the run takes {vocabulary.limit(width)}"
        notes.append(f"{where}: {long} of {len(scored)} sentences are {limit}")
    return notes


def _signature(trained: TrainedText, path: Path | None, phase: str | None) -> dict[str, Setting]:
    return signed(
        **trained.origin(phase),
        file=path.name if path else None,
        unit="nats",
        eos=bool(trained.vocabulary.end),
        **estimate_signature(trained.algorithm),
        data=trained.run.info.get("data"),
    )
