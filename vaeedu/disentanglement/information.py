"""The mutual information gap."""

from typing import NamedTuple

import torch
from jaxtyping import Float, Int64
from torch import Tensor

from vaeedu import require


class Informations(NamedTuple):
    """What each code entry says of each factor."""

    information: Float[Tensor, "K F"]
    """I(z_k; a_f), in nats."""
    entropy: Float[Tensor, " F"]
    """H(a_f), in nats."""


def mutual_informations(codes: object, factors: object, *, num_bins: int = 20) -> Informations:
    r"""Estimates the mutual information of each code entry with each factor, after cutting both into bins.

    $$I(z_k; a_f) = \sum_{i, j} p_{ij} \log \frac{p_{ij}}{p_{i \cdot}\, p_{\cdot j}}, \qquad
      H(a_f) = -\sum_j p_{\cdot j} \log p_{\cdot j} .$$

    A column with no more than `num_bins` different values keeps them; any other is cut into bins with equally many
    examples each. An estimate from N examples is too high by about (bins − 1)(bins − 1) / 2N nats.

    Args:
        codes: `(N, K)`, such as posterior means.
        factors: `(N, F)`.
        num_bins: At most how many values each keeps.

    Returns:
        `information`, `(K, F)`, and `entropy`, `(F,)`, in nats.

    Raises:
        ValueError: The numbers of rows differ, or there are fewer than two bins.

    >>> a = torch.tensor([[0.0], [0.0], [1.0], [1.0]])
    >>> mutual_informations(a, a).information  # log 2
    tensor([[0.6931]])
    """
    z, a = require.matrix("codes", codes), require.matrix("factors", factors)
    if len(z) != len(a):
        raise ValueError(f"codes and factors must have as many rows, but have {len(z)} and {len(a)}")
    if require.positive_int("num_bins", num_bins) < 2:
        raise ValueError("num_bins must be at least 2, but is 1: one bin says nothing")
    z_bins, a_bins = (
        [_binned(column, num_bins) for column in columns.detach().T.contiguous()] for columns in (z, a)
    )
    information = [[_information(i, j) for j in a_bins] for i in z_bins]
    entropy = [_entropy(j.bincount()) for j in a_bins]
    return Informations(
        torch.tensor(information, dtype=torch.float64).to(z), torch.tensor(entropy, dtype=torch.float64).to(z)
    )


def mig(codes: object, factors: object, *, num_bins: int = 20) -> Float[Tensor, " F"]:
    r"""Computes the mutual information gap of each factor: how much more the best code entry knows than the second.

    $$\mathrm{MIG}_f = \frac{I(z_{(1)}; a_f) - I(z_{(2)}; a_f)}{H(a_f)} .$$

    The published score is the mean over factors. It is 1 where one entry has all of a factor, and no other has
    any; 0 where two share it equally, or nobody has it.

    Args:
        codes: `(N, K)`, K at least 2.
        factors: `(N, F)`.
        num_bins: As of `mutual_informations`.

    Returns:
        `(F,)`, between 0 and 1.

    Raises:
        ValueError: There is one code entry only, or a factor is constant; or as `mutual_informations`.

    Reference:
        Chen, Li, Grosse and Duvenaud (2018), Isolating sources of disentanglement in variational autoencoders,
        equation 6.

    >>> a = torch.tensor([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])
    >>> mig(a, a)
    tensor([1., 1.])
    """
    information, entropy = mutual_informations(codes, factors, num_bins=num_bins)
    if len(information) < 2:
        raise ValueError("codes must have at least two columns: a gap is between the best and the second")
    if bool((entropy == 0).any()):
        raise ValueError(f"factors must vary, but column {int(entropy.argmin())} is constant")
    best = information.topk(2, dim=0).values
    return (best[0] - best[1]) / entropy


def _binned(column: Tensor, num_bins: int) -> Int64[Tensor, " N"]:
    """Which bin each value is in, from 0."""
    values, index = column.unique(return_inverse=True)
    if len(values) <= num_bins:
        return index
    # By rank, so that bins are equally full; equal values have the same rank, and stay together.
    first = torch.searchsorted(column.sort().values, column)
    return first * num_bins // len(column)


def _entropy(counts: Tensor) -> float:
    p = counts[counts > 0].double() / counts.sum()
    return float(-(p * p.log()).sum())


def _information(i: Tensor, j: Tensor) -> float:
    """I = H(i) + H(j) − H(i, j); never below 0, but for rounding."""
    width = int(j.max()) + 1
    joint = (i * width + j).bincount()
    return max(_entropy(i.bincount()) + _entropy(j.bincount()) - _entropy(joint), 0.0)
