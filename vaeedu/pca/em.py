"""Expectation maximisation for probabilistic PCA, one readable step at a time."""

import math

import torch
from jaxtyping import Float
from torch import Tensor

from vaeedu.pca.moments import mean_and_covariance


def em_step(
    x: Float[Tensor, "N D"], W: Float[Tensor, "D K"], noise_variance: Float[Tensor, ""]
) -> tuple[Float[Tensor, "D K"], Float[Tensor, ""]]:
    r"""Makes one step of expectation maximisation for probabilistic PCA, on the data.

    $$\begin{aligned}
      \text{E:}\quad & \langle z_n \rangle = M^{-1} W^\top x_n, \qquad
        \textstyle\sum_n \langle z_n z_n^\top \rangle
          = N \sigma^2 M^{-1} + \sum_n \langle z_n \rangle \langle z_n \rangle^\top \\
      \text{M:}\quad & W' = \Big[\sum_n x_n \langle z_n \rangle^\top\Big]
          \Big[\sum_n \langle z_n z_n^\top \rangle\Big]^{-1}, \qquad
        \sigma'^2 = \frac{1}{N D} \sum_n \Big\{ \lVert x_n \rVert^2 - 2 \langle z_n \rangle^\top W'^\top x_n
          + \operatorname{tr}\big(\langle z_n z_n^\top \rangle W'^\top W'\big) \Big\}
    \end{aligned}$$

    Args:
        x: Centred data, `(N, D)`.
        W: Current loadings, `(D, K)`.
        noise_variance: Current σ².

    Returns:
        The new W and σ². The likelihood never falls.

    Reference:
        Tipping and Bishop (1999), eqs. 25-28.
    """
    N, D = x.shape
    M_inverse = torch.linalg.inv(posterior_precision(W, noise_variance))
    z = x @ W @ M_inverse  # E: posterior means
    zz = N * noise_variance * M_inverse + z.T @ z
    W_new = torch.linalg.solve(zz, z.T @ x).T  # M
    cross = torch.sum(z * (x @ W_new))
    return W_new, (x.square().sum() - 2 * cross + torch.sum(zz * (W_new.T @ W_new))) / (N * D)


def em_step_covariance(
    S: Float[Tensor, "D D"], W: Float[Tensor, "D K"], noise_variance: Float[Tensor, ""]
) -> tuple[Float[Tensor, "D K"], Float[Tensor, ""]]:
    r"""Makes the same step as `em_step` from the covariance alone: O(D² K) whatever N.

    $$W' = S W (\sigma^2 I + M^{-1} W^\top S W)^{-1}, \qquad
      \sigma'^2 = \tfrac1D \operatorname{tr}(S - S W M^{-1} W'^\top).$$

    Args:
        S: Covariance of the data, divided by N, `(D, D)`.
        W: Current loadings, `(D, K)`.
        noise_variance: Current σ².

    Returns:
        The new W and σ².

    Reference:
        Tipping and Bishop (1999), eqs. 29 and 30.
    """
    M = posterior_precision(W, noise_variance)
    SW = S @ W
    SW_M_inverse = torch.linalg.solve(M, SW.T).T  # M is symmetric
    inner = noise_variance * torch.eye(len(M)).to(M) + W.T @ SW_M_inverse
    W_new = torch.linalg.solve(inner, SW.T).T
    return W_new, (S.trace() - torch.sum(SW_M_inverse * W_new)) / len(S)


class CompleteProblem:
    """EM without missing entries: on the covariance, or on the data where those are fewer numbers."""

    def __init__(self, x: Tensor) -> None:
        N, D = x.shape
        self._covariance: Tensor | None = None
        if N >= D:
            self.mean, self._covariance = mean_and_covariance(x)
            self.variance = self._covariance.trace() / D
        else:
            exact = x.cpu().double()  # in this order: not every device has float64
            self.mean = exact.mean(dim=0)
            self._x = exact - self.mean
            self.variance = self._x.square().mean()

    def step(self, W: Tensor, noise_variance: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Makes one EM step; returns the mean log-likelihood before it, and the new W and σ²."""
        if self._covariance is None:
            scores = self._x @ W
            log_likelihood = self._log_likelihood(W, noise_variance, scores.T @ scores / len(scores))
            return log_likelihood, *em_step(self._x, W, noise_variance)
        log_likelihood = self._log_likelihood(W, noise_variance, W.T @ self._covariance @ W)
        return log_likelihood, *em_step_covariance(self._covariance, W, noise_variance)

    def _log_likelihood(self, W: Tensor, noise_variance: Tensor, W_S_W: Tensor) -> Tensor:
        """Averages log p(x) = −½ (log-normalizer + [‖x‖² − xᵀ W M⁻¹ Wᵀ x] / σ²) over the data."""
        M_cholesky = torch.linalg.cholesky(posterior_precision(W, noise_variance))
        explained = torch.cholesky_solve(W_S_W, M_cholesky).trace()
        mahalanobis = (self.variance * len(W) - explained) / noise_variance
        return -0.5 * (log_normalizer(W, noise_variance, M_cholesky) + mahalanobis)


def posterior_precision(W: Float[Tensor, "D K"], noise_variance: Float[Tensor, ""]) -> Float[Tensor, "K K"]:
    """Returns M = WᵀW + σ²I, which is σ² times the posterior precision."""
    return W.T @ W + noise_variance * torch.eye(W.shape[1]).to(W)


def log_normalizer(
    W: Float[Tensor, "D K"], noise_variance: Float[Tensor, ""], M_cholesky: Float[Tensor, "K K"]
) -> Float[Tensor, ""]:
    """Returns D log 2π + log |W Wᵀ + σ²I|, the determinant by way of |M| (K × K)."""
    D, K = W.shape
    log_det_M = 2 * M_cholesky.diagonal().log().sum()
    return D * math.log(2 * math.pi) + (D - K) * noise_variance.log() + log_det_M
