"""Wrong answers that students might hand in for assignment 02.

Format: importing this file fills the list WRONG with tuples (exercise name, mistake in a sentence, function). Each function
has the exact name and signature that the notebook asks for, returns the right shapes, and does not mean to crash. It holds one
mistake; those whose description begins with "two mistakes:" hold two. Some are right on easy inputs and wrong only on hard ones (large
logits, many entries, K != R, ...); their description says so. Functions use only the imports below and the helpers that the
notebook itself defines (copied here where needed). The source of a function: `inspect.getsource(function)`.
"""
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




# ---- center_and_project ----
@wrong("center_and_project", "codes of the images themselves: forgets to take the mean off")
def center_and_project(x, W):
    mean = x.mean(dim=0)
    z = x @ W
    reconstruction = mean + z @ W.T
    return mean, z, reconstruction


@wrong("center_and_project", "forgets to add the mean in the reconstruction")
def center_and_project(x, W):
    mean = x.mean(dim=0)
    z = (x - mean) @ W
    reconstruction = z @ W.T
    return mean, z, reconstruction


@wrong("center_and_project", "one number for the mean, that of all pixels of all images")
def center_and_project(x, W):
    mean = x.mean() * torch.ones_like(x[0])
    z = (x - mean) @ W
    reconstruction = mean + z @ W.T
    return mean, z, reconstruction


@wrong("center_and_project", "subtracts each image's own mean for the code, and adds the mean image back")
def center_and_project(x, W):
    mean = x.mean(dim=0)
    z = (x - x.mean(dim=1, keepdim=True)) @ W
    reconstruction = mean + z @ W.T
    return mean, z, reconstruction


@wrong("center_and_project", "no centring at all: code and reconstruction around zero")
def center_and_project(x, W):
    mean = x.mean(dim=0)
    z = x @ W
    reconstruction = z @ W.T
    return mean, z, reconstruction


@wrong("center_and_project", "takes the mean off in place of adding it")
def center_and_project(x, W):
    mean = x.mean(dim=0)
    z = (x - mean) @ W
    reconstruction = z @ W.T - mean
    return mean, z, reconstruction


@wrong("center_and_project", "standardises: divides by each pixel's standard deviation, too")
def center_and_project(x, W):
    mean = x.mean(dim=0)
    z = ((x - mean) / (x.std(dim=0) + 1e-8)) @ W
    reconstruction = mean + z @ W.T
    return mean, z, reconstruction


@wrong("center_and_project", "the median in place of the mean")
def center_and_project(x, W):
    mean = x.median(dim=0).values
    z = (x - mean) @ W
    reconstruction = mean + z @ W.T
    return mean, z, reconstruction


@wrong("center_and_project", "divides the sum by N - 1")
def center_and_project(x, W):
    mean = x.sum(dim=0) / (len(x) - 1)
    z = (x - mean) @ W
    reconstruction = mean + z @ W.T
    return mean, z, reconstruction


@wrong("center_and_project", "reconstruction with the pixels clamped to [0, 1]")
def center_and_project(x, W):
    mean = x.mean(dim=0)
    z = (x - mean) @ W
    reconstruction = (mean + z @ W.T).clamp(0, 1)
    return mean, z, reconstruction


@wrong("center_and_project", "divides the code by the number of directions K, averaging in place of adding")
def center_and_project(x, W):
    mean = x.mean(dim=0)
    z = (x - mean) @ W / W.shape[1]
    reconstruction = mean + z @ W.T
    return mean, z, reconstruction


@wrong("center_and_project", "wrong sign of the deviation: mean minus x")
def center_and_project(x, W):
    mean = x.mean(dim=0)
    z = (mean - x) @ W
    reconstruction = mean + z @ W.T
    return mean, z, reconstruction


@wrong("center_and_project", "normalises each code to length one")
def center_and_project(x, W):
    mean = x.mean(dim=0)
    z = (x - mean) @ W
    z = z / z.norm(dim=1, keepdim=True)
    reconstruction = mean + z @ W.T
    return mean, z, reconstruction


@wrong("center_and_project", "scales codes to unit variance (whitening) and does not undo it")
def center_and_project(x, W):
    mean = x.mean(dim=0)
    z = (x - mean) @ W
    z = z / (z.std(dim=0) + 1e-12)
    reconstruction = mean + z @ W.T
    return mean, z, reconstruction


@wrong("center_and_project", "W turned round: transposes of the wrong factor by reshape, W.reshape(K, D) in place of W.T")
def center_and_project(x, W):
    mean = x.mean(dim=0)
    z = (x - mean) @ W
    reconstruction = mean + z @ W.reshape(W.shape[1], W.shape[0])
    return mean, z, reconstruction


@wrong("center_and_project", "the columns of W in reverse order")
def center_and_project(x, W):
    mean = x.mean(dim=0)
    z = (x - mean) @ W.flip(1)
    reconstruction = mean + z @ W.T
    return mean, z, reconstruction


@wrong("center_and_project", "uses the first image for the mean")
def center_and_project(x, W):
    mean = x[0]
    z = (x - mean) @ W
    reconstruction = mean + z @ W.T
    return mean, z, reconstruction


@wrong("center_and_project", "adds the mean of the codes, projected, in place of the mean image")
def center_and_project(x, W):
    mean = x.mean(dim=0)
    z = (x - mean) @ W
    reconstruction = (z + mean @ W) @ W.T
    return mean, z, reconstruction


@wrong("center_and_project", "returns the error x - reconstruction for the reconstruction")
def center_and_project(x, W):
    mean = x.mean(dim=0)
    z = (x - mean) @ W
    reconstruction = x - mean - z @ W.T
    return mean, z, reconstruction


@wrong("center_and_project", "two mistakes: no centring at all, and the pixels clamped to [0, 1]")
def center_and_project(x, W):
    mean = x.mean(dim=0)
    z = x @ W
    reconstruction = (z @ W.T).clamp(0, 1)
    return mean, z, reconstruction



# ---- als_sweep ----
@wrong("als_sweep", "the shortcut Z = X W (right for orthonormal W)")
def als_sweep(x, W):
    Z = x @ W
    W_new = x.T @ Z @ torch.linalg.inv(Z.T @ Z)
    return Z, W_new


@wrong("als_sweep", "the shortcut in the second step: W_new = X^T Z")
def als_sweep(x, W):
    Z = x @ W @ torch.linalg.inv(W.T @ W)
    W_new = x.T @ Z
    return Z, W_new


@wrong("als_sweep", "the shortcut in both steps")
def als_sweep(x, W):
    Z = x @ W
    W_new = x.T @ Z
    return Z, W_new


@wrong("als_sweep", "the second step with the old codes, X W, not with the ones just computed")
def als_sweep(x, W):
    Z = x @ W @ torch.linalg.inv(W.T @ W)
    W_new = x.T @ (x @ W) @ torch.linalg.inv((x @ W).T @ (x @ W))
    return Z, W_new


@wrong("als_sweep", "multiplies by W^T W in place of its inverse")
def als_sweep(x, W):
    Z = x @ W @ (W.T @ W)
    W_new = x.T @ Z @ torch.linalg.inv(Z.T @ Z)
    return Z, W_new


@wrong("als_sweep", "inverts elementwise: 1 / (W^T W)")
def als_sweep(x, W):
    Z = x @ W @ (1 / (W.T @ W))
    W_new = x.T @ Z @ torch.linalg.inv(Z.T @ Z)
    return Z, W_new


@wrong("als_sweep", "divides by the diagonal of W^T W only")
def als_sweep(x, W):
    Z = x @ W / (W.T @ W).diagonal()
    W_new = x.T @ Z @ torch.linalg.inv(Z.T @ Z)
    return Z, W_new


@wrong("als_sweep", "divides by the diagonal of Z^T Z only")
def als_sweep(x, W):
    Z = x @ W @ torch.linalg.inv(W.T @ W)
    W_new = x.T @ Z / (Z.T @ Z).diagonal()
    return Z, W_new


@wrong("als_sweep", "orthonormalises W_new by a QR decomposition after the step")
def als_sweep(x, W):
    Z = x @ W @ torch.linalg.inv(W.T @ W)
    W_new = x.T @ Z @ torch.linalg.inv(Z.T @ Z)
    W_new = torch.linalg.qr(W_new).Q
    return Z, W_new


@wrong("als_sweep", "normalises W_new's columns to length one after the step")
def als_sweep(x, W):
    Z = x @ W @ torch.linalg.inv(W.T @ W)
    W_new = x.T @ Z @ torch.linalg.inv(Z.T @ Z)
    W_new = W_new / W_new.norm(dim=0)
    return Z, W_new


@wrong("als_sweep", "orthonormalises W before the first step")
def als_sweep(x, W):
    W = torch.linalg.qr(W).Q
    Z = x @ W @ torch.linalg.inv(W.T @ W)
    W_new = x.T @ Z @ torch.linalg.inv(Z.T @ Z)
    return Z, W_new


@wrong("als_sweep", "adds 0.1 to the diagonal before inverting (ridge), in the first step")
def als_sweep(x, W):
    Z = x @ W @ torch.linalg.inv(W.T @ W + 0.1 * torch.eye(W.shape[1], dtype=x.dtype))
    W_new = x.T @ Z @ torch.linalg.inv(Z.T @ Z)
    return Z, W_new


@wrong("als_sweep", "EM's step with noise variance 1: W^T W + I")
def als_sweep(x, W):
    Z = x @ W @ torch.linalg.inv(W.T @ W + torch.eye(W.shape[1], dtype=x.dtype))
    W_new = x.T @ Z @ torch.linalg.inv(Z.T @ Z)
    return Z, W_new


@wrong("als_sweep", "returns the codes for the new W: renews Z once more after W")
def als_sweep(x, W):
    Z = x @ W @ torch.linalg.inv(W.T @ W)
    W_new = x.T @ Z @ torch.linalg.inv(Z.T @ Z)
    Z = x @ W_new @ torch.linalg.inv(W_new.T @ W_new)
    return Z, W_new


@wrong("als_sweep", "does two sweeps")
def als_sweep(x, W):
    Z = x @ W @ torch.linalg.inv(W.T @ W)
    W_new = x.T @ Z @ torch.linalg.inv(Z.T @ Z)
    Z = x @ W_new @ torch.linalg.inv(W_new.T @ W_new)
    W_new = x.T @ Z @ torch.linalg.inv(Z.T @ Z)
    return Z, W_new


@wrong("als_sweep", "returns the old W as the new one")
def als_sweep(x, W):
    Z = x @ W @ torch.linalg.inv(W.T @ W)
    W_new = x.T @ Z @ torch.linalg.inv(Z.T @ Z)
    return Z, W


@wrong("als_sweep", "divides the second step by N as well")
def als_sweep(x, W):
    Z = x @ W @ torch.linalg.inv(W.T @ W)
    W_new = x.T @ Z / len(x) @ torch.linalg.inv(Z.T @ Z)
    return Z, W_new


@wrong("als_sweep", "a gradient step in place of least squares for W")
def als_sweep(x, W):
    Z = x @ W @ torch.linalg.inv(W.T @ W)
    W_new = W + 0.01 * (x - Z @ W.T).T @ Z
    return Z, W_new


@wrong("als_sweep", "standardises the codes to variance one before the second step")
def als_sweep(x, W):
    Z = x @ W @ torch.linalg.inv(W.T @ W)
    Z = (Z - Z.mean(dim=0)) / Z.std(dim=0)
    W_new = x.T @ Z @ torch.linalg.inv(Z.T @ Z)
    return Z, W_new


@wrong("als_sweep", "W^T W inverted with the diagonal's root: divides by the columns' lengths, not by their squares")
def als_sweep(x, W):
    Z = x @ W / W.norm(dim=0)
    W_new = x.T @ Z @ torch.linalg.inv(Z.T @ Z)
    return Z, W_new


@wrong("als_sweep", "applies the inverse of W^T W twice")
def als_sweep(x, W):
    Z = x @ W @ torch.linalg.inv(W.T @ W) @ torch.linalg.inv(W.T @ W)
    W_new = x.T @ Z @ torch.linalg.inv(Z.T @ Z)
    return Z, W_new


@wrong("als_sweep", "two mistakes: shortcut for the codes, and the columns of W_new normalised")
def als_sweep(x, W):
    Z = x @ W
    W_new = x.T @ Z @ torch.linalg.inv(Z.T @ Z)
    W_new = W_new / W_new.norm(dim=0)
    return Z, W_new



# ---- ppca_posterior ----
@wrong("ppca_posterior", "takes noise_variance for a standard deviation and squares it (right for 1)")
def ppca_posterior(x, W, mean, noise_variance):
    noise_variance = noise_variance**2
    M = W.T @ W + noise_variance * torch.eye(W.shape[1], dtype=x.dtype)
    loc = (x - mean) @ W @ torch.linalg.inv(M)
    covariance = noise_variance * torch.linalg.inv(M)
    return loc, covariance


@wrong("ppca_posterior", "takes the root of the noise variance (right for 1)")
def ppca_posterior(x, W, mean, noise_variance):
    noise_variance = noise_variance**0.5
    M = W.T @ W + noise_variance * torch.eye(W.shape[1], dtype=x.dtype)
    loc = (x - mean) @ W @ torch.linalg.inv(M)
    covariance = noise_variance * torch.linalg.inv(M)
    return loc, covariance


@wrong("ppca_posterior", "forgets sigma^2 in the covariance (right for 1)")
def ppca_posterior(x, W, mean, noise_variance):
    M = W.T @ W + noise_variance * torch.eye(W.shape[1], dtype=x.dtype)
    loc = (x - mean) @ W @ torch.linalg.inv(M)
    covariance = torch.linalg.inv(M)
    return loc, covariance


@wrong("ppca_posterior", "divides the inverse by sigma^2 in place of multiplying (right for 1)")
def ppca_posterior(x, W, mean, noise_variance):
    M = W.T @ W + noise_variance * torch.eye(W.shape[1], dtype=x.dtype)
    loc = (x - mean) @ W @ torch.linalg.inv(M)
    covariance = torch.linalg.inv(M) / noise_variance
    return loc, covariance


@wrong("ppca_posterior", "covariance is sigma^2 M, not its inverse")
def ppca_posterior(x, W, mean, noise_variance):
    M = W.T @ W + noise_variance * torch.eye(W.shape[1], dtype=x.dtype)
    loc = (x - mean) @ W @ torch.linalg.inv(M)
    covariance = noise_variance * M
    return loc, covariance


@wrong("ppca_posterior", "does not take the mean off")
def ppca_posterior(x, W, mean, noise_variance):
    M = W.T @ W + noise_variance * torch.eye(W.shape[1], dtype=x.dtype)
    loc = x @ W @ torch.linalg.inv(M)
    covariance = noise_variance * torch.linalg.inv(M)
    return loc, covariance


@wrong("ppca_posterior", "takes the mean of the given examples off, not the model's mean")
def ppca_posterior(x, W, mean, noise_variance):
    M = W.T @ W + noise_variance * torch.eye(W.shape[1], dtype=x.dtype)
    loc = (x - x.mean(dim=0)) @ W @ torch.linalg.inv(M)
    covariance = noise_variance * torch.linalg.inv(M)
    return loc, covariance


@wrong("ppca_posterior", "M = W^T W + I, as if sigma^2 were 1")
def ppca_posterior(x, W, mean, noise_variance):
    M = W.T @ W + torch.eye(W.shape[1], dtype=x.dtype)
    loc = (x - mean) @ W @ torch.linalg.inv(M)
    covariance = noise_variance * torch.linalg.inv(M)
    return loc, covariance


@wrong("ppca_posterior", "forgets the noise in M: the PCA code for the mean")
def ppca_posterior(x, W, mean, noise_variance):
    M = W.T @ W
    loc = (x - mean) @ W @ torch.linalg.inv(M)
    covariance = noise_variance * torch.linalg.inv(M)
    return loc, covariance


@wrong("ppca_posterior", "adds sigma^2 to all entries of W^T W, not to the diagonal (right for K = 1)")
def ppca_posterior(x, W, mean, noise_variance):
    M = W.T @ W + noise_variance
    loc = (x - mean) @ W @ torch.linalg.inv(M)
    covariance = noise_variance * torch.linalg.inv(M)
    return loc, covariance


@wrong("ppca_posterior", "forgets M^-1 in the mean: W^T (x - mu) only")
def ppca_posterior(x, W, mean, noise_variance):
    M = W.T @ W + noise_variance * torch.eye(W.shape[1], dtype=x.dtype)
    loc = (x - mean) @ W
    covariance = noise_variance * torch.linalg.inv(M)
    return loc, covariance


@wrong("ppca_posterior", "multiplies the mean by sigma^2 as well (right for 1)")
def ppca_posterior(x, W, mean, noise_variance):
    M = W.T @ W + noise_variance * torch.eye(W.shape[1], dtype=x.dtype)
    loc = noise_variance * (x - mean) @ W @ torch.linalg.inv(M)
    covariance = noise_variance * torch.linalg.inv(M)
    return loc, covariance


@wrong("ppca_posterior", "divides the mean by sigma^2, using M in place of M / sigma^2 (right for 1)")
def ppca_posterior(x, W, mean, noise_variance):
    M = W.T @ W + noise_variance * torch.eye(W.shape[1], dtype=x.dtype)
    loc = (x - mean) @ W @ torch.linalg.inv(M) / noise_variance
    covariance = noise_variance * torch.linalg.inv(M)
    return loc, covariance


@wrong("ppca_posterior", "multiplies by M in place of its inverse in the mean")
def ppca_posterior(x, W, mean, noise_variance):
    M = W.T @ W + noise_variance * torch.eye(W.shape[1], dtype=x.dtype)
    loc = (x - mean) @ W @ M
    covariance = noise_variance * torch.linalg.inv(M)
    return loc, covariance


@wrong("ppca_posterior", "elementwise reciprocal of M")
def ppca_posterior(x, W, mean, noise_variance):
    M = W.T @ W + noise_variance * torch.eye(W.shape[1], dtype=x.dtype)
    loc = (x - mean) @ W @ (1 / M)
    covariance = noise_variance * (1 / M)
    return loc, covariance


@wrong("ppca_posterior", "covariance's off-diagonal dropped: a diagonal posterior (right for orthogonal columns of W)")
def ppca_posterior(x, W, mean, noise_variance):
    M = W.T @ W + noise_variance * torch.eye(W.shape[1], dtype=x.dtype)
    loc = (x - mean) @ W @ torch.linalg.inv(M)
    covariance = torch.diag(noise_variance / M.diagonal())
    return loc, covariance


@wrong("ppca_posterior", "only the diagonal of the covariance kept, that of the inverse (right for orthogonal columns of W)")
def ppca_posterior(x, W, mean, noise_variance):
    M = W.T @ W + noise_variance * torch.eye(W.shape[1], dtype=x.dtype)
    loc = (x - mean) @ W @ torch.linalg.inv(M)
    covariance = torch.diag((noise_variance * torch.linalg.inv(M)).diagonal())
    return loc, covariance


@wrong("ppca_posterior", "covariance I - W^T W / sigma^2, a wrong inverse of I + W^T W / sigma^2")
def ppca_posterior(x, W, mean, noise_variance):
    M = W.T @ W + noise_variance * torch.eye(W.shape[1], dtype=x.dtype)
    loc = (x - mean) @ W @ torch.linalg.inv(M)
    covariance = (torch.eye(W.shape[1], dtype=x.dtype) - W.T @ W / noise_variance)
    return loc, covariance


@wrong("ppca_posterior", "covariance divided by the number of examples: the error of the mean")
def ppca_posterior(x, W, mean, noise_variance):
    M = W.T @ W + noise_variance * torch.eye(W.shape[1], dtype=x.dtype)
    loc = (x - mean) @ W @ torch.linalg.inv(M)
    covariance = noise_variance * torch.linalg.inv(M) / len(x)
    return loc, covariance


@wrong("ppca_posterior", "returns the precision M / sigma^2")
def ppca_posterior(x, W, mean, noise_variance):
    M = W.T @ W + noise_variance * torch.eye(W.shape[1], dtype=x.dtype)
    loc = (x - mean) @ W @ torch.linalg.inv(M)
    covariance = M / noise_variance
    return loc, covariance


@wrong("ppca_posterior", "mu added in place of taken off")
def ppca_posterior(x, W, mean, noise_variance):
    M = W.T @ W + noise_variance * torch.eye(W.shape[1], dtype=x.dtype)
    loc = (x + mean) @ W @ torch.linalg.inv(M)
    covariance = noise_variance * torch.linalg.inv(M)
    return loc, covariance


@wrong("ppca_posterior", "the root (Cholesky factor) of the covariance")
def ppca_posterior(x, W, mean, noise_variance):
    M = W.T @ W + noise_variance * torch.eye(W.shape[1], dtype=x.dtype)
    loc = (x - mean) @ W @ torch.linalg.inv(M)
    covariance = torch.linalg.cholesky(noise_variance * torch.linalg.inv(M))
    return loc, covariance


@wrong("ppca_posterior", "two mistakes: mean not taken off, and no sigma^2 in the covariance")
def ppca_posterior(x, W, mean, noise_variance):
    M = W.T @ W + noise_variance * torch.eye(W.shape[1], dtype=x.dtype)
    loc = x @ W @ torch.linalg.inv(M)
    covariance = torch.linalg.inv(M)
    return loc, covariance



# ---- ppca_log_prob ----
@wrong("ppca_log_prob", "logarithm of torch.det: underflows for many pixels")
def ppca_log_prob(x, W, mean, noise_variance):
    D = x.shape[1]
    C = W @ W.T + noise_variance * torch.eye(D, dtype=x.dtype)
    deviation = x - mean
    quadratic = (deviation @ torch.linalg.inv(C) * deviation).sum(dim=1)
    return -0.5 * (D * math.log(2 * math.pi) + torch.log(torch.linalg.det(C)) + quadratic)


@wrong("ppca_log_prob", "logarithm of the determinant plus 1e-12 (wrong for many pixels)")
def ppca_log_prob(x, W, mean, noise_variance):
    D = x.shape[1]
    C = W @ W.T + noise_variance * torch.eye(D, dtype=x.dtype)
    deviation = x - mean
    quadratic = (deviation @ torch.linalg.inv(C) * deviation).sum(dim=1)
    return -0.5 * (D * math.log(2 * math.pi) + torch.log(torch.linalg.det(C) + 1e-12) + quadratic)


@wrong("ppca_log_prob", "forgets the constant D log 2 pi")
def ppca_log_prob(x, W, mean, noise_variance):
    D = x.shape[1]
    C = W @ W.T + noise_variance * torch.eye(D, dtype=x.dtype)
    deviation = x - mean
    quadratic = (deviation @ torch.linalg.inv(C) * deviation).sum(dim=1)
    return -0.5 * (torch.linalg.slogdet(C).logabsdet + quadratic)


@wrong("ppca_log_prob", "log 2 pi once, not D times (right for D = 1)")
def ppca_log_prob(x, W, mean, noise_variance):
    D = x.shape[1]
    C = W @ W.T + noise_variance * torch.eye(D, dtype=x.dtype)
    deviation = x - mean
    quadratic = (deviation @ torch.linalg.inv(C) * deviation).sum(dim=1)
    return -0.5 * (math.log(2 * math.pi) + torch.linalg.slogdet(C).logabsdet + quadratic)


@wrong("ppca_log_prob", "K log 2 pi in place of D (right for K = D)")
def ppca_log_prob(x, W, mean, noise_variance):
    D = x.shape[1]
    C = W @ W.T + noise_variance * torch.eye(D, dtype=x.dtype)
    deviation = x - mean
    quadratic = (deviation @ torch.linalg.inv(C) * deviation).sum(dim=1)
    return -0.5 * (W.shape[1] * math.log(2 * math.pi) + torch.linalg.slogdet(C).logabsdet + quadratic)


@wrong("ppca_log_prob", "forgets the determinant")
def ppca_log_prob(x, W, mean, noise_variance):
    D = x.shape[1]
    C = W @ W.T + noise_variance * torch.eye(D, dtype=x.dtype)
    deviation = x - mean
    quadratic = (deviation @ torch.linalg.inv(C) * deviation).sum(dim=1)
    return -0.5 * (D * math.log(2 * math.pi) + quadratic)


@wrong("ppca_log_prob", "wrong sign of the log-determinant")
def ppca_log_prob(x, W, mean, noise_variance):
    D = x.shape[1]
    C = W @ W.T + noise_variance * torch.eye(D, dtype=x.dtype)
    deviation = x - mean
    quadratic = (deviation @ torch.linalg.inv(C) * deviation).sum(dim=1)
    return -0.5 * (D * math.log(2 * math.pi) - torch.linalg.slogdet(C).logabsdet + quadratic)


@wrong("ppca_log_prob", "forgets the half")
def ppca_log_prob(x, W, mean, noise_variance):
    D = x.shape[1]
    C = W @ W.T + noise_variance * torch.eye(D, dtype=x.dtype)
    deviation = x - mean
    quadratic = (deviation @ torch.linalg.inv(C) * deviation).sum(dim=1)
    return -(D * math.log(2 * math.pi) + torch.linalg.slogdet(C).logabsdet + quadratic)


@wrong("ppca_log_prob", "half applied to the quadratic form only")
def ppca_log_prob(x, W, mean, noise_variance):
    D = x.shape[1]
    C = W @ W.T + noise_variance * torch.eye(D, dtype=x.dtype)
    deviation = x - mean
    quadratic = (deviation @ torch.linalg.inv(C) * deviation).sum(dim=1)
    return -D * math.log(2 * math.pi) - torch.linalg.slogdet(C).logabsdet - 0.5 * quadratic


@wrong("ppca_log_prob", "the sign forgotten: -log p(x)")
def ppca_log_prob(x, W, mean, noise_variance):
    D = x.shape[1]
    C = W @ W.T + noise_variance * torch.eye(D, dtype=x.dtype)
    deviation = x - mean
    quadratic = (deviation @ torch.linalg.inv(C) * deviation).sum(dim=1)
    return 0.5 * (D * math.log(2 * math.pi) + torch.linalg.slogdet(C).logabsdet + quadratic)


@wrong("ppca_log_prob", "multiplies by C in place of its inverse")
def ppca_log_prob(x, W, mean, noise_variance):
    D = x.shape[1]
    C = W @ W.T + noise_variance * torch.eye(D, dtype=x.dtype)
    deviation = x - mean
    quadratic = (deviation @ C * deviation).sum(dim=1)
    return -0.5 * (D * math.log(2 * math.pi) + torch.linalg.slogdet(C).logabsdet + quadratic)


@wrong("ppca_log_prob", "sigma^2 squared in C (right for 1)")
def ppca_log_prob(x, W, mean, noise_variance):
    D = x.shape[1]
    C = W @ W.T + noise_variance**2 * torch.eye(D, dtype=x.dtype)
    deviation = x - mean
    quadratic = (deviation @ torch.linalg.inv(C) * deviation).sum(dim=1)
    return -0.5 * (D * math.log(2 * math.pi) + torch.linalg.slogdet(C).logabsdet + quadratic)


@wrong("ppca_log_prob", "does not take the mean off")
def ppca_log_prob(x, W, mean, noise_variance):
    D = x.shape[1]
    C = W @ W.T + noise_variance * torch.eye(D, dtype=x.dtype)
    deviation = x
    quadratic = (deviation @ torch.linalg.inv(C) * deviation).sum(dim=1)
    return -0.5 * (D * math.log(2 * math.pi) + torch.linalg.slogdet(C).logabsdet + quadratic)


@wrong("ppca_log_prob", "centres by the mean of the given examples")
def ppca_log_prob(x, W, mean, noise_variance):
    D = x.shape[1]
    C = W @ W.T + noise_variance * torch.eye(D, dtype=x.dtype)
    deviation = x - x.mean(dim=0)
    quadratic = (deviation @ torch.linalg.inv(C) * deviation).sum(dim=1)
    return -0.5 * (D * math.log(2 * math.pi) + torch.linalg.slogdet(C).logabsdet + quadratic)


@wrong("ppca_log_prob", "forgets W W^T: independent pixels of variance sigma^2")
def ppca_log_prob(x, W, mean, noise_variance):
    D = x.shape[1]
    C = noise_variance * torch.eye(D, dtype=x.dtype)
    deviation = x - mean
    quadratic = (deviation @ torch.linalg.inv(C) * deviation).sum(dim=1)
    return -0.5 * (D * math.log(2 * math.pi) + torch.linalg.slogdet(C).logabsdet + quadratic)


@wrong("ppca_log_prob", "adds sigma^2 to every entry of C")
def ppca_log_prob(x, W, mean, noise_variance):
    D = x.shape[1]
    C = W @ W.T + noise_variance
    deviation = x - mean
    quadratic = (deviation @ torch.linalg.inv(C) * deviation).sum(dim=1)
    return -0.5 * (D * math.log(2 * math.pi) + torch.linalg.slogdet(C).logabsdet + quadratic)


@wrong("ppca_log_prob", "one value for the batch: all examples' average (right for one)")
def ppca_log_prob(x, W, mean, noise_variance):
    D = x.shape[1]
    C = W @ W.T + noise_variance * torch.eye(D, dtype=x.dtype)
    deviation = x - mean
    quadratic = (deviation @ torch.linalg.inv(C) * deviation).sum(dim=1)
    return -0.5 * (D * math.log(2 * math.pi) + torch.linalg.slogdet(C).logabsdet + quadratic.mean() * torch.ones_like(quadratic))


@wrong("ppca_log_prob", "divides by D: nats per pixel")
def ppca_log_prob(x, W, mean, noise_variance):
    D = x.shape[1]
    C = W @ W.T + noise_variance * torch.eye(D, dtype=x.dtype)
    deviation = x - mean
    quadratic = (deviation @ torch.linalg.inv(C) * deviation).sum(dim=1)
    return -0.5 * (D * math.log(2 * math.pi) + torch.linalg.slogdet(C).logabsdet + quadratic) / D


@wrong("ppca_log_prob", "in bits")
def ppca_log_prob(x, W, mean, noise_variance):
    D = x.shape[1]
    C = W @ W.T + noise_variance * torch.eye(D, dtype=x.dtype)
    deviation = x - mean
    quadratic = (deviation @ torch.linalg.inv(C) * deviation).sum(dim=1)
    return -0.5 * (D * math.log(2 * math.pi) + torch.linalg.slogdet(C).logabsdet + quadratic) / math.log(2)


@wrong("ppca_log_prob", "log 2 without pi: D log 2")
def ppca_log_prob(x, W, mean, noise_variance):
    D = x.shape[1]
    C = W @ W.T + noise_variance * torch.eye(D, dtype=x.dtype)
    deviation = x - mean
    quadratic = (deviation @ torch.linalg.inv(C) * deviation).sum(dim=1)
    return -0.5 * (D * math.log(2) + torch.linalg.slogdet(C).logabsdet + quadratic)


@wrong("ppca_log_prob", "log-determinant from the Cholesky factor's diagonal without the factor 2")
def ppca_log_prob(x, W, mean, noise_variance):
    D = x.shape[1]
    C = W @ W.T + noise_variance * torch.eye(D, dtype=x.dtype)
    deviation = x - mean
    quadratic = (deviation @ torch.linalg.inv(C) * deviation).sum(dim=1)
    return -0.5 * (D * math.log(2 * math.pi) + torch.linalg.cholesky(C).diagonal().log().sum() + quadratic)


@wrong("ppca_log_prob", "log-determinant of the small matrix M = W^T W + sigma^2 I, without (D - K) log sigma^2 (right for sigma = 1)")
def ppca_log_prob(x, W, mean, noise_variance):
    D = x.shape[1]
    C = W @ W.T + noise_variance * torch.eye(D, dtype=x.dtype)
    deviation = x - mean
    quadratic = (deviation @ torch.linalg.inv(C) * deviation).sum(dim=1)
    return -0.5 * (D * math.log(2 * math.pi) + torch.linalg.slogdet(W.T @ W + noise_variance * torch.eye(W.shape[1], dtype=x.dtype)).logabsdet + quadratic)


@wrong("ppca_log_prob", "determinant from the diagonal of C only")
def ppca_log_prob(x, W, mean, noise_variance):
    D = x.shape[1]
    C = W @ W.T + noise_variance * torch.eye(D, dtype=x.dtype)
    deviation = x - mean
    quadratic = (deviation @ torch.linalg.inv(C) * deviation).sum(dim=1)
    return -0.5 * (D * math.log(2 * math.pi) + C.diagonal().log().sum() + quadratic)


@wrong("ppca_log_prob", "quadratic form with the diagonal of C only: a diagonal Gaussian")
def ppca_log_prob(x, W, mean, noise_variance):
    D = x.shape[1]
    C = W @ W.T + noise_variance * torch.eye(D, dtype=x.dtype)
    deviation = x - mean
    quadratic = (deviation**2 / C.diagonal()).sum(dim=1)
    return -0.5 * (D * math.log(2 * math.pi) + torch.linalg.slogdet(C).logabsdet + quadratic)


@wrong("ppca_log_prob", "the root of the quadratic form, Mahalanobis's distance, not squared")
def ppca_log_prob(x, W, mean, noise_variance):
    D = x.shape[1]
    C = W @ W.T + noise_variance * torch.eye(D, dtype=x.dtype)
    deviation = x - mean
    quadratic = (deviation @ torch.linalg.inv(C) * deviation).sum(dim=1).sqrt()
    return -0.5 * (D * math.log(2 * math.pi) + torch.linalg.slogdet(C).logabsdet + quadratic)


@wrong("ppca_log_prob", "log p(x | z) at the posterior's mean in place of log p(x)")
def ppca_log_prob(x, W, mean, noise_variance):
    D, K = W.shape
    M = W.T @ W + noise_variance * torch.eye(K, dtype=x.dtype)
    z = (x - mean) @ W @ torch.linalg.inv(M)
    error = ((x - mean - z @ W.T) ** 2).sum(dim=1)
    return -0.5 * (D * math.log(2 * math.pi) + D * math.log(noise_variance) + error / noise_variance)


@wrong("ppca_log_prob", "two mistakes: no constant, mean not taken off")
def ppca_log_prob(x, W, mean, noise_variance):
    D = x.shape[1]
    C = W @ W.T + noise_variance * torch.eye(D, dtype=x.dtype)
    deviation = x
    quadratic = (deviation @ torch.linalg.inv(C) * deviation).sum(dim=1)
    return -0.5 * (torch.linalg.slogdet(C).logabsdet + quadratic)


@wrong("ppca_log_prob", "two mistakes: no half and no determinant")
def ppca_log_prob(x, W, mean, noise_variance):
    D = x.shape[1]
    C = W @ W.T + noise_variance * torch.eye(D, dtype=x.dtype)
    deviation = x - mean
    quadratic = (deviation @ torch.linalg.inv(C) * deviation).sum(dim=1)
    return -(D * math.log(2 * math.pi) + quadratic)



# ---- ppca_em_step ----
@wrong("ppca_em_step", "does not centre")
def ppca_em_step(x, W, noise_variance):
    N, D = x.shape
    M_inverse = torch.linalg.inv(W.T @ W + noise_variance * torch.eye(W.shape[1], dtype=x.dtype))
    z = x @ W @ M_inverse
    zz = N * noise_variance * M_inverse + z.T @ z
    W_new = x.T @ z @ torch.linalg.inv(zz)
    total = (x**2).sum() - 2 * (z @ W_new.T * x).sum() + (zz @ W_new.T @ W_new).trace()
    return W_new, total / (N * D)


@wrong("ppca_em_step", "adds sigma^2 M^-1 once, not once for each example")
def ppca_em_step(x, W, noise_variance):
    N, D = x.shape
    x = x - x.mean(dim=0)
    M_inverse = torch.linalg.inv(W.T @ W + noise_variance * torch.eye(W.shape[1], dtype=x.dtype))
    z = x @ W @ M_inverse
    zz = noise_variance * M_inverse + z.T @ z
    W_new = x.T @ z @ torch.linalg.inv(zz)
    total = (x**2).sum() - 2 * (z @ W_new.T * x).sum() + (zz @ W_new.T @ W_new).trace()
    return W_new, total / (N * D)


@wrong("ppca_em_step", "forgets the posterior's covariance: alternating least squares")
def ppca_em_step(x, W, noise_variance):
    N, D = x.shape
    x = x - x.mean(dim=0)
    M_inverse = torch.linalg.inv(W.T @ W + noise_variance * torch.eye(W.shape[1], dtype=x.dtype))
    z = x @ W @ M_inverse
    zz = z.T @ z
    W_new = x.T @ z @ torch.linalg.inv(zz)
    total = (x**2).sum() - 2 * (z @ W_new.T * x).sum() + (zz @ W_new.T @ W_new).trace()
    return W_new, total / (N * D)


@wrong("ppca_em_step", "forgets sigma^2 in the posterior's covariance (right for 1)")
def ppca_em_step(x, W, noise_variance):
    N, D = x.shape
    x = x - x.mean(dim=0)
    M_inverse = torch.linalg.inv(W.T @ W + noise_variance * torch.eye(W.shape[1], dtype=x.dtype))
    z = x @ W @ M_inverse
    zz = N * M_inverse + z.T @ z
    W_new = x.T @ z @ torch.linalg.inv(zz)
    total = (x**2).sum() - 2 * (z @ W_new.T * x).sum() + (zz @ W_new.T @ W_new).trace()
    return W_new, total / (N * D)


@wrong("ppca_em_step", "the old W in the noise variance")
def ppca_em_step(x, W, noise_variance):
    N, D = x.shape
    x = x - x.mean(dim=0)
    M_inverse = torch.linalg.inv(W.T @ W + noise_variance * torch.eye(W.shape[1], dtype=x.dtype))
    z = x @ W @ M_inverse
    zz = N * noise_variance * M_inverse + z.T @ z
    W_new = x.T @ z @ torch.linalg.inv(zz)
    total = (x**2).sum() - 2 * (z @ W.T * x).sum() + (zz @ W.T @ W).trace()
    return W_new, total / (N * D)


@wrong("ppca_em_step", "divides the noise variance by N only")
def ppca_em_step(x, W, noise_variance):
    N, D = x.shape
    x = x - x.mean(dim=0)
    M_inverse = torch.linalg.inv(W.T @ W + noise_variance * torch.eye(W.shape[1], dtype=x.dtype))
    z = x @ W @ M_inverse
    zz = N * noise_variance * M_inverse + z.T @ z
    W_new = x.T @ z @ torch.linalg.inv(zz)
    total = (x**2).sum() - 2 * (z @ W_new.T * x).sum() + (zz @ W_new.T @ W_new).trace()
    return W_new, total / N


@wrong("ppca_em_step", "divides the noise variance by N (D - K)")
def ppca_em_step(x, W, noise_variance):
    N, D = x.shape
    x = x - x.mean(dim=0)
    M_inverse = torch.linalg.inv(W.T @ W + noise_variance * torch.eye(W.shape[1], dtype=x.dtype))
    z = x @ W @ M_inverse
    zz = N * noise_variance * M_inverse + z.T @ z
    W_new = x.T @ z @ torch.linalg.inv(zz)
    total = (x**2).sum() - 2 * (z @ W_new.T * x).sum() + (zz @ W_new.T @ W_new).trace()
    return W_new, total / (N * (D - W.shape[1]))


@wrong("ppca_em_step", "divides the noise variance by (N - 1) D")
def ppca_em_step(x, W, noise_variance):
    N, D = x.shape
    x = x - x.mean(dim=0)
    M_inverse = torch.linalg.inv(W.T @ W + noise_variance * torch.eye(W.shape[1], dtype=x.dtype))
    z = x @ W @ M_inverse
    zz = N * noise_variance * M_inverse + z.T @ z
    W_new = x.T @ z @ torch.linalg.inv(zz)
    total = (x**2).sum() - 2 * (z @ W_new.T * x).sum() + (zz @ W_new.T @ W_new).trace()
    return W_new, total / ((N - 1) * D)


@wrong("ppca_em_step", "noise variance from the squared error of the mean codes only, without their uncertainty")
def ppca_em_step(x, W, noise_variance):
    N, D = x.shape
    x = x - x.mean(dim=0)
    M_inverse = torch.linalg.inv(W.T @ W + noise_variance * torch.eye(W.shape[1], dtype=x.dtype))
    z = x @ W @ M_inverse
    zz = N * noise_variance * M_inverse + z.T @ z
    W_new = x.T @ z @ torch.linalg.inv(zz)
    total = ((x - z @ W_new.T) ** 2).sum()
    return W_new, total / (N * D)


@wrong("ppca_em_step", "the cross term once, not twice")
def ppca_em_step(x, W, noise_variance):
    N, D = x.shape
    x = x - x.mean(dim=0)
    M_inverse = torch.linalg.inv(W.T @ W + noise_variance * torch.eye(W.shape[1], dtype=x.dtype))
    z = x @ W @ M_inverse
    zz = N * noise_variance * M_inverse + z.T @ z
    W_new = x.T @ z @ torch.linalg.inv(zz)
    total = (x**2).sum() - (z @ W_new.T * x).sum() + (zz @ W_new.T @ W_new).trace()
    return W_new, total / (N * D)


@wrong("ppca_em_step", "the wrong sign of the cross term")
def ppca_em_step(x, W, noise_variance):
    N, D = x.shape
    x = x - x.mean(dim=0)
    M_inverse = torch.linalg.inv(W.T @ W + noise_variance * torch.eye(W.shape[1], dtype=x.dtype))
    z = x @ W @ M_inverse
    zz = N * noise_variance * M_inverse + z.T @ z
    W_new = x.T @ z @ torch.linalg.inv(zz)
    total = (x**2).sum() + 2 * (z @ W_new.T * x).sum() + (zz @ W_new.T @ W_new).trace()
    return W_new, total / (N * D)


@wrong("ppca_em_step", "the trace term forgotten, clamped to stay positive")
def ppca_em_step(x, W, noise_variance):
    N, D = x.shape
    x = x - x.mean(dim=0)
    M_inverse = torch.linalg.inv(W.T @ W + noise_variance * torch.eye(W.shape[1], dtype=x.dtype))
    z = x @ W @ M_inverse
    zz = N * noise_variance * M_inverse + z.T @ z
    W_new = x.T @ z @ torch.linalg.inv(zz)
    total = ((x**2).sum() - (z @ W_new.T * x).sum() * 2).abs()
    return W_new, total / (N * D)


@wrong("ppca_em_step", "trace of the elementwise product in place of the matrix product")
def ppca_em_step(x, W, noise_variance):
    N, D = x.shape
    x = x - x.mean(dim=0)
    M_inverse = torch.linalg.inv(W.T @ W + noise_variance * torch.eye(W.shape[1], dtype=x.dtype))
    z = x @ W @ M_inverse
    zz = N * noise_variance * M_inverse + z.T @ z
    W_new = x.T @ z @ torch.linalg.inv(zz)
    total = (x**2).sum() - 2 * (z @ W_new.T * x).sum() + (zz * (W_new.T @ W_new)).trace()
    return W_new, total / (N * D)


@wrong("ppca_em_step", "the standard deviation in place of the variance")
def ppca_em_step(x, W, noise_variance):
    N, D = x.shape
    x = x - x.mean(dim=0)
    M_inverse = torch.linalg.inv(W.T @ W + noise_variance * torch.eye(W.shape[1], dtype=x.dtype))
    z = x @ W @ M_inverse
    zz = N * noise_variance * M_inverse + z.T @ z
    W_new = x.T @ z @ torch.linalg.inv(zz)
    total = (x**2).sum() - 2 * (z @ W_new.T * x).sum() + (zz @ W_new.T @ W_new).trace()
    return W_new, (total / (N * D)).sqrt()


@wrong("ppca_em_step", "sigma^2 squared in the E step, as if it were a standard deviation (right for 1)")
def ppca_em_step(x, W, noise_variance):
    N, D = x.shape
    noise_variance = noise_variance**2
    x = x - x.mean(dim=0)
    M_inverse = torch.linalg.inv(W.T @ W + noise_variance * torch.eye(W.shape[1], dtype=x.dtype))
    z = x @ W @ M_inverse
    zz = N * noise_variance * M_inverse + z.T @ z
    W_new = x.T @ z @ torch.linalg.inv(zz)
    total = (x**2).sum() - 2 * (z @ W_new.T * x).sum() + (zz @ W_new.T @ W_new).trace()
    return W_new, total / (N * D)


@wrong("ppca_em_step", "M without the noise")
def ppca_em_step(x, W, noise_variance):
    N, D = x.shape
    x = x - x.mean(dim=0)
    M_inverse = torch.linalg.inv(W.T @ W)
    z = x @ W @ M_inverse
    zz = N * noise_variance * M_inverse + z.T @ z
    W_new = x.T @ z @ torch.linalg.inv(zz)
    total = (x**2).sum() - 2 * (z @ W_new.T * x).sum() + (zz @ W_new.T @ W_new).trace()
    return W_new, total / (N * D)


@wrong("ppca_em_step", "multiplies by zz in place of its inverse, divided by N squared")
def ppca_em_step(x, W, noise_variance):
    N, D = x.shape
    x = x - x.mean(dim=0)
    M_inverse = torch.linalg.inv(W.T @ W + noise_variance * torch.eye(W.shape[1], dtype=x.dtype))
    z = x @ W @ M_inverse
    zz = N * noise_variance * M_inverse + z.T @ z
    W_new = x.T @ z @ zz / N**2
    total = (x**2).sum() - 2 * (z @ W_new.T * x).sum() + (zz @ W_new.T @ W_new).trace()
    return W_new, total / (N * D)


@wrong("ppca_em_step", "sums over examples for one factor and averages for the other: zz / N")
def ppca_em_step(x, W, noise_variance):
    N, D = x.shape
    x = x - x.mean(dim=0)
    M_inverse = torch.linalg.inv(W.T @ W + noise_variance * torch.eye(W.shape[1], dtype=x.dtype))
    z = x @ W @ M_inverse
    zz = N * noise_variance * M_inverse + z.T @ z
    W_new = x.T @ z @ torch.linalg.inv(zz / N)
    total = (x**2).sum() - 2 * (z @ W_new.T * x).sum() + (zz @ W_new.T @ W_new).trace()
    return W_new, total / (N * D)


@wrong("ppca_em_step", "W_new orthonormalised")
def ppca_em_step(x, W, noise_variance):
    N, D = x.shape
    x = x - x.mean(dim=0)
    M_inverse = torch.linalg.inv(W.T @ W + noise_variance * torch.eye(W.shape[1], dtype=x.dtype))
    z = x @ W @ M_inverse
    zz = N * noise_variance * M_inverse + z.T @ z
    W_new = x.T @ z @ torch.linalg.inv(zz)
    W_new = torch.linalg.qr(W_new).Q
    total = (x**2).sum() - 2 * (z @ W_new.T * x).sum() + (zz @ W_new.T @ W_new).trace()
    return W_new, total / (N * D)


@wrong("ppca_em_step", "E[z]E[z]^T of the mean code: outer product of averages, not average of outer products")
def ppca_em_step(x, W, noise_variance):
    N, D = x.shape
    x = x - x.mean(dim=0)
    M_inverse = torch.linalg.inv(W.T @ W + noise_variance * torch.eye(W.shape[1], dtype=x.dtype))
    z = x @ W @ M_inverse
    zz = N * noise_variance * M_inverse + N * torch.outer(z.mean(dim=0), z.mean(dim=0))
    W_new = x.T @ z @ torch.linalg.inv(zz)
    total = (x**2).sum() - 2 * (z @ W_new.T * x).sum() + (zz @ W_new.T @ W_new).trace()
    return W_new, total / (N * D)


@wrong("ppca_em_step", "centres by one number, the mean of all pixels")
def ppca_em_step(x, W, noise_variance):
    N, D = x.shape
    x = x - x.mean()
    M_inverse = torch.linalg.inv(W.T @ W + noise_variance * torch.eye(W.shape[1], dtype=x.dtype))
    z = x @ W @ M_inverse
    zz = N * noise_variance * M_inverse + z.T @ z
    W_new = x.T @ z @ torch.linalg.inv(zz)
    total = (x**2).sum() - 2 * (z @ W_new.T * x).sum() + (zz @ W_new.T @ W_new).trace()
    return W_new, total / (N * D)


@wrong("ppca_em_step", "the covariance of the posterior without the inverse, sigma^2 M")
def ppca_em_step(x, W, noise_variance):
    N, D = x.shape
    x = x - x.mean(dim=0)
    M_inverse = torch.linalg.inv(W.T @ W + noise_variance * torch.eye(W.shape[1], dtype=x.dtype))
    z = x @ W @ M_inverse
    zz = N * noise_variance * torch.linalg.inv(M_inverse) + z.T @ z
    W_new = x.T @ z @ torch.linalg.inv(zz)
    total = (x**2).sum() - 2 * (z @ W_new.T * x).sum() + (zz @ W_new.T @ W_new).trace()
    return W_new, total / (N * D)


@wrong("ppca_em_step", "||x||^2 of the uncentred data in the noise variance")
def ppca_em_step(x, W, noise_variance):
    N, D = x.shape
    raw, x = x, x - x.mean(dim=0)
    M_inverse = torch.linalg.inv(W.T @ W + noise_variance * torch.eye(W.shape[1], dtype=x.dtype))
    z = x @ W @ M_inverse
    zz = N * noise_variance * M_inverse + z.T @ z
    W_new = x.T @ z @ torch.linalg.inv(zz)
    total = (raw**2).sum() - 2 * (z @ W_new.T * x).sum() + (zz @ W_new.T @ W_new).trace()
    return W_new, total / (N * D)


@wrong("ppca_em_step", "keeps the noise variance as it was")
def ppca_em_step(x, W, noise_variance):
    N, D = x.shape
    x = x - x.mean(dim=0)
    M_inverse = torch.linalg.inv(W.T @ W + noise_variance * torch.eye(W.shape[1], dtype=x.dtype))
    z = x @ W @ M_inverse
    zz = N * noise_variance * M_inverse + z.T @ z
    W_new = x.T @ z @ torch.linalg.inv(zz)
    total = (x**2).sum() - 2 * (z @ W_new.T * x).sum() + (zz @ W_new.T @ W_new).trace()
    return W_new, noise_variance


@wrong("ppca_em_step", "returns the old W")
def ppca_em_step(x, W, noise_variance):
    N, D = x.shape
    x = x - x.mean(dim=0)
    M_inverse = torch.linalg.inv(W.T @ W + noise_variance * torch.eye(W.shape[1], dtype=x.dtype))
    z = x @ W @ M_inverse
    zz = N * noise_variance * M_inverse + z.T @ z
    W_new = x.T @ z @ torch.linalg.inv(zz)
    total = (x**2).sum() - 2 * (z @ W_new.T * x).sum() + (zz @ W_new.T @ W_new).trace()
    return W, total / (N * D)


@wrong("ppca_em_step", "two mistakes: no centring, and the posterior's covariance added once")
def ppca_em_step(x, W, noise_variance):
    N, D = x.shape
    M_inverse = torch.linalg.inv(W.T @ W + noise_variance * torch.eye(W.shape[1], dtype=x.dtype))
    z = x @ W @ M_inverse
    zz = noise_variance * M_inverse + z.T @ z
    W_new = x.T @ z @ torch.linalg.inv(zz)
    total = (x**2).sum() - 2 * (z @ W_new.T * x).sum() + (zz @ W_new.T @ W_new).trace()
    return W_new, total / (N * D)


@wrong("ppca_em_step", "two mistakes: old W in the noise variance, divided by N")
def ppca_em_step(x, W, noise_variance):
    N, D = x.shape
    x = x - x.mean(dim=0)
    M_inverse = torch.linalg.inv(W.T @ W + noise_variance * torch.eye(W.shape[1], dtype=x.dtype))
    z = x @ W @ M_inverse
    zz = N * noise_variance * M_inverse + z.T @ z
    W_new = x.T @ z @ torch.linalg.inv(zz)
    total = (x**2).sum() - 2 * (z @ W.T * x).sum() + (zz @ W.T @ W).trace()
    return W_new, total / N



# ---- ppca_fit ----
@wrong("ppca_fit", "leaves the bug in: does not take the noise off the eigenvalues kept")
def ppca_fit(x, num_components):
    mean = x.mean(dim=0)
    S = (x - mean).T @ (x - mean) / len(x)
    eigenvalues, U = torch.linalg.eigh(S)
    kept = eigenvalues.flip(0)[:num_components]
    discarded = eigenvalues.flip(0)[num_components:]
    noise_variance = discarded.mean()
    W = U.flip(1)[:, :num_components] * kept.sqrt()
    return mean, W, noise_variance


@wrong("ppca_fit", "thinks the noise variance should be a sum")
def ppca_fit(x, num_components):
    mean = x.mean(dim=0)
    S = (x - mean).T @ (x - mean) / len(x)
    eigenvalues, U = torch.linalg.eigh(S)
    kept = eigenvalues.flip(0)[:num_components]
    discarded = eigenvalues.flip(0)[num_components:]
    noise_variance = discarded.sum()
    W = U.flip(1)[:, :num_components] * (kept - noise_variance).clamp(min=0).sqrt()
    return mean, W, noise_variance


@wrong("ppca_fit", "changes the mean of the discarded to their sum divided by D, and leaves the bug")
def ppca_fit(x, num_components):
    mean = x.mean(dim=0)
    S = (x - mean).T @ (x - mean) / len(x)
    eigenvalues, U = torch.linalg.eigh(S)
    kept = eigenvalues.flip(0)[:num_components]
    discarded = eigenvalues.flip(0)[num_components:]
    noise_variance = discarded.sum() / len(eigenvalues)
    W = U.flip(1)[:, :num_components] * kept.sqrt()
    return mean, W, noise_variance


@wrong("ppca_fit", "divides the discarded by D in place of D - K")
def ppca_fit(x, num_components):
    mean = x.mean(dim=0)
    S = (x - mean).T @ (x - mean) / len(x)
    eigenvalues, U = torch.linalg.eigh(S)
    kept = eigenvalues.flip(0)[:num_components]
    discarded = eigenvalues.flip(0)[num_components:]
    noise_variance = discarded.sum() / len(eigenvalues)
    W = U.flip(1)[:, :num_components] * (kept - noise_variance).sqrt()
    return mean, W, noise_variance


@wrong("ppca_fit", "covariance by N - 1")
def ppca_fit(x, num_components):
    mean = x.mean(dim=0)
    S = (x - mean).T @ (x - mean) / (len(x) - 1)
    eigenvalues, U = torch.linalg.eigh(S)
    kept = eigenvalues.flip(0)[:num_components]
    discarded = eigenvalues.flip(0)[num_components:]
    noise_variance = discarded.mean()
    W = U.flip(1)[:, :num_components] * (kept - noise_variance).sqrt()
    return mean, W, noise_variance


@wrong("ppca_fit", "covariance by N - 1, and the bug left")
def ppca_fit(x, num_components):
    mean = x.mean(dim=0)
    S = (x - mean).T @ (x - mean) / (len(x) - 1)
    eigenvalues, U = torch.linalg.eigh(S)
    kept = eigenvalues.flip(0)[:num_components]
    discarded = eigenvalues.flip(0)[num_components:]
    noise_variance = discarded.mean()
    W = U.flip(1)[:, :num_components] * kept.sqrt()
    return mean, W, noise_variance


@wrong("ppca_fit", "forgets the root: W = U (lambda - sigma^2)")
def ppca_fit(x, num_components):
    mean = x.mean(dim=0)
    S = (x - mean).T @ (x - mean) / len(x)
    eigenvalues, U = torch.linalg.eigh(S)
    kept = eigenvalues.flip(0)[:num_components]
    discarded = eigenvalues.flip(0)[num_components:]
    noise_variance = discarded.mean()
    W = U.flip(1)[:, :num_components] * (kept - noise_variance)
    return mean, W, noise_variance


@wrong("ppca_fit", "adds the noise variance in place of taking it off")
def ppca_fit(x, num_components):
    mean = x.mean(dim=0)
    S = (x - mean).T @ (x - mean) / len(x)
    eigenvalues, U = torch.linalg.eigh(S)
    kept = eigenvalues.flip(0)[:num_components]
    discarded = eigenvalues.flip(0)[num_components:]
    noise_variance = discarded.mean()
    W = U.flip(1)[:, :num_components] * (kept + noise_variance).sqrt()
    return mean, W, noise_variance


@wrong("ppca_fit", "takes off the standard deviation: sqrt(lambda) - sigma")
def ppca_fit(x, num_components):
    mean = x.mean(dim=0)
    S = (x - mean).T @ (x - mean) / len(x)
    eigenvalues, U = torch.linalg.eigh(S)
    kept = eigenvalues.flip(0)[:num_components]
    discarded = eigenvalues.flip(0)[num_components:]
    noise_variance = discarded.mean()
    W = U.flip(1)[:, :num_components] * (kept.sqrt() - noise_variance.sqrt())
    return mean, W, noise_variance


@wrong("ppca_fit", "takes the noise off after the root")
def ppca_fit(x, num_components):
    mean = x.mean(dim=0)
    S = (x - mean).T @ (x - mean) / len(x)
    eigenvalues, U = torch.linalg.eigh(S)
    kept = eigenvalues.flip(0)[:num_components]
    discarded = eigenvalues.flip(0)[num_components:]
    noise_variance = discarded.mean()
    W = U.flip(1)[:, :num_components] * (kept.sqrt() - noise_variance)
    return mean, W, noise_variance


@wrong("ppca_fit", "the smallest eigenvectors: forgets to turn U round")
def ppca_fit(x, num_components):
    mean = x.mean(dim=0)
    S = (x - mean).T @ (x - mean) / len(x)
    eigenvalues, U = torch.linalg.eigh(S)
    kept = eigenvalues.flip(0)[:num_components]
    discarded = eigenvalues.flip(0)[num_components:]
    noise_variance = discarded.mean()
    W = U[:, :num_components] * (kept - noise_variance).sqrt()
    return mean, W, noise_variance


@wrong("ppca_fit", "turns U round along the rows, not the columns")
def ppca_fit(x, num_components):
    mean = x.mean(dim=0)
    S = (x - mean).T @ (x - mean) / len(x)
    eigenvalues, U = torch.linalg.eigh(S)
    kept = eigenvalues.flip(0)[:num_components]
    discarded = eigenvalues.flip(0)[num_components:]
    noise_variance = discarded.mean()
    W = U.flip(0)[:, :num_components] * (kept - noise_variance).sqrt()
    return mean, W, noise_variance


@wrong("ppca_fit", "takes eigenvectors to be rows of U")
def ppca_fit(x, num_components):
    mean = x.mean(dim=0)
    S = (x - mean).T @ (x - mean) / len(x)
    eigenvalues, U = torch.linalg.eigh(S)
    kept = eigenvalues.flip(0)[:num_components]
    discarded = eigenvalues.flip(0)[num_components:]
    noise_variance = discarded.mean()
    W = U.T.flip(1)[:, :num_components] * (kept - noise_variance).sqrt()
    return mean, W, noise_variance


@wrong("ppca_fit", "returns the noise's standard deviation")
def ppca_fit(x, num_components):
    mean = x.mean(dim=0)
    S = (x - mean).T @ (x - mean) / len(x)
    eigenvalues, U = torch.linalg.eigh(S)
    kept = eigenvalues.flip(0)[:num_components]
    discarded = eigenvalues.flip(0)[num_components:]
    noise_variance = discarded.mean()
    W = U.flip(1)[:, :num_components] * (kept - noise_variance).sqrt()
    return mean, W, noise_variance.sqrt()


@wrong("ppca_fit", "does not centre the covariance")
def ppca_fit(x, num_components):
    mean = x.mean(dim=0)
    S = x.T @ x / len(x)
    eigenvalues, U = torch.linalg.eigh(S)
    kept = eigenvalues.flip(0)[:num_components]
    discarded = eigenvalues.flip(0)[num_components:]
    noise_variance = discarded.mean()
    W = U.flip(1)[:, :num_components] * (kept - noise_variance).sqrt()
    return mean, W, noise_variance


@wrong("ppca_fit", "the noise variance is the mean of all eigenvalues, the kept ones too")
def ppca_fit(x, num_components):
    mean = x.mean(dim=0)
    S = (x - mean).T @ (x - mean) / len(x)
    eigenvalues, U = torch.linalg.eigh(S)
    kept = eigenvalues.flip(0)[:num_components]
    discarded = eigenvalues.flip(0)[num_components:]
    noise_variance = eigenvalues.mean()
    W = U.flip(1)[:, :num_components] * (kept - noise_variance).clamp(min=0).sqrt()
    return mean, W, noise_variance


@wrong("ppca_fit", "the noise variance is the largest of the discarded")
def ppca_fit(x, num_components):
    mean = x.mean(dim=0)
    S = (x - mean).T @ (x - mean) / len(x)
    eigenvalues, U = torch.linalg.eigh(S)
    kept = eigenvalues.flip(0)[:num_components]
    discarded = eigenvalues.flip(0)[num_components:]
    noise_variance = discarded[0]
    W = U.flip(1)[:, :num_components] * (kept - noise_variance).sqrt()
    return mean, W, noise_variance


@wrong("ppca_fit", "the noise variance is the smallest eigenvalue")
def ppca_fit(x, num_components):
    mean = x.mean(dim=0)
    S = (x - mean).T @ (x - mean) / len(x)
    eigenvalues, U = torch.linalg.eigh(S)
    kept = eigenvalues.flip(0)[:num_components]
    discarded = eigenvalues.flip(0)[num_components:]
    noise_variance = discarded[-1]
    W = U.flip(1)[:, :num_components] * (kept - noise_variance).sqrt()
    return mean, W, noise_variance


@wrong("ppca_fit", "the noise variance is the median of the discarded")
def ppca_fit(x, num_components):
    mean = x.mean(dim=0)
    S = (x - mean).T @ (x - mean) / len(x)
    eigenvalues, U = torch.linalg.eigh(S)
    kept = eigenvalues.flip(0)[:num_components]
    discarded = eigenvalues.flip(0)[num_components:]
    noise_variance = discarded.median()
    W = U.flip(1)[:, :num_components] * (kept - noise_variance).sqrt()
    return mean, W, noise_variance


@wrong("ppca_fit", "off by one: the discarded start after K + 1")
def ppca_fit(x, num_components):
    mean = x.mean(dim=0)
    S = (x - mean).T @ (x - mean) / len(x)
    eigenvalues, U = torch.linalg.eigh(S)
    kept = eigenvalues.flip(0)[:num_components]
    discarded = eigenvalues.flip(0)[num_components + 1 :]
    noise_variance = discarded.mean()
    W = U.flip(1)[:, :num_components] * (kept - noise_variance).sqrt()
    return mean, W, noise_variance


@wrong("ppca_fit", "off by one: the discarded start at K - 1, one eigenvalue counts twice")
def ppca_fit(x, num_components):
    mean = x.mean(dim=0)
    S = (x - mean).T @ (x - mean) / len(x)
    eigenvalues, U = torch.linalg.eigh(S)
    kept = eigenvalues.flip(0)[:num_components]
    discarded = eigenvalues.flip(0)[num_components - 1 :]
    noise_variance = discarded.mean()
    W = U.flip(1)[:, :num_components] * (kept - noise_variance).clamp(min=0).sqrt()
    return mean, W, noise_variance


@wrong("ppca_fit", "orthonormal W: the eigenvectors without any scale")
def ppca_fit(x, num_components):
    mean = x.mean(dim=0)
    S = (x - mean).T @ (x - mean) / len(x)
    eigenvalues, U = torch.linalg.eigh(S)
    kept = eigenvalues.flip(0)[:num_components]
    discarded = eigenvalues.flip(0)[num_components:]
    noise_variance = discarded.mean()
    W = U.flip(1)[:, :num_components]
    return mean, W, noise_variance


@wrong("ppca_fit", "mean of all pixels as one number in each place")
def ppca_fit(x, num_components):
    mean = x.mean() * torch.ones_like(x[0])
    S = (x - mean).T @ (x - mean) / len(x)
    eigenvalues, U = torch.linalg.eigh(S)
    kept = eigenvalues.flip(0)[:num_components]
    discarded = eigenvalues.flip(0)[num_components:]
    noise_variance = discarded.mean()
    W = U.flip(1)[:, :num_components] * (kept - noise_variance).sqrt()
    return mean, W, noise_variance


@wrong("ppca_fit", "scales in the wrong order: the largest eigenvalue goes to the smallest of the kept vectors (right for K = 1)")
def ppca_fit(x, num_components):
    mean = x.mean(dim=0)
    S = (x - mean).T @ (x - mean) / len(x)
    eigenvalues, U = torch.linalg.eigh(S)
    kept = eigenvalues.flip(0)[:num_components]
    discarded = eigenvalues.flip(0)[num_components:]
    noise_variance = discarded.mean()
    W = U.flip(1)[:, :num_components] * (kept - noise_variance).sqrt().flip(0)
    return mean, W, noise_variance


@wrong("ppca_fit", "takes the noise off twice")
def ppca_fit(x, num_components):
    mean = x.mean(dim=0)
    S = (x - mean).T @ (x - mean) / len(x)
    eigenvalues, U = torch.linalg.eigh(S)
    kept = eigenvalues.flip(0)[:num_components]
    discarded = eigenvalues.flip(0)[num_components:]
    noise_variance = discarded.mean()
    W = U.flip(1)[:, :num_components] * (kept - 2 * noise_variance).clamp(min=0).sqrt()
    return mean, W, noise_variance


@wrong("ppca_fit", "rescales W so that the total variance is right, leaving kept.sqrt() too large relative to the noise")
def ppca_fit(x, num_components):
    mean = x.mean(dim=0)
    S = (x - mean).T @ (x - mean) / len(x)
    eigenvalues, U = torch.linalg.eigh(S)
    kept = eigenvalues.flip(0)[:num_components]
    discarded = eigenvalues.flip(0)[num_components:]
    noise_variance = discarded.mean()
    W = U.flip(1)[:, :num_components] * kept.sqrt()
    W = W * ((eigenvalues.sum() - len(eigenvalues) * noise_variance) / kept.sum()).sqrt()
    return mean, W, noise_variance


@wrong("ppca_fit", "two mistakes: bug left, and vectors not turned round")
def ppca_fit(x, num_components):
    mean = x.mean(dim=0)
    S = (x - mean).T @ (x - mean) / len(x)
    eigenvalues, U = torch.linalg.eigh(S)
    kept = eigenvalues.flip(0)[:num_components]
    discarded = eigenvalues.flip(0)[num_components:]
    noise_variance = discarded.mean()
    W = U[:, :num_components] * kept.sqrt()
    return mean, W, noise_variance


@wrong("ppca_fit", "two mistakes: N - 1, and the discarded divided by D")
def ppca_fit(x, num_components):
    mean = x.mean(dim=0)
    S = (x - mean).T @ (x - mean) / (len(x) - 1)
    eigenvalues, U = torch.linalg.eigh(S)
    kept = eigenvalues.flip(0)[:num_components]
    discarded = eigenvalues.flip(0)[num_components:]
    noise_variance = discarded.sum() / len(eigenvalues)
    W = U.flip(1)[:, :num_components] * (kept - noise_variance).sqrt()
    return mean, W, noise_variance


EXERCISES = {exercise for exercise, _, _ in WRONG}
assert len(EXERCISES) == 6
assert all(sum(exercise == name for exercise, _, _ in WRONG) >= 12 for name in EXERCISES)
assert len(WRONG) >= 12 * 6
