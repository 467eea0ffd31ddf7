"""A figure on which a point is dragged across a map."""

import itertools
from collections.abc import Callable, Sequence
from pathlib import Path

import anywidget
import ipywidgets
import traitlets
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from vaeedu.widgets import parts


def pad(
    figure: Figure,
    draw: Callable[[float, float], str],
    values: Sequence[float],
    *,
    axes: Axes,
    descriptions: tuple[str, str],
    start: tuple[int, int] = (0, 0),
    value_format: str = "{:.3g}",
) -> ipywidgets.HBox:
    """Joins a figure to a point in the plane, which follows the pointer: press on the map, and drag.

    Tab leads to the map, too, and the arrow keys move the point. Two sliders, one at the map's side and one below it,
    move the same point by its coordinates: whoever has no mouse reaches every point.

    Args:
        figure: As of `slider`; it should mark the point.
        draw: Takes the point's two coordinates, updates the figure, and returns a line of text to stand below it.
        values: The stops along each side, in ascending order. Each has an equal share of the map's side, the lowest at
            the left and at the bottom.
        axes: The map: the part of `figure` that answers to the pointer.
        descriptions: Labels of the slider across and of the one up.
        start: The indices in `values` to begin with, across and up.
        value_format: How a stop is written beside its slider.

    Returns:
        The widget, the slider up at the left; a notebook shows it as the last value of a cell.

    Raises:
        ValueError: The stops do not ascend, or the axes are not the figure's; or as `slider`.
    """
    if any(later <= earlier for earlier, later in itertools.pairwise(values)):
        raise ValueError(f"values must ascend, but are {list(values)}: sort them")
    if axes not in figure.axes:
        raise ValueError("axes must be one of the figure's, but belong to another: pass figure.axes[0]")
    across = parts.control(values, start[0], descriptions[0], value_format)
    up = parts.control(values, start[1], descriptions[1], value_format)
    picture = _Map(
        num_stops=len(values), index=start, alt=f"A map of {descriptions[0]} and {descriptions[1]}."
    )
    caption, update = parts.draw_into(picture, figure, lambda: draw(*(values[i] for i in picture.index)))
    picture.area = _area(axes)
    picture.observe(update, names="index")
    _tie(picture, across, up)  # after the picture, which should come first
    _lay_along(axes, picture, across, up)
    right = ipywidgets.VBox([picture, across, caption], layout=parts.at_the_left())
    return ipywidgets.HBox([up, right], layout=parts.at_the_left())


class _Map(anywidget.AnyWidget):
    """A picture with a map in it, which knows at which stop, across and up, the pointer was last."""

    _esm = Path(__file__).with_name("pad.js")
    _css = parts.RING

    value = traitlets.Bytes().tag(sync=True)  # PNG
    alt = traitlets.Unicode().tag(sync=True)
    area = traitlets.Tuple((0.0, 0.0, 1.0, 1.0)).tag(sync=True)
    num_stops = traitlets.Int(1).tag(sync=True)
    index = traitlets.Tuple(traitlets.Int(), traitlets.Int()).tag(sync=True)


def _area(axes: Axes) -> tuple[float, float, float, float]:
    """Returns left, top, width and height of axes that have been drawn, as parts of the whole figure."""
    box = axes.get_position()
    return float(box.x0), float(1 - box.y1), float(box.width), float(box.height)


def _lay_along(
    axes: Axes, picture: _Map, across: ipywidgets.SelectionSlider, up: ipywidgets.SelectionSlider
) -> None:
    """Lets each slider's bar run along its side of the map; ipywidgets fixes what stands at the bar's two ends."""
    figure_width, figure_height = axes.figure.bbox.size
    left, top, width, height = _area(axes)
    before, after = 40, 82  # pixels: description and handle, and handle and value, of the slider across
    indent = left * figure_width - before
    across.style.description_width = "26px"
    across.layout = ipywidgets.Layout(
        width=f"{before + width * figure_width + after:.0f}px", margin=f"0 0 0 {max(indent, 0):.0f}px"
    )
    picture.layout.margin = f"0 0 0 {max(-indent, 0):.0f}px"  # room for the description, left of the map
    above, below = 34, 38  # pixels: the same of the slider up
    up.orientation = "vertical"
    up.layout = ipywidgets.Layout(
        height=f"{above + height * figure_height + below:.0f}px",
        margin=f"{max(top * figure_height - above, 0):.0f}px 0 0 0",
    )


def _tie(picture: _Map, across: ipywidgets.SelectionSlider, up: ipywidgets.SelectionSlider) -> None:
    """Makes the sliders follow the pointer, and the map's point the sliders."""

    def follow(change: object) -> None:
        across.index, up.index = picture.index

    picture.observe(follow, names="index")
    # Each slider gives its own coordinate alone: when both follow the pointer, the other may not yet have moved.
    across.observe(lambda _: setattr(picture, "index", (across.index, picture.index[1])), names="index")
    up.observe(lambda _: setattr(picture, "index", (picture.index[0], up.index)), names="index")
