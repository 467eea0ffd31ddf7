"""What the functions of this package ask of a density that they are given."""

from collections.abc import Callable

import torch
from torch import Tensor


def log_density(name: str, function: Callable[[Tensor], Tensor], z: Tensor) -> Tensor:
    """Evaluates a log-density at `(B, D)` points, and raises a ValueError if what comes back is none."""
    value = function(z)
    if not isinstance(value, Tensor) or value.shape != z.shape[:1]:
        shape = tuple(value.shape) if isinstance(value, Tensor) else type(value).__name__
        raise ValueError(
            f"{name} must return one number for each of the {len(z)} rows, shape ({len(z)},), but returned {shape}: "
            "sum over the last dimension only"
        )
    bad = value.isnan() | (value == torch.inf)
    if bool(bad.any()):
        row = int(bad.nonzero()[0])
        raise ValueError(
            f"{name} must return a log-density, finite or −inf, but returned {value[row].item()} at "
            f"{[round(entry, 4) for entry in z[row].tolist()]}: return −inf where the density is zero"
        )
    return value
