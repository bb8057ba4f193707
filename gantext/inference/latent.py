"""Sentences to latent vectors and back, for the commands that only a latent variable allows.

Shapes: N sentences, T tokens, Z latent.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from gantext.data.batches import of_like_length
from gantext.data.corpus import Split
from gantext.data.flat import Tokens
from gantext.errors import UserError
from gantext.inference.beam import beam_rows, beam_search
from gantext.inference.options import How
from gantext.inference.request import signed_temperature
from gantext.inference.sampling import naming
from gantext.metrics.score import Setting
from gantext.models.contract import Latent
from gantext.nn.rng import generator
from gantext.nn.text.sampling import SamplingOptions, check_drawn
from gantext.runs.trained import TrainedText

ROWS = 1000


@dataclass(frozen=True)
class Decoding:
    """How a latent vector becomes a sentence; `temperature` and `seed` are those of samples."""

    how: How = How.greedy
    beam: int = 5
    temperature: float = 1.0
    seed: int = 0

    def signature(self) -> dict[str, Setting]:
        """The settings that matter for the way chosen."""
        temperature = signed_temperature(self.temperature)
        sampled: dict[str, Setting] = {"temperature": temperature, "decode_seed": self.seed}
        own: dict[How, dict[str, Setting]] = {How.beam: {"beam": self.beam}, How.sample: sampled}
        return {"how": self.how.value, **own.get(self.how, {})}


def latent_of(trained: TrainedText, command: str) -> Latent:
    """The run's algorithm. Raises UserError when it has no latent variable."""
    if not isinstance(trained.algorithm, Latent):
        name = trained.settings.model.name
        raise UserError(
            f"{trained.run.path.name}: model={name} has no latent variable; "
            f"{command} needs model=vae"
        )
    return trained.algorithm


def posterior_means(algorithm: Latent, tokens: Tokens | Tensor, device: torch.device) -> Tensor:
    """The means of q(z | x), (N, Z), of N sentences; those of like length are read together."""
    batches = list(of_like_length(tokens, ROWS))
    means = torch.cat([algorithm.encode(rows.to(device))[0] for _, rows in batches])
    return means[torch.cat([places for places, _ in batches]).argsort().to(device)]


def decode_latent(trained: TrainedText, z: Tensor, decoding: Decoding) -> Tensor:
    """A sentence for each row of z, (N, Z): (N, T) int64, <eos> then <pad>."""
    algorithm = latent_of(trained, "decoding")
    width = trained.run.info["max_length"]
    if decoding.how is How.beam:
        rows = beam_rows(len(trained.vocabulary), decoding.beam, z.device)
        return torch.cat([_best(algorithm, part, width, decoding) for part in torch.split(z, rows)])
    options = SamplingOptions(0.0 if decoding.how is How.greedy else decoding.temperature)
    rng = generator(decoding.seed, "decoding", trained.device)
    tokens = torch.cat([algorithm.decode(part, rng, options) for part in torch.split(z, ROWS)])
    with naming(trained.run):
        check_drawn(tokens)
    return tokens


def _best(algorithm: Latent, z: Tensor, width: int, decoding: Decoding) -> Tensor:
    """The first of each beam, (N, T)."""
    return beam_search(algorithm.policy(z), len(z), width, decoding.beam).tokens[:, 0]


def chosen(split: Split, sentences: int, seed: int) -> Tensor:
    """So many sentences of a split, (N, T): all, or a choice that the seed decides."""
    order = torch.randperm(len(split), generator=torch.Generator().manual_seed(seed))
    return split.tokens.take(order[:sentences].sort().values.numpy()).padded()
