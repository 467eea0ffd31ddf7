"""Adversarial nets: a generator that has samples but no density, and a critic that tells them from data.

- `MINIMAX`, `NON_SATURATING`, `LEAST_SQUARES` and `WASSERSTEIN` are losses as pairs, the critic's and the generator's;
  `LOSSES` holds them by name. `value` is the game's value, `optimal_logit` its best critic.
- `gradient_penalty` (WGAN-GP), `r1_penalty` and `spectral_norm` keep the critic smooth.
- `GAN` is the model: its two losses, samples, a moving average of the generator. `mlp_gan` and `conv_gan` build it;
  `vaeedu.training.fit_adversarial` trains it.
- `dirac_field` and `dirac_path`: the smallest GAN, in which all can be computed.
"""

from vaeedu.gan.builders import Centred, Waves, conv_gan, mlp_gan
from vaeedu.gan.dirac import PENALTIES, dirac_field, dirac_path
from vaeedu.gan.losses import (
    LEAST_SQUARES,
    LOSSES,
    MINIMAX,
    NON_SATURATING,
    WASSERSTEIN,
    AdversarialLoss,
    optimal_logit,
    value,
)
from vaeedu.gan.model import GAN
from vaeedu.gan.penalties import gradient_penalty, r1_penalty, spectral_norm

__all__ = [
    "GAN",
    "LEAST_SQUARES",
    "LOSSES",
    "MINIMAX",
    "NON_SATURATING",
    "PENALTIES",
    "WASSERSTEIN",
    "AdversarialLoss",
    "Centred",
    "Waves",
    "conv_gan",
    "dirac_field",
    "dirac_path",
    "gradient_penalty",
    "mlp_gan",
    "optimal_logit",
    "r1_penalty",
    "spectral_norm",
    "value",
]
