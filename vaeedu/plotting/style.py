"""The look of the course's figures: a palette and marks that everyone can tell apart, matplotlib's defaults.

The palette is that of Okabe and Ito (2008), Color universal design.
"""

import matplotlib as mpl
from cycler import cycler
from jaxtyping import Float, Int
from matplotlib.axes import Axes
from torch import Tensor

BLUE, ORANGE, GREEN, RED, PURPLE, SKY, YELLOW, BLACK = (
    "#0072B2", "#E69F00", "#009E73", "#D55E00", "#CC79A7", "#56B4E9", "#F0E442", "#000000",
)  # fmt: skip
MISSING = "#A6D3F0"
PALETTE = (BLUE, ORANGE, GREEN, RED, PURPLE, SKY, YELLOW, BLACK)
# Ten classes: no two share both colour and shape, and those of one colour have shapes that are far apart.
CLASS_MARKS = (
    (BLUE, "o"), (ORANGE, "^"), (GREEN, "s"), (RED, "x"), (PURPLE, "D"),
    (SKY, "v"), (BLACK, "+"), (ORANGE, "1"), (GREEN, "*"), (BLUE, "P"),
)  # fmt: skip


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


def draw_classes(
    axes: Axes,
    points: Float[Tensor, "N 2"],
    labels: Int[Tensor, " M"],  # N, if all is well
    *,
    size: float = 14.0,
    legend: bool = True,
) -> None:
    """Draws points of up to ten classes, each class with a colour and a shape of its own, and says which is which.

    Args:
        axes: Where to draw.
        points: `(N, 2)`.
        labels: The class of each point, 0 to 9, `(N,)`.
        size: The area of a mark in square points.
        legend: Whether to list the marks beside the axes.

    Raises:
        ValueError: A label is not among 0 to 9, or points and labels differ in number.
    """
    if len(points) != len(labels):
        raise ValueError(f"labels must be one for each of {len(points)} points, but there are {len(labels)}")
    if len(labels) and not 0 <= int(labels.min()) <= int(labels.max()) < len(CLASS_MARKS):
        raise ValueError(
            f"labels must lie among 0 to {len(CLASS_MARKS) - 1}, because there are {len(CLASS_MARKS)} marks, "
            f"but reach from {int(labels.min())} to {int(labels.max())}"
        )
    points, labels = points.detach().cpu(), labels.cpu()
    for label in labels.unique().tolist():
        colour, shape = CLASS_MARKS[label]
        x, y = points[labels == label].T
        axes.scatter(x, y, s=size, color=colour, marker=shape, linewidths=0.8, alpha=0.8, label=str(label))
    if legend:
        axes.legend(loc="center left", bbox_to_anchor=(1.0, 0.5), fontsize=8, handletextpad=0.2)
