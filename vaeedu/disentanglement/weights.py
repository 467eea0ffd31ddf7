"""Disentanglement, completeness and informativeness."""

import math
from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor

from vaeedu import require


class DCI(NamedTuple):
    """Three scores, and the table they come from."""

    disentanglement: Float[Tensor, ""]
    """Whether each code entry says something of one factor only, 0 to 1."""
    completeness: Float[Tensor, " F"]
    """Whether each factor is known to one entry only, 0 to 1."""
    informativeness: Float[Tensor, " F"]
    """R² of each factor, read linearly off all entries."""
    importance: Float[Tensor, "K F"]
    """|weight| of each standardised entry for each standardised factor."""


def dci(codes: object, factors: object, *, ridge: float = 1e-3) -> DCI:
    r"""Scores codes by the weights with which a linear reader uses them.

    Codes and factors are standardised; a ridge regression of the factors on the codes has the weights W, and
    |W| is the table of importances. (The paper uses a lasso or a random forest: importances that are not
    linear see more.)

    Args:
        codes: `(N, K)`, K at least 2. An entry that never changes has no importance.
        factors: `(N, F)`, F at least 2.
        ridge: The penalty, in units of a standardised entry's variance.

    Returns:
        Disentanglement (one number), completeness `(F,)`, informativeness `(F,)` and importances `(K, F)`.

    Raises:
        ValueError: The sizes do not fit, or a factor is constant.

    Reference:
        Eastwood and Williams (2018), A framework for the quantitative evaluation of disentangled representations.

    >>> a = torch.rand(500, 3, generator=torch.Generator().manual_seed(0))
    >>> bool(dci(a, a).disentanglement > 0.9)
    True
    """
    z, a = require.matrix("codes", codes), require.matrix("factors", factors)
    if len(z) != len(a):
        raise ValueError(f"codes and factors must have as many rows, but have {len(z)} and {len(a)}")
    penalty = require.positive_float("ridge", ridge)
    spread = a.std(dim=0, correction=0)
    if bool((spread == 0).any()):
        raise ValueError(f"factors must vary, but column {int(spread.argmin())} is constant")
    standard_a = ((a - a.mean(dim=0)) / spread).double()
    z_spread = z.std(dim=0, correction=0)
    standard_z = ((z - z.mean(dim=0)) / z_spread.where(z_spread > 0, torch.inf)).double()
    covariance = standard_z.T @ standard_z / len(z)
    covariance.diagonal().add_(penalty)
    weights = torch.linalg.solve(covariance, standard_z.T @ standard_a / len(z))
    informativeness = 1 - (standard_a - standard_z @ weights).square().mean(dim=0)
    disentanglement, completeness = dci_from_importances(weights.abs())
    return DCI(disentanglement.to(z), completeness.to(z), informativeness.to(z), weights.abs().to(z))


def dci_from_importances(
    importance: object,
) -> tuple[Float[Tensor, ""], Float[Tensor, " F"]]:
    r"""Computes disentanglement and completeness from a table of importances.

    $$D_k = 1 - \frac{H(P_{k \cdot})}{\log F}, \quad P_{kf} = \frac{R_{kf}}{\sum_g R_{kg}}, \qquad
      D = \sum_k \rho_k D_k, \quad \rho_k = \frac{\sum_f R_{kf}}{\sum_{jf} R_{jf}}; \qquad
      C_f = 1 - \frac{H(\tilde P_{\cdot f})}{\log K}, \quad \tilde P_{kf} = \frac{R_{kf}}{\sum_j R_{jf}} .$$

    Entries that matter for nothing (ρ = 0) do not count.

    Args:
        importance: R, not negative, `(K, F)`, both at least 2.

    Returns:
        Disentanglement D, one number, and completeness C, `(F,)`.

    Raises:
        ValueError: There is one row or column only, an importance is negative, or a factor has none at all.

    >>> dci_from_importances(torch.tensor([[1.0, 0.0], [0.0, 3.0]]))
    (tensor(1.), tensor([1., 1.]))
    """
    R = require.matrix("importance", importance)
    K, F = R.shape
    if min(K, F) < 2:
        raise ValueError(
            f"importance must have at least two rows and columns, but is {K} × {F}: there is nothing to compare"
        )
    if bool((R < 0).any()):
        raise ValueError(
            f"importance must not be negative, but holds {float(R.min()):.3g}: use weights.abs()"
        )
    of_factor = R.sum(dim=0)
    if bool((of_factor == 0).any()):
        raise ValueError(
            f"importance must be positive somewhere for each factor, but column {int(of_factor.argmin())} is 0: "
            "no code entry knows this factor; leave it out"
        )
    of_entry = R.sum(dim=1)
    # An entry without any importance has no distribution; its weight ρ is 0, whatever stands there.
    rows = R / of_entry.where(of_entry > 0, 1.0)[:, None]
    log_F, log_K = (math.log(n) for n in (F, K))
    disentangled = 1 - torch.special.entr(rows).sum(dim=1) / log_F
    complete = 1 - torch.special.entr(R / of_factor).sum(dim=0) / log_K
    return (of_entry / of_entry.sum()) @ disentangled, complete
