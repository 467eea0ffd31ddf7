"""The classic mistakes with entropies and divergences, each made on purpose: every one must break a law."""

import math

import pytest
import torch
from support.mutation import law_tests
from torch.distributions import Categorical, MixtureSameFamily, MultivariateNormal, Normal

F64 = torch.float64
LOC_Q, SCALE_Q = torch.tensor([0.3, -1.0], dtype=F64), torch.tensor([0.7, 1.3], dtype=F64)
LOC_P, SCALE_P = torch.tensor([-0.4, 0.5], dtype=F64), torch.tensor([1.1, 0.8], dtype=F64)


def discrete_law(divergences):
    """The definitions, added up outcome by outcome."""
    q, p = [[0.2, 0.5, 0.3], [0.05, 0.95, 0.0]], [[0.4, 0.49, 0.11], [0.051, 0.949, 0.0]]
    Q, P = torch.tensor(q, dtype=F64), torch.tensor(p, dtype=F64)
    found = divergences.kl_categorical(Q, P), divergences.entropy(Q, base=2), divergences.cross_entropy(Q, P)
    for i, (a, b) in enumerate(zip(q, p, strict=True)):
        pairs = [(x, y) for x, y in zip(a, b, strict=True) if x > 0]
        assert float(found[0][i]) == pytest.approx(sum(x * math.log(x / y) for x, y in pairs), rel=1e-9)
        assert float(found[1][i]) == pytest.approx(-sum(x * math.log2(x) for x, _ in pairs), rel=1e-12)
        assert float(found[2][i]) == pytest.approx(-sum(x * math.log(y) for x, y in pairs), rel=1e-12)
    certain, half = torch.tensor([1.0, 0.0], dtype=F64), torch.tensor([0.5, 0.5], dtype=F64)
    assert float(divergences.kl_categorical(half, certain)) == math.inf
    assert float(divergences.cross_entropy(half, certain)) == math.inf
    a, b = 0.2, 0.7
    coin = a * math.log(a / b) + (1 - a) * math.log((1 - a) / (1 - b))
    found = divergences.kl_bernoulli(torch.tensor(a, dtype=F64), torch.tensor(b, dtype=F64))
    assert float(found) == pytest.approx(coin, rel=1e-12)


def by_quadrature(q, p):
    z = torch.linspace(-12, 12, 24_001, dtype=F64)[:, None]
    return ((q.log_prob(z) - p.log_prob(z)) * q.log_prob(z).exp()).sum(dim=0) * float(z[1] - z[0])


def normal_law(divergences):
    """∫ q log(q/p), far from equality and close to it."""
    for scale_p in (SCALE_P, SCALE_Q * 1.02, SCALE_Q * 20):
        exact = by_quadrature(Normal(LOC_Q, SCALE_Q), Normal(LOC_P, scale_p))
        torch.testing.assert_close(divergences.kl_normal(LOC_Q, SCALE_Q, LOC_P, scale_p), exact)
        diagonal = divergences.kl_diagonal_normal(LOC_Q[None], SCALE_Q[None], LOC_P, scale_p)
        torch.testing.assert_close(diagonal, exact.sum()[None])
    near = divergences.kl_normal(LOC_Q, SCALE_Q, LOC_Q, SCALE_Q * (1 + 1e-9))
    torch.testing.assert_close(near, torch.full((2,), 1e-18, dtype=F64), rtol=1e-6, atol=0)


def slope_law(divergences):
    """The derivatives are those of the values, the first and the second."""
    leaves = [t.clone().requires_grad_() for t in (LOC_Q, SCALE_Q, LOC_P, SCALE_P)]
    assert torch.autograd.gradcheck(divergences.kl_normal, leaves, raise_exception=False)
    assert torch.autograd.gradgradcheck(divergences.kl_normal, leaves, raise_exception=False)


def covariances():
    A, B = (
        torch.tensor([[1.0, 0.6], [0.6, 2.0]], dtype=F64),
        torch.tensor([[0.5, -0.2], [-0.2, 1.5]], dtype=F64),
    )
    return A, B


def multivariate_law(divergences):
    """KL from the log-densities: E_q[log q − log p] needs only the mean and the covariance of q."""
    A, B = covariances()
    p = MultivariateNormal(LOC_P, B)
    # E_q[log p(z)] = log p(μ_q) − ½ tr(B⁻¹ A), since log p is quadratic; −H(q) from torch.
    expected = p.log_prob(LOC_Q) - 0.5 * torch.trace(torch.linalg.inv(B) @ A)
    exact = -MultivariateNormal(LOC_Q, A).entropy() - expected
    torch.testing.assert_close(divergences.kl_multivariate_normal(LOC_Q, A, LOC_P, B), exact)


def monte_carlo_law(divergences):
    q, p = Normal(LOC_Q, SCALE_Q), Normal(LOC_P, SCALE_P)
    terms = divergences.kl_monte_carlo(q, p, 20_000, generator=torch.Generator().manual_seed(0))
    error = (terms.mean(dim=0) - by_quadrature(q, p)).abs()
    assert bool((error <= 5 * terms.std(dim=0) / 20_000**0.5).all())


def target():
    A, B = covariances()
    components = MultivariateNormal(torch.stack([5 * LOC_Q, 5 * LOC_P]), torch.stack([A, B]))
    return MixtureSameFamily(Categorical(torch.tensor([0.8, 0.2], dtype=F64)), components)


def forward_law(divergences):
    """Mean and covariance of the mixture, as E[z] and E[z zᵀ] − E[z] E[z]ᵀ."""
    p, q = target(), divergences.fit_forward_kl(target())
    w, locs = p.mixture_distribution.probs, p.component_distribution.mean
    second = (
        w[:, None, None] * (p.component_distribution.covariance_matrix + locs[:, :, None] * locs[:, None, :])
    ).sum(0)
    torch.testing.assert_close(q.mean, (w[:, None] * locs).sum(0))
    torch.testing.assert_close(q.covariance_matrix, second - torch.outer(q.mean, q.mean))
    line = MixtureSameFamily(Categorical(w), Normal(locs[:, 0], SCALE_Q))
    torch.testing.assert_close(divergences.fit_forward_kl(line).variance, line.variance)


def reverse_law(divergences):
    """A Gaussian target is found exactly, and the path's first value is the start's divergence."""
    A, B = covariances()
    single = MixtureSameFamily(
        Categorical(torch.ones(1, dtype=F64)), MultivariateNormal(LOC_P[None], B[None])
    )
    q, path = divergences.fit_reverse_kl(
        single,
        MultivariateNormal(LOC_Q, A),
        num_samples=10,
        num_steps=400,
        generator=torch.Generator().manual_seed(0),
    )
    torch.testing.assert_close(q.mean, LOC_P, atol=1e-5, rtol=0)
    torch.testing.assert_close(q.covariance_matrix, B, atol=1e-5, rtol=0)
    expected = MultivariateNormal(LOC_P, B).log_prob(LOC_Q) - 0.5 * torch.trace(torch.linalg.inv(B) @ A)
    torch.testing.assert_close(path.kl[0], -MultivariateNormal(LOC_Q, A).entropy() - expected)


MUTANTS = [
    # direction
    (discrete_law, "discrete", "_terms(q, p, p - q).sum(dim=-1)", "_terms(p, q, q - p).sum(dim=-1)"),
    (discrete_law, "discrete", "-(p * _log_where((q > 0) & (p > 0), q))",
     "-(q * _log_where((q > 0) & (p > 0), p))"),
    (normal_law, "normal_terms", "(mu_q - mu_p) / sigma_p", "(mu_q - mu_p) / sigma_q"),
    (normal_law, "normal_terms", "(sigma_q - sigma_p) / sigma_p", "(sigma_p - sigma_q) / sigma_q"),
    (multivariate_law, "gaussian", "solve_triangular(L_p, L_q,", "solve_triangular(L_q, L_p,"),
    (monte_carlo_law, "monte_carlo", "sampling.draw(q,", "sampling.draw(p.expand(batch_shape),"),
    (monte_carlo_law, "monte_carlo", "q.log_prob(z) - p.log_prob(z)  #", "p.log_prob(z) - q.log_prob(z)  #"),
    # halves, squares and constants
    (normal_law, "normal_terms", "d.square(), alpha=0.5)", "d.square())"),
    (normal_law, "normal_terms", "u.square() + d.square()", "u.square() + d.abs()"),
    (normal_law, "normal_terms", "u.square() + d.square()", "d.square()"),
    (normal_law, "normal_terms", "return gap.add(u.square()", "return gap.add(u"),
    (normal_law, "normal_terms", "torch.sub(u, (", "torch.sub(0 * u, ("),
    (normal_law, "normal_terms", ".log(), alpha=2)", ".log())"),
    (normal_law, "normal_terms", "torch.where(u.abs() < NEAR, gap", "torch.where(u.abs() < 0, gap"),
    (normal_law, "normal_terms", "torch.where(u.abs() < NEAR, gap", "torch.where(u.abs() < 10, gap"),
    (normal_law, "gap", "return t * (u - 2 * series)", "return t * u"),
    (normal_law, "gap", "return t * (u - 2 * series)", "return t * (u - series)"),
    (slope_law, "normal_terms", "by_loc = grad * d / sigma_p", "by_loc = grad * d"),
    (slope_law, "normal_terms", "-by_loc if needed[2]", "by_loc if needed[2]"),
    (slope_law, "normal_terms", "grad * squares / sigma_q", "grad * squares / sigma_p"),
    (slope_law, "normal_terms", "squares = u * (2 + u)", "squares = u * (1 + u)"),
    (slope_law, "normal_terms", "(squares + d.square())", "squares"),
    (slope_law, "normal_terms", "if torch.is_grad_enabled():  #", "if False:  #"),
    (multivariate_law, "gaussian", "0.5 * (correlations +", "(correlations +"),
    (multivariate_law, "gaussian", "(correlations + z.square()", "(z.square()"),
    (multivariate_law, "gaussian", "return scales.sum(dim=-1) +", "return"),
    (multivariate_law, "gaussian", "M.tril(-1)", "M"),
    # sums
    (normal_law, "gaussian", "return elementwise.sum(dim=-1)", "return elementwise.mean(dim=-1)"),
    (discrete_law, "discrete", "_terms(q, p, p - q).sum(dim=-1)", "_terms(q, p, p - q).mean(dim=-1)"),
    (discrete_law, "discrete", "_terms(q, p, p - q) + _terms(1 - q, 1 - p, q - p)", "_terms(q, p, p - q)"),
    # zeros and units
    (discrete_law, "discrete", "_log_where(p > 0, p)).sum(dim=-1) / unit",
     "_log_where(p > 0, p)).sum(dim=-1)"),
    (discrete_law, "discrete", "torch.where(condition, x, 1.0).log()", "x.log()"),
    (discrete_law, "discrete", "torch.where((q > 0) & (p == 0), math.inf, torch",
     "torch.where((q > 0) & (p == 0), 0.0, torch"),
    (discrete_law, "discrete", "any(dim=-1), math.inf, expected", "any(dim=-1), expected, expected"),
    (discrete_law, "discrete", "far = difference + q *", "far = q *"),
    # fits
    (forward_law, "fitting", "_covariances(components)) + between", "_covariances(components))"),
    (forward_law, "fitting", "components.variance + (locs - loc).square()", "components.variance"),
    (forward_law, "fitting", "loc = w @ locs", "loc = locs.mean(dim=0)"),
    (reverse_law, "fitting", "return -entropy - target", "return -target"),
    (reverse_law, "fitting", "0.5 * D * (1 + math.log(2 * math.pi))", "0.5 * D * math.log(2 * math.pi)"),
    (reverse_law, "fitting", "loc + eps @ L.T", "loc + eps @ L"),
    (reverse_law, "fitting", "solve_triangular(L, eps.T, upper=False).T",
     "solve_triangular(L, eps.T, upper=False).T * 1.1"),
]  # fmt: skip

test_the_laws_hold, test_each_mistake_breaks_a_law = law_tests("divergences", MUTANTS)
