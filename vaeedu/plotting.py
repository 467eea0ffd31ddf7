"""What a lecture shows: figures that everyone can read (palette, images in a grid, alternative text), and code.

The palette is that of Okabe and Ito (2008), Color universal design.
"""

import ast
import base64
import html
import inspect
import io
import math
import textwrap
from collections.abc import Callable, Sequence
from typing import Any

import matplotlib as mpl
import matplotlib.pyplot as plt
import torch
from cycler import cycler
from jaxtyping import Float
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from torch import Tensor

from vaeedu import require

BLUE, ORANGE, GREEN, RED, PURPLE, SKY, YELLOW, BLACK = (
    "#0072B2", "#E69F00", "#009E73", "#D55E00", "#CC79A7", "#56B4E9", "#F0E442", "#000000",
)  # fmt: skip
MISSING = "#A6D3F0"
PALETTE = (BLUE, ORANGE, GREEN, RED, PURPLE, SKY, YELLOW, BLACK)


def use_style() -> None:
    """Sets matplotlib's defaults to the course's: its palette, a light frame, titles that wrap nothing.

    Called by each lecture at its top; importing this module changes nothing.
    """
    mpl.rcParams.update({
        "axes.prop_cycle": cycler(color=PALETTE),
        "axes.spines.top": False,
        "axes.spines.right": False,
        "axes.titlesize": "medium",
        "figure.dpi": 100,
        "figure.constrained_layout.use": True,
        "font.size": 10,
        "image.cmap": "gray_r",
        "legend.frameon": False,
    })  # fmt: skip


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
        limits: The values drawn white and black; None scales each image by its largest absolute value and draws
            negative blue, zero white, positive red.
        row_labels: What to write at the left of each row.

    Raises:
        ValueError: As `tile`.
    """
    images = images.detach().cpu()
    if limits is None:
        images = images / images.abs().amax(dim=(1, 2), keepdim=True).clamp(min=1e-12)
        low, high, colours = -1.0, 1.0, mpl.colormaps["RdBu_r"]
    else:
        (low, high), colours = limits, mpl.colormaps["gray_r"].with_extremes(under=MISSING)
    # A missing pixel becomes a value below the range, which has a colour of its own; the gaps stay NaN, and white.
    canvas = tile(images.nan_to_num(nan=low - 1.0), num_columns)
    axes.imshow(canvas.numpy(), cmap=colours, vmin=low, vmax=high, interpolation="nearest")
    height = images.shape[1] + 1
    axes.set_xticks([])
    axes.set_yticks([height * i + (height - 2) / 2 for i in range(len(row_labels))], row_labels)
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)


def png(figure: Figure) -> bytes:
    """Renders a figure as PNG."""
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png")
    return buffer.getvalue()


def show(figure: Figure, *, alt: str) -> None:
    """Displays a figure, with text for those who cannot see it, and closes it.

    Args:
        figure: A figure made with `matplotlib.figure.Figure` or `pyplot`.
        alt: What the figure shows, in a sentence or two; read aloud by screen readers.

    Raises:
        ValueError: `alt` is empty.
    """
    if not alt.strip():
        raise ValueError("alt must describe the figure, but is empty: say in a sentence what it shows")
    data = base64.b64encode(png(figure)).decode()
    plt.close(figure)  # or the notebook would show it a second time
    image = f'<img style="max-width: 100%" alt="{html.escape(alt)}" src="data:image/png;base64,{data}">'
    from IPython.display import display  # here, because figures are drawn and saved without IPython, too

    display({"text/html": image, "image/png": data, "text/plain": alt}, raw=True)


def show_source(*objects: Callable[..., object] | type, docstrings: bool = False) -> Any:
    """Shows the library's own code, so that the lecture's text and the code that is tested cannot drift apart.

    Args:
        objects: Functions, methods or classes.
        docstrings: Whether to keep docstrings, which the lecture's text usually replaces.

    Returns:
        The source as a highlighted block (IPython's `Markdown`), for a cell's last line.

    Raises:
        ValueError: Nothing is given.

    >>> "Lays images out" in show_source(tile).data
    False
    """
    if not objects:
        raise ValueError("objects must hold at least one function or class, but is empty")
    sources = [textwrap.dedent(inspect.getsource(thing)).rstrip() for thing in objects]
    code = "\n\n\n".join(sources if docstrings else map(_without_docstrings, sources))
    from IPython.display import Markdown

    return Markdown(f"```python\n{code}\n```")


def _without_docstrings(source: str) -> str:
    documented = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
    nodes = [node for node in ast.walk(ast.parse(source)) if isinstance(node, documented)]
    # A body that is nothing but its docstring would be none without it.
    strings = [node.body[0] for node in nodes if ast.get_docstring(node) is not None and len(node.body) > 1]
    dropped = {line for string in strings for line in range(string.lineno, (string.end_lineno or 0) + 1)}
    lines = [line for number, line in enumerate(source.splitlines(), 1) if number not in dropped]
    return "\n".join(lines)
