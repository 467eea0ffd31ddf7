"""PixelCNN: exact likelihoods of images, one pixel after another, and a sampler that computes nothing twice.

- `PixelCNN` stacks masked convolutions, and has a blind spot. `GatedPixelCNN` has two stacks, and none.
- `MaskedConv2d`, `ResidualBlock` and `GatedLayer` are their parts; `causal_mask` is the rule behind them.
- `Binary`, `Softmax` and `LogisticMixture` are what the network's numbers may mean: the distribution of a pixel.
- `incremental_logits` shows that the cached sampler computes what the network does.
- `discretized_logistic_log_prob` is the likelihood of PixelCNN++.

Images are whole numbers 0, …, L − 1, `(B, C, H, W)`; log-probabilities are `(B,)`, in nats.
"""

from vaeedu.pixelcnn.fast import incremental_logits
from vaeedu.pixelcnn.layers import GatedLayer, MaskedConv2d, ResidualBlock
from vaeedu.pixelcnn.logistic import LogisticMixture, discretized_logistic_log_prob
from vaeedu.pixelcnn.masks import causal_mask, feature_colors
from vaeedu.pixelcnn.models import GatedPixelCNN, PixelCNN
from vaeedu.pixelcnn.outputs import BLACK_AND_WHITE, Binary, Output, Softmax

__all__ = [
    "BLACK_AND_WHITE",
    "Binary",
    "GatedLayer",
    "GatedPixelCNN",
    "LogisticMixture",
    "MaskedConv2d",
    "Output",
    "PixelCNN",
    "ResidualBlock",
    "Softmax",
    "causal_mask",
    "discretized_logistic_log_prob",
    "feature_colors",
    "incremental_logits",
]
