"""Variational autoencoders for images, dense and convolutional, in one call."""

from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn
from torch.distributions import Independent, Normal

from vaeedu import require
from vaeedu.networks import (
    BernoulliHead,
    Flatten,
    NormalHead,
    conv_decoder,
    conv_encoder,
    fully_conv_decoder,
    fully_conv_encoder,
    mlp,
)
from vaeedu.vae.model import VAE
from vaeedu.vae.priors import NormalPrior

LIKELIHOODS = ("bernoulli", "normal")
# A pixel that is always black starts at log-odds of −9.2, and can still learn otherwise.
_SURE = 1e-4


def mlp_vae(
    image_shape: Sequence[int],
    *,
    num_latents: int = 20,
    num_hidden: Sequence[int] = (400,),
    likelihood: str = "bernoulli",
    scale: str | float | None = None,
    activation: Callable[[], nn.Module] = nn.Tanh,
    mean_image: Tensor | None = None,
) -> VAE:
    """Makes a VAE of dense layers; the decoder mirrors the encoder.

    Args:
        image_shape: `(C, H, W)`.
        num_latents: K.
        num_hidden: Units of each of the encoder's hidden layers, from the image on; `()` makes a linear VAE.
        likelihood: `"bernoulli"`, for binary pixels; or `"normal"`.
        scale: σ of the normal likelihood: `"learned"` (None means the same), one for all pixels; `"predicted"`, one a
            pixel, computed from z, whose likelihood has no upper bound (pixels that never change let σ shrink to 0); or
            a number.
        activation: Makes the activation between layers.
        mean_image: The mean of the training images, in [0, 1], `(C, H, W)`. The decoder's last bias then starts there
            (at its log-odds, for Bernoulli pixels) and not near 0, where every pixel is grey: those that are
            always black need not be learned one step at a time.

    Returns:
        A model with a standard normal prior, initialised from torch's global generator.

    Raises:
        ValueError: A size is not positive, the likelihood is unknown, the scale does not go with it, or the mean image
            has another shape or values outside [0, 1].

    Reference:
        Kingma and Welling (2014), Auto-Encoding Variational Bayes, appendix C.

    >>> import torch
    >>> mlp_vae((1, 28, 28)).likelihood(torch.zeros(3, 5, 20)).event_shape
    torch.Size([1, 28, 28])
    """
    C, H, W = require.image_shape("image_shape", image_shape)
    K = require.positive_int("num_latents", num_latents)
    down = [C * H * W, *num_hidden]
    up = [K, *reversed(num_hidden)]
    encoder = nn.Sequential(Flatten(image_shape), _hidden(down, activation), NormalHead(down[-1], (K,)))
    head = _likelihood_head(likelihood, scale, up[-1], image_shape)
    if mean_image is not None:
        _start_at(mean_image, head, (C, H, W))
    return VAE(encoder, nn.Sequential(_hidden(up, activation), head), NormalPrior.standard(K))


def conv_vae(
    image_shape: Sequence[int],
    *,
    num_latents: int = 20,
    num_channels: int = 32,
    likelihood: str = "bernoulli",
    scale: str | float | None = None,
) -> VAE:
    """Makes a VAE of four convolutions down and four transposed convolutions up.

    Args:
        image_shape: `(C, H, W)`.
        num_latents: K.
        num_channels: Channels of the convolutions at full size; see `vaeedu.networks.conv_encoder`.
        likelihood: `"bernoulli"`, for binary pixels; or `"normal"`.
        scale: σ of the normal likelihood: `"learned"` (None means the same), one for all pixels; or a number.

    Returns:
        A model with a standard normal prior, initialised from torch's global generator.

    Raises:
        ValueError: A size is not positive, the likelihood is unknown, or the scale does not go with it.

    >>> conv_vae((1, 8, 8), likelihood="normal", scale=0.1).sample(4).shape
    torch.Size([4, 1, 8, 8])
    """
    K = require.positive_int("num_latents", num_latents)
    num_features = 8 * require.positive_int("num_channels", num_channels)
    body = conv_encoder(image_shape, num_features, num_channels=num_channels)
    encoder = nn.Sequential(body, nn.ReLU(), NormalHead(num_features, (K,)))
    decoder_body = conv_decoder(K, image_shape, num_channels=num_channels)
    head = _likelihood_head(likelihood, scale, None, image_shape)
    return VAE(encoder, nn.Sequential(decoder_body, head), NormalPrior.standard(K))


def fully_conv_vae(
    image_shape: Sequence[int],
    *,
    num_latents: int = 16,
    num_channels: int = 16,
    scale: str | float | Tensor,
) -> VAE:
    r"""Makes a VAE of convolutions and nothing else, with a normal likelihood whose σ has to be chosen.

    $$q(z \mid x) = \mathcal N(\mu(x), \operatorname{diag} \sigma(x)^2), \qquad
      p(x \mid z) = \mathcal N(f(z), \operatorname{diag} \sigma^2) .$$

    σ has no default: it says how many nats a squared error costs, 1 / 2σ², and so what the code keeps.

    Args:
        image_shape: `(C, H, W)`, with H = W = 8, 16, 32, 64, …
        num_latents: K.
        num_channels: Channels at half the image's size; they double with each halving.
        scale: σ of the likelihood: a number; a tensor, one for each pixel; or `"learned"`, one for all pixels.

    Returns:
        A model with a standard normal prior, initialised from torch's global generator. It has batch normalisation:
        call `eval()` on it before anything is measured.

    Raises:
        ValueError: The sides are not as said, a number is not positive, or the scale's shape does not fit.

    >>> fully_conv_vae((3, 32, 32), scale=0.1).sample(4).shape
    torch.Size([4, 3, 32, 32])
    """
    K = require.positive_int("num_latents", num_latents)
    encoder = nn.Sequential(fully_conv_encoder(image_shape, 2 * K, num_channels=num_channels), _TwoHalves(K))
    decoder = nn.Sequential(
        fully_conv_decoder(K, image_shape, num_channels=num_channels),
        NormalHead(None, image_shape, scale=scale),
    )
    return VAE(encoder, decoder, NormalPrior.standard(K))


class _TwoHalves(nn.Module):
    """Takes the first half of its input for μ and the second for log σ, of a normal distribution."""

    def __init__(self, num_latents: int) -> None:
        super().__init__()
        self.num_latents = num_latents

    def forward(self, h: Tensor) -> Independent:
        # Log-probabilities need more digits than bfloat16 has, whatever the layers were run in.
        full = h.float() if h.dtype in (torch.bfloat16, torch.float16) else h
        mu, log_sigma = full.split(self.num_latents, dim=-1)
        return Independent(Normal(mu, log_sigma.exp(), validate_args=False), 1)


def _hidden(sizes: Sequence[int], activation: Callable[[], nn.Module]) -> nn.Module:
    return nn.Sequential(mlp(sizes, activation=activation), activation()) if len(sizes) > 1 else nn.Identity()


def _likelihood_head(
    likelihood: str, scale: str | float | None, num_features: int | None, image_shape: Sequence[int]
) -> BernoulliHead | NormalHead:
    if require.choice("likelihood", likelihood, LIKELIHOODS) == "normal":
        return NormalHead(num_features, image_shape, scale="learned" if scale is None else scale)
    if scale is not None:
        raise ValueError(
            f"scale must be left out where the likelihood is 'bernoulli', but is {scale!r}: "
            "a Bernoulli pixel has no scale; use likelihood='normal'"
        )
    return BernoulliHead(num_features, image_shape)


@torch.no_grad()
def _start_at(mean_image: Tensor, head: BernoulliHead | NormalHead, image_shape: tuple[int, ...]) -> None:
    """Sets the bias of a head's linear layer so that without features it gives the mean image."""
    mean = require.real("mean_image", mean_image).float()
    if mean.shape != image_shape or not bool(((mean >= 0) & (mean <= 1)).all()):
        raise ValueError(
            f"mean_image must have the shape of an image, {image_shape}, and values in [0, 1], "
            f"but has shape {tuple(mean.shape)} and values from {float(mean.min()):.3g} to {float(mean.max()):.3g}: "
            "use images.mean(dim=0)"
        )
    linear = next(module for module in head.modules() if isinstance(module, nn.Linear))
    start = mean.clamp(_SURE, 1 - _SURE).logit() if isinstance(head, BernoulliHead) else mean
    linear.bias[: start.numel()] = start.flatten()  # a normal head's second half is log σ
