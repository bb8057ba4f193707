"""Scores of a model or of a file of sentences, each with its signature."""

from collections.abc import Sequence

import numpy as np
import torch

import gantext
from gantext.assemble import generator
from gantext.data.corpus import Corpus, Split
from gantext.data.vocabulary import PAD, Vocabulary
from gantext.metrics import likelihood
from gantext.metrics.corpus_bleu import corpus_bleu_score
from gantext.metrics.diversity import unique_share
from gantext.metrics.presets import bleu_scores, self_bleu_scores
from gantext.metrics.score import Score, Setting
from gantext.nn.algorithm import Algorithm, Estimator, SamplingOptions
from gantext.settings import Settings

ROWS = 500


def sample_texts(
    algorithm: Algorithm,
    vocabulary: Vocabulary,
    n: int,
    rng: torch.Generator,
    options: SamplingOptions,
    rows: int,
) -> tuple[list[str], list[list[str]]]:
    """Draw n sentences, `rows` at a time: as readable text, and as tokens."""
    sizes = [rows] * (n // rows) + ([n % rows] if n % rows else [])
    drawn = [row for size in sizes for row in algorithm.sample(size, rng, options).tolist()]
    return [vocabulary.text(row) for row in drawn], [vocabulary.decode(row) for row in drawn]


def split_log_prob(algorithm: Algorithm, split: Split, device: torch.device) -> np.ndarray:
    """log p(sentence) of a split, (N,), nats; rows of like length are scored together."""
    lengths = (split.tokens != PAD).sum(1)
    order = lengths.argsort()
    result = torch.zeros(len(split), dtype=torch.float64)
    for part in torch.split(order, ROWS):
        batch = split.tokens[part, : int(lengths[part].max())].to(device)
        result[part] = algorithm.log_prob(batch).cpu().double()
    return result.numpy()


def likelihood_of(algorithm: Algorithm, split: Split, device: torch.device) -> float:
    """Mean negative log-likelihood of a split, nats per token, <eos> counted."""
    log_prob = split_log_prob(algorithm, split, device)
    return likelihood.nll_per_token(log_prob, (split.tokens != PAD).sum(1).double().numpy())


def estimate_signature(algorithm: Algorithm) -> dict[str, Setting]:
    """How its likelihoods are estimated; nothing where they are exact."""
    return dict(algorithm.estimator()) if isinstance(algorithm, Estimator) else {}


def likelihood_scores(algorithm: Algorithm, corpus: Corpus, device: torch.device) -> list[Score]:
    """nll-test, nats per token and per sentence, and forward KL where the entropy is known.

    Upper bounds on average where log p is an estimate, as the signature then says.
    """
    log_prob = split_log_prob(algorithm, corpus.test, device)
    tokens = (corpus.test.tokens != PAD).sum(1).double().numpy()
    sign: dict[str, Setting] = {
        "sentences": len(log_prob),
        "vocabulary": len(corpus.vocabulary),
        "eos": True,
        "tokenizer": corpus.vocabulary.tokenizer,
        **estimate_signature(algorithm),
        "data": corpus.hash,
        "version": gantext.__version__,
    }
    mean = float(-log_prob.mean())
    scores = [
        Score(
            "nll-test", likelihood.nll_per_token(log_prob, tokens), {"unit": "nats/token", **sign}
        ),
        Score("nll-test-sentence", mean, {"unit": "nats/sentence", **sign}),
        Score("perplexity", likelihood.perplexity(log_prob, tokens), {"unit": "per token", **sign}),
    ]
    entropy = corpus.truth.entropy() if corpus.truth else float("nan")
    if np.isfinite(entropy):
        scores.append(Score("forward-kl", mean - entropy, {"unit": "nats/sentence", **sign}))
    return scores


def truth_scores(
    sentences: Sequence[Sequence[str]], corpus: Corpus, origin: dict[str, Setting]
) -> list[Score]:
    """Share of sentences that the known distribution can write, and their nll-oracle."""
    if corpus.truth is None:
        return []
    log_prob = np.asarray(corpus.truth.log_prob(sentences), dtype=np.float64)
    tokens = np.array([len(s) for s in sentences], dtype=np.float64)
    sign: dict[str, Setting] = {
        "sentences": len(sentences),
        **origin,
        "data": corpus.hash,
        "version": gantext.__version__,
    }
    share = Score("grammatical", likelihood.grammatical_share(log_prob), sign)
    nll = likelihood.nll_oracle(log_prob, tokens)
    return [share, Score("nll-oracle", nll, {"unit": "nats/token, possible ones", **sign})]


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
