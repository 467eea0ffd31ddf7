"""Monotone curves with many shapes: each is given by its knots, and undone by solving a quadratic equation."""

import math
from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional

from vaeedu import require

# No bin is narrower or lower than this share of the interval, and no slope smaller: the inverse stays computable.
_SMALLEST_SHARE = 1e-3
_SMALLEST_SLOPE = 1e-3
# softplus of this plus the smallest slope is 1: parameters that are all 0 give the identity.
_UNIT_SLOPE = math.log(math.expm1(1 - _SMALLEST_SLOPE))


class _Bin(NamedTuple):
    """The bin in which each number lies: its left edge, width, height and the slopes at both ends."""

    x: Tensor
    y: Tensor
    width: Tensor
    height: Tensor
    slope: Tensor
    next_slope: Tensor


def rational_quadratic(
    x: Float[Tensor, "*shape"],
    parameters: Float[Tensor, "*shape P"],
    *,
    bound: float = 8.0,
    inverse: bool = False,
) -> tuple[Float[Tensor, "*shape"], Float[Tensor, "*shape"]]:
    r"""Bends the interval [−B, B] by a monotone rational-quadratic spline, and leaves alone what is outside.

    Between two knots $(x_k, y_k)$ and $(x_{k+1}, y_{k+1})$ with slopes $d_k, d_{k+1}$, with
    $\theta = (x - x_k) / (x_{k+1} - x_k)$ and $s = (y_{k+1} - y_k) / (x_{k+1} - x_k)$,

    $$y = y_k + \frac{(y_{k+1} - y_k) [s \theta^2 + d_k \theta (1 - \theta)]}
      {s + (d_{k+1} + d_k - 2 s)\, \theta (1 - \theta)},$$

    a curve whose slope is positive and continuous; at the ends it is 1, as outside. Widths and heights are softmaxes,
    slopes softpluses of the parameters, so that any parameters will do; zeros give the identity.

    Args:
        x: Numbers, any shape.
        parameters: For each number, K that say how wide the bins are, K how high, K − 1 how steep the curve is at the
            inner knots: `(*shape, 3K − 1)`.
        bound: B.
        inverse: Whether to find the x of a given y.

    Returns:
        The images, or the preimages, of the numbers, and the logarithms of the curve's slope there, of y with respect
        to x or of x with respect to y, each `(*shape)`.

    Raises:
        ValueError: The number of parameters is not 3K − 1, or so large that bins get no room; `bound` is not positive.

    Reference:
        Gregory and Delbourgo (1982), Piecewise rational quadratic interpolation to monotonic data; Durkan, Bekasov,
        Murray and Papamakarios (2019), Neural spline flows, section 3.1 and appendix A.

    >>> x, parameters = torch.linspace(-2, 2, 5), torch.randn(5, 3 * 4 - 1, generator=torch.Generator().manual_seed(0))
    >>> y, log_slope = rational_quadratic(x, parameters)
    >>> torch.allclose(rational_quadratic(y, parameters, inverse=True)[0], x, atol=1e-5)
    True
    """
    bound = require.positive_float("bound", bound)
    inside = (x > -bound) & (x < bound)
    # What is outside is computed too, and thrown away: at 0, where neither it nor its gradient can overflow.
    at = torch.where(inside, x, torch.zeros_like(x))
    piece = _find(at, parameters, bound, along_y=inverse)
    scale = piece.height / piece.width  # s
    bend = piece.slope + piece.next_slope - 2 * scale
    if inverse:
        rise = at - piece.y
        a = piece.height * (scale - piece.slope) + rise * bend
        b = piece.height * piece.slope - rise * bend
        c = -scale * rise
        # The root of aθ² + bθ + c in [0, 1], in the form that loses no digits; rounding may leave it a little negative.
        theta = 2 * c / (-b - (b.square() - 4 * a * c).clamp(min=0).sqrt())
    else:
        theta = (at - piece.x) / piece.width
    between = theta * (1 - theta)
    denominator = scale + bend * between
    log_slope = (
        2 * scale.log()
        + (piece.next_slope * theta.square() + 2 * scale * between + piece.slope * (1 - theta).square()).log()
        - 2 * denominator.log()
    )
    if inverse:
        found, log_slope = piece.x + theta * piece.width, -log_slope
    else:
        found = piece.y + piece.height * (scale * theta.square() + piece.slope * between) / denominator
    return torch.where(inside, found, x), torch.where(inside, log_slope, torch.zeros_like(x))


def _find(at: Tensor, parameters: Tensor, bound: float, *, along_y: bool) -> _Bin:
    P = parameters.shape[-1]
    K = (P + 1) // 3
    if P != 3 * K - 1 or K < 1 or K * _SMALLEST_SHARE >= 1:
        raise ValueError(
            f"parameters must hold 3 K − 1 numbers for K bins, K below {1 / _SMALLEST_SHARE:g}, but hold {P}: "
            f"make the network's output {3 * max(K, 1) - 1} wide"
        )
    widths, heights, slopes = parameters.split([K, K, K - 1], dim=-1)
    widths, heights = _shares(widths, bound), _shares(heights, bound)
    slopes = functional.pad(_SMALLEST_SLOPE + functional.softplus(slopes + _UNIT_SLOPE), (1, 1), value=1.0)
    left, low = _edges(widths, bound), _edges(heights, bound)
    k = ((at[..., None] >= (low if along_y else left)).sum(dim=-1, keepdim=True) - 1).clamp(min=0)
    x, y, width, height, slope = (v.gather(-1, k)[..., 0] for v in (left, low, widths, heights, slopes))
    return _Bin(x, y, width, height, slope, slopes.gather(-1, k + 1)[..., 0])


def _shares(logits: Tensor, bound: float) -> Tensor:
    """Returns positive sizes that add up to 2B."""
    K = logits.shape[-1]
    return 2 * bound * (_SMALLEST_SHARE + (1 - K * _SMALLEST_SHARE) * logits.softmax(dim=-1))


def _edges(sizes: Tensor, bound: float) -> Tensor:
    """Returns where each bin begins."""
    return functional.pad(sizes.cumsum(dim=-1)[..., :-1], (1, 0)) - bound
