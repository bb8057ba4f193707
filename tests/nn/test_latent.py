"""Gaussians, free bits, importance weights, mutual information, active units."""

import hashlib
import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.distributions import Independent, MultivariateNormal, Normal, kl_divergence

from gantext.data.vocabulary import EOS, PAD
from gantext.nn import latent
from gantext.nn.latent import (
    active_units,
    gaussian_kl,
    importance_estimates,
    importance_nll,
    log_normal,
    mutual_information,
    reparameterise,
    sentence_noise,
    slerp,
)


def rng(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def posterior(rows: int, size: int, seed: int, spread: float = 1.0) -> tuple[torch.Tensor, ...]:
    draws = torch.randn(2, rows, size, generator=rng(seed), dtype=torch.float64)
    return spread * draws[0], 0.7 * draws[1] - 0.5


@given(st.integers(0, 10**6), st.floats(0, 5))
@settings(max_examples=30, deadline=None)
def test_the_closed_form_kl_is_that_of_torch(seed: int, spread: float) -> None:
    mu, log_var = posterior(4, 3, seed, spread)
    wanted = kl_divergence(Normal(mu, (0.5 * log_var).exp()), Normal(0.0, 1.0))
    torch.testing.assert_close(gaussian_kl(mu, log_var), wanted)


def test_log_normal_is_that_of_torch() -> None:
    mu, log_var = posterior(5, 3, 1)
    z = torch.randn(5, 3, generator=rng(2), dtype=torch.float64)
    wanted = Independent(Normal(mu, (0.5 * log_var).exp()), 1).log_prob(z)
    torch.testing.assert_close(log_normal(z, mu, log_var), wanted)


def test_reparameterised_draws_have_the_moments_and_a_gradient() -> None:
    """50,000 draws: standard errors .0045 of a mean (sigma 1) and .0032 of a deviation."""
    mu = torch.tensor([[1.5, -2.0]]).repeat(50_000, 1).requires_grad_()
    log_var = torch.tensor([[0.0, math.log(0.25)]]).repeat(50_000, 1).requires_grad_()
    z = reparameterise(mu, log_var, rng())
    torch.testing.assert_close(z.mean(0), torch.tensor([1.5, -2.0]), atol=0.02, rtol=0)
    torch.testing.assert_close(z.std(0), torch.tensor([1.0, 0.5]), atol=0.015, rtol=0)
    z.sum().backward()
    assert mu.grad is not None and torch.equal(mu.grad, torch.ones_like(mu))
    # dz / dlog_var = (z - mu) / 2
    assert log_var.grad is not None
    torch.testing.assert_close(log_var.grad, (z - mu).detach() / 2)


# A linear-Gaussian model, whose likelihood is known: z ~ N(0, I), x | z ~ N(W z, s^2 I)

SIZE, WIDTH, NOISE = 3, 4, 0.5


class Linear:
    """Its sentence i is the point x_i, written as the token 4 + i."""

    def __init__(self, points: int) -> None:
        self.weight = torch.randn(WIDTH, SIZE, generator=rng(5))
        cov = self.weight @ self.weight.T + NOISE**2 * torch.eye(WIDTH)
        self.marginal = MultivariateNormal(torch.zeros(WIDTH), cov)
        z = torch.randn(points, SIZE, generator=rng(6))
        self.x = z @ self.weight.T + NOISE * torch.randn(points, WIDTH, generator=rng(7))
        self.tokens = torch.stack([torch.arange(points) + 4, torch.full((points,), EOS)], 1)
        # A posterior that is near the true one, but diagonal and too wide.
        precision = self.weight.T @ self.weight / NOISE**2 + torch.eye(SIZE)
        self.mu = self.x @ self.weight @ precision.inverse().T / NOISE**2
        self.log_var = precision.inverse().diagonal().mul(1.5).log().expand(points, -1)

    def log_prob_given(self, tokens: torch.Tensor, z: torch.Tensor) -> torch.Tensor:
        mean = z @ self.weight.T
        return Independent(Normal(mean, NOISE), 1).log_prob(self.x[tokens[:, 0] - 4])

    def estimates(self, draws: int, seed: int = 0) -> tuple[torch.Tensor, torch.Tensor]:
        return importance_estimates(
            self.tokens, self.mu, self.log_var, self.log_prob_given, draws, seed
        )


def test_the_bound_tightens_and_converges_to_the_known_likelihood() -> None:
    """200 points: the mean gap to -log p(x) falls as k grows, and is under .005 nats at 2,000."""
    model = Linear(200)
    truth = -model.marginal.log_prob(model.x).double()
    gaps = [float((model.estimates(k)[0] - truth).mean()) for k in (1, 5, 50, 2000)]
    assert gaps[0] > gaps[1] > gaps[2] > abs(gaps[3])
    assert gaps[0] > 0.2 and abs(gaps[3]) < 0.005
    # Sentence by sentence: 2,000 weights, whose mean has an error of some percent.
    torch.testing.assert_close(model.estimates(2000)[0], truth, atol=0.2, rtol=0)


def test_one_draw_is_the_bound_of_the_elbo() -> None:
    """At k = 1 the estimate is -log p(x|z) - log p(z) + log q(z|x) of one draw: over many seeds its
    mean is reconstruction + KL (200 points, 20 seeds; sd of a draw about 1.5: error .025)."""
    model = Linear(200)
    found = [model.estimates(1, seed) for seed in range(20)]
    bound = float(torch.stack([nll for nll, _ in found]).mean())
    parts = float(torch.stack([rec for _, rec in found]).mean())
    parts += float(gaussian_kl(model.mu, model.log_var).sum(1).mean())
    assert bound == pytest.approx(parts, abs=0.1)


def test_importance_nll_by_hand() -> None:
    """Weights 1/2 and 1/4 of one sentence: -log(3/8); one weight of another twice: itself."""
    log_joint = torch.tensor([[0.5, 0.1], [0.25, 0.1]]).log()
    found = importance_nll(log_joint, torch.zeros(2, 2))
    torch.testing.assert_close(found, -torch.tensor([3 / 8, 0.1]).log())


def test_estimates_do_not_depend_on_the_batch(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nor on padding, order or how many rows are decoded together."""
    model = Linear(9)
    whole = model.estimates(6)
    monkeypatch.setattr(latent, "ROWS", {"cpu": 13})
    order = torch.tensor([5, 1, 0, 8, 3])
    padded = torch.cat([model.tokens[order], torch.full((5, 2), PAD)], 1)
    parts = importance_estimates(
        padded, model.mu[order], model.log_var[order], model.log_prob_given, 6, 0
    )
    for one, two in zip(whole, parts, strict=True):
        torch.testing.assert_close(one[order], two)


def test_noise_is_of_the_sentence_and_the_seed() -> None:
    tokens = torch.tensor([[4, 5, EOS], [4, EOS, PAD], [4, 5, EOS]])
    noise = sentence_noise(tokens, 2000, 2, 0)
    assert noise.shape == (3, 2000, 2)
    assert torch.equal(noise[0], noise[2]) and not torch.equal(noise[0], noise[1])
    assert not torch.equal(noise, sentence_noise(tokens, 2000, 2, 1))
    drawn = torch.Generator().manual_seed(
        int.from_bytes(hashlib.sha256(b"0/4,5,2").digest()[:7], "big")
    )
    assert torch.equal(noise[0], torch.randn(2000, 2, generator=drawn))  # as of all stored scores
    assert noise.mean().abs() < 0.05 and noise.std().item() == pytest.approx(1, abs=0.05)


# Mutual information and active units


def test_mutual_information_equals_a_plain_loop(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(latent, "MIXTURE_ELEMENTS", 50)  # several chunks
    mu, log_var = posterior(7, 3, 3)
    z = reparameterise(mu, log_var, rng(4))
    terms = []
    for n in range(7):
        densities = [
            Independent(Normal(mu[m], (0.5 * log_var[m]).exp()), 1).log_prob(z[n]).exp()
            for m in range(7)
        ]
        terms.append(math.log(densities[n] / (sum(densities) / 7)))
    assert mutual_information(mu, log_var, z) == pytest.approx(sum(terms) / 7)


def test_mutual_information_at_its_ends() -> None:
    """0 when all posteriors are the same; log N when none overlap."""
    same = torch.zeros(50, 2)
    z = reparameterise(same, same, rng())
    assert mutual_information(same, same, z) == pytest.approx(0.0, abs=1e-6)
    apart = 100.0 * torch.arange(50)[:, None].expand(-1, 2)
    z = reparameterise(apart, same, rng())
    assert mutual_information(apart, same, z) == pytest.approx(math.log(50))


@given(st.integers(0, 10**6), st.floats(0.05, 4))
@settings(max_examples=20, deadline=None)
def test_mutual_information_is_at_most_the_kl_and_log_n(seed: int, spread: float) -> None:
    """The KL exceeds it by the mixture's distance to the prior, here large: 1.5 nats and more.

    log N bounds each draw's estimate; the KL bounds its mean, here of 30 draws.
    """
    mu, log_var = posterior(100, 4, seed, spread)
    mu = mu + 0.9
    noise = rng(seed)
    found = [mutual_information(mu, log_var, reparameterise(mu, log_var, noise)) for _ in range(30)]
    assert max(found) <= math.log(100) + 1e-9
    assert sum(found) / 30 <= float(gaussian_kl(mu, log_var).sum(1).mean())


def test_active_units_by_hand() -> None:
    """Variances of the means (-a, a): a^2 = .04, .0081, 1; over .01 are two."""
    half = torch.tensor([[0.2, 0.09, 1.0]])
    assert active_units(torch.cat([half, -half])) == 2
    assert active_units(torch.cat([half, -half]), threshold=0.5) == 1
    assert active_units(half) == 0


def test_slerp_by_hand() -> None:
    """A third of the right angle from (2, 0) to (0, 2) is (2 cos 30, 2 sin 30) = (sqrt 3, 1)."""
    first, second = torch.tensor([[2.0, 0]]), torch.tensor([[0.0, 2]])
    third = slerp(first, second, 1 / 3)
    torch.testing.assert_close(third, torch.tensor([[3**0.5, 1.0]]))
    many = slerp(first, second, torch.tensor([[0.0], [0.5], [1.0]]))
    torch.testing.assert_close(many.norm(dim=1), torch.full((3,), 2.0))
    torch.testing.assert_close(many[[0, 2]], torch.cat([first, second]))


def test_slerp_of_parallel_vectors_is_a_line() -> None:
    first, second = torch.tensor([[1.0, 1], [1, 0]]), torch.tensor([[3.0, 3], [-1, 0]])
    torch.testing.assert_close(slerp(first, second, 0.5), torch.tensor([[2.0, 2], [0, 0]]))


def test_rows_a_small_angle_apart_are_on_an_arc_still() -> None:
    """Of 3e-4: half-way its length is 1, where that of a line would be less by a 10^-8th."""
    angle = torch.tensor(3e-4, dtype=torch.float64)
    first = torch.tensor([[1.0, 0.0]], dtype=torch.float64)
    second = torch.stack([angle.cos(), angle.sin()])[None]
    assert slerp(first, second, 0.5).norm().item() == pytest.approx(1, abs=1e-11)
    many = torch.randn(200, 5, generator=rng(2))
    assert slerp(many, 1.5 * many, 0.25).isfinite().all()
    torch.testing.assert_close(slerp(many, 1.5 * many, 0.25), 1.125 * many)


def test_a_sentence_s_estimate_by_hand() -> None:
    """With p(x | z) the same for all z and the prior as posterior, all weights are alike: both are
    -log p(x | z); one draw at a time too."""
    tokens = torch.tensor([[4, EOS, PAD], [5, 6, EOS]])
    widths: list[tuple[int, ...]] = []

    def given(rows: torch.Tensor, z: torch.Tensor) -> torch.Tensor:
        widths.append((*rows.shape, *z.shape))
        return -(rows > 0).sum(1).float()

    zero = torch.zeros(2, 3)
    for draws in (1, 4):
        nll, reconstruction = importance_estimates(tokens, zero, zero, given, draws, 0)
        assert nll.tolist() == pytest.approx([2, 3]) and nll.dtype == torch.float64
        assert reconstruction.tolist() == pytest.approx([2, 3])
    assert widths == [(2, 3, 2, 3), (8, 3, 8, 3)]
