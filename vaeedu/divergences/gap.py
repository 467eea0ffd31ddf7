"""The gap between ln x and its tangent at 1, from which every divergence here is built.

ln x ≤ x − 1, with equality at x = 1 only, is why KL divergences are never negative. Written as sums of such gaps they
are also computed accurately: no large terms are left to cancel.
"""

import torch
from jaxtyping import Float
from torch import Tensor

# Below this |x − 1| the series is used. Its terms then fall by t² < 1/360 each, so that two reach float32's last digit,
# and seven float64's; above, the direct formula loses at most a digit or two to cancellation.
NEAR = 0.1
_NUM_TERMS = {torch.float32: 2, torch.float64: 7}


def gap_near_one(u: Float[Tensor, "*shape"]) -> Float[Tensor, "*shape"]:
    r"""Computes x − 1 − ln x for x = 1 + u, where |u| ≤ 0.1, to full relative accuracy.

    $$u - \ln(1 + u) = t \left( u - \tfrac23 t^2 - \tfrac25 t^4 - \tfrac27 t^6 - \dots \right), \qquad
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
    squared = t * t
    num_terms = _NUM_TERMS.get(u.dtype, max(_NUM_TERMS.values()))
    series = squared / (2 * num_terms + 1)
    for k in reversed(range(num_terms - 1)):
        series = (series + 1 / (2 * k + 3)) * squared
    return t * (u - 2 * series)
