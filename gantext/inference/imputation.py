"""Sentences with blanks, filled by beam search with a run's model.

Shapes: F forms of a sentence (its blanks with so many words each), K hypotheses, T tokens.
"""

import itertools
import math
import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from gantext.data.tokenizers import detokenize
from gantext.data.vocabulary import UNK
from gantext.errors import UserError
from gantext.inference.beam import FREE, Hypotheses, beam_rows, beam_search
from gantext.inference.likelihood import estimate_signature
from gantext.inference.sentences import batch_of, grammar_of, note_unknown
from gantext.metrics.score import Setting, signed
from gantext.models.contract import Algorithm, Latent, Writer
from gantext.nn.rng import generator
from gantext.nn.text.sampling import Policy
from gantext.runs.trained import TrainedText

BLANK = re.compile("_{3,}")
MOST_FORMS = 100


@dataclass(frozen=True)
class Search:
    """What a user may choose: n best, beam width, rounds of re-inference, words of a blank."""

    n: int = 5
    beam: int = 5
    rounds: int = 3
    max_words: int = 1


@dataclass(frozen=True)
class Completion:
    """A filled sentence.

    Attributes:
        text: the whole sentence.
        words: those of each blank.
        log_prob: log p(sentence) in nats (of a latent variable model the importance-weighted
            estimate), <eos> counted.
        grammatical: whether the known grammar has it; None where none is known.
    """

    text: str
    words: list[list[str]]
    log_prob: float
    grammatical: bool | None


@dataclass(frozen=True)
class Completions:
    """The best, by log-likelihood; what to tell the user; the settings."""

    best: list[Completion]
    notes: list[str]
    signature: dict[str, Setting]

    def to_json(self) -> dict[str, Any]:
        """{"completions": [...], "signature": {...}}."""
        completions = [asdict(one) for one in self.best]
        return {"completions": completions, "signature": self.signature}


def can_impute(trained: TrainedText, command: str) -> None:
    """Refuse a model that does not write word by word. Raises UserError."""
    if not isinstance(trained.algorithm, (Latent, Writer)):
        name = trained.settings.model.name
        raise UserError(f"{trained.run.path.name}: {command} needs a model of text, not {name}")


def impute(
    trained: TrainedText, text: str, search: Search, phase: str | None = None
) -> Completions:
    """Fill the blanks (___) of a sentence, each with 1 to `max_words` words.

    Every way to give the blanks their numbers of words is searched; all results are ranked
    together by the log-likelihood of the whole sentence.

    Raises:
        UserError: no blank; too long with a word in each blank; too many forms to search.
    """
    can_impute(trained, "impute")
    notes: list[str] = []
    pieces = _pieces(trained, text, notes)
    forms = _forms(trained, text, pieces, search)
    ids = [_template(trained, pieces, form) for form in forms]
    templates = batch_of(ids, trained.device)
    width = max(search.beam, search.n)
    words = len(trained.vocabulary)
    found = fill(trained.algorithm, templates, width, search.rounds, words)
    origin = [form for form in forms for _ in range(found.tokens.shape[1])]
    unique = _distinct(found.tokens.flatten(0, 1), found.log_prob.flatten())
    tokens = found.tokens.flatten(0, 1)[unique]
    scores = trained.algorithm.log_prob(tokens)
    order = scores.argsort(descending=True)[: search.n].tolist()
    best = [
        _completion(trained, pieces, origin[unique[i]], tokens[i].tolist(), float(scores[i]))
        for i in order
    ]
    return Completions(best, notes, _signature(trained, search, phase))


def _pieces(trained: TrainedText, text: str, notes: list[str]) -> list[list[str]]:
    """The words before, between and after the blanks; unknown ones are noted."""
    parts = BLANK.split(text)
    if len(parts) < 2:
        raise UserError(f"{text!r} has no blank: write ___ where words are missing")
    pieces = [trained.vocabulary.tokenize(part) for part in parts]
    note_unknown([word for p in pieces for word in p if word not in trained.vocabulary], notes)
    return pieces


def _forms(
    trained: TrainedText, text: str, pieces: Sequence[Sequence[str]], search: Search
) -> list[tuple[int, ...]]:
    """The numbers of words that the blanks may have, those that are too long left out."""
    blanks, given = len(pieces) - 1, sum(map(len, pieces))
    count = search.max_words**blanks
    if count > MOST_FORMS:
        raise UserError(
            f"{blanks} blanks of up to {search.max_words} words are {count} forms of the sentence: "
            f"at most {MOST_FORMS} are searched, so lower --max-words"
        )
    vocabulary, width = trained.vocabulary, trained.run.info["max_length"]
    every = itertools.product(range(1, search.max_words + 1), repeat=blanks)
    forms = [form for form in every if vocabulary.takes(given + sum(form), width)]
    if not forms:
        words = f"{given + blanks} to {given + blanks * search.max_words} words"
        raise UserError(f"{text!r} has {words}: the run takes {vocabulary.limit(width)}")
    return forms


def _template(
    trained: TrainedText, pieces: Sequence[Sequence[str]], form: Sequence[int]
) -> list[int]:
    vocabulary = trained.vocabulary
    ids = [vocabulary.ids(piece) for piece in pieces]
    blanks = [[FREE] * size for size in form]
    rest = itertools.chain(*(b + i for b, i in zip(blanks, ids[1:], strict=True)))
    return [*ids[0], *rest, *vocabulary.end]


def _distinct(tokens: Tensor, log_prob: Tensor) -> list[int]:
    """The first row of each sentence that is possible."""
    first: dict[tuple[int, ...], int] = {}
    for place, (row, nats) in enumerate(zip(tokens.tolist(), log_prob.tolist(), strict=True)):
        if nats > -math.inf:
            first.setdefault(tuple(row), place)
    return list(first.values())


def _completion(
    trained: TrainedText,
    pieces: Sequence[Sequence[str]],
    form: Sequence[int],
    row: Sequence[int],
    log_prob: float,
) -> Completion:
    """The sentence with its given words as they were written, known or not."""
    words, filled = list(pieces[0]), []
    for size, piece in zip(form, pieces[1:], strict=True):
        filled.append([trained.vocabulary.words[i] for i in row[len(words) : len(words) + size]])
        words += [*filled[-1], *piece]
    truth = grammar_of(trained)
    possible = None if truth is None else bool(np.isfinite(truth.log_prob([words])[0]))
    text = detokenize(words, trained.vocabulary.tokenizer)
    return Completion(text, filled, log_prob, possible)


def _signature(trained: TrainedText, search: Search, phase: str | None) -> dict[str, Setting]:
    return signed(
        **trained.origin(phase),
        **search_signature(trained, search),
        max_words=search.max_words,
        **estimate_signature(trained.algorithm),
        data=trained.run.info.get("data"),
    )


def search_signature(trained: TrainedText, search: Search) -> dict[str, Setting]:
    """How a model searches: only a latent variable has rounds, and starts from <unk>."""
    latent = isinstance(trained.algorithm, Latent)
    more: dict[str, Setting] = {"rounds": search.rounds, "z": "posterior mean, first of <unk>"}
    return {"beam": max(search.beam, search.n), **(more if latent else {})}


# Blanks of sentences filled by beam search: by a latent variable's decoder, or what writes.
#
# Shapes: N templates, K hypotheses of each, T steps, Z latent.
def fill(
    algorithm: Algorithm, templates: Tensor, width: int, rounds: int, words: int
) -> Hypotheses:
    """The best fillings of each template, (N, T) ids with FREE at the blanks, <eos> and <pad>.

    With a latent variable, z is first the posterior's mean of the sentence with <unk> at its
    blanks; each of `rounds` beam searches given z is followed by the z of its best sentence
    (Bowman et al. 2016, section 4.1). Other models search once. The given words are forced, so a
    filling is ranked by the whole sentence.

    Args:
        algorithm: a Latent or a Writer.
        templates: on the algorithm's device.
        width: hypotheses of the beam.
        rounds: of a latent variable's alternation, at least 1.
        words: V.

    Raises:
        ValueError: the model can do neither.
    """
    parts = torch.split(templates, beam_rows(words, width, templates.device))
    if isinstance(algorithm, Latent):
        found = [_alternate(algorithm, part, width, rounds) for part in parts]
    elif isinstance(algorithm, Writer):
        rng = generator(0, "imputation", templates.device)
        writers = (algorithm.writer(len(part), rng) for part in parts)
        found = [_search(*pair, width) for pair in zip(writers, parts, strict=True)]
    else:
        raise ValueError("neither a latent variable nor a model that writes word by word")
    return Hypotheses(
        torch.cat([one.tokens for one in found]), torch.cat([one.log_prob for one in found])
    )


def _alternate(algorithm: Latent, templates: Tensor, width: int, rounds: int) -> Hypotheses:
    best = templates.where(templates != FREE, UNK)
    for _ in range(rounds):
        z, _ = algorithm.encode(best)
        found = _search(algorithm.policy(z), templates, width)
        best = found.tokens[:, 0]
    return found


def _search(policy: Policy, templates: Tensor, width: int) -> Hypotheses:
    rows, length = templates.shape
    return beam_search(policy, rows, length, width, template=templates)
