"""Causal layers: a masked convolution, the residual block of PixelCNN, and the gated layer of its successor."""

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from vaeedu import require
from vaeedu.networks.autoregressive import gate, label_table
from vaeedu.pixelcnn.masks import causal_mask, feature_colors


class MaskedConv2d(nn.Conv2d):
    """A convolution that sees only what was generated before, of the same height and width as its input.

    The weights are multiplied by the mask in every forward pass, and never overwritten: so their gradients are masked
    too, and a forward pass changes nothing.

    Args:
        in_channels: Number of input features.
        out_channels: Number of output features.
        kernel_size: Odd, or a pair of odd numbers.
        mask_type: `"A"` for the layer that sees the image, `"B"` for the others; see `causal_mask`.
        num_colors: How many sub-pixels, generated one after the other, the features are dealt out to. 1 treats a pixel
            as one.
        bias: Whether there is one.

    Raises:
        ValueError: A number is not positive, the kernel has an even size, or `mask_type` is neither A nor B.

    Reference:
        Van den Oord, Kalchbrenner and Kavukcuoglu (2016), Pixel recurrent neural networks, section 3.4.

    >>> conv = MaskedConv2d(1, 1, 3, mask_type="A", bias=False)
    >>> x = torch.zeros(1, 1, 3, 3, requires_grad=True)
    >>> conv(x)[0, 0, 1, 1].backward()
    >>> x.grad[0, 0] != 0
    tensor([[ True,  True,  True],
            [ True, False, False],
            [False, False, False]])
    """

    mask: Tensor

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: int | tuple[int, int],
        *,
        mask_type: str,
        num_colors: int = 1,
        bias: bool = True,
    ) -> None:
        require.positive_int("in_channels", in_channels)
        require.positive_int("out_channels", out_channels)
        height, width = _odd_pair(kernel_size)
        super().__init__(
            in_channels, out_channels, (height, width), padding=(height // 2, width // 2), bias=bias
        )
        colors = feature_colors(out_channels, num_colors), feature_colors(in_channels, num_colors)
        # Not part of the state: it follows from the arguments.
        self.register_buffer("mask", causal_mask(mask_type, *colors, (height, width)), persistent=False)

    def masked_weight(self) -> Float[Tensor, "O I h w"]:
        """Returns the weights in use."""
        return self.weight * self.mask

    def forward(self, x: Float[Tensor, "B I H W"]) -> Float[Tensor, "B O H W"]:
        """Maps features to features, each from its own and earlier positions."""
        return functional.conv2d(x, self.masked_weight(), self.bias, padding=self.padding)


class ResidualBlock(nn.Module):
    """The block of PixelCNN: a bottleneck with one 3×3 masked convolution, added to its input.

    Args:
        num_channels: h, the width of the bottleneck; the block maps 2h features to 2h.
        num_colors: See `MaskedConv2d`.
        num_classes: Number of labels to be conditioned on, or None.

    Reference:
        Van den Oord, Kalchbrenner and Kavukcuoglu (2016), Pixel recurrent neural networks, figure 5.
    """

    def __init__(self, num_channels: int, *, num_colors: int = 1, num_classes: int | None = None) -> None:
        super().__init__()
        h = num_channels
        self.narrow = MaskedConv2d(2 * h, h, 1, mask_type="B", num_colors=num_colors)
        self.conv = MaskedConv2d(h, h, 3, mask_type="B", num_colors=num_colors)
        self.widen = MaskedConv2d(h, 2 * h, 1, mask_type="B", num_colors=num_colors, bias=False)
        self.label = label_table(num_classes, h)

    def forward(self, x: Float[Tensor, "B F H W"], y: Tensor | None) -> Float[Tensor, "B F H W"]:
        """Maps features and labels to features."""
        h = self.conv(self.narrow(x.relu()).relu())
        if self.label is not None:
            h = h + self.label(y)[:, :, None, None]
        return x + self.widen(h.relu())


class GatedLayer(nn.Module):
    r"""One layer of both stacks of the gated PixelCNN.

    $$v' = \tanh(a) \odot \sigma(b), \quad (a, b) = W_v \star v + y\text{-bias}, \qquad
      h' = h + U\,[\tanh(c) \odot \sigma(d)], \quad (c, d) = W_h \star h + V (a, b) + y\text{-bias}.$$

    At row i the vertical stack v knows all rows above i and nothing of row i. The horizontal stack h adds the pixels to
    the left. Their kernels cover just these rows and columns, so that only the colours of the centre need a mask.

    Args:
        in_channels: Number of input features of both stacks: the image's channels for the first layer.
        num_channels: F, number of output features of each stack.
        kernel_size: k, odd; the vertical kernel is k wide.
        mask_type: `"A"` for the first layer: v then begins above the current row, h to the left of the pixel.
        num_colors: See `MaskedConv2d`.
        num_classes: Number of labels to be conditioned on, or None.
        num_shortcut_channels: Features of the earlier layer that is fed in as well, or None.

    Reference:
        Van den Oord et al. (2016), Conditional image generation with PixelCNN decoders, figure 2; the short cuts are
        those of Salimans et al. (2017), PixelCNN++, section 2.4.
    """

    mask: Tensor

    def __init__(
        self,
        in_channels: int,
        num_channels: int,
        kernel_size: int,
        *,
        mask_type: str,
        num_colors: int = 1,
        num_classes: int | None = None,
        num_shortcut_channels: int | None = None,
    ) -> None:
        super().__init__()
        N, self.reach, self.first = num_channels, kernel_size // 2, mask_type == "A"
        self.vertical = nn.Conv2d(in_channels, 2 * N, (self.reach + (not self.first), kernel_size))
        self.horizontal = nn.Conv2d(in_channels, 2 * N, (1, self.reach + 1), bias=False)
        self.across = nn.Conv2d(2 * N, 2 * N, 1)
        self.out = MaskedConv2d(N, N, 1, mask_type="B", num_colors=num_colors, bias=False)
        self.label = label_table(num_classes, 4 * N)
        gates, features = feature_colors(2 * N, num_colors, num_runs=2), feature_colors(N, num_colors)
        seen = feature_colors(in_channels, num_colors)
        mask = causal_mask(mask_type, gates, seen, (1, self.reach + 1), center=(0, self.reach))
        self.register_buffer("mask", mask, persistent=False)
        self.vertical_shortcut = self.horizontal_shortcut = None
        if num_shortcut_channels is not None:
            self.vertical_shortcut = nn.Conv2d(num_shortcut_channels, 2 * N, 1, bias=False)
            self.horizontal_shortcut = nn.Conv2d(num_shortcut_channels, 2 * N, 1, bias=False)
            shortcut_mask = causal_mask("B", gates, features, (1, 1))
            self.register_buffer("shortcut_mask", shortcut_mask, persistent=False)
        # across() spreads v over all colours of h, so the colours of v need no mask: v knows whole rows.

    def forward(
        self,
        v: Float[Tensor, "B I H W"],
        h: Float[Tensor, "B I H W"],
        y: Tensor | None,
        shortcut: tuple[Tensor, Tensor] | None = None,
    ) -> tuple[Float[Tensor, "B F H W"], Float[Tensor, "B F H W"]]:
        """Maps both stacks' features, labels and the short cut's features to both stacks' features."""
        r = self.reach
        # Above the image come r rows of zeros. In the first layer the last row goes: row i sees i − r, …, i − 1.
        above = self.vertical(functional.pad(v, (r, r, r, -1 if self.first else 0)))
        left = functional.conv2d(functional.pad(h, (r, 0)), self.horizontal.weight * self.mask)
        if self.vertical_shortcut is not None and shortcut is not None:
            above = above + self.vertical_shortcut(shortcut[0])
            left = left + functional.conv2d(shortcut[1], self.masked_shortcut())
        left = left + self.across(above)
        if self.label is not None:
            for_v, for_h = self.label(y)[:, :, None, None].chunk(2, dim=1)
            above, left = above + for_v, left + for_h
        update = self.out(gate(left))
        return gate(above), update if self.first else h + update

    def masked_shortcut(self) -> Float[Tensor, "O I 1 1"]:
        """Returns the weights of the horizontal short cut that are in use."""
        return self.horizontal_shortcut.weight * self.shortcut_mask  # type: ignore[union-attr, operator]


def in_fast_layout(features: Float[Tensor, "B F H W"]) -> Float[Tensor, "B F H W"]:
    """Lays the features of a pixel side by side where convolutions are faster so: on a CPU, and in bfloat16.

    The convolutions behind keep the layout.
    """
    device = features.device.type
    if device == "cpu" or torch.is_autocast_enabled(device):
        return features.contiguous(memory_format=torch.channels_last)
    return features


def _odd_pair(kernel_size: int | tuple[int, int]) -> tuple[int, int]:
    height, width = kernel_size if isinstance(kernel_size, tuple) else (kernel_size, kernel_size)
    for size in (height, width):
        if require.positive_int("kernel_size", size) % 2 == 0:
            raise ValueError(
                f"kernel_size must be odd, so that the kernel has a centre, but is {kernel_size}: use {size + 1}"
            )
    return height, width
