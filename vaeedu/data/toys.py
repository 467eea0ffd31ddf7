"""Densities in the plane that one can look at: each a few lines of arithmetic on draws.

All return `(N, 2)` float32, independent draws in no order, on the device of the generator. `noise` is a standard
deviation, in the units of the plane; 0 leaves the bare curve.
"""

import math

import torch
from jaxtyping import Float32
from torch import Tensor

from vaeedu import require, sampling


def two_moons(
    num_points: int, *, noise: float = 0.1, generator: torch.Generator | None = None
) -> Float32[Tensor, "N 2"]:
    r"""Draws from two interleaved half circles, each chosen with probability ½.

    $$x = (\cos t, \sin t) \text{ or } (1 - \cos t, \tfrac12 - \sin t), \text{ plus noise}, \quad t \sim U(0, \pi).$$

    Args:
        num_points: N.
        noise: Standard deviation of the normal noise added to both coordinates.
        generator: The source of randomness; None is torch's global one.

    Returns:
        Points, `(N, 2)`.

    Raises:
        ValueError: `num_points` is below 1, or `noise` is negative.

    Reference:
        scikit-learn's `make_moons`, with random in place of evenly spaced angles.

    >>> two_moons(100).shape
    torch.Size([100, 2])
    """
    require.positive_int("num_points", num_points)
    lower = sampling.integers((num_points,), 2, generator=generator).bool()
    t = math.pi * sampling.uniform((num_points,), like=lower.double(), generator=generator)
    x = torch.where(lower, 1 - t.cos(), t.cos())
    y = torch.where(lower, 0.5 - t.sin(), t.sin())
    return _blur(torch.stack([x, y], dim=1), noise, generator)


def eight_gaussians(
    num_points: int, *, noise: float = 0.2, generator: torch.Generator | None = None
) -> Float32[Tensor, "N 2"]:
    r"""Draws from a mixture of eight equal Gaussians on a circle of radius 2.

    $$p(x) = \tfrac18 \sum_{c=0}^{7} N\!\left(x;\ 2\,(\cos\tfrac{\pi c}{4}, \sin\tfrac{\pi c}{4}),\ \sigma^2 I\right).$$

    Args:
        num_points: N.
        noise: σ, the standard deviation of each Gaussian.
        generator: The source of randomness; None is torch's global one.

    Returns:
        Points, `(N, 2)`.

    Raises:
        ValueError: `num_points` is below 1, or `noise` is negative.

    >>> eight_gaussians(100, noise=0.0).norm(dim=1).unique().round(decimals=4).unique()
    tensor([2.])
    """
    require.positive_int("num_points", num_points)
    angle = sampling.integers((num_points,), 8, generator=generator).float() * (math.pi / 4)
    return _blur(2 * _direction(angle), noise, generator)


def grid_of_gaussians(
    num_points: int, *, noise: float = 0.05, generator: torch.Generator | None = None
) -> Float32[Tensor, "N 2"]:
    r"""Draws from a mixture of 25 equal Gaussians on a square grid, 2 apart.

    $$p(x) = \tfrac{1}{25} \sum_{i, j = -2}^{2} N\!\left(x;\ (2i, 2j),\ \sigma^2 I\right).$$

    Args:
        num_points: N.
        noise: σ, the standard deviation of each Gaussian.
        generator: The source of randomness; None is torch's global one.

    Returns:
        Points, `(N, 2)`.

    Raises:
        ValueError: `num_points` is below 1, or `noise` is negative.

    Reference:
        Srivastava et al. (2017), VEEGAN: Reducing mode collapse in GANs using implicit variational learning, section
        4.1.

    >>> len(grid_of_gaussians(1000, noise=0.0).unique(dim=0))
    25
    """
    require.positive_int("num_points", num_points)
    cell = sampling.integers((num_points, 2), 5, generator=generator).float()
    return _blur(2 * (cell - 2), noise, generator)


def pinwheel(
    num_points: int, *, noise: float = 0.1, generator: torch.Generator | None = None
) -> Float32[Tensor, "N 2"]:
    r"""Draws from five Gaussian blades, bent by a rotation that grows with the distance from the middle.

    A blade is stretched along the radius, $r \sim N(1, 0.3^2)$, and thin across it, $s \sim N(0, \sigma^2)$. Blade c
    is turned by $\tfrac{2\pi c}{5} + \tfrac14 e^r$, and the plane is scaled by 2.

    Args:
        num_points: N.
        noise: σ, the standard deviation across a blade, before the scaling.
        generator: The source of randomness; None is torch's global one.

    Returns:
        Points, `(N, 2)`.

    Raises:
        ValueError: `num_points` is below 1, or `noise` is negative.

    Reference:
        Johnson et al. (2016), Composing graphical models with neural networks, figure 1.

    >>> pinwheel(100).shape
    torch.Size([100, 2])
    """
    require.positive_int("num_points", num_points)
    blade = sampling.integers((num_points,), 5, generator=generator)
    # Columns: along the radius, with mean 1 and deviation 0.3, and across it.
    loc = _floats([1.0, 0.0], blade.device).expand(num_points, 2)
    scale = _floats([0.3, require.non_negative_float("noise", noise)], blade.device)
    r, s = sampling.reparameterize(loc, scale, generator=generator).unbind(dim=1)
    outward = _direction(blade.float() * (2 * math.pi / 5) + r.exp() / 4)
    sideways = torch.stack([-outward[:, 1], outward[:, 0]], dim=1)
    return 2 * (r[:, None] * outward + s[:, None] * sideways)


def spirals(
    num_points: int, *, noise: float = 0.1, generator: torch.Generator | None = None
) -> Float32[Tensor, "N 2"]:
    r"""Draws from two spirals wound into each other, one and a half turns each.

    $$x = \pm \tfrac{t}{3} (\cos t, \sin t) + \text{noise}, \qquad t = 3 \pi \sqrt{u}, \quad u \sim U(0, 1).$$

    The root spreads the points evenly along the spiral, whose length grows as t².

    Args:
        num_points: N.
        noise: Standard deviation of the normal noise added to both coordinates.
        generator: The source of randomness; None is torch's global one.

    Returns:
        Points, `(N, 2)`.

    Raises:
        ValueError: `num_points` is below 1, or `noise` is negative.

    >>> bool(spirals(100, noise=0.0).norm(dim=1).max() <= torch.pi)
    True
    """
    require.positive_int("num_points", num_points)
    sign = 2 * sampling.integers((num_points,), 2, generator=generator).double() - 1
    t = 3 * math.pi * sampling.uniform((num_points,), like=sign, generator=generator).sqrt()
    return _blur((sign * t / 3)[:, None] * _direction(t), noise, generator)


def line(
    num_points: int, *, noise: float = 0.5, generator: torch.Generator | None = None
) -> Float32[Tensor, "N 2"]:
    r"""Draws from probabilistic PCA with one latent and two observed dimensions.

    $$x = w z + \mu + \sigma \varepsilon, \quad w = (2, 1), \quad \mu = (1, -1), \quad z \sim N(0, 1), \quad
    \varepsilon \sim N(0, I),$$

    so that x ~ N(μ, w wᵀ + σ² I): variance 5 + σ² along w, and σ² across it.

    Args:
        num_points: N.
        noise: σ.
        generator: The source of randomness; None is torch's global one.

    Returns:
        Points, `(N, 2)`.

    Raises:
        ValueError: `num_points` is below 1, or `noise` is negative.

    Reference:
        Tipping and Bishop (1999), Probabilistic Principal Component Analysis, equation 2.

    >>> x = line(100, noise=0.0)
    >>> torch.allclose(x[:, 0] - 1, 2 * (x[:, 1] + 1), atol=1e-5)
    True
    """
    require.positive_int("num_points", num_points)
    device = torch.device("cpu") if generator is None else generator.device
    w, mu = _floats([2.0, 1.0], device), _floats([1.0, -1.0], device)
    z = sampling.normal((num_points, 1), like=w, generator=generator)
    return _blur(z * w + mu, noise, generator)


def _direction(angle: Tensor) -> Tensor:
    return torch.stack([angle.cos(), angle.sin()], dim=1)


def _blur(loc: Tensor, noise: float, generator: torch.Generator | None) -> Float32[Tensor, "N 2"]:
    sigma = _floats([require.non_negative_float("noise", noise)], loc.device)
    return sampling.reparameterize(loc.float(), sigma, generator=generator)


def _floats(values: list[float], device: torch.device) -> Tensor:
    return torch.tensor(values, dtype=torch.float32, device=device)
