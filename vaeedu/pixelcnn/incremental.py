"""The cached sampler's work for one row of an image, laid out once.

What a row needs falls in two: what depends on the rows above is computed once a row, for all its pixels in a few large
products (`begin_row`); what depends on the pixels to the left, once a pixel (`features`). Every row does the same
work on the same buffers, so all slices are cut beforehand, and a GPU can record the row as one graph.
"""

import abc
from itertools import pairwise
from typing import TYPE_CHECKING, cast

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from vaeedu.pixelcnn.layers import MaskedConv2d
from vaeedu.pixelcnn.masks import feature_colors
from vaeedu.pixelcnn.outputs import scale_levels

if TYPE_CHECKING:
    from vaeedu.pixelcnn.base import PixelModel


class RowProgram(abc.ABC):
    """Draws the next row of n images at each `run`; the subclasses know the networks.

    The caller fills `noise`, and if completing `given` and `known`, all `(W, C, N)`, and then finds `levels`
    `(W, C, N)`; if recording, also the parameters of every pixel in `recorded`, `(W, N, P)`.
    """

    def __init__(self, model: "PixelModel", n: int, *, completing: bool, recording: bool) -> None:
        like, (C, _, W), reach = next(model.parameters()), model.image_shape, 3
        self.model, self.output, self.num_levels, self.width = model, model.output, model.num_levels, W
        self.num_colors, self.completing, self.recording = model.num_colors, completing, recording
        self.noise, self.levels, self.given = (like.new_zeros(W, C, n) for _ in range(3))
        self.known = torch.zeros(W, C, n, dtype=torch.bool, device=like.device)
        self.recorded = like.new_zeros(W, n, model.output.num_parameters)
        # The scaled image: rows above, all columns, and this row, each with a margin of zeros.
        self.above = like.new_zeros(n, reach, W + 2 * reach, C)
        self.row = like.new_zeros(n, reach + W, C)
        self.head = _Head(model.head, n, model.num_colors)
        per_step = model.output.num_parameters // model.num_colors
        channels = [[c] for c in range(C)] if model.num_colors > 1 else [list(range(C))]
        self._plan = [
            [
                (
                    step,
                    self.recorded[j, :, step * per_step : (step + 1) * per_step],
                    self._writes(j, channels[step]),
                )
                for step in range(model.num_colors)
            ]
            for j in range(W)
        ]

    def _writes(
        self, j: int, channels: list[int]
    ) -> list[tuple[int, Tensor, Tensor, Tensor, Tensor, Tensor, Tensor]]:
        views = []
        for c in channels:
            buffers = (
                self.noise[j, c],
                self.levels[j].T,
                self.levels[j, c],
                self.given[j, c],
                self.known[j, c],
            )
            views.append((c, *buffers, self.row[:, j - self.width, c]))
        return views

    @abc.abstractmethod
    def begin_row(self) -> None:
        """Computes what depends on the rows above."""

    @abc.abstractmethod
    def features(self, j: int, step: int) -> Float[Tensor, "N F"]:
        """Computes and returns the features of colour `step` at column j."""

    @abc.abstractmethod
    def end_pixel(self, j: int) -> None:
        """Moves what the next pixel finds to its left."""

    def run(self) -> None:
        """Draws one row."""
        # The row just finished becomes the last of the rows above.
        reach = self.above.shape[1]
        self.above[:, :-1] = self.above[:, 1:].clone()
        self.above[:, -1, reach:-reach] = self.row[:, reach:]
        self.begin_row()
        for j, pixel in enumerate(self._plan):
            for step, recorded, channels in pixel:
                parameters = self.head(self.features(j, step), step)
                if self.recording:
                    recorded.copy_(parameters)
                for c, noise, levels, level, given, known, scaled in channels:
                    self.output.draw(parameters, noise, levels, c, out=level)
                    if self.completing:
                        torch.where(known, given, level, out=level)
                    scale_levels(level, self.num_levels, out=scaled)
            self.end_pixel(j)

    def reset(self) -> None:
        """Forgets all rows."""
        self.above.zero_()
        self.row.zero_()
        self.forget()

    @abc.abstractmethod
    def forget(self) -> None:
        """Forgets the features of all rows."""


class _Head:
    """The two 1×1 convolutions behind the features, colour by colour."""

    def __init__(self, head: nn.Sequential, n: int, num_colors: int) -> None:
        first, second = head[1], head[3]
        first, second = cast("MaskedConv2d", first), cast("MaskedConv2d", second)
        F, P, like = first.in_channels, second.out_channels, first.weight
        ends, P_ends = color_slices(F, num_colors), color_slices(P, num_colors)
        rectified, hidden, parameters = like.new_zeros(n, F), like.new_zeros(n, F), like.new_zeros(n, P)
        self._steps = []
        for s, p in zip(ends, P_ends, strict=True):
            till = slice(0, s.stop)
            self._steps.append(
                (
                    rectified[:, s],
                    (bias(first)[s], rectified[:, till], matrix(first)[till, s].contiguous(), hidden[:, s]),
                    (
                        bias(second)[p],
                        hidden[:, till],
                        matrix(second)[till, p].contiguous(),
                        parameters[:, p],
                    ),
                )
            )

    def __call__(self, features: Float[Tensor, "N F"], step: int) -> Float[Tensor, "N P"]:
        rectified, (bias_1, x, W_1, hidden), (bias_2, h, W_2, parameters) = self._steps[step]
        torch.clamp_min(features, 0, out=rectified)
        torch.addmm(bias_1, x, W_1, out=hidden).relu_()
        return torch.addmm(bias_2, h, W_2, out=parameters)


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
