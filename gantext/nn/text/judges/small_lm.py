"""Small language models that judge text: `lm-score` and `reverse-lm`, and the judge `lm-ratio`.

Shapes: N sentences.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from gantext.data.batches import Batches, of_like_length
from gantext.data.flat import Tokens
from gantext.data.ranges import Steps
from gantext.data.vocabulary import SPECIALS, Vocabulary
from gantext.nn.text.fitting import MLEConfig, MLETrainer
from gantext.nn.text.language_model import GeneratorConfig, LanguageModel
from gantext.nn.text.lstm import Init
from gantext.nn.text.weighting import Weighting

Floats = NDArray[np.float64]
CPU = torch.device("cpu")
SCORED_ROWS = 500


@dataclass(frozen=True)
class LMConfig:
    """The judge: an LSTM, how it is fitted, and in how many steps, whatever the corpus.

    Attributes:
        network: sizes and regularisation.
        training: the optimiser; one of its epochs is all `steps`.
        steps: gradient steps.
    """

    network: GeneratorConfig
    training: MLEConfig
    steps: Steps

    @property
    def name(self) -> str:
        """As it stands in signatures: "lstm-192x1 steps=800x32"."""
        size = f"lstm-{self.network.hidden}x{self.network.layers}"
        return f"{size} steps={self.steps}x{self.training.batch_size}"


# On the COCO captions: 3.86 nats per test token (model=mle: 3.65) after 40 s on one CPU thread.
# The strong dropout is for small sets of samples, which are seen many times in as many steps.
LM = LMConfig(
    network=GeneratorConfig(
        embedding=128,
        hidden=192,
        layers=1,
        tie_weights=True,
        dropout=0.5,
        word_dropout=0.1,
        init=Init.mixed,
    ),
    training=MLEConfig(
        epochs=1,
        batch_size=32,
        learning_rate=0.015,
        final_rate=0.02,
        warmup_steps=50,
        weight_decay=0.01,
        beta2=0.99,
        clip=5.0,
        unk_rate=0.5,
        weighting=Weighting.none,
        tailr_gamma=1.0,
        tailr_least=0.0,
        mixce_eta=1.0,
    ),
    steps=800,
)


def untrained(
    vocabulary: Vocabulary, seed: int, device: torch.device, config: LMConfig
) -> LanguageModel:
    """An LM of these words as it is before its first step."""
    rng = torch.Generator().manual_seed(seed)
    size, fixed = len(vocabulary), bool(vocabulary.fixed_length)
    return LanguageModel(size, config.network, rng, fixed).to(device)


def fit_lm(
    tokens: Tokens,
    vocabulary: Vocabulary,
    seed: int = 0,
    device: torch.device = CPU,
    config: LMConfig = LM,
    begun: Callable[[int], None] = lambda step: None,
) -> LanguageModel:
    """Train an LM on N sentences in the words of a vocabulary; the seed fixes its weights.

    `begun` is told of each step before it is made.

    Raises:
        UserError: N is 0.
    """
    size = len(vocabulary)
    seen = torch.from_numpy(tokens.counts(size))
    seen[: len(SPECIALS)] = 0  # the <eos> of a single sentence is no rare word
    model = untrained(vocabulary, seed, device, config)
    trainer = MLETrainer(model, config.training, seen == 1, config.steps)
    rng = torch.Generator(device).manual_seed(seed)
    batches = Batches(tokens, seed)
    rows = min(config.training.batch_size, len(tokens))
    for step in range(config.steps):
        begun(step)
        trainer.step(batches.next(rows).to(device), rng)
    return model


@torch.no_grad()
def log_prob(model: LanguageModel, tokens: Tokens) -> tuple[Floats, Floats]:
    """log p (N,) of N sentences, nats, and their tokens (N,), <eos> counted."""
    found = torch.zeros(len(tokens), dtype=torch.float64)
    for places, rows in of_like_length(tokens, SCORED_ROWS):
        shown = rows.to(model.output.bias.device)
        found[places] = model.token_log_prob(shown).double().sum(1).cpu()
    return found.numpy(), tokens.lengths.astype(np.float64)
