"""The random LSTM that the synthetic task takes for the truth (the papers' "oracle").

Yu et al. 2017, SeqGAN, section 4. One step, for gates g = i, f, og (output), c (candidate):

    a_g = E[x] @ w_g + h @ u_g + b_g
    c' = sigmoid(a_f) * c + sigmoid(a_i) * tanh(a_c)
    h' = sigmoid(a_og) * tanh(c')
    logits = h' @ wo + bo

from h = c = 0 and start token 0. Legend: N sequences, B rows at a time, L their fixed length,
V words, D embedding, H hidden units.
"""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from gantext.records.npz import read_floats

_GATES = ("i", "f", "og", "c")
_ROWS = 200  # (B, V) logits of this many rows stay near the processor's caches
_BLOCK = 100  # words whose probabilities are summed first when a word is drawn


def parameter_shapes(vocab_size: int, embedding: int, hidden: int) -> dict[str, tuple[int, ...]]:
    """Return the name and shape of every parameter, in the order in which a seed draws them."""
    shapes: dict[str, tuple[int, ...]] = {"embedding": (vocab_size, embedding)}
    for gate in _GATES:
        shapes[f"w{gate}"] = (embedding, hidden)
        shapes[f"u{gate}"] = (hidden, hidden)
        shapes[f"b{gate}"] = (hidden,)
    return {**shapes, "wo": (hidden, vocab_size), "bo": (vocab_size,)}


def draw_parameters(
    shapes: Mapping[str, tuple[int, ...]], generator: torch.Generator
) -> dict[str, Tensor]:
    """Draw every parameter from N(0, 1), as SeqGAN does."""
    return {name: torch.randn(shape, generator=generator) for name, shape in shapes.items()}


def read_parameters(path: Path, shapes: Mapping[str, tuple[int, ...]]) -> dict[str, Tensor]:
    """Read an .npz with one float array for each name in `shapes`.

    Raises UserError when the file is damaged, or an array is missing or has another shape.
    """
    arrays = read_floats(path, shapes)
    return {name: torch.from_numpy(array) for name, array in arrays.items()}


class LstmTruth:
    """A `Truth` over sequences of exactly `length` words "0", "1", ... (V - 1).

    parameters: see `parameter_shapes`.
    """

    def __init__(self, parameters: Mapping[str, Tensor], length: int) -> None:
        self.length = length
        self._embedding = parameters["embedding"]  # (V, D)
        # The four gates in one product: (D, 4H), (H, 4H), (4H,).
        self._w = torch.cat([parameters[f"w{gate}"] for gate in _GATES], dim=1)
        self._u = torch.cat([parameters[f"u{gate}"] for gate in _GATES], dim=1)
        self._b = torch.cat([parameters[f"b{gate}"] for gate in _GATES])
        self._wo, self._bo = parameters["wo"], parameters["bo"]
        self._ids = {str(i): i for i in range(len(self._bo))}

    def log_prob(self, sentences: Sequence[Sequence[str]]) -> np.ndarray:
        """(N,) float64: sum over the words of log p(word | words before), in nats per sentence.

        -inf where the length is not `length` or a word is not a number below V.
        """
        result = np.full(len(sentences), -np.inf)
        ids = [[self._ids.get(word, -1) for word in sentence] for sentence in sentences]
        rows = [i for i, row in enumerate(ids) if len(row) == self.length and -1 not in row]
        for start in range(0, len(rows), _ROWS):
            part = rows[start : start + _ROWS]
            result[part] = self._log_prob(torch.tensor([ids[i] for i in part])).numpy()
        return result

    def entropy(self) -> float:
        """NaN: it has no closed form; minus the mean `log_prob` of samples estimates it."""
        return float("nan")

    @torch.no_grad()
    def sample(self, n: int, generator: torch.Generator) -> Tensor:
        """(n, L) int64: independent sequences of word numbers 0 to V - 1.

        Equal for equal generators on one machine; float32 rounding may differ on another.
        """
        parts = [torch.empty(0, self.length, dtype=torch.int64)]
        for start in range(0, n, _ROWS):
            rows = min(_ROWS, n - start)
            parts.append(torch.empty(rows, self.length, dtype=torch.int64))
            for t, logits in enumerate(self._unroll(parts[-1])):
                parts[-1][:, t] = _draw(logits, generator)
        return torch.cat(parts)

    @torch.no_grad()
    def _log_prob(self, ids: Tensor) -> Tensor:
        total = torch.zeros(len(ids), dtype=torch.float64)
        for t, logits in enumerate(self._unroll(ids)):
            chosen = logits.gather(1, ids[:, t : t + 1]).squeeze(1)  # (B,)
            total += (chosen - logits.logsumexp(dim=1)).double()
        return total

    def _unroll(self, ids: Tensor) -> Iterator[Tensor]:
        """Yield (B, V) logits for each of the L places; ids[:, t] is read only after place t."""
        x = torch.zeros(len(ids), dtype=torch.int64)  # the start token
        h = c = torch.zeros(len(ids), len(self._u))  # (B, H)
        for t in range(self.length):
            gates = self._embedding[x] @ self._w + h @ self._u + self._b  # (B, 4H)
            i, f, og, candidate = gates.chunk(4, dim=1)
            c = f.sigmoid() * c + i.sigmoid() * candidate.tanh()
            h = og.sigmoid() * c.tanh()
            yield torch.addmm(self._bo, h, self._wo)
            x = ids[:, t]


def _draw(logits: Tensor, generator: torch.Generator) -> Tensor:
    """(B, V) -> (B,) int64: one word a row from softmax(logits), by the inverse CDF.

    First a block of words, then a word of it: summing all V probabilities cumulatively would
    cost more than the LSTM itself. One uniform number decides both.
    """
    rows, words = logits.shape
    missing = -words % _BLOCK
    p = torch.nn.functional.pad(logits.softmax(dim=1), (0, missing)).view(rows, -1, _BLOCK)
    blocks = p.sum(dim=2).double().cumsum(dim=1)  # (B, blocks)
    u = torch.rand(rows, 1, generator=generator, dtype=torch.float64) * blocks[:, -1:]
    block = torch.searchsorted(blocks, u, right=True).clamp(max=blocks.shape[1] - 1)
    below = torch.nn.functional.pad(blocks, (1, 0)).gather(1, block)  # (B, 1) sum before it
    inside = p[torch.arange(rows), block.squeeze(1)].double().cumsum(dim=1)  # (B, _BLOCK)
    word = torch.searchsorted(inside, u - below, right=True).clamp(max=_BLOCK - 1)
    return (block * _BLOCK + word).clamp(max=words - 1).squeeze(1)
