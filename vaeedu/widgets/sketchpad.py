"""A sheet on which one draws, and something is drawn in return."""

from collections.abc import Callable, Sequence
from pathlib import Path

import anywidget
import ipywidgets
import traitlets

from vaeedu import plotting, require
from vaeedu.widgets import parts

Line = Sequence[Sequence[float]]


def sketchpad(
    complete: Callable[[list[Line]], tuple[list[Line], str]],
    examples: Sequence[list[Line]],
    *,
    size: int = 320,
) -> ipywidgets.VBox:
    """Makes a sheet to draw on: whenever the pen is lifted, `complete` says what to add, in another colour.

    Whoever has no pointer draws by keys: Tab leads to the sheet, arrows move the pen (with Shift in small steps), the
    space bar puts it down and lifts it, Escape drops the line. Tab goes on to the buttons: the next example, again, and
    an empty sheet.

    Args:
        complete: Takes the lines, each a list of points (x, y) from 0 to 1, from the left and from the bottom; returns
            the lines to add, and a line of text to stand below the sheet.
        examples: Beginnings of drawings, lists of lines; the sheet begins with the first.
        size: Pixels of a side.

    Returns:
        The widget, buttons below the sheet; a notebook shows it as the last value of a cell.

    Raises:
        ValueError: There is no example, or `size` is not positive.
    """
    if not examples:
        raise ValueError("examples must hold at least one beginning of a drawing, but is empty")
    sheet = _Sheet(size=require.positive_int("size", size), colour=plotting.ORANGE)
    caption = parts.Caption()
    shown = -1

    def update(change: object = None) -> None:
        lines = [line for line in sheet.lines if len(line) > 1]
        sheet.added, caption.value = complete(lines) if lines else ([], "Draw, or take an example.")

    def take_next(button: object = None) -> None:
        nonlocal shown
        shown = (shown + 1) % len(examples)
        sheet.lines = [[list(map(float, point)) for point in line] for line in examples[shown]]

    def clear(button: object) -> None:
        sheet.lines = []

    sheet.observe(update, names="lines")
    take_next()
    buttons = []
    for text, act in (("next example", take_next), ("again", update), ("clear", clear)):
        button = ipywidgets.Button(description=text)
        button.on_click(act)
        buttons.append(button)
    return ipywidgets.VBox([sheet, ipywidgets.HBox(buttons), caption], layout=parts.at_the_left())


class _Sheet(anywidget.AnyWidget):
    """Lines that were drawn on it, and lines that were added."""

    _esm = Path(__file__).with_name("sketchpad.js")
    _css = parts.RING

    size = traitlets.Int(320).tag(sync=True)
    colour = traitlets.Unicode("#000").tag(sync=True)
    alt = traitlets.Unicode("A sheet to draw on; the caption says what was added").tag(sync=True)
    lines: traitlets.List = traitlets.List().tag(sync=True)
    added: traitlets.List = traitlets.List().tag(sync=True)
