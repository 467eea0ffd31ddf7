"""Convolutions down, transposed convolutions up: four with a dense layer between, or nothing but convolutions."""

import itertools
import math
from collections.abc import Sequence
from typing import NamedTuple

from jaxtyping import Float
from torch import Tensor, nn

from vaeedu import require

_NUM_LAYERS = 4
_SMALL = 4


class _Level(NamedTuple):
    """A convolution's stride, and the size of what it makes."""

    stride: int
    height: int
    width: int


def conv_encoder(image_shape: Sequence[int], num_features: int, *, num_channels: int = 32) -> nn.Sequential:
    """Makes four convolutions that shrink an image, and a dense layer that gives its features.

    A convolution halves the image (kernel 4, stride 2) as long as both sides are longer than 4 pixels, and then keeps
    its size (kernel 3, stride 1). The sides of MNIST's images become 28, 14, 7, 3, 3, those of the 8×8 digits 8, 4, 4,
    4, 4. The last two convolutions have twice the channels. ReLU follows each; nothing follows the dense layer.

    Args:
        image_shape: `(C, H, W)`.
        num_features: F, the length of the output.
        num_channels: Channels of the first two convolutions.

    Returns:
        A network that maps `(..., C, H, W)` to `(..., F)`.

    Raises:
        ValueError: `image_shape` is not three positive sizes, or a number is not positive and whole; when called, the
            input ends in another shape.

    >>> import torch
    >>> conv_encoder((1, 28, 28), 20)(torch.zeros(5, 1, 28, 28)).shape
    torch.Size([5, 20])
    """
    C, H, W = require.image_shape("image_shape", image_shape)
    require.positive_int("num_features", num_features)
    levels, channels = _plan(C, H, W, num_channels)
    layers: list[nn.Module] = []
    for (num_in, num_out), level in zip(itertools.pairwise(channels), levels[1:], strict=True):
        kernel_size = _kernel_size(level.stride)
        layers += [nn.Conv2d(num_in, num_out, kernel_size, stride=level.stride, padding=1), nn.ReLU()]
    small = (channels[-1], levels[-1].height, levels[-1].width)
    body = KeepLeading(nn.Sequential(*layers), (C, H, W))
    return nn.Sequential(body, nn.Flatten(-3), nn.Linear(math.prod(small), num_features))


def conv_decoder(num_features: int, image_shape: Sequence[int], *, num_channels: int = 32) -> nn.Sequential:
    """Makes a dense layer and four transposed convolutions that grow its output into an image.

    The mirror image of `conv_encoder`: the same sizes, backwards. Where a transposed convolution doubles the sides its
    kernel is 4, a multiple of the stride, so that every pixel is written equally often and no checkerboard shows
    (Odena et al. 2016). ReLU follows all layers but the last, whose output may be any real number: logits or means.

    Args:
        num_features: F, the length of the input.
        image_shape: `(C, H, W)`.
        num_channels: Channels before the last transposed convolution.

    Returns:
        A network that maps `(..., F)` to `(..., C, H, W)`.

    Raises:
        ValueError: `image_shape` is not three positive sizes, or a number is not positive and whole.

    Reference:
        Odena, Dumoulin and Olah (2016), Deconvolution and checkerboard artifacts, Distill.

    >>> import torch
    >>> conv_decoder(20, (1, 28, 28))(torch.zeros(3, 5, 20)).shape
    torch.Size([3, 5, 1, 28, 28])
    """
    require.positive_int("num_features", num_features)
    C, H, W = require.image_shape("image_shape", image_shape)
    levels, channels = _plan(C, H, W, num_channels)
    small = (channels[-1], levels[-1].height, levels[-1].width)
    layers: list[nn.Module] = []
    for i in reversed(range(_NUM_LAYERS)):
        layers += [nn.ReLU(), _up(channels[i + 1], channels[i], levels[i + 1], levels[i])]
    dense = nn.Sequential(nn.Linear(num_features, math.prod(small)), nn.Unflatten(-1, small))
    return nn.Sequential(dense, KeepLeading(nn.Sequential(*layers), small))


def fully_conv_encoder(
    image_shape: Sequence[int], num_features: int, *, num_channels: int = 16
) -> nn.Sequential:
    """Makes an encoder of nothing but convolutions, with batch normalisation.

    Convolutions of kernel 4 and stride 2 halve the image until its sides are 4, with C, 2C, 4C, … channels; a last one
    of kernel 4, without padding, looks at all that is left and leaves one pixel with a channel for each feature: what a
    dense layer would do, in the same numbers. SiLU follows each but the last, batch normalisation comes before it in
    all but the first (Radford et al. 2016).

    In training mode an output depends on the other images of the batch, through their mean and variance; call
    `model.eval()` before anything is measured.

    Args:
        image_shape: `(C, H, W)`, with H = W = 8, 16, 32, 64, …
        num_features: F, the length of the output.
        num_channels: Channels of the first convolution; they double from one to the next.

    Returns:
        A network that maps `(..., C, H, W)` to `(..., F)`.

    Raises:
        ValueError: The sides are not 4 · 2ⁿ with n ≥ 1, or a number is not positive and whole.

    Reference:
        Radford, Metz and Chintala (2016), Unsupervised representation learning with deep convolutional generative
        adversarial networks.

    >>> import torch
    >>> fully_conv_encoder((3, 32, 32), 20)(torch.zeros(5, 3, 32, 32)).shape
    torch.Size([5, 20])
    """
    F = require.positive_int("num_features", num_features)
    channels = _doubling(image_shape, num_channels)
    layers: list[nn.Module] = []
    for i, (num_in, num_out) in enumerate(itertools.pairwise(channels)):
        layers.append(nn.Conv2d(num_in, num_out, 4, stride=2, padding=1))
        layers += [nn.BatchNorm2d(num_out), nn.SiLU()] if i > 0 else [nn.SiLU()]
    layers.append(nn.Conv2d(channels[-1], F, _SMALL))
    body = KeepLeading(nn.Sequential(*layers), require.image_shape("image_shape", image_shape))
    return nn.Sequential(body, nn.Flatten(-3))


def fully_conv_decoder(
    num_features: int, image_shape: Sequence[int], *, num_channels: int = 16
) -> nn.Sequential:
    """Makes a decoder of nothing but transposed convolutions, the mirror image of `fully_conv_encoder`.

    A code is an image of one pixel with a channel for each entry. The first transposed convolution, kernel 4, makes it
    an image of 4×4 pixels; each further one doubles the sides. Batch normalisation and SiLU follow all but the last.

    Args:
        num_features: F, the length of the input.
        image_shape: `(C, H, W)`, with H = W = 8, 16, 32, 64, …
        num_channels: Channels before the last transposed convolution.

    Returns:
        A network that maps `(..., F)` to `(..., C, H, W)`.

    Raises:
        ValueError: As `fully_conv_encoder`.

    >>> import torch
    >>> fully_conv_decoder(20, (3, 32, 32))(torch.zeros(2, 5, 20)).shape
    torch.Size([2, 5, 3, 32, 32])
    """
    F = require.positive_int("num_features", num_features)
    channels = _doubling(image_shape, num_channels)
    first = nn.ConvTranspose2d(F, channels[-1], _SMALL)
    # Each of its outputs is a sum of F terms. Torch's start takes it for one of 16 times as many channels, which is
    # too small by far.
    nn.init.uniform_(first.weight, -(F**-0.5), F**-0.5)
    layers: list[nn.Module] = [first]
    for num_out, num_in in reversed(list(itertools.pairwise(channels))):
        layers += [
            nn.BatchNorm2d(num_in),
            nn.SiLU(),
            nn.ConvTranspose2d(num_in, num_out, 4, stride=2, padding=1),
        ]
    return nn.Sequential(nn.Unflatten(-1, (F, 1, 1)), KeepLeading(nn.Sequential(*layers), (F, 1, 1)))


class KeepLeading(nn.Module):
    """Lets a network that knows one batch dimension, as torch's convolutions do, keep any number of them.

    Args:
        network: Maps `(B, C, H, W)` to `(B, ...)`.
        input_shape: `(C, H, W)`.

    Raises:
        ValueError: When called, the input ends in another shape.
    """

    def __init__(self, network: nn.Module, input_shape: tuple[int, int, int]) -> None:
        super().__init__()
        self.network, self.input_shape = network, input_shape

    def forward(self, x: Float[Tensor, "*batch C H W"]) -> Float[Tensor, "*batch c h w"]:
        """Maps `(..., C, H, W)` to `(..., c, h, w)`."""
        require.events("x", x, self.input_shape)
        leading = x.shape[:-3]
        y = self.network(x.reshape(math.prod(leading), *self.input_shape))
        return y.reshape(*leading, *y.shape[1:])


def _plan(C: int, H: int, W: int, num_channels: int) -> tuple[list[_Level], list[int]]:
    """Returns the size of the image and of each of the four layers, and their channels."""
    require.positive_int("num_channels", num_channels)
    levels = [_Level(1, H, W)]
    for _ in range(_NUM_LAYERS):
        _, h, w = levels[-1]
        # floor((n + 2 − 4) / 2) + 1 = floor(n / 2) where the kernel is 4 and the padding 1
        levels.append(_Level(2, h // 2, w // 2) if min(h, w) > _SMALL else _Level(1, h, w))
    return levels, [C, num_channels, num_channels, 2 * num_channels, 2 * num_channels]


def _doubling(image_shape: Sequence[int], num_channels: int) -> list[int]:
    """Returns the channels of the image, and of what each convolution with stride 2 makes until the sides are 4."""
    C, H, W = require.image_shape("image_shape", image_shape)
    first = require.positive_int("num_channels", num_channels)
    num_layers = (H // _SMALL).bit_length() - 1
    if H != W or num_layers < 1 or _SMALL * 2**num_layers != H:
        raise ValueError(
            f"image_shape must have equal sides of 8, 16, 32, 64 or so, which can be halved until 4 are left, "
            f"but is {(C, H, W)}: pad the images, or use conv_encoder and conv_decoder"
        )
    return [C, *(first * 2**i for i in range(num_layers))]


def _kernel_size(stride: int) -> int:
    return 4 if stride == 2 else 3


def _up(num_in: int, num_out: int, level: _Level, target: _Level) -> nn.ConvTranspose2d:
    """A transposed convolution from one level to the larger one it came from."""
    odd = (target.height - level.stride * level.height, target.width - level.stride * level.width)
    kernel_size = _kernel_size(level.stride)
    # floor(n / 2) forgot whether n was odd: the output padding remembers.
    return nn.ConvTranspose2d(
        num_in, num_out, kernel_size, stride=level.stride, padding=1, output_padding=odd
    )
