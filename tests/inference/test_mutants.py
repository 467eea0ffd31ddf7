"""The classic mistakes in approximate inference, each made on purpose: every one must break a law."""

import math

import pytest
import torch
from support.mutation import law_tests
from torch.distributions import MultivariateNormal, Normal, kl_divergence

LOC = torch.tensor([1.0, -2.0], dtype=torch.float64)
COVARIANCE = torch.tensor([[2.0, 0.9], [0.9, 0.7]], dtype=torch.float64)
X = torch.tensor([1.2, 0.3, 2.2, 1.9, -0.4], dtype=torch.float64)
PI = torch.tensor([0.1, 0.3, 0.6], dtype=torch.float64)
PROPOSE = torch.tensor([[0.2, 0.5, 0.3], [0.7, 0.1, 0.2], [0.3, 0.6, 0.1]], dtype=torch.float64)


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


def balance_law(inference):
    """p(i) r(j|i) α(i → j) is symmetric."""
    i, j = torch.tensor([0, 0, 1]), torch.tensor([1, 2, 2])
    there = PROPOSE[j, i].log() - PROPOSE[i, j].log()
    forward = PI[i] * PROPOSE[i, j] * inference.acceptance_probability(PI[i].log(), PI[j].log(), there)
    backward = PI[j] * PROPOSE[j, i] * inference.acceptance_probability(PI[j].log(), PI[i].log(), -there)
    torch.testing.assert_close(forward, backward, atol=1e-14, rtol=0)
    assert bool((forward > 0).all())


def stationary_law(inference):
    """Chains that start in the target are in the target a step later, moments and all."""

    def propose(z, generator):
        step = 0.8 * torch.randn(len(z), generator=generator, dtype=z.dtype)
        return z * step[:, None].exp(), step

    C, g = 100_000, seeded()
    start = torch.empty(C, 1, dtype=torch.float64).exponential_(generator=g)
    log_density = lambda z: torch.where(z[:, 0] > 0, -z[:, 0], -torch.inf)  # noqa: E731
    chains = inference.metropolis_hastings(log_density, start, 3, proposal=propose, generator=g)
    assert 0.1 < float(chains.acceptance_rate.mean()) < 0.9
    assert abs(chains.samples[-1].mean() - 1) <= 5 / math.sqrt(C)
    few = start[:20_000]
    moved = inference.metropolis_hastings(log_density, few + 1, 60, scale=2.0, generator=g).samples[-1]
    assert abs(moved.mean() - 1) <= 5 / math.sqrt(len(few))
    assert abs(moved.var() - 1) <= 5 * math.sqrt(8 / len(few))


def gibbs_law(inference):
    S = 40_000
    pair = inference.gaussian_conditionals(LOC, COVARIANCE)
    z = inference.gibbs(pair, LOC.expand(S, 2), 12, generator=seeded())[-1]
    assert bool(((z.mean(dim=0) - LOC).abs() <= 5 * (COVARIANCE.diagonal() / S).sqrt()).all())
    error = ((torch.outer(COVARIANCE.diagonal(), COVARIANCE.diagonal()) + COVARIANCE.square()) / S).sqrt()
    assert bool(((torch.cov(z.T) - COVARIANCE).abs() <= 5 * error).all())
    after = inference.NormalGamma(0.0, 0.5, 6.0, 1.0)
    w = inference.gibbs(after.conditionals(), torch.ones(S, 2).double(), 12, generator=seeded())[-1]
    for value, mean, variance in ((w[:, 0], 0.0, 1 / (0.5 * 5)), (w[:, 1], 6.0, 6.0)):
        assert abs(value.mean() - mean) <= 5 * math.sqrt(variance / S)
        assert value.var() == pytest.approx(variance, rel=0.1)


def diagnostics_law(inference):
    g = seeded()
    rho, x, rows = 0.8, torch.randn(8, generator=g, dtype=torch.float64), []
    for _ in range(5000):
        x = rho * x + math.sqrt(1 - rho**2) * torch.randn(8, generator=g, dtype=torch.float64)
        rows.append(x)
    chains = torch.stack(rows)
    right = 8 * 5000 * (1 - rho) / (1 + rho)
    assert float(inference.effective_sample_size(chains)) == pytest.approx(right, rel=0.1)
    n, halves = 2500, torch.cat([chains[:2500], chains[2500:]], dim=1)
    W, B = halves.var(dim=0).mean(), n * halves.mean(dim=0).var()
    expected = (((n - 1) / n * W + B / n) / W).sqrt()
    torch.testing.assert_close(inference.split_r_hat(chains), expected)
    drift = torch.linspace(0, 3, 400, dtype=torch.float64)[:, None] + chains[:400, :1]
    assert float(inference.split_r_hat(drift)) > 1.2


def evidence_law(inference):
    """log p(x) = ELBO + KL for any q, and the ELBO never falls."""
    prior = inference.NormalGamma(0.5, 0.7, 2.0, 1.5)
    model, after = inference.NormalGammaModel(X, prior), prior.posterior(X)
    q = model.start()
    for _ in range(3):
        total = model.elbo(q) + after.kl_from(q.mean, q.precision)
        assert float(total) == pytest.approx(prior.log_evidence(X), abs=1e-9)
        q = model.update(q)
    _, history = inference.coordinate_ascent(model, model.start())
    assert bool((history.diff() >= -1e-10).all())


def bayes_law(inference):
    prior, z = inference.NormalGamma(0.5, 0.7, 2.0, 1.5), torch.rand(9, 2, generator=seeded()).double() + 0.1
    found = prior.log_joint(X, z) - prior.posterior(X).log_prob(z)
    torch.testing.assert_close(found, torch.full_like(found, prior.log_evidence(X)), atol=1e-10, rtol=0)


def gaussian_law(inference):
    """The ELBO of a Gaussian is minus the KL; coordinate ascent raises it to its maximum."""
    target = inference.GaussianTarget(LOC, COVARIANCE)
    start = Normal(torch.zeros(2).double(), torch.tensor([0.3, 2.0]).double())
    q, history = inference.coordinate_ascent(target, start, tolerance=1e-13)
    assert bool((history.diff() >= -1e-10).all())
    for each in (start, q):
        kl = kl_divergence(
            MultivariateNormal(each.loc, torch.diag(each.variance)), MultivariateNormal(LOC, COVARIANCE)
        )
        torch.testing.assert_close(target.elbo(each), -kl, atol=1e-9, rtol=0)
    one = target.update(start)  # the coordinate renewed last is at its best, given the other
    for step in (0.01, -0.01):
        moved = Normal(one.loc + torch.tensor([0.0, step]), one.scale)
        assert target.elbo(moved) < target.elbo(one)
    for near in (Normal(q.loc + 0.01, q.scale), Normal(q.loc, q.scale * 1.01), Normal(q.loc, q.scale * 0.99)):
        assert target.elbo(near) < history[-1]


def black_box_law(inference):
    scale = torch.tensor([0.5, 1.2], dtype=torch.float64)
    exact = lambda z: Normal(LOC, scale).log_prob(z).sum(dim=1) - 7.0  # noqa: E731
    terms = inference.elbo_samples(exact, LOC, scale, 50, generator=seeded())
    torch.testing.assert_close(terms, torch.full_like(terms, -7.0), atol=1e-10, rtol=0)
    terms = inference.elbo_samples(exact, LOC, scale * 2, 10_000, generator=seeded())
    kl = float(kl_divergence(Normal(LOC, scale * 2), Normal(LOC, scale)).sum())
    assert abs(float(terms.mean()) + 7.0 + kl) <= 5 * float(terms.std()) / 100
    few = inference.black_box_vi(exact, LOC + 1, scale * 2, 5, step_size=0.1, generator=seeded())
    assert bool(((few.loc - LOC).abs() < 1).all())
    fit = inference.black_box_vi(exact, LOC + 1, scale * 2, 500, step_size=0.3, generator=seeded())
    torch.testing.assert_close(fit.loc, LOC, atol=0.1, rtol=0)
    torch.testing.assert_close(fit.scale, scale, atol=0.1, rtol=0)


def mixtures(inference):
    A = torch.randn(2, 2, 2, generator=seeded(1), dtype=torch.float64)
    weights, locs = torch.tensor([0.3, 0.7]).double(), torch.tensor([[2.0, 0.0], [-1.0, 1.0]]).double()
    model = inference.GaussianMixture(weights / weights.sum(), locs, A @ A.mT + 0.3 * torch.eye(2))
    return model, model.sample(300, generator=seeded(2))


def em_law(inference):
    """log p(x) = Q + H at the E step; the M step is Q's maximum; a mixture integrates to one."""
    model, x = mixtures(inference)
    r = model.responsibilities(x)
    torch.testing.assert_close(r.sum(dim=1), torch.ones(300, dtype=torch.float64))
    entropy = -torch.special.xlogy(r, r).sum(dim=1)
    torch.testing.assert_close(
        inference.q_function(model, x, r) + entropy, model.log_prob(x), atol=1e-9, rtol=0
    )
    axis = torch.linspace(-12, 12, 401, dtype=torch.float64)
    density = model.log_prob(torch.cartesian_prod(axis, axis)).exp().sum() * (axis[1] - axis[0]) ** 2
    assert float(density) == pytest.approx(1.0, abs=1e-6)
    best = inference.em_step(x, r)
    top = inference.q_function(best, x, r).mean()
    for weights, locs, factor in (
        (0.01, 0.0, 1.0),
        (-0.01, 0.0, 1.0),
        (0.0, 0.01, 1.0),
        (0.0, 0.0, 1.02),
        (0.0, 0.0, 0.98),
    ):
        change = torch.tensor([weights, -weights]).double()
        near = inference.GaussianMixture(best.weights + change, best.locs + locs, best.covariances * factor)
        assert inference.q_function(near, x, r).mean() < top
    start = inference.GaussianMixture(
        torch.tensor([0.5, 0.5]).double(), x[:2], torch.eye(2).double().expand(2, 2, 2)
    )
    _, history = inference.em(x, start)
    assert bool((history.diff() >= -1e-12).all())


def mixture_elbo_law(inference):
    """Bayesian mixtures: the bound never falls, stays below log p(x), and reaches it for one component."""
    x = torch.tensor([[1.0, 0.2], [-1.5, 0.6], [2.0, -0.3]], dtype=torch.float64)
    model = inference.BayesianMixture(x, prior_scale=1.5, noise_scale=0.7)
    _, history = inference.coordinate_ascent(model, model.start(x[:2]), tolerance=1e-13)
    assert bool((history.diff() >= -1e-10).all())
    q, history = inference.coordinate_ascent(model, model.start(x[:1]))
    covariance = 1.5**2 * torch.ones(3, 3).double() + 0.7**2 * torch.eye(3, dtype=torch.float64)
    exact = sum(MultivariateNormal(torch.zeros(3).double(), covariance).log_prob(x[:, d]) for d in (0, 1))
    assert float(history[-1]) == pytest.approx(float(exact), abs=1e-9)
    two = model.update(model.start(x[:2]))
    assert float(model.elbo(two)) < float(exact) + 10
    torch.testing.assert_close(two.responsibilities.sum(dim=1), torch.ones(3).double())
    for changed in (two._replace(loc=two.loc + 0.05), two._replace(scale=two.scale * 1.1)):
        assert model.elbo(changed) < model.elbo(two)
    split = q._replace(
        loc=torch.cat([q.loc, torch.zeros(1, 2).double()]), scale=torch.cat([q.scale, torch.tensor([1.5]).double()]),
        responsibilities=torch.tensor([[1.0, 0.0]] * 3).double(),
    )  # fmt: skip
    # An unused component costs exactly the choice among two: N log 2.
    assert float(model.elbo(split)) == pytest.approx(float(history[-1]) - 3 * math.log(2), abs=1e-9)


MUTANTS = [
    (balance_law, "mcmc", "(log_p_new - log_p + log_ratio)", "(log_p_new - log_p)"),
    (balance_law, "mcmc", "(log_p_new - log_p + log_ratio)", "(log_p_new - log_p - log_ratio)"),
    (stationary_law, "mcmc", "(log_p_new - log_p + log_ratio)", "(log_p - log_p_new + log_ratio)"),
    (stationary_law, "mcmc", "(log_p_new - log_p + log_ratio)", "(log_p_new - log_p)"),
    (balance_law, "mcmc", ".clamp(max=0.0).exp()", ".exp()"),
    (stationary_law, "mcmc", "accept = u < acceptance", "accept = u > acceptance"),
    (stationary_law, "mcmc", "log_p = torch.where(accept, log_p_new, log_p)", "log_p = log_p_new"),
    (stationary_law, "mcmc", "samples[s] = z\n        num", "samples[s] = z_new\n        num"),
    (gibbs_law, "mcmc", "precision[i, i].rsqrt()", "precision[i, i].reciprocal()"),
    (gibbs_law, "mcmc", "mu[i].to(z) - others", "mu[i].to(z) + others"),
    (gibbs_law, "mcmc", "precision = torch.cholesky_inverse(factor)", "precision = factor @ factor.T"),
    (gibbs_law, "conjugate", "self.shape + 0.5), rate", "self.shape), rate"),
    (gibbs_law, "conjugate", "* z[:, 1]).rsqrt()", "* z[:, 1]).reciprocal()"),
    (diagnostics_law, "diagnostics", "tau = -1 + 2 * kept", "tau = 1 + 2 * kept"),
    (diagnostics_law, "diagnostics", "tau = -1 + 2 * kept", "tau = -1 + kept"),
    (diagnostics_law, "diagnostics", "B_over_n / W))", "n * B_over_n / W))"),
    (diagnostics_law, "diagnostics", "torch.cat([theta[:n], theta[-n:]], dim=1)", "theta"),
    (bayes_law, "conjugate", "shape=self.shape + N / 2", "shape=self.shape + N"),
    (bayes_law, "conjugate", "+ 0.5 * float((data - mean)", "+ float((data - mean)"),
    (bayes_law, "conjugate", "return likelihood + self.log_prob(z)", "return likelihood"),
    (bayes_law, "conjugate", "self.shape * math.log(self.rate) -", "-"),
    (evidence_law, "conjugate", "- 1 - mean.variance.log()", "- mean.variance.log()"),
    (evidence_law, "mean_field", "+ q.mean.entropy() + q.precision.entropy()", ""),
    (evidence_law, "mean_field", "(N + 1) / 2", "N / 2"),
    (evidence_law, "mean_field", "return len(self.x) * mean.variance + ", "return "),
    (evidence_law, "mean_field", "(p.shape - 1) * log_lam", "p.shape * log_lam"),
    (gaussian_law, "mean_field", "return log_p + q.entropy().sum()", "return log_p"),
    (gaussian_law, "mean_field", "return Normal(m, diagonal.rsqrt())", "return Normal(m, diagonal.reciprocal())"),
    (gaussian_law, "mean_field", "self.loc[i] - pull", "self.loc[i] + pull"),
    (black_box_law, "black_box", "log_joint, z) - log_q", "log_joint, z)"),
    (black_box_law, "black_box", "sampling.reparameterize(loc, scale,", "sampling.reparameterize(loc, scale**2,"),
    (black_box_law, "black_box", "maximize=True", "maximize=False"),
    (em_law, "mixtures", "(self.weights.log() - 0.5 * normalizer)", "(0.5 * normalizer)"),
    (em_law, "mixtures", "self.joint_log_prob(x).softmax(dim=1)", "self.joint_log_prob(x).exp()"),
    (em_law, "mixtures", "self.joint_log_prob(x).softmax(dim=1)", "self.joint_log_prob(x).softmax(dim=0)"),
    (em_law, "mixtures", "@ d / N_k[:, None, None]", "@ d / len(data)"),
    (em_law, "mixtures", "locs = (r.T @ data) / N_k[:, None]", "locs = (r.T @ data) / len(data)"),
    (em_law, "mixtures", "d = data[None] - locs[:, None]", "d = data[None] - data.mean(dim=0)"),
    (em_law, "mixtures", "2 * factors.diagonal", "factors.diagonal"),
    (mixture_elbo_law, "bayesian_mixture", "- torch.special.xlogy(r, r).sum()", ""),
    (mixture_elbo_law, "bayesian_mixture", ".softmax(dim=1)", ".exp()"),
    (mixture_elbo_law, "bayesian_mixture", "log_p_c = -len(self.x) * math.log(K)", "log_p_c = 0.0"),
    (mixture_elbo_law, "bayesian_mixture", "variance.sqrt(), r)", "variance, r)"),
    (mixture_elbo_law, "bayesian_mixture", "@ q.loc.T + lengths", "@ q.loc.T + q.loc.square().sum(1)"),
]  # fmt: skip

test_the_laws_hold, test_each_mistake_breaks_a_law = law_tests("inference", MUTANTS)
