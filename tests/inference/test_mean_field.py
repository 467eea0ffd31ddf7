"""Mean field: the ELBO never falls, equals log p(x) less the KL, and ends at the known optimum."""

import itertools
import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.distributions import Gamma, MultivariateNormal, Normal, kl_divergence

from vaeedu.inference import (
    BayesianMixture,
    GaussianTarget,
    MixtureFactors,
    NormalGamma,
    NormalGammaFactors,
    NormalGammaModel,
    coordinate_ascent,
)

seeds = st.integers(0, 2**31 - 1)


def never_falls(history):
    return bool((history.diff() >= -1e-10 * history.abs().max().clamp(min=1)).all())


def random_gaussian(seed, K):
    g = torch.Generator().manual_seed(seed)
    A = torch.randn(K, K, generator=g, dtype=torch.float64)
    loc = 5 * torch.randn(K, generator=g, dtype=torch.float64)
    return loc, A @ A.T + 0.05 * torch.eye(K), 5 * torch.randn(K, generator=g, dtype=torch.float64)


@settings(max_examples=40, deadline=None)
@given(seed=seeds, K=st.integers(1, 5))
def test_gaussian_elbo_is_minus_the_kl_and_never_falls(seed, K):
    loc, covariance, start = random_gaussian(seed, K)
    target = GaussianTarget(loc, covariance)
    q, history = coordinate_ascent(
        target, Normal(start, torch.ones(K).double()), max_iterations=100_000, tolerance=1e-10
    )
    assert never_falls(history)
    full = MultivariateNormal(q.loc, torch.diag(q.variance))
    kl = kl_divergence(full, MultivariateNormal(loc, covariance))
    torch.testing.assert_close(target.elbo(q), -kl, atol=1e-9, rtol=1e-9)
    precision = torch.linalg.inv(covariance)
    torch.testing.assert_close(q.variance, 1 / precision.diagonal(), rtol=1e-9, atol=0)
    assert bool((q.variance <= covariance.diagonal() * (1 + 1e-9)).all())


def test_bivariate_gaussian_ends_at_the_mean_with_too_small_a_variance():
    for rho in (0.0, 0.5, 0.95):
        target = GaussianTarget(
            torch.tensor([1.0, -1.0]).double(), torch.tensor([[1.0, rho], [rho, 1.0]], dtype=torch.float64)
        )
        q, _ = coordinate_ascent(
            target, Normal(torch.zeros(2).double(), torch.ones(2).double()), tolerance=1e-14
        )
        torch.testing.assert_close(q.loc, torch.tensor([1.0, -1.0]).double(), atol=1e-6, rtol=0)
        torch.testing.assert_close(q.variance, torch.full((2,), 1 - rho**2).double())
        assert float(target.elbo(q)) == pytest.approx(0.5 * math.log(1 - rho**2), abs=1e-9)


@settings(max_examples=40, deadline=None)
@given(
    seed=seeds, N=st.integers(1, 30), kappa=st.floats(0.01, 10), a=st.floats(0.5, 10), b=st.floats(0.1, 10)
)
def test_log_evidence_is_elbo_plus_kl_at_every_step(seed, N, kappa, a, b):
    x = 3 + 2 * torch.randn(N, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    prior = NormalGamma(-1.0, kappa, a, b)
    model, after = NormalGammaModel(x, prior), prior.posterior(x)
    q = model.start()
    for _ in range(4):
        total = model.elbo(q) + after.kl_from(q.mean, q.precision)
        assert float(total) == pytest.approx(prior.log_evidence(x), rel=1e-10, abs=1e-9)
        q = model.update(q)
    _, history = coordinate_ascent(model, model.start())
    assert never_falls(history)
    assert float(history[-1]) < prior.log_evidence(x)


def test_no_small_change_of_q_is_better():
    x = torch.tensor([1.2, 0.3, 2.2, 1.9], dtype=torch.float64)
    model = NormalGammaModel(x, NormalGamma(0.5, 0.7, 2.0, 1.5))
    q, history = coordinate_ascent(model, model.start(), tolerance=1e-15)
    values = [q.mean.loc, q.mean.scale, q.precision.concentration, q.precision.rate]
    for i, factor in itertools.product(range(4), (0.99, 1.01)):
        other = [v * factor if i == j else v for j, v in enumerate(values)]
        changed = NormalGammaFactors(Normal(*other[:2]), Gamma(*other[2:]))
        assert model.elbo(changed) < history[-1]


def exact_log_evidence(x, K, tau, sigma):
    """Sums over all assignments: given them, data are Gaussian."""
    N, total = len(x), []
    for c in itertools.product(range(K), repeat=N):
        same = torch.tensor([[float(i == j) for i in c] for j in c]).double()
        covariance = tau**2 * same + sigma**2 * torch.eye(N, dtype=torch.float64)
        total.append(
            sum(
                MultivariateNormal(torch.zeros(N).double(), covariance).log_prob(x[:, d])
                for d in range(x.shape[1])
            )
        )
    return torch.stack(total).logsumexp(0) - N * math.log(K)


@settings(max_examples=30, deadline=None)
@given(seed=seeds, N=st.integers(1, 40), D=st.integers(1, 3), K=st.integers(1, 4), tau=st.floats(0.5, 5))
def test_mixture_elbo_never_falls(seed, N, D, K, tau):
    g = torch.Generator().manual_seed(seed)
    x = 3 * torch.randn(N, D, generator=g, dtype=torch.float64)
    model = BayesianMixture(x, prior_scale=tau, noise_scale=0.8)
    start = model.start(torch.randn(K, D, generator=g, dtype=torch.float64))
    q, history = coordinate_ascent(model, start, max_iterations=100_000)
    assert never_falls(history)
    torch.testing.assert_close(q.responsibilities.sum(dim=1), torch.ones(N).double())


@pytest.mark.parametrize(("K", "D"), [(1, 2), (2, 1), (3, 2)])
def test_mixture_elbo_is_below_the_exact_evidence(generator, K, D):
    x = 2 * torch.randn(4, D, generator=generator, dtype=torch.float64)
    model = BayesianMixture(x, prior_scale=1.5, noise_scale=0.7)
    evidence = exact_log_evidence(x, K, 1.5, 0.7)
    _, history = coordinate_ascent(
        model, model.start(torch.randn(K, D, generator=generator, dtype=torch.float64))
    )
    if K == 1:  # one component: q(μ) is the exact posterior
        torch.testing.assert_close(history[-1], evidence, atol=1e-10, rtol=0)
    assert bool((history <= evidence + 1e-10).all())


def test_mixture_elbo_is_the_expected_log_ratio(generator):
    x = 2 * torch.randn(6, 2, generator=generator, dtype=torch.float64)
    model = BayesianMixture(x, prior_scale=1.5, noise_scale=0.7)
    q = model.update(model.start(torch.tensor([[1.0, 0.0], [0.0, 1.0]]).double()))
    q = MixtureFactors(q.loc, q.scale * torch.tensor([1.0, 2.0]), (q.responsibilities + 0.2) / 1.4)
    S = 100_000
    mu = q.loc + q.scale[:, None] * torch.randn(S, 2, 2, generator=generator, dtype=torch.float64)
    c = torch.multinomial(q.responsibilities, S, replacement=True, generator=generator).T  # (S, N)
    chosen = mu.gather(1, c[..., None].expand(-1, -1, 2))
    log_p = (
        Normal(0.0, 1.5).log_prob(mu).sum((1, 2))
        - 6 * math.log(2)
        + Normal(chosen, 0.7).log_prob(x).sum((1, 2))
    )
    log_q = Normal(q.loc, q.scale[:, None]).log_prob(mu).sum((1, 2))
    log_q = log_q + q.responsibilities.log()[torch.arange(6), c].sum(1)
    terms = log_p - log_q
    assert abs(terms.mean() - model.elbo(q)) <= 5 * terms.std() / math.sqrt(S)


def test_mixture_update_is_the_best_for_each_factor_in_turn(generator):
    x = 2 * torch.randn(6, 2, generator=generator, dtype=torch.float64)
    model = BayesianMixture(x, prior_scale=1.5, noise_scale=0.7)
    q, history = coordinate_ascent(model, model.start(x[:2]), tolerance=1e-14)
    for changed in (
        q._replace(loc=q.loc + 0.01),
        q._replace(scale=q.scale * 1.01),
        q._replace(scale=q.scale * 0.99),
    ):
        assert model.elbo(changed) < history[-1]
    r = (q.responsibilities + 0.01) / 1.02
    assert model.elbo(q._replace(responsibilities=r)) < history[-1]


def test_it_says_when_it_did_not_settle():
    target = GaussianTarget(torch.zeros(2), torch.tensor([[1.0, 0.99], [0.99, 1.0]]))
    with pytest.warns(RuntimeWarning, match="did not settle within 2 sweeps: raise max_iterations"):
        coordinate_ascent(target, Normal(torch.ones(2), torch.ones(2)), max_iterations=2)


TARGET = GaussianTarget(torch.zeros(2), torch.eye(2))


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: coordinate_ascent(TARGET, Normal(torch.ones(2), 1.0), max_iterations=0), "max_iterations must be"),
        (lambda: coordinate_ascent(TARGET, Normal(torch.ones(2), 1.0), tolerance=0.0), "tolerance must be"),
        (lambda: GaussianTarget(torch.zeros(3), torch.eye(2)), r"covariance must have shape \(3, 3\)"),
        (lambda: GaussianTarget(torch.zeros(2), torch.ones(2, 2)), "positive definite, but its smallest eigenvalue"),
        (lambda: NormalGammaModel(torch.zeros(2, 2), NormalGamma(0.0, 1.0, 1.0, 1.0)), r"x must be a tensor of shape"),
        (lambda: BayesianMixture(torch.zeros(2), prior_scale=1.0, noise_scale=1.0), r"x must have shape \(N, D\)"),
        (lambda: BayesianMixture(torch.zeros(2, 2), prior_scale=0.0, noise_scale=1.0), "prior_scale must be"),
        (lambda: BayesianMixture(torch.zeros(2, 2), prior_scale=1.0, noise_scale=-1.0), "noise_scale must be"),
        (
            lambda: BayesianMixture(torch.zeros(2, 2), prior_scale=1.0, noise_scale=1.0).start(torch.ones(2, 3)),
            "locs must have 2 columns",
        ),
    ],
)  # fmt: skip
def test_bad_input_says_how_to_mend_it(make, message):
    with pytest.raises(ValueError, match=message):
        make()
