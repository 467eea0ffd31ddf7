"""Drawing images and completing them, sub-pixel by sub-pixel: the naive way, or the way that computes nothing twice.

Both take one uniform number for every sub-pixel, drawn before all else, and so draw the same images.
"""

from collections.abc import Callable

import torch
from jaxtyping import Bool, Int64
from torch import Tensor

from vaeedu import require, sampling
from vaeedu.pixelcnn import fast, naive
from vaeedu.pixelcnn.core import PixelModel

METHODS = {"cached": fast.rows, "naive": naive.rows}
RowWatcher = Callable[[int, Tensor], object]


class SamplingModel(PixelModel):
    """A model of pixels that draws."""

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

    @torch.inference_mode()
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
        """Draws n images; `given` holds levels to be kept, and a mask that is true where they are."""
        from tqdm.auto import tqdm  # looks for a notebook: only when asked for images

        draw_rows = METHODS[require.choice("method", method, METHODS)]
        labels, like, (C, H, W) = self._labels(y, n), self._like(), self.image_shape
        # Drawn in float64 where the generator draws, whatever the model's device and dtype.
        exact = torch.empty(0, dtype=torch.float64, device=None if generator is None else generator.device)
        u = sampling.uniform((n, C, H, W), like=exact, generator=generator)
        images = torch.zeros(n, C, H, W, dtype=torch.int64, device=like.device)
        rows = draw_rows(self, labels, self.output.noise(u).to(like), given)
        for i, row in enumerate(tqdm(rows, total=H, unit="row", disable=not progress)):
            images[:, :, i] = row
            if on_row is not None:
                on_row(i, images.clone())
        # Made anew outside inference mode, so that autograd may see it.
        with torch.inference_mode(False):
            return images.clone()

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
