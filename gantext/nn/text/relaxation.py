"""Words that a gradient passes through: samples of the Gumbel-softmax distribution.

A word is drawn as the largest of its scores with Gumbel noise (Gumbel 1954; Maddison et al. 2014),

    (1)  y = argmax_j (log p_j + g_j),    (2)  w = softmax(beta (log p + g)),

and w, the vector that the discriminator reads in the place of y, has a gradient (Jang et al. 2017;
Maddison et al. 2017). Here a sentence is drawn first, as all samples are, and noise afterwards, of
which its words are the largest: both have the same distribution as if noise had come first. With
E_j exponential,

    (3)  log p_y + g_y = -log E_y,    log p_j + g_j = -log(E_y + E_j / p_j) for the others

(the largest does not depend on which word it is, and the others are cut off at it; Maddison et al.
2014). So all scores of a sentence come from one pass over it.

Shapes: N words, V vocabulary.
"""

import torch
from torch import Tensor


def noisy_scores(log_prob: Tensor, words: Tensor, rng: torch.Generator) -> Tensor:
    """log p + g of equation (3), (N, V), for words (N,) drawn by log p (N, V); no gradient."""
    exponential = torch.empty_like(log_prob).exponential_(generator=rng).clamp_min_(1e-30).log_()
    largest = exponential.gather(1, words[:, None])  # (N, 1), log E_y
    below = torch.logaddexp(largest, exponential.sub_(log_prob))
    return -below.scatter_(1, words[:, None], largest)


def relaxed_words(scores: Tensor, words: Tensor, beta: float, rng: torch.Generator) -> Tensor:
    """w of equation (2), (N, V), with its gradient by scores (N, V), -inf for words never written.

    Args:
        scores: of the distributions that the words were drawn from.
        words: (N,).
        beta: the inverse temperature.
        rng: draws the noise, which is a constant to the gradient.
    """
    log_prob = scores.log_softmax(1)
    with torch.no_grad():
        noise = noisy_scores(log_prob, words, rng) - log_prob
        noise.masked_fill_(log_prob == -torch.inf, 0.0)
    return (beta * (log_prob + noise)).softmax(1)


def straight_through(relaxed: Tensor, words: Tensor) -> Tensor:
    """The words (N,) as vectors (N, V) of 0 and 1, with the gradient of the relaxed ones (Jang et
    al. 2017, section 2.2)."""
    chosen = torch.zeros_like(relaxed).scatter_(1, words[:, None], 1.0)
    return chosen + (relaxed - relaxed.detach())
