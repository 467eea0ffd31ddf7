"""Generators and critics of the usual shapes."""

import math
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from vaeedu import require
from vaeedu.gan.model import GAN
from vaeedu.gan.penalties import spectral_norm
from vaeedu.networks import mlp


def mlp_gan(
    num_features: int,
    *,
    num_latents: int = 8,
    num_hidden: Sequence[int] = (128, 128),
    num_waves: int = 0,
    num_code_waves: int = 0,
    normalise: bool = False,
    **options: Any,
) -> GAN:
    """Makes a GAN of two multilayer perceptrons of the same hidden sizes, for data in rows.

    Args:
        num_features: D.
        num_latents: K.
        num_hidden: The hidden sizes, from the code on; the critic's are the same, backwards.
        num_waves: How many octaves of `Waves` the critic sees beside x: for data with fine detail.
        num_code_waves: How many octaves the generator sees beside z: for data in many separate places, between which
            it has to be steep.
        normalise: Whether the critic's layers are divided by their spectral norm.
        **options: Those of `GAN`.

    Returns:
        A model that draws `(N, D)`, initialised from torch's global generator.

    Raises:
        ValueError: A size is not a positive whole number; or as `GAN`.

    >>> mlp_gan(2, r1=0.1).sample(3).shape
    torch.Size([3, 2])
    """
    D = require.positive_int("num_features", num_features)
    K = require.positive_int("num_latents", num_latents)
    require.non_negative_int("num_code_waves", num_code_waves)  # else Waves would call it num_waves
    generator = _wavy_mlp(Waves(num_code_waves), [K, *num_hidden, D])
    critic = _wavy_mlp(Waves(num_waves), [D, *reversed(num_hidden), 1])
    return GAN(generator, spectral_norm(critic) if normalise else critic, num_latents=K, **options)


def conv_gan(
    image_shape: Sequence[int],
    *,
    num_latents: int = 32,
    num_channels: int = 16,
    normalise: bool = False,
    **options: Any,
) -> GAN:
    """Makes a GAN of transposed convolutions and convolutions, for images whose sides are multiples of 4.

    The generator: a dense layer to 4c channels of a quarter of the sides, two transposed convolutions (kernel 4, stride
    2) to 2c and c, a convolution (kernel 3), with batch normalisation and ReLU before each of the three, a sigmoid, so
    that grey values lie in (0, 1). The critic: two convolutions (kernel 4, stride 2) with c and 2c channels, one
    (kernel 3) with 4c, leaky ReLU after each, a dense layer; no batch normalisation, so that its slope belongs to one
    image. It sees 2x − 1. Its third convolution is what samples of MNIST gained most by: see `benchmarks/gan.py`.

    Args:
        image_shape: `(C, H, W)`.
        num_latents: K.
        num_channels: c.
        normalise: Whether the critic's layers are divided by their spectral norm.
        **options: Those of `GAN`.

    Returns:
        A model that draws `(N, C, H, W)`, initialised from torch's global generator.

    Raises:
        ValueError: A side is no multiple of 4, or a number is not positive and whole; or as `GAN`.

    Reference:
        After Radford, Metz and Chintala (2016), Unsupervised representation learning with deep convolutional generative
        adversarial networks.

    >>> conv_gan((1, 8, 8), num_channels=2).sample(3).shape
    torch.Size([3, 1, 8, 8])
    """
    C, H, W = require.image_shape("image_shape", image_shape)
    if H % 4 or W % 4:
        raise ValueError(
            f"image_shape must have sides that are multiples of 4, but is {(C, H, W)}: crop or pad"
        )
    K, c = (
        require.positive_int("num_latents", num_latents),
        require.positive_int("num_channels", num_channels),
    )
    small = (4 * c, H // 4, W // 4)
    generator = nn.Sequential(
        nn.Linear(K, math.prod(small)),
        nn.Unflatten(1, small),
        *(nn.BatchNorm2d(4 * c), nn.ReLU(), nn.ConvTranspose2d(4 * c, 2 * c, 4, 2, 1)),
        *(nn.BatchNorm2d(2 * c), nn.ReLU(), nn.ConvTranspose2d(2 * c, c, 4, 2, 1)),
        *(nn.BatchNorm2d(c), nn.ReLU(), nn.Conv2d(c, C, 3, padding=1)),
        nn.Sigmoid(),
    )
    critic = nn.Sequential(
        Centred(),
        *(nn.Conv2d(C, c, 4, 2, 1), _leaky()),
        *(nn.Conv2d(c, 2 * c, 4, 2, 1), _leaky()),
        *(nn.Conv2d(2 * c, 4 * c, 3, padding=1), _leaky()),
        *(nn.Flatten(), nn.Linear(4 * c * (H // 4) * (W // 4), 1)),
    )
    return GAN(generator, spectral_norm(critic) if normalise else critic, num_latents=K, **options)


class Waves(nn.Module):
    r"""Adds to numbers their sines and cosines at frequencies 1, 2, 4, …: features in which fine detail is large.

    Without them a network learns what is coarse first, and what is fine very late.

    Args:
        num_waves: How many octaves.

    Raises:
        ValueError: It is negative or no whole number.

    Reference:
        Tancik et al. (2020), Fourier features let networks learn high frequency functions in low dimensional domains.

    >>> Waves(2)(torch.zeros(5, 3)).shape
    torch.Size([5, 15])
    """

    def __init__(self, num_waves: int) -> None:
        super().__init__()
        self.num_waves = require.non_negative_int("num_waves", num_waves)

    def forward(self, x: Tensor) -> Tensor:
        """Maps `(..., D)` to `(..., D (1 + 2 num_waves))`."""
        angles = [2**octave * x for octave in range(self.num_waves)]
        return torch.cat([x, *(wave(angle) for angle in angles for wave in (torch.sin, torch.cos))], dim=-1)


class Centred(nn.Module):
    """Maps grey values in [0, 1] to [−1, 1]."""

    def forward(self, x: Tensor) -> Tensor:
        """Returns 2x − 1."""
        return 2 * x - 1


def _wavy_mlp(waves: Waves, sizes: list[int]) -> nn.Sequential:
    first, *others = sizes
    layers = mlp([first * (1 + 2 * waves.num_waves), *others], activation=_leaky)
    return nn.Sequential(waves, *layers) if waves.num_waves else layers


def _leaky() -> nn.Module:
    return nn.LeakyReLU(0.2)
