"""Drawings as sequences of pen movements: from lines to steps, from steps to the five numbers a network sees."""

from collections.abc import Sequence

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from vaeedu import data, require


def from_lines(lines: Sequence[object]) -> Float[Tensor, "T 3"]:
    r"""Turns lines, drawn one after the other, into stroke-3: (Δx, Δy, p), where p = 1 ends a line.

    The pen starts at the first point of the first line, so that the first step is the one to its second point; a
    step after a line's end is a move through the air.

    Args:
        lines: Each an `(n, 2)` tensor or array of points, n ≥ 1.

    Returns:
        One row a step, `(T, 3)`, float32.

    Raises:
        ValueError: There is no line, one has another shape, or all together have fewer than two points.

    Reference:
        Ha and Eck (2018), A neural representation of sketch drawings, section 3.1.

    >>> from_lines([[[0, 0], [1, 0], [1, 1]], [[0, 1], [0, 0]]])
    tensor([[ 1.,  0.,  0.],
            [ 0.,  1.,  1.],
            [-1.,  0.,  0.],
            [ 0., -1.,  1.]])
    """
    points = [torch.as_tensor(np.asarray(line, dtype=np.float64)) for line in lines]
    if (
        not points
        or any(p.ndim != 2 or p.shape[1] != 2 or len(p) == 0 for p in points)
        or sum(map(len, points)) < 2
    ):
        raise ValueError(
            f"lines must hold (n, 2) points, two or more in all, but have shapes {[tuple(p.shape) for p in points]}"
        )
    return data.stroke3(points)


def to_lines(strokes: object) -> list[np.ndarray]:
    """Turns stroke-3 into lines again, which start at (0, 0): the inverse of `from_lines`, up to the first point.

    Args:
        strokes: `(T, 3)`.

    Returns:
        Each line's points, `(n, 2)`. A move through the air begins a new one.

    Raises:
        ValueError: `strokes` is no such matrix.

    >>> [line.tolist() for line in to_lines(torch.tensor([[1.0, 0, 1], [0, 2, 0], [1, 0, 1]]))]
    [[[0.0, 0.0], [1.0, 0.0]], [[1.0, 2.0], [2.0, 2.0]]]
    """
    if isinstance(strokes, Tensor) and strokes.shape == (0, 3):  # a model may end a drawing before it begins
        return [np.zeros((1, 2))]
    steps = require.matrix("strokes", strokes, num_columns=3).detach().cpu().double().numpy()
    places = np.concatenate([np.zeros((1, 2)), steps[:, :2].cumsum(axis=0)])
    lifted = np.concatenate([[0.0], steps[:, 2]]) > 0.5
    return np.split(places, np.flatnonzero(lifted[:-1]) + 1)


def to_stroke5(sketches: Sequence[Tensor], *, num_steps: int | None = None) -> Float[Tensor, "N T 5"]:
    r"""Puts sketches of different lengths into one tensor: (Δx, Δy, p₁, p₂, p₃).

    p₁ = 1: the pen goes on drawing after this step; p₂ = 1: it is lifted; p₃ = 1: the drawing is finished. Rows after
    the last step are (0, 0, 0, 0, 1), of which the first belongs to the sketch, and the rest is padding.

    Args:
        sketches: Stroke-3, `(T_n, 3)` each.
        num_steps: T, more than the longest sketch has; None is one more.

    Returns:
        `(N, T, 5)`.

    Raises:
        ValueError: There is no sketch, one is no `(T_n, 3)` matrix with p in {0, 1}, or `num_steps` is too small.

    Reference:
        Ha and Eck (2018), A neural representation of sketch drawings, section 3.1.

    >>> to_stroke5([torch.tensor([[1.0, 2, 0], [3, 4, 1]])], num_steps=4)
    tensor([[[1., 2., 1., 0., 0.],
             [3., 4., 0., 1., 0.],
             [0., 0., 0., 0., 1.],
             [0., 0., 0., 0., 1.]]])
    """
    if not sketches:
        raise ValueError("sketches must hold at least one sketch, but is empty")
    checked = [require.matrix("sketches", s, num_columns=3) for s in sketches]
    longest = max(map(len, checked))
    T = longest + 1 if num_steps is None else require.positive_int("num_steps", num_steps)
    if longest >= T:
        raise ValueError(
            f"num_steps must be more than the longest sketch's {longest} steps, but is {num_steps}"
        )
    x = checked[0].new_zeros(len(checked), T, 5)
    x[:, :, 4] = 1
    for row, s in zip(x, checked, strict=True):
        p = require.binary("sketches[:, 2]", s[:, 2], mend="p is 1 where a line ends")
        row[: len(s)] = torch.stack([s[:, 0], s[:, 1], 1 - p, p, torch.zeros_like(p)], dim=1)
    return x


def from_stroke5(x: object) -> list[Tensor]:
    """Turns stroke-5 into sketches again, each up to its first row with p₃ = 1: the inverse of `to_stroke5`.

    Args:
        x: `(N, T, 5)`.

    Returns:
        N sketches as stroke-3, `(T_n, 3)`.

    Raises:
        ValueError: `x` is no stroke-5 tensor.

    >>> from_stroke5(to_stroke5([torch.tensor([[1.0, 2, 0], [3, 4, 1]])], num_steps=7))[0].shape
    torch.Size([2, 3])
    """
    x = stroke5("x", x)
    return [
        torch.stack([row[:n, 0], row[:n, 1], row[:n, 3]], dim=1)
        for row, n in zip(x, num_points(x).tolist(), strict=True)
    ]


def simplify(line: object, tolerance: float) -> np.ndarray:
    """Leaves out points of a line that lie near the straight line between those kept.

    The point farthest from the line between both ends is kept, if it is farther than the tolerance, and both parts are
    treated likewise. A mouse gives a hundred points where the drawings that a model was trained on have five.

    Args:
        line: `(n, 2)` points.
        tolerance: Distance, in the points' unit.

    Returns:
        `(m, 2)`, with the first and the last point.

    Raises:
        ValueError: The line has no points, or the tolerance is negative.

    Reference:
        Douglas and Peucker (1973), Algorithms for the reduction of the number of points required to represent a
        digitized line or its caricature.

    >>> simplify([[0, 0], [1, 0.01], [2, 0], [2, 3]], 0.1).tolist()
    [[0.0, 0.0], [2.0, 0.0], [2.0, 3.0]]
    """
    points = np.asarray(line, dtype=np.float64)
    if points.ndim != 2 or points.shape[1] != 2 or len(points) == 0:
        raise ValueError(f"line must hold (n, 2) points, but has shape {points.shape}")
    limit = require.non_negative_float("tolerance", tolerance)
    if len(points) < 3:
        return points
    along = points[-1] - points[0]
    share = ((points - points[0]) @ along) / max(float(along @ along), np.finfo(float).tiny)
    nearest = points[0] + share.clip(0, 1)[:, None] * along
    distance = np.linalg.norm(points - nearest, axis=1)
    far = int(distance.argmax())
    if distance[far] <= limit:
        return points[[0, -1]]
    return np.concatenate([simplify(points[: far + 1], limit)[:-1], simplify(points[far:], limit)])


def num_points(x: Tensor) -> Tensor:
    """Counts the steps of each sketch before its end, `(N,)`, for `(N, T, 5)`."""
    return (x[..., 4].cumsum(dim=-1) == 0).sum(dim=-1)


def stroke5(name: str, value: object) -> Tensor:
    """Returns `value` if it is stroke-5 `(N, T, 5)` with a pen that is in one of three states; else says what it is."""
    x = require.real(name, value)
    if x.ndim != 3 or x.shape[2] != 5 or 0 in x.shape:
        raise ValueError(
            f"{name} must have shape (N, T, 5), but has shape {tuple(x.shape)}: use to_stroke5(sketches)"
        )
    pen = x[..., 2:]
    if not bool(((pen == 0) | (pen == 1)).all() and (pen.sum(dim=-1) == 1).all()):
        raise ValueError(
            f"{name} must have one 1 among its three pen states in each row: use to_stroke5(sketches)"
        )
    return x
