"""From grey values in [0, 1] to what discrete likelihoods are about: black or white, and integer levels."""

import torch
from jaxtyping import Float, Int64
from torch import Tensor

from vaeedu import require, sampling

MODES = ("dynamic", "fixed", "threshold")

# Any number would do; it must only stay the same, or every result with mode="fixed" would change.
_FIXED_SEED = 28


def binarize(x: object, mode: str, *, generator: torch.Generator | None = None) -> Float[Tensor, "*shape"]:
    r"""Turns grey values into black and white, the support of a Bernoulli likelihood.

    $$b \sim \text{Bernoulli}(x) \quad\text{or}\quad b = [x > \tfrac12].$$

    Log-likelihoods under different modes are not comparable: on MNIST they differ by nats. So there is no default, and
    every result should say which it used.

    Args:
        x: Values in [0, 1], any shape; a tensor or NumPy array of float32 or float64.
        mode: How.
            `"dynamic"`: a fresh draw at each call, for a new binarisation every epoch.
            `"fixed"`: one draw, always the same: it depends on the shape and values of `x` alone, not on the device,
                the call or any seed. A part of `x` is drawn differently from the whole, so binarise a set before it
                is cut into batches. These are not the published files of "statically binarised MNIST".
            `"threshold"`: 1 where x > ½.
        generator: With `"dynamic"`, the source of randomness; None is torch's global one.

    Returns:
        Zeros and ones, with the shape, dtype and device of `x`.

    Raises:
        ValueError: `x` is not floating-point or leaves [0, 1], `mode` is unknown, or a generator comes with a mode that
            draws nothing from it.

    Reference:
        Salakhutdinov and Murray (2008), On the quantitative analysis of deep belief networks, draw once; Burda, Grosse
        and Salakhutdinov (2016), Importance weighted autoencoders, appendix D, compare.

    >>> binarize(torch.tensor([0.0, 0.4, 0.6, 1.0]), "threshold")
    tensor([0., 0., 1., 1.])
    """
    require.choice("mode", mode, MODES)
    if generator is not None and mode != "dynamic":
        raise ValueError(
            f"generator must be None with mode={mode!r}, which draws nothing from it, but is a torch.Generator: "
            "leave it out, or use mode='dynamic'"
        )
    x = require.unit_interval("x", x)
    if mode == "threshold":
        return (x > 0.5).to(x.dtype)
    if mode == "dynamic":
        return sampling.bernoulli(x, generator=generator)
    # Drawn on the CPU and in float32, because the device and the dtype would change the draw.
    probs = x.to("cpu", torch.float32)
    return sampling.bernoulli(probs, generator=torch.Generator().manual_seed(_FIXED_SEED)).to(x)


def quantize(x: object, num_levels: int) -> Int64[Tensor, "*shape"]:
    r"""Rounds grey values to integer levels, the support of a categorical likelihood.

    $$\ell = \text{round}(x\,(L - 1)) \in \{0, \dots, L - 1\},$$

    a value halfway between two levels to the even one. It undoes ℓ / (L − 1): `digits` have 17 levels, `mnist` and
    `natural_patches` have 256.

    Args:
        x: Values in [0, 1], any shape; a tensor or NumPy array of float32 or float64.
        num_levels: L, between 2 and 65536.

    Returns:
        Levels, with the shape and device of `x`.

    Raises:
        ValueError: `x` is not floating-point or leaves [0, 1], or `num_levels` is out of range.

    >>> quantize(torch.tensor([0.0, 0.3, 0.8, 1.0]), 4)
    tensor([0, 1, 2, 3])
    """
    require.positive_int("num_levels", num_levels, at_most=2**16, because="16 bits a pixel")
    if num_levels < 2:
        raise ValueError("num_levels must be at least 2, but is 1: one level says nothing about x")
    x = require.unit_interval("x", x)
    return (x * (num_levels - 1)).round().long()
