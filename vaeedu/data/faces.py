"""Generated faces whose factors are known: a smile, glasses, hair, light."""

import math

import torch
from jaxtyping import Float32
from torch import Tensor

from vaeedu import require, sampling
from vaeedu.data.distances import arc, box, coverage, ellipse, paint, picture_plane, turned

FACE_FACTORS = (
    "smile",
    "eye opening",
    "eye distance",
    "face width",
    "skin",
    "hair colour",
    "hair length",
    "glasses",
    "light",
    "tilt",
    "background",
)
_GLASSES = FACE_FACTORS.index("glasses")
_WEARS_GLASSES = 0.35
_AT_ONCE = 500  # faces drawn together: more would not fit into the processor's cache

_SKIN = ((0.36, 0.22, 0.15), (0.96, 0.80, 0.69))
_HAIR = ((0.10, 0.07, 0.06), (0.88, 0.68, 0.32))
_BACKGROUND = ((0.25, 0.35, 0.55), (0.75, 0.82, 0.72))


def faces(
    num_faces: int = 10_000, *, size: int = 32, generator: torch.Generator | None = None
) -> tuple[Float32[Tensor, "N 3 S S"], Float32[Tensor, "N 11"]]:
    """Draws coloured faces, and says what made them: eleven factors, independent of each other.

    | factor | 0 | 1 |
    |---|---|---|
    | smile | the corners of the mouth hang | they point upwards |
    | eye opening | nearly shut | wide open |
    | eye distance | close together | far apart |
    | face width | narrow | wide |
    | skin | dark | light |
    | hair colour | black | blond |
    | hair length | short | to the shoulders |
    | glasses | none | glasses |
    | light | from the left | from the right |
    | tilt | to the left | to the right |
    | background | dark blue | light green |

    Each is uniform on [0, 1], but for glasses, which 35 in 100 faces wear. No pixel is noisy: the factors say all that
    there is to know. These are drawings; no person's face is in them.

    Args:
        num_faces: N; well below a millisecond each.
        size: S, in pixels, at least 16.
        generator: The source of the factors; None is torch's global one.

    Returns:
        Images in [0, 1], `(N, 3, S, S)`, and factors in [0, 1], `(N, 11)`, in the order of `FACE_FACTORS`.

    Raises:
        ValueError: `num_faces` is no positive whole number, or `size` is less than 16.

    >>> x, factors = faces(4, generator=torch.Generator().manual_seed(0))
    >>> x.shape, factors.shape, FACE_FACTORS[:2]
    (torch.Size([4, 3, 32, 32]), torch.Size([4, 11]), ('smile', 'eye opening'))
    """
    N = require.positive_int("num_faces", num_faces)
    like = torch.zeros((), device=generator.device if generator else None)
    factors = sampling.uniform((N, len(FACE_FACTORS)), like=like, generator=generator).cpu()
    factors[:, _GLASSES] = (factors[:, _GLASSES] < _WEARS_GLASSES).float()
    return draw_faces(factors, size=size), factors


def draw_faces(factors: object, *, size: int = 32) -> Float32[Tensor, "N 3 S S"]:
    """Draws the face that belongs to each row of factors: nothing is random.

    A colour is laid on where a signed distance, that of a pixel to the border of an ellipse, a box or an arc, is
    negative; the border is softened over one pixel.

    Args:
        factors: Between 0 and 1, `(N, 11)`: see `faces`. Glasses may be any shade in between.
        size: S, in pixels, at least 16.

    Returns:
        Images in [0, 1], `(N, 3, S, S)`.

    Raises:
        ValueError: `factors` has another shape or values outside [0, 1], or `size` is less than 16.

    >>> neutral = torch.full((1, 11), 0.5)
    >>> draw_faces(neutral).shape
    torch.Size([1, 3, 32, 32])
    """
    f = require.unit_interval("factors", require.matrix("factors", factors)).float()
    if f.shape[1] != len(FACE_FACTORS):
        raise ValueError(
            f"factors must have a column for each of the {len(FACE_FACTORS)} names in FACE_FACTORS, "
            f"but has {f.shape[1]}: use vaeedu.data.faces for random ones"
        )
    S = require.positive_int("size", size)
    if S < 16:
        raise ValueError(f"size must be at least 16, for a mouth to be seen, but is {S}")
    return torch.cat([_draw(part, S) for part in f.split(_AT_ONCE)])


def _draw(f: Tensor, S: int) -> Tensor:
    smile, opening, distance, width, _, _, length, glasses, light, tilt, _ = (
        column[:, None, None] for column in f.unbind(1)
    )
    skin, hair, background = (
        _blend(*ends, f[:, [FACE_FACTORS.index(name)]])
        for ends, name in ((_SKIN, "skin"), (_HAIR, "hair colour"), (_BACKGROUND, "background"))
    )
    face, gap, tall = 0.48 + 0.16 * width, 0.22 + 0.13 * distance, 0.05 + 0.10 * opening
    plane = picture_plane(S)
    x, y = turned(*plane, (tilt - 0.5) * math.radians(20))
    mirrored = x.abs() - gap  # both eyes at once
    picture = background[:, :, None, None].expand(-1, 3, S, S).clone()

    def put(distance: Tensor, colour: Tensor | tuple[float, float, float], *, of: Tensor | float = 1) -> None:
        paint(picture, coverage(distance, S) * of, colour)

    # From the back to the front: hair, shoulders, neck, ears, face, fringe, brows, eyes, nose, mouth, glasses.
    drop = 0.30 * length
    put(ellipse(x, y + 0.16 - drop, face + 0.13 + 0.05 * length, 0.72 + drop), hair)
    put(ellipse(x, y - 1.15, 0.85, 0.42), 0.55 * background + 0.05)
    put(box(x, y - 0.75, 0.19, 0.22), 0.85 * skin)
    put(ellipse(x.abs() - face, y - 0.06, 0.09, 0.15), 0.92 * skin)
    inside = ellipse(x, y - 0.06, face, 0.72)
    put(inside, skin)
    put(torch.maximum(inside - 0.06, ellipse(x, y + 0.86, face + 0.22, 0.52)), hair)
    put(arc(mirrored, y + 0.24, torch.tensor(0.13), torch.tensor(-0.05), 0.028), 0.8 * hair)
    put(ellipse(mirrored, y + 0.03, 0.145, tall), (0.97, 0.97, 0.97))
    put(torch.maximum(ellipse(mirrored, y + 0.03, 0.07, 0.08), ellipse(mirrored, y + 0.03, 0.145, tall)),
        (0.16, 0.20, 0.28))  # fmt: skip
    put(ellipse(x, y - 0.20, 0.065, 0.10), 0.78 * skin, of=0.8)
    mouth_width, rise = 0.25 + 0.06 * smile, 0.40 * (smile - 0.5)
    put(arc(x, y - 0.50, mouth_width, rise, 0.065), (0.70, 0.17, 0.20))
    frame = (ellipse(mirrored, y + 0.03, 0.20, 0.18)).abs() - 0.032
    bridge = box(x, y + 0.05, (gap - 0.18).clamp(min=0.02), 0.026)
    put(frame, (0.08, 0.08, 0.10), of=glasses)
    put(bridge, (0.08, 0.08, 0.10), of=glasses)
    shade = 1 + 0.56 * (light - 0.5) * plane[0]  # by the picture's own x: light does not tilt
    return picture.mul_(shade[:, None]).clamp_(0, 1)


def _blend(start: tuple[float, ...], end: tuple[float, ...], share: Tensor) -> Tensor:
    """Colours between two, `(N, 3)`, for shares `(N, 1)`."""
    return torch.lerp(torch.tensor(start), torch.tensor(end), share)
