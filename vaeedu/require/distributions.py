"""What distributions and their parameters must be."""

import torch
from jaxtyping import Float
from torch import Tensor
from torch.distributions import Distribution

from vaeedu.require.tensors import real, refuse

# In units of ε times the largest entry. A product of matrices such as A Aᵀ rounds its two halves differently, by less
# than this; and the Cholesky factor, which is made of one half only, is off by no more than its own rounding.
_ASYMMETRY = 100


def covariance(
    name: str, value: object, *, size: int | None = None
) -> tuple[Float[Tensor, "*batch K K"], Float[Tensor, "*batch K K"]]:
    """Returns `value` as symmetric, positive definite matrices, sharing its memory, and their Cholesky factors.

    Args:
        name: What the caller calls it.
        value: A tensor or NumPy array of float32 or float64, shape `(..., K, K)`. Entries may differ from their mirror
            images by rounding: 100 ε of the largest entry, with ε the spacing of the dtype's numbers at 1.
        size: The required K, or None for any.

    Raises:
        ValueError: The type, dtype or shape is not as described, an entry is not finite, or a matrix is not symmetric
            or not positive definite.

    >>> covariance("covariance", torch.tensor([[1.0, 2.0], [2.0, 1.0]]))
    Traceback (most recent call last):
    ...
    ValueError: covariance must be positive definite, but its smallest eigenvalue is -1: add a small multiple of the
    identity, or work in fewer dimensions
    """
    matrices = real(name, value)
    if matrices.ndim < 2 or len({*matrices.shape[-2:], size or matrices.shape[-1]}) > 1:
        wanted = "(..., K, K)" if size is None else f"({size}, {size})"
        raise ValueError(
            f"{name} must have shape {wanted}, but has shape {tuple(matrices.shape)}: "
            "use torch.diag(scale**2) for independent coordinates"
        )
    plain = matrices.detach()
    asymmetry = (plain - plain.mT).abs().amax(dim=(-2, -1))
    bound = _ASYMMETRY * torch.finfo(plain.dtype).eps * plain.abs().amax(dim=(-2, -1))
    if bool((asymmetry > bound).any()):
        entry, where = _first(name, asymmetry > bound)
        raise ValueError(
            f"{entry} must be symmetric, but differs from its transpose by {float(asymmetry[where]):.3g}: "
            f"use ({entry} + {entry}.mT) / 2 if that is rounding"
        )
    factors, failed = torch.linalg.cholesky_ex(matrices)
    if bool((failed > 0).any()):
        entry, where = _first(name, failed > 0)
        smallest = float(torch.linalg.eigvalsh(plain[where]).min())
        raise ValueError(
            f"{entry} must be positive definite, but its smallest eigenvalue is {smallest:.3g}: "
            "add a small multiple of the identity, or work in fewer dimensions"
        )
    return matrices, factors


def probabilities(name: str, value: object) -> Float[Tensor, "*batch L"]:
    """Returns `value` as a tensor of probabilities whose last dimension sums to 1, sharing its memory.

    Args:
        name: What the caller calls it.
        value: A tensor or NumPy array of float32 or float64, shape `(..., L)` with L ≥ 1. The sums may differ from 1
            by rounding: 32 ε √L, with ε the spacing of the dtype's numbers at 1.

    Raises:
        ValueError: The type, dtype or shape is not as described, an entry is negative, NaN or infinite, or a sum is
            not 1.

    >>> probabilities("p", torch.tensor([2.0, 6.0]))
    Traceback (most recent call last):
    ...
    ValueError: p must sum to 1 over its last dimension, but a sum is 8: use p / p.sum(-1, keepdim=True)
    """
    p = real(name, value)
    if p.ndim == 0 or p.shape[-1] == 0:
        raise ValueError(
            f"{name} must have shape (..., L) with L outcomes in its last dimension, but has shape {tuple(p.shape)}: "
            "list the probability of every outcome"
        )
    refuse(name, p, p < 0, "hold probabilities of at least 0", f"use torch.softmax({name}, -1) for scores")
    sums = p.detach().sum(dim=-1)
    off = (sums - 1).abs()
    if bool((off > 32 * torch.finfo(p.dtype).eps * p.shape[-1] ** 0.5).any()):
        worst = float(sums.flatten()[off.argmax()])
        raise ValueError(
            f"{name} must sum to 1 over its last dimension, but a sum is {worst:.9g}: "
            f"use {name} / {name}.sum(-1, keepdim=True)"
        )
    return p


def distribution(name: str, value: object, mend: str) -> Distribution:
    """Returns `value`, which the function `name` has returned, if it is a distribution.

    Args:
        name: What the caller calls the function.
        value: What it returned.
        mend: How to mend it; ends the message.

    Raises:
        ValueError: It is something else, such as a tensor of parameters.

    >>> distribution("encoder", torch.zeros(2), "end it with vaeedu.networks.NormalHead")
    Traceback (most recent call last):
    ...
    ValueError: encoder must return a torch.distributions.Distribution, but returned Tensor: end it with
    vaeedu.networks.NormalHead
    """
    if not isinstance(value, Distribution):
        raise ValueError(
            f"{name} must return a torch.distributions.Distribution, but returned {type(value).__name__}: {mend}"
        )
    return value


def _first(name: str, bad: Tensor) -> tuple[str, tuple[int, ...]]:
    """Returns what the first bad matrix of a batch is called, and where it is."""
    where = tuple(bad.nonzero()[0].tolist())
    return (f"{name}[{', '.join(map(str, where))}]" if where else name), where
