"""Scores of a model or of a file of sentences, each with its signature."""

from collections.abc import Sequence

import torch

import gantext
from gantext.config.settings import Settings
from gantext.data.corpus import Corpus
from gantext.evaluation.measures.likelihood import likelihood_scores
from gantext.evaluation.measures.truth import truth_scores
from gantext.inference.sampling import sample_texts
from gantext.metrics.score import Score, Setting
from gantext.metrics.text.bleu_scores import bleu_scores, self_bleu_scores
from gantext.metrics.text.corpus_bleu import corpus_bleu_score
from gantext.metrics.text.diversity import unique_share
from gantext.models.contract import Algorithm
from gantext.nn.rng import generator
from gantext.nn.text.sampling import SamplingOptions


def text_scores(
    lines: Sequence[str], corpus: Corpus, preset: str, seed: int, origin: dict[str, Setting]
) -> list[Score]:
    """BLEU, Self-BLEU, corpus BLEU and unique share of sentences against the test split."""
    references = corpus.test.text
    scores = [
        *bleu_scores(lines, references, preset, seed=seed, data_hash=corpus.hash),
        *self_bleu_scores(lines, preset, seed=seed, data_hash=corpus.hash),
        corpus_bleu_score(lines, references, data_hash=corpus.hash),
    ]
    scores = [Score(s.name, s.value, {**s.signature, **origin}) for s in scores]
    sign: dict[str, Setting] = {"sentences": len(lines), **origin, "version": gantext.__version__}
    return [*scores, Score("unique", unique_share(lines), sign)]


def evaluate_phase(
    algorithm: Algorithm, corpus: Corpus, settings: Settings, phase: str, device: torch.device
) -> tuple[list[str], list[Score]]:
    """Sample a model and score it as `eval` in its settings says: (samples, scores)."""
    chosen = settings.eval
    rng = generator(chosen.seed, "eval", device)
    options = SamplingOptions(chosen.temperature)
    lines, tokens = sample_texts(
        algorithm, corpus.vocabulary, chosen.samples, rng, options, chosen.batch_size
    )
    origin: dict[str, Setting] = {
        "phase": phase,
        "temperature": chosen.temperature,
        "sample_seed": chosen.seed,
    }
    scores = likelihood_scores(algorithm, corpus, device)
    scores += truth_scores(tokens, corpus, origin)
    return lines, scores + text_scores(lines, corpus, chosen.preset, chosen.seed, origin)
