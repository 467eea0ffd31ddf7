"""What the functions of this package ask of their arguments, beyond what `require` has."""

from collections.abc import Callable

import torch
from torch import Tensor

from vaeedu import require


def vector(name: str, value: object, *, length: int | None = None) -> Tensor:
    """Returns `value` as a finite floating-point tensor of shape `(K,)`, or raises a ValueError."""
    wanted = "(K,)" if length is None else f"({length},)"
    shape = tuple(value.shape) if hasattr(value, "shape") else type(value).__name__
    if not hasattr(value, "shape") or len(value.shape) != 1 or (length is not None and shape != (length,)):
        raise ValueError(f"{name} must be a tensor of shape {wanted}, but is {shape}")
    return require.matrix(name, value[None])[0]  # type: ignore[index]


def covariance(name: str, value: object, *, size: int) -> tuple[Tensor, Tensor]:
    """Returns a `(size, size)` covariance and its Cholesky factor, or raises a ValueError."""
    matrix = require.matrix(name, value)
    if matrix.shape != (size, size):
        raise ValueError(f"{name} must have shape {(size, size)}, but has shape {tuple(matrix.shape)}")
    scale = float(matrix.abs().max())
    asymmetry = float((matrix - matrix.T).abs().max())
    if asymmetry > 1e-5 * scale:
        raise ValueError(
            f"{name} must be symmetric, but differs from its transpose by {asymmetry:.1e}: use (A + A.T) / 2"
        )
    factor, failed = torch.linalg.cholesky_ex(matrix)
    if bool(failed):
        smallest = float(torch.linalg.eigvalsh(matrix)[0])
        raise ValueError(
            f"{name} must be positive definite, but its smallest eigenvalue is {smallest:.1e}: "
            "check for a direction without variance, or for a precision in place of a covariance"
        )
    return matrix, factor


def weights(name: str, value: object) -> Tensor:
    """Returns positive probabilities that add up to one, or raises a ValueError."""
    probabilities = vector(name, value)
    if bool((probabilities <= 0).any()):
        raise ValueError(
            f"{name} must be positive, but holds {float(probabilities.min()):.3g}: leave out unused components"
        )
    total = float(probabilities.sum())
    if abs(total - 1.0) > 1e-5:
        raise ValueError(f"{name} must add up to 1, but adds up to {total:.6g}: divide by its sum")
    return probabilities


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
