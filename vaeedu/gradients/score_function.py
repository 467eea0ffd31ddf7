"""The score function estimator, also called REINFORCE or likelihood ratio, with two ways to lower its variance."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.distributions import Distribution

from vaeedu import require, sampling
from vaeedu.gradients.jacobian import Values, build, evaluate, per_sample_vjp

BASELINES = ("none", "leave_one_out")


@dataclass(frozen=True)
class ControlVariate:
    """A function h that goes up and down with f, and whose expectation under q is known.

    Attributes:
        function: h, with shapes as f: `(S, *batch_shape, *event_shape)` to `(S, *batch_shape)`.
        expectation: Takes the params, returns E_q[h(z)], `(*batch_shape)` or one number; differentiable.
        coefficient: β; None to estimate it.
    """

    function: Values
    expectation: Callable[..., Tensor]
    coefficient: float | None = None


def score_function_gradients(
    f: Values,
    make_distribution: Callable[..., Distribution],
    params: object,
    num_samples: int,
    *,
    baseline: str = "none",
    control_variate: ControlVariate | None = None,
    generator: torch.Generator | None = None,
) -> tuple[Tensor, ...]:
    r"""Estimates ∇ E_q[f(z)] from values of f alone.

    $$\nabla_\phi \mathbb E_{q_\phi}[f(z)]
      = \mathbb E_{q_\phi}\big[(f(z) - b - \beta h(z))\, \nabla_\phi \log q_\phi(z)\big]
      + \beta\, \nabla_\phi \mathbb E_{q_\phi}[h(z)].$$

    The expected score is 0, so b may be any number *that does not depend on the same z*. The estimate stays unbiased:

    - `"leave_one_out"` takes for each draw the mean of the *other* draws' values.
    - A control variate's β, where it is not given, is estimated twice: for the first half of the draws from the
      second, and the other way round. A β fitted to the draws that it is used on would be correlated with their
      score: a bias.

    Args:
        f: Takes `(S, *batch_shape, *event_shape)`, returns `(S, *batch_shape)`; needs no derivative.
        make_distribution: Takes the params, returns a distribution that `vaeedu.sampling.draw` knows.
        params: A tuple of floating-point tensors.
        num_samples: S; at least 2 with `"leave_one_out"`, at least 4 where β is estimated.
        baseline: `"none"` or `"leave_one_out"`.
        control_variate: h, or None for none.
        generator: The source of randomness; None is torch's global one.

    Returns:
        One tensor a parameter, `(S, *param.shape)`: per-sample gradients, in units of f over units of the parameter.

    Raises:
        ValueError: `params` is no tuple of finite floating-point tensors, `num_samples` is too small, f or h returns
            another shape or a value that is not finite, or there is no such baseline.

    Reference:
        Williams (1992), Simple statistical gradient-following algorithms; Mohamed et al. (2020), sections 4 and 7.4.
        Leave-one-out: Kool, van Hoof and Welling (2019), Buy 4 REINFORCE samples, get a baseline for free.

    >>> from torch.distributions import Normal
    >>> mu, g = torch.tensor(3.0), torch.Generator().manual_seed(0)
    >>> (gradients,) = score_function_gradients(
    ...     lambda z: z > 3, lambda mu: Normal(mu, 1.0), (mu,), 10_000, baseline="leave_one_out", generator=g)
    >>> gradients.shape  # of P(z > 3), whose derivative is the density at 3, 0.399
    torch.Size([10000])
    >>> print(f"{gradients.mean():.2f}")
    0.40
    """
    require.choice("baseline", baseline, BASELINES)
    q, params = build(make_distribution, params)
    S = _enough_samples(num_samples, baseline, control_variate)
    z = sampling.draw(q, (S,), generator=generator).detach()
    with torch.no_grad():
        values = evaluate(f, z, q).to(params[0].dtype)
    correction: tuple[Tensor, ...] | None = None
    folds = [slice(None)]
    if control_variate is not None:
        if control_variate.coefficient is None:
            folds = [slice(0, S // 2), slice(S // 2, S)]
        values, correction = _with_control_variate(values, control_variate, q, z, params, folds)
    if baseline == "leave_one_out":
        values = torch.cat([_minus_mean_of_the_others(values[fold]) for fold in folds])
    _, pull_back = per_sample_vjp(lambda params, z: make_distribution(*params).log_prob(z), params, S, z)
    gradients = pull_back(values)
    return (
        gradients if correction is None else tuple(g + c for g, c in zip(gradients, correction, strict=True))
    )


def _enough_samples(num_samples: int, baseline: str, control_variate: ControlVariate | None) -> int:
    S = require.positive_int("num_samples", num_samples)
    if baseline == "leave_one_out" and S < 2:
        raise ValueError(
            f"num_samples must be at least 2 with baseline='leave_one_out', but is {S}: there is no other"
        )
    if control_variate is not None and control_variate.coefficient is None and S < 4:
        raise ValueError(
            f"num_samples must be at least 4 to estimate a control variate's coefficient, but is {S}: give one"
        )
    return S


def _minus_mean_of_the_others(values: Tensor) -> Tensor:
    S = len(values)
    return (values - values.mean(dim=0)) * (S / (S - 1))  # f_s − mean of the other S − 1


def _with_control_variate(
    values: Tensor,
    variate: ControlVariate,
    q: Distribution,
    z: Tensor,
    params: tuple[Tensor, ...],
    folds: list[slice],
) -> tuple[Tensor, tuple[Tensor, ...]]:
    """Returns f − β h, `(S, *batch_shape)`, and β ∇E[h] for each parameter, `(S, *param.shape)`."""
    with torch.no_grad():
        h = evaluate(variate.function, z, q, name="control_variate.function").to(values)
    if variate.coefficient is None:
        # Each half gets the coefficient of the other.
        beta = torch.cat([
            _regression_slope(values[other], h[other]).expand_as(values[own])
            for own, other in zip(folds, reversed(folds), strict=True)
        ])  # fmt: skip
    else:
        beta = torch.full_like(values, variate.coefficient)

    def expectation(params: tuple[Tensor, ...]) -> Tensor:
        return variate.expectation(*params).expand(q.batch_shape)

    _, pull_back = per_sample_vjp(lambda params, _: expectation(params), params, len(z), z)
    return values - beta * h, pull_back(beta)


def _regression_slope(f: Tensor, h: Tensor) -> Tensor:
    """Returns Cov(f, h) / Var(h) over the draws, which leaves f − βh the least variance; 0 where h is constant."""
    centred = h - h.mean(dim=0)
    variance = centred.square().mean(dim=0)
    covariance = (centred * (f - f.mean(dim=0))).mean(dim=0)
    return torch.where(variance > 0, covariance / variance.where(variance > 0, 1.0), 0.0)
