"""A pretrained sentence encoder as a judge: fine-tuned to tell real text from samples.

What it has read elsewhere it need not learn from ten thousand captions, so that it tells apart
sentences it never saw where a network trained from nothing knows its own by heart. It reads text:
both sides have to be written from tokens in one way, or it would tell them by a space.

Its dropout is off, also in training: torch draws it from random numbers that belong to nobody.

Shapes: N sentences, D size of an embedding, P tokens of the encoder's own.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from gantext.nn import ranks
from gantext.nn.autocast import without_autocast
from gantext.nn.optim import Metrics, Optimiser
from gantext.nn.state import NamedParts, weights_hash
from gantext.nn.text.judges import pretrained
from gantext.nn.text.judges.config import EncoderConfig
from gantext.nn.text.judges.looked import Weights
from gantext.nn.text.judges.pretrained import JUDGE, encoder_id

SEED = 81  # of the output's first weights
ROWS = 64  # sentences of like length that are read together


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
        if hasattr(network, "pooler"):
            network.pooler = None  # reads the first state alone; some folders have no weights of it
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

    def weights(self) -> Weights:
        """All of them by name; not copied."""
        states = {name: network.state_dict() for name, network in self.networks.items()}
        return {f"{name}.{key}": one for name in states for key, one in states[name].items()}

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


class FineTuning(NamedParts):
    """Binary cross-entropy on real lines against samples, by AdamW: of the encoder, and of the
    output on it at a rate of its own.

    Attributes:
        base: of its reader, so that no other encoder goes on from its state.
    """

    counters = ("base",)

    def __init__(self, reader: Reader, config: EncoderConfig) -> None:
        self.reader, self.config, self.base = reader, config, reader.base
        self.optimisers = self._optimisers()

    def _optimisers(self) -> dict[str, Optimiser]:
        rates = {"encoder": self.config.learning_rate, "head": self.config.output_rate}
        return {
            name: Optimiser(torch.optim.AdamW, network.parameters(), rates[name])
            for name, network in self.reader.networks.items()
        }

    def step(self, real: Sequence[str], samples: Sequence[str]) -> Metrics:
        """One update on lines of both sides, as many of each, and the loss before it."""
        logits = self.reader.logits_of([*real, *samples])
        truth = torch.tensor([1.0] * len(real) + [0.0] * len(samples), device=logits.device)
        loss = F.binary_cross_entropy_with_logits(logits, truth)
        for optimiser in self.optimisers.values():
            optimiser.zero_grad()
        weights = [w for one in self.reader.networks.values() for w in one.parameters()]
        with without_autocast(loss.device):
            torch.autograd.backward(loss)
            ranks.average([weight.grad for weight in weights if weight.grad is not None])
            for optimiser in self.optimisers.values():
                optimiser.step()
        return {"judge_loss": loss.detach()}

    def rest(self) -> None:
        """Drop what only the next step of the same stretch of training would need."""
        for optimiser in self.optimisers.values():
            optimiser.zero_grad()
        self.optimisers = self._optimisers()

    def parts(self) -> Mapping[str, Any]:
        """The networks and their optimisers."""
        optimisers = {f"{name}_optimiser": one for name, one in self.optimisers.items()}
        return {**self.reader.networks, **optimisers}
