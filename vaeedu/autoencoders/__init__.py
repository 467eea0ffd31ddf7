"""Autoencoders: an image is squeezed through a short code and drawn again, and losses that judge the drawing.

- `Autoencoder` joins an encoder and a decoder; `mlp_autoencoder` and `conv_autoencoder` make the usual ones.
- `squared_error`, `gradient_error` and `corner_error` compare an image with its reconstruction: by pixels, by edges
  (`image_gradients`, Sobel) and by corners (`corner_strength`). Each is a sum over pixels, one number an example.

An autoencoder has no density on its codes, so it is no generative model; `vaeedu.vae` is.
"""

from vaeedu.autoencoders.losses import (
    corner_error,
    corner_strength,
    gradient_error,
    image_gradients,
    squared_error,
)
from vaeedu.autoencoders.models import Autoencoder, conv_autoencoder, mlp_autoencoder

__all__ = [
    "Autoencoder",
    "conv_autoencoder",
    "corner_error",
    "corner_strength",
    "gradient_error",
    "image_gradients",
    "mlp_autoencoder",
    "squared_error",
]
