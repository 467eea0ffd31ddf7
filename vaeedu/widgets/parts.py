"""What the widgets have in common: a slider, and a figure that is drawn anew with a caption."""

import io
from collections.abc import Callable, Sequence

import ipywidgets
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure


def image() -> ipywidgets.Image:
    """Makes a picture that shrinks with a narrow window."""
    return ipywidgets.Image(format="png", layout=ipywidgets.Layout(max_width="100%", object_fit="contain"))


def draw_into(
    picture: ipywidgets.DOMWidget, figure: Figure, draw: Callable[[], str]
) -> tuple[ipywidgets.HTML, Callable[[object], None]]:
    """Draws a figure into a picture's `value`; returns the caption, and an observer that draws both again.

    The figure is laid out once, at first: to do so at each change takes longer than to draw, and makes the axes jump.
    """
    caption = ipywidgets.HTML()

    def update(change: object = None) -> None:
        caption.value = draw()
        picture.value = _png(figure)

    update()
    figure.set_layout_engine("none")
    return caption, update


def _png(figure: Figure) -> bytes:
    # Not savefig, which draws twice where there is a layout engine, and gives a figure that has none the default one.
    buffer = io.BytesIO()
    FigureCanvasAgg(figure).print_png(buffer, pil_kwargs={"compress_level": 1})
    return buffer.getvalue()


def at_the_left() -> ipywidgets.Layout:
    """Returns a layout for boxes, which would else stretch a picture to their own width."""
    return ipywidgets.Layout(align_items="flex-start")


def control(
    values: Sequence[float], start: int, description: str, value_format: str
) -> ipywidgets.SelectionSlider:
    """Makes a slider with the given stops.

    Raises:
        ValueError: There are fewer than two stops, or `start` is none of them.
    """
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
