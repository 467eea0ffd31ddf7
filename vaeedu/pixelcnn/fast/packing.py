"""A network's weights as the cached sampler uses them: masked, transposed and cut by colour, once."""

from itertools import pairwise
from typing import cast

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from vaeedu.pixelcnn.layers import MaskedConv2d
from vaeedu.pixelcnn.masks import feature_colors


def color_slices(num_features: int, num_colors: int) -> list[slice]:
    """Cuts features into runs, one for each colour."""
    counts = feature_colors(num_features, num_colors).bincount(minlength=num_colors)
    ends = [0, *counts.cumsum(0).tolist()]
    return [slice(start, end) for start, end in pairwise(ends)]


def matrix(conv: nn.Conv2d) -> Float[Tensor, "I O"]:
    """Returns a convolution's weights as a matrix to multiply windows by from the right.

    A window runs over columns, then rows, then features. Masked weights are zero.
    """
    weight = conv.masked_weight() if isinstance(conv, MaskedConv2d) else conv.weight
    return window_matrix(weight.detach())


def bias(conv: nn.Conv2d) -> Float[Tensor, " O"]:
    """Returns a convolution's bias."""
    return cast("Tensor", conv.bias).detach()


def label_bias(
    embedding: nn.Embedding | None, y: Tensor | None, size: int, *, like: Tensor
) -> Float[Tensor, "N size"]:
    """Returns what each image's label adds, zero for a model without labels."""
    return like.new_zeros(1, size) if embedding is None or y is None else embedding(y).detach()


def window_matrix(weight: Float[Tensor, "O I h w"]) -> Float[Tensor, "whI O"]:
    """Returns weights as a matrix that multiplies windows, laid out by column, row and feature, from the right."""
    return weight.permute(3, 2, 1, 0).reshape(-1, weight.shape[0]).contiguous()


def convolve(
    rows: Float[Tensor, "N h Wk I"], weight: Float[Tensor, "O I h w"], bias: Tensor | None = None
) -> Float[Tensor, "N W O"]:
    """Convolves a few rows to one, features last: large products are faster as convolutions than as matrices."""
    # Where nothing tells the two layouts apart, the result's may be the wrong one.
    return functional.conv2d(rows.permute(0, 3, 1, 2), weight, bias)[:, :, 0].transpose(1, 2).contiguous()


def windows(rows: Float[Tensor, "Wk N ..."], size: int) -> Float[Tensor, "W N K"]:
    """Lays the windows of `size` adjacent columns side by side, for each column and image."""
    W, n = rows.shape[0] - size + 1, rows.shape[1]
    return rows.flatten(2).unfold(0, size, 1).transpose(2, 3).reshape(W, n, -1)


def channels_last(weight: Float[Tensor, "O I h w"]) -> Float[Tensor, "O I h w"]:
    """Returns weights in the layout in which `convolve` is fastest."""
    return weight.detach().contiguous(memory_format=torch.channels_last)
