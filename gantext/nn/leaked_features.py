"""The discriminator's features of every prefix: what LeakGAN leaks to its manager.

The features are the vector after the highway layer. In a sentence that is still being written a
window that reaches past its end reads the embedding of a symbol of its own, 'not yet generated',
there; past <eos> it reads zeros, as in any whole sentence. A window begins at each word; the empty
prefix has the one that is 'not yet generated' throughout. Shapes: B batch, T steps, V vocabulary,
w a filter's width, F_w its filters, F all filters, N rows.

With c_j the product of a filter's tap j and a word, and u_j that of tap j and 'not yet generated',
a window that began i words ago has read S_i[t] = S_{i-1}[t-1] + c_i[t]; what it has not read yet
adds U_i = u_{i+1} + ... + u_{w-1}. Two exact short cuts follow:
- all prefixes of a batch in one pass (`leaked_features`): windows begin full of 'not yet
  generated', and each word takes its place, so word x_t adds c_i[t] - u_i;
- word by word (`read`): the running maximum of finished windows and the sums of the open ones are
  kept, so a word costs w additions a filter, however long the prefix is.
"""

import torch
from torch import Tensor, nn

from gantext.data.vocabulary import EOS, PAD
from gantext.nn.sampling import State
from gantext.nn.text_cnn import DiscriminatorConfig, TextCNN, prefix_windows, taps

# A table of all words pays once this many steps of a batch have as many words as it has.
TABLE_STEPS = 8


class LeakyTextCNN(TextCNN):
    """The text CNN with a symbol for what is not yet generated; whole sentences do not see it."""

    def __init__(
        self, vocab_size: int, config: DiscriminatorConfig, max_length: int, rng: torch.Generator
    ) -> None:
        super().__init__(vocab_size, config, max_length, rng)
        self.not_yet = nn.Parameter(torch.empty(config.embedding).normal_(generator=rng))

    # All prefixes in one pass

    def prefix_pooled(self, tokens: Tensor) -> Tensor:
        """Largest activation of each filter over the windows of each prefix, (B, T, F)."""
        if tokens.device.type != "cpu":  # a GPU would wait for the number of different words
            return self._prefix_pooled(tokens, None)
        words, places = torch.unique(tokens, return_inverse=True)
        return self._prefix_pooled(words, places)

    def _prefix_pooled(self, words: Tensor, places: Tensor | None) -> Tensor:
        embedded, ended = self.embedding(words), (words == EOS)[..., None, None]
        found = []
        for convolution in self.convolutions:
            unread = taps(self.not_yet, convolution)  # u, (w, F_w)
            rest = unread_after(unread)
            # A window begins with S_0 = c_0 + U_0. <eos> takes away what no longer comes.
            instead = torch.cat([-rest[:1], unread[1:]])
            products = taps(embedded, convolution) - instead - rest * ended
            products = products if places is None else products[places]  # (B, T, w, F_w)
            found.append(prefix_windows(products, convolution))
        return torch.cat(found, -1)

    @torch.no_grad()
    def leaked_features(self, tokens: Tensor) -> Tensor:
        """Features of each prefix of (B, T) sentences, (B, T + 1, F), fp32, without gradient.

        [:, s] are those of the first s words (0: of the empty prefix). They do not change after
        a sentence's end. <pad> costs nothing in the highway layer.
        """
        valid = tokens != PAD
        lengths = valid.sum(1)
        pooled = torch.cat(
            [self._empty_pooled(), self.prefix_pooled(tokens)[valid]]
        )  # (1+valid, F)
        features = self.highway(pooled).float()
        before = lengths.cumsum(0) - lengths
        steps = torch.arange(tokens.shape[1] + 1, device=tokens.device)
        read = torch.minimum(steps, lengths[:, None])  # (B, T + 1)
        return features[torch.where(read > 0, before[:, None] + read, 0)]

    # Word by word

    def start_reading(self, rows: int) -> State:
        """The state of an empty prefix: maxima (N, F), then open windows (N, w - 1, F_w) each."""
        nothing = self.embedding.weight.new_full((1,), -torch.inf)
        shapes = [(w - 1, f) for w, f in self._sizes() if w > 1]
        open_windows = (nothing.expand(rows, *shape) for shape in shapes)
        return nothing.expand(rows, self.size), *open_windows

    @torch.no_grad()
    def read(self, state: State, tokens: Tensor) -> tuple[State, Tensor]:
        """Read one word a row, (N,): the new state, and the features (N, F) of the new prefix."""
        best, waiting = state[0], iter(state[1:])
        going = (tokens != EOS)[:, None, None].float()
        bests, opens, pooled = [], [], []
        finished = torch.split(best, [filters for _, filters in self._sizes()], 1)
        products = self._products(tokens)
        for old, convolution, sums in zip(finished, self.convolutions, products, strict=True):
            width = sums.shape[1]
            if width > 1:
                sums[:, 1:] += next(waiting)  # (N, w, F_w)
            largest = torch.maximum(old, sums[:, -1])
            bests.append(largest)
            if width > 1:
                unfinished = sums[:, :-1]
                opens.append(unfinished)
                rest = unread_after(taps(self.not_yet, convolution))[:-1]
                largest = torch.maximum(largest, torch.addcmul(unfinished, rest, going).amax(1))
            pooled.append((largest + convolution.get_parameter("bias")).relu())
        return (torch.cat(bests, 1), *opens), self.highway(torch.cat(pooled, 1)).float()

    @torch.no_grad()
    def empty_features(self) -> Tensor:
        """Features of the empty prefix, (1, F)."""
        return self.highway(self._empty_pooled()).float()

    def _empty_pooled(self) -> Tensor:
        windows = [
            taps(self.not_yet, c).sum(0) + c.get_parameter("bias") for c in self.convolutions
        ]
        return torch.cat(windows).relu()[None]

    def _products(self, tokens: Tensor) -> list[Tensor]:
        """Each tap's product with each row's word, (N, w, F_w), fresh memory for every width."""
        if len(tokens) * TABLE_STEPS < self.embedding.num_embeddings:
            embedded = self.embedding(tokens)
            return [taps(embedded, convolution) for convolution in self.convolutions]
        pairs = zip(self.tables(), self._sizes(), strict=True)
        return [table.view(-1, width, filters)[tokens] for table, (width, filters) in pairs]

    def _sizes(self) -> list[tuple[int, int]]:
        """The width and the number of filters of each convolution."""
        shapes = [c.get_parameter("weight").shape for c in self.convolutions]
        return [(shape[2], shape[0]) for shape in shapes]


def unread_after(unread: Tensor) -> Tensor:
    """U_i, the sum of u_j over j > i: (w, F_w) -> (w, F_w); the last is 0."""
    return unread.flip(0).cumsum(0).flip(0) - unread
