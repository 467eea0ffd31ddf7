"""The pathwise estimator, also called the reparameterisation trick."""

from collections.abc import Callable

import torch
from torch import Tensor
from torch.distributions import Distribution, MultivariateNormal, Normal, Uniform

from vaeedu import require, sampling
from vaeedu.gradients.jacobian import Values, base, build, per_sample_vjp, slope


def pathwise_gradients(
    f: Values,
    make_distribution: Callable[..., Distribution],
    params: object,
    num_samples: int,
    *,
    generator: torch.Generator | None = None,
) -> tuple[Tensor, ...]:
    r"""Estimates ∇ E_q[f(z)] by moving the draws with the parameters.

    $$\nabla_\phi \mathbb E_{q_\phi}[f(z)]
      = \mathbb E_{p(\varepsilon)}\big[\nabla_z f(z)\, \nabla_\phi g_\phi(\varepsilon)\big],
      \qquad z = g_\phi(\varepsilon), \quad \text{for a normal } q: \; g = \mu + \sigma \odot \varepsilon.$$

    Args:
        f: Takes `(S, *batch_shape, *event_shape)`, returns `(S, *batch_shape)`; differentiable, and without jumps.
        make_distribution: Takes the params, returns a Normal, MultivariateNormal or Uniform, or an `Independent` of
            one.
        params: A tuple of floating-point tensors.
        num_samples: S.
        generator: The source of randomness; None is torch's global one.

    Returns:
        One tensor a parameter, `(S, *param.shape)`: per-sample gradients, in units of f over units of the parameter.

    Raises:
        ValueError: `params` is no tuple of finite floating-point tensors, `num_samples` is below 1, the
            distribution's draws are not differentiable, or f returns another shape, a value that is not finite or
            one without gradient.

    Reference:
        Kingma and Welling (2014), section 2.4; Rezende, Mohamed and Wierstra (2014); Mohamed et al. (2020), section
        5.

    >>> from torch.distributions import Normal
    >>> mu, sigma = torch.tensor(3.0), torch.tensor(0.5)
    >>> by_mu, by_sigma = pathwise_gradients(lambda z: 2 * z, Normal, (mu, sigma), 5)
    >>> by_mu  # the derivative of E[2z] = 2μ, without any variance
    tensor([2., 2., 2., 2., 2.])
    """
    q, params = build(make_distribution, params)
    S = require.positive_int("num_samples", num_samples)
    if not isinstance(base(q), Normal | MultivariateNormal | Uniform):
        raise ValueError(
            "make_distribution must return a Normal, MultivariateNormal or Uniform, or an Independent of one, for "
            f"draws to have derivatives, but returned {type(base(q)).__name__}: use score_function_gradients"
        )

    def one_draw(params: tuple[Tensor, ...], _: Tensor) -> Tensor:
        return sampling.draw(make_distribution(*params), generator=generator)

    z, pull_back = per_sample_vjp(one_draw, params, S, params[0].new_empty(S))
    return pull_back(slope(f, z, q))
