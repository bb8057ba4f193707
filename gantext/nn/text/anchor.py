"""A generator held to what it was: the Kullback-Leibler divergence from its own earlier self.

Shapes: B sentences, b those of this rank, T steps, N places (see `places`).
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from gantext.data.vocabulary import PAD
from gantext.nn import ranks
from gantext.nn.text.lstm import WordModel, at_words
from gantext.nn.text.output_layer import OutputLayer, word_kl
from gantext.nn.text.places import counted
from gantext.nn.text.rewards import leave_one_out_mean


@dataclass(frozen=True)
class Held:
    """What holds a policy p to its anchor q on samples.

    Attributes:
        loss: the sum of KL(p || q) at their prefixes, over b times the longest length; ().
        later: what the words after each one diverge by, less what others' do, (B, T), nats.
        kl: KL(p || q) at each place, (N,), nats.
    """

    loss: Tensor
    later: Tensor
    kl: Tensor


class Anchor:
    """A frozen copy of a generator, and the gradient of the divergence from it.

    KL(p || q) of sentences is the mean over samples of the sum, over their prefixes, of KL between
    the distributions of the next word, each exact over the vocabulary. Its gradient has two terms:
    that of each of these, and, since p also draws the prefixes, d log p(x_t) times the sum of those
    after word t (Amini, Vieira & Cotterell 2025, arXiv 2504.10637, the Rao-Blackwellised estimator;
    a loss of the first term alone is not the gradient of the KL of sentences, Tang & Munos 2025,
    arXiv 2506.09477).

    Attributes:
        frozen: q; it takes no gradient.
    """

    def __init__(self, frozen: WordModel) -> None:
        self.frozen = frozen.eval().requires_grad_(False)

    def drop(self, generator: WordModel) -> None:
        """Hold to what the generator is now."""
        self.frozen.load_state_dict(generator.state_dict())

    def hold(
        self,
        layer: OutputLayer,
        features: Tensor,
        tokens: Tensor,
        longest: int,
        temperature: float = 1.0,
    ) -> Held:
        """The divergence on the policy's samples.

        Args:
            layer: the policy's output layer.
            features: what it reads of this rank's sentences, (N, K), with a gradient.
            tokens: the sentences of all ranks, (B, T).
            longest: of a sentence of the task.
            temperature: at which they were drawn; `features` are divided by it already.
        """
        own = ranks.mine(tokens)
        with torch.no_grad():
            read = self.frozen.valid_features(own)
            read = read if temperature == 1 else read / temperature
            other = self.frozen.output_layer(written=True)
        weights = torch.ones_like(read[:, 0], dtype=torch.float32)
        counts = counted(own)
        weights = weights if counts is None else weights * counts
        loss, kl = word_kl(layer, features, other, read, weights / (len(own) * longest))
        whole = ranks.gathered(at_words(kl, own), len(tokens))  # (B, T)
        return Held(loss, later_divergence(whole, tokens != PAD), kl)


def later_divergence(kl: Tensor, valid: Tensor) -> Tensor:
    """The sum of the (B, T) divergences after each word, less the mean of other sentences' there.

    A sentence's own does not enter its baseline, so that the gradient stays unbiased.
    """
    steps = kl.shape[1]
    with torch.autocast(kl.device.type, enabled=False):  # sums of divergences are fp32
        # A product, since no running sum of a GPU's is the same each time.
        later = (kl @ torch.ones(steps, steps, device=kl.device).tril(-1)) * valid
    return (later - leave_one_out_mean(later, valid)) * valid
