"""Generated black-and-white shapes whose factors are known: which one, how large, how turned, where."""

import math

import torch
from jaxtyping import Float32
from torch import Tensor

from vaeedu import require, sampling
from vaeedu.data.distances import box, coverage, ellipse, heart, picture_plane, turned

SHAPE_FACTORS = ("shape", "scale", "orientation", "x", "y")
SHAPES = ("rectangle", "ellipse", "heart")
_AT_ONCE = 2000


def shapes(
    num_images: int = 10_000, *, size: int = 32, generator: torch.Generator | None = None
) -> tuple[Float32[Tensor, "N 1 S S"], Float32[Tensor, "N 5"]]:
    """Draws white shapes on black, and says what made them: five factors, independent of each other.

    | factor | |
    |---|---|
    | shape | 0 a rectangle, 1 an ellipse, 2 a heart, each as often as the others |
    | scale | 0 small, 1 twice as large in height and width |
    | orientation | 0 turned by 40° to the left, 1 by as much to the right |
    | x | 0 left, 1 right |
    | y | 0 top, 1 bottom |

    All but the first are uniform on [0, 1]. They are made after dSprites, but no picture comes twice there or
    here by another way: half a turn would leave a rectangle as it is, so orientations stop at 40°.

    Args:
        num_images: N.
        size: S, in pixels, at least 8.
        generator: The source of the factors; None is torch's global one.

    Returns:
        Images in [0, 1], `(N, 1, S, S)`, grey at the borders alone, and factors, `(N, 5)`, in the order of
        `SHAPE_FACTORS`.

    Raises:
        ValueError: `num_images` is no positive whole number, or `size` is less than 8.

    Reference:
        Matthey, Higgins, Hassabis and Lerchner (2017), dSprites: disentanglement testing sprites dataset.

    >>> x, factors = shapes(4, size=16, generator=torch.Generator().manual_seed(0))
    >>> x.shape, factors.shape
    (torch.Size([4, 1, 16, 16]), torch.Size([4, 5]))
    """
    N = require.positive_int("num_images", num_images)
    like = torch.zeros((), device=generator.device if generator else None)
    factors = sampling.uniform((N, len(SHAPE_FACTORS)), like=like, generator=generator).cpu()
    factors[:, 0] = (factors[:, 0] * len(SHAPES)).floor()
    return draw_shapes(factors, size=size), factors


def draw_shapes(factors: object, *, size: int = 32) -> Float32[Tensor, "N 1 S S"]:
    """Draws the shape that belongs to each row of factors: nothing is random.

    Args:
        factors: `(N, 5)`: see `shapes`.
        size: S, in pixels, at least 8.

    Returns:
        Images in [0, 1], `(N, 1, S, S)`.

    Raises:
        ValueError: `factors` has another shape, a shape that is not 0, 1 or 2, or values outside [0, 1]; or `size` is
            less than 8.

    >>> draw_shapes(torch.tensor([[2.0, 1.0, 0.5, 0.5, 0.5]])).shape
    torch.Size([1, 1, 32, 32])
    """
    f = require.matrix("factors", factors, num_columns=len(SHAPE_FACTORS)).float()
    if not bool(torch.isin(f[:, 0], torch.arange(float(len(SHAPES)))).all()):
        raise ValueError(
            "factors must have 0, 1 or 2 in its first column, which says which shape, "
            f"but there it ranges from {float(f[:, 0].min()):.3g} to {float(f[:, 0].max()):.3g}"
        )
    require.unit_interval("factors[:, 1:]", f[:, 1:])
    S = require.positive_int("size", size)
    if S < 8:
        raise ValueError(f"size must be at least 8, for shapes to be told apart, but is {S}")
    return torch.cat([_draw(part, S) for part in f.split(_AT_ONCE)])


def _draw(f: Tensor, S: int) -> Tensor:
    shape, scale, orientation, x_middle, y_middle = (column[:, None, None] for column in f.unbind(1))
    radius = 0.22 * (1 + scale)
    x, y = picture_plane(S)
    x, y = turned(
        x - 1.1 * (x_middle - 0.5), y - 1.1 * (y_middle - 0.5), (orientation - 0.5) * math.radians(80)
    )
    u, v = x / radius, y / radius
    each = torch.stack([box(u, v, 0.9, 0.6), ellipse(u, v, 1.0, 0.65), 1.6 * heart(u / 1.6, v / 1.6 - 0.66)])
    distance = each.gather(0, shape.long().expand(len(f), S, S)[None])[0] * radius
    return coverage(distance, S)[:, None]
