"""The discriminator's features of every prefix: what LeakGAN leaks to its manager.

The features are the vector after the highway layer. In a sentence that is still being written a
window that reaches past its end reads the embedding of a symbol of its own, 'not yet generated',
there; past <eos> it reads zeros, as in any whole sentence. A window begins at each word; the empty
prefix has the one that is 'not yet generated' throughout. Shapes: B batch, T steps, V vocabulary,
w a filter's width, F_w its filters, F all filters, N rows.

With c_j the product of a filter's tap j and a word, and u_j that of tap j and 'not yet generated',
a window that began i words ago has read S_i[t] = S_{i-1}[t-1] + c_i[t]; what it has not read yet
adds U_i = u_{i+1} + ... + u_{w-1}. So windows begin full of 'not yet generated', and each word
takes its place: x_t adds c_i[t] - u_i. Two exact short cuts follow:
- all prefixes of a batch in one pass (`leaked_features`);
- word by word (`read`): the running maximum of finished windows and the sums of the open ones are
  kept, so a word costs w additions a filter, however long the prefix is.
"""

import contextlib
from collections.abc import Callable, Iterator, Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from gantext.data.vocabulary import EOS, PAD
from gantext.models.leakgan.window_sums import WindowSums
from gantext.nn.autocast import in_tf32, without_autocast
from gantext.nn.text.output_layer import ALIGNED
from gantext.nn.text.sampling import State
from gantext.nn.text.text_cnn import SHARED_NUMBERS, DiscriminatorConfig, TextCNN
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
        shapes = [convolution.get_parameter("weight").shape for convolution in self.convolutions]
        self.sums = WindowSums([shape[2] for shape in shapes], [shape[0] for shape in shapes])
        self._reading, self._table, self._by_table = KeptTensors(), KeptTensors(), False

    # All prefixes in one pass

    def prefix_products(self, words: Tensor, convolution: nn.Module) -> Tensor:
        """What each word (...) adds to the windows that read it at each tap, (..., w, F_w)."""
        instead, rest = self._of_unread(convolution)
        ended = (words == EOS)[..., None, None].to(rest.dtype)
        products = super().prefix_products(words, convolution)
        return products.sub_(instead).addcmul_(rest, ended, value=-1)

    def _of_unread(self, convolution: nn.Module) -> tuple[Tensor, Tensor]:
        """What a word at each tap takes the place of, and what <eos> takes away, (w, F_w) each.

        A window begins with S_0 = c_0 + U_0, so that the first tap takes away less than nothing.
        """
        unread = tap_products(self.not_yet, convolution)  # u, (w, F_w)
        rest = unread_after(unread)
        return torch.cat([-rest[:1], unread[1:]]), rest

    @torch.no_grad()
    def leaked_features(self, tokens: Tensor) -> Tensor:
        """Features of each prefix of (B, T) sentences, (B, T + 1, F), fp32, without gradient.

        [:, s] are those of the first s words (0: of the empty prefix). They do not change after
        a sentence's end. <pad> costs nothing in the highway layer.
        """
        valid = tokens != PAD
        lengths = valid.sum(1)
        if tokens.device.type != "cpu":  # which would be waited for to leave out <pad>
            empty = self._empty_pooled()[:, None].expand(len(tokens), 1, self.size)
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

    def start_reading(self) -> State:
        """The state of an empty prefix: maxima of finished windows (1, F), sums of open ones."""
        return self.sums.start(self.embedding.weight)

    @torch.no_grad()
    def read(self, state: State, tokens: Tensor) -> tuple[State, Tensor]:
        """Read one word a row, (N,): the new state, and the features (N, F) of the new prefix."""
        state, pooled = self.sums.read(state, self._added(tokens)[:, : self.sums.size])
        return state, self.highway(pooled).float()

    @torch.no_grad()
    def empty_features(self) -> Tensor:
        """Features of the empty prefix, (1, F)."""
        return self.highway(self._empty_pooled()).float()

    def renew(self, rows: int) -> None:
        """Make anew what so many rows read words by, if a weight has changed."""
        if self._has_table(rows):
            self.table()
        else:
            self._words_and_taps()

    @contextlib.contextmanager
    def read_often(self, words: int) -> Iterator[None]:
        """Within this block a CPU reads `words` words, and may read as many again of these weights.

        Then the table of all words pays, however few rows a step has. It does not for the samples
        of a step that changes these weights. It is not taken just because it is there: what is
        drawn would depend, in last bits, on what was drawn before.
        """
        all_words = self.embedding.num_embeddings
        pays = 2 * words >= all_words and all_words * self.sums.size <= SHARED_NUMBERS
        self._by_table = pays and self.embedding.weight.device.type == "cpu"
        try:
            yield
        finally:
            self._by_table = False

    def _empty_pooled(self) -> Tensor:
        windows = torch.cat([tap_products(self.not_yet, c).sum(0) for c in self.convolutions])
        return (windows + self._biases()).relu()[None]

    def _added(self, tokens: Tensor) -> Tensor:
        """What each row's word adds to its sums, (N, S or a few more), in fresh memory, fp32."""
        if self._has_table(len(tokens)):
            return self.table().index_select(0, tokens)
        words, taps = self._words_and_taps()
        with without_autocast(tokens.device):
            return words.index_select(0, tokens) @ taps

    def _has_table(self, rows: int) -> bool:
        """Whether words are looked up where a step has so many rows, in a table of all words."""
        return self._by_table or rows * TABLE_STEPS >= self.embedding.num_embeddings

    def table(self) -> Tensor:
        """What each word adds to the sums, (V, S or a few more); kept until a weight changes."""
        return self._table.of(self._read_weights(), lambda: [self._products()])[0]

    def _products(self) -> Tensor:
        words, taps = self._words_and_taps()
        with without_autocast(words.device):
            return words @ taps

    def _words_and_taps(self) -> Sequence[Tensor]:
        """Words (V, E + 2) and taps (E + 2, S or a few more), whose products `_added` are."""
        return self._reading.of(self._read_weights(), self._read_products)

    def _read_weights(self) -> list[Tensor]:
        filters = [weight for c in self.convolutions for weight in c.parameters()]
        return [self.embedding.weight, self.not_yet, *filters]

    def _read_products(self) -> list[Tensor]:
        """As in `prefix_products`, and with the bias where a window begins.

        A word has its embedding, 1, and whether it is <eos>.
        """
        words, taps = self.embedding.weight, []
        for convolution in self.convolutions:
            instead, rest = self._of_unread(convolution)
            always = -instead
            always[0] += convolution.get_parameter("bias")
            weight = convolution.get_parameter("weight").permute(1, 2, 0)  # (E, w, F_w)
            taps.append(torch.cat([weight, always[None], -rest[None]]))
        ended = torch.arange(len(words), device=words.device)[:, None] == EOS
        flat = self.sums.flat(taps)
        return [
            torch.cat([words, torch.ones_like(words[:, :1]), ended.to(words.dtype)], 1),
            F.pad(flat, (0, -flat.shape[1] % ALIGNED)),
        ]


class KeptTensors:
    """Tensors made of weights, until one of these changes.

    New ones are written into the same memory, where a captured graph would look for them; a CPU
    has no graphs, and lets go of the old ones first.
    """

    def __init__(self) -> None:
        self._made_of: list[object] = []
        self._kept: list[Tensor] = []

    @torch.no_grad()
    def of(self, weights: Sequence[Tensor], make: Callable[[], list[Tensor]]) -> list[Tensor]:
        """What `make` makes of the weights, whose changes are seen by their versions, as products
        are rounded now."""
        device = weights[0].device
        made_of = [device, in_tf32(device), *(weight._version for weight in weights)]
        if self._made_of != made_of:
            if device.type == "cpu":
                self._kept = []
            made = make()
            if self._kept and self._kept[0].device == made[0].device:
                for old, new in zip(self._kept, made, strict=True):
                    old.copy_(new)
            else:
                self._kept = made
            self._made_of = made_of
        return self._kept


def unread_after(unread: Tensor) -> Tensor:
    """U_i, the sum of u_j over j > i: (w, F_w) -> (w, F_w); the last is 0."""
    if unread.device.type != "cpu":  # where torch has no running sum that is the same each time
        later = torch.ones(len(unread), len(unread), device=unread.device).triu(1)
        return (later[:, :, None] * unread).sum(1)
    return unread.flip(0).cumsum(0).flip(0) - unread
