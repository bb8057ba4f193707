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
from gantext.nn.text.sampling import State
from gantext.nn.text.text_cnn import DiscriminatorConfig, TextCNN
from gantext.nn.text.windows import tap_products

# A table of all words pays once this many steps of a batch have as many words as it has.
TABLE_STEPS = 8


class LeakyTextCNN(TextCNN):
    """The text CNN with a symbol for what is not yet generated; whole sentences do not see it."""

    def __init__(
        self, vocab_size: int, config: DiscriminatorConfig, max_length: int, rng: torch.Generator
    ) -> None:
        super().__init__(vocab_size, config, max_length, rng)
        self.not_yet = nn.Parameter(torch.empty(config.embedding).normal_(generator=rng))
        self._kept: tuple[list[int], Tensor, Tensor] | None = None  # of `_reading`
        self._tables: tuple[list[int], list[Tensor]] = ([], [])

    # All prefixes in one pass

    def prefix_products(self, words: Tensor, convolution: nn.Module) -> Tensor:
        """What each word (...) adds to the windows that read it at each tap, (..., w, F_w)."""
        unread = tap_products(self.not_yet, convolution)  # u, (w, F_w)
        rest = unread_after(unread)
        # A window begins with S_0 = c_0 + U_0. <eos> takes away what no longer comes.
        instead = torch.cat([-rest[:1], unread[1:]])
        ended = (words == EOS)[..., None, None].to(rest.dtype)
        products = super().prefix_products(words, convolution)
        return products.sub_(instead).addcmul_(rest, ended, value=-1)

    @torch.no_grad()
    def leaked_features(self, tokens: Tensor) -> Tensor:
        """Features of each prefix of (B, T) sentences, (B, T + 1, F), fp32, without gradient.

        [:, s] are those of the first s words (0: of the empty prefix). They do not change after
        a sentence's end. <pad> costs nothing in the highway layer.
        """
        valid = tokens != PAD
        lengths = valid.sum(1)
        if tokens.device.type != "cpu":  # which would be waited for to leave out <pad>
            empty = self._empty_pooled()[:, None].expand(len(tokens), -1, -1)
            features = self.highway(torch.cat([empty, self.prefix_pooled(tokens)], 1)).float()
            steps = torch.arange(tokens.shape[1] + 1, device=tokens.device)
            read = torch.minimum(steps, lengths[:, None])[..., None]  # (B, T + 1, 1)
            return features.gather(1, read.expand(-1, -1, self.size))
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
        """The state of an empty prefix: maxima of finished windows (N, F), sums of open ones.

        The sums of all widths lie in one (N, sum of (w - 1) F_w), each width's as (w - 1, F_w).
        """
        nothing = self.embedding.weight.new_full((1,), -torch.inf)
        waiting = sum((w - 1) * f for w, f in self._sizes())
        return nothing.expand(rows, self.size), nothing.expand(rows, waiting)

    @torch.no_grad()
    def read(self, state: State, tokens: Tensor) -> tuple[State, Tensor]:
        """Read one word a row, (N,): the new state, and the features (N, F) of the new prefix."""
        best, waiting = state
        going = (tokens != EOS)[:, None].float()
        taps, unread = self._reading()
        sums = self._products(tokens, taps)
        for began, old in zip(sums, self._windows(waiting, 1), strict=True):
            began[:, 1:] += old
        best = torch.maximum(best, torch.cat([each[:, -1] for each in sums], 1))
        waiting = torch.cat([each[:, :-1].flatten(1) for each in sums], 1)
        pooled = best
        if waiting.shape[1]:
            partial = self._windows(torch.addcmul(waiting, unread, going), 1)
            # A width of 1 has no open windows.
            largest = [each.amax(1) if each.shape[1] else None for each in partial]
            finished = torch.split(best, [f for _, f in self._sizes()], 1)
            pairs = zip(finished, largest, strict=True)
            pooled = torch.cat([f if o is None else torch.maximum(f, o) for f, o in pairs], 1)
        return (best, waiting), self.highway((pooled + self._biases()).relu()).float()

    @torch.no_grad()
    def empty_features(self) -> Tensor:
        """Features of the empty prefix, (1, F)."""
        return self.highway(self._empty_pooled()).float()

    def _empty_pooled(self) -> Tensor:
        windows = torch.cat([tap_products(self.not_yet, c).sum(0) for c in self.convolutions])
        return (windows + self._biases()).relu()[None]

    def _products(self, tokens: Tensor, taps: Tensor) -> list[Tensor]:
        """Each tap's product with each row's word, (N, w, F_w), in fresh memory, fp32."""
        if len(tokens) * TABLE_STEPS < self.embedding.num_embeddings:
            return self._windows((self.embedding(tokens) @ taps).float(), 0)
        pairs = zip(self.tables(), self._sizes(), strict=True)
        return [table.view(-1, width, filters)[tokens] for table, (width, filters) in pairs]

    @torch.no_grad()
    def tables(self) -> list[Tensor]:
        """For each width, the product of every word with every tap: (V * w, F_w), row v * w + j.

        Kept until a weight changes; fp32 also under autocast, since they outlive it.
        """
        weights = [self.embedding.weight, *(c.get_parameter("weight") for c in self.convolutions)]
        versions = [weight._version for weight in weights]
        if self._tables[0] != versions:
            made = [tap_products(weights[0], c).flatten(0, 1) for c in self.convolutions]
            self._tables = (versions, made)
        return self._tables[1]

    def _windows(self, flat: Tensor, fewer: int) -> list[Tensor]:
        """The widths' parts of (N, sum of (w - fewer) F_w), each (N, w - fewer, F_w)."""
        sizes = [(w - fewer, f) for w, f in self._sizes()]
        parts = torch.split(flat, [taps * filters for taps, filters in sizes], 1)
        return [part.view(len(part), *size) for part, size in zip(parts, sizes, strict=True)]

    def _reading(self) -> tuple[Tensor, Tensor]:
        """All taps, (E, sum of w F_w), and what open windows have not read, (sum of (w - 1) F_w).

        Kept until a weight changes, and fp32 under autocast, like `tables`.
        """
        weights = [c.get_parameter("weight") for c in self.convolutions]
        versions = [weight._version for weight in (self.not_yet, *weights)]
        if self._kept is None or self._kept[0] != versions:
            flat = [w.permute(1, 2, 0).flatten(1) for w in weights]
            symbol = self.not_yet[:, None]
            # Not a matrix product, which autocast would round.
            unread = [unread_after((w * symbol).sum(1).T)[:-1] for w in weights]
            self._kept = versions, torch.cat(flat, 1), torch.cat([u.flatten() for u in unread])
        return self._kept[1:]

    def _sizes(self) -> list[tuple[int, int]]:
        """The width and the number of filters of each convolution."""
        shapes = [c.get_parameter("weight").shape for c in self.convolutions]
        return [(shape[2], shape[0]) for shape in shapes]


def unread_after(unread: Tensor) -> Tensor:
    """U_i, the sum of u_j over j > i: (w, F_w) -> (w, F_w); the last is 0."""
    if unread.device.type != "cpu":  # where torch has no running sum that is the same each time
        later = torch.ones(len(unread), len(unread), device=unread.device).triu(1)
        return (later[:, :, None] * unread).sum(1)
    return unread.flip(0).cumsum(0).flip(0) - unread
