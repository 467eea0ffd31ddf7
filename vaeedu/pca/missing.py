"""Probabilistic PCA when entries of x are missing (NaN): every row has its own posterior precision.

Row n observes the features O_n. All that the complete case asks of W and x - μ is then asked of their observed
rows: M_n = W_Oᵀ W_O + σ²I, and so on. μ can no longer be the column mean: it is fitted with W, as the loading of a
latent that is always 1.
"""

import math

import torch
from jaxtyping import Float
from torch import Tensor

_ROWS_AT_ONCE = 1024  # each needs K × K numbers


def posterior(
    centred: Float[Tensor, "N D"], W: Float[Tensor, "D K"], noise_variance: Float[Tensor, ""]
) -> tuple[Float[Tensor, "N K"], Float[Tensor, "N K K"]]:
    """Returns the posterior means and the matrices M_n, from x − μ with NaN for missing entries."""
    observed = ~centred.isnan()
    D, K = W.shape
    outer = (W[:, :, None] * W[:, None, :]).reshape(D, K * K)
    M = (observed.to(W) @ outer).reshape(-1, K, K) + noise_variance * torch.eye(K).to(W)
    z = torch.linalg.solve(M, centred.nan_to_num(nan=0.0) @ W)
    return z, M


def log_prob(
    centred: Float[Tensor, "N D"], W: Float[Tensor, "D K"], noise_variance: Float[Tensor, ""]
) -> Float[Tensor, " N"]:
    """Returns the log-density of each row's observed entries, in nats; 0 for a row without any."""
    return torch.cat(
        [
            _log_prob(rows, W, noise_variance, *posterior(rows, W, noise_variance))
            for rows in centred.split(_ROWS_AT_ONCE)
        ]
    )


def _log_prob(centred: Tensor, W: Tensor, noise_variance: Tensor, z: Tensor, M: Tensor) -> Tensor:
    residual = (centred - z @ W.T).nan_to_num(nan=0.0)
    num_observed = (~centred.isnan()).to(W).sum(dim=1)
    mahalanobis = residual.square().sum(dim=1) / noise_variance + z.square().sum(dim=1)
    log_determinant = (num_observed - W.shape[1]) * noise_variance.log() + torch.logdet(M)
    return -0.5 * (num_observed * math.log(2 * math.pi) + log_determinant + mahalanobis)


class Problem:
    """Expectation maximisation for μ, W and σ² on incomplete data.

    With z̃ = (z, 1) and W̃ = (W, μ), feature d is a regression on z̃ over the rows that observe it:

        w̃_d = [Σ_n ⟨z̃ z̃ᵀ⟩]⁻¹ Σ_n ⟨z̃⟩ x_nd,    σ² = mean over observed entries of ⟨(x_nd − w̃_dᵀ z̃_n)²⟩.

    Reference: Ilin and Raiko (2010), Practical approaches to principal component analysis in the presence of
    missing values, section 4.
    """

    def __init__(self, x: Tensor) -> None:
        observed = ~x.isnan()
        empty = (~observed.any(dim=0)).nonzero().flatten()
        if len(empty) > 0:
            raise ValueError(
                f"every column of x must have an observed entry, but column {int(empty[0])} is all NaN: drop it"
            )
        # Columns are centred once, so that the sums below do not cancel when means are large.
        exact = x.cpu().double()  # in this order: not every device has float64
        self._shift = exact.nanmean(dim=0)
        self._x = exact - self._shift
        self._num_observed = int(observed.sum())
        self._offset = torch.zeros_like(self._shift)
        self.variance = self._x.nan_to_num(nan=0.0).square().sum() / self._num_observed

    @property
    def mean(self) -> Tensor:
        """μ after the last step."""
        return self._shift + self._offset

    def step(self, W: Tensor, noise_variance: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Makes one EM step; returns the mean log-likelihood before it, and the new W and σ²."""
        D, K = W.shape
        log_likelihood = torch.zeros((), dtype=W.dtype)
        zz_sums = torch.zeros(D, (K + 1) ** 2, dtype=W.dtype)
        zx_sums = torch.zeros(D, K + 1, dtype=W.dtype)
        for rows in self._x.split(_ROWS_AT_ONCE):
            z, M = posterior(rows - self._offset, W, noise_variance)
            log_likelihood += _log_prob(rows - self._offset, W, noise_variance, z, M).sum()
            z_one = torch.cat([z, torch.ones(len(z), 1, dtype=z.dtype)], dim=1)
            zz = z_one[:, :, None] * z_one[:, None, :]
            zz[:, :K, :K] += noise_variance * torch.linalg.inv(M)
            zz_sums += (~rows.isnan()).to(W).T @ zz.reshape(len(rows), -1)
            zx_sums += rows.nan_to_num(nan=0.0).T @ z_one
        W_and_mean = torch.linalg.solve(zz_sums.reshape(D, K + 1, K + 1), zx_sums)
        self._offset = W_and_mean[:, K]
        # At the regression's solution, Σ⟨(x − w̃ᵀz̃)²⟩ = Σx² − Σ w̃ᵀ Σ⟨z̃⟩x.
        error = self.variance * self._num_observed - torch.sum(W_and_mean * zx_sums)
        return log_likelihood / len(self._x), W_and_mean[:, :K], error / self._num_observed
