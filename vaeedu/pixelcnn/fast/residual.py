"""`PixelCNN` as the cached sampler runs it.

Two rearrangements make a pixel cheap, neither of which changes a result by more than rounding:

- Weights are masked, transposed and cut by colour once: the step for colour c computes the features of colour c.
- The pixel to the left and the current one lie side by side: one product for both.
"""

from typing import cast

import torch
from jaxtyping import Float
from torch import Tensor

from vaeedu.pixelcnn.fast.incremental import RowProgram
from vaeedu.pixelcnn.fast.packing import (
    bias,
    channels_last,
    color_slices,
    convolve,
    label_bias,
    matrix,
    window_matrix,
    windows,
)
from vaeedu.pixelcnn.layers import ResidualBlock
from vaeedu.pixelcnn.networks import ResidualNetwork


class ResidualProgram(RowProgram):
    """Draws a row with a residual network."""

    def __init__(
        self,
        model: ResidualNetwork,
        n: int,
        y: Tensor | None,
        *,
        completing: bool = False,
        recording: bool = False,
    ) -> None:
        super().__init__(model, n, completing=completing, recording=recording)
        blocks = cast("list[ResidualBlock]", list(model.blocks))
        like, W, G, L = model.first.weight, self.width, self.num_colors, len(blocks)
        wide = model.first.out_channels
        h = wide // 2
        self.stream, self.rectified = like.new_zeros(W, n, wide), like.new_zeros(L, n, wide)
        # The blocks' bottlenecks: at the pixel to the left and at this one, and in the whole row, with a margin.
        self.pair, self.bottleneck = like.new_zeros(L, n, 2, h), like.new_zeros(W + 2, L, n, h)
        self.left, self.center = self.pair.unbind(dim=2)
        self.bottleneck_at = self.bottleneck[1:-1].unbind()
        self.partial = like.new_zeros(L, W, n, h)
        self.wide_slices, self.slices = color_slices(wide, G), color_slices(h, G)
        weight = model.first.masked_weight()
        reach = weight.shape[-1] // 2
        self.above_first = channels_last(weight[:, :, :reach])
        self.bias_first = bias(model.first) + label_bias(model.first_label, y, wide, like=like)
        left = window_matrix(weight[:, :, reach : reach + 1, : reach + 1])
        self.first = [[self._first_views(left, j, c) for c in range(G)] for j in range(W)]
        if L > 0:
            weights = [block.conv.masked_weight() for block in blocks]
            self.above_blocks = torch.stack([window_matrix(w[:, :, :1]) for w in weights])  # (L, 3h, h)
            biases = [bias(b.conv) + label_bias(b.label, y, h, like=like) for b in blocks]
            self.bias_blocks = torch.stack([b.expand(n, h) for b in biases])[:, None]  # (L, 1, n, h)
        packed = [_pack_block(block) for block in blocks]
        self.blocks = [
            [[self._block_views(i, weights, j, c) for i, weights in enumerate(packed)] for c in range(G)]
            for j in range(W)
        ]

    def _first_views(self, left: Tensor, j: int, color: int) -> tuple[Tensor, Tensor, Tensor]:
        C, reach, s = self.row.shape[2], self.above.shape[1], self.wide_slices[color]
        seen = reach * C + color  # colours before this one, at the pixel itself
        x = self.row.flatten(1)[:, j * C : j * C + seen]
        return self.stream[j, :, s], x, left[:seen, s].contiguous()

    def _block_views(self, i: int, packed: tuple[Tensor, ...], j: int, color: int) -> tuple[Tensor, ...]:
        narrow, narrow_bias, conv, widen = packed
        s, w, h = self.slices[color], self.wide_slices[color], self.slices[-1].stop
        return (
            *(self.stream[j, :, w], self.rectified[i, :, w]),
            *(
                narrow_bias[s],
                self.rectified[i, :, : w.stop],
                narrow[: w.stop, s].contiguous(),
                self.pair[i, :, 1, s],
            ),
            *(
                self.partial[i, j, :, s],
                self.pair[i].flatten(1)[:, : h + s.stop],
                conv[: h + s.stop, s].contiguous(),
            ),
            *(self.partial[i, j, :, : s.stop], widen[: s.stop, w].contiguous()),
        )

    def begin_row(self) -> None:
        """Computes the parts of all masked convolutions that lie above."""
        above = convolve(self.above, self.above_first)
        torch.add(above.transpose(0, 1), self.bias_first, out=self.stream)
        if len(self.pair) > 0:
            L, n, _, h = self.pair.shape
            x = windows(self.bottleneck.flatten(1, 2), 3).view(self.width, L, n, 3 * h)
            x = x.transpose(0, 1).flatten(1, 2) @ self.above_blocks
            torch.add(x.view(L, self.width, n, h), self.bias_blocks, out=self.partial)
        self.pair.zero_()

    def features(self, j: int, step: int) -> Float[Tensor, "N F"]:
        """Computes and returns the stream's features of colour `step` at column j."""
        stream, x, weight = self.first[j][step]
        stream.addmm_(x, weight)
        for h, r, b, r_seen, narrow, pixel, partial, pair, conv, partial_seen, widen in self.blocks[j][step]:
            torch.clamp_min(h, 0, out=r)
            torch.addmm(b, r_seen, narrow, out=pixel).relu_()
            partial.addmm_(pair, conv).relu_()
            h.addmm_(partial_seen, widen)
        return stream

    def end_pixel(self, j: int) -> None:
        """Moves each bottleneck to the left, and into its row."""
        self.left.copy_(self.center)
        self.bottleneck_at[j].copy_(self.center)

    def forget(self) -> None:
        """Forgets the bottlenecks of all rows."""
        self.bottleneck.zero_()


def _pack_block(block: ResidualBlock) -> tuple[Tensor, ...]:
    conv = window_matrix(block.conv.masked_weight()[:, :, 1:2, :2])  # left and centre
    return matrix(block.narrow), bias(block.narrow), conv, matrix(block.widen)
