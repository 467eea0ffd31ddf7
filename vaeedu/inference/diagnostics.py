"""What a finite chain is worth: split R̂, effective sample size, Monte Carlo standard error."""

import math

import torch
from jaxtyping import Float
from torch import Tensor

_FEWEST = 4


def split_r_hat(samples: object, *, rank_normalized: bool = False) -> Float[Tensor, "*D"]:
    r"""Compares the spread between chains with the spread within them: near 1 if all saw the same distribution.

    Each chain is cut in half, so that one that drifts disagrees with itself. With M half-chains of length n, means
    θ̄_m and variances s²_m (divided by n − 1),

    $$W = \tfrac1M \sum_m s_m^2, \qquad B = \tfrac{n}{M-1} \sum_m (\bar\theta_m - \bar\theta)^2, \qquad
      \hat R = \sqrt{\frac{\frac{n-1}{n} W + \frac1n B}{W}}.$$

    Values above 1.01 say that the chains have not mixed. A value of 1 does *not* say that they have: chains that all
    missed the same mode agree with each other.

    Args:
        samples: S samples of C chains, `(S, C, D)`, or `(S, C)` for one quantity.
        rank_normalized: Whether to take the larger R̂ of rank-normalised samples and of their distances from the
            median, which also finds chains of different *spread*, and works without finite variances.

    Returns:
        R̂ of each quantity, `(D,)`, or a scalar for `(S, C)`; infinite where no chain ever moved but they differ.

    Raises:
        ValueError: There are fewer than four samples a chain, one is not finite, or a quantity is the same everywhere.

    Reference:
        Gelman et al. (2013), Bayesian Data Analysis, section 11.4; Vehtari et al. (2021), Rank-normalization, folding,
        and localization: an improved R̂, eqs. 1-4 and 14.

    >>> g = torch.Generator().manual_seed(0)
    >>> same = torch.randn(1000, 4, generator=g)
    >>> apart = same + torch.tensor([0.0, 0.0, 0.0, 3.0])
    >>> bool(split_r_hat(same) < 1.01), bool(split_r_hat(apart) > 1.5)
    (True, True)
    """
    halves = _split(_checked(samples))
    if not rank_normalized:
        return _r_hat(halves)
    median = halves.flatten(0, 1).double().quantile(0.5, dim=0).to(halves)
    return torch.maximum(_r_hat(_normal_scores(halves)), _r_hat(_normal_scores((halves - median).abs())))


def effective_sample_size(samples: object, *, rank_normalized: bool = False) -> Float[Tensor, "*D"]:
    r"""Estimates how many independent samples would give the mean as precisely as these dependent ones.

    $$S_\text{eff} = \frac{M n}{\tau}, \qquad \tau = -1 + 2 \sum_{t=0}^{T} \hat P_t, \qquad
      \hat P_t = \hat\rho_{2t} + \hat\rho_{2t+1}, \qquad
      \hat\rho_t = 1 - \frac{W - \frac1M \sum_m s_m^2 \hat\rho_{t,m}}{\widehat{\operatorname{var}}^+},$$

    over M half-chains of length n. The sum stops at Geyer's rule: pairs P̂_t of a reversible chain are positive and
    falling, so it ends where they turn negative, and what rises is cut back.

    Args:
        samples: S samples of C chains, `(S, C, D)`, or `(S, C)` for one quantity.
        rank_normalized: Whether to rank-normalise first (the *bulk* effective sample size), which does not need a
            finite variance.

    Returns:
        The effective number of samples in all chains together, `(D,)` or a scalar. It may exceed S C where samples
        alternate, up to S C log₁₀(S C).

    Raises:
        ValueError: As `split_r_hat`.

    Reference:
        Geyer (1992), Practical Markov chain Monte Carlo; Vehtari et al. (2021), eqs. 5-13.

    >>> g = torch.Generator().manual_seed(0)
    >>> independent = torch.randn(1000, 4, generator=g)
    >>> bool((effective_sample_size(independent) / 4000 - 1).abs() < 0.1)
    True
    """
    halves = _split(_checked(samples))
    if rank_normalized:
        halves = _normal_scores(halves)
    if halves.ndim == 2:
        return _effective_sample_size(halves)
    return torch.stack([_effective_sample_size(column) for column in halves.unbind(dim=2)])


def standard_error(samples: object) -> Float[Tensor, "*D"]:
    r"""Estimates how far the mean of the samples is likely to be off.

    $$\text{se} = \sqrt{\widehat{\operatorname{var}}(\theta) / S_\text{eff}}.$$

    Args:
        samples: S samples of C chains, `(S, C, D)`, or `(S, C)` for one quantity.

    Returns:
        The Monte Carlo standard error of each mean, `(D,)` or a scalar, in the units of the samples.

    Raises:
        ValueError: As `split_r_hat`.

    Reference:
        Vehtari et al. (2021), section 4.2.

    >>> independent = torch.randn(1000, 4, generator=torch.Generator().manual_seed(0))
    >>> bool((standard_error(independent) * 4000**0.5 - 1).abs() < 0.1)
    True
    """
    theta = _checked(samples)
    return theta.flatten(0, 1).std(dim=0) / effective_sample_size(theta).sqrt()


def _checked(samples: object) -> Tensor:
    shape = tuple(samples.shape) if isinstance(samples, Tensor) else type(samples).__name__
    if not isinstance(samples, Tensor) or samples.ndim not in (2, 3) or not samples.is_floating_point():
        raise ValueError(
            f"samples must be a floating-point tensor of shape (S, C, D) or (S, C), but is {shape}"
        )
    if len(samples) < _FEWEST or samples.numel() == 0:
        raise ValueError(
            f"samples must hold at least {_FEWEST} samples of a chain, but has shape {shape}: run longer"
        )
    if not bool(samples.isfinite().all()):
        raise ValueError(
            "samples must be finite, but holds NaN or infinite entries: look at where the chain went"
        )
    halves = _split(samples)
    if not bool((halves != halves[0, 0]).flatten(0, 1).any(dim=0).all()):
        raise ValueError(
            "samples must vary, but a quantity has the same value in all chains: no proposal was accepted"
        )
    return samples


def _split(theta: Tensor) -> Tensor:
    """Cuts each chain in half, dropping the middle sample of an odd number: (S, C, …) → (S // 2, 2 C, …)."""
    n = len(theta) // 2
    return torch.cat([theta[:n], theta[-n:]], dim=1)


def _r_hat(halves: Tensor) -> Tensor:
    n = len(halves)
    W = halves.var(dim=0).mean(dim=0)
    B_over_n = halves.mean(dim=0).var(dim=0)
    # Chains that all stand on the same value do not disagree: 0 / 0 counts as 0. (Distances from the median are such
    # chains where a quantity takes two values equally often.)
    return ((n - 1) / n + torch.where(B_over_n == 0, 0.0, B_over_n / W)).sqrt()


def _normal_scores(halves: Tensor) -> Tensor:
    """Replaces each value by the normal quantile of its rank among all chains; equal values share a mean rank."""
    rows = halves.reshape(len(halves) * halves.shape[1], -1)
    scores = torch.empty_like(rows)
    for d, column in enumerate(rows.T):
        _, where, counts = column.unique(return_inverse=True, return_counts=True)
        ranks = counts.cumsum(0) - (counts - 1) / 2
        scores[:, d] = torch.special.ndtri((ranks.to(rows)[where] - 0.375) / (len(rows) + 0.25))
    return scores.reshape(halves.shape)


def _effective_sample_size(chains: Tensor) -> Tensor:
    n, M = chains.shape
    covariance = _autocovariance(chains).mean(dim=1)  # averaged over chains, (n,)
    W = covariance[0] * n / (n - 1)
    variance = covariance[0] + chains.mean(dim=0).var()  # var⁺; every chain was cut in two, so M ≥ 2
    rho = 1 - (W - covariance) / variance
    rho[0] = 1.0
    pairs = rho[: n // 2 * 2].reshape(-1, 2).sum(dim=1)
    # The last lags rest on a handful of products: the sum ends two before them at the latest.
    last = max((n - 3) // 2, 0)
    negative = (pairs[: last + 1] < 0).nonzero()
    num_pairs = int(negative[0]) if len(negative) else last
    kept = pairs[:num_pairs].cummin(dim=0).values if num_pairs else pairs[:0]
    # Half of the pair at which the sum ends is known to be positive, if its even lag is.
    tau = -1 + 2 * kept.sum() + rho[2 * num_pairs].clamp(min=0.0)
    return M * n / tau.clamp(min=1 / math.log10(M * n))


def _autocovariance(chains: Tensor) -> Tensor:
    """Computes autocovariances divided by n, at lags 0 … n − 1, by the fast Fourier transform; `(n, M)`."""
    n = len(chains)
    spectrum = torch.fft.rfft(chains - chains.mean(dim=0), n=2 * n, dim=0)  # padded: no wrapping round
    return torch.fft.irfft(spectrum.abs().square(), n=2 * n, dim=0)[:n] / n
