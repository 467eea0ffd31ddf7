"""What the two networks share: exact likelihoods, samples, completions, and a look at what a pixel depends on."""

import abc
import math
from collections.abc import Callable, Sequence

import torch
from jaxtyping import Bool, Float, Int64
from torch import Tensor, nn

from vaeedu import require
from vaeedu.pixelcnn import sampling as samplers
from vaeedu.pixelcnn.incremental import RowProgram
from vaeedu.pixelcnn.outputs import (
    BernoulliOutput,
    CategoricalOutput,
    LogisticMixtureOutput,
    Output,
    scale_levels,
)
from vaeedu.pixelcnn.receptive import mean_input_gradient

LIKELIHOODS = ("categorical", "logistic_mixture")
_LARGEST_TENSOR = 2**24  # bytes
RowWatcher = Callable[[int, Tensor], object]


class PixelModel(nn.Module, abc.ABC):
    r"""An exact distribution over images, by the chain rule: $p(x) = \prod_i p(x_i \mid x_{<i})$.

    Sub-pixels are ordered row by row, from left to right, and by channel within a pixel. Images are whole numbers
    0, …, L − 1, `(B, C, H, W)`. `PixelCNN` and `GatedPixelCNN` say how the conditionals are computed.
    """

    head: nn.Sequential

    def __init__(
        self,
        image_shape: Sequence[int],
        num_levels: int,
        num_channels: int,
        num_layers: int,
        num_classes: int | None,
        likelihood: str,
        num_components: int,
    ) -> None:
        super().__init__()
        self.image_shape = require.image_shape("image_shape", image_shape)
        C = self.image_shape[0]
        self.num_levels = require.positive_int(
            "num_levels", num_levels, at_most=256, because="8 bits a pixel"
        )
        if num_levels < 2:
            raise ValueError(
                "num_levels must be at least 2, but is 1: use 2 for black and white, 256 for bytes"
            )
        self.num_classes = None if num_classes is None else require.positive_int("num_classes", num_classes)
        require.positive_int("num_layers", num_layers)
        require.choice("likelihood", likelihood, LIKELIHOODS)
        require.positive_int("num_components", num_components)
        self.output = _output(C, num_levels, likelihood, num_components)
        self.num_colors = self.output.num_steps
        self.num_channels = require.positive_int("num_channels", num_channels)
        if num_channels < self.num_colors:
            raise ValueError(
                f"num_channels must be at least {self.num_colors}, a feature for each of the image's channels, "
                f"but is {num_channels}"
            )

    @property
    def microbatch_size(self) -> int:
        """Into pieces of how many images `training.fit` cuts a batch on the CPU.

        Tensors of more than 32 MiB are given back to the system when they are freed, and the next one is filled with
        fresh pages: a large network then spends half of its time on page faults. Pieces stay well below.
        """
        _, H, W = self.image_shape
        images = _LARGEST_TENSOR // (4 * 2 * self.num_channels * H * W)
        return 1 << max(images.bit_length() - 1, 0)

    @abc.abstractmethod
    def network(self, x: Float[Tensor, "B C H W"], y: Int64[Tensor, " B"] | None) -> Float[Tensor, "B P H W"]:
        """Computes the parameters of every pixel's distribution, from scaled images and checked labels."""

    @abc.abstractmethod
    def row_program(
        self, n: int, y: Int64[Tensor, " B"] | None, *, completing: bool = False, recording: bool = False
    ) -> RowProgram:
        """Lays out the cached sampler's work for n images with checked labels."""

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

    def sample(
        self,
        n: int,
        y: object = None,
        *,
        method: str = "cached",
        generator: torch.Generator | None = None,
        progress: bool = False,
        on_row: RowWatcher | None = None,
    ) -> Int64[Tensor, "N C H W"]:
        """Draws images, sub-pixel by sub-pixel.

        Args:
            n: How many.
            y: Labels, `(n,)` or one for all; only for a model with `num_classes`.
            method: `"cached"` computes each feature once; `"naive"` runs the whole network for every sub-pixel. Both
                draw the same images from the same generator, up to rounding.
            generator: The source of randomness; None is torch's global one.
            progress: Whether to show a bar that counts rows.
            on_row: Called after each row with its index and the images so far, zero where nothing is drawn yet.

        Returns:
            Levels, `(n, C, H, W)`.

        Raises:
            ValueError: `n` is not a positive whole number, `method` is unknown, or labels do not fit.
        """
        n = require.positive_int("n", n)
        return self._draw(n, y, None, method, generator, progress, on_row)

    def complete(
        self,
        x: object,
        mask: object,
        y: object = None,
        *,
        method: str = "cached",
        generator: torch.Generator | None = None,
        progress: bool = False,
        on_row: RowWatcher | None = None,
    ) -> Int64[Tensor, "B C H W"]:
        """Draws the pixels that are missing, each given all that comes before it.

        Where everything known comes first, as with the upper half of an image, these are exact draws of the rest given
        the known part. A known pixel *after* a missing one is kept, but has no say in it.

        Args:
            x: Levels, `(B, C, H, W)`, anything where they are missing.
            mask: True where x is known; of a shape that broadcasts to that of `x`, such as `(H, W)`.
            y: Labels, `(B,)` or one for all; only for a model with `num_classes`.
            method: As in `sample`.
            generator: The source of randomness; None is torch's global one.
            progress: As in `sample`.
            on_row: As in `sample`.

        Returns:
            Levels, `(B, C, H, W)`: those of `x` where the mask is true.

        Raises:
            ValueError: `x`, `mask`, `method` or `y` are not as described.
        """
        images = require.images("x", x, self.image_shape)
        known = self._mask(mask, images)
        levels = self._levels("x", torch.where(known, images, torch.zeros_like(images)))
        known = known.to(levels.device)
        return self._draw(len(images), y, (levels, known), method, generator, progress, on_row)

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
        return mean_input_gradient(self, (row, column), channel, generator)

    def _draw(
        self,
        n: int,
        y: object,
        given: tuple[Tensor, Tensor] | None,
        method: str,
        generator: torch.Generator | None,
        progress: bool,
        on_row: RowWatcher | None,
    ) -> Tensor:
        require.choice("method", method, samplers.METHODS)
        labels = self._labels(y, n)
        return samplers.draw_images(
            self, n, labels, given, method=method, generator=generator, progress=progress, on_row=on_row
        )

    def _like(self) -> Tensor:
        return next(self.parameters())

    def _levels(self, name: str, value: object) -> Tensor:
        """Returns levels as floats of the model's dtype, on its device."""
        return require.levels(name, value, self.image_shape, self.num_levels).to(self._like())

    def _labels(self, y: object, n: int) -> Tensor | None:
        if self.num_classes is None:
            if y is not None:
                raise ValueError(
                    "y must be None for a model without num_classes: leave it out, or make one with num_classes"
                )
            return None
        if isinstance(y, int) and not isinstance(y, bool):
            y = torch.full((n,), y)
        if not isinstance(y, Tensor) or y.is_floating_point() or y.is_complex() or y.shape != (n,):
            got = f"{y.dtype} of shape {tuple(y.shape)}" if isinstance(y, Tensor) else repr(y)
            raise ValueError(f"y must be whole numbers of shape ({n},), one for each image, but is {got}")
        if bool(((y < 0) | (y >= self.num_classes)).any()):
            raise ValueError(
                f"y must hold labels 0, …, {self.num_classes - 1}, but its entries range from {int(y.min())} to "
                f"{int(y.max())}"
            )
        return y.long().to(self._like().device)

    def _mask(self, mask: object, x: Tensor) -> Bool[Tensor, "B C H W"]:
        if not isinstance(mask, Tensor) or mask.dtype != torch.bool:
            got = mask.dtype if isinstance(mask, Tensor) else type(mask).__name__
            raise ValueError(f"mask must be a boolean tensor, True where x is known, but is {got}")
        try:
            return mask.to(x.device).expand(x.shape)
        except RuntimeError:
            raise ValueError(
                f"mask must have a shape that broadcasts to {tuple(x.shape)}, but has shape {tuple(mask.shape)}"
            ) from None


def _output(num_channels: int, num_levels: int, likelihood: str, num_components: int) -> Output:
    if likelihood == "logistic_mixture":
        return LogisticMixtureOutput(num_channels, num_levels, num_components)
    return BernoulliOutput(num_channels) if num_levels == 2 else CategoricalOutput(num_channels, num_levels)
