"""What a network's numbers at a pixel mean: distributions over the levels of its sub-pixels.

Every draw inverts the cumulative distribution at one number u, uniform on [0, 1): samplers that are handed
the same u draw the same image.
"""

import abc
import functools

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional

_SMALLEST_LOG_SCALE = -7.0


class Output(abc.ABC):
    """What a network's numbers at a pixel mean.

    Attributes:
        num_parameters: P, how many numbers a pixel takes.
        num_steps: How many steps the network takes for a pixel: one for each sub-pixel, or one for all.
    """

    num_parameters: int
    num_steps: int

    @abc.abstractmethod
    def arrange(self, raw: Float[Tensor, "B P H W"]) -> Float[Tensor, "B ..."]:
        """Returns the network's output in the shape of logits."""

    @abc.abstractmethod
    def log_prob(
        self, logits: Float[Tensor, "B ..."], levels: Float[Tensor, "B C H W"]
    ) -> Float[Tensor, " B"]:
        """Computes log p(levels) in nats: the sum over pixels."""

    @abc.abstractmethod
    def probs(
        self, logits: Float[Tensor, "B ..."], levels: Float[Tensor, "B C H W"]
    ) -> Float[Tensor, "B L C H W"]:
        """Returns the probability of each level at each sub-pixel, given those before it."""

    def noise(self, u: Float[Tensor, "*shape"]) -> Float[Tensor, "*shape"]:
        """Returns what `draw` asks for instead of u: often u itself."""
        return u

    @abc.abstractmethod
    def draw(
        self,
        parameters: Float[Tensor, "N P"],
        noise: Float[Tensor, " N"],
        pixel: Float[Tensor, "N C"],
        channel: int,
        *,
        out: Float[Tensor, " N"],
    ) -> None:
        """Draws the levels of one channel into `out`, given those of the channels before it in `pixel`."""


class BernoulliOutput(Output):
    """Two levels: one logit a sub-pixel, that of level 1. Its logits have shape `(B, C, H, W)`."""

    def __init__(self, num_channels: int) -> None:
        self.num_parameters = self.num_steps = num_channels

    def arrange(self, raw: Float[Tensor, "B C H W"]) -> Float[Tensor, "B C H W"]:
        """Returns the network's output in the shape of logits."""
        return raw

    def log_prob(
        self, logits: Float[Tensor, "B C H W"], levels: Float[Tensor, "B C H W"]
    ) -> Float[Tensor, " B"]:
        """Computes log p(levels) in nats: the sum over sub-pixels."""
        return -functional.binary_cross_entropy_with_logits(logits, levels, reduction="none").sum(
            dim=(1, 2, 3)
        )

    def probs(
        self, logits: Float[Tensor, "B C H W"], levels: Float[Tensor, "B C H W"]
    ) -> Float[Tensor, "B 2 C H W"]:
        """Returns the probability of each level at each sub-pixel, given those before it."""
        return torch.stack([(-logits).sigmoid(), logits.sigmoid()], dim=1)

    def noise(self, u: Float[Tensor, "*shape"]) -> Float[Tensor, "*shape"]:
        """Returns what `draw` asks for instead of u: log-odds, so that no draw computes a probability."""
        return -u.logit()

    def draw(
        self,
        parameters: Float[Tensor, "N 1"],
        noise: Float[Tensor, " N"],
        pixel: Float[Tensor, "N C"],
        channel: int,
        *,
        out: Float[Tensor, " N"],
    ) -> None:
        """Draws levels into `out`: 1 if u ≥ P(0), that is logit P(1) ≥ −logit u."""
        torch.ge(parameters[:, 0], noise, out=out)


class CategoricalOutput(Output):
    """Any number of levels: a softmax a sub-pixel. Its logits have shape `(B, L, C, H, W)`."""

    def __init__(self, num_channels: int, num_levels: int) -> None:
        self.num_steps, self.num_levels = num_channels, num_levels
        self.num_parameters = num_channels * num_levels

    def arrange(self, raw: Float[Tensor, "B P H W"]) -> Float[Tensor, "B L C H W"]:
        """Returns the network's output in the shape of logits."""
        return raw.unflatten(1, (self.num_steps, self.num_levels)).transpose(1, 2)

    def log_prob(
        self, logits: Float[Tensor, "B L C H W"], levels: Float[Tensor, "B C H W"]
    ) -> Float[Tensor, " B"]:
        """Computes log p(levels) in nats: the sum over sub-pixels."""
        return -functional.cross_entropy(logits, levels.long(), reduction="none").sum(dim=(1, 2, 3))

    def probs(
        self, logits: Float[Tensor, "B L C H W"], levels: Float[Tensor, "B C H W"]
    ) -> Float[Tensor, "B L C H W"]:
        """Returns the probability of each level at each sub-pixel, given those before it."""
        return logits.softmax(dim=1)

    def draw(
        self,
        parameters: Float[Tensor, "N L"],
        noise: Float[Tensor, " N"],
        pixel: Float[Tensor, "N C"],
        channel: int,
        *,
        out: Float[Tensor, " N"],
    ) -> None:
        """Draws levels into `out`: the number of levels whose cumulative probability is at most u."""
        out.copy_(invert_cumulative(parameters.softmax(dim=1), noise))


class LogisticMixtureOutput(Output):
    r"""Ordered levels: a mixture of M logistic distributions, each level getting the mass of its interval.

    With x ∈ [−1, 1] the level's place, w = 1 / (L − 1) half the distance between two, and the sub-pixels of a pixel
    in order,

    $$p(x_1, \dots, x_C) = \sum_m \pi_m \prod_c \big[\sigma\big((x_c + w - \mu_{cm}) / s_{cm}\big)
      - \sigma\big((x_c - w - \mu_{cm}) / s_{cm}\big)\big], \qquad
      \mu_{cm}(x_{<c}) = \mu^0_{cm} + \sum_{d < c} \tanh(\kappa_{cdm}) \, x_d.$$

    The lowest and highest level take the tails. The mean of one colour moves with the colours before it, so the network
    needs one step a pixel. Its `logits` are π's logits, μ⁰, log s and κ, M numbers each: `(B, P, H, W)`.

    Reference:
        Salimans, Karpathy, Chen and Kingma (2017), PixelCNN++, sections 2.1 and 2.2.
    """

    num_steps = 1

    def __init__(self, num_channels: int, num_levels: int, num_components: int) -> None:
        C, self.num_levels = num_channels, num_levels
        self._blocks = [1, C, C, C * (C - 1) // 2]
        self.num_parameters = num_components * sum(self._blocks)

    def arrange(self, raw: Float[Tensor, "B P H W"]) -> Float[Tensor, "B P H W"]:
        """Returns the network's output in the shape of logits."""
        return raw

    def log_prob(
        self, logits: Float[Tensor, "B P H W"], levels: Float[Tensor, "B C H W"]
    ) -> Float[Tensor, " B"]:
        """Computes log p(levels) in nats: the sum over pixels."""
        x = levels.movedim(1, -1)  # (B, H, W, C)
        log_weight, loc, log_scale = self._components(logits.movedim(1, -1), self._scaled(x))
        each = discretized_logistic_log_prob(x[..., None], loc, log_scale, self.num_levels)  # (B, H, W, C, M)
        return (log_weight + each.sum(dim=-2)).logsumexp(dim=-1).sum(dim=(1, 2))

    def probs(
        self, logits: Float[Tensor, "B P H W"], levels: Float[Tensor, "B C H W"]
    ) -> Float[Tensor, "B L C H W"]:
        """Returns the probability of each level at each sub-pixel, given those before it."""
        parameters, x = logits.movedim(1, -1), levels.movedim(1, -1)
        by_color = [self._level_probs(parameters, x, c) for c in range(x.shape[-1])]  # each (B, H, W, L)
        return torch.stack(by_color, dim=-1).permute(0, 3, 4, 1, 2)

    def draw(
        self,
        parameters: Float[Tensor, "N P"],
        noise: Float[Tensor, " N"],
        pixel: Float[Tensor, "N C"],
        channel: int,
        *,
        out: Float[Tensor, " N"],
    ) -> None:
        """Draws levels of one colour into `out`, given those of the colours before it in `pixel`."""
        out.copy_(invert_cumulative(self._level_probs(parameters, pixel, channel), noise))

    def _level_probs(
        self, parameters: Float[Tensor, "*n P"], levels: Float[Tensor, "*n C"], channel: int
    ) -> Float[Tensor, "*n L"]:
        log_weight, loc, log_scale = self._components(parameters, self._scaled(levels))
        # What the colours seen so far say about the component, π_m Π p(x_d | m), is Bayes' rule without its sum.
        seen = discretized_logistic_log_prob(levels[..., None], loc, log_scale, self.num_levels)
        log_weight = log_weight + seen[..., :channel, :].sum(dim=-2)
        grid = torch.arange(self.num_levels).to(parameters)
        loc, log_scale = loc[..., channel, :, None], log_scale[..., channel, :, None]
        joint = log_weight[..., None] + discretized_logistic_log_prob(grid, loc, log_scale, self.num_levels)
        return joint.logsumexp(dim=-2).softmax(dim=-1)

    def _components(self, parameters: Tensor, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Returns log π (..., M), and μ and log s (..., C, M) given the scaled sub-pixels (..., C)."""
        C = x.shape[-1]
        log_weight, loc, log_scale, coefficient = parameters.unflatten(-1, (sum(self._blocks), -1)).split(
            self._blocks, dim=-2
        )
        coefficient = coefficient.tanh()
        locs, start = [loc[..., 0, :]], 0
        for c in range(1, C):
            moved = (coefficient[..., start : start + c, :] * x[..., :c, None]).sum(dim=-2)
            locs.append(loc[..., c, :] + moved)
            start += c
        log_scale = log_scale.clamp(min=_SMALLEST_LOG_SCALE)
        return log_weight[..., 0, :].log_softmax(dim=-1), torch.stack(locs, dim=-2), log_scale

    def _scaled(self, levels: Tensor) -> Tensor:
        return scale_levels(levels, self.num_levels)


def scale_levels(
    levels: Float[Tensor, "*shape"], num_levels: int, *, out: Tensor | None = None
) -> Float[Tensor, "*shape"]:
    """Maps levels 0, …, L − 1 to evenly spaced numbers from −1 to 1.

    >>> scale_levels(torch.tensor([0.0, 1.0, 2.0]), 3)
    tensor([-1.,  0.,  1.])
    """
    return torch.add(_minus_one(levels.dtype, levels.device), levels, alpha=2 / (num_levels - 1), out=out)


@functools.cache
def _minus_one(dtype: torch.dtype, device: torch.device) -> Tensor:
    # Made once: the sampler adds it for every sub-pixel. Not in inference mode, even if first asked for there.
    with torch.inference_mode(False):
        return torch.tensor(-1.0, dtype=dtype, device=device)


def invert_cumulative(probs: Float[Tensor, "N L"], u: Float[Tensor, " N"]) -> Float[Tensor, " N"]:
    """Returns the level at which the cumulative probability first exceeds u.

    >>> invert_cumulative(torch.tensor([[0.2, 0.3, 0.5]]).expand(3, 3), torch.tensor([0.1, 0.3, 0.9]))
    tensor([0., 1., 2.])
    """
    # The last cumulative sum is 1 but for rounding: left out, so that no u can lie above it.
    return (probs.cumsum(dim=-1)[..., :-1] <= u[..., None]).sum(dim=-1).to(u)


def discretized_logistic_log_prob(
    levels: Float[Tensor, "..."],
    loc: Float[Tensor, "..."],
    log_scale: Float[Tensor, "..."],
    num_levels: int,
) -> Float[Tensor, "..."]:
    r"""Computes the log of a logistic distribution's mass between the midpoints around a level.

    The levels 0, …, L − 1 lie evenly on [−1, 1]; the lowest and the highest take the tails. With a and b the ends of
    the interval, in units of s from μ,

    $$\log[\sigma(a) - \sigma(b)] = \log \sigma(a) + \log \sigma(-b) + \log\big(1 - e^{-(a - b)}\big),$$

    which no difference of nearly equal numbers spoils, however far out the level lies.

    Args:
        levels: Whole numbers 0, …, L − 1.
        loc: μ, in units of the scaled levels, broadcast against `levels`.
        log_scale: log s, likewise.
        num_levels: L.

    Returns:
        Log-probabilities in nats, of the broadcast shape.

    Reference:
        Salimans, Karpathy, Chen and Kingma (2017), PixelCNN++, eq. 2.

    >>> levels = torch.arange(256.0)
    >>> p = discretized_logistic_log_prob(levels, torch.tensor(0.9), torch.tensor(-1.0), 256).exp()
    >>> round(p.sum().item(), 4)
    1.0
    """
    half_width = 1 / (num_levels - 1)
    precision = torch.exp(-log_scale)
    d = scale_levels(levels, num_levels) - loc
    below_top = functional.logsigmoid((d + half_width) * precision)  # log σ(a)
    above_bottom = functional.logsigmoid((half_width - d) * precision)  # log σ(−b)
    width = torch.log(-torch.expm1(-2 * half_width * precision))
    lowest, highest = levels == 0, levels == num_levels - 1
    inner = below_top + above_bottom + width
    return torch.where(lowest, below_top, torch.where(highest, above_bottom, inner))
