"""The last layer of an encoder or decoder: features go in, a distribution comes out."""

import math
from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.distributions import Bernoulli, Distribution, Independent, Normal

from vaeedu import require

SCALES = ("predicted", "learned")


class NormalHead(nn.Module):
    r"""Maps features h to a normal distribution with independent entries, N(μ(h), diag σ²).

    The layer gives log σ, which may be any number, and σ = exp(log σ) > 0.

    Args:
        num_features: F, the length of h; None where the input has the event's shape already and is μ itself, as after
            `conv_decoder`.
        event_shape: Of what the distribution is over: `(K,)` for latents, `(C, H, W)` for images.
        scale: `"predicted"`: σ has an entry for each of the event's, computed from h like μ. `"learned"`: one σ for
            all entries, a parameter, which starts at 1. A number: that σ, fixed. A tensor: a fixed σ for each
            entry, of a shape that broadcasts to the event's; where it is small, errors cost more.

    Raises:
        ValueError: A size or the scale is not positive, the word is unknown, or `"predicted"` is asked for without
            features to predict from; when called, the input ends in another shape.

    >>> q = NormalHead(400, (20,))(torch.zeros(5, 400))  # q(z|x)
    >>> q.batch_shape, q.event_shape
    (torch.Size([5]), torch.Size([20]))
    >>> NormalHead(None, (1, 8, 8), scale=0.1)(torch.zeros(3, 5, 1, 8, 8)).log_prob(torch.zeros(1, 8, 8)).shape
    torch.Size([3, 5])
    """

    scale_map: Tensor | None

    def __init__(
        self,
        num_features: int | None,
        event_shape: Sequence[int],
        *,
        scale: str | float | Tensor = "predicted",
    ) -> None:
        super().__init__()
        self.event_shape = require.event_shape("event_shape", event_shape)
        fixed = _scale_map(scale, self.event_shape) if isinstance(scale, Tensor) else None
        # A buffer moves with the model, and is saved with it; a number is part of how it was built.
        self.register_buffer("scale_map", fixed)
        self.scale = "map" if isinstance(scale, Tensor) else _checked_scale(scale, num_features)
        # Both halves of what a predicted scale needs come out of one layer, along a first dimension of 2.
        output_shape = (2, *self.event_shape) if self.scale == "predicted" else self.event_shape
        self.layer = _layer(num_features, output_shape)
        self.input_shape = self.event_shape if num_features is None else (num_features,)
        if self.scale == "learned":
            self.log_scale = nn.Parameter(torch.zeros(()))

    def forward(self, h: Float[Tensor, "*batch"]) -> Independent:
        """Maps `(..., F)` (or `(..., *event_shape)`) to a distribution with batch shape `(...)`."""
        require.events("h", h, self.input_shape)
        output = _full_precision(self.layer(h))
        if self.scale == "predicted":
            loc, log_scale = output.unbind(-len(self.event_shape) - 1)
            scale = log_scale.exp()
        else:
            loc = output
            if self.scale_map is not None:
                scale = self.scale_map.to(loc)
            else:
                scale = self.log_scale.exp() if self.scale == "learned" else loc.new_tensor(self.scale)
        normal = Normal(loc, scale.expand_as(loc), validate_args=False)
        return Independent(_checking_values(normal), len(self.event_shape))


class BernoulliHead(nn.Module):
    r"""Maps features h to independent Bernoulli pixels, given by their logits a(h): p(x = 1) = 1 / (1 + e^{−a}).

    Its log-probability is that of **binary** data; torch refuses grey values.

    Args:
        num_features: F, the length of h; None where the input has the event's shape already and is the logits
            themselves, as after `conv_decoder`.
        event_shape: Of the data: `(C, H, W)` for images.

    Raises:
        ValueError: A size is not positive; when called, the input ends in another shape.

    >>> p = BernoulliHead(400, (1, 28, 28))(torch.zeros(3, 5, 400))  # p(x|z)
    >>> p.log_prob(torch.ones(5, 1, 28, 28)).shape
    torch.Size([3, 5])
    """

    def __init__(self, num_features: int | None, event_shape: Sequence[int]) -> None:
        super().__init__()
        self.event_shape = require.event_shape("event_shape", event_shape)
        self.layer = _layer(num_features, self.event_shape)
        self.input_shape = self.event_shape if num_features is None else (num_features,)

    def forward(self, h: Float[Tensor, "*batch"]) -> Independent:
        """Maps `(..., F)` (or `(..., *event_shape)`) to a distribution with batch shape `(...)`."""
        require.events("h", h, self.input_shape)
        bernoulli = Bernoulli(logits=_full_precision(self.layer(h)), validate_args=False)
        return Independent(_checking_values(bernoulli), len(self.event_shape))


def _layer(num_features: int | None, output_shape: tuple[int, ...]) -> nn.Module:
    if num_features is None:
        return nn.Identity()
    require.positive_int("num_features", num_features)
    return nn.Sequential(nn.Linear(num_features, math.prod(output_shape)), nn.Unflatten(-1, output_shape))


def _checked_scale(scale: str | float, num_features: int | None) -> str | float:
    if not isinstance(scale, str):
        return require.positive_float("scale", scale)
    if scale not in SCALES:
        raise ValueError(f"scale must be 'predicted', 'learned' or a positive number, but is {scale!r}")
    if scale == "predicted" and num_features is None:
        raise ValueError(
            "scale must be 'learned' or a positive number where num_features is None, but is 'predicted': "
            "a predicted scale needs features, and the input is the mean itself"
        )
    return scale


def _checking_values(distribution: Distribution) -> Distribution:
    """Lets a distribution made without a look at its parameters look at the values `log_prob` is asked about.

    Parameters come from a network: looking at each takes a tenth of a decoder's time, and where training diverged they
    are NaN, which must reach the loss for `vaeedu.training.fit` to say at which step. Values come from the user.
    """
    distribution._validate_args = True
    return distribution


def _scale_map(scale: Tensor, event_shape: tuple[int, ...]) -> Tensor:
    sigma = require.positive("scale", scale).detach()
    try:
        return sigma.expand(event_shape).clone()
    except RuntimeError:
        raise ValueError(
            f"scale must have a shape that broadcasts to the event's, {event_shape}, but has {tuple(sigma.shape)}: "
            "give one σ for each pixel, such as torch.full((32, 32), 0.1)"
        ) from None


def _full_precision(x: Tensor) -> Tensor:
    """Log-probabilities need more digits than bfloat16 has, whatever the layers were run in."""
    return x.float() if x.dtype in (torch.bfloat16, torch.float16) else x
