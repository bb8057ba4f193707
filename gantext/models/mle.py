"""model=mle: the regularised language model, the honest baseline of every GAN here.

One LSTM with tied embeddings (Press & Wolf 2017), locked dropout on its inputs and outputs and
dropout of whole words of the embedding (Gal & Ghahramani 2016), or a transformer of such words
(nn/text/transformer.py), fitted by maximum likelihood.
Words seen once in training stand for unseen ones part of the time, so <unk> has a learned
probability and test likelihoods over the whole training vocabulary are proper.
"""

from dataclasses import dataclass

import torch

from gantext.models.base.text_model import TextModel, generator_of
from gantext.models.contract import Ability, Reads, Task
from gantext.nn.text.fitting import MLEConfig
from gantext.nn.text.generator import TextGeneratorConfig
from gantext.nn.text.lstm import TextGenerator
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


class MLE(TextModel[TextGenerator]):
    """A language model and its trainer."""

    def __init__(self, config: Config, task: Task, rng: torch.Generator) -> None:
        self.config = config
        super().__init__(task, generator_of(config.generator, task, rng), config.mle)


def build(config: Config, task: Task, rng: torch.Generator) -> MLE:
    """Build the algorithm; `rng` initialises the weights."""
    return MLE(config, task, rng)
