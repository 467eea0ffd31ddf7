"""Figures that answer to sliders (one, several, or two as a pad) and to clicks on pixels, built on ipywidgets.

A widget needs a running kernel. A lecture therefore shows the same thing first as a static figure for a few chosen
values, so that nothing is lost where there is none.
"""

import itertools
from collections.abc import Callable, Sequence

import ipywidgets
import traitlets
from matplotlib.figure import Figure

from vaeedu import checks, plotting


def slider(
    figure: Figure,
    draw: Callable[[float], str],
    values: Sequence[float],
    *,
    description: str,
    start: int = 0,
    value_format: str = "{:.3g}",
    interval: int | None = None,
) -> ipywidgets.VBox:
    """Joins a figure to a slider: whenever it moves, `draw(value)` changes the figure's artists.

    Args:
        figure: The figure that `draw` changes. Changing artists in place is fast; clearing the axes is not.
        draw: Takes the slider's value, updates the figure, and returns a line of text to stand below it, which says
            what is seen (screen readers read it out).
        values: The slider's stops.
        description: The label to the slider's left.
        start: The index in `values` to begin with.
        value_format: How a stop is written beside the slider.
        interval: Milliseconds between stops when a play button moves the slider; None for no such button.

    Returns:
        The widget; a notebook shows it as the last value of a cell.

    Raises:
        ValueError: There are fewer than two stops, `start` is none of them, or `interval` is not positive.
    """
    control = _control(values, start, description, value_format)
    if interval is not None:
        checks.positive_int("interval", interval)
    picture, caption = _joined(figure, [control], draw)
    first = control if interval is None else _played(control, interval)
    return ipywidgets.VBox([first, picture, caption], layout=_at_the_left())


def sliders(
    figure: Figure,
    draw: Callable[..., str],
    values: Sequence[float],
    *,
    descriptions: Sequence[str],
    start: int = 0,
    value_format: str = "{:.3g}",
) -> ipywidgets.HBox:
    """Joins a figure to several sliders, one below the other: whenever one moves, `draw(*values)` is called.

    Args:
        figure: The figure that `draw` changes.
        draw: Takes the values of all sliders in order, updates the figure, and returns a line of text to stand below
            it.
        values: The stops, the same for all.
        descriptions: A label for each slider; there are as many sliders as labels.
        start: The index in `values` that all begin with.
        value_format: How a stop is written beside its slider.

    Returns:
        The widget, sliders at the left, the picture beside them.

    Raises:
        ValueError: There is no label; or as `slider`.
    """
    if not descriptions:
        raise ValueError("descriptions must hold a label for each slider, but is empty")
    controls = [_control(values, start, text, value_format) for text in descriptions]
    picture, caption = _joined(figure, controls, draw)
    left = ipywidgets.VBox(controls, layout=_at_the_left())
    right = ipywidgets.VBox([picture, caption], layout=_at_the_left())
    return ipywidgets.HBox([left, right], layout=ipywidgets.Layout(flex_flow="row wrap"))


def pad(
    figure: Figure,
    draw: Callable[[float, float], str],
    values: Sequence[float],
    *,
    descriptions: tuple[str, str],
    start: tuple[int, int] = (0, 0),
    value_format: str = "{:.3g}",
) -> ipywidgets.VBox:
    """Joins a figure to a point in the plane: a slider below it moves the point across, one at its side up.

    Both take the mouse and the arrow keys; a point is reached by Tab and arrows alone.

    Args:
        figure: The figure that `draw` changes; it should mark the point.
        draw: Takes the point's two coordinates, updates the figure, and returns a line of text to stand below it.
        values: The stops along each side, in ascending order, so that the point moves as its slider does.
        descriptions: Labels of the slider across and of the one up.
        start: The indices in `values` to begin with, across and up.
        value_format: How a stop is written beside its slider.

    Returns:
        The widget; a notebook shows it as the last value of a cell.

    Raises:
        ValueError: The stops do not ascend; or as `slider`.
    """
    if any(later <= earlier for earlier, later in itertools.pairwise(values)):
        raise ValueError(f"values must ascend, but are {list(values)}: sort them")
    across = _control(values, start[0], descriptions[0], value_format)
    up = _control(values, start[1], descriptions[1], value_format)
    up.orientation, up.layout = "vertical", ipywidgets.Layout(height=f"{figure.get_figheight():.1f}in")
    picture, caption = _joined(figure, [across, up], draw)
    top = ipywidgets.HBox([up, picture], layout=ipywidgets.Layout(align_items="center"))
    return ipywidgets.VBox([top, across, caption], layout=_at_the_left())


def pixels(
    figure: Figure,
    draw: Callable[[tuple[int, int]], str],
    shape: tuple[int, int],
    *,
    start: tuple[int, int] = (0, 0),
) -> ipywidgets.HBox:
    """Joins a figure to a grid of pixels: whichever is clicked, `draw((row, column))` changes the figure's artists.

    Pixels are buttons, which Tab reaches and the space bar presses, named by row and column for screen readers.

    Args:
        figure: The figure that `draw` changes.
        draw: Takes a pixel's row and column, updates the figure, and returns a line of text to stand below it.
        shape: Rows and columns.
        start: The pixel to begin with.

    Returns:
        The widget, the grid at the left, the picture beside it.

    Raises:
        ValueError: There are no rows or columns, or `start` is outside.
    """
    rows, columns = (checks.positive_int("shape", size) for size in shape)
    if not (0 <= start[0] < rows and 0 <= start[1] < columns):
        raise ValueError(f"start must be a row below {rows} and a column below {columns}, but is {start}")
    chosen = _Chosen(value=start)
    buttons = {
        (row, column): ipywidgets.Button(tooltip=f"row {row}, column {column}", layout=_pixel())
        for row in range(rows)
        for column in range(columns)
    }
    for place, button in buttons.items():
        button.on_click(lambda _, place=place: setattr(chosen, "value", place))

    def mark(change: object = None) -> None:
        for place, button in buttons.items():
            button.style.button_color = plotting.ORANGE if place == chosen.value else None

    mark()
    chosen.observe(mark, names="value")
    picture, caption = _joined(figure, [chosen], draw)
    grid = ipywidgets.GridBox(
        list(buttons.values()),
        layout=ipywidgets.Layout(
            grid_template_columns=f"repeat({columns}, max-content)", align_self="center", margin="0 1em 0 0"
        ),
    )
    right = ipywidgets.VBox([picture, caption], layout=_at_the_left())
    return ipywidgets.HBox([grid, right], layout=ipywidgets.Layout(flex_flow="row wrap"))


class _Chosen(traitlets.HasTraits):
    """The pixel that was clicked last."""

    value = traitlets.Tuple()


def _pixel() -> ipywidgets.Layout:
    return ipywidgets.Layout(width="20px", height="20px", margin="1px", padding="0")


def _joined(
    figure: Figure, controls: Sequence[ipywidgets.SelectionSlider | _Chosen], draw: Callable[..., str]
) -> tuple[ipywidgets.Image, ipywidgets.HTML]:
    """Makes a picture and its caption, which follow the controls."""
    picture = ipywidgets.Image(format="png", layout=ipywidgets.Layout(max_width="100%", object_fit="contain"))
    caption = ipywidgets.HTML()

    def update(change: object = None) -> None:
        caption.value = draw(*(control.value for control in controls))
        picture.value = plotting.png(figure)

    update()
    for control in controls:
        control.observe(update, names="value")
    return picture, caption


def _at_the_left() -> ipywidgets.Layout:
    # Or a box would stretch the picture to its own width.
    return ipywidgets.Layout(align_items="flex-start")


def _control(
    values: Sequence[float], start: int, description: str, value_format: str
) -> ipywidgets.SelectionSlider:
    if len(values) < 2:
        raise ValueError(f"values must hold at least two stops for the slider, but holds {len(values)}")
    if not 0 <= start < len(values):
        raise ValueError(f"start must be an index into the {len(values)} values, but is {start}")
    return ipywidgets.SelectionSlider(
        options=[(value_format.format(value), value) for value in values],
        index=start,
        description=description,
        continuous_update=True,
        layout=ipywidgets.Layout(width="30em"),
        style={"description_width": "initial"},
    )


def _played(control: ipywidgets.SelectionSlider, interval: int) -> ipywidgets.HBox:
    """Puts a play button before a slider, which moves it."""
    play = ipywidgets.Play(value=control.index, min=0, max=len(control.options) - 1, interval=interval)
    traitlets.link((play, "value"), (control, "index"))
    return ipywidgets.HBox([play, control])
