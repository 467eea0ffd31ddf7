"""Networks that the autoencoders share: dense and convolutional bodies, and heads that return distributions.

- `mlp`, `Flatten`: dense layers on the last dimension, and images as rows.
- `conv_encoder`, `conv_decoder`: four convolutions down, four transposed convolutions up.
- `fully_conv_encoder`, `fully_conv_decoder`: convolutions and nothing else, with batch normalisation.
- `NormalHead`, `BernoulliHead`: a body's features become a distribution.
- `autoregressive` holds what networks over pixels and over sound share.
- `convolution_matrix`, `transposed_convolution`: a convolution as a matrix, and its transpose written out, for reading.

Every network keeps leading dimensions, so that latent samples `(S, B, K)` can be decoded at once.
"""

from vaeedu.networks.convolutional import (
    conv_decoder,
    conv_encoder,
    fully_conv_decoder,
    fully_conv_encoder,
)
from vaeedu.networks.dense import Flatten, mlp
from vaeedu.networks.heads import BernoulliHead, NormalHead
from vaeedu.networks.transposed import convolution_matrix, transposed_convolution

__all__ = [
    "BernoulliHead",
    "Flatten",
    "NormalHead",
    "conv_decoder",
    "conv_encoder",
    "convolution_matrix",
    "fully_conv_decoder",
    "fully_conv_encoder",
    "mlp",
    "transposed_convolution",
]
