"""A mixture of correlated normal distributions in the plane: where the pen may go next."""

import math
from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor

from vaeedu import require, sampling


class MixtureNormal2d(NamedTuple):
    r"""A mixture of M bivariate normal distributions.

    $$p(x) = \sum_m \pi_m\, \mathcal N\!\left(x;\ \mu_m, \begin{pmatrix} \sigma_{m1}^2 & \rho_m \sigma_{m1}
      \sigma_{m2} \\ \rho_m \sigma_{m1} \sigma_{m2} & \sigma_{m2}^2 \end{pmatrix}\right).$$

    Fields, as a network gives them: `logits` `(..., M)`, whose softmax is π; `loc` μ `(..., M, 2)`; `scale` σ, standard
    deviations, `(..., M, 2)`; `correlation` ρ in (−1, 1), `(..., M)`. All are taken as they are: NaN stays NaN, for
    training to notice.

    Reference:
        Graves (2013), Generating sequences with recurrent neural networks, equations 23 to 25.

    >>> flat = MixtureNormal2d(torch.zeros(1), torch.zeros(1, 2), torch.ones(1, 2), torch.zeros(1))
    >>> round(flat.log_prob(torch.zeros(2)).item(), 4)  # −log 2π
    -1.8379
    """

    logits: Float[Tensor, "*batch M"]
    loc: Float[Tensor, "*batch M 2"]
    scale: Float[Tensor, "*batch M 2"]
    correlation: Float[Tensor, "*batch M"]

    def log_prob(self, x: object) -> Float[Tensor, "*batch"]:
        r"""Computes log p(x) in nats, by log-sum-exp over components.

        With $u_i = (x_i - \mu_i) / \sigma_i$,

        $$\log \mathcal N = -\frac{u_1^2 + u_2^2 - 2 \rho u_1 u_2}{2 (1 - \rho^2)} - \log(2 \pi \sigma_1 \sigma_2)
          - \tfrac12 \log(1 - \rho^2).$$

        Args:
            x: Points, `(..., 2)`, whose leading dimensions broadcast against the mixture's.

        Returns:
            Nats, `(...)`. A density may be above 1, and its logarithm positive.

        Raises:
            ValueError: `x` does not end in two coordinates.
        """
        if not isinstance(x, Tensor) or x.shape[-1:] != (2,):
            raise ValueError(f"x must be a tensor of shape (..., 2), but is {getattr(x, 'shape', x)}")
        u1, u2 = ((x[..., None, :] - self.loc) / self.scale).unbind(dim=-1)
        rho = self.correlation
        left = (1 - rho) * (1 + rho)  # 1 − ρ² without the cancellation
        # u₁² + u₂² − 2ρu₁u₂ as a sum of squares, which no rounding makes negative
        distance = u1.square() + (u2 - rho * u1).square() / left
        log_normal = -distance / 2 - math.log(2 * math.pi) - self.scale.log().sum(dim=-1) - left.log() / 2
        return (self.logits.log_softmax(dim=-1) + log_normal).logsumexp(dim=-1)

    def mean(self) -> Float[Tensor, "*batch 2"]:
        """Computes the mean, `(..., 2)`."""
        return (self.logits.softmax(dim=-1)[..., None] * self.loc).sum(dim=-2)

    def sample(
        self, *, temperature: float = 1.0, generator: torch.Generator | None = None
    ) -> Float[Tensor, "*batch 2"]:
        r"""Draws a point, `(..., 2)`, from the mixture made colder (T < 1) or hotter.

        $$\pi_m \propto \exp(\text{logit}_m / T), \qquad \sigma^2 \to T \sigma^2.$$

        A variance is scaled by T, and so a standard deviation by √T. At T = 1 this is a draw from p.

        Args:
            temperature: T > 0.
            generator: The source of randomness; None is torch's global one.

        Raises:
            ValueError: `temperature` is not positive.

        Reference:
            Ha and Eck (2018), A neural representation of sketch drawings, equation 8.
        """
        T = require.positive_float("temperature", temperature)
        m = sampling.categorical((self.logits / T).softmax(dim=-1), generator=generator)[..., None]
        rho = self.correlation.gather(-1, m)[..., 0]
        loc, scale = (
            t.gather(-2, m[..., None].expand(*m.shape, 2))[..., 0, :] for t in (self.loc, self.scale)
        )
        e1, e2 = sampling.normal(loc.shape, like=loc, generator=generator).unbind(dim=-1)
        noise = torch.stack([e1, rho * e1 + ((1 - rho) * (1 + rho)).sqrt() * e2], dim=-1)
        return loc + math.sqrt(T) * scale * noise
