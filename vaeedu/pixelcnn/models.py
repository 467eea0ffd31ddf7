"""PixelCNN and its gated successor: a network, exact likelihoods, and two ways to draw."""

from vaeedu.pixelcnn.networks import GatedNetwork, ResidualNetwork
from vaeedu.pixelcnn.sampling import SamplingModel


class PixelCNN(SamplingModel, ResidualNetwork):
    """The first PixelCNN: masked convolutions and residual blocks.

    What a pixel sees is a staircase that leaves out a wedge above and to its right, whatever the depth: the blind spot.

    Args:
        image_shape: `(C, H, W)`.
        output: The distribution of a pixel: `BLACK_AND_WHITE`, `Softmax(num_levels)` for levels without an order, or
            `LogisticMixture(num_levels, num_components)` for levels with one.
        num_channels: h: the bottleneck of each block has h features, the stream between them 2h.
        num_layers: Number of masked convolutions wider than a pixel: first a 7×7 one with mask A, then blocks with a
            3×3 one with mask B each.
        num_classes: Number of labels to be conditioned on, or None.

    Raises:
        ValueError: An argument is not as described.

    Reference:
        Van den Oord, Kalchbrenner and Kavukcuoglu (2016), Pixel recurrent neural networks, table 1.

    >>> import torch
    >>> from vaeedu.pixelcnn import Softmax
    >>> model = PixelCNN((1, 8, 8), output=Softmax(17), num_channels=8, num_layers=2)
    >>> x = model.sample(3, generator=torch.Generator().manual_seed(0))
    >>> x.shape, model.log_prob(x).shape
    (torch.Size([3, 1, 8, 8]), torch.Size([3]))
    """


class GatedPixelCNN(SamplingModel, GatedNetwork):
    """The gated PixelCNN: two stacks of convolutions, and no blind spot.

    Args:
        image_shape: `(C, H, W)`.
        output: The distribution of a pixel: `BLACK_AND_WHITE`, `Softmax(num_levels)` for levels without an order, or
            `LogisticMixture(num_levels, num_components)` for levels with one.
        num_channels: Number of features of each stack.
        num_layers: Number of layers: the first has kernels 7 wide, the others 3.
        num_classes: Number of labels to be conditioned on, or None.
        shortcuts: Whether the later half of the layers also sees the features of the earlier half, last to first, as in
            PixelCNN++.

    Raises:
        ValueError: An argument is not as described.

    Reference:
        Van den Oord et al. (2016), Conditional image generation with PixelCNN decoders, section 2; Salimans et al.
        (2017), PixelCNN++, for the logistic mixture and the short cuts.

    >>> import torch
    >>> from vaeedu.pixelcnn import LogisticMixture
    >>> model = GatedPixelCNN((3, 4, 4), output=LogisticMixture(256), num_layers=4, shortcuts=True)
    >>> model.log_prob(torch.zeros(2, 3, 4, 4, dtype=torch.int64)).shape
    torch.Size([2])
    """
