"""Maximum-likelihood training by teacher forcing.

Shapes: B batch, T steps, V vocabulary.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from gantext.data.ranges import (
    BatchSize,
    Clip,
    LearningRate,
    Momentum,
    Probability,
    Ramp,
    Steps,
    WeightDecay,
)
from gantext.data.vocabulary import UNK
from gantext.nn import ranks
from gantext.nn.optim import Metrics, Optimiser, clipped_step, cosine_rate, set_rate, tied_by_rate
from gantext.nn.state import NamedParts
from gantext.nn.text.lstm import WordModel
from gantext.nn.text.output_layer import mean_word_nll
from gantext.nn.text.places import counted, mean_of_words, words_at
from gantext.nn.text.weighting import Weigh, Weighting, mixce_weights, tailr_weights
from gantext.nn.update import Loss, Update


@dataclass(frozen=True)
class MLEConfig:
    """How a language model is fitted (explained in conf/model/*.yaml)."""

    epochs: Steps
    batch_size: BatchSize
    learning_rate: LearningRate
    final_rate: Probability
    warmup_steps: Steps
    weight_decay: WeightDecay
    beta2: Momentum
    clip: Clip
    unk_rate: Probability
    weighting: Weighting
    tailr_gamma: Ramp
    tailr_least: Probability
    mixce_eta: Probability

    @property
    def weigh(self) -> Weigh | None:
        """What makes a word's weight of its log p; None: all words count alike."""
        if self.weighting is Weighting.tailr:
            return lambda log_prob: tailr_weights(log_prob, self.tailr_gamma, self.tailr_least)
        if self.weighting is Weighting.mixce:
            return lambda log_prob: mixce_weights(log_prob, self.mixce_eta)
        return None

    def steps(self, train_size: int) -> int:
        """Steps of all epochs."""
        return self.epochs * math.ceil(train_size / self.batch_size)

    @property
    def tied(self) -> str:
        """Why a step depends on how many there are; "" where it does not."""
        return tied_by_rate(self.final_rate)


def hide_singletons(
    tokens: Tensor, singletons: Tensor, rate: float, rng: torch.Generator
) -> Tensor:
    """Turn words seen once into <unk> with probability `rate`, so that <unk> is learned.

    With a vocabulary of all training words <unk> never occurs in training; words seen once stand
    for the unseen ones, as in Good-Turing estimation.
    """
    if rate == 0:
        return tokens
    hidden = torch.rand(tokens.shape, generator=rng, device=tokens.device) < rate
    return torch.where(hidden & singletons[tokens], UNK, tokens)


def mean_nll(model: WordModel, tokens: Tensor, rng: torch.Generator | None) -> Tensor:
    """Mean negative log-likelihood, nats per token, <eos> counted; a rank gives its share of it."""
    return weighted_nll(model, tokens, rng, None)[0]


def weighted_nll(
    model: WordModel, tokens: Tensor, rng: torch.Generator | None, weigh: Weigh | None
) -> tuple[Tensor, Metrics]:
    """`mean_nll` of tokens (B, T), each word's weighted by its log p, and `word_metrics`."""
    own = ranks.mine(tokens)
    given = model.output_layer(), model.valid_features(own, rng), words_at(own), counted(own)
    loss, log_prob = mean_word_nll(*given, weigh)
    return loss, word_metrics(loss, log_prob, own, weigh)


def word_metrics(loss: Tensor, log_prob: Tensor, tokens: Tensor, weigh: Weigh | None) -> Metrics:
    """Of log p (N,) at the places of tokens (B, T), by which a loss was weighted: the plain mean of
    -log p, nats per token, and of the weights, where words have different ones."""
    if weigh is None:
        return {"nll": loss.detach()}
    nll, weight = mean_of_words(-log_prob, tokens), mean_of_words(weigh(log_prob), tokens)
    return {"nll": nll, "word_weight": weight}


class Fitter(NamedParts):
    """Updates a model by its loss: AdamW, warm-up, cosine decay, clipped gradients.

    The learning rate falls over `steps` updates; `singletons`, (V,) bool, are words seen once in
    training; `clipped` are the model's parts whose gradients are clipped each by itself, if any.
    """

    counters = ("done",)

    def __init__(
        self,
        model: nn.Module,
        config: MLEConfig,
        singletons: Tensor,
        steps: int,
        clipped: Sequence[nn.Module] | None = None,
    ) -> None:
        self.clipped, self.config = clipped or [model], config
        self.singletons = singletons.to(next(model.parameters()).device)
        self.unk_rate = config.unk_rate if bool(singletons.any()) else 0.0
        self.total = steps
        self.done = 0
        self.optimiser = Optimiser(
            torch.optim.AdamW,
            model.parameters(),
            config.learning_rate,
            (0.9, config.beta2),
            weight_decay=config.weight_decay,
        )

    def update(self, loss: Tensor, counted: bool = True) -> Metrics:
        """One update by a loss of the model's, at the schedule's learning rate.

        Weights that the loss does not depend on stay as they are. An update that is not
        `counted` leaves the place in the schedule.
        """
        rate = self._set_rate()
        norm = clipped_step(self.optimiser, self.clipped, loss, self.config.clip)
        self.done += counted
        return {"grad_norm": norm, "learning_rate": rate}

    def updates_by(self, loss: Loss, graphs: bool) -> Update:
        """What `step_by` takes: updates by a loss of the model's."""
        return Update(loss, self.optimiser, self.clipped, self.config.clip, graphs)

    def step_by(
        self, update: Callable[..., Metrics], *given: Tensor, rng: torch.Generator
    ) -> Metrics:
        """One update by what is given, at the schedule's learning rate; what the loss logs too."""
        rate = self._set_rate()
        found = update(*given, rng=rng)
        self.done += 1
        return {**found, "learning_rate": rate}

    def _set_rate(self) -> float:
        config = self.config
        rate = cosine_rate(self.done, self.total, config.warmup_steps, config.final_rate)
        rate *= config.learning_rate
        set_rate(self.optimiser, rate)
        return rate

    def shown(self, batch: Tensor, rng: torch.Generator) -> Tensor:
        """A batch as the model is to see it: some words seen once are <unk>."""
        return hide_singletons(batch, self.singletons, self.unk_rate, rng)

    def parts(self) -> Mapping[str, Any]:
        """The optimiser."""
        return {"optimiser": self.optimiser}


class MLETrainer(Fitter):
    """Fits a language model by maximum likelihood; with `graphs` a GPU does it by CUDA graphs."""

    def __init__(
        self,
        model: WordModel,
        config: MLEConfig,
        singletons: Tensor,
        steps: int,
        clipped: Sequence[nn.Module] | None = None,
        graphs: bool = False,
    ) -> None:
        super().__init__(model, config, singletons, steps, clipped)
        self.model = model
        self._update = self.updates_by(self.loss, graphs)

    def loss(self, batch: Tensor, rng: torch.Generator) -> tuple[Tensor, Metrics]:
        """What a batch (B, T) costs as the model is to see it, words weighted, and metrics."""
        return weighted_nll(self.model, self.shown(batch, rng), rng, self.config.weigh)

    def step(self, batch: Tensor, rng: torch.Generator) -> Metrics:
        """One update on a batch (B, T)."""
        return self.step_by(self._update, batch, rng=rng)
