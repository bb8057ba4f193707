"""Sentences of a file through a VAE: encoded to the posterior's mean, and decoded again."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from gantext.data.flat import Tokens
from gantext.data.lines import read_lines
from gantext.data.vocabulary import UNK
from gantext.errors import UserError
from gantext.inference.latent import Decoding, decode_latent, latent_of, posterior_means
from gantext.inference.scoring import GIVEN, Line, tokenised
from gantext.metrics.score import Setting, signed
from gantext.metrics.text.reconstruction import (
    exact_share,
    paired_bleu,
    word_edits,
    word_error_rate,
)
from gantext.runs.trained import TrainedText


@dataclass(frozen=True)
class Reconstruction:
    """A sentence and what came back of it; None for a sentence that is too long.

    Attributes:
        line: its number in the file, from 1.
        words: its length, without <eos>.
        unknown: words that the run's vocabulary lacks, read as <unk>.
        edits: words inserted, deleted or substituted (Levenshtein).
        text: the sentence as it stands in the file.
        reconstruction: what the decoder wrote.
    """

    line: int
    words: int
    unknown: int
    edits: int | None
    text: str
    reconstruction: str | None


@dataclass(frozen=True)
class Reconstructions:
    """All sentences in the order of the file; the summary; what to tell the user."""

    lines: list[Reconstruction]
    summary: dict[str, float]
    notes: list[str]
    signature: dict[str, Setting]

    def to_json(self) -> dict[str, Any]:
        """{"sentences": [...], "summary": {...}, "signature": {...}}."""
        sentences = [asdict(line) for line in self.lines]
        return {"sentences": sentences, "summary": self.summary, "signature": self.signature}

    def to_tsv(self) -> str:
        """A header and one row a sentence; what is not there is an empty cell."""
        records = [asdict(line) for line in self.lines]
        rows = ["\t".join(records[0]), *("\t".join(map(_cell, r.values())) for r in records)]
        return "".join(f"{row}\n" for row in rows)


def _cell(value: Any) -> str:
    return "" if value is None else str(value).replace("\t", " ").replace("\r", " ")


def reconstruct_file(
    trained: TrainedText, path: Path, decoding: Decoding, phase: str | None = None
) -> Reconstructions:
    """Encode and decode each sentence of a file, one a line, as `reconstruct_lines` does.

    Raises:
        UserError: the model has no latent variable; the file is missing, empty, not UTF-8 or all
            blank, or has no sentence that is short enough.
    """
    latent_of(trained, "reconstruct")
    notes: list[str] = []
    return reconstruct_lines(
        trained, read_lines(path, notes, pipes=True), decoding, path, phase, notes
    )


def reconstruct_lines(
    trained: TrainedText,
    texts: Sequence[str],
    decoding: Decoding,
    path: Path | None = None,
    phase: str | None = None,
    notes: Sequence[str] = (),
) -> Reconstructions:
    """Encode each sentence to its posterior's mean and decode it.

    `path` is their file, and `notes` what was said of it. Sentences of a length that the run does
    not take keep their place without a reconstruction.

    Raises:
        UserError: the model has no latent variable; all sentences are blank or of such a length.
    """
    latent_of(trained, "reconstruct")
    said, where = [*notes], path or GIVEN
    lines = tokenised(trained.vocabulary, texts)
    if not lines:
        raise UserError(f"{where}: every line is blank")
    width = trained.run.info["max_length"]
    fitting = [line for line in lines if trained.vocabulary.takes(len(line.words), width)]
    if len(fitting) < len(lines):
        limit = f"skipped: the run takes {trained.vocabulary.limit(width)}"
        said.append(f"{where}: {len(lines) - len(fitting)} of {len(lines)} are {limit}")
    if not fitting:
        raise UserError(f"{where}: no sentence is of a length that the run takes: {said[-1]}")
    rows = _decoded(trained, fitting, decoding)
    by_number = {line.number: row for line, row in zip(fitting, rows, strict=True)}
    found = [_reconstruction(line, by_number.get(line.number), trained) for line in lines]
    _note_unknown(found, where, said)
    return Reconstructions(
        found,
        _summary(trained, found, fitting, rows),
        said,
        _signature(trained, path, decoding, phase),
    )


def _decoded(trained: TrainedText, lines: Sequence[Line], decoding: Decoding) -> list[list[int]]:
    tokens = Tokens.of(trained.vocabulary.encode(line.words) for line in lines)
    z = posterior_means(latent_of(trained, "reconstruct"), tokens, trained.device)
    return decode_latent(trained, z, decoding).tolist()


def _reconstruction(line: Line, row: list[int] | None, trained: TrainedText) -> Reconstruction:
    vocabulary = trained.vocabulary
    unknown = vocabulary.encode(line.words).count(UNK)
    edits = None if row is None else word_edits(vocabulary.decode(row), line.words)
    written = None if row is None else vocabulary.text(row)
    return Reconstruction(line.number, len(line.words), unknown, edits, line.text, written)


def _summary(
    trained: TrainedText,
    found: Sequence[Reconstruction],
    lines: Sequence[Line],
    rows: Sequence[Sequence[int]],
) -> dict[str, float]:
    originals = [line.words for line in lines]
    edits = [one.edits for one in found if one.edits is not None]
    return {
        "exact": exact_share(edits),
        "word_error_rate": word_error_rate(edits, originals),
        "bleu-4": paired_bleu([trained.vocabulary.decode(row) for row in rows], originals),
    }


def _note_unknown(found: Sequence[Reconstruction], where: Path | str, notes: list[str]) -> None:
    words, unknown = sum(one.words for one in found), sum(one.unknown for one in found)
    if unknown:
        share = f"{unknown} of {words} words ({unknown / words:.1%})"
        notes.append(f"{where}: {share} are not in the run's vocabulary: read as <unk>")


def _signature(
    trained: TrainedText, path: Path | None, decoding: Decoding, phase: str | None
) -> dict[str, Setting]:
    return signed(
        **trained.origin(phase),
        file=path.name if path else None,
        z="posterior mean",
        **decoding.signature(),
        data=trained.run.info.get("data"),
    )
