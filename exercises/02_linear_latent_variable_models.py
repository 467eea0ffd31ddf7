"""Linear latent variable models: PCA, alternating least squares, and probabilistic PCA.

Every function below is self-contained (but for math, numpy as np and torch), since the tests and the demonstration
class put its source into notebooks.
"""

import math

import numpy as np
import torch

from vaeedu.feedback.key import Output
from vaeedu_grader.authoring.exercise import Exercise, Wrong
from vaeedu_grader.authoring.slips import slip

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
        slip(
            center_and_project,
            {"mean + z @": "-mean + z @"},
            "You took the mean off in the reconstruction. The code describes the deviation from the mean, so an example is the mean plus z W^T.",
        ),
        slip(
            center_and_project,
            {"(x - mean) @ W": "(x - mean) / x.std(dim=0) @ W"},
            "You divided each feature by its standard deviation. Here only the mean is taken off: z = W^T (x − mean), in the units of the data.",
        ),
        slip(
            center_and_project,
            {"x.mean(dim=0)": "x.median(dim=0).values"},
            "You took the median. The point that the squared error is least around is the mean: the sum over the examples divided by N.",
        ),
        slip(
            center_and_project,
            {"x.mean(dim=0)": "x.sum(dim=0) / (len(x) - 1)"},
            "You divided by N − 1. That belongs to a variance whose mean was estimated; the mean itself is the sum divided by N.",
        ),
        slip(
            center_and_project,
            {"x.mean(dim=0)": "x.sum(dim=0)"},
            "Your mean is the sum of the examples: the division by N is missing.",
        ),
        slip(
            center_and_project,
            {"mean + z @ W.T": "(mean + z @ W.T).clamp(0, 1)"},
            "You cut the reconstruction off at 0 and 1. The projection is the nearest point of a plane, and may lie outside of that range.",
        ),
        slip(
            center_and_project,
            {"(x - mean) @ W": "(x - mean) @ W / W.shape[1]"},
            "You divided the code by K. Each of its entries is the length along one direction, and the directions add up: no average.",
        ),
        slip(
            center_and_project,
            {"(x - mean) @ W": "(mean - x) @ W"},
            "Your deviation has the wrong sign: it is x − mean, from the mean to the example. Yours puts the reconstruction on the other side of the mean.",
        ),
        slip(
            center_and_project,
            {"(x - mean) @ W\n": "(x - mean) @ W\n    z = z / z.norm(dim=1, keepdim=True)\n"},
            "You scaled each code to length 1. Its length says how far an example is from the mean: keep it.",
        ),
        slip(
            center_and_project,
            {"(x - mean) @ W\n": "(x - mean) @ W\n    z = z / z.std(dim=0)\n"},
            "You scaled the codes to variance 1. That is whitening; the projection keeps the lengths, or the reconstruction has other ones than the data.",
        ),
        slip(
            center_and_project,
            {"(x - mean) @ W\n": "(x - mean) @ W.flip(1)\n"},
            "Your codes use the directions in another order: entry k of a code belongs to column k of W, as given.",
        ),
        slip(
            center_and_project,
            {"x.mean(dim=0)": "x[0]"},
            "Your mean is the first example. The mean is the average over all examples, one number for each feature.",
        ),
        slip(
            center_and_project,
            {"mean + z @ W.T": "x - mean - z @ W.T"},
            "You returned what the reconstruction leaves over. The reconstruction itself is the mean plus z W^T.",
        ),
        slip(
            center_and_project,
            {"mean + z @ W.T": "x @ W @ W.T"},
            "Your reconstruction projects x itself and lacks the mean: it is x W W^T. Add z W^T, which is made of the centred data, to the mean.",
        ),
        slip(
            center_and_project,
            {"mean + z @ W.T": "mean + x @ W @ W.T"},
            "Your reconstruction uses the projection of x itself, and then the mean on top of it. Use the code of the centred data: mean + z W^T.",
        ),
        slip(
            center_and_project,
            {"mean + z @ W.T": "mean + z @ W.reshape(W.shape[1], -1)"},
            "You turned W round with reshape, which keeps the order of the numbers and mixes rows and columns. A transpose is W.T.",
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
        slip(
            als_sweep,
            {
                "return Z, x.T @ Z @ torch.linalg.inv(Z.T @ Z)": "return Z, x.T @ (x @ W) @ torch.linalg.inv((x @ W).T @ (x @ W))"
            },
            "Your W step uses the shortcut's codes X W. It must use the codes of this sweep's first step, which were just computed.",
        ),
        slip(
            als_sweep,
            {"x @ W @ torch.linalg.inv(W.T @ W)": "x @ W @ (W.T @ W)"},
            "You multiplied by W^T W. The normal equations Z (W^T W) = X W are solved by its inverse.",
        ),
        slip(
            als_sweep,
            {"x @ W @ torch.linalg.inv(W.T @ W)": "x @ W / (W.T @ W).diagonal()"},
            "In the Z step you divided by the diagonal of W^T W only. Its other entries say how the columns overlap: the whole matrix has to be inverted.",
        ),
        slip(
            als_sweep,
            {"torch.linalg.inv(Z.T @ Z)": "torch.diag(1 / (Z.T @ Z).diagonal())"},
            "In the W step you divided by the diagonal of Z^T Z only. Its other entries say how the codes overlap: the whole matrix has to be inverted.",
        ),
        slip(
            als_sweep,
            {
                "return Z, x.T @ Z @ torch.linalg.inv(Z.T @ Z)": "W = x.T @ Z @ torch.linalg.inv(Z.T @ Z)\n    return Z, W / W.norm(dim=0)"
            },
            "You scaled W's columns to length 1. A sweep is two least-squares solutions and nothing else: Z and W_new fit each other as they are.",
        ),
        slip(
            als_sweep,
            {"    Z = x @ W": "    W = torch.linalg.qr(W)[0]\n    Z = x @ W"},
            "You made W orthonormal before the first step. The codes asked for belong to the W that is given: Z W^T is to be near X with this W.",
        ),
        slip(
            als_sweep,
            {"torch.linalg.inv(W.T @ W)": "torch.linalg.inv(W.T @ W + torch.eye(W.shape[1], dtype=x.dtype))"},
            "You added the identity to W^T W. That is the posterior mean of probabilistic PCA with noise 1; least squares inverts W^T W itself.",
        ),
        slip(
            als_sweep,
            {
                "torch.linalg.inv(W.T @ W)": "torch.linalg.inv(W.T @ W + 0.1 * torch.eye(W.shape[1], dtype=x.dtype))"
            },
            "Something small is added to the diagonal of W^T W before it is inverted (a ridge). Least squares inverts W^T W as it is; W has full rank.",
        ),
        slip(
            als_sweep,
            {
                "return Z, x.T @ Z @ torch.linalg.inv(Z.T @ Z)": "W = x.T @ Z @ torch.linalg.inv(Z.T @ Z)\n    return x @ W @ torch.linalg.inv(W.T @ W), W"
            },
            "You computed the codes once more for the new W. A sweep returns the codes for the given W and then the W for these codes: each step once.",
        ),
        slip(
            als_sweep,
            {
                "return Z, x.T @ Z @ torch.linalg.inv(Z.T @ Z)": "W = x.T @ Z @ torch.linalg.inv(Z.T @ Z)\n    Z = x @ W @ torch.linalg.inv(W.T @ W)\n    return Z, x.T @ Z @ torch.linalg.inv(Z.T @ Z)"
            },
            "You did two sweeps. One sweep is one step for Z and one for W.",
        ),
        slip(
            als_sweep,
            {"return Z, x.T @ Z @ torch.linalg.inv(Z.T @ Z)": "return Z, W"},
            "Your second output is the W that was given. The second step computes a new one for the codes: X^T Z (Z^T Z)^-1.",
        ),
        slip(
            als_sweep,
            {"torch.linalg.inv(Z.T @ Z)": "torch.linalg.inv(Z.T @ Z) / len(x)"},
            "You divided the W step by N. X^T Z and Z^T Z are both sums over the examples, so N cancels.",
        ),
        slip(
            als_sweep,
            {
                "return Z, x.T @ Z @ torch.linalg.inv(Z.T @ Z)": "V = Z / Z.std(dim=0)\n    return Z, x.T @ V @ torch.linalg.inv(V.T @ V)"
            },
            "Your W belongs to codes that were scaled to variance 1. It must belong to the codes that you return: X is near Z W^T.",
        ),
        slip(
            als_sweep,
            {"torch.linalg.inv(W.T @ W)": "torch.diag(1 / W.norm(dim=0))"},
            "In the Z step you divided by the lengths of W's columns. Least squares divides by W^T W: squares of lengths, and how the columns overlap.",
        ),
        slip(
            als_sweep,
            {"torch.linalg.inv(W.T @ W)": "torch.linalg.inv(W.T @ W) @ torch.linalg.inv(W.T @ W)"},
            "You applied the inverse of W^T W twice. Z = X W (W^T W)^-1 has it once.",
        ),
        slip(
            als_sweep,
            {"torch.linalg.inv(Z.T @ Z)": "torch.linalg.inv(W.T @ W)"},
            "Your W step inverts W^T W, which belongs to the Z step. With Z fixed the normal equations are W (Z^T Z) = X^T Z.",
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
        slip(
            ppca_posterior,
            {
                "+ noise_variance * torch": "+ math.sqrt(noise_variance) * torch",
                "return loc, noise_variance": "return loc, math.sqrt(noise_variance)",
            },
            "You took the root of noise_variance. It already is σ², and σ² is what stands in M and before M^-1.",
        ),
        slip(
            ppca_posterior,
            {"+ noise_variance * torch": "+ math.sqrt(noise_variance) * torch"},
            "In M you took the root of noise_variance. It already is σ²: M = W^T W + σ² I.",
        ),
        slip(
            ppca_posterior,
            {"noise_variance * torch.linalg.inv(M)": "torch.linalg.inv(M) / noise_variance"},
            "You divided M^-1 by σ². The covariance is σ² M^-1: less noise must mean less doubt about z.",
        ),
        slip(
            ppca_posterior,
            {"noise_variance * torch.linalg.inv(M)": "noise_variance * M"},
            "Your covariance is σ² M, without the inverse. A larger W tells more about z, so the covariance must shrink with M: σ² M^-1.",
        ),
        slip(
            ppca_posterior,
            {"(x - mean)": "(x - x.mean(dim=0))"},
            "You took off the mean of the examples that are given. The model has a mean of its own, an argument of the function.",
        ),
        slip(
            ppca_posterior,
            {"+ noise_variance * torch.eye": "+ torch.eye"},
            "Your M has I where σ² I belongs: M = W^T W + σ² I. With W^T W / σ² it would be I alone, and then σ² moves elsewhere.",
        ),
        slip(
            ppca_posterior,
            {"torch.linalg.solve(M, W.T @ (x - mean).T).T": "(x - mean) @ W"},
            "Your mean lacks M^-1. W^T (x − μ) alone is not even in the units of z: the posterior mean is M^-1 W^T (x − μ).",
        ),
        slip(
            ppca_posterior,
            {"W.T @ (x - mean).T).T": "W.T @ (x - mean).T).T * noise_variance"},
            "Your mean carries a factor σ² too many. The factor belongs to the covariance only; the mean is M^-1 W^T (x − μ).",
        ),
        slip(
            ppca_posterior,
            {"W.T @ (x - mean).T).T": "W.T @ (x - mean).T).T / noise_variance"},
            "Your mean is divided by σ² once too often. That goes with (I + W^T W / σ²)^-1; with M it is M^-1 W^T (x − μ).",
        ),
        slip(
            ppca_posterior,
            {"torch.linalg.solve(M, W.T @ (x - mean).T).T": "(x - mean) @ W @ M"},
            "You multiplied by M in the mean. It stands there inverted: M^-1 W^T (x − μ).",
        ),
        slip(
            ppca_posterior,
            {
                "torch.linalg.solve(M, W.T @ (x - mean).T).T": "(x - mean) @ W @ (1 / M)",
                "torch.linalg.inv(M)": "(1 / M)",
            },
            "1 / M is the reciprocal of each entry, which is the inverse of a matrix only if it is 1 × 1. Use torch.linalg.inv or torch.linalg.solve.",
        ),
        slip(
            ppca_posterior,
            {"noise_variance * torch.linalg.inv(M)": "noise_variance * torch.diag(1 / M.diagonal())"},
            "Your covariance inverts the diagonal of M only. The columns of W overlap, so the entries of z are correlated: invert the whole matrix.",
        ),
        slip(
            ppca_posterior,
            {
                "noise_variance * torch.linalg.inv(M)": "noise_variance * torch.diag(torch.linalg.inv(M).diagonal())"
            },
            "You kept the diagonal of the covariance only. The columns of W overlap, so the entries of z are correlated: keep the whole matrix.",
        ),
        slip(
            ppca_posterior,
            {"noise_variance * torch.linalg.inv(M)": "noise_variance * torch.linalg.inv(M) / len(x)"},
            "You divided the covariance by N. It says how uncertain the code of one example is, whatever the number of examples.",
        ),
        slip(
            ppca_posterior,
            {"noise_variance * torch.linalg.inv(M)": "M / noise_variance"},
            "You returned the precision M / σ². The covariance is its inverse, σ² M^-1.",
        ),
        slip(
            ppca_posterior,
            {"(x - mean)": "(x + mean)"},
            "You added the mean. The posterior mean is linear in the deviation x − μ, and 0 for an example that equals the mean.",
        ),
        slip(
            ppca_posterior,
            {"(x - mean)": "(mean - x)"},
            "The sign of your deviation is wrong: it is x − μ, from the mean to the example.",
        ),
        slip(
            ppca_posterior,
            {
                "noise_variance * torch.linalg.inv(M)": "torch.linalg.cholesky(noise_variance * torch.linalg.inv(M))"
            },
            "You returned a root of the covariance, its Cholesky factor. Asked for is the covariance itself, σ² M^-1.",
        ),
        slip(
            ppca_posterior,
            {
                "noise_variance * torch.linalg.inv(M)": "torch.eye(W.shape[1], dtype=x.dtype) - W.T @ W / noise_variance"
            },
            "Your covariance is I − W^T W / σ², which is only the first part of a series. It is the inverse of I + W^T W / σ², that is σ² M^-1.",
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
        slip(
            ppca_log_prob,
            {"len(W) * math.log(2 * math.pi)": "math.log(2 * math.pi)"},
            "You took log 2π once. There is one for each of the D features: D log 2π.",
        ),
        slip(
            ppca_log_prob,
            {"len(W) * math.log(2 * math.pi)": "W.shape[1] * math.log(2 * math.pi)"},
            "You took K log 2π. The density is over images, which have D features: D log 2π.",
        ),
        slip(
            ppca_log_prob,
            {" + torch.linalg.slogdet(C)[1]": ""},
            "The log-determinant of C is missing: a wide density is low everywhere, and log |C| says how wide it is.",
        ),
        slip(
            ppca_log_prob,
            {"+ torch.linalg.slogdet(C)[1]": "- torch.linalg.slogdet(C)[1]"},
            "The log-determinant has the wrong sign. A wider density is lower at its peak: all three terms have a minus and a half.",
        ),
        slip(
            ppca_log_prob,
            {"-0.5 * (len(W)": "-1.0 * (len(W)"},
            "The factor ½ is missing: all three terms, D log 2π, log |C| and the quadratic form, are halved.",
        ),
        slip(
            ppca_log_prob,
            {
                "-0.5 * (len(W) * math.log(2 * math.pi) + torch.linalg.slogdet(C)[1] + quadratic)": "-(len(W) * math.log(2 * math.pi) + torch.linalg.slogdet(C)[1] + 0.5 * quadratic)"
            },
            "You halved the quadratic form only. The ½ stands before all three terms: D log 2π and log |C| are halved as well.",
        ),
        slip(
            ppca_log_prob,
            {"return -0.5": "return 0.5"},
            "The sign is turned: you returned −log p(x). A more probable image has a larger log p(x).",
        ),
        slip(
            ppca_log_prob,
            {"torch.linalg.solve(C, d.T).T": "d @ C"},
            "You multiplied by C in the quadratic form. Deviations are measured in units of the spread, so C stands there inverted.",
        ),
        slip(
            ppca_log_prob,
            {"d = x - mean": "d = x"},
            "You did not take the mean off: the quadratic form is that of the deviation x − μ.",
        ),
        slip(
            ppca_log_prob,
            {"d = x - mean": "d = x - x.mean(dim=0)"},
            "You took off the mean of the examples that are given. The model has a mean of its own, an argument of the function.",
        ),
        slip(
            ppca_log_prob,
            {"+ noise_variance * torch.eye(len(W), dtype=x.dtype)": "+ noise_variance"},
            "A matrix plus a number adds the number to every entry. σ² belongs on the diagonal only: σ² I, with I the identity of size D (torch.eye).",
        ),
        slip(
            ppca_log_prob,
            {"+ quadratic)": "+ quadratic) / len(W)"},
            "You divided by D. Asked for is the log-probability of the whole image, not of one of its features.",
        ),
        slip(
            ppca_log_prob,
            {"math.log(2 * math.pi)": "math.log(2)"},
            "Your constant is log 2 where log 2π belongs.",
        ),
        slip(
            ppca_log_prob,
            {"torch.linalg.slogdet(C)[1]": "torch.linalg.slogdet(C)[1] / 2"},
            "Your log |C| is half of what it should be. From a Cholesky factor C = L L^T it is 2 Σ log L_ii: the determinant of L counts twice.",
        ),
        slip(
            ppca_log_prob,
            {"torch.linalg.slogdet(C)[1]": "2 * torch.linalg.slogdet(C)[1]"},
            "Your log |C| counts twice. The ½ stands before it as before the other terms.",
        ),
        slip(
            ppca_log_prob,
            {
                "torch.linalg.slogdet(C)[1]": "torch.linalg.slogdet(W.T @ W + noise_variance * torch.eye(W.shape[1], dtype=x.dtype))[1]"
            },
            "Your determinant is that of the K × K matrix M. C also has D − K directions of noise alone: log |C| = log |M| + (D − K) log σ².",
        ),
        slip(
            ppca_log_prob,
            {"torch.linalg.slogdet(C)[1]": "C.diagonal().log().sum()"},
            "Your determinant is the product of C's diagonal. That holds for a diagonal matrix; C has entries beside it.",
        ),
        slip(
            ppca_log_prob,
            {"+ quadratic)": "+ quadratic.sqrt())"},
            "You took the root of the quadratic form, which is a distance. In the density stands the distance squared.",
        ),
        slip(
            ppca_log_prob,
            {"+ noise_variance * torch.eye": "+ math.sqrt(noise_variance) * torch.eye"},
            "You took the root of noise_variance. It already is σ², and C = W W^T + σ² I holds the variance.",
        ),
        slip(
            ppca_log_prob,
            {
                "return -0.5 * (len(W) * math.log(2 * math.pi) + torch.linalg.slogdet(C)[1] + quadratic)": "return -0.5 * (len(W) * math.log(2 * math.pi) + torch.linalg.slogdet(C)[1] + quadratic.mean())"
            },
            "You averaged over the examples. In this course log-probabilities are per example, shape (N,).",
        ),
        slip(
            log_prob_of_det,
            {"torch.det(C))": "torch.det(C) + 1e-12)"},
            "You kept log 0 away with a small number. det C is a product of D factors, far below that number, while its logarithm is an ordinary one: compute log |C| directly (torch.linalg.slogdet, or a Cholesky factor).",
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
            {"N": 7, "D": 5, "K": 2, "shift": 3.0, "noise_variance": 2.2},
            {"N": 4, "D": 6, "K": 3, "shift": 2.0, "noise_variance": 2.4},
            {"N": 8, "D": 3, "K": 1, "shift": 4.0, "noise_variance": 2.6},
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
        slip(
            ppca_em_step,
            {"N * noise_variance * M_inverse": "N * M_inverse"},
            "The posterior covariance is σ² M^-1; you added M^-1 without σ².",
        ),
        slip(
            ppca_em_step,
            {"squares / (N * D)": "squares / (N * (D - W.shape[1]))"},
            "You divided by N (D − K). That is for eigenvalues that are left over; in the M step all D features have noise: divide by N D.",
        ),
        slip(
            ppca_em_step,
            {"squares / (N * D)": "squares / ((N - 1) * D)"},
            "You divided by N − 1. Maximum likelihood averages over all N examples and D features: 1 / (N D).",
        ),
        slip(
            ppca_em_step,
            {"squares / (N * D)": "squares / D"},
            "You divided by D, which gives the noise of all N examples together. Divide by N D.",
        ),
        slip(
            ppca_em_step,
            {"return W_new, squares / (N * D)": "return W_new, ((d - z @ W_new.T) ** 2).mean()"},
            "Your σ² is the squared error at the posterior means. The codes are uncertain: E[z z^T] in the trace holds their covariance as well.",
        ),
        slip(
            ppca_em_step,
            {"- 2 * (z *": "- (z *"},
            "The cross term stands once where it belongs twice: −2 E[z]^T W^T x, as from any square.",
        ),
        slip(
            ppca_em_step,
            {"- 2 * (z *": "+ 2 * (z *"},
            "The cross term has the wrong sign: ‖x‖² − 2 E[z]^T W^T x + trace, as from a squared difference.",
        ),
        slip(
            ppca_em_step,
            {" + (zz * (W_new.T @ W_new)).sum()": ""},
            "The trace term is missing from σ². Expanding ‖x − W z‖² gives a third term, E[z^T W^T W z].",
        ),
        slip(
            ppca_em_step,
            {
                "- 2 * (z * (d @ W_new)).sum() + (zz * (W_new.T @ W_new)).sum()": "- 2 * (z * (d @ W_new)).sum() + (zz.diagonal() * (W_new.T @ W_new).diagonal()).sum()"
            },
            "Your trace is that of the product entry by entry. tr(A B) sums over all entries of the matrices: Σ_ij A_ij B_ji.",
        ),
        slip(
            ppca_em_step,
            {"squares / (N * D)": "(squares / (N * D)).sqrt()"},
            "You returned the standard deviation. The function works with σ², a variance: no root.",
        ),
        slip(
            ppca_em_step,
            {"+ noise_variance * torch.eye(W.shape[1], dtype=x.dtype)": ""},
            "Your M is W^T W alone. The posterior has M = W^T W + σ² I: the prior on z adds σ² I.",
        ),
        slip(
            ppca_em_step,
            {"d.T @ z @ torch.linalg.inv(zz)": "d.T @ z @ torch.linalg.inv(zz / N)"},
            "One factor of W_new is a sum over the examples, the other an average. Use sums in both, or averages in both: N cancels.",
        ),
        slip(
            ppca_em_step,
            {"d.T @ z @ torch.linalg.inv(zz)\n": "torch.linalg.qr(d.T @ z @ torch.linalg.inv(zz))[0]\n"},
            "You made W_new orthonormal. The M step's W is not: the lengths of its columns say how far the data spread.",
        ),
        slip(
            ppca_em_step,
            {"return W_new, squares": "return W, squares"},
            "You returned the W that was given. The M step computes a new one.",
        ),
        slip(
            ppca_em_step,
            {"return W_new, squares / (N * D)": "return W_new, noise_variance"},
            "You returned the σ² that was given. The M step computes a new one.",
        ),
        slip(
            ppca_em_step,
            {"N * noise_variance * M_inverse": "N * noise_variance * torch.linalg.inv(M_inverse)"},
            "Your posterior covariance is σ² M. It is σ² M^-1: a larger W tells more about z.",
        ),
        slip(
            ppca_em_step,
            {"x - x.mean(dim=0)": "x - x.mean()"},
            "You took one number off, the mean of all entries. Each feature has a mean of its own: average over the examples only (dim=0).",
            loses=("hidden",),
        ),
        slip(
            ppca_em_step,
            {"squares = (d**2).sum()": "squares = (x**2).sum()"},
            "‖x‖² is that of the data before centring. Every x in the formulas is the deviation from the mean.",
            loses=("hidden",),
        ),
        slip(
            ppca_em_step,
            {"+ noise_variance * torch.eye": "+ math.sqrt(noise_variance) * torch.eye"},
            "In M you took the root of noise_variance. It already is σ²: M = W^T W + σ² I.",
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
        slip(
            ppca_fit,
            {"eigenvalues[num_components:].mean()": "eigenvalues[num_components:].sum() / x.shape[1]"},
            "You divided the discarded eigenvalues by D. They are D − K, and the noise is their mean.",
        ),
        slip(
            ppca_fit,
            {"- noise_variance).sqrt()": "+ noise_variance).sqrt()"},
            "You added σ² to the eigenvalues. Along a kept direction W W^T and σ² together give the eigenvalue: take σ² off.",
        ),
        slip(
            ppca_fit,
            {
                "(eigenvalues[:num_components] - noise_variance).sqrt()": "(eigenvalues[:num_components].sqrt() - noise_variance.sqrt())"
            },
            "You took the difference of the roots. Variances add up, standard deviations do not: √(λ − σ²).",
        ),
        slip(
            ppca_fit,
            {
                "(eigenvalues[:num_components] - noise_variance).sqrt()": "(eigenvalues[:num_components].sqrt() - noise_variance)"
            },
            "You took σ² off after the root. It is a variance, like the eigenvalue: take it off first, √(λ − σ²).",
        ),
        slip(
            ppca_fit,
            {"U[:, :num_components]": "U.flip(1)[:, :num_components]"},
            "The eigenvalues are in descending order, the eigenvectors are not: torch.linalg.eigh gives both ascending, and both have to be turned round.",
        ),
        slip(
            ppca_fit,
            {"U.flip(1)": "U.flip(0)"},
            "You turned the eigenvectors upside down. They are the columns of U: turn round the order of the columns (dim 1), not that of the entries.",
        ),
        slip(
            ppca_fit,
            {"U[:, :num_components]": "U.T[:, :num_components]"},
            "You took rows of U. The eigenvectors that torch.linalg.eigh gives are its columns.",
        ),
        slip(
            ppca_fit,
            {"return mean, W, noise_variance": "return mean, W, noise_variance.sqrt()"},
            "You returned the noise's standard deviation. Asked for is its variance σ².",
        ),
        slip(
            ppca_fit,
            {"return mean, W, noise_variance": "return mean, W, eigenvalues.mean()"},
            "Your σ² is the mean of all eigenvalues. Only the D − K that were left out are noise.",
        ),
        slip(
            ppca_fit,
            {"eigenvalues[num_components:].mean()": "eigenvalues[-1]"},
            "Your σ² is the smallest eigenvalue alone. The likelihood is highest at the mean of all D − K that were left out.",
        ),
        slip(
            ppca_fit,
            {"eigenvalues[num_components:].mean()": "eigenvalues[num_components + 1 :].mean()"},
            "You left out one eigenvalue: the discarded ones begin right after the K kept ones, at index K when counting from 0.",
        ),
        slip(
            ppca_fit,
            {" * (eigenvalues[:num_components] - noise_variance).sqrt()": ""},
            "Your W has columns of length 1. Their lengths are √(λ − σ²): they say how far the data spread in each direction.",
        ),
        slip(
            ppca_fit,
            {"x.mean(dim=0)": "x.mean().expand(x.shape[1])"},
            "Your mean is one number for the whole table. Each feature has a mean of its own: average over the examples only (dim=0).",
        ),
        slip(
            ppca_fit,
            {"- noise_variance).sqrt()": "- 2 * noise_variance).clamp(min=0).sqrt()"},
            "You took σ² off twice: W W^T has eigenvalues λ − σ².",
        ),
        slip(
            ppca_fit,
            {"d.T @ d / len(x)": "d.T @ d"},
            "You did not divide by N. A covariance is the average over the examples of the deviations' products.",
        ),
        slip(
            ppca_fit,
            {
                "noise_variance = eigenvalues[num_components:].mean()": "noise_variance = eigenvalues[num_components:].median()"
            },
            "Your σ² is a median. The likelihood is highest at the mean of the D − K discarded eigenvalues.",
        ),
    ),
    alternatives=(fit_svd, fit_numpy_rotated, fit_from_trace),
)

# Absent while this is graded: it is what students are asked to write.
SEALED = ("pca",)

EXERCISES = (PROJECT, ALS, POSTERIOR, LOG_PROB, EM, FIT)
