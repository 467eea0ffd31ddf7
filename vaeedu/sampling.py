"""Draws whose randomness is an argument.

`torch.distributions` draws from the global generator. Every draw in this course takes a `generator` instead, so that a
run can be repeated and no import or library call disturbs another's randomness.
"""

from collections.abc import Sequence

import torch
from jaxtyping import Float, Int64, Shaped
from torch import Tensor


def normal(
    shape: Sequence[int], *, like: Tensor, generator: torch.Generator | None = None
) -> Float[Tensor, "..."]:
    """Draws standard normal noise ε ~ N(0, I).

    Args:
        shape: The shape of the result.
        like: A tensor whose device and dtype the result takes.
        generator: The source of randomness; None is torch's global one.

    Returns:
        Independent N(0, 1) entries, of the given shape.

    >>> g = torch.Generator().manual_seed(0)
    >>> normal((2, 3), like=torch.zeros(1, dtype=torch.float64), generator=g).dtype
    torch.float64
    """
    return torch.randn(tuple(shape), dtype=like.dtype, device=like.device, generator=generator)


def uniform(
    num_draws: int, *, generator: torch.Generator | None = None, dtype: torch.dtype = torch.float64
) -> Float[Tensor, " N"]:
    """Draws u ~ Uniform[0, 1).

    Args:
        num_draws: N.
        generator: The source of randomness, whose device the result takes; None is torch's global one, on the CPU.
        dtype: Of the result.

    Returns:
        Independent entries, `(N,)`.

    >>> u = uniform(1000, generator=torch.Generator().manual_seed(0))
    >>> bool((u >= 0).all() and (u < 1).all())
    True
    """
    device = None if generator is None else generator.device
    return torch.rand(num_draws, dtype=dtype, device=device, generator=generator)


def integers(
    num_draws: int, num_values: int, *, generator: torch.Generator | None = None
) -> Int64[Tensor, " N"]:
    """Draws whole numbers 0, …, `num_values` − 1, each as likely as the others.

    Args:
        num_draws: N.
        num_values: How many values there are.
        generator: The source of randomness, whose device the result takes; None is torch's global one, on the CPU.

    Returns:
        Independent entries, `(N,)`.

    >>> integers(1000, 3, generator=torch.Generator().manual_seed(0)).unique()
    tensor([0, 1, 2])
    """
    device = None if generator is None else generator.device
    return torch.randint(num_values, (num_draws,), device=device, generator=generator)


def bernoulli(
    probs: Float[Tensor, "*shape"], *, generator: torch.Generator | None = None
) -> Float[Tensor, "*shape"]:
    """Draws x ~ Bernoulli(probs), one for each entry, as floats 0. and 1.

    Args:
        probs: Probabilities in [0, 1], any shape.
        generator: The source of randomness; None is torch's global one.

    Returns:
        A tensor of the shape, dtype and device of `probs`.

    >>> bernoulli(torch.tensor([0.0, 1.0]))
    tensor([0., 1.])
    """
    return torch.bernoulli(probs, generator=generator)


def reparameterize(
    loc: Float[Tensor, "*shape"],
    scale: Float[Tensor, "*#shape"],
    sample_shape: Sequence[int] = (),
    *,
    generator: torch.Generator | None = None,
) -> Shaped[Tensor, "..."]:
    """Draws z = loc + scale · ε with ε ~ N(0, I), so that gradients reach `loc` and `scale`.

    Args:
        loc: Means.
        scale: Standard deviations (not variances), broadcast against `loc`.
        sample_shape: How many independent draws; these dimensions come first.
        generator: The source of randomness; None is torch's global one.

    Returns:
        Samples of shape `(*sample_shape, *shape)`.

    Reference:
        Kingma and Welling (2014), Auto-Encoding Variational Bayes, section 2.4.

    >>> loc = torch.zeros(3, requires_grad=True)
    >>> reparameterize(loc, torch.ones(3), (5,)).sum().backward()
    >>> loc.grad
    tensor([5., 5., 5.])
    """
    eps = normal((*sample_shape, *loc.shape), like=loc, generator=generator)
    return loc + scale * eps
