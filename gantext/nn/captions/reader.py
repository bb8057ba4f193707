"""Networks that read a caption.

Shapes: B batch, T words of a caption, F features.
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


def turned(tokens: Tensor) -> Tensor:
    """(B, T) places of each caption's words from its last to its first; padding stays."""
    places = torch.arange(tokens.shape[1], device=tokens.device)
    lengths = (tokens != PAD).sum(1, keepdim=True)
    return torch.where(places < lengths, lengths - 1 - places, places)
