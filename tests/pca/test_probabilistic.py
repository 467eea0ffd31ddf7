import warnings

import numpy as np
import pytest
import scipy.stats
import sklearn.datasets
import sklearn.decomposition
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from vaeedu.pca import PCA, ProbabilisticPCA, em_step, em_step_covariance
from vaeedu.pca.missing import Problem

DIGITS = torch.from_numpy(sklearn.datasets.load_digits().data / 16.0)


def low_rank_data(seed, N=300, D=6, K=2, noise=0.5):
    g = torch.Generator().manual_seed(seed)
    W = torch.randn(K, D, generator=g, dtype=torch.float64) * torch.arange(K + 1, 1, -1)[:, None]
    z, eps = (torch.randn(N, size, generator=g, dtype=torch.float64) for size in (K, D))
    return z @ W + noise * eps + torch.arange(D)


def with_holes(x, seed, share=0.2):
    holes = torch.rand(x.shape, generator=torch.Generator().manual_seed(seed)) < share
    return x.masked_fill(holes, torch.nan)


@pytest.mark.parametrize("K", [1, 5, 40])
def test_log_prob_agrees_with_scipy(K):
    model = ProbabilisticPCA(K).fit(DIGITS)
    reference = scipy.stats.multivariate_normal(model.mean_, model.covariance()).logpdf(DIGITS)
    np.testing.assert_allclose(model.log_prob(DIGITS), reference, rtol=1e-8)


def assert_agrees_with_scikit_learn(x, K):
    """Scikit-learn's PCA divides variances by N − 1; ours by N. So x is stretched until its model is ours."""
    N, D = x.shape
    model, theirs = ProbabilisticPCA(K).fit(x), sklearn.decomposition.PCA(K, svd_solver="full").fit(x.numpy())
    stretched = x.mean(dim=0) + (x - x.mean(dim=0)) * (N / (N - 1)) ** 0.5
    reference = theirs.score_samples(stretched.numpy()) + D / 2 * np.log(N / (N - 1))
    np.testing.assert_allclose(model.log_prob(x), reference, rtol=1e-8)
    np.testing.assert_allclose(model.noise_variance_, theirs.noise_variance_ * (N - 1) / N, rtol=1e-8)


def test_log_prob_agrees_with_scikit_learn_after_rescaling():
    assert_agrees_with_scikit_learn(DIGITS, 10)


@pytest.mark.data
def test_agrees_with_scipy_and_scikit_learn_on_mnist():
    from vaeedu import data

    x = data.mnist("test")[0][:3000].flatten(1).double()
    assert_agrees_with_scikit_learn(x, 20)
    model = ProbabilisticPCA(20).fit(x)
    # By Cholesky: SciPy's default, an eigendecomposition, can fail where 764 eigenvalues are all σ².
    covariance = scipy.stats.Covariance.from_cholesky(torch.linalg.cholesky(model.covariance()).numpy())
    reference = scipy.stats.multivariate_normal(model.mean_, covariance).logpdf(x[:200])
    np.testing.assert_allclose(model.log_prob(x[:200]), reference, rtol=1e-8)


def test_model_covariance_keeps_the_leading_eigenvalues_and_averages_the_rest():
    model = ProbabilisticPCA(10).fit(DIGITS)
    data_values = torch.linalg.eigvalsh(torch.cov(DIGITS.T, correction=0)).flip(0)
    model_values = torch.linalg.eigvalsh(model.covariance()).flip(0)
    torch.testing.assert_close(model_values[:10], data_values[:10])
    torch.testing.assert_close(model_values[10:], data_values[10:].mean().expand(54))


def test_closed_form_is_a_maximum(generator):
    x = low_rank_data(0)
    best = ProbabilisticPCA(2).fit(x)
    top = best.log_prob(x).mean()
    for _ in range(20):
        noise = torch.randn(2, 6, generator=generator, dtype=torch.float64)
        other = ProbabilisticPCA.from_parameters(best.components_ + 0.01 * noise, best.mean_, 0.25)
        assert other.log_prob(x).mean() < top
    for factor in (0.98, 1.02):
        other = ProbabilisticPCA.from_parameters(
            best.components_, best.mean_, factor * float(best.noise_variance_)
        )
        assert other.log_prob(x).mean() < top


@pytest.mark.parametrize("shape", [(300, 6), (20, 30)])
def test_em_reaches_the_closed_form(shape, generator):
    x = low_rank_data(1, *shape, noise=2.0)  # with little noise EM crawls: its rate is near 1 − σ²/λ
    exact = ProbabilisticPCA(2).fit(x)
    em = ProbabilisticPCA(2).fit(x, method="em", tolerance=1e-10, max_iterations=5000, generator=generator)
    torch.testing.assert_close(em.components_, exact.components_, atol=1e-3, rtol=0)
    torch.testing.assert_close(em.noise_variance_, exact.noise_variance_, rtol=1e-5, atol=0)
    torch.testing.assert_close(
        em.log_likelihood_per_iteration_[-1], exact.log_prob(x).mean(), rtol=1e-8, atol=0
    )
    assert exact.log_likelihood_per_iteration_ is None


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 10**6), K=st.integers(1, 5), share=st.sampled_from([0.0, 0.3]))
def test_em_never_lowers_the_likelihood(seed, K, share):
    x = with_holes(low_rank_data(seed, N=40), seed, share)
    x = x[:, ~x.isnan().all(dim=0)]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # thirty steps need not be enough
        g = torch.Generator().manual_seed(seed)
        model = ProbabilisticPCA(min(K, x.shape[1] - 1)).fit(x, method="em", max_iterations=30, generator=g)
    steps = model.log_likelihood_per_iteration_.diff()
    assert bool((steps >= -1e-10).all())


def test_em_step_is_the_same_on_data_and_on_covariance(generator):
    x = low_rank_data(2) - low_rank_data(2).mean(dim=0)
    W = torch.randn(6, 3, generator=generator, dtype=torch.float64)
    noise_variance = torch.tensor(0.7, dtype=torch.float64)
    on_data, on_covariance = (
        em_step(x, W, noise_variance),
        em_step_covariance(x.T @ x / len(x), W, noise_variance),
    )
    torch.testing.assert_close(on_data, on_covariance, rtol=1e-12, atol=1e-12)


def test_em_for_missing_entries_is_em_where_none_are_missing(generator):
    x = low_rank_data(3)
    W = torch.randn(6, 3, generator=generator, dtype=torch.float64)
    noise_variance = torch.tensor(0.7, dtype=torch.float64)
    problem = Problem(x)
    _, *stepped = problem.step(W, noise_variance)
    torch.testing.assert_close(tuple(stepped), em_step(x - x.mean(dim=0), W, noise_variance))
    torch.testing.assert_close(problem.mean, x.mean(dim=0))


def test_em_with_missing_entries_finds_the_density(generator):
    x = low_rank_data(4, N=2000)
    complete = ProbabilisticPCA(2).fit(x)
    holed = ProbabilisticPCA(2).fit(
        with_holes(x, 4, share=0.3), method="em", tolerance=1e-7, generator=generator
    )
    # With a third of the entries gone the estimates differ; the densities they give to the full data barely do.
    lost = (complete.log_prob(x) - holed.log_prob(x)).mean()
    assert 0 < lost < 0.01
    # Filling the holes with column means, the obvious short cut, costs far more.
    filled = torch.where(with_holes(x, 4, 0.3).isnan(), x.mean(dim=0), x)
    assert (complete.log_prob(x) - ProbabilisticPCA(2).fit(filled).log_prob(x)).mean() > 10 * lost


def test_posterior_is_the_conditional_of_the_joint_gaussian():
    x = low_rank_data(5)
    model = ProbabilisticPCA(2).fit(x)
    W, C = model.components_.T, model.covariance()
    posterior = model.posterior(x)
    # cov(z, x) = Wᵀ, so E[z|x] = Wᵀ C⁻¹ (x − μ) and cov(z|x) = I − Wᵀ C⁻¹ W.
    loc = (x - model.mean_) @ torch.linalg.solve(C, W)
    covariance = torch.eye(2, dtype=torch.float64) - W.T @ torch.linalg.solve(C, W)
    torch.testing.assert_close(posterior.mean, loc)
    torch.testing.assert_close(posterior.covariance_matrix, covariance.expand(300, 2, 2))
    assert (posterior.batch_shape, posterior.event_shape) == ((300,), (2,))


def test_exact_posterior_makes_a_single_sample_bound_exact(generator):
    model = ProbabilisticPCA(5).fit(DIGITS)
    posterior = model.posterior(DIGITS)
    eps = torch.randn(len(DIGITS), 5, generator=generator, dtype=torch.float64)
    z = posterior.mean + eps @ posterior.scale_tril[0].T
    bound = model.likelihood(z).log_prob(DIGITS) + model.prior().log_prob(z) - posterior.log_prob(z)
    torch.testing.assert_close(bound, model.log_prob(DIGITS), atol=1e-10, rtol=0)


def test_pca_is_the_limit_of_no_noise():
    pca = PCA(3).fit(DIGITS)
    distances = []
    for noise_variance in (1e-2, 1e-4, 1e-6):
        model = ProbabilisticPCA.from_parameters(pca.components_, pca.mean_, noise_variance)
        posterior = model.posterior(DIGITS)
        # WᵀW = I, so the mean is Wᵀ(x − μ) / (1 + σ²) and the covariance σ² / (1 + σ²) I.
        torch.testing.assert_close(posterior.mean * (1 + noise_variance), pca.transform(DIGITS))
        distances.append(float((posterior.mean - pca.transform(DIGITS)).abs().max()))
        assert float(posterior.variance.max()) == pytest.approx(noise_variance / (1 + noise_variance))
    assert distances[0] / distances[1] == pytest.approx(100, rel=0.02)
    assert distances[1] / distances[2] == pytest.approx(100, rel=0.02)


def test_log_prob_stays_accurate_when_the_noise_is_tiny():
    pca = PCA(3).fit(DIGITS)
    model = ProbabilisticPCA.from_parameters(pca.components_, pca.mean_, 1e-10)
    on_plane = pca.inverse_transform(pca.transform(DIGITS))
    z = pca.transform(DIGITS)
    reference = -0.5 * (64 * np.log(2 * np.pi) + 61 * np.log(1e-10) + z.square().sum(dim=1))
    np.testing.assert_allclose(model.log_prob(on_plane), reference, rtol=1e-8)


def test_missing_entries_are_integrated_out():
    x = with_holes(low_rank_data(6, N=50), seed=6)
    x[7] = torch.nan
    model = ProbabilisticPCA(2).fit(low_rank_data(6))
    C, log_prob = model.covariance(), model.log_prob(x, allow_missing=True)
    imputed = model.impute(x)
    for row, value, filled in zip(x, log_prob, imputed, strict=True):
        seen = ~row.isnan()
        if not seen.any():
            assert float(value) == pytest.approx(0.0, abs=1e-12)
            torch.testing.assert_close(filled, model.mean_)
            continue
        marginal = scipy.stats.multivariate_normal(model.mean_[seen], C[seen][:, seen])
        assert float(value) == pytest.approx(marginal.logpdf(row[seen]), rel=1e-9)
        gain = torch.linalg.solve(C[seen][:, seen], C[seen][:, ~seen]).T
        torch.testing.assert_close(filled[~seen], model.mean_[~seen] + gain @ (row[seen] - model.mean_[seen]))
        torch.testing.assert_close(filled[seen], row[seen])


def test_samples_have_the_models_moments(generator):
    model = ProbabilisticPCA(2).fit(low_rank_data(7))
    n = 200_000
    x = model.sample(n, generator=generator)
    C = model.covariance()
    standard_error = (C.diagonal() / n).sqrt()
    assert bool(((x.mean(dim=0) - model.mean_).abs() <= 5 * standard_error).all())
    # var of a sample covariance entry of a Gaussian: (C_ii C_jj + C_ij²) / n
    covariance_error = ((torch.outer(C.diagonal(), C.diagonal()) + C.square()) / n).sqrt()
    assert bool(((torch.cov(x.T) - C).abs() <= 5 * covariance_error).all())
    again = model.sample(n, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(x, again, rtol=0, atol=0)


def test_likelihood_takes_any_leading_dimensions():
    model = ProbabilisticPCA(2).fit(low_rank_data(8))
    likelihood = model.likelihood(torch.zeros(4, 5, 2, dtype=torch.float64))
    assert (likelihood.batch_shape, likelihood.event_shape) == ((4, 5), (6,))
    torch.testing.assert_close(likelihood.variance, model.noise_variance_.expand(4, 5, 6))


def test_float32_agrees_with_float64():
    double, single = ProbabilisticPCA(5).fit(DIGITS), ProbabilisticPCA(5).fit(DIGITS.float())
    assert single.log_prob(DIGITS.float()).dtype == torch.float32
    np.testing.assert_allclose(single.log_prob(DIGITS.float()), double.log_prob(DIGITS), rtol=1e-5, atol=1e-4)


def test_em_says_when_it_did_not_settle(generator):
    with pytest.warns(RuntimeWarning, match="did not settle within 3 iterations: raise max_iterations"):
        ProbabilisticPCA(2).fit(low_rank_data(9), method="em", max_iterations=3, generator=generator)


PLANE = low_rank_data(0, noise=0.0)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: ProbabilisticPCA(-1), "num_components must be a whole number of at least 1, but is -1"),
        (lambda: ProbabilisticPCA(6).fit(low_rank_data(0)), r"at most 5 \(D - 1: one of the 6 directions"),
        (lambda: ProbabilisticPCA(1).fit(torch.ones(4, 3)), "all of its rows are the same"),
        (lambda: ProbabilisticPCA(1).fit(with_holes(low_rank_data(0), 0)), "is nan: .* with method='em'"),
        (
            lambda: ProbabilisticPCA(1).fit(low_rank_data(0), method="svd"),
            "one of 'closed_form', 'em', but is 'svd'",
        ),
        (lambda: ProbabilisticPCA(2).fit(PLANE), "none within rounding: the likelihood then has no maximum"),
        (lambda: ProbabilisticPCA(3).fit(PLANE, method="em"), "Choose fewer components, or use PCA"),
        (lambda: ProbabilisticPCA(1).fit(low_rank_data(0), method="em", tolerance=-1.0), "tolerance must be"),
        (
            lambda: ProbabilisticPCA(1).fit(low_rank_data(0), method="em", max_iterations=0),
            "max_iterations must be",
        ),
        (
            lambda: ProbabilisticPCA(1).fit(
                low_rank_data(0).index_fill(1, torch.tensor(2), torch.nan), method="em"
            ),
            "column 2 is all NaN: drop it",
        ),
        (
            lambda: ProbabilisticPCA(1).fit(
                low_rank_data(0).index_fill(1, torch.tensor(2), torch.inf), method="em"
            ),
            r"x\[0, 2\] is inf",
        ),
        (
            lambda: ProbabilisticPCA(1).sample(2),
            r"not fitted: call ProbabilisticPCA\(...\).fit\(x\) before sample",
        ),
        (lambda: ProbabilisticPCA(1).log_prob(PLANE), "before log_prob"),
        (lambda: ProbabilisticPCA(1).fit(low_rank_data(0)).sample(0), "num_samples must be a whole number"),
        (lambda: ProbabilisticPCA(1).fit(low_rank_data(0)).log_prob(torch.ones(2, 3)), "must have 6 columns"),
        (lambda: ProbabilisticPCA(1).fit(low_rank_data(0)).log_prob(with_holes(PLANE, 0)), "is nan"),
        (
            lambda: ProbabilisticPCA(1).fit(low_rank_data(0)).likelihood(torch.ones(2, 3)),
            r"z must have shape \(..., 1\), but has shape",
        ),
        (
            lambda: ProbabilisticPCA.from_parameters(torch.ones(2, 2), torch.zeros(2), 1.0),
            r"at most 1 \(D - 1",
        ),
        (
            lambda: ProbabilisticPCA.from_parameters(torch.ones(1, 2), torch.zeros(3), 1.0),
            r"mean must .* \(2,\)",
        ),
        (
            lambda: ProbabilisticPCA.from_parameters(torch.ones(1, 2), torch.zeros(2), 0.0),
            "noise_variance must be",
        ),
    ],
)
def test_bad_input_says_how_to_mend_it(make, message):
    with pytest.raises(ValueError, match=message):
        make()
