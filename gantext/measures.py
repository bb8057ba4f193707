"""The scores that `gantext eval` knows, by name: what decides each, and how it is computed."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

import gantext
from gantext import model_measures
from gantext.errors import UserError
from gantext.evaluate import truth_scores
from gantext.metrics.score import Score, Setting
from gantext.nn.algorithm import Reads
from gantext.settings import Device
from gantext.subjects import REAL, Ground, Subject

if TYPE_CHECKING:
    from gantext.metrics.frechet_scores import FrechetReference


@dataclass(frozen=True)
class Protocol:
    """What a user may choose about the scores.

    Attributes:
        preset: the BLEU protocol.
        seed: of shuffles, of the embeddings' sample and of the small language models.
        encoder: the sentence encoder of the Frechet distance; None is the default one.
        device: where networks compute.
        draws: importance samples of a sentence (k).
        sentences: test sentences whose latent vectors are looked at.
        probes: test sentences that are imputed, or pairs of them that are interpolated.
    """

    preset: str
    seed: int
    encoder: str | None
    device: Device
    draws: int
    sentences: int
    probes: int


@dataclass(frozen=True)
class Measure:
    """One kind of score.

    Attributes:
        name: its name, and that of its stored files.
        compute: (subject, ground, protocol) -> scores; none where it does not apply.
        settings: the fields of the protocol that decide it.
        doing: what to tell a user who waits; None when it is quick.
        of_model: it depends on the model alone, not on the samples.
        applies: whether a subject may have it at all.
        pictures: it scores pictures, the others text.
    """

    name: str
    compute: Callable[[Subject, Ground, Protocol], list[Score]]
    settings: tuple[str, ...]
    doing: str | None = None
    of_model: bool = False
    applies: Callable[[Subject], bool] = lambda subject: True
    pictures: bool = False

    def fits(self, subject: Subject) -> bool:
        """Whether a subject has it: pictures or text, and what `applies` says."""
        of_pictures = subject.model is not None and subject.model.reads is not Reads.text
        return self.pictures == of_pictures and self.applies(subject)


def _bleu(subject: Subject, ground: Ground, protocol: Protocol) -> list[Score]:
    from gantext.metrics.corpus_bleu import corpus_bleu_score
    from gantext.metrics.presets import bleu_scores

    lines, references = subject.lines, ground.references
    return [
        *bleu_scores(lines, references, protocol.preset, seed=protocol.seed, data_hash=ground.hash),
        corpus_bleu_score(lines, references, data_hash=ground.hash),
    ]


def _self_bleu(subject: Subject, ground: Ground, protocol: Protocol) -> list[Score]:
    from gantext.metrics.presets import self_bleu_scores

    return self_bleu_scores(
        subject.lines, protocol.preset, seed=protocol.seed, data_hash=ground.hash
    )


def _diversity(subject: Subject, ground: Ground, protocol: Protocol) -> list[Score]:
    from gantext.metrics.diversity_scores import diversity_scores

    # Of the training text itself everything is copied: that says nothing.
    training = () if subject.name == REAL else ground.training
    return diversity_scores(subject.lines, ground.references, training, data_hash=ground.hash)


def _truth(subject: Subject, ground: Ground, protocol: Protocol) -> list[Score]:
    if ground.corpus is None or ground.corpus.truth is None:
        return []
    return truth_scores(subject.words(ground.corpus), ground.corpus, {})


def _lengths(subject: Subject, ground: Ground, protocol: Protocol) -> list[Score]:
    from gantext.metrics.by_length import bleu_by_length, by_length

    scores = bleu_by_length(
        subject.lines,
        ground.references,
        protocol.preset,
        seed=protocol.seed,
        data_hash=ground.hash,
    )
    if ground.corpus is None or ground.corpus.truth is None:
        return scores
    words = subject.words(ground.corpus)
    possible = np.isfinite(np.asarray(ground.corpus.truth.log_prob(words)))
    sizes = np.array([len(sentence) for sentence in words])
    sign: dict[str, Setting] = {"data": ground.hash, "version": gantext.__version__}
    return [*scores, *by_length("grammatical", possible.astype(np.float64), sizes, sign)]


def _lm(subject: Subject, ground: Ground, protocol: Protocol) -> list[Score]:
    from gantext.assemble import best_device
    from gantext.metrics.lm_score import lm_scores, real_lm_scores

    if ground.corpus is None:
        raise UserError("eval lm needs training text: give data=NAME instead of --references")
    device = best_device(protocol.device)
    if subject.name == REAL:
        size = subject.size
        return real_lm_scores(ground.corpus, sentences=size, seed=protocol.seed, device=device)
    return lm_scores(subject.lines, ground.corpus, seed=protocol.seed, device=device)


def _frechet(subject: Subject, ground: Ground, protocol: Protocol) -> list[Score]:
    if subject.name == REAL:  # its floor stands with the samples' distance
        return []
    if not ground.training:
        raise UserError("eval frechet needs training text: give data=NAME instead of --references")
    return _frechet_reference(ground, protocol).scores(subject.lines)


def _pictures(subject: Subject, ground: Ground, protocol: Protocol) -> list[Score]:
    from gantext.picture_work import scores_of

    model, gallery = subject.model, ground.gallery
    if model is None or gallery is None:
        return []
    painter = model.painter
    size, seed = subject.size, protocol.seed
    return scores_of(painter.algorithm, gallery, painter.device, samples=size, seed=seed)


# The embeddings of the real text last used: encoding it takes longer than all else.
_references: dict[tuple[str, str | None, int], "FrechetReference"] = {}


def _frechet_reference(ground: Ground, protocol: Protocol) -> "FrechetReference":
    from gantext.assemble import best_device
    from gantext.metrics.encoders import load_encoder
    from gantext.metrics.frechet_scores import FrechetReference

    key = (ground.hash, protocol.encoder, protocol.seed)
    if key not in _references:
        _references.clear()
        encoder = load_encoder(protocol.encoder, str(best_device(protocol.device)))
        _references[key] = FrechetReference(
            ground.references, ground.training, encoder, seed=protocol.seed, data_hash=ground.hash
        )
    return _references[key]


_ALL = (
    Measure("bleu", _bleu, ("preset", "seed")),
    Measure("self-bleu", _self_bleu, ("preset", "seed")),
    Measure("diversity", _diversity, ()),
    Measure("likelihood", model_measures.likelihood, (), of_model=True),
    Measure(
        "latent",
        model_measures.latent,
        ("draws", "sentences", "seed"),
        doing="weighing draws of latent vectors",
        of_model=True,
        applies=model_measures.has_latent,
    ),
    Measure(
        "interpolation",
        model_measures.interpolation,
        ("probes", "seed"),
        doing="decoding midpoints",
        of_model=True,
        applies=model_measures.has_latent,
    ),
    Measure(
        "imputation",
        model_measures.imputation,
        ("probes", "seed"),
        doing="filling blanks of test sentences",
        of_model=True,
        applies=lambda subject: subject.model is not None,
    ),
    Measure("truth", _truth, ()),
    Measure("lengths", _lengths, ("preset", "seed")),
    Measure("lm", _lm, ("seed",), doing="training small language models"),
    Measure("frechet", _frechet, ("seed", "encoder"), doing="encoding sentences"),
    Measure("pictures", _pictures, ("seed",), doing="drawing and judging pictures", pictures=True),
)
MEASURES: Mapping[str, Measure] = {measure.name: measure for measure in _ALL}
