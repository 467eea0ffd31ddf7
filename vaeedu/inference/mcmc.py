"""Markov chain Monte Carlo: Metropolis–Hastings and Gibbs sampling, many chains at once."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor

from vaeedu import require, sampling
from vaeedu.inference import inputs

# Both take the current states (C, D) and the generator.
Proposal = Callable[[Tensor, torch.Generator | None], tuple[Tensor, Tensor]]
Conditional = Callable[[Tensor, torch.Generator | None], Tensor]


class Chains(NamedTuple):
    """What Metropolis–Hastings leaves behind.

    Attributes:
        samples: The states after each step, `(S, C, D)`: S steps of C chains. A rejected proposal repeats a state.
        acceptance_rate: The share of proposals that each chain accepted, `(C,)`, between 0 and 1.
    """

    samples: Float[Tensor, "S C D"]
    acceptance_rate: Float[Tensor, " C"]


def acceptance_probability(
    log_p: Float[Tensor, " C"], log_p_new: Float[Tensor, " C"], log_ratio: Float[Tensor, " C"]
) -> Float[Tensor, " C"]:
    r"""Computes with which probability a proposed move z → z' is made.

    $$\alpha(z \to z') = \min\Big\{1,\; \frac{p(z')}{p(z)} \cdot \frac{r(z \mid z')}{r(z' \mid z)}\Big\}.$$

    It makes the chain satisfy detailed balance, p(z) r(z'|z) α(z→z') = p(z') r(z|z') α(z'→z), and so leaves p alone.
    Any constant that p lacks cancels.

    Args:
        log_p: log p at the current states, in nats, up to a constant; `(C,)`.
        log_p_new: The same at the proposed ones.
        log_ratio: log r(z|z') − log r(z'|z): how much easier the way back is to propose; 0 for a symmetric proposal.

    Returns:
        Probabilities, `(C,)`.

    Reference:
        Hastings (1970), Monte Carlo sampling methods using Markov chains, Biometrika 57(1), eq. 6.

    >>> twice, half = torch.tensor([0.5]).log(), torch.tensor([0.25]).log()
    >>> acceptance_probability(twice, half, torch.zeros(1)), acceptance_probability(half, twice, torch.zeros(1))
    (tensor([0.5000]), tensor([1.]))
    """
    return (log_p_new - log_p + log_ratio).clamp(max=0.0).exp()


@torch.no_grad()
def metropolis_hastings(
    log_density: Callable[[Tensor], Tensor],
    initial: object,
    num_samples: int,
    *,
    scale: object = None,
    proposal: Proposal | None = None,
    generator: torch.Generator | None = None,
) -> Chains:
    """Draws dependent samples from a density that is known up to a constant: propose a move, then accept or stay.

    All C chains move together, one call of `log_density` a step. Nothing is thrown away: dropping the first samples
    (the burn-in) is up to the caller, who can look at them.

    Args:
        log_density: Takes states `(C, D)`, returns log p̃ `(C,)` in nats, −inf where the density is zero.
        initial: Where the chains start, `(C, D)`; spread them widely, or the diagnostics are blind.
        num_samples: S, the number of steps.
        scale: Standard deviation of the random walk z' = z + scale · ε, a number or one for each coordinate, `(D,)`.
        proposal: In place of `scale`: takes `(z, generator)`, returns z' `(C, D)` and log r(z|z') − log r(z'|z) `(C,)`.
        generator: The source of randomness; None is torch's global one.

    Returns:
        The samples `(S, C, D)` and the acceptance rate of each chain `(C,)`.

    Raises:
        ValueError: `initial` is not a finite matrix or starts where the density is zero; `log_density` or `proposal`
            returns something else than described; not exactly one of `scale` and `proposal` is given; `scale` is not
            positive; `num_samples` is no positive whole number.

    Reference:
        Metropolis et al. (1953), Equation of state calculations by fast computing machines; Hastings (1970).

    >>> g = torch.Generator().manual_seed(0)
    >>> standard_normal = lambda z: -0.5 * z.square().sum(dim=-1)
    >>> chains = metropolis_hastings(standard_normal, torch.zeros(4, 1), 2000, scale=2.4, generator=g)
    >>> chains.samples.shape, bool((chains.samples.var() - 1).abs() < 0.1)
    (torch.Size([2000, 4, 1]), True)
    """
    z = require.matrix("initial", initial)
    S = require.positive_int("num_samples", num_samples)
    propose = _proposal(scale, proposal, z)
    log_p = inputs.log_density("log_density", log_density, z)
    if bool((log_p == -torch.inf).any()):
        chain = int((log_p == -torch.inf).nonzero()[0])
        raise ValueError(
            f"initial must start where the density is positive, but chain {chain} starts at {z[chain].tolist()}, "
            "where log_density is −inf: start it elsewhere"
        )
    samples, num_accepted = z.new_empty(S, *z.shape), z.new_zeros(len(z))
    for s in range(S):
        z_new, log_ratio = propose(z, generator)
        log_p_new = inputs.log_density("log_density", log_density, z_new)
        u = sampling.uniform((len(z),), like=z, generator=generator)
        accept = u < acceptance_probability(log_p, log_p_new, log_ratio)
        z = torch.where(accept[:, None], z_new, z)
        log_p = torch.where(accept, log_p_new, log_p)
        samples[s] = z
        num_accepted += accept
    return Chains(samples, num_accepted / S)


@torch.no_grad()
def gibbs(
    conditionals: Sequence[Conditional],
    initial: object,
    num_samples: int,
    *,
    generator: torch.Generator | None = None,
) -> Float[Tensor, "S C D"]:
    """Draws dependent samples by renewing one coordinate at a time from its distribution given all the others.

    It is Metropolis–Hastings with the conditional as its proposal, which is always accepted.

    Args:
        conditionals: One function a coordinate. The d-th takes `(z, generator)`, z the current states `(C, D)` with the
            coordinates before d renewed already, and returns a draw from p(z_d | the other coordinates), `(C,)`.
        initial: Where the chains start, `(C, D)`.
        num_samples: S, the number of sweeps over all coordinates.
        generator: The source of randomness; None is torch's global one.

    Returns:
        The states after each sweep, `(S, C, D)`.

    Raises:
        ValueError: `initial` is not a finite matrix; there is not one conditional a coordinate; one of them returns
            something else than a number a chain; `num_samples` is no positive whole number.

    Reference:
        Geman and Geman (1984), Stochastic relaxation, Gibbs distributions, and the Bayesian restoration of images.

    >>> pair = gaussian_conditionals(torch.zeros(2), torch.tensor([[1.0, 0.9], [0.9, 1.0]]))
    >>> gibbs(pair, torch.zeros(3, 2), 10, generator=torch.Generator().manual_seed(0)).shape
    torch.Size([10, 3, 2])
    """
    z = require.matrix("initial", initial).clone()
    S = require.positive_int("num_samples", num_samples)
    C, D = z.shape
    if len(conditionals) != D:
        raise ValueError(
            f"conditionals must hold one function for each of the {D} coordinates, but holds {len(conditionals)}"
        )
    samples = z.new_empty(S, C, D)
    for s in range(S):
        for d, draw in enumerate(conditionals):
            value = draw(z, generator)
            if value.shape != (C,):
                raise ValueError(
                    f"conditionals[{d}] must return one number a chain, shape ({C},), but returned {tuple(value.shape)}"
                )
            z[:, d] = value
        samples[s] = z
    return samples


def gaussian_conditionals(loc: object, covariance: object) -> tuple[Conditional, ...]:
    r"""Makes the conditionals of a Gaussian with mean μ and covariance Σ, for `gibbs`.

    With the precision Λ = Σ⁻¹, whose entries couple the coordinates,

    $$p(z_i \mid z_{\setminus i}) = \mathcal N\Big(
      \mu_i - \Lambda_{ii}^{-1} \sum_{j \ne i} \Lambda_{ij} (z_j - \mu_j),\; \Lambda_{ii}^{-1}\Big).$$

    Args:
        loc: μ, `(D,)`.
        covariance: Σ, `(D, D)`, symmetric and positive definite.

    Returns:
        One function a coordinate.

    Raises:
        ValueError: `loc` is no finite vector, or `covariance` no covariance of its size.

    Reference:
        Bishop (2006), Pattern Recognition and Machine Learning, eqs. 2.69-2.73.

    >>> given = torch.tensor([[0.0, 2.0]])
    >>> first, _ = gaussian_conditionals(torch.zeros(2), torch.tensor([[1.0, 0.5], [0.5, 1.0]]))
    >>> first(given, torch.Generator().manual_seed(0)).shape  # N(0.5 · 2, 1 − 0.5²)
    torch.Size([1])
    """
    mu = inputs.vector("loc", loc)
    _, factor = inputs.covariance("covariance", covariance, size=len(mu))
    precision = torch.cholesky_inverse(factor)

    def conditional(i: int) -> Conditional:
        row, scale = precision[i] / precision[i, i], precision[i, i].rsqrt()

        def draw(z: Tensor, generator: torch.Generator | None) -> Tensor:
            others = (z - mu.to(z)) @ row.to(z) - (z[:, i] - mu[i].to(z))  # the sum without its own term
            return sampling.reparameterize(mu[i].to(z) - others, scale.to(z), generator=generator)

        return draw

    return tuple(conditional(i) for i in range(len(mu)))


def _proposal(scale: object, proposal: Proposal | None, z: Tensor) -> Proposal:
    if (scale is None) == (proposal is None):
        given = "neither" if scale is None else "both"
        raise ValueError(f"exactly one of scale and proposal must be given, but {given} is")
    if proposal is not None:
        return _checked(proposal)
    if isinstance(scale, Tensor) and scale.ndim == 1:
        width = inputs.vector("scale", scale, length=z.shape[1]).to(z)
        if bool((width <= 0).any()):
            raise ValueError(
                f"scale must be positive, but holds {float(width.min())}: it is a standard deviation"
            )
    else:
        width = z.new_tensor(require.positive_float("scale", scale)).expand(z.shape[1])

    def random_walk(z: Tensor, generator: torch.Generator | None) -> tuple[Tensor, Tensor]:
        return sampling.reparameterize(z, width, generator=generator), z.new_zeros(len(z))

    return random_walk


def _checked(proposal: Proposal) -> Proposal:
    def propose(z: Tensor, generator: torch.Generator | None) -> tuple[Tensor, Tensor]:
        z_new, log_ratio = proposal(z, generator)
        if z_new.shape != z.shape or log_ratio.shape != z.shape[:1] or bool(log_ratio.isnan().any()):
            raise ValueError(
                f"proposal must return states {tuple(z.shape)} and log-ratios {tuple(z.shape[:1])} without NaN, "
                f"but returned {tuple(z_new.shape)} and {tuple(log_ratio.shape)}"
            )
        return z_new, log_ratio

    return propose
