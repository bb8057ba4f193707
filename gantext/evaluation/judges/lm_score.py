"""LM score and reverse LM score: a small language model as the judge of samples, and of real text.

    lm-score    an LM trained on real training text scores the samples: fluency. A single good
                sentence, repeated, is enough for a low value.
    reverse-lm  an LM trained on the samples scores real test text: quality and coverage, as what
                the samples never say cannot be learned from them. (The reverse perplexity of Zhao
                et al. 2018, ARAE; also Semeniuk et al. 2018 and d'Autume et al. 2019.)

    reverse-lm-held-out
                the same on held-out sentences of the training text (the validation split), where
                there are some. Test text may be of other topics: on the COCO captions an LM of
                the training text has 3.85 on it and 3.30 on held-out captions.

All are nats per token, lower is better; exp of them is the perplexity. Both LMs have the same
sizes, gradient steps and vocabulary, that of the real training text; a word it lacks is <unk>, so
that text of unknown words is likelier than it should be. Sentences with more tokens than the
corpus's longest are cut there, as `data.long=cut` does. Fewer sentences to train on make a worse
LM, whatever their quality: compare a reverse-lm only with values, the real one too, from as many.
"""

from collections.abc import Sequence
from typing import NamedTuple

import torch

from gantext.data.corpus import Corpus
from gantext.data.flat import Tokens
from gantext.errors import UserError
from gantext.inference.judges.real_lm import real_lm
from gantext.metrics import standard_error
from gantext.metrics.score import Score, Setting, signed
from gantext.metrics.text.likelihood import nll_per_token
from gantext.nn.text.judges.small_lm import CPU, LM, LMConfig, fit_lm, log_prob
from gantext.nn.text.language_model import LanguageModel

REVERSE, HELD_OUT = "reverse-lm", "reverse-lm-held-out"


class Nll(NamedTuple):
    """Nats per token, their standard error, and the influence of each of the sentences on them."""

    value: float
    error: float | None
    each: list[float]


def lm_scores(
    lines: Sequence[str],
    corpus: Corpus,
    *,
    seed: int = 0,
    device: torch.device = CPU,
    config: LMConfig = LM,
) -> list[Score]:
    """`lm-score` of all samples, and `reverse-lm` of at most as many as there is training text, on
    test text and on held-out text where there is some.

    Of more samples a seeded choice trains the reverse LM.

    Raises:
        UserError: there are no samples, or no test text.
    """
    samples = encoded(lines, corpus)
    fluency = _nll(real_lm(corpus, seed=seed, device=device, config=config), samples)
    chosen = _choose(samples, len(corpus.train), seed)
    model = fit_lm(chosen, corpus.vocabulary, seed, device, config)
    sign = _signature(corpus, seed, config)
    return [
        _score("lm-score", fluency, len(corpus.train), len(samples), sign),
        *_reverse(model, len(chosen), corpus, sign),
    ]


def _reverse(
    model: LanguageModel, trained: int, corpus: Corpus, sign: dict[str, Setting]
) -> list[Score]:
    """How well an LM of so many sentences knows test text, and held-out text if there is some."""
    asked = {REVERSE: corpus.test.tokens, HELD_OUT: corpus.validation.tokens}
    return [
        _score(name, _nll(model, tokens), trained, len(tokens), sign)
        for name, tokens in asked.items()
        if len(tokens) or name == REVERSE
    ]


def real_lm_scores(
    corpus: Corpus,
    *,
    sentences: int | None = None,
    seed: int = 0,
    device: torch.device = CPU,
    config: LMConfig = LM,
) -> list[Score]:
    """The same of real text: trained on training text, scored on test text.

    Args:
        corpus: the real text.
        sentences: so many of the training text train the LM of `reverse-lm`, for comparison with
            a smaller number of samples; None: all, and then both values are the same.
        seed, device, config: as for the samples.
    """
    model = real_lm(corpus, seed=seed, device=device, config=config)
    floor = _nll(model, corpus.test.tokens)
    size = len(corpus.train) if sentences is None else min(sentences, len(corpus.train))
    if size < len(corpus.train):
        chosen = _choose(corpus.train.tokens, size, seed)
        model = fit_lm(chosen, corpus.vocabulary, seed, device, config)
    sign = _signature(corpus, seed, config)
    return [
        _score("lm-score", floor, len(corpus.train), len(corpus.test), sign),
        *_reverse(model, size, corpus, sign),
    ]


def _nll(model: LanguageModel, tokens: Tokens) -> Nll:
    if not len(tokens):
        raise UserError("there are no sentences to score")
    nats, sizes = log_prob(model, tokens)
    each = standard_error.influences(-nats, sizes).tolist()
    return Nll(nll_per_token(nats, sizes), standard_error.of_ratio(nats, sizes), each)


def encoded(lines: Sequence[str], corpus: Corpus) -> Tokens:
    """The word ids of lines; what is longer than the corpus's longest is cut there."""
    if not lines:
        raise UserError("there are no sentences to score")
    vocabulary, width = corpus.vocabulary, corpus.max_length
    most = width - len(vocabulary.end)
    words = [vocabulary.tokenize(line)[:most] for line in lines]
    return Tokens.of(map(vocabulary.encode, words))


def _choose(tokens: Tokens, size: int, seed: int) -> Tokens:
    """All sentences, or a seeded choice of `size` of them."""
    if len(tokens) <= size:
        return tokens
    rng = torch.Generator().manual_seed(seed)
    return tokens.take(torch.randperm(len(tokens), generator=rng)[:size].numpy())


def _signature(corpus: Corpus, seed: int, config: LMConfig) -> dict[str, Setting]:
    return signed(
        unit="nats/token",
        trained=None,
        scored=None,
        lm=config.name,
        seed=seed,
        tokenizer=corpus.vocabulary.tokenizer,
        data=corpus.hash,
    )


def _score(name: str, nll: Nll, trained: int, scored: int, sign: dict[str, Setting]) -> Score:
    # Of real text, which all models are asked of, two of them are compared sentence by sentence.
    each = nll.each if name in (REVERSE, HELD_OUT) else None
    return Score(
        name, nll.value, {**sign, "trained": trained, "scored": scored}, nll.error, each=each
    )
