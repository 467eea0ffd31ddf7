"""Drawings of models: variables, plates, networks, arrows between them, and the sizes of feature maps."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from matplotlib.axes import Axes
from matplotlib.patches import Circle, FancyBboxPatch, Patch, Rectangle

from vaeedu.plotting.style import BLACK, BLUE

Number = int | float
_OBSERVED = "#D5D5D5"
_FILL = "#E8F1F8"
_PLATE_MARGIN = 0.35


class Diagram:
    r"""A drawing on one pair of axes: things with names, placed by hand, and arrows between them.

    A unit of x and a unit of y are equally long, a variable is a circle of diameter 0.8, and the axes grow to hold
    what is drawn. The signs are those of Bishop (2006), Pattern recognition and machine learning, chapter 8: an open
    circle is a latent variable, a filled one is observed, a dot is a fixed parameter, and what stands in a plate is
    repeated.

    Args:
        axes: Where to draw; its frame and ticks are taken away.

    >>> from matplotlib.figure import Figure
    >>> model = Diagram(Figure().subplots())
    >>> model.variable("z", 0, 1, "$z_n$")
    >>> model.variable("x", 0, 0, "$x_n$", observed=True)
    >>> model.parameter("theta", 1.2, 0, r"$\theta$")
    >>> model.arrow("z", "x")
    >>> model.arrow("theta", "x")
    >>> model.plate(["z", "x"], "$N$")
    """

    def __init__(self, axes: Axes) -> None:
        self._axes = axes
        self._things: dict[str, _Thing] = {}
        axes.axis("off")
        axes.set_aspect("equal", adjustable="datalim")

    def variable(self, name: str, x: Number, y: Number, text: str, *, observed: bool = False) -> None:
        """Draws a random variable: a circle, filled where it is observed."""
        face = _OBSERVED if observed else "white"
        self._add(name, Circle((x, y), 0.4, facecolor=face, edgecolor=BLACK), (x, y), (0.8, 0.8))
        self.text(x, y, text)

    def parameter(self, name: str, x: Number, y: Number, text: str) -> None:
        """Draws something that is not random, a dot with its name above it."""
        self._add(name, Circle((x, y), 0.08, facecolor=BLACK, edgecolor=BLACK), (x, y), (0.16, 0.16))
        self.text(x, y + 0.3, text)

    def box(
        self,
        name: str,
        x: Number,
        y: Number,
        text: str,
        *,
        width: Number = 1.6,
        height: Number = 0.8,
        colour: str = BLUE,
    ) -> None:
        """Draws an operation, such as a network, around the centre (x, y)."""
        corner = (x - width / 2, y - height / 2)
        shape = FancyBboxPatch(
            corner, width, height, boxstyle="round,pad=0,rounding_size=0.1", facecolor=_FILL, edgecolor=colour
        )
        self._add(name, shape, (x, y), (width, height))
        self.text(x, y, text)

    def arrow(
        self,
        start: str,
        end: str,
        text: str = "",
        *,
        dashed: bool = False,
        bend: float = 0.0,
        colour: str = BLACK,
    ) -> None:
        """Draws an arrow from edge to edge of two things.

        Args:
            start: The name of the thing that it leaves.
            end: The name of the thing that it points to.
            text: What to write beside its middle.
            dashed: Whether the line is dashed, as for an approximate posterior or a gradient.
            bend: How far it bows, as a part of its length; positive to the right of its direction.
            colour: Of line and text.

        Raises:
            ValueError: There is no thing of that name.
        """
        first, second = self._thing(start), self._thing(end)
        (x0, y0), (x1, y1) = first.centre, second.centre
        style: dict[str, Any] = {"arrowstyle": "-|>", "linestyle": "--" if dashed else "-", "color": colour}
        style |= {"patchA": first.patch, "patchB": second.patch, "shrinkA": 0, "shrinkB": 1}
        style["connectionstyle"] = f"arc3,rad={bend}"
        self._axes.annotate("", (x1, y1), (x0, y0), arrowprops=style)
        if text:
            # The middle of the bow, and a little beyond it.
            side = 0.5 * bend + (0.12 if bend >= 0 else -0.12) / max(abs(x1 - x0) + abs(y1 - y0), 1e-9)
            x, y = (x0 + x1) / 2 + side * (y1 - y0), (y0 + y1) / 2 - side * (x1 - x0)
            upright = abs(y1 - y0) > abs(x1 - x0)
            across = ("left" if (y1 - y0) * side > 0 else "right") if upright else "center"
            along = "center" if upright else ("bottom" if (x1 - x0) * side < 0 else "top")
            self._axes.text(x, y, text, ha=across, va=along, color=colour, fontsize=9)

    def plate(self, names: Sequence[str], text: str) -> None:
        """Draws a frame around things that are repeated, the number of repetitions in its lower right corner."""
        extents = [self._thing(name).extent for name in names]
        left, bottom = (min(extent[i] for extent in extents) - _PLATE_MARGIN for i in (0, 1))
        right, top = (max(extent[i] for extent in extents) + _PLATE_MARGIN for i in (2, 3))
        bottom -= 0.15  # room for the number
        frame = FancyBboxPatch(
            (left, bottom), right - left, top - bottom, boxstyle="round,pad=0,rounding_size=0.15", fill=False
        )
        self._axes.add_patch(frame)
        self._axes.text(right - 0.1, bottom + 0.08, text, ha="right", va="bottom", fontsize=9)
        self._grow((left, bottom, right, top))

    def text(self, x: Number, y: Number, text: str, *, colour: str = BLACK) -> None:
        """Writes something, centred at (x, y)."""
        self._axes.text(x, y, text, ha="center", va="center", color=colour, fontsize=9)
        self._grow((x, y, x, y))

    def _add(
        self, name: str, patch: Patch, centre: tuple[Number, Number], size: tuple[Number, Number]
    ) -> None:
        (x, y), (width, height) = centre, size
        extent = (x - width / 2, y - height / 2, x + width / 2, y + height / 2)
        self._axes.add_patch(patch)
        self._grow(extent)
        self._things[name] = _Thing(patch, centre, extent)

    def _grow(self, extent: tuple[Number, Number, Number, Number]) -> None:
        left, bottom, right, top = extent
        self._axes.update_datalim([(left - 0.1, bottom - 0.1), (right + 0.1, top + 0.1)])
        self._axes.autoscale_view()

    def _thing(self, name: str) -> "_Thing":
        if name not in self._things:
            raise ValueError(f"name must be one of {', '.join(self._things) or 'none yet'}, but is {name}")
        return self._things[name]


@dataclass(frozen=True)
class _Thing:
    patch: Patch
    centre: tuple[Number, Number]
    extent: tuple[Number, Number, Number, Number]


def draw_feature_maps(
    axes: Axes, shapes: Sequence[tuple[int, ...]], steps: Sequence[str] = (), *, colours: Sequence[str] = ()
) -> None:
    """Draws the layers of a convolutional network side by side, as large as the images and as deep as the channels.

    Args:
        axes: Where to draw; its frame and ticks are taken away.
        shapes: The shape of each layer's values: `(C, H, W)`, or `(K,)` for a code, a bar of K numbers.
        steps: What leads from each layer to the next, one fewer than `shapes`; written between them.
        colours: A colour for each layer; blue if there are none.

    Raises:
        ValueError: A shape has neither one nor three sizes, or steps or colours do not match the layers in number.
    """
    _require_as_many("steps", steps, len(shapes) - 1)
    _require_as_many("colours", colours, len(shapes))
    largest = max(shape[-1] for shape in shapes if len(shape) == 3) if any(len(s) == 3 for s in shapes) else 1
    left, scale = 0.0, 3.0 / largest
    for i, shape in enumerate(shapes):
        colour = colours[i] if colours else BLUE
        width, height, sheets, label = _layer(shape, scale)
        depth = 0.07 * (sheets - 1)
        for sheet in reversed(range(sheets)):
            corner = (left + 0.07 * sheet, -height / 2 + 0.07 * sheet - depth / 2)
            axes.add_patch(Rectangle(corner, width, height, facecolor=_FILL, edgecolor=colour, linewidth=0.8))
        axes.text(left + (width + depth) / 2, -2.1, label, ha="center", va="top", fontsize=8)
        end = left + width + depth
        if i < len(shapes) - 1:
            gap = 1.3
            axes.annotate(
                "", (end + gap - 0.15, 0), (end + 0.15, 0), arrowprops={"arrowstyle": "-|>", "color": BLACK}
            )
            if steps:
                axes.text(end + gap / 2, 0.15, steps[i], ha="center", va="bottom", fontsize=7)
            end += gap
        left = end
    axes.set(xlim=(-0.2, left + 0.2), ylim=(-2.7, 2.2))
    axes.set_aspect("equal")
    axes.axis("off")


def _layer(shape: tuple[int, ...], scale: float) -> tuple[float, float, int, str]:
    """Width, height, number of sheets and label of a layer."""
    if len(shape) == 1:
        return 0.25, 1.2, 1, str(shape[0])
    if len(shape) != 3:
        raise ValueError(f"a shape must be (C, H, W) or (K,), but is {tuple(shape)}")
    C, H, W = shape
    # One sheet for each doubling of the channels: hundreds could not be told apart.
    return scale * W, scale * H, 1 + (C - 1).bit_length(), f"{C} × {H} × {W}"


def _require_as_many(name: str, given: Sequence[str], expected: int) -> None:
    if given and len(given) != expected:
        raise ValueError(
            f"{name} must be {expected} in number, for the layers that there are, but are {len(given)}"
        )
