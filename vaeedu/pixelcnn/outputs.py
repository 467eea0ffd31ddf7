"""What a network's numbers at a pixel mean: distributions over the levels of its sub-pixels.

An output holds no weights: it is a value, such as `Softmax(17)`, and may serve many models. Every draw inverts the
cumulative distribution at one number u, uniform on [0, 1): samplers that are handed the same u draw the same image.
"""

import abc
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional

from vaeedu.networks.autoregressive import invert_cumulative
from vaeedu.pixelcnn.levels import check_num_levels


class Output(abc.ABC):
    """What a network's numbers at a pixel mean.

    Attributes:
        num_levels: L, how many levels a sub-pixel can take.
    """

    num_levels: int

    @abc.abstractmethod
    def num_parameters(self, num_channels: int) -> int:
        """Returns P, how many numbers a pixel of so many channels takes."""

    def steps(self, num_channels: int) -> list[list[int]]:
        """Lists the network's steps at a pixel, by the channels that are drawn after each: often one for each."""
        return [[c] for c in range(num_channels)]

    def arrange(self, raw: Float[Tensor, "B P H W"]) -> Float[Tensor, "B ..."]:
        """Returns the network's output in the shape of logits: often as it is."""
        return raw

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


@dataclass(frozen=True)
class Binary(Output):
    """Black and white: a Bernoulli distribution a sub-pixel. The logits of level 1 have shape `(B, C, H, W)`."""

    num_levels = 2

    def num_parameters(self, num_channels: int) -> int:
        """Returns P = C, a logit for each sub-pixel."""
        return num_channels

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


BLACK_AND_WHITE = Binary()


@dataclass(frozen=True)
class Softmax(Output):
    """Levels without an order: a softmax a sub-pixel. Its logits have shape `(B, L, C, H, W)`.

    Args:
        num_levels: L, between 2 and 256.

    Raises:
        ValueError: It is not.

    >>> Softmax(17).num_parameters(num_channels=3)
    51
    """

    num_levels: int

    def __post_init__(self) -> None:
        check_num_levels(self.num_levels)

    def num_parameters(self, num_channels: int) -> int:
        """Returns P = C L."""
        return num_channels * self.num_levels

    def arrange(self, raw: Float[Tensor, "B P H W"]) -> Float[Tensor, "B L C H W"]:
        """Returns the network's output in the shape of logits."""
        return raw.unflatten(1, (-1, self.num_levels)).transpose(1, 2)

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
