"""Networks that read a caption, and other captions that are nearly the same.

Shapes: B batch, T words of a caption, N captions, V vocabulary, F features.
"""

import torch
from torch import Tensor, nn

from gantext.data.vocabulary import PAD, UNK
from gantext.nn.text.lstm import initialise, lstm_pass


class CaptionReader(nn.Module):
    """An LSTM both ways over a caption.

    Attributes:
        size: F, twice the size of its state.
    """

    def __init__(self, vocab_size: int, embedding: int, hidden: int) -> None:
        super().__init__()
        self.size = 2 * hidden
        self.embedding = nn.Embedding(vocab_size, embedding)
        self.forwards = nn.LSTM(embedding, hidden, batch_first=True)
        self.backwards = nn.LSTM(embedding, hidden, batch_first=True)

    def states(self, tokens: Tensor) -> Tensor:
        """(B, T, F): what each word is in its caption (B, T); of padding, anything."""
        words, order = self.embedding(tokens), turned(tokens)[:, :, None]
        there, _ = lstm_pass(self.forwards, words)  # (B, T, F / 2)
        back, _ = lstm_pass(self.backwards, words.gather(1, order.expand_as(words)))
        return torch.cat([there, back.gather(1, order.expand_as(back))], 2)

    def read(self, tokens: Tensor) -> tuple[Tensor, Tensor]:
        """The words' states (B, T, F) and the whole caption's features, their largest, (B, F)."""
        states = self.states(tokens)
        return states, states.masked_fill((tokens == PAD)[:, :, None], -torch.inf).amax(1)

    def features(self, tokens: Tensor) -> Tensor:
        """(B, F) of captions (B, T); padding changes nothing."""
        return self.read(tokens)[1]


@torch.no_grad()
def initialise_reader(reader: CaptionReader, rng: torch.Generator) -> None:
    """As in language models, but a word never seen counts for nothing."""
    initialise(reader, rng)
    nn.init.normal_(reader.embedding.weight, generator=rng)
    reader.embedding.weight[UNK] = 0


@torch.no_grad()
def copy_reader(source: CaptionReader, target: CaptionReader) -> None:
    """Give `target` the weights of `source`, of the same sizes."""
    for name in ("embedding", "forwards", "backwards"):
        getattr(target, name).load_state_dict(getattr(source, name).state_dict())


def turned(tokens: Tensor) -> Tensor:
    """(B, T) places of each caption's words from its last to its first; padding stays."""
    places = torch.arange(tokens.shape[1], device=tokens.device)
    lengths = (tokens != PAD).sum(1, keepdim=True)
    return torch.where(places < lengths, lengths - 1 - places, places)


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
