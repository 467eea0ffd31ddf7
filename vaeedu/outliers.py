r"""Is this input unlike what the model has seen? Scores from log-likelihoods, and how well a score tells.

A low p(x) seems to be the mark of an outlier, and often is. But a density compares volumes, not classes: where the data
are spread out, what lies in their middle has a *higher* density than they have. So there are other scores, each of
which repairs something and breaks something else:

- `typicality`: how far log p(x) is from what it usually is, on either side;
- `complexity_corrected`: log p(x) plus the length of a general compressor's code, which is short for simple images;
- `likelihood_ratio`: log p(x) less that of a background model, trained on `corrupted` data, which leaves what is
  particular to the data.

Scores are larger the more an input looks like the data, so that `auroc(inliers, outliers)` is the probability that an
inlier scores higher than an outlier.
"""

import zlib

import torch
from jaxtyping import Float
from torch import Tensor

from vaeedu import require, sampling

_NATS_PER_BYTE = 8 * 0.6931471805599453
_MOST_LEVELS = 256


def auroc(inlier_scores: object, outlier_scores: object) -> float:
    r"""Computes the area under the ROC curve: how often an inlier scores higher than an outlier.

    $$\mathrm{AUROC} = P(s > t) + \tfrac12 P(s = t), \quad s \text{ an inlier's score}, \; t \text{ an outlier's}.$$

    1 tells them apart, ½ is guessing, and less than ½ prefers the outliers. Only the order of the scores matters. It is
    the Mann-Whitney statistic over the number of pairs, computed from ranks in O(n log n).

    Args:
        inlier_scores: `(N,)`.
        outlier_scores: `(M,)`.

    Returns:
        A number in [0, 1].

    Raises:
        ValueError: A score is not a finite number, or there is none.

    Reference:
        Hanley and McNeil (1982), The meaning and use of the area under a receiver operating characteristic curve.

    >>> auroc(torch.tensor([3.0, 2.0]), torch.tensor([1.0, 2.0]))
    0.875
    """
    s, t = (
        require.vector("inlier_scores", inlier_scores).double(),
        require.vector("outlier_scores", outlier_scores).double(),
    )
    sorted_t = t.sort().values
    below = torch.searchsorted(sorted_t, s, right=False)  # how many outliers score less than each inlier
    not_above = torch.searchsorted(sorted_t, s, right=True)
    return float((below + not_above).double().mean() / 2 / len(t))


def typicality(log_prob: object, reference_log_prob: object) -> Float[Tensor, " N"]:
    r"""Scores inputs by how near their log-likelihood is to what is usual: $-\lvert \log p(x) - \bar\ell \rvert$.

    $\bar\ell$ is the mean log-likelihood of data that the model was *not* trained on, an estimate of minus its entropy.
    By the law of large numbers data of many independent parts nearly always have log p(x) near it, though higher values
    exist.

    Args:
        log_prob: log p(x) of the inputs, `(N,)`, in nats.
        reference_log_prob: log p(x) of held-out data, `(M,)`, in nats.

    Returns:
        `(N,)`, in nats; 0 is the most typical.

    Raises:
        ValueError: A value is not finite, or there is no reference.

    Reference:
        Nalisnick, Matsukawa, Teh and Lakshminarayanan (2019), Detecting out-of-distribution inputs to deep generative
        models using typicality; here for single inputs.

    >>> typicality(torch.tensor([-11.0, -8.0, -13.0]), torch.tensor([-9.0, -11.0]))
    tensor([-1., -2., -3.])
    """
    values, reference = (
        require.vector("log_prob", log_prob),
        require.vector("reference_log_prob", reference_log_prob),
    )
    return -(values - reference.mean().to(values)).abs()


def complexity(levels: Tensor) -> Float[Tensor, " N"]:
    """Measures how long each image's code is, in nats, under a general compressor (zlib, level 9).

    The code of the empty string, a few bytes that every code has, is taken off.

    Args:
        levels: Whole numbers 0 to 255, `(N, C, H, W)`.

    Returns:
        `(N,)`, in nats, float32.

    Raises:
        ValueError: They are no images of whole numbers 0 to 255.

    >>> flat, noise = torch.zeros(1, 1, 8, 8).long(), torch.arange(64).reshape(1, 1, 8, 8)
    >>> bool(complexity(flat) < complexity(noise))
    True
    """
    require.levels("levels", levels, _image_shape(levels), _MOST_LEVELS)
    empty = len(zlib.compress(b"", 9))
    rows = levels.cpu().to(torch.uint8).flatten(1)
    lengths = [len(zlib.compress(row.numpy().tobytes(), 9)) - empty for row in rows]
    return torch.tensor(lengths, dtype=torch.float32) * _NATS_PER_BYTE


def complexity_corrected(log_prob: object, levels: Tensor) -> Float[Tensor, " N"]:
    r"""Scores inputs by their log-likelihood plus the length of their code: $\log p(x) + L(x)$, in nats.

    A likelihood ratio with a general compressor as the other model: simple inputs, which every model likes, lose their
    advantage.

    Args:
        log_prob: log p(x), `(N,)`, in nats.
        levels: The images that it is of, whole numbers 0 to 255, `(N, C, H, W)`.

    Returns:
        `(N,)`, in nats.

    Raises:
        ValueError: As `complexity`, or there is not one log-likelihood for each image.

    Reference:
        Serrà, Álvarez, Gómez, Slizovskaia, Núñez and Luque (2020), Input complexity and out-of-distribution detection
        with likelihood-based generative models, eq. 2, with the sign turned.
    """
    values = require.vector("log_prob", log_prob, length=len(levels))
    return values + complexity(levels).to(values)


def likelihood_ratio(log_prob: object, background_log_prob: object) -> Float[Tensor, " N"]:
    r"""Scores inputs by $\log p(x) - \log p_0(x)$, where $p_0$ models only what is common to all such inputs.

    Args:
        log_prob: log p(x), `(N,)`, in nats.
        background_log_prob: log p₀(x) of the same inputs, `(N,)`, in nats; a model of the same kind, trained on
            `corrupted` data.

    Returns:
        `(N,)`, in nats.

    Raises:
        ValueError: A value is not finite, or the two differ in number.

    Reference:
        Ren, Liu, Fertig, Snoek, Poplin, DePristo, Dillon and Lakshminarayanan (2019), Likelihood ratios for
        out-of-distribution detection, eq. 4.

    >>> likelihood_ratio(torch.tensor([-5.0]), torch.tensor([-7.0]))
    tensor([2.])
    """
    values = require.vector("log_prob", log_prob)
    return values - require.vector("background_log_prob", background_log_prob, length=len(values)).to(values)


def corrupted(
    levels: Tensor, rate: float, num_levels: int, *, generator: torch.Generator | None = None
) -> Tensor:
    """Replaces each value, with a probability, by one drawn uniformly from all levels: data for a background model.

    Args:
        levels: Whole numbers 0 to L − 1, `(N, C, H, W)`.
        rate: The probability of being replaced, in [0, 1].
        num_levels: L.
        generator: The source of randomness; None is torch's global one.

    Raises:
        ValueError: `rate` is no probability, or a level is out of range.

    >>> corrupted(torch.ones(1, 1, 1, 3).long(), 0.0, 4)
    tensor([[[[1, 1, 1]]]])
    """
    L = require.positive_int("num_levels", num_levels)
    if not 0.0 <= require.finite_float("rate", rate) <= 1.0:
        raise ValueError(f"rate must be a probability, in [0, 1], but is {rate}")
    require.levels("levels", levels, _image_shape(levels), L)
    like = torch.empty(0, device=levels.device)
    replaced = sampling.uniform(levels.shape, like=like, generator=generator) < rate
    fresh = sampling.integers(levels.shape, L, generator=generator)
    return torch.where(replaced, fresh.to(levels), levels)


def _image_shape(levels: Tensor) -> tuple[int, int, int]:
    return require.image_shape("an image's shape", tuple(levels.shape[1:]))
