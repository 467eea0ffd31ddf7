"""Mean-field variational inference by coordinate ascent: one loop, and models that know their own updates."""

import math
import warnings
from typing import NamedTuple, Protocol, TypeVar, runtime_checkable

import torch
from jaxtyping import Float
from torch import Tensor
from torch.distributions import Gamma, Normal

from vaeedu import require
from vaeedu.inference.conjugate import NormalGamma

Q = TypeVar("Q")


@runtime_checkable
class MeanFieldModel(Protocol[Q]):
    """A model together with a factorised family q(z) = Π_j q_j(z_j)."""

    def update(self, q: Q) -> Q:
        """Renews each factor in turn: q_j ∝ exp E_{q of the others}[log p(x, z)]."""
        ...

    def elbo(self, q: Q) -> Tensor:
        """Computes E_q[log p(x, z) − log q(z)] in nats."""
        ...


def coordinate_ascent(
    model: MeanFieldModel[Q], start: Q, *, max_iterations: int = 1000, tolerance: float = 1e-8
) -> tuple[Q, Float[Tensor, " iterations"]]:
    r"""Maximises the ELBO over one factor at a time, until it no longer rises.

    With the others fixed, the best factor is known up to its normalisation,

    $$q_j^*(z_j) \propto \exp \mathbb E_{q_{\setminus j}}[\log p(x, z)],$$

    so that no step size is needed and the ELBO never falls. It ends at a local maximum.

    Args:
        model: A `GaussianTarget`, `NormalGammaModel`, `BayesianMixture`, or anything with their two methods.
        start: The first q; where there are several maxima it decides which is found.
        max_iterations: When to stop at the latest (with a warning).
        tolerance: Stop when a sweep over all factors raises the ELBO by less than this, in nats.

    Returns:
        The last q, and the ELBO of the start and after each sweep, in nats.

    Raises:
        ValueError: A setting is not positive.

    Reference:
        Bishop (2006), section 10.1.1; Blei, Kucukelbir and McAuliffe (2017), Variational inference: a review for
        statisticians, algorithm 1.

    >>> target = GaussianTarget(torch.zeros(2), torch.tensor([[1.0, 0.6], [0.6, 1.0]]))
    >>> q, history = coordinate_ascent(target, Normal(torch.ones(2), torch.ones(2)))
    >>> q.variance  # 1 / Λ_ii = 1 − 0.6², less than the true 1
    tensor([0.6400, 0.6400])
    """
    require.positive_int("max_iterations", max_iterations)
    require.positive_float("tolerance", tolerance)
    q, history = start, [model.elbo(start)]
    for _ in range(max_iterations):
        q = model.update(q)
        history.append(model.elbo(q))
        if float(history[-1] - history[-2]) < tolerance:
            break
    else:
        warnings.warn(
            f"coordinate ascent did not settle within {max_iterations} sweeps: raise max_iterations or tolerance",
            RuntimeWarning,
            stacklevel=2,
        )
    return q, torch.stack(history)


class GaussianTarget:
    r"""A Gaussian N(μ, Σ), approximated by independent Gaussians.

    $$q_i = \mathcal N\Big(
      \mu_i - \Lambda_{ii}^{-1} \sum_{j \ne i} \Lambda_{ij} (m_j - \mu_j),\; \Lambda_{ii}^{-1}\Big), \qquad
      \Lambda = \Sigma^{-1}.$$

    The means end at μ. The variances 1/Λ_ii are those of each coordinate *given* the others: never more than the
    marginal variances Σ_ii, and far less where coordinates are correlated.

    Args:
        loc: μ, `(K,)`.
        covariance: Σ, `(K, K)`.

    Raises:
        ValueError: `loc` is no finite vector, or `covariance` no covariance of its size.

    Reference:
        Bishop (2006), section 10.1.2.
    """

    def __init__(self, loc: object, covariance: object) -> None:
        self.loc = require.vector("loc", loc)
        _, self._factor = require.covariance("covariance", covariance, size=len(self.loc))
        self.precision = torch.cholesky_inverse(self._factor)

    def update(self, q: Normal) -> Normal:
        """Renews each coordinate's mean with the latest means of the others; the variance is 1/Λ_ii."""
        m, diagonal = q.loc.clone(), self.precision.diagonal()
        for i in range(len(m)):
            pull = self.precision[i] @ (m - self.loc) - diagonal[i] * (m[i] - self.loc[i])
            m[i] = self.loc[i] - pull / diagonal[i]
        return Normal(m, diagonal.rsqrt())

    def elbo(self, q: Normal) -> Tensor:
        """Computes E_q[log N(z | μ, Σ) − log q(z)] = −KL(q ‖ N(μ, Σ)), in nats."""
        d = q.loc - self.loc
        quadratic = d @ self.precision @ d + (self.precision.diagonal() * q.variance).sum()
        log_det = 2 * self._factor.diagonal().log().sum()
        log_p = -0.5 * (len(d) * math.log(2 * math.pi) + log_det + quadratic)
        return log_p + q.entropy().sum()


class NormalGammaFactors(NamedTuple):
    """q(m) q(λ): independent beliefs about a mean and a precision."""

    mean: Normal
    precision: Gamma


class NormalGammaModel:
    r"""Data from a normal with unknown mean m and precision λ, both with a `NormalGamma` prior.

    $$q(m) = \mathcal N\Big(\frac{\kappa m_0 + N \bar x}{\kappa + N},\; \frac{1}{(\kappa + N) \mathbb E[\lambda]}\Big),
      \qquad
      q(\lambda) = \operatorname{Gamma}\Big(a + \frac{N + 1}{2},\;
        b + \tfrac12 \mathbb E_m\big[\kappa (m - m_0)^2 + \textstyle\sum_n (x_n - m)^2\big]\Big).$$

    Args:
        x: Data, `(N,)`.
        prior: p(m, λ).

    Raises:
        ValueError: `x` is not a finite vector.

    Reference:
        Bishop (2006), section 10.1.3.
    """

    def __init__(self, x: object, prior: NormalGamma) -> None:
        self.x, self.prior = require.vector("x", x), prior

    def start(self) -> NormalGammaFactors:
        """Returns a q to begin with: m and λ as in the prior, as if independent."""
        p, one = self.prior, self.x.new_ones(())
        scale = (p.rate / (p.pseudo_count * p.shape)) ** 0.5
        return NormalGammaFactors(Normal(p.loc * one, scale * one), Gamma(p.shape * one, p.rate * one))

    def update(self, q: NormalGammaFactors) -> NormalGammaFactors:
        """Renews q(m) with E[λ], then q(λ) with the moments of the new q(m)."""
        p, N = self.prior, len(self.x)
        loc = (p.pseudo_count * p.loc + self.x.sum()) / (p.pseudo_count + N)
        mean = Normal(loc, ((p.pseudo_count + N) * q.precision.mean).rsqrt())
        rate = p.rate + 0.5 * (p.pseudo_count * self._square(mean, p.loc) + self._squares(mean))
        return NormalGammaFactors(mean, Gamma(self.x.new_tensor(p.shape + (N + 1) / 2), rate))

    def elbo(self, q: NormalGammaFactors) -> Tensor:
        """Computes E_q[log p(x|m, λ) + log p(m|λ) + log p(λ)] plus the entropies of q(m) and q(λ), in nats."""
        p, N, a, b = self.prior, len(self.x), q.precision.concentration, q.precision.rate
        lam, log_lam = a / b, torch.digamma(a) - b.log()
        log_2pi = math.log(2 * math.pi)
        likelihood = 0.5 * (N * (log_lam - log_2pi) - lam * self._squares(q.mean))
        log_p_mean = 0.5 * (math.log(p.pseudo_count) + log_lam - log_2pi)
        log_p_mean = log_p_mean - 0.5 * p.pseudo_count * lam * self._square(q.mean, p.loc)
        constant = p.shape * math.log(p.rate) - math.lgamma(p.shape)
        log_p_precision = constant + (p.shape - 1) * log_lam - p.rate * lam
        return likelihood + log_p_mean + log_p_precision + q.mean.entropy() + q.precision.entropy()

    def _square(self, mean: Normal, point: float) -> Tensor:
        return mean.variance + (mean.mean - point).square()

    def _squares(self, mean: Normal) -> Tensor:
        """Computes E_m Σ_n (x_n − m)²."""
        return len(self.x) * mean.variance + (self.x - mean.mean).square().sum()
