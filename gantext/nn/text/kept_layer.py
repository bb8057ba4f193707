"""Scores of the next word of a few rows at a time, by an output layer that is laid out for them.

Shapes: N rows, K features, V vocabulary, P words: the vocabulary and what fills it up.
"""

from collections.abc import Callable, Iterable

import torch
from torch import Tensor

from gantext.nn.autocast import in_tf32, narrow
from gantext.nn.text.output_layer import OutputLayer, aligned

# Words that are turned into columns together: of 4,661 with 2,048 weights each, all at once take
# twice as long, since columns of the rows' stride share a few lines of a CPU's cache.
TURNED = 64


class KeptLayer:
    """An output layer as (K, P), kept until a weight changes.

    P is a multiple of 16, and a word a column: MKL's product of 1 to 225 rows takes .55 to .95 of
    the time that it or oneDNN takes for (V, K), whose rows of scores begin anywhere. It is made of
    the weights alone, as products are rounded now, so that what is drawn does not depend on when.
    New weights are written into the same memory, where a captured graph would look for them.
    """

    def __init__(self) -> None:
        self._made_of: list[object] = []
        self._weight, self._bias = torch.empty(0, 0), torch.empty(0)

    @torch.no_grad()
    def scores(
        self, features: Tensor, weights: Iterable[Tensor], layer: Callable[[], OutputLayer]
    ) -> Tensor:
        """Scores of words by features (N, K), (N, P), fp32, without a gradient; -inf past V.

        Args:
            features: of the layer's inputs.
            weights: what the layer is made of, whose changes are seen by their versions.
            layer: makes it.
        """
        kind = narrow(features.device, torch.float32)
        rounding = features.device, kind, in_tf32(features.device)
        made_of = [*rounding, *((id(each), each._version) for each in weights)]
        if self._made_of != made_of:
            self._keep(aligned(layer()), kind)
            self._made_of = made_of
        return torch.addmm(self._bias, features.to(kind), self._weight).float()

    def _keep(self, layer: OutputLayer, kind: torch.dtype) -> None:
        words, weight = len(layer.weight), layer.weight
        if self._weight.shape != weight.T.shape or self._type() != (kind, weight.device):
            self._weight = torch.empty(weight.shape[1], words, dtype=kind, device=weight.device)
            self._bias = torch.empty(words, dtype=kind, device=weight.device)
        self._bias.copy_(layer.bias)
        together = TURNED if weight.device.type == "cpu" else words
        parts = torch.split(self._weight, together, 1), torch.split(weight, together)
        for columns, rows in zip(*parts, strict=True):
            columns.copy_(rows.T)

    def _type(self) -> tuple[torch.dtype, torch.device]:
        return self._weight.dtype, self._weight.device
