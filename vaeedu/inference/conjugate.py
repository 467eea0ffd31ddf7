"""A normal with unknown mean and precision: the model whose posterior is known, against which methods are measured."""

import math
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor
from torch.distributions import Gamma, Normal, kl_divergence

from vaeedu import require, sampling
from vaeedu.inference.mcmc import Conditional


@dataclass(frozen=True)
class NormalGamma:
    r"""The normal-gamma distribution over a mean m and a precision λ (one over a variance).

    $$p(\lambda) = \operatorname{Gamma}(\lambda \mid a, b), \qquad
      p(m \mid \lambda) = \mathcal N\big(m \mid m_0, (\kappa \lambda)^{-1}\big).$$

    It is conjugate to $x_n \sim \mathcal N(m, \lambda^{-1})$: prior and posterior are of this form, with

    $$\kappa' = \kappa + N, \quad m_0' = \frac{\kappa m_0 + N \bar x}{\kappa'}, \quad a' = a + \tfrac N2, \quad
      b' = b + \tfrac12 \sum_n (x_n - \bar x)^2 + \frac{\kappa N (\bar x - m_0)^2}{2 \kappa'}.$$

    Args:
        loc: m₀.
        pseudo_count: κ > 0, how many observations the belief about the mean is worth.
        shape: a > 0.
        rate: b > 0. E[λ] = a / b.

    Raises:
        ValueError: `loc` is not finite, or one of the others not positive.

    Reference:
        Bernardo and Smith (1994), Bayesian Theory, section 3.2; Murphy (2007), Conjugate Bayesian analysis of the
        Gaussian distribution, section 3.

    >>> NormalGamma(0.0, 1.0, 2.0, 2.0).posterior(torch.tensor([1.0, 3.0]))
    NormalGamma(loc=1.3333333333333333, pseudo_count=3.0, shape=3.0, rate=4.333333333333333)
    """

    loc: float
    pseudo_count: float
    shape: float
    rate: float

    def __post_init__(self) -> None:
        require.finite_float("loc", self.loc)
        for name in ("pseudo_count", "shape", "rate"):
            require.positive_float(name, getattr(self, name))

    def posterior(self, x: object) -> "NormalGamma":
        """Returns p(m, λ | x), for data x `(N,)`.

        Raises:
            ValueError: `x` is not a finite vector.
        """
        data = require.vector("x", x).double()
        N, mean = len(data), float(data.mean())
        count = self.pseudo_count + N
        between = self.pseudo_count * N * (mean - self.loc) ** 2 / (2 * count)
        return NormalGamma(
            loc=(self.pseudo_count * self.loc + N * mean) / count,
            pseudo_count=count,
            shape=self.shape + N / 2,
            rate=self.rate + 0.5 * float((data - mean).square().sum()) + between,
        )

    def log_prob(self, z: Float[Tensor, "*batch 2"]) -> Float[Tensor, "*batch"]:
        """Computes log p(m, λ) in nats at z = (m, λ); −inf where λ ≤ 0.

        Args:
            z: Means and precisions, `(..., 2)`.
        """
        mean, precision = z.unbind(dim=-1)
        inside = precision > 0
        lam = torch.where(inside, precision, 1.0)
        scale = (self.pseudo_count * lam).rsqrt()
        log_p = Normal(self.loc, scale).log_prob(mean) + self._gamma(z).log_prob(lam)
        return torch.where(inside, log_p, -torch.inf)

    def log_joint(self, x: object, z: Float[Tensor, "*batch 2"]) -> Float[Tensor, "*batch"]:
        """Computes log p(x, m, λ) = Σ_n log p(x_n|m, λ) + log p(m, λ) in nats, this distribution being the prior.

        Args:
            x: Data, `(N,)`.
            z: Means and precisions, `(..., 2)`.

        Raises:
            ValueError: `x` is not a finite vector.
        """
        data = require.vector("x", x).to(z)
        inside = z[..., 1] > 0
        scale = torch.where(inside, z[..., 1], 1.0).rsqrt()
        likelihood = Normal(z[..., :1], scale[..., None]).log_prob(data).sum(dim=-1)
        return likelihood + self.log_prob(z)

    def log_evidence(self, x: object) -> float:
        r"""Computes log p(x) in nats: the integral over m and λ, in closed form.

        $$\log p(x) = \log\Gamma(a') - \log\Gamma(a) + a \log b - a' \log b' + \tfrac12 \log\frac{\kappa}{\kappa'}
          - \tfrac N2 \log 2\pi.$$

        Args:
            x: Data, `(N,)`.

        Raises:
            ValueError: `x` is not a finite vector.

        >>> round(NormalGamma(0.0, 1.0, 2.0, 2.0).log_evidence(torch.tensor([1.0, 3.0])), 4)
        -4.7068
        """
        after, N = self.posterior(x), len(require.vector("x", x))
        gammas = math.lgamma(after.shape) - math.lgamma(self.shape)
        rates = self.shape * math.log(self.rate) - after.shape * math.log(after.rate)
        counts = 0.5 * math.log(self.pseudo_count / after.pseudo_count)
        return gammas + rates + counts - 0.5 * N * math.log(2 * math.pi)

    def sample(self, num_samples: int, *, generator: torch.Generator | None = None) -> Float[Tensor, "S 2"]:
        """Draws independent (m, λ), `(num_samples, 2)`, in float64.

        Raises:
            ValueError: `num_samples` is not a positive whole number.
        """
        S = require.positive_int("num_samples", num_samples)
        start = torch.zeros(S, dtype=torch.float64)
        lam = sampling.gamma(start + self.shape, start + self.rate, generator=generator)
        mean = sampling.reparameterize(
            start + self.loc, (self.pseudo_count * lam).rsqrt(), generator=generator
        )
        return torch.stack([mean, lam], dim=1)

    def conditionals(self) -> tuple[Conditional, Conditional]:
        r"""Makes p(m|λ) and p(λ|m) for `gibbs`, with the state z = (m, λ).

        $$m \mid \lambda \sim \mathcal N\big(m_0, (\kappa\lambda)^{-1}\big), \qquad
          \lambda \mid m \sim \operatorname{Gamma}\big(a + \tfrac12, \; b + \tfrac\kappa2 (m - m_0)^2\big).$$
        """

        def draw_mean(z: Tensor, generator: torch.Generator | None) -> Tensor:
            scale = (self.pseudo_count * z[:, 1]).rsqrt()
            return sampling.reparameterize(torch.full_like(scale, self.loc), scale, generator=generator)

        def draw_precision(z: Tensor, generator: torch.Generator | None) -> Tensor:
            rate = self.rate + 0.5 * self.pseudo_count * (z[:, 0] - self.loc).square()
            return sampling.gamma(torch.full_like(rate, self.shape + 0.5), rate, generator=generator)

        return draw_mean, draw_precision

    def kl_from(self, mean: Normal, precision: Gamma) -> Float[Tensor, ""]:
        r"""Computes KL(q ‖ p) in nats, from a factorised q(m) q(λ) to this distribution p.

        $$\mathbb E_{q(\lambda)}\, \mathrm{KL}\big(q(m) \,\|\, \mathcal N(m_0, (\kappa\lambda)^{-1})\big)
          + \mathrm{KL}\big(q(\lambda) \,\|\, p(\lambda)\big),$$

        the first with E[λ] and E[log λ] in the place of λ and log λ.

        Args:
            mean: q(m).
            precision: q(λ).
        """
        a, b = precision.concentration, precision.rate
        mean_log = torch.digamma(a) - b.log()
        spread = self.pseudo_count * precision.mean * (mean.variance + (mean.mean - self.loc).square())
        normals = 0.5 * (spread - 1 - mean.variance.log() - math.log(self.pseudo_count) - mean_log)
        return normals + kl_divergence(precision, self._gamma(a))

    def _gamma(self, like: Tensor) -> Gamma:
        return Gamma(like.new_tensor(self.shape), like.new_tensor(self.rate))
