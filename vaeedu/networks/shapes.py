"""What networks check about shapes, in one place."""

import math
from collections.abc import Sequence

from torch import Tensor, nn

from vaeedu import require


def event_shape(name: str, value: Sequence[int]) -> tuple[int, ...]:
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
    return tuple(require.positive_int(f"{name}[{i}]", size) for i, size in enumerate(value))


def require_event(module: nn.Module, x: Tensor, event: tuple[int, ...]) -> None:
    """Raises where the last dimensions of a module's input are not those it was made for."""
    if tuple(x.shape[x.ndim - len(event) :]) != event or x.ndim < len(event):
        raise ValueError(
            f"the input of this {type(module).__name__} must have shape (..., {', '.join(map(str, event))}), "
            f"but has shape {tuple(x.shape)}: " + _how_to_mend(x, event)
        )


def _how_to_mend(x: Tensor, event: tuple[int, ...]) -> str:
    if x.numel() > 0 and x.numel() % math.prod(event) == 0:
        return f"use x.reshape(-1, {', '.join(map(str, event))})"
    return "make the network for the shape of your data"
