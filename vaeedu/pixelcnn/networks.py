"""The two networks, and the arguments that make them. What a pixel sees follows from the layers; nothing here draws."""

from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor, nn

from vaeedu import require
from vaeedu.networks.autoregressive import label_table
from vaeedu.pixelcnn.core import PixelModel
from vaeedu.pixelcnn.layers import GatedLayer, MaskedConv2d, ResidualBlock, in_fast_layout
from vaeedu.pixelcnn.outputs import BLACK_AND_WHITE


class ResidualNetwork(PixelModel):
    """The network of `PixelCNN`, which describes the arguments: one stream of features, and blocks that add to it."""

    def __init__(
        self,
        image_shape: Sequence[int],
        *,
        output: object = BLACK_AND_WHITE,
        num_channels: int = 32,
        num_layers: int = 6,
        num_classes: int | None = None,
    ) -> None:
        super().__init__(image_shape, output, num_channels, num_classes)
        require.positive_int("num_layers", num_layers)
        colors, width = self.num_colors, 2 * num_channels
        self.first = MaskedConv2d(self.image_shape[0], width, 7, mask_type="A", num_colors=colors)
        self.first_label = label_table(num_classes, width)
        self.blocks = nn.ModuleList(
            ResidualBlock(num_channels, num_colors=colors, num_classes=num_classes)
            for _ in range(num_layers - 1)
        )
        self.head = _head(width, self.num_parameters, colors)
        self.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # as the features lie

    def network(self, x: Float[Tensor, "B C H W"], y: Tensor | None) -> Float[Tensor, "B P H W"]:
        """Computes the parameters of every pixel's distribution, from scaled images and checked labels."""
        h = self.first(x)
        if self.first_label is not None:
            h = h + self.first_label(y)[:, :, None, None]
        h = in_fast_layout(h)
        for block in self.blocks:
            h = block(h, y)
        return self.head(h)


class GatedNetwork(PixelModel):
    """The network of `GatedPixelCNN`, which describes the arguments: a vertical and a horizontal stack of layers."""

    def __init__(
        self,
        image_shape: Sequence[int],
        *,
        output: object = BLACK_AND_WHITE,
        num_channels: int = 32,
        num_layers: int = 6,
        num_classes: int | None = None,
        shortcuts: bool = False,
    ) -> None:
        super().__init__(image_shape, output, num_channels, num_classes)
        require.positive_int("num_layers", num_layers)
        N, colors = num_channels, self.num_colors
        self.shortcut_from = [_mirrored(i, num_layers) if shortcuts else None for i in range(num_layers)]
        self.layers = nn.ModuleList(
            GatedLayer(
                N if i else self.image_shape[0],
                N,
                3 if i else 7,
                mask_type="B" if i else "A",
                num_colors=colors,
                num_classes=num_classes,
                num_shortcut_channels=None if source is None else N,
            )
            for i, source in enumerate(self.shortcut_from)
        )
        self.head = _head(N, self.num_parameters, colors)
        self.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # as the features lie

    def network(self, x: Float[Tensor, "B C H W"], y: Tensor | None) -> Float[Tensor, "B P H W"]:
        """Computes the parameters of every pixel's distribution, from scaled images and checked labels."""
        v, h = x, x
        outputs: list[tuple[Tensor, Tensor]] = []
        for layer, source in zip(self.layers, self.shortcut_from, strict=True):
            v, h = layer(v, h, y, None if source is None else outputs[source])
            v, h = in_fast_layout(v), in_fast_layout(h)
            outputs.append((v, h))
        return self.head(h)


def _head(num_features: int, num_parameters: int, num_colors: int) -> nn.Sequential:
    return nn.Sequential(
        nn.ReLU(),
        MaskedConv2d(num_features, num_features, 1, mask_type="B", num_colors=num_colors),
        nn.ReLU(),
        MaskedConv2d(num_features, num_parameters, 1, mask_type="B", num_colors=num_colors),
    )


def _mirrored(layer: int, num_layers: int) -> int | None:
    """Returns the layer of the first half that mirrors this one, unless it is the very one below."""
    source = num_layers - 1 - layer
    return source if source < layer - 1 else None
