"""Figures that answer to a slider, built on ipywidgets.

A widget needs a running kernel. A lecture therefore shows the same thing first as a static figure for a few chosen
values, so that nothing is lost where there is none.
"""

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
    if len(values) < 2:
        raise ValueError(f"values must hold at least two stops for the slider, but holds {len(values)}")
    if not 0 <= start < len(values):
        raise ValueError(f"start must be an index into the {len(values)} values, but is {start}")
    if interval is not None:
        checks.positive_int("interval", interval)
    options = [(value_format.format(value), value) for value in values]
    control = _control(options, start, description)
    picture = ipywidgets.Image(format="png", layout=ipywidgets.Layout(max_width="100%", object_fit="contain"))
    caption = ipywidgets.HTML()

    def update(value: float) -> None:
        caption.value = draw(value)
        picture.value = plotting.png(figure)

    update(values[start])
    control.observe(lambda change: update(change["new"]), names="value")
    first = control if interval is None else _played(control, interval)
    # Aligned at the left, or the box would stretch the picture to its own width.
    left = ipywidgets.Layout(align_items="flex-start")
    return ipywidgets.VBox([first, picture, caption], layout=left)


def _control(options: list[tuple[str, float]], start: int, description: str) -> ipywidgets.SelectionSlider:
    return ipywidgets.SelectionSlider(
        options=options,
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
