"""The judge encoder: a pretrained sentence encoder, fine-tuned to tell real text from samples.

What it has read elsewhere it need not learn from ten thousand captions, so that it tells apart
sentences it never saw where a network trained from nothing knows its own by heart. It reads text:
both sides are written from tokens in one way (`Sides.lines`).

Its dropout is off, also in training: torch draws it from random numbers that belong to nobody.

Shapes: N sentences, D size of an embedding, P tokens of the encoder's own.
"""

import copy
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from gantext.data.batches import Batches
from gantext.inference.judges import pretrained
from gantext.inference.judges.cache import (
    State,
    cache_name,
    cached_weights,
    judges_folder,
    weights_hash,
)
from gantext.inference.judges.contract import Say
from gantext.inference.judges.pretrained import JUDGE, encoder_id
from gantext.inference.judges.sides import FRESH, Sides
from gantext.nn.optim import Optimiser
from gantext.nn.state import restore
from gantext.nn.text.sampling import SamplingOptions

NAME = "encoder"
SEED = 81
VERSION = "encoder-1"  # goes up with every change that changes the weights
# On the COCO captions held-out loss .545 and AUC .80 after 800 steps, still rising a little.
RATE, HEAD_RATE, BATCH_SIZE = 5e-5, 1e-3, 32
STEPS, LOOKED, PATIENCE = 800, 100, 2  # steps; between looks; looks without a lower loss
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


@dataclass(frozen=True)
class EncoderJudge:
    """An encoder, the linear output on it, and the run whose samples it judges."""

    sides: Sides
    encoder: TextEncoder
    head: nn.Linear
    digest: str
    name: str = NAME
    stopped_by_half: bool = True

    def logits(self, tokens: Tensor) -> Tensor:
        """(N,) of (N, T) tokens."""
        return read_logits(self.encoder, self.head, self.sides.lines(tokens))


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


def encoder_judge(sides: Sides, encoder: TextEncoder, say: Say) -> EncoderJudge:
    """The judge of a run by an encoder: from the cache, or fine-tuned now and kept.

    Raises:
        UserError: the run's data has no held-out sentences.
    """
    rng = torch.Generator().manual_seed(SEED)
    head = nn.Linear(encoder.size, 1)
    with torch.no_grad():
        head.weight.normal_(0, 0.02, generator=rng)
        head.bias.zero_()
    head.to(sides.trained.device)
    asked = cache_name(VERSION, encoder.id, *sides.key, STEPS, SEED)
    folder = judges_folder() / f"{NAME}-{asked}"
    state = cached_weights(folder, lambda: _fine_tuned(sides, encoder, head, say))
    for name, part in (("encoder", encoder.network), ("head", head)):
        restore(part, state[name], folder, name)
    return EncoderJudge(sides, encoder, head, weights_hash(state["encoder"] | state["head"]))


def _fine_tuned(sides: Sides, encoder: TextEncoder, head: nn.Linear, say: Say) -> State:
    """The weights of the lowest loss on half of the held-out sentences and as many samples twice
    over; each step has as many real sentences as samples."""
    held = sides.padded(sides.held_out)[::2]
    say(f"{sides.name}: training {NAME}, {STEPS} steps at most")
    fresh = sides.samples(FRESH * len(held), "stop", SamplingOptions())
    looked_at = sides.lines(held), sides.lines(fresh)
    optimisers = [
        Optimiser(torch.optim.AdamW, encoder.network.parameters(), RATE),
        Optimiser(torch.optim.AdamW, head.parameters(), HEAD_RATE),
    ]
    best, waited, kept = float("inf"), 0, _weights(encoder, head)
    for step, (real, samples) in enumerate(_batches(sides), 1):
        logits = head(encoder.embed([*real, *samples]))[:, 0]
        truth = torch.tensor([1.0] * len(real) + [0.0] * len(samples), device=logits.device)
        torch.autograd.backward(F.binary_cross_entropy_with_logits(logits, truth))
        for optimiser in optimisers:
            optimiser.step()
            optimiser.zero_grad()
        if step % LOOKED and step < STEPS:
            continue
        loss = _loss(encoder, head, *looked_at)
        say(f"{sides.name}: training {NAME}, step {step} of {STEPS}, held-out loss {loss:.3f}")
        waited += 1
        if loss < best:
            best, waited, kept = loss, 0, _weights(encoder, head)
        if waited == PATIENCE:
            break
    return kept


def _batches(sides: Sides) -> Iterator[tuple[list[str], list[str]]]:
    """The real lines and the lines of samples of each step; no sample comes twice."""
    half = BATCH_SIZE // 2
    real = Batches(sides.training.known(), SEED)
    fresh = sides.samples(STEPS * half, "train", SamplingOptions())
    for rows in torch.split(fresh, half):
        yield sides.lines(real.next(half)), sides.lines(rows)


def _weights(encoder: TextEncoder, head: nn.Linear) -> State:
    return copy.deepcopy(
        {"encoder": dict(encoder.network.state_dict()), "head": dict(head.state_dict())}
    )


def _loss(
    encoder: TextEncoder, head: nn.Linear, real: Sequence[str], samples: Sequence[str]
) -> float:
    """The mean of the two classes' cross-entropies, nats."""
    signed = -read_logits(encoder, head, real), read_logits(encoder, head, samples)
    return float(sum(F.softplus(one).mean() for one in signed)) / 2


@torch.no_grad()
def read_logits(encoder: TextEncoder, head: nn.Linear, lines: Sequence[str]) -> Tensor:
    """(N,) float64 of N lines, on the CPU; an equal line is read once, the shortest first."""
    different = sorted(dict.fromkeys(lines), key=len)
    parts = [different[first : first + ROWS] for first in range(0, len(different), ROWS)]
    found = torch.cat([head(encoder.embed(part))[:, 0].double().cpu() for part in parts])
    places = {line: place for place, line in enumerate(different)}
    return found[[places[line] for line in lines]]
