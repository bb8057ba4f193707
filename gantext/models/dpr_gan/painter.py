"""What models that draw pictures of captions share: how they draw, and their state.

Shapes: N pictures, C channels, S side in pixels, T words of a caption, F features of a caption.
"""

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

from gantext.models.contract import PictureTask
from gantext.nn.captions.dual_encoder import DualEncoder
from gantext.nn.ema import Ema
from gantext.nn.state import NamedParts

DRAWN = 100  # captions illustrated together


class CaptionPainter(NamedParts):
    """What both variants have: a dual encoder, a generator, and the average of its weights."""

    counters = ("steps",)

    def __init__(
        self, task: PictureTask, encoder: DualEncoder, generator: nn.Module, ema: float
    ) -> None:
        self.task = task
        self.encoder, self.generator = encoder, generator
        self.ema = Ema(generator, ema)
        self.steps = 0  # of the phase adversarial

    def drawn(self, generator: nn.Module, tokens: Tensor, rng: torch.Generator) -> Tensor:
        """One picture of each caption (B, T), (B, C, S, S)."""
        raise NotImplementedError

    def draw(self, n: int, rng: torch.Generator) -> Tensor:
        """Draw n pictures (n, C, S, S) in [-1, 1] of training captions chosen at random."""
        device = self.task.device
        rows = torch.randint(len(self.task.captions), (n,), generator=rng, device=device)
        return self.draw_for(self.task.captions[rows.cpu()].to(device), rng)

    @torch.no_grad()
    def draw_for(self, tokens: Tensor, rng: torch.Generator) -> Tensor:
        """One picture of each caption (N, T), (N, C, S, S) in [-1, 1], by the average of G."""
        parts = torch.split(tokens, DRAWN)
        return torch.cat([self.drawn(self.ema.module, part, rng) for part in parts]).float()

    @torch.no_grad()
    def features(self, tokens: Tensor) -> Tensor:
        """What a discriminator or plain generator reads of captions (B, T): (B, F)."""
        return self.encoder.text.features(tokens).float()

    def networks(self) -> Mapping[str, nn.Module]:
        """Those that `load_pretrained` takes."""
        return {"dual_encoder": self.encoder, "generator": self.generator}

    def parts(self) -> Mapping[str, Any]:
        """Everything that has a state."""
        return {**self.networks(), "ema": self.ema}

    def load_pretrained(self, state: dict[str, Any]) -> None:
        """Take the weights of the networks, and the average of G."""
        for name, part in self.networks().items():
            part.load_state_dict(state[name])
        self.ema.module.load_state_dict(state["ema"]["module"])
