"""What the framework knows of a model: its task, its phases, the contracts, and what it declares.

The module (or package) of a model states
- `READS`: what it is trained on;
- `CAN`: its abilities beyond the contract of its kind, a frozenset of `Ability`;
- `SHOWN`: the metrics of the line of progress, in order;
- `CURVES`: the figures of a report that its metrics make, `Layout`s of gantext.plots, in order;
- `Config`: a frozen dataclass whose values stand in conf/model/NAME.yaml;
- `build(config, task, rng)`: the algorithm, its weights drawn from `rng`.

One whose steps several processes can share, by gantext.nn.ranks, also states PARALLEL = True.
One whose config leaves something to the data states `settled(config, task)`, which gives the config
with what it takes in the place of `auto`.
"""

from __future__ import annotations  # what tables and help name is known without torch

import enum
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

from gantext.data import Reads as Reads

if TYPE_CHECKING:
    import torch
    from torch import Tensor, nn

    from gantext.data.gallery import PictureSplit
    from gantext.nn.optim import Metrics
    from gantext.nn.text.held_out import HeldOut, Waited
    from gantext.nn.text.sampling import Policy, SamplingOptions

# The batch is what the model reads: (B, T) tokens, a LabelledBatch of gantext.data.labelled, or a
# PictureBatch of gantext.data.gallery.
StepFunction = Callable[[Any, "torch.Generator"], "Metrics"]


@dataclass(frozen=True)
class Task:
    """The facts about a corpus that a text model is built for.

    Attributes:
        vocab_size: V, the four special tokens included.
        max_length: T, the end-of-sentence token included.
        fixed_length: whether all sentences have T words and no end-of-sentence token, so that a
            model gives it no probability.
        train_size: sentences in the training split.
        singletons: (V,) bool, words seen once in the training split.
        device: where the networks live.
        graphs: whether a GPU may draw sentences by CUDA graphs.
        draw: draws so many more real sentences, (n, T) on the CPU; None where that cannot be done,
            and where nothing is trained.
        held_out: (N, T) real sentences without unknown words that no model is trained on; None
            where nothing is trained.
        lines: the text of (N, T) tokens on the CPU, by the vocabulary: real sentences and samples
            are written in one way.
        known: whether the text was drawn from a known distribution.
        class_counts: training sentences of each of the data's classes; () when they have none.
    """

    vocab_size: int
    max_length: int
    train_size: int
    singletons: Tensor
    device: torch.device
    graphs: bool = False
    fixed_length: bool = False
    draw: Callable[[int, torch.Generator], Tensor] | None = None
    held_out: Tensor | None = None
    lines: Callable[[Tensor], list[str]] | None = None
    known: bool = False
    class_counts: tuple[int, ...] = ()

    @property
    def classes(self) -> int:
        """How many classes the sentences have; 0 when they have none."""
        return len(self.class_counts)

    def positions(self, weight: Tensor) -> int:
        """At how many places of a sentence a layer of this weight writes: at each word, but the
        scores of all words, which are made for some tokens at a time, at none."""
        return 0 if len(weight) == self.vocab_size else self.max_length


@dataclass(frozen=True)
class PictureTask:
    """The facts about a gallery that a picture model is built for.

    Attributes:
        channels: C, 1 for grey and 3 for colour.
        size: height and width in pixels.
        classes: how many classes the pictures have; 0 when they have none.
        vocab_size: V of the captions, the special tokens included; 0 without captions.
        max_length: T of the captions, the end-of-sentence token included; 0 without captions.
        train_size: pictures in the training split.
        captions: (N, T) int64, captions of the training split; (N, 0) without captions.
        device: where the networks live.
        examples: the training split, for who needs pictures with their classes beside its batches;
            None where they have none, and where nothing is trained.
    """

    channels: int
    size: int
    classes: int
    vocab_size: int
    max_length: int
    train_size: int
    captions: Tensor
    device: torch.device
    examples: PictureSplit | None = None

    def positions(self, weight: Tensor) -> int:
        """At how many places of a picture a layer of this weight writes, roughly.

        Convolutions (O, I, H, W) at a quarter of the pixels, the first ones at more and those
        behind strides at fewer; others at each word of the caption, or once.
        """
        return self.size**2 // 4 if weight.dim() == 4 else max(1, self.max_length)


@dataclass(frozen=True)
class Phase:
    """A stretch of training. Phases are data, not coroutines, so that a resume is exact.

    Attributes:
        name: a key of the run's metrics and checkpoints; not "best", as RUN@best is the best state.
        steps: how often `step` is called.
        rows: real sentences or pictures that one step is given.
        step: (batch of them, rng) -> metrics; tensors stay on the device until they are logged.
        adversarial: whether `phases=pretrain` leaves it out.
        scored: whether it changes the samples, so that they are scored at its end.
        warmup: steps over which its learning rate rises.
        key: of the model's config, which says how many steps it has; "" where none alone does.
        tied: why a step depends on how many there are, in words that follow the phase's name; ""
            where none does, so that a run goes on with more exactly as if it had begun with them.
        since: a phase before it whose steps depend on how many it has too; "" where none does.
        together: how many rows one update computes at most, generated ones counted; 0: `rows`.
        ended: asked after each step; says why the phase ends there, before its steps are done.
    """

    name: str
    steps: int
    rows: int
    step: StepFunction
    adversarial: bool = False
    scored: bool = True
    warmup: int = 0
    key: str = ""
    tied: str = ""
    since: str = ""
    together: int = 0
    ended: Callable[[], Waited | None] = lambda: None

    def by(self, key: str, tied: str = "", since: str = "") -> Phase:
        """The phase, whose steps this key of the model's config counts."""
        return replace(self, key=key, tied=tied, since=since)

    def some_at_once(self, together: int) -> Phase:
        """The phase, whose step has several updates, each of so many rows at most."""
        return replace(self, together=together)

    def until(self, ended: Callable[[], Waited | None]) -> Phase:
        """The phase, which ends where this says so, too."""
        return replace(self, ended=ended)


class Trainable(Protocol):
    """Owns networks and optimisers; everything that a resume needs is in its `state_dict`."""

    def phases(self) -> Sequence[Phase]:
        """The phases in the order in which they run."""
        ...

    def networks(self) -> Mapping[str, nn.Module]:
        """Its networks by role: those whose parameters are counted, and have to stay finite."""
        ...

    def state_dict(self) -> dict[str, Any]:
        """Weights, optimiser states and counters."""
        ...

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Restore what `state_dict` gave."""
        ...

    def load_pretrained(self, state: dict[str, Any]) -> Sequence[str] | None:
        """Take only the networks' weights of another run's `state_dict`.

        Returns a line for each network that this leaves untrained, if any.
        """
        ...


@runtime_checkable
class Noted(Protocol):
    """A model that says in the log what it worked out of its config and the data."""

    def notes(self) -> Sequence[str]:
        """One line for each thing, said when training starts."""
        ...


@runtime_checkable
class Checked(Protocol):
    """A model whose discriminator is looked at on held-out sentences while it trains."""

    held_out: HeldOut


@runtime_checkable
class Loading(Protocol):
    """A model that loads more than its networks once training asks for it."""

    def memory_later(self) -> int:
        """Bytes that this takes, roughly."""
        ...


class Algorithm(Trainable, Protocol):
    """A model of text."""

    def sample(self, n: int, rng: torch.Generator, options: SamplingOptions) -> Tensor:
        """Draw n sentences: (n, T) int64, <eos> then <pad> (neither where all have T words)."""
        ...

    def log_prob(self, tokens: Tensor) -> Tensor:
        """log p(sentence) in nats, (N,), of (N, T) tokens; <eos> counted."""
        ...


class Painter(Trainable, Protocol):
    """A model of pictures."""

    def draw(self, n: int, rng: torch.Generator) -> Tensor:
        """Draw n pictures: (n, C, H, W) float32 in [-1, 1], no gradient.

        By the averaged (EMA) generator where there is one; of training captions drawn at random
        where the model follows captions.
        """
        ...


@runtime_checkable
class Illustrator(Painter, Protocol):
    """A model of pictures that follow captions."""

    def draw_for(self, tokens: Tensor, rng: torch.Generator) -> Tensor:
        """A picture of each caption, with noise of its own: (N, T) -> (N, C, H, W) as `draw`."""
        ...


@runtime_checkable
class Judge(Protocol):
    """An algorithm that also says how real a sentence looks to it."""

    def score(self, tokens: Tensor) -> dict[str, Tensor]:
        """Probabilities in [0, 1], (N,) each, of (N, T) tokens; none while it is untrained."""
        ...


@runtime_checkable
class Estimator(Protocol):
    """An algorithm whose `log_prob` is an estimate, not exact."""

    def estimator(self) -> Mapping[str, str | int]:
        """What the signatures of its likelihoods say of the estimate."""
        ...


@runtime_checkable
class Latent(Protocol):
    """An algorithm with a latent variable z of standard normal prior, one for each sentence."""

    latent_size: int

    def encode(self, tokens: Tensor) -> tuple[Tensor, Tensor]:
        """The posterior's mean and log-variance, (N, Z) each, of (N, T) tokens; no gradient."""
        ...

    def decode(self, z: Tensor, rng: torch.Generator, options: SamplingOptions) -> Tensor:
        """Draw a sentence for each row of z, (N, Z): (N, T); greedy at temperature 0."""
        ...

    def log_prob_given(self, tokens: Tensor, z: Tensor) -> Tensor:
        """log p(x | z) in nats, (N,), of (N, T) tokens and (N, Z); no gradient."""
        ...

    def policy(self, z: Tensor) -> Policy:
        """The decoder word by word; its `start` takes as many rows as z, (N, Z), has."""
        ...


@runtime_checkable
class Writer(Protocol):
    """An algorithm that writes word by word, so that it can go on from given first words."""

    def writer(self, n: int, rng: torch.Generator) -> Policy:
        """What writes n sentences, one a row of its `start`; `sample` draws their words by it.

        What a sentence has before its first word, such as a latent vector, is drawn with rng.
        """
        ...


@runtime_checkable
class Guided(Protocol):
    """An algorithm whose generator follows goals that it sets in the space of leaked features."""

    @property
    def goal_steps(self) -> int:
        """c, the words that a goal looks ahead: g_s points to where f_{s+c} should lie from f_s."""
        ...

    def trace(self, tokens: Tensor) -> tuple[Tensor, Tensor]:
        """Goals (B, T, F) and leaked features (B, T + 1, F) of given sentences (B, T).

        Goal s, of length 1, is set after the first s words, whose features are features[:, s].
        """
        ...


@runtime_checkable
class OfClass(Protocol):
    """An algorithm that writes sentences of a class that its data names."""

    def sample_of(self, labels: Tensor, rng: torch.Generator, options: SamplingOptions) -> Tensor:
        """A sentence of each class: places in the data's classes (n,) -> (n, T) as `sample`."""
        ...


@runtime_checkable
class Classifier(Protocol):
    """A model that says to which class of its data a sentence or a picture belongs."""

    def class_log_prob(self, rows: Tensor) -> Tensor:
        """log p(class | row), (N, K), of (N, T) tokens or (N, C, H, W) pictures; no gradient.

        Raises UserError, with what to train it with, where it was trained without classes.
        """
        ...


class Ability(enum.Enum):
    """What some models can do beyond the contract of their kind, and the protocol that says how.

    A model's module declares its own in `CAN`, so that they are known without building it.
    """

    latent = Latent
    estimate = Estimator
    goals = Guided
    write = Writer
    judge = Judge
    illustrate = Illustrator
    of_class = OfClass
    classify = Classifier
