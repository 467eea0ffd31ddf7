"""Signed distances to plane figures, and pictures painted with them."""

from collections.abc import Sequence

import torch
from torch import Tensor

# Points and figures are given in a picture's own units: x grows to the right, y downwards, both from −1 to 1.


def picture_plane(size: int) -> tuple[Tensor, Tensor]:
    """Returns x and y of the middle of each of `size`×`size` pixels, `(size, size)`."""
    middles = (torch.arange(size, dtype=torch.float32) + 0.5) * 2 / size - 1
    y, x = torch.meshgrid(middles, middles, indexing="ij")
    return x, y


def turned(x: Tensor, y: Tensor, angle: Tensor) -> tuple[Tensor, Tensor]:
    """Returns coordinates in a figure's own frame, which is turned by `angle` (radians, clockwise as y is down)."""
    cos, sin = angle.cos(), angle.sin()
    return cos * x + sin * y, cos * y - sin * x


def ellipse(x: Tensor, y: Tensor, a: Tensor | float, b: Tensor | float) -> Tensor:
    """Returns the distance to an ellipse with half-axes a and b: exact for circles, to first order at the border."""
    u, v = x / a, y / b
    k = (u * u + v * v).sqrt()
    slope = ((u / a).square() + (v / b).square()).sqrt()
    return k * (k - 1) / slope.clamp(min=1e-6)


def box(x: Tensor, y: Tensor, a: Tensor | float, b: Tensor | float) -> Tensor:
    """Returns the exact distance to a rectangle with half-sides a and b."""
    u, v = x.abs() - a, y.abs() - b
    outside = (u.clamp(min=0).square() + v.clamp(min=0).square()).sqrt()
    return outside + torch.maximum(u, v).clamp(max=0)


def heart(x: Tensor, y: Tensor) -> Tensor:
    """Returns the exact distance to a heart of two half-discs on a square that stands on its corner (0, 0).

    The square's side is 1/√2, its upper corner (0, −1); the discs lie on its upper sides.
    """
    x, y = x.abs(), -y  # the right half, with y up
    round_part = ((x - 0.25).square() + (y - 0.75).square()).sqrt() - 2**0.5 / 4
    along = 0.5 * (x + y).clamp(min=0)  # the nearest point of the lower edge is (along, along)
    to_edge = (x - along).square() + (y - along).square()
    to_notch = x.square() + (y - 1).square()
    straight_part = torch.minimum(to_edge, to_notch).sqrt() * torch.sign(x - y)
    return torch.where(x + y > 1, round_part, straight_part)


def arc(x: Tensor, y: Tensor, half_width: Tensor, rise: Tensor, thickness: Tensor | float) -> Tensor:
    """Returns the distance to a stroke along y = rise (½ − (x / half_width)²), to first order; its ends are round."""
    t = (x / half_width).clamp(-1, 1)
    slope = 2 * rise * t / half_width
    across = (y - rise * (0.5 - t * t)).square() / (1 + slope * slope)
    along = (x.abs() - half_width).clamp(min=0).square()
    return (across + along).sqrt() - thickness


def coverage(distance: Tensor, size: int) -> Tensor:
    """Returns how much of a pixel lies inside, from 0 to 1: its border is softened over the width of one pixel."""
    return (0.5 - distance * (size / 2)).clamp(0, 1)


def paint(picture: Tensor, mask: Tensor, colour: Tensor | Sequence[float]) -> None:
    """Paints a colour over pictures `(N, 3, S, S)`, in place, where a mask `(N, S, S)` is 1.

    Args:
        picture: The pictures.
        mask: How much of each pixel is painted, from 0 to 1.
        colour: Red, green, blue: one for all, or one for each picture, `(N, 3)`.
    """
    paints = torch.as_tensor(colour, dtype=picture.dtype)
    paints = paints.expand(len(picture), 3)[:, :, None, None]
    picture.lerp_(paints.expand_as(picture), mask[:, None].expand_as(picture))
