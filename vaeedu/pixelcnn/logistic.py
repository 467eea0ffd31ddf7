"""The likelihood of PixelCNN++: mixtures of logistic distributions, cut into levels."""

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional

from vaeedu import require
from vaeedu.networks.autoregressive import invert_cumulative
from vaeedu.pixelcnn.levels import check_num_levels, scale_levels
from vaeedu.pixelcnn.outputs import Output

_SMALLEST_LOG_SCALE = -7.0


@dataclass(frozen=True)
class LogisticMixture(Output):
    r"""Ordered levels: a mixture of M logistic distributions, each level getting the mass of its interval.

    With x ∈ [−1, 1] the level's place, w = 1 / (L − 1) half the distance between two, and the sub-pixels of a pixel
    in order,

    $$p(x_1, \dots, x_C) = \sum_m \pi_m \prod_c \big[\sigma\big((x_c + w - \mu_{cm}) / s_{cm}\big)
      - \sigma\big((x_c - w - \mu_{cm}) / s_{cm}\big)\big], \qquad
      \mu_{cm}(x_{<c}) = \mu^0_{cm} + \sum_{d < c} \tanh(\kappa_{cdm}) \, x_d.$$

    The lowest and highest level take the tails. The mean of one colour moves with the colours before it, so the network
    needs one step a pixel. Its `logits` are π's logits, μ⁰, log s and κ, M numbers each: `(B, P, H, W)`.

    Args:
        num_levels: L, between 2 and 256.
        num_components: M, how many logistic distributions are mixed.

    Raises:
        ValueError: They are not as described.

    Reference:
        Salimans, Karpathy, Chen and Kingma (2017), PixelCNN++, sections 2.1 and 2.2.

    >>> LogisticMixture(256).num_parameters(num_channels=3)
    100
    """

    num_levels: int
    num_components: int = 10

    def __post_init__(self) -> None:
        check_num_levels(self.num_levels)
        require.positive_int("num_components", self.num_components)

    def num_parameters(self, num_channels: int) -> int:
        """Returns P, M numbers for each component's weight, means, scales and coefficients."""
        return self.num_components * sum(_blocks(num_channels))

    def steps(self, num_channels: int) -> list[list[int]]:
        """Lists the one step that the network takes at a pixel: all channels are drawn after it."""
        return [list(range(num_channels))]

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
        blocks = _blocks(C)
        log_weight, loc, log_scale, coefficient = parameters.unflatten(-1, (sum(blocks), -1)).split(
            blocks, dim=-2
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


def _blocks(num_channels: int) -> list[int]:
    """Returns how many of a component's numbers are weight, means, scales and coefficients."""
    C = num_channels
    return [1, C, C, C * (C - 1) // 2]


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
