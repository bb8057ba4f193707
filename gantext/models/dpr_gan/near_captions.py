"""Training captions that are nearly the same as a caption.

Shapes: B batch, T words of a caption, N captions, V vocabulary.
"""

import torch
from torch import Tensor

from gantext.data.vocabulary import PAD


class NearCaptions:
    """The training captions that share most words with a caption, and not all: hard negatives.

    Dense passage retrieval takes its hard negatives by the words they share with the question
    (Karpukhin et al. 2020, section 3.2, by BM25); here by the Jaccard index of the sets of words.

    Args:
        captions: (N, T) word indices.
        kept: how many of the nearest are drawn from.
    """

    def __init__(self, captions: Tensor, vocab_size: int, kept: int) -> None:
        self.captions, self.kept = captions, min(kept, len(captions))
        self.vocab_size = vocab_size
        self.sets = self._sets(captions)  # (N, V)
        self.sizes = self.sets.sum(1)  # (N,)

    def draw(self, tokens: Tensor, count: int, rng: torch.Generator) -> Tensor:
        """Positions (B, count) of captions near each of (B, T), drawn with replacement."""
        near = self.nearest(tokens)
        places = torch.randint(
            near.shape[1], (len(tokens), count), generator=rng, device=tokens.device
        )
        return near.gather(1, places)

    def nearest(self, tokens: Tensor) -> Tensor:
        """Positions (B, kept), the nearest first.

        A caption that says every word of the other, or the same, comes last: it may describe the
        same picture.
        """
        own = self._sets(tokens)
        size, shared = own.sum(1, keepdim=True), own @ self.sets.T  # (B, 1), (B, N)
        index = shared / (size + self.sizes - shared)
        return index.masked_fill(shared == size, -1.0).topk(self.kept, dim=1).indices

    def _sets(self, tokens: Tensor) -> Tensor:
        """(B, V) 1 for the words of each caption (B, T)."""
        found = torch.zeros(len(tokens), self.vocab_size, device=tokens.device)
        found.scatter_(1, tokens, 1.0)
        found[:, PAD] = 0
        return found
