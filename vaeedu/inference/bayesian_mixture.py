"""A mixture of Gaussians with unknown means, for mean-field variational inference."""

import math
from typing import NamedTuple

import torch
from torch import Tensor

from vaeedu import require


class MixtureFactors(NamedTuple):
    """q(μ, c) = Π_k N(μ_k | loc_k, scale_k² I) Π_n Categorical(c_n | responsibilities_n)."""

    loc: Tensor
    scale: Tensor
    responsibilities: Tensor


class BayesianMixture:
    r"""A mixture of round Gaussians whose means are unknown, for `coordinate_ascent`.

    $$\mu_k \sim \mathcal N(0, \tau^2 I), \qquad c_n \sim \text{uniform on } 1 \dots K, \qquad
      x_n \sim \mathcal N(\mu_{c_n}, \sigma^2 I).$$

    $$r_{nk} \propto \exp\Big(\frac{x_n^\top m_k}{\sigma^2} - \frac{D s_k^2 + \lVert m_k \rVert^2}{2 \sigma^2}\Big),
      \qquad s_k^2 = \Big(\frac1{\tau^2} + \frac1{\sigma^2} \sum_n r_{nk}\Big)^{-1}, \qquad
      m_k = \frac{s_k^2}{\sigma^2} \sum_n r_{nk} x_n.$$

    Args:
        x: Data, `(N, D)`.
        prior_scale: τ, a standard deviation.
        noise_scale: σ, a standard deviation.

    Raises:
        ValueError: `x` is not a finite matrix, or a scale is not positive.

    Reference:
        Blei, Kucukelbir and McAuliffe (2017), section 3.1 (there D = 1 and σ = 1).
    """

    def __init__(self, x: object, *, prior_scale: float, noise_scale: float) -> None:
        self.x = require.matrix("x", x)
        self.prior_scale = require.positive_float("prior_scale", prior_scale)
        self.noise_scale = require.positive_float("noise_scale", noise_scale)

    def start(self, locs: object) -> MixtureFactors:
        """Returns a q to begin with: the given means `(K, D)`, with the prior's scale, and data shared equally.

        Raises:
            ValueError: `locs` is not a finite matrix with D columns.
        """
        m = require.matrix("locs", locs, num_columns=self.x.shape[1]).to(self.x)
        shared = self.x.new_full((len(self.x), len(m)), 1 / len(m))
        return MixtureFactors(m, self.x.new_full((len(m),), self.prior_scale), shared)

    def update(self, q: MixtureFactors) -> MixtureFactors:
        """Renews the responsibilities, then the means."""
        noise = self.noise_scale**2
        lengths = self.x.shape[1] * q.scale.square() + q.loc.square().sum(dim=1)
        r = ((self.x @ q.loc.T - 0.5 * lengths) / noise).softmax(dim=1)
        variance = 1 / (1 / self.prior_scale**2 + r.sum(dim=0) / noise)
        return MixtureFactors(variance[:, None] / noise * (r.T @ self.x), variance.sqrt(), r)

    def elbo(self, q: MixtureFactors) -> Tensor:
        """Computes E_q[log p(μ) + log p(c) + log p(x|c, μ)] plus the entropies of q(μ) and q(c), in nats."""
        K, D = q.loc.shape
        r, log_2pi = q.responsibilities, math.log(2 * math.pi)
        lengths = D * q.scale.square() + q.loc.square().sum(dim=1)  # E‖μ_k‖²
        tau, sigma = self.prior_scale, self.noise_scale
        log_p_means = -0.5 * (K * D * (log_2pi + 2 * math.log(tau)) + lengths.sum() / tau**2)
        squares = self.x.square().sum(dim=1)[:, None] - 2 * self.x @ q.loc.T + lengths  # E‖x_n − μ_k‖²
        log_p_x = -0.5 * (r * (D * (log_2pi + 2 * math.log(sigma)) + squares / sigma**2)).sum()
        log_p_c = -len(self.x) * math.log(K)
        entropy_means = 0.5 * K * D * (1 + log_2pi) + D * q.scale.log().sum()
        return log_p_means + log_p_c + log_p_x + entropy_means - torch.special.xlogy(r, r).sum()
