"""The gap between ln x and its tangent at 1, from which every divergence here is built.

ln x ≤ x − 1, with equality at x = 1 only, is why KL divergences are never negative. Written as sums of such gaps they
are also computed accurately: no large terms are left to cancel.
"""

import torch
from jaxtyping import Float
from torch import Tensor

# Below this |x − 1| the series is used. Its terms then fall by t² < 1/360 each, so that nine reach float64's last
# digit; above, the direct formula loses at most a digit or two to cancellation.
NEAR = 0.1
_NUM_TERMS = 9


def gap_near_one(u: Float[Tensor, "*shape"]) -> Float[Tensor, "*shape"]:
    r"""Computes x − 1 − ln x for x = 1 + u, where |u| ≤ 0.1, to full relative accuracy.

    $$u - \ln(1 + u) = u t - 2 t^3 \left( \tfrac13 + \tfrac{t^2}{5} + \tfrac{t^4}{7} + \dots \right), \qquad
      t = \frac{u}{2 + u},$$

    from ln(1 + u) = 2 artanh t. For small u this is u²/2, where subtracting the two logarithm-sized terms would leave
    rounding errors only.

    Args:
        u: x − 1, computed without cancellation by the caller.

    Returns:
        The gap, of the shape of `u`; never negative.

    >>> gap_near_one(torch.tensor(1e-9, dtype=torch.float64))
    tensor(5.0000e-19, dtype=torch.float64)
    """
    t = u / (2 + u)
    series = torch.zeros_like(t)
    for k in reversed(range(_NUM_TERMS)):
        series = series * t.square() + 1 / (2 * k + 3)
    return u * t - 2 * t**3 * series
