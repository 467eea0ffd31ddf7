"""The classic mistakes in (probabilistic) PCA, each made on purpose: every one must break a law."""

import pytest
import torch
from support.mutation import law_tests


def data(N=120, D=5):
    g = torch.Generator().manual_seed(0)
    scales = torch.tensor([4.0, 2.5, 1.0, 0.8, 0.6], dtype=torch.float64)[:D]
    rotation = torch.linalg.qr(torch.randn(D, D, generator=g, dtype=torch.float64))[0]
    return (torch.randn(N, D, generator=g, dtype=torch.float64) * scales) @ rotation.T + 7.0


def eigenvector_law(pca):
    x = data()
    for method in ("svd", "eigh", "als"):
        model = pca.PCA(2).fit(x, method=method, generator=torch.Generator().manual_seed(0))
        stretched = torch.cov(x.T) @ model.components_.T
        torch.testing.assert_close(
            stretched, model.components_.T * model.explained_variance_, atol=1e-4, rtol=1e-5
        )
        assert bool((model.components_.sum(dim=1) != 0).all())


def sign_law(pca):
    x = data()
    one, other = pca.PCA(2).fit(x, method="svd"), pca.PCA(2).fit(-x, method="svd")
    torch.testing.assert_close(one.components_, other.components_)


def normal_equations_law(pca):
    """Each half of a sweep leaves a residual orthogonal to what it regressed on."""
    x = data() - data().mean(dim=0)
    W = torch.randn(5, 2, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    Z, W_new = pca.als_sweep(x, W)
    zero = torch.zeros(1, dtype=torch.float64)
    torch.testing.assert_close((x - Z @ W.T) @ W, zero.expand(len(x), 2), atol=1e-9, rtol=0)
    torch.testing.assert_close(Z.T @ (x - Z @ W_new.T), zero.expand(2, 5), atol=1e-9, rtol=0)


def moments_law(pca):
    """Neither a small mean nor one that float32 cannot hold exactly costs accuracy."""
    for shift in (-7.0, 1e6):
        x = (data() + shift).float()
        mean, covariance = pca.moments.mean_and_covariance(x)
        torch.testing.assert_close(mean, x.double().mean(dim=0), rtol=1e-9, atol=1e-6)
        torch.testing.assert_close(covariance, torch.cov(x.double().T, correction=0), rtol=1e-5, atol=1e-6)
    model, x = pca.PCA(2).fit(data()), data()
    leading = torch.linalg.eigvalsh(torch.cov(x.T)).flip(0)[:2]
    torch.testing.assert_close(model.explained_variance_, leading)


def density_law(pca):
    """The density integrates to one, and its moments are the data's."""
    x = data(D=2)
    model = pca.ProbabilisticPCA(1).fit(x)
    spread = 10 * x.std()
    axis = torch.linspace(-1, 1, 801, dtype=torch.float64) * spread
    grid = torch.cartesian_prod(axis + model.mean_[0], axis + model.mean_[1])
    density = model.log_prob(grid).exp() * (axis[1] - axis[0]) ** 2
    assert density.sum().item() == pytest.approx(1.0, abs=1e-6)
    centred = grid - x.mean(dim=0)
    torch.testing.assert_close(
        (centred.T * density) @ centred, torch.cov(x.T, correction=0), atol=1e-4, rtol=1e-4
    )


def bayes_law(pca):
    """log p(x) = log p(x|z) + log p(z) − log p(z|x), whatever z; with holes in x as well."""
    x = data()
    model = pca.ProbabilisticPCA(2).fit(x)
    z = torch.randn(len(x), 2, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    joint = model.likelihood(z).log_prob(x) + model.prior().log_prob(z)
    torch.testing.assert_close(joint - model.posterior(x).log_prob(z), model.log_prob(x), atol=1e-9, rtol=0)
    holed = x.masked_fill(torch.rand(x.shape, generator=torch.Generator().manual_seed(2)) < 0.3, torch.nan)
    seen = model.likelihood(z).base_dist.log_prob(torch.where(holed.isnan(), 0.0, holed))
    joint = torch.where(holed.isnan(), 0.0, seen).sum(dim=1) + model.prior().log_prob(z)
    posterior = model.posterior(holed, allow_missing=True)
    evidence = model.log_prob(holed, allow_missing=True)
    torch.testing.assert_close(joint - posterior.log_prob(z), evidence, atol=1e-9, rtol=0)


def em_law(pca):
    """EM climbs, in either form and with holes, and stops at the closed form where there are none."""
    x = data()
    exact = pca.ProbabilisticPCA(2).fit(x)
    start = torch.Generator().manual_seed(0)
    em = pca.ProbabilisticPCA(2).fit(x, method="em", generator=start, tolerance=1e-12, max_iterations=5000)
    torch.testing.assert_close(em.noise_variance_, exact.noise_variance_, rtol=1e-6, atol=0)
    torch.testing.assert_close(em.components_, exact.components_, atol=1e-4, rtol=0)
    W, noise = (
        torch.ones(5, 2, dtype=torch.float64).cumsum(0) / 5 + torch.eye(5, 2),
        torch.tensor(0.5).double(),
    )
    centred = x - x.mean(dim=0)
    torch.testing.assert_close(
        pca.em_step(centred, W, noise), pca.em_step_covariance(centred.T @ centred / len(x), W, noise)
    )
    holed = x.masked_fill(torch.rand(x.shape, generator=torch.Generator().manual_seed(2)) < 0.3, torch.nan)
    path = pca.ProbabilisticPCA(2).fit(
        holed, method="em", generator=start, tolerance=1e-8, max_iterations=5000
    )
    assert bool((path.log_likelihood_per_iteration_.diff() >= -1e-9).all())


MUTANTS = [
    (eigenvector_law, "principal", "(variances * (N / (N - 1)))", "variances"),
    (eigenvector_law, "principal", "singular_values[:K].square() / N", "singular_values[:K] / N"),
    (eigenvector_law, "principal", "settle_signs(rotation.to(x) @ Q.T)", "settle_signs(Q.T)"),
    (moments_law, "moments", "scatter / N - torch.outer(offset, offset)", "scatter / N"),
    (moments_law, "moments", "shift.cpu().double() + offset", "shift.cpu().double()"),
    (eigenvector_law, "moments", "values[: -num_components - 1 : -1]", "values[:num_components]"),
    (sign_law, "moments", "torch.where(largest < 0, -rows, rows)", "rows"),
    (normal_equations_law, "principal", "x @ W @ torch.linalg.pinv(W.T @ W, hermitian=True)", "x @ W"),
    (normal_equations_law, "principal", "x.T @ Z @ torch.linalg.pinv(Z.T @ Z, hermitian=True)", "x.T @ Z"),
    (density_law, "probabilistic", "return -0.5 * (em.log_normalizer", "return -(em.log_normalizer"),
    (density_law, "probabilistic", "/ noise_variance + z.square().sum(dim=1)", "/ noise_variance"),
    (density_law, "probabilistic", "(eigenvalues - noise_variance)", "eigenvalues"),
    (density_law, "em", "D * math.log(2 * math.pi) + (D - K)", "(D - K)"),
    (density_law, "em", "(D - K) * noise_variance.log()", "D * noise_variance.log()"),
    (density_law, "em", "2 * M_cholesky", "M_cholesky"),
    (bayes_law, "probabilistic", "precision_matrix=M / noise_variance", "precision_matrix=M"),
    (bayes_law, "probabilistic", "self.noise_variance_.to(z).sqrt()", "self.noise_variance_.to(z)"),
    (bayes_law, "missing", "+ noise_variance * torch.eye(K).to(W)", "+ torch.eye(K).to(W)"),
    (bayes_law, "missing", "(num_observed - W.shape[1])", "num_observed"),
    (em_law, "em", "N * noise_variance * M_inverse + z.T @ z", "z.T @ z"),
    (em_law, "em", "- 2 * cross", "- cross"),
    (em_law, "em", "/ (N * D)", "/ N"),
    (em_law, "em", "cross = torch.sum(z * (x @ W_new))", "cross = torch.sum(z * (x @ W))"),
    (em_law, "em", "inner = noise_variance * ", "inner = noise_variance.sqrt() * "),
    (em_law, "em", "torch.sum(SW_M_inverse * W_new)) / len(S)", "torch.sum(SW_M_inverse * W)) / len(S)"),
    (em_law, "missing", "+= noise_variance * torch.linalg.inv(M)", "+= torch.linalg.inv(M)"),
    (em_law, "missing", "log_likelihood / len(self._x), W_and_mean[:, :K], error / self._num_observed",
     "log_likelihood / len(self._x), W_and_mean[:, :K], error / len(self._x)"),
    (em_law, "probabilistic", "discarded / (len(covariance) - self.num_components)", "discarded"),
]  # fmt: skip

test_the_laws_hold, test_each_mistake_breaks_a_law = law_tests("pca", MUTANTS)
