"""Networks that take in a class, and conditional VAEs for images in one call."""

from collections.abc import Callable, Sequence

from jaxtyping import Float, Int64
from torch import Tensor, nn
from torch.distributions import Distribution

from vaeedu import require
from vaeedu.networks import BernoulliHead, Flatten, NormalHead, conv_decoder, conv_encoder, mlp
from vaeedu.semisupervised.conditional import ConditionalVAE

LIKELIHOODS = ("bernoulli", "normal")
# Small beside the features that it is added to, so that at first all classes are nearly alike.
_START = 0.1


class Conditioned(nn.Module):
    r"""A network that is told the class after its first part: a bias that the class chooses.

    $$g(f(x) + v_y).$$

    If f is linear, f(x) + v_y is a linear layer on x with the class as a one-hot vector appended: W x + V e_y + b. The
    first part, often the dear one, is computed once for all classes.

    Args:
        body: f, which maps its input `(..., *event)` to features `(..., F)`.
        rest: g, which maps features `(..., F)` to a distribution.
        num_features: F.
        num_classes: How many values y has.

    Raises:
        ValueError: A number is not positive and whole.

    >>> import torch
    >>> network = Conditioned(nn.Linear(3, 5), NormalHead(5, (2,)), num_features=5, num_classes=10)
    >>> network(torch.zeros(4, 3), torch.arange(10)[:, None].expand(-1, 4)).batch_shape
    torch.Size([10, 4])
    """

    def __init__(self, body: nn.Module, rest: nn.Module, *, num_features: int, num_classes: int) -> None:
        super().__init__()
        self.body, self.rest = body, rest
        self.of_class = nn.Embedding(
            require.positive_int("num_classes", num_classes),
            require.positive_int("num_features", num_features),
        )
        nn.init.normal_(self.of_class.weight, std=_START)

    def forward(self, x: Float[Tensor, "..."], y: Int64[Tensor, "..."]) -> Distribution:
        """Maps inputs and labels, whose shapes broadcast, to distributions."""
        return self.rest(self.body(x) + self.of_class(y))


def mlp_conditional_vae(
    image_shape: Sequence[int],
    num_classes: int,
    *,
    num_latents: int = 20,
    num_hidden: Sequence[int] = (400,),
    likelihood: str = "bernoulli",
    scale: str | float | None = None,
    activation: Callable[[], nn.Module] = nn.ReLU,
) -> ConditionalVAE:
    """Makes a conditional VAE of dense layers; the decoder mirrors the encoder.

    Args:
        image_shape: `(C, H, W)`.
        num_classes: How many values y has.
        num_latents: K.
        num_hidden: Units of each of the encoder's hidden layers, at least one; the class is told to the first.
        likelihood: `"bernoulli"`, for binary pixels; or `"normal"`.
        scale: σ of the normal likelihood: `"learned"` (None means the same), `"predicted"` or a number, as of
            `vaeedu.networks.NormalHead`.
        activation: Makes the activation between layers.

    Returns:
        A model, initialised from torch's global generator.

    Raises:
        ValueError: A size is not positive, the likelihood is unknown, or the scale does not go with it.

    >>> import torch
    >>> mlp_conditional_vae((1, 8, 8), 10).likelihood(torch.zeros(3, 5, 20), torch.arange(5)).batch_shape
    torch.Size([3, 5])
    """
    C, H, W = require.image_shape("image_shape", image_shape)
    K = require.positive_int("num_latents", num_latents)
    widths = require.event_shape("num_hidden", tuple(num_hidden))
    down, up = (C * H * W, *widths), (K, *reversed(widths))
    head = _likelihood_head(likelihood, scale, up[-1], image_shape)
    encoder = Conditioned(
        nn.Sequential(Flatten(image_shape), nn.Linear(down[0], down[1])),
        nn.Sequential(*_hidden(widths, activation), NormalHead(down[-1], (K,))),
        num_features=down[1],
        num_classes=num_classes,
    )
    decoder = Conditioned(
        nn.Linear(up[0], up[1]),
        nn.Sequential(*_hidden(up[1:], activation), head),
        num_features=up[1],
        num_classes=num_classes,
    )
    return ConditionalVAE(encoder, decoder, num_latents=K, num_classes=num_classes)


def conv_conditional_vae(
    image_shape: Sequence[int],
    num_classes: int,
    *,
    num_latents: int = 20,
    num_channels: int = 32,
    likelihood: str = "bernoulli",
    scale: str | float | None = None,
) -> ConditionalVAE:
    """Makes a conditional VAE of four convolutions down and four transposed convolutions up.

    The class is told to the encoder after its convolutions, and to the decoder before them.

    Args:
        image_shape: `(C, H, W)`.
        num_classes: How many values y has.
        num_latents: K.
        num_channels: Channels of the convolutions at full size; see `vaeedu.networks.conv_encoder`.
        likelihood: `"bernoulli"`, for binary pixels; or `"normal"`.
        scale: σ of the normal likelihood: `"learned"` (None means the same), one for all pixels; or a number.

    Returns:
        A model, initialised from torch's global generator.

    Raises:
        ValueError: A size is not positive, the likelihood is unknown, or the scale does not go with it.

    >>> conv_conditional_vae((3, 32, 32), 10, num_channels=4, likelihood="normal", scale=0.1).sample(4, 3).shape
    torch.Size([4, 3, 32, 32])
    """
    K = require.positive_int("num_latents", num_latents)
    F = 8 * require.positive_int("num_channels", num_channels)
    encoder = Conditioned(
        conv_encoder(image_shape, F, num_channels=num_channels),
        nn.Sequential(nn.ReLU(), NormalHead(F, (K,))),
        num_features=F,
        num_classes=num_classes,
    )
    up = conv_decoder(F, image_shape, num_channels=num_channels)
    decoder = Conditioned(
        nn.Linear(K, F),
        nn.Sequential(nn.ReLU(), up, _likelihood_head(likelihood, scale, None, image_shape)),
        num_features=F,
        num_classes=num_classes,
    )
    return ConditionalVAE(encoder, decoder, num_latents=K, num_classes=num_classes)


def conv_classifier(image_shape: Sequence[int], num_classes: int, *, num_channels: int = 16) -> nn.Sequential:
    """Makes a small convolutional network for q(y|x): two convolutions, each halved by a maximum, and a linear layer.

    It has no dropout, whose draws would not come from the generator of the training.

    Args:
        image_shape: `(C, H, W)`, both sides at least 4.
        num_classes: How many logits it gives.
        num_channels: Features of the first convolution; the second has twice as many.

    Raises:
        ValueError: A size is not positive, or an image too small to be halved twice.

    >>> import torch
    >>> conv_classifier((1, 14, 14), 10)(torch.zeros(5, 1, 14, 14)).shape
    torch.Size([5, 10])
    """
    C, H, W = require.image_shape("image_shape", image_shape)
    F = require.positive_int("num_channels", num_channels)
    if min(H, W) < 4:
        raise ValueError(f"image_shape must have sides of at least 4, to be halved twice, but is {(C, H, W)}")
    return nn.Sequential(
        nn.Conv2d(C, F, 3, padding=1),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Conv2d(F, 2 * F, 3, padding=1),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Flatten(),
        nn.Linear(2 * F * (H // 4) * (W // 4), require.positive_int("num_classes", num_classes)),
    )


def _hidden(widths: Sequence[int], activation: Callable[[], nn.Module]) -> list[nn.Module]:
    """What follows the first hidden layer's features: its activation, and the other hidden layers with theirs."""
    more = [mlp(widths, activation=activation), activation()] if len(widths) > 1 else []
    return [activation(), *more]


def _likelihood_head(
    likelihood: str, scale: str | float | None, num_features: int | None, image_shape: Sequence[int]
) -> BernoulliHead | NormalHead:
    if require.choice("likelihood", likelihood, LIKELIHOODS) == "normal":
        return NormalHead(num_features, image_shape, scale="learned" if scale is None else scale)
    if scale is not None:
        raise ValueError(
            f"scale must be left out where the likelihood is 'bernoulli', but is {scale!r}: use likelihood='normal'"
        )
    return BernoulliHead(num_features, image_shape)
