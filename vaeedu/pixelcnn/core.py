"""What all models of pixels share: exact likelihoods, and a look at what a pixel depends on."""

import abc
import math
from collections.abc import Sequence

import torch
from jaxtyping import Float, Int64
from torch import Tensor, nn

from vaeedu import require, sampling
from vaeedu.networks.autoregressive import mean_input_gradient
from vaeedu.pixelcnn.levels import scale_levels
from vaeedu.pixelcnn.outputs import Output

_LARGEST_TENSOR = 2**22  # bytes
# At one image a rectifier is off that is on at another, so that what a pixel depends on takes a few.
_NUM_PROBES = 16


class PixelModel(nn.Module, abc.ABC):
    r"""An exact distribution over images, by the chain rule: $p(x) = \prod_i p(x_i \mid x_{<i})$.

    Sub-pixels are ordered row by row, from left to right, and by channel within a pixel. Images are whole numbers
    0, …, L − 1, `(B, C, H, W)`. Subclasses say how the conditionals are computed.

    Args:
        image_shape: `(C, H, W)`.
        output: The distribution of a pixel.
        num_channels: The network's width.
        num_classes: Number of labels to be conditioned on, or None.

    Raises:
        ValueError: An argument is not as described.
    """

    head: nn.Sequential

    def __init__(
        self, image_shape: Sequence[int], output: object, num_channels: int, num_classes: int | None
    ) -> None:
        super().__init__()
        self.image_shape = require.image_shape("image_shape", image_shape)
        if not isinstance(output, Output):
            raise ValueError(f"output must be Binary(), Softmax(L) or LogisticMixture(L), but is {output!r}")
        self.output = output
        self.steps = output.steps(self.image_shape[0])
        self.num_colors, self.num_parameters = len(self.steps), output.num_parameters(self.image_shape[0])
        self.num_classes = None if num_classes is None else require.positive_int("num_classes", num_classes)
        self.num_channels = require.positive_int("num_channels", num_channels)
        if num_channels < self.num_colors:
            raise ValueError(
                f"num_channels must be at least {self.num_colors}, a feature for each of the image's channels, "
                f"but is {num_channels}"
            )

    @property
    def num_levels(self) -> int:
        """L, how many levels a sub-pixel can take."""
        return self.output.num_levels

    @property
    def microbatch_size(self) -> int:
        """Into pieces of how many images `training.fit` cuts a batch on the CPU.

        What a small piece needs fits into the memory that the C library keeps from step to step; with large ones it is
        given back, and a large network then spends half of its time on filling fresh pages with zeros.
        """
        _, H, W = self.image_shape
        images = _LARGEST_TENSOR // (4 * 2 * self.num_channels * H * W)
        return 1 << max(images.bit_length() - 1, 0)

    @abc.abstractmethod
    def network(self, x: Float[Tensor, "B C H W"], y: Int64[Tensor, " B"] | None) -> Float[Tensor, "B P H W"]:
        """Computes the parameters of every pixel's distribution, from scaled images and checked labels."""

    def logits(self, x_scaled: object, y: object = None) -> Float[Tensor, "B ..."]:
        """Computes the parameters of every conditional at once.

        Args:
            x_scaled: Images as `scale` returns them, floats from −1 to 1, `(B, C, H, W)`; gradients reach them.
            y: Labels, `(B,)` or one for all; only for a model with `num_classes`.

        Returns:
            Two levels: the logit of level 1 at each sub-pixel, `(B, C, H, W)`. More: unnormalised log-probabilities
            `(B, L, C, H, W)`. A logistic mixture: its parameters, `(B, P, H, W)`.

        Raises:
            ValueError: The images' shape does not fit, or labels are missing, superfluous or out of range.
        """
        x = require.images("x_scaled", x_scaled, self.image_shape)
        raw = self.network(x, self._labels(y, len(x)))
        return self.output.arrange(raw)

    def scale(self, levels: object) -> Float[Tensor, "B C H W"]:
        """Maps levels 0, …, L − 1 to floats from −1 to 1, in the model's dtype and on its device.

        Raises:
            ValueError: `levels` is no `(B, C, H, W)` tensor of such levels.
        """
        return scale_levels(self._levels("levels", levels), self.num_levels)

    def log_prob(self, x: object, y: object = None) -> Float[Tensor, " B"]:
        r"""Computes log p(x), or log p(x|y), exactly: $\sum_i \log p(x_i \mid x_{<i})$, in one pass of the network.

        Args:
            x: Levels 0, …, L − 1, `(B, C, H, W)`; whole numbers of any dtype.
            y: Labels, `(B,)` or one for all; only for a model with `num_classes`.

        Returns:
            Log-probabilities in nats, `(B,)`.

        Raises:
            ValueError: `x` holds no such levels, or labels are missing, superfluous or out of range.
        """
        levels = self._levels("x", x)
        return self.output.log_prob(self.logits(scale_levels(levels, self.num_levels), y), levels)

    def bits_per_dim(self, x: object, y: object = None) -> Float[Tensor, " B"]:
        r"""Computes $-\log_2 p(x) / (C H W)$ for each image: bits a sub-pixel, `(B,)`. Arguments as in `log_prob`."""
        return -self.log_prob(x, y) / (math.prod(self.image_shape) * math.log(2))

    def predictive(self, x: object, y: object = None) -> Float[Tensor, "B L C H W"]:
        """Computes p(x_i = level | x_{<i}) for every sub-pixel i and level, `(B, L, C, H, W)`.

        Args and errors as in `log_prob`.
        """
        levels = self._levels("x", x)
        return self.output.probs(self.logits(scale_levels(levels, self.num_levels), y), levels)

    def receptive_field(
        self,
        pixel: tuple[int, int] | None = None,
        *,
        channel: int = 0,
        generator: torch.Generator | None = None,
    ) -> Float[Tensor, "C H W"]:
        """Measures what the conditional of one sub-pixel depends on, by the gradient with respect to the image.

        Args:
            pixel: Row and column; None is the middle of the image.
            channel: Which sub-pixel. A logistic mixture computes one set of parameters for all.
            generator: Draws the images at which gradients are taken; None is a fixed seed.

        Returns:
            Mean size of the gradient at each sub-pixel, `(C, H, W)`: exactly zero where nothing can come from.

        Raises:
            ValueError: `pixel` or `channel` lie outside the image.
        """
        C, H, W = self.image_shape
        row, column = pixel or (H // 2, W // 2)
        if not (0 <= row < H and 0 <= column < W and 0 <= channel < C):
            raise ValueError(
                f"pixel and channel must lie in an image of shape {self.image_shape}, but are {(row, column)} and "
                f"{channel}"
            )
        generator = generator or torch.Generator().manual_seed(0)
        x, y = self._probes(generator)

        def conditional(x: Tensor) -> Tensor:
            by_step = self.network(x, y)[:, :, row, column].chunk(self.num_colors, dim=1)
            return by_step[channel if self.num_colors > 1 else 0]

        return mean_input_gradient(conditional, x, generator)

    def _probes(self, generator: torch.Generator) -> tuple[Tensor, Tensor | None]:
        """Draws scaled images and labels at random."""
        n, like, y = _NUM_PROBES, self._like(), None
        if self.num_classes is not None:
            y = sampling.integers((n,), self.num_classes, generator=generator).to(like.device)
        here = torch.empty(0, dtype=like.dtype, device=generator.device)
        numbers = sampling.uniform((n, *self.image_shape), like=here, generator=generator)
        return (2 * numbers - 1).to(like.device), y

    def _like(self) -> Tensor:
        return next(self.parameters())

    def _levels(self, name: str, value: object) -> Tensor:
        """Returns levels as floats of the model's dtype, on its device."""
        return require.levels(name, value, self.image_shape, self.num_levels).to(self._like())

    def _labels(self, y: object, n: int) -> Tensor | None:
        labels = require.labels("y", y, n, self.num_classes)
        return None if labels is None else labels.to(self._like().device)
