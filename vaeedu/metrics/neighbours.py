"""What distances between samples tell: precision and recall, repetition, and the density of kernels."""

import math
from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor

from vaeedu import require

# 16 million distances at once, 128 MB, are enough to keep the processor busy.
_AT_ONCE = 2**24


def precision_recall(x: object, samples: object, *, num_neighbours: int = 3) -> tuple[float, float]:
    r"""Estimates the share of samples that lie where data are, and the share of data that lie where samples are.

    A set's region is the union of balls about its points, each as large as the distance to its k-th nearest neighbour
    in the set: dense regions have small balls.

    Args:
        x: Data, or features of data, `(N, D)`.
        samples: Samples, likewise, `(M, D)`.
        num_neighbours: k.

    Returns:
        Precision and recall, each in [0, 1].

    Raises:
        ValueError: A set has no more than k rows, an entry is not finite, or the sets differ in dimensions.

    Reference:
        Kynkäänniemi et al. (2019), Improved precision and recall metric for assessing generative models, eqs. 1 and 2.

    >>> line = torch.arange(6.0)[:, None]
    >>> samples = torch.tensor([[0.5], [1.0], [1.5], [2.0], [99.0], [99.5], [100.0], [100.5]])
    >>> precision_recall(line, samples, num_neighbours=1)
    (0.5, 0.5)
    """
    k = require.positive_int("num_neighbours", num_neighbours)
    a = require.matrix("x", x).double()
    b = require.matrix("samples", samples, num_columns=a.shape[1]).double()
    for name, rows in (("x", a), ("samples", b)):
        if len(rows) <= k:
            raise ValueError(f"{name} must have more than num_neighbours = {k} rows, but has {len(rows)}")
    return _share_inside(b, a, k), _share_inside(a, b, k)


class Birthday(NamedTuple):
    """What `birthday_test` found.

    Attributes:
        num_pairs: Pairs of samples that are taken to be the same.
        support: The estimated number of different samples; infinite where no pair was found.
        at_least: What it is above with a confidence of 95 %, the pairs taken to be rare and independent.
    """

    num_pairs: int
    support: float
    at_least: float


def birthday_test(samples: object, within: float) -> Birthday:
    r"""Estimates how many different samples there are from how often two are the same.

    Among s draws from n equally likely values, $\tfrac{s (s - 1)}{2n}$ pairs are expected to coincide: 23 people for
    365 days give about 0.7. Turned round, $n \approx \tfrac{s (s - 1)}{2\,\text{pairs}}$. Where values are not equally
    likely it is $1 / \sum_i p_i^2$ that is estimated, the effective number.

    Args:
        samples: `(s, D)`.
        within: The largest Euclidean distance at which two are taken to be the same. What distance that is must be
            found by looking at pairs, or from data that are known to differ.

    Returns:
        Pairs, the estimate, and a lower bound.

    Raises:
        ValueError: There are fewer than two samples, an entry is not finite, or the distance is negative.

    Reference:
        Arora and Zhang (2018), Do GANs learn the distribution? Some theory and empirics, section 3.

    >>> birthday_test(torch.tensor([[0.0], [5.0], [0.1], [9.0]]), within=0.2).support
    6.0
    """
    x = require.matrix("samples", samples).double()
    radius = require.non_negative_float("within", within)
    s = len(x)
    if s < 2:
        raise ValueError(f"samples must be at least two, to be compared, but are {s}: draw more")
    found = 0
    for rows in _pieces(x, s):
        found += int((_distances(rows, x) <= radius).sum())
    pairs = (found - s) // 2  # each was counted twice, and each sample is near itself
    from scipy.stats import chi2

    most = float(chi2.ppf(0.95, 2 * pairs + 2)) / 2  # the largest Poisson mean that goes with so few
    return Birthday(pairs, s * (s - 1) / 2 / pairs if pairs else math.inf, s * (s - 1) / 2 / most)


def parzen_log_prob(x: object, samples: object, bandwidth: float) -> Float[Tensor, " N"]:
    r"""Computes the log-density of a mixture of Gaussians about samples: a Parzen window.

    $$\log \hat p(x) = \log \frac1M \sum_m N(x;\ x_m,\ h^2 I) .$$

    It was once reported as "the likelihood of a GAN". In more than a few dimensions it says little about the density
    that the samples come from, whatever M is, and may prefer bad samples to good ones (Theis et al. 2016).

    Args:
        x: Where, `(N, D)`.
        samples: `(M, D)`.
        bandwidth: h.

    Returns:
        `(N,)`, in nats.

    Raises:
        ValueError: The bandwidth is not positive, an entry is not finite, or the dimensions differ.

    Reference:
        Theis, van den Oord and Bethge (2016), A note on the evaluation of generative models, section 3.2.

    >>> parzen_log_prob(torch.zeros(1, 2), torch.zeros(7, 2), 1.0)
    tensor([-1.8379])
    """
    points = require.matrix("x", x)
    centres = require.matrix("samples", samples, num_columns=points.shape[1])
    h = require.positive_float("bandwidth", bandwidth)
    D, M = points.shape[1], len(centres)
    parts = [
        (-0.5 * (_distances(rows, centres.double()) / h).square()).logsumexp(dim=1)
        for rows in _pieces(points.double(), M)
    ]
    return (torch.cat(parts) - math.log(M) - D * math.log(h) - 0.5 * D * math.log(2 * math.pi)).to(points)


def _share_inside(points: Tensor, others: Tensor, k: int) -> float:
    """The share of points that lie in one of the balls about the others."""
    radius = torch.cat([
        _distances(rows, others).kthvalue(k + 1, dim=1).values for rows in _pieces(others, len(others))
    ])  # a point is its own nearest neighbour  # fmt: skip
    inside = [(_distances(rows, others) <= radius).any(dim=1) for rows in _pieces(points, len(others))]
    return float(torch.cat(inside).double().mean())


def _distances(a: Tensor, b: Tensor) -> Tensor:
    # From differences: by products of matrices two equal points would come out as far as 1e-7 apart, or more.
    return torch.cdist(a, b, compute_mode="donot_use_mm_for_euclid_dist")


def _pieces(x: Tensor, num_others: int) -> tuple[Tensor, ...]:
    return x.split(max(1, _AT_ONCE // num_others))
