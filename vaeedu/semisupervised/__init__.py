"""Latent variable models with classes: given for every example, for some, or for none.

- `ConditionalVAE`: p(x|y) by a VAE whose encoder and decoder are told the class; `analogies`.
- `SemiSupervisedVAE` (M2): the class is a latent variable too, seen in some examples; its bounds, q(y|x), `classify`.
- `StackedVAE` (M1+M2): M2 on the codes of a VAE.
- `mlp_conditional_vae`, `conv_conditional_vae` and `conv_classifier` build the parts for images of a given shape;
  `Conditioned` is the layer that takes in a class.
- `LabelledStream` and `semi_supervised_loss` train it with `vaeedu.training.fit` on two streams of examples.
- `join_by_blocks` writes separate VAEs, one a class, as one conditional VAE.
"""

from vaeedu.semisupervised.blocks import join_by_blocks
from vaeedu.semisupervised.builders import (
    Conditioned,
    conv_classifier,
    conv_conditional_vae,
    mlp_conditional_vae,
)
from vaeedu.semisupervised.conditional import ConditionalVAE
from vaeedu.semisupervised.model import SemiSupervisedVAE
from vaeedu.semisupervised.stacked import StackedVAE
from vaeedu.semisupervised.streams import LabelledStream, semi_supervised_loss

__all__ = [
    "ConditionalVAE",
    "Conditioned",
    "LabelledStream",
    "SemiSupervisedVAE",
    "StackedVAE",
    "conv_classifier",
    "conv_conditional_vae",
    "join_by_blocks",
    "mlp_conditional_vae",
    "semi_supervised_loss",
]
