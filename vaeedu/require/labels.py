"""Validators of what a model is conditioned on."""

import torch
from jaxtyping import Int64
from torch import Tensor


def labels(name: str, value: object, n: int, num_classes: int | None) -> Int64[Tensor, " N"] | None:
    """Checks labels of n examples, for a model that may or may not be conditioned on them.

    Args:
        name: What the argument is called.
        value: `(n,)` whole numbers, or one number for all; None for a model without classes.
        n: How many examples there are.
        num_classes: How many labels the model knows; None for a model without classes.

    Returns:
        The labels, `(n,)`, or None for a model without classes.

    Raises:
        ValueError: Labels are missing, superfluous, out of range or of another shape.

    >>> labels("y", 3, 2, num_classes=10)
    tensor([3, 3])
    """
    if num_classes is None:
        if value is not None:
            raise ValueError(
                f"{name} must be None for a model without num_classes: leave it out, or make one with num_classes"
            )
        return None
    if isinstance(value, int) and not isinstance(value, bool):
        value = torch.full((n,), value)
    if (
        not isinstance(value, Tensor)
        or value.is_floating_point()
        or value.is_complex()
        or value.shape != (n,)
    ):
        got = f"{value.dtype} of shape {tuple(value.shape)}" if isinstance(value, Tensor) else repr(value)
        raise ValueError(f"{name} must be whole numbers of shape ({n},), one for each example, but is {got}")
    if bool(((value < 0) | (value >= num_classes)).any()):
        raise ValueError(
            f"{name} must hold labels 0, …, {num_classes - 1}, but its entries range from {int(value.min())} to "
            f"{int(value.max())}"
        )
    return value.long()
