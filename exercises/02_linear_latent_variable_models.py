"""Linear latent variable models: PCA, alternating least squares, and probabilistic PCA.

Every function below is self-contained (but for math, numpy as np and torch), since the tests and the demonstration
class put its source into notebooks.
"""

import math

import numpy as np
import torch

from vaeedu.feedback.key import Output
from vaeedu_grader.authoring.exercise import Exercise, Wrong

# 1 ---------------------------------------------------------------------------------------------- center and project


def project_inputs(case, rng):
    """Data far from the origin, and K orthonormal directions."""
    x = rng.standard_normal((case["N"], case["D"])) + 2 * rng.standard_normal(case["D"]) + 1
    W, _ = np.linalg.qr(rng.standard_normal((case["D"], case["K"])))
    return {"x": x, "W": W}


def center_and_project(x, W):
    mean = x.mean(dim=0)
    z = (x - mean) @ W
    return mean, z, mean + z @ W.T


def project_numpy(x, W):
    x, W = x.numpy(), W.numpy()
    mean = np.average(x, axis=0)
    z = np.dot(x - mean, W)
    return mean, z, mean + np.dot(z, W.T)


def project_loops(x, W):
    mean = [float(sum(column)) / len(x) for column in x.T]
    codes, reconstructions = [], []
    for row in x.tolist():
        d = [value - m for value, m in zip(row, mean, strict=True)]
        code = [sum(d[i] * float(W[i, k]) for i in range(len(d))) for k in range(W.shape[1])]
        codes.append(code)
        reconstructions.append(
            [m + sum(c * float(w) for c, w in zip(code, W[i], strict=True)) for i, m in enumerate(mean)]
        )
    return mean, codes, reconstructions


def project_least_squares(x, W):
    mean = torch.einsum("nd->d", x) / len(x)
    z = torch.linalg.lstsq(W, (x - mean).T).solution.T
    return mean, z, x - ((x - mean) - torch.einsum("nk,dk->nd", z, W))


def project_uncentred(x, W):
    z = x @ W
    return x.mean(dim=0), z, z @ W.T


def project_mean_not_added(x, W):
    mean = x.mean(dim=0)
    z = (x - mean) @ W
    return mean, z, z @ W.T


def project_mean_of_each_row(x, W):
    mean = x.mean(dim=1, keepdim=True)
    z = (x - mean) @ W
    return mean, z, mean + z @ W.T


def project_mean_of_everything(x, W):
    mean = x.mean()
    z = (x - mean) @ W
    return mean, z, mean + z @ W.T


def project_codes_as_columns(x, W):
    mean = x.mean(dim=0)
    z = W.T @ (x - mean).T
    return mean, z, mean + (W @ z).T


PROJECT = Exercise(
    name="center_and_project",
    outputs=(Output("mean", ("D",)), Output("z", ("N", "K")), Output("reconstruction", ("N", "D"))),
    points={"visible": 1, "hidden": 1},
    make_inputs=project_inputs,
    cases={
        "visible": ({"N": 6, "D": 4, "K": 2}, {"N": 3, "D": 5, "K": 1}),
        "hidden": ({"N": 5, "D": 6, "K": 3}, {"N": 9, "D": 3, "K": 1}, {"N": 7, "D": 7, "K": 6}),
    },
    reference=center_and_project,
    wrong=(
        Wrong(
            project_uncentred,
            "You projected x itself. PCA describes how examples deviate from their mean: subtract the mean "
            "before projecting, z = (x − mean) W, and add it back when you reconstruct.",
        ),
        Wrong(
            project_mean_not_added,
            "The reconstruction lacks the mean. z W^T rebuilds the deviation from the mean only; an example "
            "is the mean plus its deviation.",
        ),
        Wrong(
            project_mean_of_each_row,
            "You averaged over the features of each example. The mean has one entry a feature, averaged "
            "over the examples, which are the rows: dim=0, not dim=1.",
        ),
        Wrong(
            project_mean_of_everything,
            "Your mean is a single number for the whole table. Each feature has a mean of its own: average "
            "over the rows only (dim=0).",
        ),
        Wrong(
            project_codes_as_columns,
            "z came out with one example a column. In this course examples are rows, so z^T = W^T (x − "
            "mean)^T becomes z = (x − mean) W, of shape (N, K).",
        ),
    ),
    alternatives=(project_numpy, project_loops, project_least_squares),
)

# 2 --------------------------------------------------------------------------------------------------- an ALS sweep


def als_inputs(case, rng):
    """Centred data with a planted subspace, and a start W whose columns are far from orthonormal."""
    N, D, K = case["N"], case["D"], case["K"]
    x = rng.standard_normal((N, K)) @ rng.standard_normal((K, D)) + 0.5 * rng.standard_normal((N, D))
    q, _ = np.linalg.qr(rng.standard_normal((D, K)))
    mixing = np.eye(K) + 0.4 * np.ones((K, K))
    return {"x": x - x.mean(axis=0), "W": 2.0 * q @ mixing}


def als_sweep(x, W):
    Z = x @ W @ torch.linalg.inv(W.T @ W)
    return Z, x.T @ Z @ torch.linalg.inv(Z.T @ Z)


def als_solve(x, W):
    Z = torch.linalg.solve(W.T @ W, W.T @ x.T).T
    return Z, torch.linalg.solve(Z.T @ Z, Z.T @ x).T


def als_numpy_lstsq(x, W):
    x, W = x.numpy(), W.numpy()
    Z = np.linalg.lstsq(W, x.T, rcond=None)[0].T
    return Z, np.linalg.lstsq(Z, x, rcond=None)[0].T


def als_row_by_row(x, W):
    pinv = torch.linalg.pinv(W)
    Z = torch.stack([pinv @ row for row in x])
    q, r = torch.linalg.qr(Z)
    W_new = [torch.linalg.solve_triangular(r, (q.T @ column)[:, None], upper=True)[:, 0] for column in x.T]
    return [Z, torch.stack(W_new)]


def als_deck_z_step(x, W):
    Z = x @ W
    return Z, x.T @ Z @ torch.linalg.inv(Z.T @ Z)


def als_w_not_normalised(x, W):
    Z = x @ W @ torch.linalg.inv(W.T @ W)
    return Z, x.T @ Z


def als_entrywise_inverse(x, W):
    Z = x @ W @ (1 / (W.T @ W))
    return Z, x.T @ Z @ (1 / (Z.T @ Z))


def als_orthonormal_each_sweep(x, W):
    Z = x @ W @ torch.linalg.inv(W.T @ W)
    return Z, torch.linalg.qr(x.T @ Z @ torch.linalg.inv(Z.T @ Z))[0]


def als_transposed_w(x, W):
    Z = x @ W @ torch.linalg.inv(W.T @ W)
    return Z, torch.linalg.inv(Z.T @ Z) @ Z.T @ x


ALS = Exercise(
    name="als_sweep",
    outputs=(Output("Z", ("N", "K")), Output("W_new", ("D", "K"))),
    points={"visible": 1, "hidden": 2},
    make_inputs=als_inputs,
    cases={
        "visible": ({"N": 8, "D": 4, "K": 2}, {"N": 7, "D": 5, "K": 1}),
        "hidden": ({"N": 9, "D": 6, "K": 3}, {"N": 6, "D": 8, "K": 2}, {"N": 5, "D": 3, "K": 1}),
    },
    reference=als_sweep,
    wrong=(
        Wrong(
            als_deck_z_step,
            "You used Z = X W. That is the least-squares answer only while W^T W = I, which the W step breaks: the "
            "error jumps up in every Z step, and Z and W never settle. Solve the normal equations Z (W^T W) = X W.",
        ),
        Wrong(
            als_w_not_normalised,
            "Your W step stops at X^T Z. With Z fixed, W solves a least-squares problem of its own: W (Z^T "
            "Z) = X^T Z.",
        ),
        Wrong(
            als_entrywise_inverse,
            "1 / A is the reciprocal of each entry, which is the inverse of a matrix only if it is 1 × 1. "
            "Use torch.linalg.inv or, better, torch.linalg.solve.",
        ),
        Wrong(
            als_orthonormal_each_sweep,
            "You made W's columns orthonormal within the sweep. A sweep is two least-squares solutions and "
            "nothing else; the QR comes once, after the last sweep.",
        ),
        Wrong(
            als_transposed_w,
            "W_new is the transpose of what is asked for. Solving for W^T is fine, but W has one row a "
            "feature: shape (D, K), so that X ≈ Z W^T.",
        ),
    ),
    alternatives=(als_solve, als_numpy_lstsq, als_row_by_row),
)

# 3 ------------------------------------------------------------------------------------------------ the PPCA posterior


def ppca_inputs(case, rng):
    """Data, parameters of a PPCA model that need not fit them, and a noise variance far from 1."""
    N, D, K = case["N"], case["D"], case["K"]
    W = rng.standard_normal((D, K)) / math.sqrt(D) * 2
    mean = rng.standard_normal(D) + 2
    noise = math.sqrt(case["noise_variance"]) * rng.standard_normal((N, D))
    x = mean + rng.standard_normal((N, K)) @ W.T + noise
    return {"x": x, "W": W, "mean": mean, "noise_variance": case["noise_variance"]}


def ppca_posterior(x, W, mean, noise_variance):
    M = W.T @ W + noise_variance * torch.eye(W.shape[1], dtype=x.dtype)
    loc = torch.linalg.solve(M, W.T @ (x - mean).T).T
    return loc, noise_variance * torch.linalg.inv(M)


def posterior_numpy_inverse(x, W, mean, noise_variance):
    x, W, mean = x.numpy(), W.numpy(), mean.numpy()
    M_inverse = np.linalg.inv(W.T @ W + noise_variance * np.eye(W.shape[1]))
    return (x - mean) @ W @ M_inverse, noise_variance * M_inverse


def posterior_svd(x, W, mean, noise_variance):
    U, s, Vt = torch.linalg.svd(W, full_matrices=False)
    loc = ((x - mean) @ U) * (s / (s**2 + noise_variance)) @ Vt
    return loc, Vt.T @ torch.diag(noise_variance / (s**2 + noise_variance)) @ Vt


def posterior_by_conditioning(x, W, mean, noise_variance):
    # The joint of z and x is Gaussian; condition it on x, in data space.
    C = W @ W.T + noise_variance * torch.eye(len(W), dtype=x.dtype)
    gain = torch.cholesky_solve(W, torch.linalg.cholesky(C)).T
    loc = torch.stack([gain @ (row - mean) for row in x])
    return loc, torch.eye(W.shape[1], dtype=x.dtype) - gain @ W


def posterior_sigma_for_variance(x, W, mean, noise_variance):
    M = W.T @ W + noise_variance**2 * torch.eye(W.shape[1], dtype=x.dtype)
    return (x - mean) @ W @ torch.linalg.inv(M), noise_variance**2 * torch.linalg.inv(M)


def posterior_uncentred(x, W, mean, noise_variance):
    M = W.T @ W + noise_variance * torch.eye(W.shape[1], dtype=x.dtype)
    return x @ W @ torch.linalg.inv(M), noise_variance * torch.linalg.inv(M)


def posterior_covariance_without_noise(x, W, mean, noise_variance):
    M = W.T @ W + noise_variance * torch.eye(W.shape[1], dtype=x.dtype)
    return (x - mean) @ W @ torch.linalg.inv(M), torch.linalg.inv(M)


def posterior_without_prior(x, W, mean, noise_variance):
    M = W.T @ W
    return (x - mean) @ W @ torch.linalg.inv(M), noise_variance * torch.linalg.inv(M)


def posterior_swapped_transpose(x, W, mean, noise_variance):
    M = W @ W.T + noise_variance * torch.eye(len(W), dtype=x.dtype)
    return (x - mean) @ torch.linalg.inv(M) @ W, noise_variance * torch.linalg.inv(M)


def posterior_noise_on_every_entry(x, W, mean, noise_variance):
    M = W.T @ W + noise_variance
    return (x - mean) @ W @ torch.linalg.inv(M), noise_variance * torch.linalg.inv(M)


POSTERIOR = Exercise(
    name="ppca_posterior",
    outputs=(Output("loc", ("N", "K")), Output("covariance", ("K", "K"))),
    points={"visible": 1, "hidden": 2},
    make_inputs=ppca_inputs,
    cases={
        "visible": (
            {"N": 4, "D": 3, "K": 2, "noise_variance": 0.3},
            {"N": 5, "D": 4, "K": 1, "noise_variance": 2.5},
        ),
        "hidden": (
            {"N": 6, "D": 5, "K": 3, "noise_variance": 0.4},
            {"N": 1, "D": 4, "K": 2, "noise_variance": 1.7},
            {"N": 3, "D": 6, "K": 1, "noise_variance": 0.2},
        ),
    },
    reference=ppca_posterior,
    wrong=(
        Wrong(
            posterior_sigma_for_variance,
            "You squared noise_variance. It already is σ² (a variance, not a standard deviation): M = W^T W "
            "+ σ² I.",
        ),
        Wrong(
            posterior_uncentred,
            "You forgot to subtract the mean: the posterior mean is linear in the deviation x − mean, and "
            "is 0 for an example that equals the mean.",
        ),
        Wrong(
            posterior_covariance_without_noise,
            "Your covariance is M^-1 without the factor σ². Less noise must mean less doubt about z: the "
            "covariance is σ² M^-1, which vanishes with σ².",
        ),
        Wrong(
            posterior_without_prior,
            "Your M lacks the prior. W^T W alone gives least squares; the prior z ~ N(0, I) adds σ² I to it "
            "and shrinks z towards 0.",
        ),
        Wrong(
            posterior_swapped_transpose,
            "You swapped a transpose: W W^T is D × D and lives in data space. The posterior is over z, so "
            "its covariance is K × K, built from W^T W.",
        ),
        Wrong(
            posterior_noise_on_every_entry,
            "A matrix plus a number adds the number to every entry. σ² belongs on the diagonal only: σ² I, "
            "with I the identity of size K (torch.eye).",
        ),
    ),
    alternatives=(posterior_numpy_inverse, posterior_svd, posterior_by_conditioning),
)

# 4 ----------------------------------------------------------------------------------------------- the log-likelihood


def ppca_log_prob(x, W, mean, noise_variance):
    C = W @ W.T + noise_variance * torch.eye(len(W), dtype=x.dtype)
    d = x - mean
    quadratic = (d * torch.linalg.solve(C, d.T).T).sum(dim=1)
    return -0.5 * (len(W) * math.log(2 * math.pi) + torch.linalg.slogdet(C)[1] + quadratic)


def log_prob_distribution(x, W, mean, noise_variance):
    C = W @ W.T + noise_variance * torch.eye(len(W), dtype=x.dtype)
    return torch.distributions.MultivariateNormal(mean, C).log_prob(x)


def log_prob_scipy(x, W, mean, noise_variance):
    from scipy.stats import multivariate_normal

    C = (W @ W.T).numpy() + noise_variance * np.eye(len(W))
    return [multivariate_normal(mean.numpy(), C).logpdf(row) for row in x.numpy()]


def log_prob_woodbury(x, W, mean, noise_variance):
    D, K = W.shape
    L = torch.linalg.cholesky(W.T @ W + noise_variance * torch.eye(K, dtype=x.dtype))
    d = x - mean
    inner = torch.linalg.solve_triangular(L, W.T @ d.T, upper=False)
    log_det = (D - K) * math.log(noise_variance) + 2 * L.diagonal().log().sum()
    quadratic = (d.square().sum(dim=1) - inner.square().sum(dim=0)) / noise_variance
    return -0.5 * (D * math.log(2 * math.pi) + log_det + quadratic)


def log_prob_numpy_eigen(x, W, mean, noise_variance):
    values, vectors = np.linalg.eigh((W @ W.T).numpy())
    values = values + noise_variance
    scores = (x.numpy() - mean.numpy()) @ vectors
    return -0.5 * (np.log(2 * np.pi * values).sum() + (scores**2 / values).sum(axis=1))


def log_prob_without_constant(x, W, mean, noise_variance):
    C = W @ W.T + noise_variance * torch.eye(len(W), dtype=x.dtype)
    d = x - mean
    return -0.5 * (torch.logdet(C) + (d * torch.linalg.solve(C, d.T).T).sum(dim=1))


def log_prob_half_dropped(x, W, mean, noise_variance):
    C = W @ W.T + noise_variance * torch.eye(len(W), dtype=x.dtype)
    d = x - mean
    quadratic = (d * torch.linalg.solve(C, d.T).T).sum(dim=1)
    return -0.5 * (len(W) * math.log(2 * math.pi) + torch.logdet(C)) - quadratic


def log_prob_summed_over_batch(x, W, mean, noise_variance):
    C = W @ W.T + noise_variance * torch.eye(len(W), dtype=x.dtype)
    return torch.distributions.MultivariateNormal(mean, C).log_prob(x).sum()


def log_prob_in_bits(x, W, mean, noise_variance):
    C = W @ W.T + noise_variance * torch.eye(len(W), dtype=x.dtype)
    return torch.distributions.MultivariateNormal(mean, C).log_prob(x) / math.log(2)


def log_prob_noise_only(x, W, mean, noise_variance):
    C = noise_variance * torch.eye(len(W), dtype=x.dtype)
    return torch.distributions.MultivariateNormal(mean, C).log_prob(x)


def log_prob_sigma_for_variance(x, W, mean, noise_variance):
    C = W @ W.T + noise_variance**2 * torch.eye(len(W), dtype=x.dtype)
    return torch.distributions.MultivariateNormal(mean, C).log_prob(x)


def log_prob_diagonal_only(x, W, mean, noise_variance):
    variances = (W @ W.T).diagonal() + noise_variance
    return torch.distributions.Normal(mean, variances.sqrt()).log_prob(x).sum(dim=1)


def log_prob_of_det(x, W, mean, noise_variance):
    C = W @ W.T + noise_variance * torch.eye(len(W), dtype=x.dtype)
    d = x - mean
    quadratic = (d * torch.linalg.solve(C, d.T).T).sum(dim=1)
    return -0.5 * (len(W) * math.log(2 * math.pi) + torch.log(torch.det(C)) + quadratic)


LOG_PROB = Exercise(
    name="ppca_log_prob",
    outputs=(Output("log_prob", ("N",)),),
    points={"visible": 1, "hidden": 3},
    make_inputs=ppca_inputs,
    cases={
        "visible": (
            {"N": 5, "D": 3, "K": 2, "noise_variance": 0.3},
            {"N": 4, "D": 5, "K": 1, "noise_variance": 1.8},
        ),
        "hidden": (
            {"N": 6, "D": 4, "K": 3, "noise_variance": 0.5},
            {"N": 1, "D": 6, "K": 2, "noise_variance": 0.4},
            {"N": 4, "D": 3, "K": 1, "noise_variance": 1.5},
            # det C = 0.01^200 and a little is 0 in float64; its logarithm is an ordinary number.
            {"N": 3, "D": 200, "K": 2, "noise_variance": 0.01},
        ),
    },
    reference=ppca_log_prob,
    wrong=(
        Wrong(
            log_prob_without_constant,
            "The normalising constant is missing: a Gaussian density in D dimensions carries (2π)^(-D/2), "
            "which is −(D/2) log 2π in nats.",
        ),
        Wrong(
            log_prob_half_dropped,
            "The ½ before the quadratic form is missing. All three terms, D log 2π, log |C| and (x − "
            "mean)^T C^-1 (x − mean), are halved.",
        ),
        Wrong(
            log_prob_summed_over_batch,
            "You summed over the examples. In this course log-probabilities are per example, shape (N,): "
            "sum over features, never over the batch.",
        ),
        Wrong(
            log_prob_in_bits,
            "Your values are in bits. Here log is the natural logarithm and the unit is nats: leave out the "
            "division by log 2.",
        ),
        Wrong(
            log_prob_noise_only,
            "Your covariance is that of the noise alone, p(x | z). Integrating z out adds the spread that z "
            "causes: C = W W^T + σ² I.",
        ),
        Wrong(
            log_prob_sigma_for_variance,
            "You squared noise_variance. It already is σ² (a variance, not a standard deviation): C = W W^T "
            "+ σ² I.",
        ),
        Wrong(
            log_prob_diagonal_only,
            "You treated the features as independent. The shared z makes them correlated: C has "
            "off-diagonal entries, and the density does not factorise over features.",
        ),
        Wrong(
            log_prob_of_det,
            "Your formula is right but overflows or underflows in many dimensions: det C is a product of D "
            "factors and becomes 0 or infinite in floating point. Compute log |C| directly "
            "(torch.linalg.slogdet, or a Cholesky factor).",
            loses=("hidden",),
        ),
    ),
    alternatives=(log_prob_distribution, log_prob_scipy, log_prob_woodbury, log_prob_numpy_eigen),
)

# 5 ------------------------------------------------------------------------------------------------------ an EM step


def em_inputs(case, rng):
    """Data with a planted subspace; the visible ones are centred already, the hidden ones are not."""
    N, D, K = case["N"], case["D"], case["K"]
    x = rng.standard_normal((N, K)) @ rng.standard_normal((K, D)) + 0.6 * rng.standard_normal((N, D))
    x = x - x.mean(axis=0) + case["shift"] * rng.standard_normal(D)
    return {"x": x, "W": rng.standard_normal((D, K)), "noise_variance": case["noise_variance"]}


def ppca_em_step(x, W, noise_variance):
    d = x - x.mean(dim=0)
    N, D = d.shape
    M_inverse = torch.linalg.inv(W.T @ W + noise_variance * torch.eye(W.shape[1], dtype=x.dtype))
    z = d @ W @ M_inverse
    zz = N * noise_variance * M_inverse + z.T @ z
    W_new = d.T @ z @ torch.linalg.inv(zz)
    squares = (d**2).sum() - 2 * (z * (d @ W_new)).sum() + (zz * (W_new.T @ W_new)).sum()
    return W_new, squares / (N * D)


def em_on_covariance(x, W, noise_variance):
    S = torch.cov(x.T, correction=0).reshape(len(W), len(W))
    eye = torch.eye(W.shape[1], dtype=x.dtype)
    M = W.T @ W + noise_variance * eye
    SW = S @ W
    W_new = SW @ torch.linalg.inv(noise_variance * eye + torch.linalg.solve(M, W.T @ SW))
    return W_new, torch.trace(S - SW @ torch.linalg.solve(M, W_new.T)) / len(W)


def em_numpy(x, W, noise_variance):
    x, W = x.numpy(), W.numpy()
    d = x - x.mean(axis=0)
    N, D = d.shape
    M = W.T @ W + noise_variance * np.eye(W.shape[1])
    z = np.linalg.solve(M, W.T @ d.T).T
    zz = N * noise_variance * np.linalg.inv(M) + z.T @ z
    W_new = np.linalg.solve(zz, z.T @ d).T
    return W_new, float(
        ((d - z @ W_new.T) ** 2).sum() / (N * D) + np.trace(W_new @ (zz - z.T @ z) @ W_new.T) / (N * D)
    )


def em_example_by_example(x, W, noise_variance):
    d = x - x.mean(dim=0)
    D, K = W.shape
    M_inverse = torch.linalg.inv(W.T @ W + noise_variance * torch.eye(K, dtype=x.dtype))
    xz, zz = torch.zeros(D, K, dtype=x.dtype), torch.zeros(K, K, dtype=x.dtype)
    for row in d:
        z = M_inverse @ (W.T @ row)
        xz += torch.outer(row, z)
        zz += torch.outer(z, z) + noise_variance * M_inverse
    W_new = torch.linalg.lstsq(zz, xz.T).solution.T
    total = 0.0
    for row in d:
        z = M_inverse @ (W.T @ row)
        second = torch.outer(z, z) + noise_variance * M_inverse
        total += float(row @ row - 2 * z @ (W_new.T @ row) + torch.trace(second @ W_new.T @ W_new))
    return [W_new, total / (len(d) * D)]


def em_without_posterior_covariance(x, W, noise_variance):
    d = x - x.mean(dim=0)
    M_inverse = torch.linalg.inv(W.T @ W + noise_variance * torch.eye(W.shape[1], dtype=x.dtype))
    z = d @ W @ M_inverse
    W_new = d.T @ z @ torch.linalg.inv(z.T @ z)
    return W_new, ((d - z @ W_new.T) ** 2).mean()


def em_posterior_covariance_once(x, W, noise_variance):
    d = x - x.mean(dim=0)
    M_inverse = torch.linalg.inv(W.T @ W + noise_variance * torch.eye(W.shape[1], dtype=x.dtype))
    z = d @ W @ M_inverse
    zz = noise_variance * M_inverse + z.T @ z
    W_new = d.T @ z @ torch.linalg.inv(zz)
    squares = (d**2).sum() - 2 * (z * (d @ W_new)).sum() + (zz * (W_new.T @ W_new)).sum()
    return W_new, squares / d.numel()


def em_noise_from_old_w(x, W, noise_variance):
    d = x - x.mean(dim=0)
    M_inverse = torch.linalg.inv(W.T @ W + noise_variance * torch.eye(W.shape[1], dtype=x.dtype))
    z = d @ W @ M_inverse
    zz = len(d) * noise_variance * M_inverse + z.T @ z
    W_new = d.T @ z @ torch.linalg.inv(zz)
    squares = (d**2).sum() - 2 * (z * (d @ W)).sum() + (zz * (W.T @ W)).sum()
    return W_new, squares / d.numel()


def em_noise_not_per_feature(x, W, noise_variance):
    d = x - x.mean(dim=0)
    M_inverse = torch.linalg.inv(W.T @ W + noise_variance * torch.eye(W.shape[1], dtype=x.dtype))
    z = d @ W @ M_inverse
    zz = len(d) * noise_variance * M_inverse + z.T @ z
    W_new = d.T @ z @ torch.linalg.inv(zz)
    squares = (d**2).sum() - 2 * (z * (d @ W_new)).sum() + (zz * (W_new.T @ W_new)).sum()
    return W_new, squares / len(d)


def em_sigma_for_variance(x, W, noise_variance):
    d = x - x.mean(dim=0)
    M_inverse = torch.linalg.inv(W.T @ W + noise_variance**2 * torch.eye(W.shape[1], dtype=x.dtype))
    z = d @ W @ M_inverse
    zz = len(d) * noise_variance**2 * M_inverse + z.T @ z
    W_new = d.T @ z @ torch.linalg.inv(zz)
    squares = (d**2).sum() - 2 * (z * (d @ W_new)).sum() + (zz * (W_new.T @ W_new)).sum()
    return W_new, squares / d.numel()


def em_uncentred(x, W, noise_variance):
    d = x
    M_inverse = torch.linalg.inv(W.T @ W + noise_variance * torch.eye(W.shape[1], dtype=x.dtype))
    z = d @ W @ M_inverse
    zz = len(d) * noise_variance * M_inverse + z.T @ z
    W_new = d.T @ z @ torch.linalg.inv(zz)
    squares = (d**2).sum() - 2 * (z * (d @ W_new)).sum() + (zz * (W_new.T @ W_new)).sum()
    return W_new, squares / d.numel()


EM = Exercise(
    name="ppca_em_step",
    outputs=(Output("W_new", ("D", "K")), Output("noise_variance_new", ())),
    points={"visible": 1, "hidden": 2},
    make_inputs=em_inputs,
    cases={
        "visible": (
            {"N": 6, "D": 4, "K": 2, "shift": 0.0, "noise_variance": 1.6},
            {"N": 5, "D": 3, "K": 1, "shift": 0.0, "noise_variance": 0.5},
        ),
        "hidden": (
            {"N": 7, "D": 5, "K": 2, "shift": 3.0, "noise_variance": 1.4},
            {"N": 4, "D": 6, "K": 3, "shift": 2.0, "noise_variance": 0.6},
            {"N": 9, "D": 3, "K": 1, "shift": 4.0, "noise_variance": 2.0},
        ),
    },
    reference=ppca_em_step,
    wrong=(
        Wrong(
            em_without_posterior_covariance,
            "Your E[z z^T] is the product of the posterior means. The posterior has a spread as well: "
            "E[z z^T] = Cov[z] + E[z] E[z]^T. Without it EM turns into alternating least squares.",
        ),
        Wrong(
            em_posterior_covariance_once,
            "You added the posterior covariance once. Each example has one, all of them equal, so their sum "
            "is N σ² M^-1.",
        ),
        Wrong(
            em_noise_from_old_w,
            "You updated σ² with the old W. The M step maximises over both: compute the new W first, and "
            "use it in the formula for σ².",
        ),
        Wrong(
            em_noise_not_per_feature,
            "You divided by N, which gives the noise of all D features together. σ² is the variance of a "
            "single feature: divide by N D.",
        ),
        Wrong(
            em_sigma_for_variance,
            "You squared noise_variance. It already is σ² (a variance, not a standard deviation): M = W^T W "
            "+ σ² I.",
        ),
        Wrong(
            em_uncentred,
            "You did not subtract the mean of x. The visible data happen to have mean 0; the function must "
            "centre whatever it gets.",
            loses=("hidden",),
        ),
    ),
    alternatives=(em_on_covariance, em_numpy, em_example_by_example),
)

# 7 ------------------------------------------------------------------------------------------------- the closed form


def fit_inputs(case, rng):
    """Few examples, so that N and N − 1 differ clearly, with a spectrum that falls from feature to feature."""
    N, D = case["N"], case["D"]
    rotation, _ = np.linalg.qr(rng.standard_normal((D, D)))
    x = rng.standard_normal((N, D)) * np.linspace(3.0, 0.8, D) @ rotation
    return {"x": x + rng.standard_normal(D) + 2, "num_components": case["K"]}


def ppca_fit(x, num_components):
    mean = x.mean(dim=0)
    d = x - mean
    eigenvalues, U = torch.linalg.eigh(d.T @ d / len(x))
    eigenvalues, U = eigenvalues.flip(0), U.flip(1)
    noise_variance = eigenvalues[num_components:].mean()
    W = U[:, :num_components] * (eigenvalues[:num_components] - noise_variance).sqrt()
    return mean, W, noise_variance


def fit_svd(x, num_components):
    mean = x.mean(dim=0)
    _, s, Vt = torch.linalg.svd(x - mean, full_matrices=False)
    variances = s**2 / len(x)
    noise_variance = variances[num_components:].sum() / (x.shape[1] - num_components)
    return mean, Vt[:num_components].T * (variances[:num_components] - noise_variance).sqrt(), noise_variance


def fit_numpy_rotated(x, num_components):
    x = x.numpy()
    values, vectors = np.linalg.eigh(np.cov(x.T, bias=True))
    noise_variance = values[:-num_components].mean()
    W = vectors[:, -num_components:] * np.sqrt(values[-num_components:] - noise_variance)
    # Any rotation of the latent space gives the same model.
    rotation, _ = np.linalg.qr(
        np.arange(1.0, num_components**2 + 1).reshape(num_components, -1) + np.eye(num_components)
    )
    return x.mean(axis=0), W @ rotation, noise_variance


def fit_from_trace(x, num_components):
    mean = torch.stack([column.sum() / len(column) for column in x.T])
    S = sum(torch.outer(row - mean, row - mean) for row in x) / len(x)
    U, s, _ = torch.linalg.svd(S)
    noise_variance = (torch.trace(S) - s[:num_components].sum()) / (len(S) - num_components)
    columns = [-U[:, k] * math.sqrt(s[k] - noise_variance) for k in range(num_components)]
    return mean, torch.stack(columns, dim=1), float(noise_variance)


def buggy_ppca_fit(x, num_components):
    mean = x.mean(dim=0)
    S = (x - mean).T @ (x - mean) / len(x)
    eigenvalues, U = torch.linalg.eigh(S)  # in ascending order
    kept = eigenvalues.flip(0)[:num_components]
    discarded = eigenvalues.flip(0)[num_components:]
    noise_variance = discarded.mean()
    W = U.flip(1)[:, :num_components] * kept.sqrt()
    return mean, W, noise_variance


def fit_sample_covariance(x, num_components):
    mean = x.mean(dim=0)
    eigenvalues, U = torch.linalg.eigh(torch.cov(x.T))
    eigenvalues, U = eigenvalues.flip(0), U.flip(1)
    noise_variance = eigenvalues[num_components:].mean()
    return (
        mean,
        U[:, :num_components] * (eigenvalues[:num_components] - noise_variance).sqrt(),
        noise_variance,
    )


def fit_sum_of_discarded(x, num_components):
    # What is kept is clipped at 0: the sum of the discarded may exceed it.
    mean = x.mean(dim=0)
    eigenvalues, U = torch.linalg.eigh((x - mean).T @ (x - mean) / len(x))
    eigenvalues, U = eigenvalues.flip(0), U.flip(1)
    noise_variance = eigenvalues[num_components:].sum()
    return (
        mean,
        U[:, :num_components] * (eigenvalues[:num_components] - noise_variance).clamp(min=0).sqrt(),
        noise_variance,
    )


def fit_largest_discarded(x, num_components):
    mean = x.mean(dim=0)
    eigenvalues, U = torch.linalg.eigh((x - mean).T @ (x - mean) / len(x))
    eigenvalues, U = eigenvalues.flip(0), U.flip(1)
    noise_variance = eigenvalues[num_components]
    return (
        mean,
        U[:, :num_components] * (eigenvalues[:num_components] - noise_variance).sqrt(),
        noise_variance,
    )


def fit_without_square_root(x, num_components):
    mean = x.mean(dim=0)
    eigenvalues, U = torch.linalg.eigh((x - mean).T @ (x - mean) / len(x))
    eigenvalues, U = eigenvalues.flip(0), U.flip(1)
    noise_variance = eigenvalues[num_components:].mean()
    return mean, U[:, :num_components] * (eigenvalues[:num_components] - noise_variance), noise_variance


def fit_smallest_kept(x, num_components):
    mean = x.mean(dim=0)
    eigenvalues, U = torch.linalg.eigh((x - mean).T @ (x - mean) / len(x))
    noise_variance = eigenvalues[num_components:].mean()
    scale = (eigenvalues[:num_components] - noise_variance).clamp(min=0).sqrt()
    return mean, U[:, :num_components] * scale, noise_variance


def fit_uncentred(x, num_components):
    eigenvalues, U = torch.linalg.eigh(x.T @ x / len(x))
    eigenvalues, U = eigenvalues.flip(0), U.flip(1)
    noise_variance = eigenvalues[num_components:].mean()
    W = U[:, :num_components] * (eigenvalues[:num_components] - noise_variance).sqrt()
    return x.mean(dim=0), W, noise_variance


def fit_mean_of_nonzero(x, num_components):
    mean = x.mean(dim=0)
    _, s, Vt = torch.linalg.svd(x - mean, full_matrices=False)
    variances = s**2 / len(x)
    noise_variance = variances[num_components:].mean()
    return mean, Vt[:num_components].T * (variances[:num_components] - noise_variance).sqrt(), noise_variance


FIT = Exercise(
    name="ppca_fit",
    outputs=(
        Output("mean", ("D",)),
        Output("W", ("D", "K"), view="outer_product"),
        Output("noise_variance", ()),
    ),
    points={"visible": 1, "hidden": 2},
    make_inputs=fit_inputs,
    cases={
        "visible": ({"N": 8, "D": 5, "K": 2}, {"N": 7, "D": 4, "K": 1}),
        "hidden": ({"N": 9, "D": 6, "K": 3}, {"N": 5, "D": 8, "K": 2}, {"N": 12, "D": 4, "K": 1}),
    },
    reference=ppca_fit,
    wrong=(
        Wrong(
            buggy_ppca_fit,
            "W still has the fault of the fit above: along a kept direction the model's variance is w^T w + "
            "σ², and that must equal the eigenvalue. Take σ² off before the square root.",
        ),
        Wrong(
            fit_sample_covariance,
            "You divided by N − 1 (torch.cov does so unless told otherwise). The maximum-likelihood fit "
            "uses the covariance with 1/N.",
        ),
        Wrong(
            fit_sum_of_discarded,
            "Your σ² is the sum of the discarded eigenvalues. The noise is spread evenly over the D − K "
            "directions that were left out: take their mean.",
        ),
        Wrong(
            fit_largest_discarded,
            "Your σ² is the largest discarded eigenvalue alone. The likelihood is highest at the mean of "
            "all D − K of them.",
        ),
        Wrong(
            fit_without_square_root,
            "The square root is missing: W W^T must have eigenvalues λ − σ², so W's columns have lengths "
            "√(λ − σ²).",
        ),
        Wrong(
            fit_smallest_kept,
            "You kept the directions of least variance: torch.linalg.eigh sorts eigenvalues in ascending "
            "order. Flip them, or count from the end.",
        ),
        Wrong(
            fit_uncentred,
            "You took the eigenvectors of x^T x / N. A covariance is that of the deviations: subtract the "
            "mean first.",
        ),
        Wrong(
            fit_mean_of_nonzero,
            "You averaged over the eigenvalues that a thin SVD returns. With fewer examples than features "
            "the others are 0, but they count: divide the sum of the discarded ones by D − K.",
            loses=("hidden",),
        ),
    ),
    alternatives=(fit_svd, fit_numpy_rotated, fit_from_trace),
)

# Absent while this is graded: it is what students are asked to write.
SEALED = ("pca",)

EXERCISES = (PROJECT, ALS, POSTERIOR, LOG_PROB, EM, FIT)
