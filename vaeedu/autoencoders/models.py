"""An encoder and a decoder, joined at a code."""

import math
from collections.abc import Callable, Sequence

import torch
from jaxtyping import Float
from torch import Tensor, nn

from vaeedu import require
from vaeedu.networks import Flatten, conv_decoder, conv_encoder, mlp


class Autoencoder(nn.Module):
    r"""Two networks: one maps an image to a short code, the other maps the code back to the image.

    $$z = \mathrm{Enc}(x), \qquad \hat x = \mathrm{Dec}(z), \qquad
      \min_{\mathrm{Enc}, \mathrm{Dec}} \sum_n \lVert x_n - \mathrm{Dec}(\mathrm{Enc}(x_n)) \rVert^2.$$

    It says how to code an image, not how probable one is: there is no density on codes, hence nothing to sample.

    Args:
        encoder: Maps `(..., C, H, W)` to `(..., K)`.
        decoder: Maps `(..., K)` to `(..., C, H, W)`.

    Reference:
        Hinton and Salakhutdinov (2006), Reducing the dimensionality of data with neural networks, Science 313.

    >>> model = mlp_autoencoder((1, 8, 8), num_latents=2)
    >>> x = torch.zeros(5, 1, 8, 8)
    >>> model.encode(x).shape, model(x).shape
    (torch.Size([5, 2]), torch.Size([5, 1, 8, 8]))
    """

    def __init__(self, encoder: nn.Module, decoder: nn.Module) -> None:
        super().__init__()
        self.encoder, self.decoder = encoder, decoder

    def encode(self, x: Float[Tensor, "*batch C H W"]) -> Float[Tensor, "*batch K"]:
        """Computes codes z = Enc(x), `(..., K)`."""
        return self.encoder(x)

    def decode(self, z: Float[Tensor, "*batch K"]) -> Float[Tensor, "*batch C H W"]:
        """Computes images Dec(z), `(..., C, H, W)`, whose entries may be any number."""
        return self.decoder(z)

    def forward(self, x: Float[Tensor, "*batch C H W"]) -> Float[Tensor, "*batch C H W"]:
        """Computes reconstructions Dec(Enc(x)), of the shape of `x`."""
        return self.decode(self.encode(x))

    def interpolate(
        self, x0: Float[Tensor, "*batch C H W"], x1: Float[Tensor, "..."], num_steps: int
    ) -> Float[Tensor, "T *batch C H W"]:
        r"""Decodes the points of the straight line between the codes of two images.

        $$\hat x_t = \mathrm{Dec}\big((1 - \alpha_t) \mathrm{Enc}(x_0) + \alpha_t \mathrm{Enc}(x_1)\big),
          \qquad \alpha_t = t / (T - 1), \quad t = 0, \dots, T - 1.$$

        Args:
            x0: Images, `(..., C, H, W)`, where the lines begin.
            x1: As many images, where they end.
            num_steps: T ≥ 2, how many points a line has, both ends among them.

        Returns:
            Images, `(T, ..., C, H, W)`.

        Raises:
            ValueError: There are fewer than two steps, or the shapes differ.
        """
        if require.positive_int("num_steps", num_steps) < 2:
            raise ValueError(
                f"num_steps must be at least 2, one for each end of the line, but is {num_steps}"
            )
        if x0.shape != x1.shape:
            raise ValueError(f"x1 must have the shape of x0, {tuple(x0.shape)}, but has {tuple(x1.shape)}")
        z0, z1 = self.encode(x0), self.encode(x1)
        alpha = torch.linspace(0, 1, num_steps, dtype=z0.dtype, device=z0.device)
        alpha = alpha.reshape(-1, *[1] * z0.ndim)
        return self.decode((1 - alpha) * z0 + alpha * z1)


def mlp_autoencoder(
    image_shape: Sequence[int],
    *,
    num_latents: int = 20,
    num_hidden: Sequence[int] = (400,),
    activation: Callable[[], nn.Module] = nn.ReLU,
) -> Autoencoder:
    """Makes an autoencoder of dense layers; the decoder's are the encoder's, backwards.

    Neither codes nor pixels pass an activation. Without hidden layers both halves are affine, and the best such pair
    spans the same plane as PCA with K components (Baldi and Hornik 1989).

    Args:
        image_shape: `(C, H, W)`.
        num_latents: K, the length of a code.
        num_hidden: Features of the encoder's hidden layers, in order; `()` for a linear autoencoder.
        activation: Makes what stands between layers.

    Returns:
        An autoencoder, not trained.

    Raises:
        ValueError: `image_shape` is not three positive sizes, or a number is not positive and whole.

    Reference:
        Baldi and Hornik (1989), Neural networks and principal component analysis, Neural Networks 2(1).

    >>> sum(p.numel() for p in mlp_autoencoder((1, 8, 8), num_latents=2, num_hidden=()).parameters())
    322
    """
    require.positive_int("num_latents", num_latents)
    flatten = Flatten(image_shape)
    sizes = [math.prod(flatten.image_shape), *num_hidden, num_latents]
    encoder = nn.Sequential(flatten, mlp(sizes, activation=activation))
    pixels = nn.Unflatten(-1, flatten.image_shape)
    return Autoencoder(encoder, nn.Sequential(mlp(sizes[::-1], activation=activation), pixels))


def conv_autoencoder(
    image_shape: Sequence[int], *, num_latents: int = 20, num_channels: int = 32
) -> Autoencoder:
    """Makes an autoencoder of four convolutions down and four transposed convolutions up.

    Args:
        image_shape: `(C, H, W)`.
        num_latents: K, the length of a code.
        num_channels: Of the first two convolutions, see `networks.conv_encoder`.

    Returns:
        An autoencoder, not trained.

    Raises:
        ValueError: `image_shape` is not three positive sizes, or a number is not positive and whole.

    >>> conv_autoencoder((1, 28, 28), num_latents=16)(torch.zeros(2, 1, 28, 28)).shape
    torch.Size([2, 1, 28, 28])
    """
    require.positive_int("num_latents", num_latents)
    return Autoencoder(
        conv_encoder(image_shape, num_latents, num_channels=num_channels),
        conv_decoder(num_latents, image_shape, num_channels=num_channels),
    )
