"""Gaussian mixtures: EM climbs, Q and the entropy add up to the likelihood, and scikit-learn agrees."""

import numpy as np
import pytest
import scipy.stats
import sklearn.mixture
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from vaeedu.inference import GaussianMixture, em, em_step, q_function


def mixture(seed, K, D):
    g = torch.Generator().manual_seed(seed)
    A = torch.randn(K, D, D, generator=g, dtype=torch.float64)
    weights = torch.rand(K, generator=g, dtype=torch.float64) + 0.1
    locs = 3 * torch.randn(K, D, generator=g, dtype=torch.float64)
    return GaussianMixture(weights / weights.sum(), locs, A @ A.mT + 0.3 * torch.eye(D))


def entropy(r):
    return -torch.special.xlogy(r, r).sum(dim=1)


def test_log_prob_is_scipys(generator):
    model = mixture(0, 3, 2)
    x = model.sample(20, generator=generator)
    parts = [
        np.log(float(w)) + scipy.stats.multivariate_normal(m.numpy(), S.numpy()).logpdf(x.numpy())
        for w, m, S in zip(model.weights, model.locs, model.covariances, strict=True)
    ]
    np.testing.assert_allclose(model.joint_log_prob(x), np.stack(parts, axis=1), rtol=1e-12)
    np.testing.assert_allclose(model.log_prob(x), np.logaddexp.reduce(parts, axis=0), rtol=1e-12)


def test_far_away_points_have_responsibilities_too():
    pair = GaussianMixture(torch.tensor([0.5, 0.5]), torch.tensor([[0.0], [1.0]]), torch.ones(2, 1, 1))
    r = pair.responsibilities(torch.tensor([[1000.0], [-1000.0]]))
    torch.testing.assert_close(r, torch.tensor([[0.0, 1.0], [1.0, 0.0]]))


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 2**31 - 1), K=st.integers(1, 4), D=st.integers(1, 3))
def test_log_likelihood_is_q_plus_entropy_at_the_e_step_and_more_elsewhere(seed, K, D):
    model, other = mixture(seed, K, D), mixture(seed + 1, K, D)
    x = model.sample(30, generator=torch.Generator().manual_seed(seed))
    r = model.responsibilities(x)
    torch.testing.assert_close(r.sum(dim=1), torch.ones(30).double())
    torch.testing.assert_close(
        q_function(model, x, r) + entropy(r), model.log_prob(x), atol=1e-10, rtol=1e-12
    )
    wrong = other.responsibilities(x)
    gap = model.log_prob(x) - q_function(model, x, wrong) - entropy(wrong)
    # What is missing is KL(wrong ‖ posterior).
    kl = (torch.special.xlogy(wrong, wrong) - wrong * model.joint_log_prob(x).log_softmax(dim=1)).sum(dim=1)
    torch.testing.assert_close(gap, kl, atol=1e-9, rtol=1e-9)
    assert bool((gap >= -1e-9).all())


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 2**31 - 1), K=st.integers(1, 3), D=st.integers(1, 3))
def test_em_never_falls_and_each_m_step_raises_q(seed, K, D):
    x = mixture(seed, 3, D).sample(120, generator=torch.Generator().manual_seed(seed))
    model = mixture(seed + 1, K, D)
    values = [model.log_prob(x).mean()]
    for _ in range(4):
        r = model.responsibilities(x)
        if float(r.sum(dim=0).min()) < 2 * (D + 1):  # about to shrink on a few points: not this test's matter
            break
        new = em_step(x, r)
        assert q_function(new, x, r).mean() >= q_function(model, x, r).mean() - 1e-10
        model = new
        values.append(model.log_prob(x).mean())
    assert bool((torch.stack(values).diff() >= -1e-10).all())


def test_the_m_step_is_a_maximum_of_q(generator):
    x = mixture(3, 2, 2).sample(200, generator=generator)
    r = mixture(4, 2, 2).responsibilities(x)
    best = em_step(x, r)
    top = q_function(best, x, r).mean()
    for weights, locs, covariances in (
        (torch.tensor([0.01, -0.01]), 0.0, 1.0),
        (torch.tensor([-0.01, 0.01]), 0.0, 1.0),
        (0.0, 0.01, 1.0),
        (0.0, -0.01, 1.0),
        (0.0, 0.0, 1.01),
        (0.0, 0.0, 0.99),
    ):
        near = GaussianMixture(best.weights + weights, best.locs + locs, best.covariances * covariances)
        assert q_function(near, x, r).mean() < top


@pytest.mark.parametrize(("K", "D"), [(1, 2), (2, 1), (3, 2)])
def test_em_agrees_with_scikit_learn(generator, K, D):
    x = mixture(5, K, D).sample(500, generator=generator)
    start = GaussianMixture(
        torch.full((K,), 1 / K, dtype=torch.float64), x[:K], torch.cov(x.T).reshape(D, D).expand(K, D, D)
    )
    ours, history = em(x, start, tolerance=1e-12, max_iterations=20_000)
    reference = sklearn.mixture.GaussianMixture(
        K, reg_covar=0.0, tol=1e-12, max_iter=20_000, weights_init=start.weights.numpy(), means_init=start.locs.numpy(),
        precisions_init=torch.linalg.inv(start.covariances).numpy(),
    ).fit(x.numpy())  # fmt: skip
    np.testing.assert_allclose(ours.weights, reference.weights_, atol=1e-5)
    np.testing.assert_allclose(ours.locs, reference.means_, atol=1e-4)
    np.testing.assert_allclose(ours.covariances, reference.covariances_, atol=1e-4)
    assert float(history[-1]) == pytest.approx(reference.score(x.numpy()), abs=1e-9)
    np.testing.assert_allclose(ours.responsibilities(x), reference.predict_proba(x.numpy()), atol=1e-4)


def test_a_single_component_is_the_sample_mean_and_covariance(generator):
    x = mixture(6, 2, 3).sample(50, generator=generator)
    fitted = em_step(x, torch.ones(50, 1, dtype=torch.float64))
    torch.testing.assert_close(fitted.locs[0], x.mean(dim=0))
    torch.testing.assert_close(fitted.covariances[0], torch.cov(x.T, correction=0))


def test_samples_have_the_mixtures_moments(generator):
    model, n = mixture(7, 3, 2), 200_000
    x = model.sample(n, generator=generator)
    mean = model.weights @ model.locs
    d = model.locs - mean
    covariance = torch.einsum("k,kij->ij", model.weights, model.covariances + d[:, :, None] * d[:, None])
    assert bool(((x.mean(dim=0) - mean).abs() <= 5 * (covariance.diagonal() / n).sqrt()).all())
    products = (x - mean)[:, :, None] * (x - mean)[:, None]
    assert bool(((products.mean(dim=0) - covariance).abs() <= 5 * products.std(dim=0) / n**0.5).all())


def test_em_says_when_it_did_not_settle(generator):
    x = mixture(8, 2, 1).sample(100, generator=generator)
    with pytest.warns(RuntimeWarning, match="did not settle within 2 iterations: raise max_iterations"):
        em(x, mixture(8, 2, 1), max_iterations=2)


HALF, PAIR = torch.tensor([0.5, 0.5]), torch.ones(2, 1, 1)
GOOD = GaussianMixture(HALF, torch.tensor([[0.0], [1.0]]), PAIR)
X = torch.tensor([[0.0], [0.1], [5.0]])


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: GaussianMixture(HALF * 2, GOOD.locs, PAIR), "weights must sum to 1 .* but a sum is 2: use"),
        (lambda: GaussianMixture(torch.tensor([1.5, -0.5]), GOOD.locs, PAIR), r"at least 0, but weights\[1\] is -0.5"),
        (lambda: GaussianMixture(torch.tensor([1.0, 0.0]), GOOD.locs, PAIR), r"than 0, but weights\[1\] is 0"),
        (lambda: GaussianMixture(torch.ones(1), GOOD.locs, PAIR), "one entry for each of the 2 rows of locs"),
        (lambda: GaussianMixture(HALF, HALF, PAIR), "locs must have shape"),
        (lambda: GaussianMixture(HALF, GOOD.locs, HALF), r"must have shape \(2, 1, 1\), but has shape \(2,\)"),
        (lambda: GaussianMixture(HALF, GOOD.locs, -PAIR), r"covariances\[0\] must be positive definite"),
        (lambda: GOOD.log_prob(torch.ones(2, 2)), "x must have 1 columns"),
        (lambda: GOOD.sample(0), "num_samples must be"),
        (lambda: q_function(GOOD, X, torch.ones(3, 2)), "responsibilities must sum to 1 .* but a sum is 2"),
        (lambda: q_function(GOOD, X, torch.ones(2, 2) / 2), r"responsibilities must have shape \(3, 2\), but has"),
        (lambda: em_step(X, torch.tensor([[2.0, -1.0]] * 3)), r"at least 0, but responsibilities\[0, 1\] is -1"),
        (lambda: em_step(X, torch.tensor([[1.0, 0.0], [1.0, 0.0], [0.0, 1.0]])), "component 1, with 1 examples, has"),
        (lambda: em_step(X, torch.tensor([[1.0, 0.0]] * 3)), "component 1, with 0 examples, has shrunk"),
        (lambda: em(torch.ones(3, 2), GOOD), "x must have 1 columns"),
        (lambda: em(X, GOOD, max_iterations=0), "max_iterations must be"),
        (lambda: em(X, GOOD, tolerance=-1.0), "tolerance must be"),
    ],
)  # fmt: skip
def test_bad_input_says_how_to_mend_it(make, message):
    with pytest.raises(ValueError, match=message):
        make()
