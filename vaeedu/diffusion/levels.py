"""Levels as numbers from −1 to 1, and beliefs about them."""

import torch
from jaxtyping import Float, Int64
from torch import Tensor

from vaeedu import require


def levels_to_values(levels: Int64[Tensor, "*shape"], num_levels: int) -> Float[Tensor, "*shape"]:
    """Maps levels 0, …, L − 1 to evenly spaced numbers from −1 to 1, whose variance a schedule can keep.

    >>> levels_to_values(torch.tensor([0, 1, 2]), 3)
    tensor([-1.,  0.,  1.])
    """
    return 2.0 * levels / (_more_than_one(num_levels) - 1) - 1.0


def values_to_levels(x: Float[Tensor, "*shape"], num_levels: int) -> Int64[Tensor, "*shape"]:
    """Rounds numbers to the nearest of L levels; beyond −1 and 1 to the first and the last.

    >>> values_to_levels(torch.tensor([-1.2, 0.1, 0.9]), 3)
    tensor([0, 1, 2])
    """
    L = _more_than_one(num_levels)
    return ((x + 1) / 2 * (L - 1)).round().clamp(0, L - 1).long()


class LevelBelief:
    r"""A distribution over images of levels, each pixel by itself: p(x_0 | x_t) as a denoiser sees it.

    It has what a decoder's distribution needs, `log_prob` and `mean`; levels are counted in their values, −1 to 1.

    Attributes:
        log_probs: Logarithms of the probabilities, `(B, *event, L)`.
        values: The numbers that the levels stand for, `(L,)`.

    Args:
        logits: Up to a constant, `(B, *event, L)`.

    >>> belief = LevelBelief(torch.zeros(1, 2, 3))
    >>> belief.mean, belief.log_prob(torch.tensor([[-1.0, 1.0]])).exp()
    (tensor([[0., 0.]]), tensor([0.1111]))
    """

    def __init__(self, logits: Float[Tensor, "B ... L"]) -> None:
        self.log_probs = logits.log_softmax(dim=-1)
        self.values = torch.linspace(-1, 1, logits.shape[-1], dtype=logits.dtype, device=logits.device)

    @property
    def mean(self) -> Float[Tensor, "B ..."]:
        """The expected value of each pixel."""
        return self.log_probs.exp() @ self.values

    @property
    def mode(self) -> Float[Tensor, "B ..."]:
        """The value of each pixel's most probable level."""
        return self.values[self.log_probs.argmax(dim=-1)]

    def log_prob(self, x: Float[Tensor, "B ..."]) -> Float[Tensor, " B"]:
        """Returns the log-probability of images, in nats, summed over pixels.

        Raises:
            ValueError: An entry is none of the levels' values: images in [0, 1], say.
        """
        L = len(self.values)
        index = values_to_levels(x, L)
        off = (self.values[index] - x).abs() > 1e-4
        require.tensors.refuse(
            "x",
            x,
            off,
            f"hold {L} evenly spaced values from -1 to 1",
            "use diffusion.levels_to_values(data.quantize(x, L), L)",
        )
        return self.log_probs.gather(-1, index[..., None])[..., 0].flatten(1).sum(dim=1)


def nearest_level(num_levels: int) -> "NearestLevel":
    """Returns the decoder that knows nothing but the noise: p(x_0 | x_1) in proportion to q(x_1 | x_0).

    Reference:
        Kingma et al. (2021), Variational diffusion models, section 3.3.
    """
    return NearestLevel(num_levels)


class NearestLevel:
    """See `nearest_level`."""

    def __init__(self, num_levels: int) -> None:
        self.num_levels = _more_than_one(num_levels)

    def __call__(self, x_1: Float[Tensor, "B ..."], log_snr: Float[Tensor, " B"]) -> LevelBelief:
        """Returns the belief about x_0 with all levels equally probable beforehand."""
        return LevelBelief(level_log_likelihood(x_1, log_snr, self.num_levels))


def level_log_likelihood(
    x: Float[Tensor, "B ..."], log_snr: Float[Tensor, " B"], num_levels: int
) -> Float[Tensor, "B ... L"]:
    r"""Returns log q(x_t | x_0 = v) for every level v of each pixel, up to what is the same for all v.

    $$-\frac{(x_t - \alpha_t v)^2}{2 \sigma_t^2} = v\,\frac{\alpha_t x_t}{\sigma_t^2} - \frac{v^2}{2} e^{\lambda_t}
      + \text{const} .$$
    """
    values = torch.linspace(-1, 1, num_levels, dtype=x.dtype, device=x.device)
    signal, noise = log_snr.sigmoid().sqrt(), torch.sigmoid(-log_snr)
    shape = (len(x), *[1] * x.ndim)
    return -(x[..., None] - signal.reshape(shape) * values).square() / (2 * noise.reshape(shape))


def _more_than_one(num_levels: int) -> int:
    if require.positive_int("num_levels", num_levels, at_most=256, because="8 bits a pixel") == 1:
        raise ValueError("num_levels must be at least 2, but is 1: use 2 for black and white, 256 for bytes")
    return num_levels
