"""Text by classes: p(x) = sum over classes c of w_c p(x | c), of models that each write one class.

Shapes: N sentences or rows of a state, T steps, V vocabulary, K classes.
"""

from collections.abc import Callable, Iterator, Sequence

import torch
from torch import Tensor

from gantext.data.resident import sent
from gantext.data.vocabulary import PAD
from gantext.nn.text.lstm import TextGenerator
from gantext.nn.text.sampling import Policy, SamplingOptions, State, decode


def log_shares(counts: Sequence[int]) -> Tensor:
    """log w_c by the training sentences of each class, (K,); -inf for a class without any."""
    shares = torch.tensor(counts, dtype=torch.float64)
    return (shares / shares.sum()).log().float()


def drawn_classes(log_w: Tensor, n: int, rng: torch.Generator, draws: int = 0) -> Tensor:
    """Classes of n rows, (n,), each drawn by w; of so many `draws` in all, unless that is 0, each
    for as many rows: few classes are written faster than many."""
    if not 0 < draws < n:
        return torch.multinomial(log_w.exp(), n, replacement=True, generator=rng)
    drawn = torch.multinomial(log_w.exp(), draws, replacement=True, generator=rng)
    return drawn.repeat_interleave(-(-n // draws))[:n]


def rows_of_classes(labels: Tensor) -> Iterator[tuple[int, Tensor]]:
    """The classes of labels (N,) in order, and the rows that each has, on the host. A GPU is waited
    for where the labels are on it."""
    here = labels.cpu()
    for label in sorted(set(here.tolist())):
        yield label, (here == label).nonzero()[:, 0]


def written_of(
    model_of: Callable[[int], Policy],
    labels: Tensor,
    length: int,
    rng: torch.Generator,
    options: SamplingOptions,
    device: torch.device,
) -> Tensor:
    """A sentence of each class of labels (N,), (N, T), one class after the other."""
    tokens = torch.full((len(labels), length), PAD, device=device)
    for label, rows in rows_of_classes(labels):
        written = decode(model_of(label), len(rows), length, rng, options)
        tokens[sent(rows, device)] = written
    return tokens


def marginal_log_prob(models: Sequence[TextGenerator], log_w: Tensor, tokens: Tensor) -> Tensor:
    """log sum_c w_c p(x | c) of sentences (N, T), (N,), nats."""
    each = [model.token_log_prob(tokens).sum(1) for model in models]
    return (torch.stack(each, 1) + log_w).logsumexp(1)


class Mixture:
    """Writes word by word by p(x_t | x_<t) = sum_c p(c | x_<t) p(x_t | x_<t, c), a `Policy`.

    So whatever stands before the next word, such as a prompt, says of which class a sentence is.
    The state is log p(c | x_<t), (N, K), then the states of the models one after the other.

    Args:
        models: one of each class; all have states of one form.
        log_w: log-probabilities of the classes before the first word, (K,).
    """

    def __init__(self, models: Sequence[Policy], log_w: Tensor) -> None:
        self.models, self.log_w = models, log_w
        (self.vocab_size,) = {model.vocab_size for model in models}

    def start(self, rows: int) -> State:
        """The state that has read <bos>."""
        return self._state(self.log_w.expand(rows, -1), [m.start(rows) for m in self.models])

    def advance(self, state: State, tokens: Tensor) -> State:
        """Read one token a row, (N,). One that no class writes, such as <pad> and <unk>, says
        nothing of the class."""
        posterior, parts = self._parts(state)
        pairs = list(zip(self.models, parts, strict=True))
        each = [self._log_prob(m, part).gather(1, tokens[:, None])[:, 0] for m, part in pairs]
        joint = posterior + torch.stack(each, 1)
        total = joint.logsumexp(1, keepdim=True)
        posterior = torch.where(total > -torch.inf, joint - total, posterior)
        return self._state(posterior, [m.advance(part, tokens) for m, part in pairs])

    def logits(self, state: State) -> Tensor:
        """log p of the next word, (N, V) or a few more columns, as the models have."""
        posterior, parts = self._parts(state)
        found: Tensor | None = None
        for c, (model, part) in enumerate(zip(self.models, parts, strict=True)):
            joint = posterior[:, c, None] + self._log_prob(model, part)
            found = joint if found is None else torch.logaddexp(found, joint)
        assert found is not None
        return found

    def _log_prob(self, model: Policy, state: State) -> Tensor:
        return model.logits(state).log_softmax(1)

    def _state(self, posterior: Tensor, parts: Sequence[State]) -> State:
        return (posterior, *(one for part in parts for one in part))

    def _parts(self, state: State) -> tuple[Tensor, list[State]]:
        posterior, *rest = state
        size = len(rest) // len(self.models)
        return posterior, [tuple(rest[c : c + size]) for c in range(0, len(rest), size)]
