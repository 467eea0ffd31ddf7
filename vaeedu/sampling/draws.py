"""The draws themselves: each with its generator, `loc + scale * eps` written out once."""

import math
from collections.abc import Sequence

import torch
from jaxtyping import Float, Int64, Shaped
from torch import Tensor
from torch.distributions import (
    Bernoulli,
    Categorical,
    Distribution,
    Independent,
    MixtureSameFamily,
    MultivariateNormal,
    Normal,
    OneHotCategorical,
    Uniform,
)


def seeded(seed: int, *, device: str | torch.device = "cpu") -> torch.Generator:
    """Makes a source of randomness: the same seed gives the same draws.

    Args:
        seed: Any whole number.
        device: Where it draws.

    >>> normal((2,), like=torch.zeros(1), generator=seeded(0)).equal(
    ...     normal((2,), like=torch.zeros(1), generator=seeded(0))
    ... )
    True
    """
    return torch.Generator(device).manual_seed(seed)


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
    shape: Sequence[int], *, like: Tensor, generator: torch.Generator | None = None
) -> Float[Tensor, "..."]:
    """Draws u ~ Uniform[0, 1).

    Args:
        shape: The shape of the result.
        like: A tensor whose device and dtype the result takes.
        generator: The source of randomness; None is torch's global one.

    Returns:
        Independent entries, of the given shape.

    >>> u = uniform((10, 100), like=torch.zeros(1), generator=seeded(0))
    >>> bool((u >= 0).all() and (u < 1).all())
    True
    """
    return torch.rand(tuple(shape), dtype=like.dtype, device=like.device, generator=generator)


def integers(
    shape: Sequence[int], num_values: int, *, generator: torch.Generator | None = None
) -> Int64[Tensor, "..."]:
    """Draws whole numbers 0, …, `num_values` − 1, each as likely as the others.

    Args:
        shape: The shape of the result.
        num_values: How many values there are.
        generator: The source of randomness, whose device the result takes: there is no dtype to follow. None is torch's
            global one, on the CPU.

    Returns:
        Independent entries, of the given shape.

    >>> integers((1000,), 3, generator=seeded(0)).unique()
    tensor([0, 1, 2])
    """
    device = None if generator is None else generator.device
    return torch.randint(num_values, tuple(shape), device=device, generator=generator)


def gumbel(
    shape: Sequence[int], *, like: Tensor, generator: torch.Generator | None = None
) -> Float[Tensor, "..."]:
    """Draws standard Gumbel noise g = −log(−log u) with u ~ Uniform(0, 1).

    argmax(logits + g) is then a draw from the categorical distribution with these logits.

    Args:
        shape: The shape of the result.
        like: A tensor whose device and dtype the result takes.
        generator: The source of randomness; None is torch's global one.

    Returns:
        Independent Gumbel(0, 1) entries, of the given shape; always finite.

    Reference:
        Maddison, Tarlow and Minka (2014), A* sampling, section 2.

    >>> bool(gumbel((1000,), like=torch.zeros(1)).isfinite().all())
    True
    """
    # −log u is exponential; torch draws it without ever returning 0, whose logarithm would be infinite.
    waiting_time = torch.empty(tuple(shape), dtype=like.dtype, device=like.device)
    return -waiting_time.exponential_(generator=generator).log()


def categorical(
    probs: Float[Tensor, "*batch L"],
    sample_shape: Sequence[int] = (),
    *,
    generator: torch.Generator | None = None,
) -> Int64[Tensor, "..."]:
    """Draws indices from categorical distributions.

    Args:
        probs: Probabilities, or weights in proportion to them; the last dimension runs over the L outcomes.
        sample_shape: How many independent draws; these dimensions come first.
        generator: The source of randomness; None is torch's global one.

    Returns:
        Indices 0, …, L − 1, of shape `(*sample_shape, *batch)`.

    >>> categorical(torch.tensor([[0.0, 1.0], [1.0, 0.0]]))
    tensor([1, 0])
    """
    *batch, L = probs.shape
    weights = probs.detach().reshape(-1, L)
    drawn = torch.multinomial(weights, math.prod(sample_shape), replacement=True, generator=generator)
    return drawn.T.reshape(*sample_shape, *batch)


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
    # Detached: torch would let a gradient through here, and it would be zero, not an error.
    return torch.bernoulli(probs.detach(), generator=generator)


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


def gamma(
    concentration: Float[Tensor, "*shape"],
    rate: Float[Tensor, "*#shape"],
    sample_shape: Sequence[int] = (),
    *,
    generator: torch.Generator | None = None,
) -> Shaped[Tensor, "..."]:
    """Draws λ ~ Gamma(concentration, rate), with density in proportion to λ^(concentration − 1) exp(−rate λ).

    Args:
        concentration: Positive shapes, often called a.
        rate: Positive rates (not scales), often called b, broadcast against `concentration`. The mean is a / b.
        sample_shape: How many independent draws; these dimensions come first.
        generator: The source of randomness; None is torch's global one.

    Returns:
        Positive samples of shape `(*sample_shape, *shape)`, without a gradient.

    >>> a, b = torch.tensor([2.0, 8.0]), torch.tensor([1.0, 2.0])
    >>> gamma(a, b, (3,), generator=torch.Generator().manual_seed(0)).shape
    torch.Size([3, 2])
    """
    # torch.distributions.Gamma calls the same function, but offers no way to hand it a generator.
    standard = torch._standard_gamma(
        concentration.detach().expand(*sample_shape, *concentration.shape).contiguous(), generator=generator
    )
    return (standard / rate.detach()).clamp(min=torch.finfo(standard.dtype).tiny)


def draw(
    distribution: Distribution, sample_shape: Sequence[int] = (), *, generator: torch.Generator | None = None
) -> Shaped[Tensor, "..."]:
    """Draws from one of torch's distributions with a generator, which their own `sample` does not take.

    Normal families are drawn by `reparameterize` and stay differentiable in their parameters; the discrete ones and
    mixtures are not.

    Args:
        distribution: A Normal, MultivariateNormal, Bernoulli, Categorical, OneHotCategorical or Uniform, an
            `Independent` of one of them, or a `MixtureSameFamily` of these.
        sample_shape: How many independent draws; these dimensions come first.
        generator: The source of randomness; None is torch's global one.

    Returns:
        Samples of shape `(*sample_shape, *batch_shape, *event_shape)`.

    Raises:
        ValueError: The distribution is of a family that the course does not use.

    >>> q = torch.distributions.Normal(torch.zeros(3), torch.ones(3))
    >>> draw(q, (5,), generator=torch.Generator().manual_seed(0)).shape
    torch.Size([5, 3])
    """
    n = tuple(sample_shape)
    match distribution:
        case Independent():
            return draw(distribution.base_dist, n, generator=generator)
        case Normal():
            return reparameterize(distribution.loc, distribution.scale, n, generator=generator)
        case MultivariateNormal():
            shape = (*n, *distribution.batch_shape, *distribution.event_shape)
            eps = normal(shape, like=distribution.loc, generator=generator)
            return distribution.loc + (distribution.scale_tril @ eps[..., None])[..., 0]
        case Uniform():
            low, width = distribution.low, distribution.high - distribution.low
            return low + width * uniform((*n, *low.shape), like=low, generator=generator)
        case Bernoulli():
            return bernoulli(distribution.probs.expand(*n, *distribution.batch_shape), generator=generator)
        case OneHotCategorical():
            index = categorical(distribution.probs, n, generator=generator)
            return torch.nn.functional.one_hot(index, distribution.event_shape[-1]).to(distribution.probs)
        case Categorical():
            return categorical(distribution.probs, n, generator=generator)
        case MixtureSameFamily():
            return _draw_mixture(distribution, n, generator)
    known = (
        "Normal, MultivariateNormal, Uniform, Bernoulli, Categorical, OneHotCategorical and mixtures of them"
    )
    raise ValueError(f"distribution must be one of {known}, but is {type(distribution).__name__}")


def _draw_mixture(
    mixture: MixtureSameFamily, sample_shape: tuple[int, ...], generator: torch.Generator | None
) -> Tensor:
    which = draw(mixture.mixture_distribution, sample_shape, generator=generator)
    each = draw(mixture.component_distribution, sample_shape, generator=generator).detach()
    events = len(mixture.event_shape)
    index = which.reshape(*which.shape, 1, *[1] * events)
    index = index.expand(*which.shape, 1, *mixture.event_shape)
    return each.gather(-1 - events, index).squeeze(-1 - events)
