"""model=mle: the regularised language model, the honest baseline of every GAN here.

One LSTM with tied embeddings (Press & Wolf 2017), locked dropout on its inputs and outputs and
dropout of whole words of the embedding (Gal & Ghahramani 2016), or a transformer of such words
(nn/text/transformer.py), fitted by maximum likelihood.
Words seen once in training stand for unseen ones part of the time, so <unk> has a learned
probability and test likelihoods over the whole training vocabulary are proper.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from gantext.models.contract import Ability, Phase, Reads, Task
from gantext.nn.state import NamedParts
from gantext.nn.text.captured_decode import Sampler
from gantext.nn.text.fitting import MLEConfig, MLETrainer
from gantext.nn.text.generator import TextGeneratorConfig, text_generator
from gantext.nn.text.sampling import Policy, SamplingOptions
from gantext.plots.curves import DIVERSITY, GRADIENT_NORMS, NLL

READS = Reads.text
PARALLEL = True
CAN = frozenset({Ability.write})
SHOWN = ("nll",)
CURVES = (NLL, DIVERSITY, GRADIENT_NORMS)


@dataclass(frozen=True)
class Config:
    """Explained in conf/model/mle.yaml."""

    name: str
    generator: TextGeneratorConfig
    mle: MLEConfig


class MLE(NamedParts):
    """A language model and its trainer."""

    def __init__(self, config: Config, task: Task, rng: torch.Generator) -> None:
        self.config, self.task = config, task
        words = task.vocab_size, task.max_length, config.generator, rng, task.fixed_length
        self.generator = text_generator(*words).to(task.device)
        self.sampler = Sampler(self.generator, task.max_length, task.graphs)
        self.trainer = MLETrainer(
            self.generator, config.mle, task.singletons, config.mle.steps(task.train_size)
        )

    def phases(self) -> Sequence[Phase]:
        """One phase: mle."""
        mle = self.config.mle
        step, rise = self.trainer.step, mle.warmup_steps
        phase = Phase("mle", self.trainer.total, mle.batch_size, step, warmup=rise)
        return [phase.by("mle.epochs", mle.tied)]

    def networks(self) -> Mapping[str, nn.Module]:
        """The generator."""
        return {"generator": self.generator}

    def sample(self, n: int, rng: torch.Generator, options: SamplingOptions) -> Tensor:
        """Draw n sentences, (n, T)."""
        return self.sampler(n, rng, options)

    def writer(self, n: int, rng: torch.Generator) -> Policy:
        """The generator."""
        return self.generator

    def log_prob(self, tokens: Tensor) -> Tensor:
        """log p(sentence), (N,), nats; <eos> counted."""
        return self.generator.token_log_prob(tokens).sum(1)

    def parts(self) -> Mapping[str, Any]:
        """Everything that has a state."""
        return {"generator": self.generator, "trainer": self.trainer}

    def load_pretrained(self, state: dict[str, Any]) -> None:
        """Take the generator's weights."""
        self.generator.load_state_dict(state["generator"])


def build(config: Config, task: Task, rng: torch.Generator) -> MLE:
    """Build the algorithm; `rng` initialises the weights."""
    return MLE(config, task, rng)
