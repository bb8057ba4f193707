"""A pretrained sentence encoder as a judge: fine-tuned to tell real text from samples.

What it has read elsewhere it need not learn from ten thousand captions, so that it tells apart
sentences it never saw where a network trained from nothing knows its own by heart. It reads text:
both sides have to be written from tokens in one way, or it would tell them by a space.

Its dropout is off, also in training: torch draws it from random numbers that belong to nobody.

Shapes: N sentences, D size of an embedding, P tokens of the encoder's own.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from gantext.data.ranges import BatchSize, Count, LearningRate, Steps
from gantext.nn import ranks
from gantext.nn.optim import Metrics, Optimiser
from gantext.nn.state import NamedParts, weights_hash
from gantext.nn.text.judges import pretrained
from gantext.nn.text.judges.pretrained import JUDGE, encoder_id

SEED = 81  # of the output's first weights
ROWS = 64  # sentences of like length that are read together


@dataclass(frozen=True)
class FineTuningConfig:
    """How an encoder is fine-tuned (explained in conf/model/gan.yaml)."""

    learning_rate: LearningRate
    output_rate: LearningRate
    batch_size: BatchSize
    steps: Steps
    look_every: Count
    patience: Count


# On the COCO captions held-out loss .545 and AUC .80 after 800 steps, still rising a little.
FINE_TUNING = FineTuningConfig(
    learning_rate=5e-5, output_rate=1e-3, batch_size=16, steps=800, look_every=100, patience=2
)


class TextEncoder(Protocol):
    """A network that reads lines of text."""

    @property
    def id(self) -> str:
        """Which encoder: its name, and its version or a hash of its weights."""
        ...

    @property
    def network(self) -> nn.Module:
        """What is trained."""
        ...

    @property
    def size(self) -> int:
        """D."""
        ...

    def embed(self, lines: Sequence[str]) -> Tensor:
        """(N, D) of N lines, with a gradient."""
        ...


@dataclass(frozen=True)
class Transformer:
    """A `TextEncoder` by the library transformers: the mean of its last states."""

    id: str
    network: nn.Module
    tokenizer: Any
    size: int

    def embed(self, lines: Sequence[str]) -> Tensor:
        """(N, D) of N lines; what is longer than the encoder reads is cut."""
        most = min(self.tokenizer.model_max_length, 512)
        read = self.tokenizer(
            list(lines), padding=True, truncation=True, max_length=most, return_tensors="pt"
        ).to(next(self.network.parameters()).device)
        states = self.network(**read).last_hidden_state  # (N, P, D)
        there = read["attention_mask"][..., None].to(states.dtype)
        mean: Tensor = (states * there).sum(1) / there.sum(1)
        return mean


def load_encoder(folder: str | None, device: torch.device) -> TextEncoder:
    """The default encoder, or the one of a folder; nothing is fetched.

    Raises:
        UserError: an optional package is missing, or it cannot be loaded.
    """
    known_as = encoder_id(folder)
    with pretrained.loading(folder or pretrained.DEFAULT):
        library = pretrained.package("transformers", *JUDGE)
        place = folder or pretrained.default_folder(*JUDGE)
        local = {"local_files_only": True}
        tokenizer = library.AutoTokenizer.from_pretrained(place, **local)
        # Never a pickle: whoever made the weights could run code in it.
        network = library.AutoModel.from_pretrained(place, use_safetensors=True, **local)
        network = network.to(device).eval()
        return Transformer(known_as, network, tokenizer, network.config.hidden_size)


class Reader:
    """An encoder and the linear output on it: a logit of each line of text.

    Attributes:
        base: the encoder's id and 8 digits of a hash of its weights, before they are trained.
    """

    def __init__(self, encoder: TextEncoder, device: torch.device) -> None:
        self.encoder, self.output = encoder, nn.Linear(encoder.size, 1)
        rng = torch.Generator().manual_seed(SEED)
        with torch.no_grad():
            self.output.weight.normal_(0, 0.02, generator=rng)
            self.output.bias.zero_()
        self.output.to(device)
        self.base = f"{encoder.id} {weights_hash(encoder.network.state_dict())}"

    @property
    def networks(self) -> Mapping[str, nn.Module]:
        """The encoder and its output."""
        return {"encoder": self.encoder.network, "head": self.output}

    def logits_of(self, lines: Sequence[str]) -> Tensor:
        """(N,) of N lines, with a gradient."""
        found: Tensor = self.output(self.encoder.embed(lines))[:, 0]
        return found

    @torch.no_grad()
    def logits(self, lines: Sequence[str]) -> Tensor:
        """(N,) float64 of N lines, on the CPU; an equal line is read once, the shortest first."""
        different = sorted(dict.fromkeys(lines), key=len)
        parts = [different[first : first + ROWS] for first in range(0, len(different), ROWS)]
        found = torch.cat([self.logits_of(part).double().cpu() for part in parts])
        places = {line: place for place, line in enumerate(different)}
        return found[[places[line] for line in lines]]

    def loss(self, real: Sequence[str], samples: Sequence[str]) -> float:
        """The mean of the two classes' cross-entropies, nats."""
        signed = -self.logits(real), self.logits(samples)
        return float(sum(F.softplus(each).mean() for each in signed)) / 2


class FineTuning(NamedParts):
    """Binary cross-entropy on real lines against samples; the weights of the lowest loss on others
    are kept beside those that are trained, and taken at the end.

    Attributes:
        done: steps.
        best: the lowest loss.
        waited: looks since then.
        ended: whether it has waited in vain, or made all of its steps.
    """

    counters = ("base", "done", "best", "waited", "ended")

    def __init__(self, reader: Reader, config: FineTuningConfig) -> None:
        self.reader, self.config, self.base = reader, config, reader.base
        self.done, self.best, self.waited, self.ended = 0, math.inf, 0, False
        self.kept: dict[str, Tensor] = {}
        self.optimisers = self._optimisers()

    def _optimisers(self) -> dict[str, Optimiser]:
        rates = {"encoder": self.config.learning_rate, "head": self.config.output_rate}
        return {
            name: Optimiser(torch.optim.AdamW, network.parameters(), rates[name])
            for name, network in self.reader.networks.items()
        }

    def step(self, real: Sequence[str], samples: Sequence[str]) -> Metrics:
        """One update on lines of both sides, as many of each, and its loss before it."""
        logits = self.reader.logits_of([*real, *samples])
        truth = torch.tensor([1.0] * len(real) + [0.0] * len(samples), device=logits.device)
        loss = F.binary_cross_entropy_with_logits(logits, truth)
        for optimiser in self.optimisers.values():
            optimiser.zero_grad()
        torch.autograd.backward(loss)
        ranks.average([w.grad for w in self._weights() if w.grad is not None])
        for optimiser in self.optimisers.values():
            optimiser.step()
        self.done += 1
        return {"judge_loss": loss.detach()}

    def _weights(self) -> Sequence[nn.Parameter]:
        return [w for network in self.reader.networks.values() for w in network.parameters()]

    @property
    def is_due(self) -> bool:
        """Whether it is looked at after the step that was made last."""
        return self.done % self.config.look_every == 0 or self.done == self.config.steps

    def look(self, loss: float) -> None:
        """Keep the weights where the loss on sentences that it is not trained on is the lowest."""
        self.waited += 1
        if loss < self.best:
            self.best, self.waited, self.kept = loss, 0, self._copied()
        if self.waited >= self.config.patience or self.done >= self.config.steps:
            self.end()

    def end(self) -> None:
        """Take the best weights; what only more steps would need is dropped."""
        for name, weight in self._named().items():
            if name in self.kept:
                weight.copy_(self.kept[name])
        self.kept, self.ended, self.optimisers = {}, True, self._optimisers()

    def refresh(self, batches: Sequence[tuple[Sequence[str], Sequence[str]]]) -> Metrics:
        """Some more steps on newer samples, by optimisers of which nothing is kept after them."""
        found: Metrics = {}
        for real, samples in batches:
            found = self.step(real, samples)
        self.optimisers = self._optimisers()
        return found

    def _named(self) -> dict[str, Tensor]:
        states = {name: one.state_dict() for name, one in self.reader.networks.items()}
        return {f"{name}.{key}": states[name][key] for name in states for key in states[name]}

    def _copied(self) -> dict[str, Tensor]:
        return {name: weight.detach().clone() for name, weight in self._named().items()}

    # State

    def parts(self) -> Mapping[str, Any]:
        """The networks and their optimisers."""
        optimisers = {f"{name}_optimiser": one for name, one in self.optimisers.items()}
        return {**self.reader.networks, **optimisers}

    def state_dict(self) -> dict[str, Any]:
        """Weights, those that are kept, optimiser states and counters."""
        return {**super().state_dict(), "kept": self.kept}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Restore what `state_dict` gave."""
        super().load_state_dict(state)
        device = self.reader.output.weight.device
        self.kept = {name: weight.to(device) for name, weight in state["kept"].items()}
