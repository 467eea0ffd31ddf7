"""Images in a grid."""

import math
from collections.abc import Sequence

import matplotlib as mpl
import torch
from jaxtyping import Float
from matplotlib.axes import Axes
from torch import Tensor

from vaeedu import require
from vaeedu.plotting.style import MISSING


def tile(images: Float[Tensor, "N H W"], num_columns: int) -> Float[Tensor, "rows columns"]:
    """Lays images out row by row, one pixel apart, the gaps and any empty places NaN.

    Args:
        images: Grey images, `(N, H, W)`.
        num_columns: How many images a row holds.

    Returns:
        One large image.

    Raises:
        ValueError: There is no image, or no column.

    >>> tile(torch.zeros(3, 8, 8), num_columns=2).shape
    torch.Size([17, 17])
    """
    require.positive_int("num_columns", num_columns)
    N, H, W = images.shape
    require.positive_int("the number of images", N)
    num_rows = math.ceil(N / num_columns)
    canvas = images.new_full((num_rows * (H + 1) - 1, num_columns * (W + 1) - 1), torch.nan)
    for i, image in enumerate(images):
        top, left = i // num_columns * (H + 1), i % num_columns * (W + 1)
        canvas[top : top + H, left : left + W] = image
    return canvas


def draw_images(
    axes: Axes,
    images: Float[Tensor, "N H W"],
    num_columns: int,
    *,
    limits: tuple[float, float] | None = (0.0, 1.0),
    row_labels: Sequence[str] = (),
) -> None:
    """Draws images in a grid on one pair of axes, dark on light; missing pixels (NaN) are blue.

    Args:
        axes: Where to draw.
        images: Grey images, `(N, H, W)`.
        num_columns: How many images a row holds.
        limits: The values drawn white and black, and so is what lies beyond them; None scales each image by its
            largest absolute value and draws negative blue, zero white, positive red.
        row_labels: What to write at the left of each row.

    Raises:
        ValueError: As `tile`.
    """
    images = images.detach().cpu()
    if limits is None:
        images = images / images.abs().amax(dim=(1, 2), keepdim=True).clamp(min=1e-12)
        low, high, colours = -1.0, 1.0, mpl.colormaps["RdBu_r"]
    else:
        # In float64, which holds the limits as they are: in float32 a value at the limit may lie below it.
        images = images.double().clamp(min=limits[0])
        (low, high), colours = limits, mpl.colormaps["gray_r"].with_extremes(under=MISSING)
    # A missing pixel becomes a value below the range, which has a colour of its own; the gaps stay NaN, and white.
    canvas = tile(images.nan_to_num(nan=low - 1.0), num_columns)
    axes.imshow(canvas.numpy(), cmap=colours, vmin=low, vmax=high, interpolation="nearest")
    height = images.shape[1] + 1
    axes.set_xticks([])
    axes.set_yticks([height * i + (height - 2) / 2 for i in range(len(row_labels))], row_labels)
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
