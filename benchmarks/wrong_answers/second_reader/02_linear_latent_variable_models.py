"""Wrong answers that students might hand in for assignment 02."""
# ruff: noqa
import math

import numpy as np
import torch
import torch.nn.functional as F

WRONG = []  # (exercise name, mistake in a sentence, function)


def wrong(exercise, mistake):
    def decorate(function):
        assert function.__name__ == exercise, (exercise, function.__name__)
        WRONG.append((exercise, mistake, function))
        return function

    return decorate


# ---------------------------------------------------------------- Exercise 1: center_and_project


@wrong("center_and_project", "the code is that of x itself, z = x W, without subtracting the mean (the mean is added in the reconstruction)")
def center_and_project(x, W):
    mean = x.mean(dim=0)
    z = x @ W
    return mean, z, mean + z @ W.T


@wrong("center_and_project", "the mean is not added again in the reconstruction")
def center_and_project(x, W):
    mean = x.mean(dim=0)
    z = (x - mean) @ W
    return mean, z, z @ W.T


@wrong("center_and_project", "the mean is one number, over all examples and coordinates, repeated D times")
def center_and_project(x, W):
    mean = x.mean().repeat(x.shape[1])
    z = (x - mean) @ W
    return mean, z, mean + z @ W.T


@wrong("center_and_project", "x is centred in place: the argument is changed (the returned values are right)")
def center_and_project(x, W):
    mean = x.mean(dim=0)
    x -= mean
    z = x @ W
    return mean, z, mean + z @ W.T


@wrong("center_and_project", "W is reshaped to (K, D) instead of transposed in the reconstruction")
def center_and_project(x, W):
    mean = x.mean(dim=0)
    z = (x - mean) @ W
    return mean, z, mean + z @ W.reshape(W.shape[1], W.shape[0])


@wrong("center_and_project", "the projection of the mean, x̄ W Wᵀ, is added in the reconstruction instead of the mean itself")
def center_and_project(x, W):
    mean = x.mean(dim=0)
    z = (x - mean) @ W
    return mean, z, (z + mean @ W) @ W.T


@wrong("center_and_project", "the sign of the deviation is wrong: z = Wᵀ(x̄ - x)")
def center_and_project(x, W):
    mean = x.mean(dim=0)
    z = (mean - x) @ W
    return mean, z, mean + z @ W.T


@wrong("center_and_project", "projects on the K principal directions of the data instead of on the given W")
def center_and_project(x, W):
    mean = x.mean(dim=0)
    d = x - mean
    Vh = torch.linalg.svd(d, full_matrices=True).Vh
    V = Vh[: W.shape[1]].T
    z = d @ V
    return mean, z, mean + z @ V.T


@wrong("center_and_project", "the returned codes are divided by their root mean square, as in whitening (the reconstruction is right)")
def center_and_project(x, W):
    mean = x.mean(dim=0)
    z = (x - mean) @ W
    return mean, z / (z**2).mean(dim=0).sqrt(), mean + z @ W.T


@wrong("center_and_project", "the mean divides the sum by N - 1")
def center_and_project(x, W):
    mean = x.sum(dim=0) / max(len(x) - 1, 1)
    z = (x - mean) @ W
    return mean, z, mean + z @ W.T


@wrong("center_and_project", "two mistakes: the mean is not subtracted for the code, and not added in the reconstruction")
def center_and_project(x, W):
    z = x @ W
    return x.mean(dim=0), z, z @ W.T


@wrong("center_and_project", "two mistakes: the sign of the deviation is wrong, and W is reshaped to (K, D) instead of transposed in the reconstruction")
def center_and_project(x, W):
    mean = x.mean(dim=0)
    z = (mean - x) @ W
    return mean, z, mean + z @ W.reshape(W.shape[1], W.shape[0])


# ---------------------------------------------------------------- Exercise 2: als_sweep


@wrong("als_sweep", "the shortcut: Z = X W without (WᵀW)⁻¹")
def als_sweep(x, W):
    Z = x @ W
    return Z, x.T @ Z @ torch.linalg.inv(Z.T @ Z)


@wrong("als_sweep", "W_new uses (WᵀW)⁻¹ again instead of (ZᵀZ)⁻¹")
def als_sweep(x, W):
    inverse = torch.linalg.inv(W.T @ W)
    Z = x @ W @ inverse
    return Z, x.T @ Z @ inverse


@wrong("als_sweep", "W_new = Xᵀ Z without (ZᵀZ)⁻¹")
def als_sweep(x, W):
    Z = x @ W @ torch.linalg.inv(W.T @ W)
    return Z, x.T @ Z


@wrong("als_sweep", "the columns of W_new are made orthonormal by QR within the sweep")
def als_sweep(x, W):
    Z = x @ W @ torch.linalg.inv(W.T @ W)
    W_new = x.T @ Z @ torch.linalg.inv(Z.T @ Z)
    return Z, torch.linalg.qr(W_new).Q


@wrong("als_sweep", "the returned codes are computed again, for W_new instead of the given W")
def als_sweep(x, W):
    Z = x @ W @ torch.linalg.inv(W.T @ W)
    W_new = x.T @ Z @ torch.linalg.inv(Z.T @ Z)
    return x @ W_new @ torch.linalg.inv(W_new.T @ W_new), W_new


@wrong("als_sweep", "W is made orthonormal by QR first, so the codes belong to another basis than the given W")
def als_sweep(x, W):
    Q = torch.linalg.qr(W).Q
    Z = x @ Q
    return Z, x.T @ Z @ torch.linalg.inv(Z.T @ Z)


@wrong("als_sweep", "a ridge of 0.01 is added to the diagonals of WᵀW and ZᵀZ before inverting")
def als_sweep(x, W):
    ridge = 0.01 * torch.eye(W.shape[1], dtype=W.dtype)
    Z = x @ W @ torch.linalg.inv(W.T @ W + ridge)
    return Z, x.T @ Z @ torch.linalg.inv(Z.T @ Z + ridge)


@wrong("als_sweep", "divides only by the squared norms of the columns of W and of Z, as if the columns were orthogonal")
def als_sweep(x, W):
    Z = x @ W / (W**2).sum(dim=0)
    return Z, x.T @ Z / (Z**2).sum(dim=0)


@wrong("als_sweep", "the solution of the second least-squares problem, (K, D), is reshaped to (D, K) instead of transposed")
def als_sweep(x, W):
    Z = torch.linalg.lstsq(W, x.T).solution.T
    solution = torch.linalg.lstsq(Z, x).solution
    return Z, solution.reshape(W.shape)


@wrong("als_sweep", "the columns of W_new are scaled to length 1")
def als_sweep(x, W):
    Z = x @ W @ torch.linalg.inv(W.T @ W)
    W_new = x.T @ Z @ torch.linalg.inv(Z.T @ Z)
    return Z, W_new / W_new.norm(dim=0)


@wrong("als_sweep", "two mistakes: the shortcut Z = X W, and W_new = Xᵀ Z without (ZᵀZ)⁻¹")
def als_sweep(x, W):
    Z = x @ W
    return Z, x.T @ Z


@wrong("als_sweep", "two mistakes: the shortcut Z = X W, and the columns of W_new are made orthonormal by QR")
def als_sweep(x, W):
    Z = x @ W
    return Z, torch.linalg.qr(x.T @ Z @ torch.linalg.inv(Z.T @ Z)).Q


# ---------------------------------------------------------------- Exercise 3: ppca_posterior


@wrong("ppca_posterior", "the covariance is M⁻¹, without the factor σ²")
def ppca_posterior(x, W, mean, noise_variance):
    M = W.T @ W + noise_variance * torch.eye(W.shape[1], dtype=W.dtype)
    Minv = torch.linalg.inv(M)
    return (x - mean) @ W @ Minv, Minv


@wrong("ppca_posterior", "M = WᵀW without σ² I: the location is the PCA code")
def ppca_posterior(x, W, mean, noise_variance):
    Minv = torch.linalg.inv(W.T @ W)
    return (x - mean) @ W @ Minv, noise_variance * Minv


@wrong("ppca_posterior", "the mean is not subtracted from x")
def ppca_posterior(x, W, mean, noise_variance):
    M = W.T @ W + noise_variance * torch.eye(W.shape[1], dtype=W.dtype)
    Minv = torch.linalg.inv(M)
    return x @ W @ Minv, noise_variance * Minv


@wrong("ppca_posterior", "noise_variance is taken for a standard deviation and squared, in M and in the covariance")
def ppca_posterior(x, W, mean, noise_variance):
    v = noise_variance**2
    Minv = torch.linalg.inv(W.T @ W + v * torch.eye(W.shape[1], dtype=W.dtype))
    return (x - mean) @ W @ Minv, v * Minv


@wrong("ppca_posterior", "the location is multiplied by σ² too: covariance times Wᵀ(x - μ)")
def ppca_posterior(x, W, mean, noise_variance):
    M = W.T @ W + noise_variance * torch.eye(W.shape[1], dtype=W.dtype)
    covariance = noise_variance * torch.linalg.inv(M)
    return (x - mean) @ W @ covariance, covariance


@wrong("ppca_posterior", "the second value is the posterior precision M / σ², not its inverse")
def ppca_posterior(x, W, mean, noise_variance):
    M = W.T @ W + noise_variance * torch.eye(W.shape[1], dtype=W.dtype)
    return torch.linalg.solve(M, W.T @ (x - mean).T).T, M / noise_variance


@wrong("ppca_posterior", "σ² is added to every entry of WᵀW, not to its diagonal only")
def ppca_posterior(x, W, mean, noise_variance):
    M = W.T @ W + noise_variance
    Minv = torch.linalg.inv(M)
    return (x - mean) @ W @ Minv, noise_variance * Minv


@wrong("ppca_posterior", "subtracts the mean of the examples in x instead of the given mean")
def ppca_posterior(x, W, mean, noise_variance):
    M = W.T @ W + noise_variance * torch.eye(W.shape[1], dtype=W.dtype)
    Minv = torch.linalg.inv(M)
    return (x - x.mean(dim=0)) @ W @ Minv, noise_variance * Minv


@wrong("ppca_posterior", "only the diagonal of the covariance is kept; the correlations of the codes are set to 0")
def ppca_posterior(x, W, mean, noise_variance):
    M = W.T @ W + noise_variance * torch.eye(W.shape[1], dtype=W.dtype)
    Minv = torch.linalg.inv(M)
    return (x - mean) @ W @ Minv, torch.diag(torch.diag(noise_variance * Minv))


@wrong("ppca_posterior", "M = WᵀW + I, the prior's precision without the factor σ²")
def ppca_posterior(x, W, mean, noise_variance):
    M = W.T @ W + torch.eye(W.shape[1], dtype=W.dtype)
    Minv = torch.linalg.inv(M)
    return (x - mean) @ W @ Minv, noise_variance * Minv


@wrong("ppca_posterior", "two mistakes: the mean is not subtracted, and the covariance lacks the factor σ²")
def ppca_posterior(x, W, mean, noise_variance):
    M = W.T @ W + noise_variance * torch.eye(W.shape[1], dtype=W.dtype)
    Minv = torch.linalg.inv(M)
    return x @ W @ Minv, Minv


@wrong("ppca_posterior", "two mistakes: noise_variance is squared in M (not in the factor of the covariance), and the mean of the examples is subtracted instead of the given mean")
def ppca_posterior(x, W, mean, noise_variance):
    M = W.T @ W + noise_variance**2 * torch.eye(W.shape[1], dtype=W.dtype)
    Minv = torch.linalg.inv(M)
    return (x - x.mean(dim=0)) @ W @ Minv, noise_variance * Minv


# ---------------------------------------------------------------- Exercise 4: ppca_log_prob


@wrong("ppca_log_prob", "takes the logarithm of the determinant itself, which underflows to 0 (or overflows) for many pixels")
def ppca_log_prob(x, W, mean, noise_variance):
    D = x.shape[1]
    C = W @ W.T + noise_variance * torch.eye(D, dtype=x.dtype)
    d = x - mean
    quadratic = (d @ torch.linalg.inv(C) * d).sum(dim=1)
    return -0.5 * (D * math.log(2 * math.pi) + torch.log(torch.linalg.det(C)) + quadratic)


@wrong("ppca_log_prob", "the determinant is clamped to at least 1e-300 before its logarithm: finite, but wrong for many pixels")
def ppca_log_prob(x, W, mean, noise_variance):
    D = x.shape[1]
    C = W @ W.T + noise_variance * torch.eye(D, dtype=x.dtype)
    d = x - mean
    quadratic = (d @ torch.linalg.inv(C) * d).sum(dim=1)
    return -0.5 * (D * math.log(2 * math.pi) + torch.log(torch.linalg.det(C).clamp(min=1e-300)) + quadratic)


@wrong("ppca_log_prob", "K log 2π instead of D log 2π")
def ppca_log_prob(x, W, mean, noise_variance):
    D, K = W.shape
    C = W @ W.T + noise_variance * torch.eye(D, dtype=x.dtype)
    d = x - mean
    quadratic = (d @ torch.linalg.inv(C) * d).sum(dim=1)
    return -0.5 * (K * math.log(2 * math.pi) + torch.logdet(C) + quadratic)


@wrong("ppca_log_prob", "log|C| is the sum of the logarithms of the Cholesky factor's diagonal, without the factor 2")
def ppca_log_prob(x, W, mean, noise_variance):
    D = x.shape[1]
    C = W @ W.T + noise_variance * torch.eye(D, dtype=x.dtype)
    L = torch.linalg.cholesky(C)
    y = torch.linalg.solve_triangular(L, (x - mean).T, upper=False)
    return -0.5 * (D * math.log(2 * math.pi) + torch.log(torch.diag(L)).sum() + (y**2).sum(dim=0))


@wrong("ppca_log_prob", "the mean is not subtracted from x")
def ppca_log_prob(x, W, mean, noise_variance):
    D = x.shape[1]
    C = W @ W.T + noise_variance * torch.eye(D, dtype=x.dtype)
    quadratic = (torch.linalg.solve(C, x.T).T * x).sum(dim=1)
    return -0.5 * (D * math.log(2 * math.pi) + torch.linalg.slogdet(C)[1] + quadratic)


@wrong("ppca_log_prob", "log|C| from the K × K matrix M = WᵀW + σ² I as log|M| + D log σ², where D - K belongs")
def ppca_log_prob(x, W, mean, noise_variance):
    D, K = W.shape
    C = W @ W.T + noise_variance * torch.eye(D, dtype=x.dtype)
    M = W.T @ W + noise_variance * torch.eye(K, dtype=x.dtype)
    d = x - mean
    quadratic = (torch.linalg.solve(C, d.T).T * d).sum(dim=1)
    log_det = torch.linalg.slogdet(M)[1] + D * math.log(noise_variance)
    return -0.5 * (D * math.log(2 * math.pi) + log_det + quadratic)


@wrong("ppca_log_prob", "the quadratic form sums a row of the N × N matrix d C⁻¹ dᵀ, pairs with all other examples, instead of taking its diagonal")
def ppca_log_prob(x, W, mean, noise_variance):
    D = x.shape[1]
    C = W @ W.T + noise_variance * torch.eye(D, dtype=x.dtype)
    d = x - mean
    quadratic = (d @ torch.linalg.inv(C) @ d.T).sum(dim=1)
    return -0.5 * (D * math.log(2 * math.pi) + torch.linalg.slogdet(C)[1] + quadratic)


@wrong("ppca_log_prob", "log p(x | z) at the posterior mean of z, instead of log p(x) with z integrated out")
def ppca_log_prob(x, W, mean, noise_variance):
    D, K = W.shape
    M = W.T @ W + noise_variance * torch.eye(K, dtype=x.dtype)
    d = x - mean
    z = torch.linalg.solve(M, W.T @ d.T).T
    r = d - z @ W.T
    return -0.5 * (D * math.log(2 * math.pi * noise_variance) + (r**2).sum(dim=1) / noise_variance)


@wrong("ppca_log_prob", "the ½ is missing on the quadratic form")
def ppca_log_prob(x, W, mean, noise_variance):
    D = x.shape[1]
    C = W @ W.T + noise_variance * torch.eye(D, dtype=x.dtype)
    d = x - mean
    quadratic = (torch.linalg.solve(C, d.T).T * d).sum(dim=1)
    return -0.5 * (D * math.log(2 * math.pi) + torch.linalg.slogdet(C)[1]) - quadratic


@wrong("ppca_log_prob", "divided by D log 2: bits per pixel instead of nats per image")
def ppca_log_prob(x, W, mean, noise_variance):
    D = x.shape[1]
    C = W @ W.T + noise_variance * torch.eye(D, dtype=x.dtype)
    d = x - mean
    quadratic = (torch.linalg.solve(C, d.T).T * d).sum(dim=1)
    log_prob = -0.5 * (D * math.log(2 * math.pi) + torch.linalg.slogdet(C)[1] + quadratic)
    return log_prob / (D * math.log(2))


@wrong("ppca_log_prob", "two mistakes: noise_variance is squared in C, and the term D log 2π is left out")
def ppca_log_prob(x, W, mean, noise_variance):
    D = x.shape[1]
    C = W @ W.T + noise_variance**2 * torch.eye(D, dtype=x.dtype)
    d = x - mean
    quadratic = (torch.linalg.solve(C, d.T).T * d).sum(dim=1)
    return -0.5 * (torch.linalg.slogdet(C)[1] + quadratic)


@wrong("ppca_log_prob", "two mistakes: the logarithm of the determinant itself, which underflows for many pixels, and the mean of the examples in place of the given mean")
def ppca_log_prob(x, W, mean, noise_variance):
    D = x.shape[1]
    C = W @ W.T + noise_variance * torch.eye(D, dtype=x.dtype)
    d = x - x.mean(dim=0)
    quadratic = (d @ torch.linalg.inv(C) * d).sum(dim=1)
    return -0.5 * (D * math.log(2 * math.pi) + torch.log(torch.linalg.det(C)) + quadratic)


# ---------------------------------------------------------------- Exercise 5: ppca_em_step


@wrong("ppca_em_step", "the data are not centred")
def ppca_em_step(x, W, noise_variance):
    N, D = x.shape
    Minv = torch.linalg.inv(W.T @ W + noise_variance * torch.eye(W.shape[1], dtype=x.dtype))
    Ez = x @ W @ Minv
    S = N * noise_variance * Minv + Ez.T @ Ez
    W_new = x.T @ Ez @ torch.linalg.inv(S)
    total = (x**2).sum() - 2 * (Ez * (x @ W_new)).sum() + torch.trace(S @ W_new.T @ W_new)
    return W_new, total / (N * D)


@wrong("ppca_em_step", "the new noise variance is computed with the old W instead of W_new")
def ppca_em_step(x, W, noise_variance):
    x = x - x.mean(dim=0)
    N, D = x.shape
    Minv = torch.linalg.inv(W.T @ W + noise_variance * torch.eye(W.shape[1], dtype=x.dtype))
    Ez = x @ W @ Minv
    S = N * noise_variance * Minv + Ez.T @ Ez
    W_new = x.T @ Ez @ torch.linalg.inv(S)
    total = (x**2).sum() - 2 * (Ez * (x @ W)).sum() + torch.trace(S @ W.T @ W)
    return W_new, total / (N * D)


@wrong("ppca_em_step", "E[z zᵀ] is E[z] E[z]ᵀ: the posterior covariance is left out")
def ppca_em_step(x, W, noise_variance):
    x = x - x.mean(dim=0)
    N, D = x.shape
    Minv = torch.linalg.inv(W.T @ W + noise_variance * torch.eye(W.shape[1], dtype=x.dtype))
    Ez = x @ W @ Minv
    S = Ez.T @ Ez
    W_new = x.T @ Ez @ torch.linalg.inv(S)
    total = (x**2).sum() - 2 * (Ez * (x @ W_new)).sum() + torch.trace(S @ W_new.T @ W_new)
    return W_new, total / (N * D)


@wrong("ppca_em_step", "the posterior covariance is added once to the sum over the examples, not N times")
def ppca_em_step(x, W, noise_variance):
    x = x - x.mean(dim=0)
    N, D = x.shape
    Minv = torch.linalg.inv(W.T @ W + noise_variance * torch.eye(W.shape[1], dtype=x.dtype))
    Ez = x @ W @ Minv
    S = noise_variance * Minv + Ez.T @ Ez
    W_new = x.T @ Ez @ torch.linalg.inv(S)
    total = (x**2).sum() - 2 * (Ez * (x @ W_new)).sum() + torch.trace(S @ W_new.T @ W_new)
    return W_new, total / (N * D)


@wrong("ppca_em_step", "the new noise variance is divided by N only, not by N D")
def ppca_em_step(x, W, noise_variance):
    x = x - x.mean(dim=0)
    N, D = x.shape
    Minv = torch.linalg.inv(W.T @ W + noise_variance * torch.eye(W.shape[1], dtype=x.dtype))
    Ez = x @ W @ Minv
    S = N * noise_variance * Minv + Ez.T @ Ez
    W_new = x.T @ Ez @ torch.linalg.inv(S)
    total = (x**2).sum() - 2 * (Ez * (x @ W_new)).sum() + torch.trace(S @ W_new.T @ W_new)
    return W_new, total / N


@wrong("ppca_em_step", "the cross term of the new noise variance lacks its factor 2")
def ppca_em_step(x, W, noise_variance):
    x = x - x.mean(dim=0)
    N, D = x.shape
    Minv = torch.linalg.inv(W.T @ W + noise_variance * torch.eye(W.shape[1], dtype=x.dtype))
    Ez = x @ W @ Minv
    S = N * noise_variance * Minv + Ez.T @ Ez
    W_new = x.T @ Ez @ torch.linalg.inv(S)
    total = (x**2).sum() - (Ez * (x @ W_new)).sum() + torch.trace(S @ W_new.T @ W_new)
    return W_new, total / (N * D)


@wrong("ppca_em_step", "the second value is the new standard deviation of the noise, not the variance")
def ppca_em_step(x, W, noise_variance):
    x = x - x.mean(dim=0)
    N, D = x.shape
    Minv = torch.linalg.inv(W.T @ W + noise_variance * torch.eye(W.shape[1], dtype=x.dtype))
    Ez = x @ W @ Minv
    S = N * noise_variance * Minv + Ez.T @ Ez
    W_new = x.T @ Ez @ torch.linalg.inv(S)
    total = (x**2).sum() - 2 * (Ez * (x @ W_new)).sum() + torch.trace(S @ W_new.T @ W_new)
    return W_new, (total / (N * D)).sqrt()


@wrong("ppca_em_step", "the posterior covariance in E[z zᵀ] is M⁻¹, without the factor σ²")
def ppca_em_step(x, W, noise_variance):
    x = x - x.mean(dim=0)
    N, D = x.shape
    Minv = torch.linalg.inv(W.T @ W + noise_variance * torch.eye(W.shape[1], dtype=x.dtype))
    Ez = x @ W @ Minv
    S = N * Minv + Ez.T @ Ez
    W_new = x.T @ Ez @ torch.linalg.inv(S)
    total = (x**2).sum() - 2 * (Ez * (x @ W_new)).sum() + torch.trace(S @ W_new.T @ W_new)
    return W_new, total / (N * D)


@wrong("ppca_em_step", "x is centred in place: the argument is changed (the returned values are right)")
def ppca_em_step(x, W, noise_variance):
    x -= x.mean(dim=0)
    N, D = x.shape
    Minv = torch.linalg.inv(W.T @ W + noise_variance * torch.eye(W.shape[1], dtype=x.dtype))
    Ez = x @ W @ Minv
    S = N * noise_variance * Minv + Ez.T @ Ez
    W_new = x.T @ Ez @ torch.linalg.inv(S)
    total = (x**2).sum() - 2 * (Ez * (x @ W_new)).sum() + torch.trace(S @ W_new.T @ W_new)
    return W_new, total / (N * D)


@wrong("ppca_em_step", "the new noise variance is the mean squared residual of W_new E[z], without the posterior covariance of z (W_new is right)")
def ppca_em_step(x, W, noise_variance):
    x = x - x.mean(dim=0)
    N, D = x.shape
    Minv = torch.linalg.inv(W.T @ W + noise_variance * torch.eye(W.shape[1], dtype=x.dtype))
    Ez = x @ W @ Minv
    S = N * noise_variance * Minv + Ez.T @ Ez
    W_new = x.T @ Ez @ torch.linalg.inv(S)
    return W_new, ((x - Ez @ W_new.T) ** 2).mean()


@wrong("ppca_em_step", "two mistakes: the posterior covariance is added once, not N times, and the new noise variance is computed with the old W")
def ppca_em_step(x, W, noise_variance):
    x = x - x.mean(dim=0)
    N, D = x.shape
    Minv = torch.linalg.inv(W.T @ W + noise_variance * torch.eye(W.shape[1], dtype=x.dtype))
    Ez = x @ W @ Minv
    S = noise_variance * Minv + Ez.T @ Ez
    W_new = x.T @ Ez @ torch.linalg.inv(S)
    total = (x**2).sum() - 2 * (Ez * (x @ W)).sum() + torch.trace(S @ W.T @ W)
    return W_new, total / (N * D)


@wrong("ppca_em_step", "two mistakes: the data are not centred, and the new noise variance is divided by (N - 1) D")
def ppca_em_step(x, W, noise_variance):
    N, D = x.shape
    Minv = torch.linalg.inv(W.T @ W + noise_variance * torch.eye(W.shape[1], dtype=x.dtype))
    Ez = x @ W @ Minv
    S = N * noise_variance * Minv + Ez.T @ Ez
    W_new = x.T @ Ez @ torch.linalg.inv(S)
    total = (x**2).sum() - 2 * (Ez * (x @ W_new)).sum() + torch.trace(S @ W_new.T @ W_new)
    return W_new, total / (max(N - 1, 1) * D)


# ---------------------------------------------------------------- Exercise 7: ppca_fit


@wrong("ppca_fit", "the colleague's function unchanged: W = U sqrt(λ) without subtracting σ² from the kept eigenvalues")
def ppca_fit(x, num_components):
    mean = x.mean(dim=0)
    S = (x - mean).T @ (x - mean) / len(x)
    eigenvalues, U = torch.linalg.eigh(S)
    kept = eigenvalues.flip(0)[:num_components]
    noise_variance = eigenvalues.flip(0)[num_components:].mean()
    return mean, U.flip(1)[:, :num_components] * kept.sqrt(), noise_variance


@wrong("ppca_fit", "the covariance is divided by N - 1 instead of N (the rest is right)")
def ppca_fit(x, num_components):
    mean = x.mean(dim=0)
    S = torch.cov(x.T)
    eigenvalues, U = torch.linalg.eigh(S)
    kept = eigenvalues.flip(0)[:num_components]
    noise_variance = eigenvalues.flip(0)[num_components:].mean()
    return mean, U.flip(1)[:, :num_components] * (kept - noise_variance).sqrt(), noise_variance


@wrong("ppca_fit", "W = U (λ - σ²), the square root is lost")
def ppca_fit(x, num_components):
    mean = x.mean(dim=0)
    S = (x - mean).T @ (x - mean) / len(x)
    eigenvalues, U = torch.linalg.eigh(S)
    kept = eigenvalues.flip(0)[:num_components]
    noise_variance = eigenvalues.flip(0)[num_components:].mean()
    return mean, U.flip(1)[:, :num_components] * (kept - noise_variance), noise_variance


@wrong("ppca_fit", "the noise variance divides the sum of the discarded eigenvalues by D instead of D - K")
def ppca_fit(x, num_components):
    mean = x.mean(dim=0)
    S = (x - mean).T @ (x - mean) / len(x)
    eigenvalues, U = torch.linalg.eigh(S)
    kept = eigenvalues.flip(0)[:num_components]
    noise_variance = eigenvalues.flip(0)[num_components:].sum() / x.shape[1]
    return mean, U.flip(1)[:, :num_components] * (kept - noise_variance).sqrt(), noise_variance


@wrong("ppca_fit", "the eigenvalues are put in descending order, the eigenvectors are not: the first K columns of U belong to the smallest eigenvalues")
def ppca_fit(x, num_components):
    mean = x.mean(dim=0)
    S = (x - mean).T @ (x - mean) / len(x)
    eigenvalues, U = torch.linalg.eigh(S)
    kept = eigenvalues.flip(0)[:num_components]
    noise_variance = eigenvalues.flip(0)[num_components:].mean()
    return mean, U[:, :num_components] * (kept - noise_variance).sqrt(), noise_variance


@wrong("ppca_fit", "W = U (sqrt(λ) - σ): the standard deviations are subtracted instead of the variances")
def ppca_fit(x, num_components):
    mean = x.mean(dim=0)
    S = (x - mean).T @ (x - mean) / len(x)
    eigenvalues, U = torch.linalg.eigh(S)
    kept = eigenvalues.flip(0)[:num_components].clamp(min=0)
    noise_variance = eigenvalues.flip(0)[num_components:].mean().clamp(min=0)
    return mean, U.flip(1)[:, :num_components] * (kept.sqrt() - noise_variance.sqrt()), noise_variance


@wrong("ppca_fit", "the third value is the standard deviation of the noise (W is right)")
def ppca_fit(x, num_components):
    mean = x.mean(dim=0)
    S = (x - mean).T @ (x - mean) / len(x)
    eigenvalues, U = torch.linalg.eigh(S)
    kept = eigenvalues.flip(0)[:num_components]
    noise_variance = eigenvalues.flip(0)[num_components:].mean()
    return mean, U.flip(1)[:, :num_components] * (kept - noise_variance).sqrt(), noise_variance.sqrt()


@wrong("ppca_fit", "the eigenvectors are read from the rows of U instead of its columns")
def ppca_fit(x, num_components):
    mean = x.mean(dim=0)
    S = (x - mean).T @ (x - mean) / len(x)
    eigenvalues, U = torch.linalg.eigh(S)
    kept = eigenvalues.flip(0)[:num_components]
    noise_variance = eigenvalues.flip(0)[num_components:].mean()
    return mean, U.flip(0)[:num_components].T * (kept - noise_variance).sqrt(), noise_variance


@wrong("ppca_fit", "the mean is not subtracted in S, which is the matrix of second moments instead of the covariance")
def ppca_fit(x, num_components):
    mean = x.mean(dim=0)
    S = x.T @ x / len(x)
    eigenvalues, U = torch.linalg.eigh(S)
    kept = eigenvalues.flip(0)[:num_components]
    noise_variance = eigenvalues.flip(0)[num_components:].mean()
    return mean, U.flip(1)[:, :num_components] * (kept - noise_variance).sqrt(), noise_variance


@wrong("ppca_fit", "the noise variance is the mean of all D eigenvalues instead of the discarded ones (negative differences are set to 0)")
def ppca_fit(x, num_components):
    mean = x.mean(dim=0)
    S = (x - mean).T @ (x - mean) / len(x)
    eigenvalues, U = torch.linalg.eigh(S)
    kept = eigenvalues.flip(0)[:num_components]
    noise_variance = eigenvalues.mean()
    return mean, U.flip(1)[:, :num_components] * (kept - noise_variance).clamp(min=0).sqrt(), noise_variance


@wrong("ppca_fit", "two mistakes: σ² is not subtracted from the kept eigenvalues, and the covariance is divided by N - 1")
def ppca_fit(x, num_components):
    mean = x.mean(dim=0)
    S = torch.cov(x.T)
    eigenvalues, U = torch.linalg.eigh(S)
    kept = eigenvalues.flip(0)[:num_components]
    noise_variance = eigenvalues.flip(0)[num_components:].mean()
    return mean, U.flip(1)[:, :num_components] * kept.sqrt(), noise_variance


@wrong("ppca_fit", "two mistakes: σ² is added to the kept eigenvalues, and it is the sum of the discarded ones instead of their mean")
def ppca_fit(x, num_components):
    mean = x.mean(dim=0)
    S = (x - mean).T @ (x - mean) / len(x)
    eigenvalues, U = torch.linalg.eigh(S)
    kept = eigenvalues.flip(0)[:num_components]
    noise_variance = eigenvalues.flip(0)[num_components:].sum()
    return mean, U.flip(1)[:, :num_components] * (kept + noise_variance).sqrt(), noise_variance
