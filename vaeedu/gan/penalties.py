"""What keeps a critic smooth: penalties on its gradient, and a bound on its layers."""

from collections.abc import Callable

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.utils import parametrizations

from vaeedu import sampling

Critic = Callable[[Tensor], Tensor]


def gradient_penalty(
    critic: Critic,
    x: Float[Tensor, "B ..."],
    samples: Float[Tensor, "B ..."],
    *,
    generator: torch.Generator | None = None,
) -> Float[Tensor, " B"]:
    r"""Computes the penalty of WGAN-GP: how far the slope is from 1, on the way from a sample to a datum.

    $$\big(\lVert \nabla_{\hat x} D(\hat x) \rVert_2 - 1\big)^2, \qquad \hat x = u x + (1 - u) G(z), \quad
      u \sim U(0, 1) \text{ for each pair}.$$

    Args:
        critic: Maps `(B, ...)` to `(B,)` or `(B, 1)`, each example by itself: no batch normalisation.
        x: Data.
        samples: As many samples.
        generator: The source of u.

    Returns:
        `(B,)`; a loss takes their mean, times 10 in the source.

    Raises:
        ValueError: The shapes differ.

    Reference:
        Gulrajani et al. (2017), Improved training of Wasserstein GANs, eq. 3.

    >>> gradient_penalty(lambda x: 3 * x[:, 0], torch.zeros(2, 4), torch.ones(2, 4))
    tensor([4., 4.])
    """
    if x.shape != samples.shape:
        raise ValueError(
            f"samples must have the shape of x, {tuple(x.shape)}, but have {tuple(samples.shape)}: "
            "draw as many samples as there are examples in the batch"
        )
    u = sampling.uniform((len(x), *[1] * (x.ndim - 1)), like=x, generator=generator)
    between = (u * x + (1 - u) * samples).detach()
    return (_slope(critic, between).norm(dim=1) - 1).square()


def r1_penalty(critic: Critic, x: Float[Tensor, "B ..."]) -> Float[Tensor, " B"]:
    r"""Computes the penalty R1: half the squared slope of the critic at the data.

    $$\tfrac12 \lVert \nabla_x D(x) \rVert_2^2 .$$

    Args:
        critic: Maps `(B, ...)` to `(B,)` or `(B, 1)`, logits, each example by itself.
        x: Data.

    Returns:
        `(B,)`; a loss takes their mean, times a weight γ.

    Reference:
        Mescheder, Geiger and Nowozin (2018), Which training methods for GANs do actually converge?, eq. 9.

    >>> r1_penalty(lambda x: 3 * x[:, 0], torch.zeros(2, 4))
    tensor([4.5000, 4.5000])
    """
    return 0.5 * _slope(critic, x.detach()).square().sum(dim=1)


def spectral_norm(critic: nn.Module) -> nn.Module:
    """Divides the weight of each dense and each convolutional layer by its largest singular value (torch's own).

    A composition of layers whose norm is at most 1 is 1-Lipschitz. torch estimates the singular value by one step of
    power iteration at each call in training mode; of a convolution it takes the kernel's, laid out as a matrix.

    Args:
        critic: A network; changed in place.

    Returns:
        The same network.

    Raises:
        ValueError: It has no such layer, or one that is normalised already.

    Reference:
        Miyato et al. (2018), Spectral normalization for generative adversarial networks, eq. 8.

    >>> layer = spectral_norm(nn.Sequential(nn.Linear(4, 3)))[0]
    >>> bool(torch.linalg.matrix_norm(layer.weight, 2) < 1.1)
    True
    """
    layers = [m for m in critic.modules() if isinstance(m, (nn.Linear, nn.Conv2d))]
    if not layers or any(nn.utils.parametrize.is_parametrized(layer) for layer in layers):
        raise ValueError(
            f"critic must have dense or convolutional layers that are not yet normalised, but has {len(layers)}, "
            "some of them normalised: call spectral_norm once"
            if layers
            else "critic must have dense or convolutional layers, but has none"
        )
    for layer in layers:
        parametrizations.spectral_norm(layer)
    return critic


def _slope(critic: Critic, x: Tensor) -> Tensor:
    """The critic's gradient at each example, `(B, D)`, through which one can differentiate again."""
    with torch.enable_grad():
        x = x.requires_grad_()
        (gradient,) = torch.autograd.grad(critic(x).sum(), x, create_graph=True)
    return gradient.flatten(1)
