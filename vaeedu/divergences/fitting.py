"""One Gaussian for a mixture: the forward divergence averages over the modes, the reverse one settles in one."""

import math
from dataclasses import dataclass
from typing import TypeAlias

import torch
from jaxtyping import Float
from torch import Tensor
from torch.distributions import Distribution, Independent, MixtureSameFamily, MultivariateNormal, Normal

from vaeedu import require, sampling

Gaussian: TypeAlias = Normal | MultivariateNormal


@dataclass(frozen=True)
class Descent:
    """The way of an optimiser from the start to the fit.

    Attributes:
        kl: The estimate of KL(q ‖ p) in nats before each step, `(steps,)`; all from the same noise.
        loc: The mean of q before each step, `(steps,)` or `(steps, D)`.
        scale: Its standard deviation `(steps,)`, or its covariance's Cholesky factor `(steps, D, D)`.
    """

    kl: Float[Tensor, " steps"]
    loc: Float[Tensor, "steps ..."]
    scale: Float[Tensor, "steps ..."]


def fit_forward_kl(target: Distribution) -> Gaussian:
    r"""Finds the Gaussian q with the least forward divergence KL(p ‖ q) from a mixture p, exactly.

    $$\mu = \sum_k w_k \mu_k, \qquad \Sigma = \sum_k w_k \left( \Sigma_k + (\mu_k - \mu)(\mu_k - \mu)^\top \right).$$

    KL(p ‖ q) is minus the expected log-likelihood of q under p, and a constant. Its minimum has the mean and the
    covariance of p ("moment matching"), so it covers every mode, and whatever lies between them.

    Args:
        target: p, a mixture of univariate or multivariate Gaussians, with an empty batch shape.

    Returns:
        A `Normal` for a univariate target, otherwise a `MultivariateNormal`.

    Raises:
        ValueError: The target is not such a mixture.

    Reference:
        Bishop (2006), Pattern recognition and machine learning, section 10.7 and eq. 10.187.

    >>> weights, D = torch.distributions.Categorical(torch.tensor([0.5, 0.5])), torch.distributions
    >>> fit_forward_kl(D.MixtureSameFamily(weights, D.Normal(torch.tensor([-3.0, 3.0]), 1.0)))
    Normal(loc: 0.0, scale: 3.1622776985168457)
    """
    target = _checked_target(target)
    components = target.component_distribution
    w, locs = target.mixture_distribution.probs, components.mean
    if not target.event_shape:
        loc = (w * locs).sum()
        return Normal(loc, (w * (components.variance + (locs - loc).square())).sum().sqrt())
    loc = w @ locs
    deviations = locs - loc
    between = torch.einsum("k,ki,kj->ij", w, deviations, deviations)
    return MultivariateNormal(loc, torch.einsum("k,kij->ij", w, _covariances(components)) + between)


def fit_reverse_kl(
    target: Distribution,
    start: Distribution,
    *,
    num_steps: int = 300,
    num_samples: int = 500,
    learning_rate: float = 0.05,
    generator: torch.Generator | None = None,
) -> tuple[Gaussian, Descent]:
    r"""Finds a Gaussian q with a locally least reverse divergence KL(q ‖ p) to a mixture p, from a given start.

    $$\mathrm{KL}(q \,\|\, p) \approx -H(q) - \frac1S \sum_{s=1}^S \log p(\mu + L \epsilon_s).$$

    Where q has mass, p must have some too; where p has mass, q need not. So q settles in one mode, and which one
    depends on the start. The noise ε is drawn once, in pairs ±ε, and whitened to the covariance I exactly. So the
    objective is smooth, and has no sampling error at all where log p is quadratic.

    Args:
        target: p, as in `fit_forward_kl`.
        start: Where to begin: a `Normal` for a univariate target, otherwise a `MultivariateNormal`.
        num_steps: Adam's steps; its step size falls to zero along a half cosine.
        num_samples: S, rounded up to an even number, and to at least 2 D.
        learning_rate: Adam's first step size, in units of the target's standard deviation for the mean.
        generator: The source of ε; None is torch's global one.

    Returns:
        The fitted distribution, of the start's family and dtype, and its `Descent`.

    Raises:
        ValueError: The target is not such a mixture, the start does not fit it, or a setting is out of range.

    Reference:
        Kingma and Welling (2014), Auto-Encoding Variational Bayes, section 2.4; Bishop (2006), section 10.1.2.

    >>> weights, D = torch.distributions.Categorical(torch.tensor([0.5, 0.5])), torch.distributions
    >>> target = D.MixtureSameFamily(weights, D.Normal(torch.tensor([-3.0, 3.0]), 1.0))
    >>> q, _ = fit_reverse_kl(target, D.Normal(2.0, 1.0), generator=torch.Generator().manual_seed(0))
    >>> round(float(q.loc)), round(float(q.scale))
    (3, 1)
    """
    target = _checked_target(target)
    start = _checked_start(start, target)
    require.positive_int("num_steps", num_steps)
    require.positive_int("num_samples", num_samples)
    require.positive_float("learning_rate", learning_rate)
    loc, L = _parameters(start)
    eps = _whitened_noise(num_samples, loc, generator)
    unit = target.component_distribution.mean.reshape(-1, len(loc)).std(dim=0, correction=0).max()
    unit = (
        unit + target.component_distribution.stddev.max()
    )  # of the order of the target's standard deviation
    shift, log_diagonal = torch.zeros_like(loc), L.diagonal().log()
    below = L.tril(-1) / L.diagonal()[:, None]
    free = [t.clone().requires_grad_() for t in (shift, log_diagonal, below)]
    optimizer = torch.optim.Adam(free, lr=learning_rate)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, num_steps)
    path: list[tuple[Tensor, Tensor, Tensor]] = []
    for _ in range(num_steps):
        mu, L = loc + unit * free[0], _factor(free[1], free[2])
        kl = _objective(target, mu, L, eps)
        path.append((kl.detach(), mu.detach(), L.detach()))
        optimizer.zero_grad()
        kl.backward()
        optimizer.step()
        schedule.step()
    mu, L = loc + unit * free[0].detach(), _factor(free[1].detach(), free[2].detach())
    kls, locs, factors = (torch.stack(part) for part in zip(*path, strict=True))
    if isinstance(start, Normal):
        return Normal(mu[0], L[0, 0]), Descent(kls, locs[:, 0], factors[:, 0, 0])
    return MultivariateNormal(mu, scale_tril=L), Descent(kls, locs, factors)


def _objective(target: MixtureSameFamily, loc: Tensor, L: Tensor, eps: Tensor) -> Tensor:
    D = len(loc)
    z = loc + eps @ L.T
    entropy = 0.5 * D * (1 + math.log(2 * math.pi)) + L.diagonal().log().sum()
    return -entropy - target.log_prob(z if target.event_shape else z[:, 0]).mean()


def _factor(log_diagonal: Tensor, below: Tensor) -> Tensor:
    # Rows in units of their diagonal, so that one step size suits all.
    return log_diagonal.exp()[:, None] * (torch.eye(len(log_diagonal)).to(below) + below.tril(-1))


def _whitened_noise(num_samples: int, like: Tensor, generator: torch.Generator | None) -> Tensor:
    D = len(like)
    half = sampling.normal((max(math.ceil(num_samples / 2), D), D), like=like, generator=generator)
    eps = torch.cat([half, -half])
    L = torch.linalg.cholesky(eps.T @ eps / len(eps))
    return torch.linalg.solve_triangular(L, eps.T, upper=False).T


def _parameters(gaussian: Gaussian) -> tuple[Tensor, Tensor]:
    if isinstance(gaussian, Normal):
        return gaussian.loc.detach().reshape(1), gaussian.scale.detach().reshape(1, 1)
    return gaussian.loc.detach(), gaussian.scale_tril.detach()


def _covariances(components: Distribution) -> Tensor:
    if isinstance(components, MultivariateNormal):
        return components.covariance_matrix
    return components.variance.diag_embed()


def _checked_target(target: Distribution) -> MixtureSameFamily:
    components = target.component_distribution if isinstance(target, MixtureSameFamily) else None
    base = components.base_dist if isinstance(components, Independent) else components
    if not isinstance(target, MixtureSameFamily) or not isinstance(base, (Normal, MultivariateNormal)):
        raise ValueError(
            "target must be a MixtureSameFamily of Normal, Independent(Normal) or MultivariateNormal components, "
            f"but is {type(target).__name__}{f' of {type(base).__name__}' * (base is not None)}: build it with "
            "torch.distributions.MixtureSameFamily(Categorical(weights), components)"
        )
    if target.batch_shape or len(target.event_shape) > 1:
        raise ValueError(
            "target must be one mixture over numbers or vectors, but has batch shape "
            f"{tuple(target.batch_shape)} and event shape {tuple(target.event_shape)}: "
            "wrap the coordinates of one event in Independent(..., 1), and fit one mixture at a time"
        )
    return target


def _checked_start(start: Distribution, target: MixtureSameFamily) -> Gaussian:
    family = MultivariateNormal if target.event_shape else Normal
    if not isinstance(start, family) or start.batch_shape or start.event_shape != target.event_shape:
        shapes = f"batch shape {tuple(start.batch_shape)} and event shape {tuple(start.event_shape)}"
        raise ValueError(
            f"start must be one {family.__name__} of event shape {tuple(target.event_shape)}, as the target's, "
            f"but is {type(start).__name__} of {shapes}: begin where you expect a mode"
        )
    return start
