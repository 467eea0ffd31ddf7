"""What the shapes of events must be: those of images, and any others."""

import math
from collections.abc import Sequence

from torch import Tensor

from vaeedu.require.settings import positive_int


def event_shape(name: str, value: object) -> tuple[int, ...]:
    """Returns `value` as a tuple of positive sizes, at least one.

    Raises:
        ValueError: It is no sequence of positive whole numbers, or empty.

    >>> event_shape("event_shape", (0,))
    Traceback (most recent call last):
    ...
    ValueError: event_shape[0] must be a whole number of at least 1, but is 0
    """
    if not isinstance(value, Sequence) or isinstance(value, str) or len(value) == 0:
        raise ValueError(
            f"{name} must be a tuple of sizes such as (20,) or (1, 28, 28), but is {value!r}: "
            f"use ({value},) for a vector"
        )
    return tuple(positive_int(f"{name}[{i}]", size) for i, size in enumerate(value))


def events(name: str, value: object, event: tuple[int, ...]) -> Tensor:
    """Returns `value` if it is a tensor whose last dimensions are `event`, whatever comes before.

    Raises:
        ValueError: It is not.

    >>> import torch
    >>> events("z", torch.zeros(3, 4), (2,))
    Traceback (most recent call last):
    ...
    ValueError: z must have shape (..., 2), but has shape (3, 4): use z.reshape(-1, 2)
    """
    wanted = f"(..., {', '.join(map(str, event))})"
    if not isinstance(value, Tensor):
        raise ValueError(f"{name} must be a tensor of shape {wanted}, but is {type(value).__name__}")
    if value.ndim < len(event) or value.shape[value.ndim - len(event) :] != event:
        raise ValueError(
            f"{name} must have shape {wanted}, but has shape {tuple(value.shape)}: {_how_to_mend(name, value, event)}"
        )
    return value


def _how_to_mend(name: str, x: Tensor, event: tuple[int, ...]) -> str:
    if x.numel() > 0 and x.numel() % math.prod(event) == 0:
        return f"use {name}.reshape(-1, {', '.join(map(str, event))})"
    return "make the network for the shape of your data"
