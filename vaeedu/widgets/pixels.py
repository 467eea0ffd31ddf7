"""A figure under a grid of pixels to click."""

from collections.abc import Callable

import ipywidgets
import traitlets
from matplotlib.figure import Figure

from vaeedu import plotting, require
from vaeedu.widgets import parts


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
        figure: As of `slider`.
        draw: Takes a pixel's row and column, updates the figure, and returns a line of text to stand below it.
        shape: Rows and columns.
        start: The pixel to begin with.

    Returns:
        The widget, the grid at the left, the picture beside it.

    Raises:
        ValueError: There are no rows or columns, or `start` is outside.
    """
    rows, columns = (require.positive_int("shape", size) for size in shape)
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
    picture = parts.image()
    caption, update = parts.draw_into(picture, figure, lambda: draw(chosen.value))
    chosen.observe(update, names="value")
    grid = ipywidgets.GridBox(
        list(buttons.values()),
        layout=ipywidgets.Layout(
            grid_template_columns=f"repeat({columns}, max-content)", align_self="center", margin="0 1em 0 0"
        ),
    )
    right = ipywidgets.VBox([picture, caption], layout=parts.at_the_left())
    return ipywidgets.HBox([grid, right], layout=ipywidgets.Layout(flex_flow="row wrap"))


class _Chosen(traitlets.HasTraits):
    """The pixel that was clicked last."""

    value = traitlets.Tuple()


def _pixel() -> ipywidgets.Layout:
    return ipywidgets.Layout(width="20px", height="20px", margin="1px", padding="0")
