"""Variational autoencoders: an encoder, a decoder and a prior, and what can be asked of the three together.

- `VAE`: `posterior`, `likelihood`, `elbo`, `iwae_bound`, `sample`, `interpolate`, `manifold`.
- `mlp_vae`, `conv_vae` and `fully_conv_vae` build one for images of a given shape.
- `NormalPrior`, a prior that moves with the model; `normal_grid`, the codes that `manifold` decodes.
"""

from vaeedu.vae.builders import conv_vae, fully_conv_vae, mlp_vae
from vaeedu.vae.model import VAE
from vaeedu.vae.priors import NormalPrior, normal_grid

__all__ = ["VAE", "NormalPrior", "conv_vae", "fully_conv_vae", "mlp_vae", "normal_grid"]
