"""The measure-valued estimator: a derivative of a density is a difference of two densities."""

import math
from collections.abc import Callable

import torch
from torch import Tensor
from torch.distributions import Bernoulli, Distribution, Normal

from vaeedu import require, sampling
from vaeedu.gradients.jacobian import Values, base, build, evaluate, per_sample_vjp

Pair = tuple[Tensor, Tensor]


def measure_valued_gradients(
    f: Values,
    make_distribution: Callable[..., Distribution],
    params: object,
    num_samples: int,
    *,
    coupling: bool = True,
    generator: torch.Generator | None = None,
) -> tuple[Tensor, ...]:
    r"""Estimates ∇ E_q[f(z)] from differences of f, with one entry of z drawn in two ways.

    $$\frac{\partial}{\partial \omega_d} \mathbb E_q[f(z)]
      = c_d \big(\mathbb E[f(z_{-d}, z_d^+)] - \mathbb E[f(z_{-d}, z_d^-)]\big)$$

    The derivative of the density of $z_d$ is $c_d$ times the density of $z_d^+$ minus that of $z_d^-$:

    | ω | c | z⁺ | z⁻ |
    |---|---|---|---|
    | μ of a Normal | 1/(σ√(2π)) | μ + σW | μ − σW, W ~ Weibull(√2, 2) |
    | σ of a Normal | 1/σ | μ + σM, M ~ double-sided Maxwell | μ + σε, ε ~ N(0, 1) |
    | p of a Bernoulli | 1 | 1 | 0 |

    f is evaluated 2 D times a sample for each of μ, σ or p, where D is the number of entries of one event, in one
    call on `2 * D * S` draws. Other parameterisations, such as log σ or logits, follow by the chain rule.

    Args:
        f: Takes `(N, *batch_shape, *event_shape)`, returns `(N, *batch_shape)`; needs no derivative.
        make_distribution: Takes the params, returns a Normal or Bernoulli, or an `Independent` of one.
        params: A tuple of floating-point tensors.
        num_samples: S.
        coupling: Whether z⁺ and z⁻ share their noise: the same W; and an ε that is one of the three normal
            coordinates whose length is |M|. For σ, much then cancels in the difference. For μ, what f has in common at
            μ + σW and μ − σW cancels, but what is opposite adds up: near a minimum of f the variance falls, where f is
            nearly linear it doubles. Bernoulli has nothing to couple.
        generator: The source of randomness; None is torch's global one.

    Returns:
        One tensor a parameter, `(S, *param.shape)`: per-sample gradients, in units of f over units of the parameter.

    Raises:
        ValueError: `params` is no tuple of finite floating-point tensors, `num_samples` is below 1, the
            distribution is of another family, or f returns another shape or a value that is not finite.

    Reference:
        Pflug (1989), Sampling derivatives of probabilities; Mohamed et al. (2020), section 6 and table 1.

    >>> from torch.distributions import Normal
    >>> mu, sigma = torch.tensor(3.0), torch.tensor(0.5)
    >>> g = torch.Generator().manual_seed(0)
    >>> by_mu, _ = measure_valued_gradients(lambda z: z.square(), Normal, (mu, sigma), 10_000, generator=g)
    >>> print(f"{by_mu.mean():.1f}")  # the derivative of μ² + σ²
    6.0
    """
    q, params = build(make_distribution, params)
    S = require.positive_int("num_samples", num_samples)
    family = base(q)
    if not isinstance(family, Normal | Bernoulli):
        raise ValueError(
            "make_distribution must return a Normal or Bernoulli, or an Independent of one, but returned "
            f"{type(family).__name__}: its derivative has no decomposition here, use score_function_gradients"
        )
    z = sampling.draw(q, (S,), generator=generator).detach()
    if isinstance(family, Bernoulli):
        pairs, constants = [(torch.ones_like(z), torch.zeros_like(z))], [torch.ones_like(z)]
    else:
        pairs, constants = _normal_pairs(family, z, coupling, generator)
    with torch.no_grad():
        slopes = tuple(c * _differences(f, z, pair, q) for pair, c in zip(pairs, constants, strict=True))

    def natural(params: tuple[Tensor, ...], _: Tensor) -> tuple[Tensor, ...]:
        made = base(make_distribution(*params))
        return (made.probs,) if isinstance(made, Bernoulli) else (made.loc, made.scale)

    _, pull_back = per_sample_vjp(natural, params, S, z)
    return pull_back(slopes)


def _normal_pairs(
    q: Normal, z: Tensor, coupling: bool, generator: torch.Generator | None
) -> tuple[list[Pair], list[Tensor]]:
    """Draws (z⁺, z⁻) for μ and for σ, each `(S, *shape)`, and returns them with their constants."""

    def normal(*shape: int) -> Tensor:
        return sampling.normal((*shape, *z.shape), like=z, generator=generator)

    # A Weibull(√2, 2) variable is the length of a normal vector in the plane, |M| that of one in space.
    weibull, other_weibull = normal(2).norm(dim=0), normal(2).norm(dim=0)
    in_space = normal(3)
    maxwell = torch.copysign(in_space.norm(dim=0), in_space[0])
    if coupling:
        other_weibull, eps = weibull, in_space[0]
    else:
        eps = normal()
    mean_pair = (q.loc + q.scale * weibull, q.loc - q.scale * other_weibull)
    scale_pair = (q.loc + q.scale * maxwell, q.loc + q.scale * eps)
    one_over_scale = (1 / q.scale).expand_as(z)
    return [mean_pair, scale_pair], [one_over_scale / math.sqrt(2 * math.pi), one_over_scale]


def _differences(f: Values, z: Tensor, pair: Pair, q: Distribution) -> Tensor:
    """Returns f(z with entry d from z⁺) − f(z with entry d from z⁻) for every entry d, the shape of z."""
    S, D = len(z), math.prod(q.event_shape)
    flat = (S, *q.batch_shape, D)
    # Distributions of the batch have values of their own, so all of them may change at once; entries of an event
    # may not.
    this_entry = torch.eye(D, dtype=torch.bool, device=z.device).reshape(D, *[1] * (len(flat) - 1), D)
    changed = torch.stack([torch.where(this_entry, side.reshape(flat), z.reshape(flat)) for side in pair])
    values = evaluate(f, changed.reshape(2 * D * S, *z.shape[1:]), q)
    plus, minus = values.reshape(2, D, S, *q.batch_shape).to(z.dtype)
    return (plus - minus).movedim(0, -1).reshape(z.shape)
