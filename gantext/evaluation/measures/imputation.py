"""`gantext eval imputation`: how good the words are that a model fills test sentences' blanks with.

Shapes: N sentences, T tokens.
"""

import numpy as np
from torch import Tensor

from gantext.data.corpus import Corpus
from gantext.data.vocabulary import PAD
from gantext.errors import UserError
from gantext.evaluation.ground import Ground
from gantext.evaluation.judges.adversarial_error import adversarial_error
from gantext.evaluation.measure import Protocol
from gantext.evaluation.subjects import Subject, _tested
from gantext.inference.beam import FREE
from gantext.inference.imputation import Search, can_impute, fill, search_signature
from gantext.metrics import standard_error
from gantext.metrics.score import Score, Setting, signed
from gantext.metrics.text.likelihood import grammatical_share
from gantext.runs.trained import TrainedText

SHARE = (0.2, 0.3)  # of a sentence's words that are blanked


def imputation_scores(
    trained: TrainedText, corpus: Corpus, sentences: int, seed: int
) -> list[Score]:
    """Scores of the best fillings of test sentences, a span of 20 to 30% of each blanked.

    imputed-exact, the share equal to the original; imputed-grammatical where the grammar is known;
    elsewhere adversarial-error, against as many other test sentences. The number of missing words
    is known to the model. Test sentences with unknown words are left out: no model writes <unk>,
    so they would be told apart by it.

    Raises:
        UserError: the model does not write text; fewer than 4 usable test sentences.
    """
    can_impute(trained, "eval imputation")
    usable = corpus.test.tokens.known()
    if len(usable) < 4:
        raise UserError("eval imputation: at least 4 test sentences without <unk> are needed")
    rng = np.random.default_rng(seed)
    mixed, known = usable.take(rng.permutation(len(usable))), corpus.truth is not None
    size = min(sentences, len(mixed) if known else len(mixed) // 2)
    chosen = mixed.take(slice(size)).padded(corpus.max_length)  # (N, T)
    end = len(corpus.vocabulary.end)
    filled = completed(trained, blanked(chosen, end, rng), Search())
    words = [trained.vocabulary.decode(row) for row in filled.tolist()]
    sign = signed(
        sentences=len(chosen),
        blank="span of 20-30%",
        **search_signature(trained, Search()),
        seed=seed,
        data=corpus.hash,
    )
    same = (filled == chosen).all(1).double()
    exact = Score("imputed-exact", float(same.mean()), sign, standard_error.of_mean(same.numpy()))
    if corpus.truth is not None:
        log_prob = corpus.truth.log_prob(words)
        error = standard_error.of_mean(np.isfinite(log_prob))
        return [exact, Score("imputed-grammatical", grammatical_share(log_prob), sign, error)]
    others = mixed.take(slice(size, 2 * size)).padded()
    real = [trained.vocabulary.decode(row) for row in others.tolist()]
    classifier: dict[str, Setting] = {"classifier": "logistic on 1..3-grams, half to fit", **sign}
    told, error = adversarial_error(words, real, seed)
    return [exact, Score("adversarial-error", told, classifier, error)]


def blanked(tokens: Tensor, end: int, rng: np.random.Generator) -> Tensor:
    """The sentences, (N, T), with FREE at a random span of 20 to 30% of their words, 1 at least.

    `end`: how many of a sentence's tokens are no words.
    """
    found = tokens.clone()
    for row, size in zip(found, ((tokens != PAD).sum(1) - end).tolist(), strict=True):
        missing = min(size, max(1, round(rng.uniform(*SHARE) * size)))
        start = int(rng.integers(size - missing + 1))
        row[start : start + missing] = FREE
    return found


def completed(trained: TrainedText, templates: Tensor, search: Search) -> Tensor:
    """The best filling of each template, (N, T), on the CPU."""
    words = len(trained.vocabulary)
    on_device = templates.to(trained.device)
    found = fill(trained.algorithm, on_device, search.beam, search.rounds, words)
    return found.tokens[:, 0].cpu()


def imputation(subject: Subject, ground: Ground, protocol: Protocol) -> list[Score]:
    """What the model fills blanks of test sentences with."""
    found = _tested(subject, ground)
    return imputation_scores(*found, protocol.probes, protocol.seed) if found else []
