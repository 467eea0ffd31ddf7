"""Known modes: which are met, and by how many samples that are good enough to count."""

from typing import NamedTuple

import torch
from jaxtyping import Int64
from torch import Tensor

from vaeedu import require


class Coverage(NamedTuple):
    """What `mode_coverage` found.

    Attributes:
        num_covered: How many modes are met by good samples.
        quality: The share of samples that are good: near enough to a mode.
        divergence: KL from the good samples' frequencies over modes to equal ones, in nats; log C if only one is met.
        counts: Good samples at each mode, `(C,)`.
    """

    num_covered: int
    quality: float
    divergence: float
    counts: Int64[Tensor, " C"]


def mode_coverage(
    samples: object, modes: object, scale: float, *, within: float = 3.0, min_share: float = 0.1
) -> Coverage:
    r"""Counts modes that samples meet, and samples that meet a mode.

    A sample is *good* if it is within so many standard deviations of a mode; it counts for the nearest. A mode is
    *covered* if it has at least `min_share` of the samples that would be its equal part, $s\,N/C$: one lucky sample
    among thousands is no coverage.

    Args:
        samples: `(N, D)`.
        modes: The centres, `(C, D)`.
        scale: σ, the standard deviation of the data about a centre.
        within: The threshold, in σ.
        min_share: s, in (0, 1]; at least one good sample is always asked for.

    Returns:
        Modes covered, share of good samples, divergence and counts.

    Raises:
        ValueError: A number is not positive, an entry is not finite, or samples and modes differ in dimensions.

    Reference:
        After Srivastava et al. (2017), VEEGAN, section 4.1, which counts a mode that one good sample meets.

    >>> modes = torch.tensor([[0.0, 0.0], [9.0, 0.0]])
    >>> found = mode_coverage(torch.tensor([[0.1, 0.0], [0.0, 0.2], [5.0, 0.0]]), modes, scale=0.1)
    >>> found.num_covered, round(found.quality, 3), found.counts.tolist()
    (1, 0.667, [2, 0])
    """
    x = require.matrix("samples", samples).double()
    centres = require.matrix("modes", modes, num_columns=x.shape[1]).double()
    radius = require.positive_float("scale", scale) * require.positive_float("within", within)
    if require.positive_float("min_share", min_share) > 1:
        raise ValueError(f"min_share must be at most 1, but is {min_share}: an equal part is 1")
    N, C = len(x), len(centres)
    distance, nearest = torch.cdist(x, centres, compute_mode="donot_use_mm_for_euclid_dist").min(dim=1)
    good = distance <= radius
    counts = torch.bincount(nearest[good], minlength=C)
    covered = counts >= max(1.0, min_share * N / C)
    share = counts.double() / counts.sum().clamp(min=1)
    divergence = float((torch.xlogy(share, share) + share * torch.tensor(C).double().log()).sum())
    return Coverage(int(covered.sum()), float(good.double().mean()), max(0.0, divergence), counts)
