"""`GatedPixelCNN` as the cached sampler runs it.

Beside the two rearrangements of `residual`, a third makes a pixel cheap: tanh(a) σ(b) = −(r − 2 s r) with s = σ(2a) and
r = σ(b). That is one call for both factors of a gate, and of a function many times as fast as tanh. The factors are
folded into the weights before and behind, so gated features are held negated.
"""

from typing import cast

import torch
from jaxtyping import Float
from torch import Tensor

from vaeedu.networks.autoregressive import negated_gate
from vaeedu.pixelcnn.fast.incremental import RowProgram
from vaeedu.pixelcnn.fast.packing import (
    bias,
    channels_last,
    color_slices,
    convolve,
    label_bias,
    matrix,
    window_matrix,
)
from vaeedu.pixelcnn.layers import GatedLayer
from vaeedu.pixelcnn.networks import GatedNetwork


class GatedProgram(RowProgram):
    """Draws a row with a gated network."""

    def __init__(
        self,
        model: GatedNetwork,
        n: int,
        y: Tensor | None,
        *,
        completing: bool = False,
        recording: bool = False,
    ) -> None:
        super().__init__(model, n, completing=completing, recording=recording)
        layers = cast("list[GatedLayer]", list(model.layers))
        N, L, W, G = layers[0].out.out_channels, len(layers), self.width, self.num_colors
        like, self.sources = layers[0].out.weight, model.shortcut_from
        self.slices = color_slices(N, G)
        # Vertical features of every layer but the last, negated: in the row above and this one, for all columns.
        self.v = like.new_zeros(L - 1, n, 2, W + 2, N)
        # Horizontal features of every layer, at the pixel to the left and at this one.
        self.pair = like.new_zeros(L, n, 2, N)
        self.left, self.center = self.pair.unbind(dim=2)
        self.result = [self.center[-1, :, s] for s in self.slices]
        self.partial, self.gated = like.new_zeros(L, W, n, 2 * N), like.new_zeros(L, n, N)
        self.nothing = like.new_zeros(n, N)  # the first layer has no features to add to
        self.packed = [_PackedLayer(layer, y, self.slices) for layer in layers]
        self.views = [[[self._views(i, j, c) for i in range(L)] for c in range(G)] for j in range(W)]

    def _views(self, i: int, j: int, color: int) -> tuple[list[tuple[Tensor, Tensor]], tuple[Tensor, ...]]:
        packed, s = self.packed[i], self.slices[color]
        N, C, reach = self.slices[-1].stop, self.row.shape[2], self.above.shape[1]
        start, middle, stop = 2 * s.start, s.start + s.stop, 2 * s.stop  # colour c's a, then its b
        # Colours before this one at the pixel itself in the image; with this one in features.
        seen = N + s.stop if i > 0 else reach * C + color
        x = self.pair[i - 1].flatten(1)[:, :seen] if i > 0 else self.row.flatten(1)[:, j * C : j * C + seen]
        products = [(x, packed.horizontal[:seen, start:stop].contiguous())]
        source = self.sources[i]
        if source is not None:
            weight = packed.horizontal_shortcut[: s.stop, start:stop].contiguous()
            products.append((self.pair[source, :, 1, : s.stop], weight))
        partial, gated = self.partial[i, j], self.gated[i]
        return products, (
            *(partial[:, start:stop], partial[:, start:middle], partial[:, middle:stop], gated[:, s]),
            *(self.pair[i - 1, :, 1, s] if i > 0 else self.nothing[:, s], gated[:, : s.stop]),
            *(packed.out[: s.stop, s].contiguous(), self.pair[i, :, 1, s]),
        )

    def begin_row(self) -> None:
        """Computes the vertical stack, and what it hands to the horizontal one."""
        self.v[:, :, 0] = self.v[:, :, 1]
        below = self.above
        for i, layer in enumerate(self.packed):
            a = convolve(below, layer.vertical, layer.vertical_bias)  # (n, W, 2N)
            source = self.sources[i]
            if source is not None:
                a += convolve(self.v[source, :, 1:, 1:-1], layer.vertical_shortcut)
            across = convolve(a[:, None], layer.across)
            torch.add(across.transpose(0, 1), layer.horizontal_bias, out=self.partial[i])
            if i + 1 < len(self.packed):
                below = self.v[i]
                negated_gate(*a.add_(layer.vertical_label).sigmoid_().chunk(2, dim=-1), out=below[:, 1, 1:-1])
        self.pair.zero_()

    def features(self, j: int, step: int) -> Float[Tensor, "N F"]:
        """Computes and returns the horizontal features of colour `step` at column j."""
        for products, (partial, s, r, gated, h, gated_seen, U, out) in self.views[j][step]:
            for x, weight in products:
                partial.addmm_(x, weight)
            partial.sigmoid_()
            negated_gate(s, r, out=gated)
            torch.addmm(h, gated_seen, U, out=out)
        return self.result[step]

    def end_pixel(self, j: int) -> None:
        """Moves each layer's features to the left."""
        self.left.copy_(self.center)

    def forget(self) -> None:
        """Forgets the vertical features of all rows."""
        self.v.zero_()


class _PackedLayer:
    """A gated layer's weights; horizontal features run by colour, first the a of a colour, then its b."""

    def __init__(self, layer: GatedLayer, y: Tensor | None, slices: list[slice]) -> None:
        N = layer.out.out_channels
        order = torch.cat([torch.arange(start + s.start, start + s.stop) for s in slices for start in (0, N)])
        factors = layer.out.weight.new_ones(2 * N)
        factors[:N] = 2  # tanh(a) is computed from σ(2a)
        sign = 1 if layer.first else -1  # vertical features arrive negated, but the image does not
        for_v, for_h = label_bias(layer.label, y, 4 * N, like=factors).chunk(2, dim=-1)
        to, before = factors[:, None, None, None], factors[None, :, None, None]
        self.vertical = channels_last(layer.vertical.weight * to * sign)
        self.vertical_bias = bias(layer.vertical) * factors
        self.vertical_label = for_v[:, None] * factors
        self.across = channels_last((layer.across.weight / before * to)[order])
        self.horizontal_bias = ((bias(layer.across) + for_h) * factors)[:, order]
        self.horizontal = (window_matrix(layer.horizontal.weight * layer.mask) * factors)[:, order]
        self.out = -matrix(layer.out)
        if layer.vertical_shortcut is not None:
            self.vertical_shortcut = channels_last(-layer.vertical_shortcut.weight * to)
            self.horizontal_shortcut = (window_matrix(layer.masked_shortcut()) * factors)[:, order]
