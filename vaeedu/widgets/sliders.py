"""A figure under one slider, or under several."""

from collections.abc import Callable, Sequence

import ipywidgets
import traitlets
from matplotlib.figure import Figure

from vaeedu import require
from vaeedu.widgets import parts


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
        figure: The figure that `draw` changes. Changing artists in place is fast; clearing the axes is not. If artists
            in it are `animated`, only these are drawn each time, over a picture of all others as they were at first.
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
    control = parts.control(values, start, description, value_format)
    if interval is not None:
        require.positive_int("interval", interval)
    picture = parts.image()
    caption, update = parts.draw_into(picture, figure, lambda: draw(control.value))
    control.observe(update, names="value")
    first = control if interval is None else _played(control, interval)
    return ipywidgets.VBox([first, picture, caption], layout=parts.at_the_left())


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
        figure: As of `slider`.
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
    controls = [parts.control(values, start, text, value_format) for text in descriptions]
    picture = parts.image()
    caption, update = parts.draw_into(picture, figure, lambda: draw(*(control.value for control in controls)))
    for control in controls:
        control.observe(update, names="value")
    left = ipywidgets.VBox(controls, layout=parts.at_the_left())
    right = ipywidgets.VBox([picture, caption], layout=parts.at_the_left())
    return ipywidgets.HBox([left, right], layout=ipywidgets.Layout(flex_flow="row wrap"))


def _played(control: ipywidgets.SelectionSlider, interval: int) -> ipywidgets.HBox:
    """Puts a play button before a slider, which moves it."""
    play = ipywidgets.Play(value=control.index, min=0, max=len(control.options) - 1, interval=interval)
    traitlets.link((play, "value"), (control, "index"))
    return ipywidgets.HBox([play, control])
