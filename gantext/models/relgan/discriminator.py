"""The discriminator of many views: a text CNN over several small embeddings, a logit of each.

    (4)  e^r = a word's embedding in view r, its share of one embedding; of a relaxed word w a mean
    (5)  c^r = max over windows of relu(filters * e^r), the same filters in all views
    (6)  h^r = t relu(Wh c^r) + (1 - t) c^r, t = sigmoid(Wt c^r)
    (7)  D^r = Wo (Wf dropout(h^r) + bf) + bo

The loss is a mean over views, the logit of a sentence the mean of its views'. Windows begin at
words and may reach past the end, where all embeddings are 0, so that a sentence's logit does not
depend on padding.

Shapes: B sentences, T steps, N words, V vocabulary, R views, E embedding of all views, e = E / R of
one, Q = B R rows, w a filter's width, F_w its filters, F all filters.
"""

from collections.abc import Iterator

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from gantext.data.vocabulary import PAD
from gantext.models.relgan.config import DiscriminatorConfig
from gantext.nn.autocast import without_autocast
from gantext.nn.text.dropout import keep_mask
from gantext.nn.text.places import on_grid
from gantext.nn.text.sentence_judge import Discriminator
from gantext.nn.text.windows import different_words, first_equal, fitting_filters, tap_table
from gantext.nn.text.windows import largest_windows as windows_of_table

CHUNK_ELEMENTS = 2**18  # of windows looked at together: 1 MB stays in a core's second cache


class MultiViewCNN(Discriminator):
    """Logits of R views a sentence: above 0 for 'real', or for 'more real than `centre`'.

    Attributes:
        centre: what stands for 0 where a loss leaves a constant in the logits free; ().
    """

    centre: Tensor

    def __init__(
        self, vocab_size: int, config: DiscriminatorConfig, max_length: int, rng: torch.Generator
    ) -> None:
        super().__init__()
        self.config, view = config, config.embedding // config.views
        kept = fitting_filters(config.widths, config.filters, max_length)
        self.embedding = nn.Embedding(vocab_size, config.embedding, padding_idx=PAD)
        self.convolutions = nn.ModuleList(nn.Conv1d(view, f, width) for width, f in kept)
        size = sum(filters for _, filters in kept)
        self.transform = nn.Linear(size, size, bias=False)
        self.gate = nn.Linear(size, size, bias=False)
        self.hidden, self.output = nn.Linear(size, config.hidden), nn.Linear(config.hidden, 1)
        self.register_buffer("centre", torch.zeros(()))
        self._initialise(rng)

    @torch.no_grad()
    def _initialise(self, rng: torch.Generator) -> None:
        for name, parameter in self.named_parameters():
            if "bias" in name:
                nn.init.zeros_(parameter)
            else:
                std = 1.0 if "embedding" in name else parameter[0].numel() ** -0.5
                nn.init.normal_(parameter, 0.0, std, generator=rng)
        self.embedding.weight[PAD] = 0

    def embedded(self, tokens: Tensor, words: Tensor | None = None) -> Tensor:
        """Equation (4) of sentences (B, T), (B, T, E).

        Args:
            tokens: the sentences.
            words: vectors in the place of their words, (N, V), N of them as in `places`.
        """
        if words is None:
            found: Tensor = self.embedding(tokens)
            return found
        rows = on_grid(words @ self.embedding.weight, tokens)  # (B, T, E)
        return rows * (tokens != PAD)[:, :, None]

    def view_logits(
        self, tokens: Tensor, words: Tensor | None = None, rng: torch.Generator | None = None
    ) -> Tensor:
        """Equations (4) to (7) of sentences, (B, R), as `embedded`; with rng, dropout is on."""
        by_table = words is None and tokens.device.type == "cpu"
        pooled = self._of_words(tokens) if by_table else self._of_vectors(tokens, words)
        gate, changed = self.gate(pooled).sigmoid(), self.transform(pooled).relu()  # (Q, F)
        features = torch.lerp(pooled, changed.to(pooled.dtype), gate.to(pooled.dtype))
        if rng is not None and self.config.dropout:
            features = features * keep_mask(
                tuple(features.shape), self.config.dropout, features, rng
            )
        logits: Tensor = self.output(self.hidden(features)).float()
        return logits.view(-1, self.config.views)

    def _of_vectors(self, tokens: Tensor, words: Tensor | None) -> Tensor:
        """Equation (5), (Q, F)."""
        x = self.embedded(tokens, words).view(*tokens.shape, self.config.views, -1)
        x = x.transpose(1, 2).flatten(0, 1)  # (Q, T, e)
        ended = (tokens == PAD).repeat_interleave(self.config.views, 0)  # (Q, T)
        return torch.cat([largest_windows(x, ended, c) for c in self.convolutions], 1).relu()

    def _of_words(self, tokens: Tensor) -> Tensor:
        """Equation (5) of the words themselves, (Q, F), by tables of what each different word adds
        in each view: a few times as quick on a CPU (see nn/text/windows.py)."""
        views = self.config.views
        words, places = different_words(tokens, self.embedding.num_embeddings)
        rows = self.embedding(words).view(len(words) * views, -1)  # of a word in a view, e each
        in_views = places[:, None] * views + torch.arange(views)[:, None]  # (B, R, T)
        in_views = in_views.masked_fill(places[:, None] == PAD, PAD).flatten(0, 1)  # (Q, T)
        found = [
            windows_of_table(tap_table(rows, c), in_views, c.get_parameter("weight").shape[2])
            + c.get_parameter("bias")
            for c in self.convolutions
        ]
        return torch.cat(found, 1).relu()

    def logits(self, tokens: Tensor) -> Tensor:
        """Logit of each sentence (B, T) less the centre, (B,)."""
        return self.view_logits(tokens).mean(1) - self.centre

    @torch.no_grad()
    def move_centre(self, real: Tensor, fake: Tensor) -> None:
        """Let the centre follow the middle between logits of real and of generated sentences."""
        self.centre.lerp_((real.mean() + fake.mean()) / 2, 0.1)


def largest_windows(x: Tensor, ended: Tensor, convolution: nn.Module) -> Tensor:
    """Largest sum of each filter over the windows that begin at words, (Q, F_w), with the bias.

    Which window is the largest is seen without a gradient, a few rows at a time; it alone is
    computed with one. A convolution with a gradient keeps all windows, T times as many.

    Args:
        x: embedded sentences, (Q, T, e), 0 after the end.
        ended: whether a sentence has ended, (Q, T).
        convolution: its weight is (F_w, e, w).
    """
    weight, bias = convolution.get_parameter("weight"), convolution.get_parameter("bias")
    width = weight.shape[2]
    padded = F.pad(x, (0, 0, 0, width - 1))  # (Q, T + w - 1, e)
    with torch.no_grad(), without_autocast(x.device):  # places are counted in the type of sums
        first = torch.cat(list(_places(padded.float(), ended, weight)))  # (Q, F_w)
    reach = (first[:, :, None] + torch.arange(width, device=x.device)).flatten(1)  # (Q, F_w w)
    read = padded.gather(1, reach[:, :, None].expand(-1, -1, x.shape[2]))
    windows = read.view(len(read), -1, width, x.shape[2])  # (Q, F_w, w, e)
    return torch.einsum("qfwe,few->qf", windows, weight) + bias


def _places(padded: Tensor, ended: Tensor, weight: Tensor) -> Iterator[Tensor]:
    """Where the largest windows begin, (Q, F_w), some rows at a time."""
    filters, _, width = weight.shape
    flat = weight.flatten(1).T  # (e w, F_w)
    rows = len(padded)
    if padded.device.type == "cpu":
        rows = max(1, CHUNK_ELEMENTS // (filters * ended.shape[1]))
    for part, over in zip(torch.split(padded, rows), torch.split(ended, rows), strict=True):
        windows = part.transpose(0, 1).unfold(0, width, 1).flatten(2) @ flat  # (T, q, F_w)
        windows.masked_fill_(over.T[:, :, None], -torch.inf)
        yield first_equal(windows, windows.amax(0))
