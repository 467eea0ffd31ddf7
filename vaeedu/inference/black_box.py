"""Variational inference for any model whose joint density can be evaluated and differentiated."""

from collections.abc import Callable
from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor
from torch.distributions import Independent, Normal

from vaeedu import require, sampling
from vaeedu.inference import inputs

SCHEDULES = ("robbins_monro", "adam")


class BlackBoxFit(NamedTuple):
    """A fitted q(z) = N(loc, diag(scale²)).

    Attributes:
        loc: Means, `(K,)`.
        scale: Standard deviations, `(K,)`.
        elbo_per_step: The noisy estimate of the ELBO that each step was taken with, `(steps,)`, in nats.
    """

    loc: Float[Tensor, " K"]
    scale: Float[Tensor, " K"]
    elbo_per_step: Float[Tensor, " steps"]


def elbo_samples(
    log_joint: Callable[[Tensor], Tensor],
    loc: Float[Tensor, " K"],
    scale: Float[Tensor, " K"],
    num_samples: int,
    *,
    generator: torch.Generator | None = None,
) -> Float[Tensor, " S"]:
    r"""Draws single-sample estimates of the ELBO of q(z) = N(loc, diag(scale²)); their mean is unbiased.

    $$\log p(x, z_s) - \log q(z_s), \qquad z_s = \text{loc} + \text{scale} \odot \varepsilon_s.$$

    They can be differentiated in `loc` and `scale`, and are all equal to log p(x) where q is the exact posterior.

    Args:
        log_joint: Takes `(S, K)`, returns log p(x, z) `(S,)` in nats; differentiable.
        loc: Means.
        scale: Standard deviations.
        num_samples: S.
        generator: The source of randomness; None is torch's global one.

    Returns:
        One estimate a sample, `(S,)`, in nats.

    Raises:
        ValueError: `log_joint` does not return one number a sample, or `num_samples` is no positive whole number.

    Reference:
        Kingma and Welling (2014), Auto-Encoding Variational Bayes, eq. 6.

    >>> log_joint = lambda z: Normal(0.0, 1.0).log_prob(z).sum(dim=-1) - 3.0  # so p(z|x) = N(0, I), log p(x) = −3
    >>> elbo_samples(log_joint, torch.zeros(2), torch.ones(2), 4).round(decimals=4)
    tensor([-3., -3., -3., -3.])
    """
    S = require.positive_int("num_samples", num_samples)
    z = sampling.reparameterize(loc, scale, (S,), generator=generator)
    log_q = Independent(Normal(loc, scale), 1).log_prob(z)
    return inputs.log_density("log_joint", log_joint, z) - log_q


def black_box_vi(
    log_joint: Callable[[Tensor], Tensor],
    loc: object,
    scale: object,
    num_steps: int,
    *,
    num_samples: int = 10,
    schedule: str = "robbins_monro",
    step_size: float = 0.1,
    decay: float = 0.75,
    generator: torch.Generator | None = None,
) -> BlackBoxFit:
    r"""Fits q(z) = N(loc, diag(scale²)) to p(z|x) by stochastic gradient ascent on the ELBO.

    $$\phi_{t+1} = \phi_t + \rho_t \hat\nabla_\phi \mathcal L(\phi_t), \qquad \phi = (\text{loc}, \log \text{scale}).$$

    With `"robbins_monro"` the step sizes are ρ_t = step_size · t^(−decay). For decay in (½, 1] they satisfy Σ ρ_t = ∞
    and Σ ρ_t² < ∞: far enough to reach the optimum, and small enough in the end to average the noise away. Steps that
    do not shrink, such as ∇L/‖∇L‖, never settle. `"adam"` scales each coordinate's step by itself, is quick and
    forgiving, and hovers around the optimum at a distance that `step_size` sets.

    Args:
        log_joint: Takes `(S, K)`, returns log p(x, z) `(S,)` in nats; finite everywhere and differentiable. A positive
            latent is best replaced by its logarithm, with the change of variables' Jacobian added.
        loc: The first means, `(K,)`.
        scale: The first standard deviations, `(K,)`, positive.
        num_steps: How many steps.
        num_samples: Samples of z in each gradient estimate.
        schedule: "robbins_monro" or "adam".
        step_size: The first ρ, or Adam's step size.
        decay: How fast ρ_t falls, in (½, 1].
        generator: The source of randomness; None is torch's global one.

    Returns:
        The last loc and scale, and the ELBO's estimate at each step.

    Raises:
        ValueError: An argument is not as described, or the ELBO stops being finite.

    Reference:
        Robbins and Monro (1951), A stochastic approximation method; Ranganath, Gerrish and Blei (2014), Black box
        variational inference; Kucukelbir et al. (2017), Automatic differentiation variational inference.

    >>> log_joint = lambda z: Normal(3.0, 0.5).log_prob(z).sum(dim=-1)
    >>> g = torch.Generator().manual_seed(0)
    >>> fit = black_box_vi(log_joint, torch.zeros(1), torch.ones(1), 300, generator=g)
    >>> bool((fit.loc - 3).abs() < 0.1), bool((fit.scale - 0.5).abs() < 0.1)
    (True, True)
    """
    start_loc = require.vector("loc", loc)
    start_scale = require.positive("scale", require.vector("scale", scale, length=len(start_loc)))
    require.positive_int("num_steps", num_steps)
    require.positive_float("step_size", step_size)
    _check_schedule(schedule, decay)
    # 1 model: log_joint.  2 approximation: N(mu, exp(log_sigma)²)
    mu, log_sigma = start_loc.clone().requires_grad_(), start_scale.log().requires_grad_()
    optimizer = torch.optim.Adam if schedule == "adam" else torch.optim.SGD
    ascend = optimizer([mu, log_sigma], lr=step_size, maximize=True)
    history: list[Tensor] = []
    for t in range(1, num_steps + 1):
        _check_finite(mu, log_sigma, t)
        terms = elbo_samples(log_joint, mu, log_sigma.exp(), num_samples, generator=generator)  # 3 ELBO
        elbo = terms.mean()  # 4 expectation, by Monte Carlo
        ascend.zero_grad()
        elbo.backward()  # 5 derivatives
        if schedule == "robbins_monro":
            ascend.param_groups[0]["lr"] = step_size * t**-decay
        ascend.step()  # 6 optimise
        history.append(elbo.detach())
    return BlackBoxFit(mu.detach(), log_sigma.detach().exp(), torch.stack(history))


def _check_schedule(schedule: str, decay: float) -> None:
    require.choice("schedule", schedule, SCHEDULES)
    if not 0.5 < require.positive_float("decay", decay) <= 1.0:
        raise ValueError(
            f"decay must be above 1/2 and at most 1, but is {decay}: otherwise the steps stay too long to settle, "
            "or shrink too fast to arrive"
        )


def _check_finite(mu: Tensor, log_sigma: Tensor, step: int) -> None:
    sigma = log_sigma.exp()
    if not bool((mu.isfinite() & sigma.isfinite() & (sigma > 0)).all()):
        raise ValueError(
            f"step_size must let q stay finite, but after {step - 1} steps loc is {mu.tolist()} and scale "
            f"{sigma.tolist()}: lower it, or write the model in unbounded coordinates"
        )
