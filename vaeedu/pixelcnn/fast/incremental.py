"""The cached sampler's work for one row of an image, laid out once.

What a row needs falls in two: what depends on the rows above is computed once a row, for all its pixels in a few large
products (`begin_row`); what depends on the pixels to the left, once a pixel (`features`). Every row does the same
work on the same buffers, so all slices are cut beforehand, and a GPU can record the row as one graph.
"""

import abc
from typing import cast

import torch
from jaxtyping import Float
from torch import Tensor, nn

from vaeedu.pixelcnn.core import PixelModel
from vaeedu.pixelcnn.fast.packing import bias, color_slices, matrix
from vaeedu.pixelcnn.fast.threads import suiting
from vaeedu.pixelcnn.layers import MaskedConv2d
from vaeedu.pixelcnn.levels import scale_levels

# A channel and, at its pixel: its noise, all levels, its own, the given one, whether that is known, its scaled level.
_Write = tuple[int, Tensor, Tensor, Tensor, Tensor, Tensor, Tensor]


class RowProgram(abc.ABC):
    """Draws the next row of n images at each `run`; the subclasses know the networks.

    The caller fills `noise`, and if completing `given` and `known`, all `(W, C, N)`, and then finds `levels`
    `(W, C, N)`; if recording, also the parameters of every pixel in `recorded`, `(W, N, P)`.
    """

    def __init__(self, model: PixelModel, n: int, *, completing: bool, recording: bool) -> None:
        like, (C, _, W), reach = next(model.parameters()), model.image_shape, 3
        self.output, self.num_levels, self.width = model.output, model.num_levels, W
        self.num_colors, self.completing, self.recording = model.num_colors, completing, recording
        self.noise, self.levels, self.given = (like.new_zeros(W, C, n) for _ in range(3))
        self.known = torch.zeros(W, C, n, dtype=torch.bool, device=like.device)
        self.recorded = like.new_zeros(W, n, model.num_parameters)
        # The scaled image: rows above, all columns, and this row, each with a margin of zeros.
        self.above = like.new_zeros(n, reach, W + 2 * reach, C)
        self.row = like.new_zeros(n, reach + W, C)
        self.head = _Head(model.head, n, model.num_colors)
        self._plan = [self._plan_pixel(j, model.steps) for j in range(W)]
        # Multiplications in the largest product at a pixel, of all images.
        self._work = n * max(p.numel() for p in model.parameters())

    def _plan_pixel(self, j: int, steps: list[list[int]]) -> list[tuple[int, Tensor, list[_Write]]]:
        """Lists a pixel's steps: the number of each, where its parameters are recorded, what is drawn after it."""
        recorded = self.recorded[j].chunk(len(steps), dim=1)
        return [(k, recorded[k], [self._write(j, c) for c in channels]) for k, channels in enumerate(steps)]

    def _write(self, j: int, c: int) -> _Write:
        levels, scaled = self.levels[j], self.row[:, j - self.width, c]
        return c, self.noise[j, c], levels.T, levels[c], self.given[j, c], self.known[j, c], scaled

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
        with suiting(self.width * self._work):
            self.begin_row()
        with suiting(self._work):
            for j in range(self.width):
                self._draw_pixel(j)

    def _draw_pixel(self, j: int) -> None:
        for step, recorded, channels in self._plan[j]:
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
        first, second = cast("MaskedConv2d", head[1]), cast("MaskedConv2d", head[3])
        F, P, like = first.in_channels, second.out_channels, first.weight
        rectified, hidden, parameters = like.new_zeros(n, F), like.new_zeros(n, F), like.new_zeros(n, P)
        self._steps = []
        for s, p in zip(color_slices(F, num_colors), color_slices(P, num_colors), strict=True):
            seen = slice(0, s.stop)
            into_hidden = (
                bias(first)[s],
                rectified[:, seen],
                matrix(first)[seen, s].contiguous(),
                hidden[:, s],
            )
            out = bias(second)[p], hidden[:, seen], matrix(second)[seen, p].contiguous(), parameters[:, p]
            self._steps.append((rectified[:, s], into_hidden, out))

    def __call__(self, features: Float[Tensor, "N F"], step: int) -> Float[Tensor, "N P"]:
        rectified, (bias_1, x, W_1, hidden), (bias_2, h, W_2, parameters) = self._steps[step]
        torch.clamp_min(features, 0, out=rectified)
        torch.addmm(bias_1, x, W_1, out=hidden).relu_()
        return torch.addmm(bias_2, h, W_2, out=parameters)
