"""A text CNN that tells the classes of a corpus's sentences apart, and judges sentences by them.

It is trained on the real training sentences and their labels alone, on the CPU, so that a GPU
changes nothing in the scores, and kept in the cache; no model is trained with it.

Shapes: N sentences, T steps, K classes.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from gantext.data.batches import Batches, of_like_length
from gantext.data.corpus import Corpus
from gantext.data.labelled import with_labels
from gantext.errors import UserError
from gantext.inference.judges.cache import cache_name, cached_weights
from gantext.nn.optim import Optimiser, cosine_rate, set_rate
from gantext.nn.state import weights_hash
from gantext.nn.text.class_cnn import ClassCNN
from gantext.nn.text.text_cnn import DiscriminatorConfig

VERSION = "class-cnn-1"  # goes up with every change that changes the weights
SIZES = DiscriminatorConfig(
    embedding=64, widths=(1, 2, 3, 4, 5), filters=(50,) * 5, dropout=0.5, l2=0.0, gate_bias=-1.0
)
STEPS, BATCH_SIZE, LEARNING_RATE, WARMUP_STEPS, FINAL_RATE = 600, 64, 2e-3, 50, 0.02
ROWS = 500  # sentences of like length that are read together


@dataclass(frozen=True)
class ClassJudge:
    """A trained network, and how good it is.

    Attributes:
        network: on the CPU.
        accuracy: on the corpus's test sentences, 0 ... 1.
        id: its version and a hash of its weights, for signatures.
    """

    network: ClassCNN
    accuracy: float
    id: str

    def classes(self, tokens: Tensor) -> Tensor:
        """The likeliest class of each of (N, T) sentences, (N,)."""
        return self.network.all_logits(tokens).argmax(1)


def load_class_judge(corpus: Corpus, cache: Path, seed: int = 0) -> ClassJudge:
    """The judge of a corpus: from the cache, or trained now (under a minute) and kept.

    Args:
        corpus: of sentences with classes.
        cache: the folder of all judges.
        seed: of its weights and batches.

    Raises:
        UserError: the sentences have no classes.
    """
    if not corpus.classes:
        raise UserError(f"the sentences of data={corpus.name} have no classes to be told apart")
    folder = cache / cache_name(VERSION, f"{corpus.hash} {corpus.labels_hash}", seed)
    state = cached_weights(folder, lambda: _train(corpus, seed))
    network = _network(corpus, torch.Generator().manual_seed(seed))
    network.load_state_dict(state["weights"])
    return ClassJudge(network, state["accuracy"], f"{VERSION} {weights_hash(state['weights'])}")


def _network(corpus: Corpus, rng: torch.Generator) -> ClassCNN:
    sizes = len(corpus.vocabulary), SIZES, corpus.max_length
    return ClassCNN(*sizes, rng, len(corpus.classes))


def _train(corpus: Corpus, seed: int) -> dict[str, Any]:
    """Adam with warm-up and a cosine, in a fixed number of steps, whatever the corpus's size."""
    rng = torch.Generator().manual_seed(seed)
    network = _network(corpus, rng)
    optimiser = Optimiser(torch.optim.Adam, network.parameters(), LEARNING_RATE)
    batches = Batches(with_labels(corpus).train, seed)
    for step in range(STEPS):
        set_rate(optimiser, LEARNING_RATE * cosine_rate(step, STEPS, WARMUP_STEPS, FINAL_RATE))
        batch: Any = batches.next(min(BATCH_SIZE, len(corpus.train)))
        loss = F.cross_entropy(network.class_logits(batch.tokens, rng), batch.labels)
        optimiser.zero_grad()
        torch.autograd.backward(loss)
        optimiser.step()
    return {"weights": network.state_dict(), "accuracy": _accuracy(network, corpus)}


def _accuracy(network: ClassCNN, corpus: Corpus) -> float:
    """The share of test sentences whose class is told right."""
    assert corpus.test.labels is not None
    labels, right = torch.from_numpy(corpus.test.labels.copy()), 0
    for places, rows in of_like_length(corpus.test.tokens, ROWS):
        right += int((network.all_logits(rows).argmax(1) == labels[places]).sum())
    return right / len(labels)
