"""eval class-accuracy: whether sentences that were written of a class are of it."""

from collections.abc import Sequence

import torch
from torch import Tensor

from gantext.evaluation.ground import Ground
from gantext.evaluation.judges.class_judge import load_class_judge
from gantext.evaluation.measure import Protocol
from gantext.evaluation.subjects import Subject, _tested
from gantext.inference.judges.cache import judges_folder
from gantext.metrics import standard_error
from gantext.metrics.score import HASH_DIGITS, Score, signed
from gantext.models.build import class_counts
from gantext.models.contract import OfClass
from gantext.nn.rng import generator
from gantext.nn.text.sampling import SamplingOptions

ROWS = 500  # sentences that are written together
DIGITS = 4


def class_accuracy(subject: Subject, ground: Ground, protocol: Protocol) -> list[Score]:
    """The share that the judge finds in the class that they were written of."""
    found = _tested(subject, ground)
    if found is None or not found[1].classes:
        return []
    trained, corpus = found
    algorithm = trained.algorithm
    assert isinstance(algorithm, OfClass)
    labels = shared_out(class_counts(corpus), protocol.sentences)
    rng, right = generator(protocol.seed, "class-accuracy", trained.device), []
    judge = load_class_judge(corpus, judges_folder(), protocol.seed)
    for part in torch.split(labels, ROWS):
        tokens = algorithm.sample_of(part.to(trained.device), rng, SamplingOptions())
        right.append(judge.classes(tokens.cpu()) == part)
    told = torch.cat(right).double().numpy()
    sign = signed(
        sentences=len(told),
        classes=len(corpus.classes),
        judge=judge.id,
        judge_accuracy=round(judge.accuracy, DIGITS),
        seed=protocol.seed,
        data=corpus.hash,
        labels=corpus.labels_hash[:HASH_DIGITS],
    )
    return [Score("class-accuracy", float(told.mean()), sign, standard_error.of_mean(told))]


def shared_out(counts: Sequence[int], n: int) -> Tensor:
    """Classes of n sentences, (n,), in order, as often as they have training sentences: rounded
    down, then one more for those that this takes most from."""
    asked = torch.tensor(counts, dtype=torch.float64) * n / sum(counts)
    whole = asked.long()
    missing = n - int(whole.sum())
    whole[(asked - whole).argsort(descending=True, stable=True)[:missing]] += 1
    return torch.repeat_interleave(whole)
