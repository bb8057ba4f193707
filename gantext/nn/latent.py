"""Diagonal Gaussians and the measures of a latent variable: pure functions, all values in nats.

Shapes: N sentences, Z latent dimensions, k draws a sentence.
"""

import hashlib
import math
from collections.abc import Callable

import torch
from torch import Tensor

from gantext.data.vocabulary import PAD

LOG_TWO_PI = math.log(2 * math.pi)
ROWS = {"cpu": 2**11}  # rows decoded together: their states stay in a CPU's caches
GPU_ROWS = 2**14
MIXTURE_ELEMENTS = 2**22


def gaussian_kl(mu: Tensor, log_var: Tensor) -> Tensor:
    """KL(N(mu, exp(log_var)) || N(0, 1)) of each dimension, (N, Z) (Kingma & Welling 2014, B)."""
    return 0.5 * (mu.square() + log_var.exp() - log_var - 1)


def reparameterise(mu: Tensor, log_var: Tensor, rng: torch.Generator) -> Tensor:
    """z = mu + sigma * epsilon, (N, Z), with a gradient to both."""
    noise = torch.empty(mu.shape, device=mu.device, dtype=mu.dtype).normal_(generator=rng)
    return mu + (0.5 * log_var).exp() * noise


def log_normal(z: Tensor, mu: Tensor, log_var: Tensor) -> Tensor:
    """log N(z; mu, exp(log_var)) summed over the last dimension: (..., Z) -> (...)."""
    squares = (z - mu).square() * (-log_var).exp()
    return -0.5 * (squares + log_var + LOG_TWO_PI).sum(-1)


def importance_nll(log_joint: Tensor, log_q: Tensor) -> Tensor:
    """-log of the mean of k importance weights p(x, z) / q(z | x): (k, N) each -> (N,).

    An upper bound of -log p(x) on average, tighter the larger k (Burda et al. 2016, eq. 8).
    """
    return math.log(len(log_q)) - (log_joint - log_q).logsumexp(0)


def mutual_information(mu: Tensor, log_var: Tensor, z: Tensor) -> float:
    """I(x; z) under the N posteriors, nats: mean of log q(z_n | x_n) - log mean_m q(z_n | x_m).

    Hoffman & Johnson 2016, where q(z) is the mixture of the N posteriors given; z holds
    one draw of each. No term exceeds log N, so neither does the estimate.
    """
    # In one copy, for which a GPU is waited for once.
    mu, log_var, z = torch.stack([part.detach() for part in (mu, log_var, z)]).cpu().double()
    rows = max(1, MIXTURE_ELEMENTS // mu.numel())
    pairs = [
        log_normal(part[:, None], mu, log_var) for part in torch.split(z, rows)
    ]  # (rows, N) each
    mixture = torch.cat([pair.logsumexp(1) for pair in pairs]) - math.log(len(mu))
    return float((log_normal(z, mu, log_var) - mixture).mean())


def active_units(mu: Tensor, threshold: float = 0.01) -> int:
    """How many dimensions' posterior means, (N, Z), vary by more than that (Burda et al. 2016)."""
    return int((mu.detach().var(0, correction=0) > threshold).sum())


def sentence_noise(tokens: Tensor, draws: int, size: int, seed: int) -> Tensor:
    """Standard normal draws of each sentence, (N, k, Z), decided by its words and the seed alone.

    So an estimate depends neither on the batch that a sentence comes in, nor on the padding, nor
    on the device.
    """
    drawn = []
    for row in tokens.tolist():
        words = ",".join(str(word) for word in row if word != PAD)
        digest = hashlib.sha256(f"{seed}/{words}".encode()).digest()
        rng = torch.Generator().manual_seed(int.from_bytes(digest[:7], "big"))
        drawn.append(torch.randn(draws, size, generator=rng))
    return torch.stack(drawn).to(tokens.device)


def importance_estimates(
    tokens: Tensor,
    mu: Tensor,
    log_var: Tensor,
    log_prob_given: Callable[[Tensor, Tensor], Tensor],
    draws: int,
    seed: int,
) -> tuple[Tensor, Tensor]:
    """The importance-weighted NLL and the reconstruction -E_q[log p(x|z)], (N,) each, on the CPU.

    Args:
        tokens: (N, T); sentences of like length are cheapest.
        mu: posterior means, (N, Z).
        log_var: the logarithms of their variances, (N, Z).
        log_prob_given: (tokens (R, T), z (R, Z)) -> log p(x|z), (R,).
        draws: k; about `ROWS` rows are decoded together, and at least one sentence's k.
        seed: of the draws, which a sentence always has the same of.
    """
    kind = tokens.device.type
    numbers = torch.arange(len(tokens), device=tokens.device)
    found = []
    for part in torch.split(numbers, max(1, ROWS.get(kind, GPU_ROWS) // draws)):
        rows = tokens[part][:, : int((tokens[part] != PAD).sum(1).max())]
        mean, spread = mu[part, None], log_var[part, None]  # (n, 1, Z)
        noise = sentence_noise(rows, draws, mu.shape[1], seed)
        z = mean + (0.5 * spread).exp() * noise  # (n, k, Z)
        given = log_prob_given(rows.repeat_interleave(draws, 0), z.flatten(0, 1))
        given = given.view(len(rows), draws).cpu().double()  # some GPUs have no float64
        zero = torch.zeros_like(mean)
        log_weight = (log_normal(z, zero, zero) - log_normal(z, mean, spread)).cpu().double()
        nll = importance_nll((given + log_weight).T, torch.zeros_like(given).T)
        found.append(torch.stack([nll, -given.mean(1)]))
    nll, reconstruction = torch.cat(found, 1)
    return nll, reconstruction


def slerp(first: Tensor, second: Tensor, t: Tensor | float) -> Tensor:
    """Spherical interpolation of rows (N, Z): the angle grows evenly in t (Shoemake 1985).

    With vectors of one length all points have that length. (Nearly) parallel or opposite ones have
    no arc of their own: they are joined by a line.
    """
    # No number where it is rounded to more than 1, which takes the line.
    angle = torch.cosine_similarity(first, second)[:, None].acos()
    sine = angle.sin()
    arc = (((1 - t) * angle).sin() * first + (t * angle).sin() * second) / sine
    return torch.where(sine > 1e-4, arc, (1 - t) * first + t * second)
