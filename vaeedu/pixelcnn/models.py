"""The two networks: PixelCNN and its gated successor."""

from collections.abc import Sequence

from jaxtyping import Float
from torch import Tensor, nn

from vaeedu.pixelcnn.base import PixelModel
from vaeedu.pixelcnn.layers import GatedLayer, MaskedConv2d, ResidualBlock, in_fast_layout
from vaeedu.pixelcnn.programs import GatedProgram, ResidualProgram


class PixelCNN(PixelModel):
    """The first PixelCNN: masked convolutions and residual blocks.

    What a pixel sees is a staircase that leaves out a wedge above and to its right, whatever the depth: the blind spot.

    Args:
        image_shape: `(C, H, W)`.
        num_levels: L, between 2 and 256. With 2 the likelihood is Bernoulli, else a softmax.
        num_channels: h: the bottleneck of each block has h features, the stream between them 2h.
        num_layers: Number of masked convolutions wider than a pixel: first a 7×7 one with mask A, then blocks with a
            3×3 one with mask B each.
        num_classes: Number of labels to be conditioned on, or None.
        likelihood: `"categorical"` (Bernoulli for two levels), or `"logistic_mixture"`, for levels with an order.
        num_components: Number of logistic distributions in the mixture.

    Raises:
        ValueError: An argument is not as described.

    Reference:
        Van den Oord, Kalchbrenner and Kavukcuoglu (2016), Pixel recurrent neural networks, table 1.

    >>> import torch
    >>> model = PixelCNN((1, 8, 8), num_levels=17, num_channels=8, num_layers=2)
    >>> x = model.sample(3, generator=torch.Generator().manual_seed(0))
    >>> x.shape, model.log_prob(x).shape
    (torch.Size([3, 1, 8, 8]), torch.Size([3]))
    """

    def __init__(
        self,
        image_shape: Sequence[int],
        *,
        num_levels: int = 2,
        num_channels: int = 32,
        num_layers: int = 6,
        num_classes: int | None = None,
        likelihood: str = "categorical",
        num_components: int = 10,
    ) -> None:
        super().__init__(
            image_shape, num_levels, num_channels, num_layers, num_classes, likelihood, num_components
        )
        colors, width = self.num_colors, 2 * num_channels
        self.first = MaskedConv2d(self.image_shape[0], width, 7, mask_type="A", num_colors=colors)
        self.first_label = None if num_classes is None else nn.Embedding(num_classes, width)
        self.blocks = nn.ModuleList(
            ResidualBlock(num_channels, num_colors=colors, num_classes=num_classes)
            for _ in range(num_layers - 1)
        )
        self.head = _head(width, self.output.num_parameters, colors)

    def network(self, x: Float[Tensor, "B C H W"], y: Tensor | None) -> Float[Tensor, "B P H W"]:
        """Computes the parameters of every pixel's distribution, from scaled images and checked labels."""
        h = self.first(x)
        if self.first_label is not None:
            h = h + self.first_label(y)[:, :, None, None]
        h = in_fast_layout(h)
        for block in self.blocks:
            h = block(h, y)
        return self.head(h)

    def row_program(
        self, n: int, y: Tensor | None, *, completing: bool = False, recording: bool = False
    ) -> ResidualProgram:
        """Lays out the cached sampler's work for n images with checked labels."""
        return ResidualProgram(self, n, y, completing=completing, recording=recording)


class GatedPixelCNN(PixelModel):
    """The gated PixelCNN: two stacks of convolutions, and no blind spot.

    Args:
        image_shape: `(C, H, W)`.
        num_levels: L, between 2 and 256. With 2 the likelihood is Bernoulli, else a softmax.
        num_channels: Number of features of each stack.
        num_layers: Number of layers: the first has kernels 7 wide, the others 3.
        num_classes: Number of labels to be conditioned on, or None.
        likelihood: `"categorical"` (Bernoulli for two levels), or `"logistic_mixture"`, for levels with an order.
        num_components: Number of logistic distributions in the mixture.
        shortcuts: Whether the later half of the layers also sees the features of the earlier half, last to first, as in
            PixelCNN++.

    Raises:
        ValueError: An argument is not as described.

    Reference:
        Van den Oord et al. (2016), Conditional image generation with PixelCNN decoders, section 2; Salimans et al.
        (2017), PixelCNN++, for the logistic mixture and the short cuts.

    >>> import torch
    >>> model = GatedPixelCNN((3, 4, 4), num_levels=256, num_layers=4, likelihood="logistic_mixture", shortcuts=True)
    >>> model.log_prob(torch.zeros(2, 3, 4, 4, dtype=torch.int64)).shape
    torch.Size([2])
    """

    def __init__(
        self,
        image_shape: Sequence[int],
        *,
        num_levels: int = 2,
        num_channels: int = 32,
        num_layers: int = 6,
        num_classes: int | None = None,
        likelihood: str = "categorical",
        num_components: int = 10,
        shortcuts: bool = False,
    ) -> None:
        super().__init__(
            image_shape, num_levels, num_channels, num_layers, num_classes, likelihood, num_components
        )
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
        self.head = _head(N, self.output.num_parameters, colors)

    def network(self, x: Float[Tensor, "B C H W"], y: Tensor | None) -> Float[Tensor, "B P H W"]:
        """Computes the parameters of every pixel's distribution, from scaled images and checked labels."""
        v, h = x, x
        outputs: list[tuple[Tensor, Tensor]] = []
        for layer, source in zip(self.layers, self.shortcut_from, strict=True):
            v, h = layer(v, h, y, None if source is None else outputs[source])
            v, h = in_fast_layout(v), in_fast_layout(h)
            outputs.append((v, h))
        return self.head(h)

    def row_program(
        self, n: int, y: Tensor | None, *, completing: bool = False, recording: bool = False
    ) -> GatedProgram:
        """Lays out the cached sampler's work for n images with checked labels."""
        return GatedProgram(self, n, y, completing=completing, recording=recording)


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
