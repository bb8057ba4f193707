"""A model of text whose generator writes word by word and is fitted by maximum likelihood.

A model of that kind states its phases, where likelihood is not its only one, and in `parts` what of
its own has a state. Shapes: N or n sentences, T steps.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Generic, TypeVar

import torch
from torch import Tensor, nn

from gantext.models.contract import Phase, Task
from gantext.nn.state import NamedParts
from gantext.nn.text.captured_decode import Sampler
from gantext.nn.text.fitting import MLEConfig, MLETrainer
from gantext.nn.text.generator import TextGeneratorConfig, text_generator
from gantext.nn.text.lstm import TextGenerator, WordModel
from gantext.nn.text.sampling import Policy, SamplingOptions

G = TypeVar("G", bound=WordModel)
Draw = Callable[[int, torch.Generator, SamplingOptions], Tensor]


def generator_of(config: TextGeneratorConfig, task: Task, rng: torch.Generator) -> TextGenerator:
    """The generator that a config chooses for a text, on its device; `rng` draws its weights."""
    sizes = task.vocab_size, task.max_length
    return text_generator(*sizes, config, rng, task.fixed_length).to(task.device)


def take_networks(networks: Mapping[str, nn.Module], state: Mapping[str, Any]) -> None:
    """Take the generator's weights of a model's state, and those of others where there are some."""
    for name, network in networks.items():
        if name == "generator" or name in state:
            network.load_state_dict(state[name])


class TextModel(NamedParts, Generic[G]):
    """A generator, what fits it by likelihood, and what is asked of any model of text.

    Args:
        task: the facts of the text.
        generator: on the task's device.
        mle: how it is fitted.
        clipped: its parts whose gradients are clipped each by itself, if any.

    Attributes:
        sampler: draws sentences of the generator that is trained.
        trainer: fits it.
    """

    def __init__(
        self,
        task: Task,
        generator: G,
        mle: MLEConfig,
        clipped: Sequence[nn.Module] | None = None,
    ) -> None:
        self.task, self.generator = task, generator
        self.sampler = self.sampler_of(generator)
        steps = mle.steps(task.train_size)
        self.trainer = MLETrainer(generator, mle, task.singletons, steps, clipped, task.graphs)

    def sampler_of(self, generator: G) -> Draw:
        """What draws sentences of a generator."""
        return Sampler(generator, self.task.max_length, self.task.graphs)

    @property
    def evaluated(self) -> G:
        """The generator that is sampled and scored."""
        return self.generator

    def phases(self) -> Sequence[Phase]:
        """Likelihood alone."""
        return [self.mle_phase()]

    def mle_phase(self) -> Phase:
        """Likelihood."""
        trainer, mle = self.trainer, self.trainer.config
        phase = Phase("mle", trainer.total, mle.batch_size, trainer.step, warmup=mle.warmup_steps)
        return phase.by("mle.epochs", mle.tied)

    def networks(self) -> Mapping[str, nn.Module]:
        """The generator; what else there is, `load_pretrained` takes too."""
        return {"generator": self.generator}

    def sample(self, n: int, rng: torch.Generator, options: SamplingOptions) -> Tensor:
        """Draw n sentences, (n, T)."""
        return self.sampler(n, rng, options)

    def plain_samples(self, n: int, rng: torch.Generator) -> Tensor:
        """n sentences of the generator that is trained, at temperature 1, (n, T)."""
        return self.sampler(n, rng, SamplingOptions())

    def writer(self, n: int, rng: torch.Generator) -> Policy:
        """The generator."""
        return self.evaluated

    def log_prob(self, tokens: Tensor) -> Tensor:
        """log p(sentence), (N,), nats; <eos> counted."""
        return self.evaluated.token_log_prob(tokens).sum(1)

    def parts(self) -> Mapping[str, Any]:
        """Everything that has a state."""
        return {"generator": self.generator, "trainer": self.trainer}

    def load_pretrained(self, state: dict[str, Any]) -> Sequence[str]:
        """Take the generator's weights, and those of the other networks where there are some."""
        take_networks(self.networks(), state)
        return []
