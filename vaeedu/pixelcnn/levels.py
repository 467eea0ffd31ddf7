"""Levels: how many there may be, and as numbers that a network reads."""

import functools

import torch
from jaxtyping import Float
from torch import Tensor

from vaeedu import require


def check_num_levels(num_levels: object) -> None:
    """Refuses a number of levels that an image cannot have.

    Raises:
        ValueError: It is not between 2 and 256.
    """
    if require.positive_int("num_levels", num_levels, at_most=256, because="8 bits a pixel") == 1:
        raise ValueError("num_levels must be at least 2, but is 1: use 2 for black and white, 256 for bytes")


def scale_levels(
    levels: Float[Tensor, "*shape"], num_levels: int, *, out: Tensor | None = None
) -> Float[Tensor, "*shape"]:
    """Maps levels 0, …, L − 1 to evenly spaced numbers from −1 to 1.

    >>> scale_levels(torch.tensor([0.0, 1.0, 2.0]), 3)
    tensor([-1.,  0.,  1.])
    """
    return torch.add(_minus_one(levels.dtype, levels.device), levels, alpha=2 / (num_levels - 1), out=out)


@functools.cache
def _minus_one(dtype: torch.dtype, device: torch.device) -> Tensor:
    # Made once: the sampler adds it for every sub-pixel. Not in inference mode, even if first asked for there.
    with torch.inference_mode(False):
        return torch.tensor(-1.0, dtype=dtype, device=device)
