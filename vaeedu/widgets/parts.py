"""What the widgets have in common: a slider, and a figure that is drawn anew with a caption."""

import io
from collections.abc import Callable, Sequence

import ipywidgets
from matplotlib.artist import Artist
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.image import imsave


def image() -> ipywidgets.Image:
    """Makes a picture that shrinks with a narrow window."""
    return ipywidgets.Image(format="png", layout=ipywidgets.Layout(max_width="100%", object_fit="contain"))


def draw_into(
    picture: ipywidgets.DOMWidget, figure: Figure, draw: Callable[[], str]
) -> tuple[ipywidgets.HTML, Callable[[object], None]]:
    """Draws a figure into a picture's `value`; returns the caption, and an observer that draws both again.

    The figure is laid out once, at first: to do so at each change takes longer than to draw, and makes the axes jump.
    """
    caption = ipywidgets.HTML(draw())
    drawing = _Drawing(figure)
    picture.value = drawing.png()

    def update(change: object) -> None:
        caption.value = draw()
        picture.value = drawing.png()

    return caption, update


class _Drawing:
    """A figure drawn again and again. If artists in it are `animated`, only they are, over a picture of the rest."""

    def __init__(self, figure: Figure):
        self.canvas = FigureCanvasAgg(figure)
        self.animated = sorted(figure.findobj(Artist.get_animated), key=Artist.get_zorder)
        self.canvas.draw()
        figure.set_layout_engine("none")
        self.rest = self.canvas.copy_from_bbox(figure.bbox)

    def png(self) -> bytes:
        # Not savefig, which gives a figure that has no layout engine the default one.
        if self.animated:
            self.canvas.restore_region(self.rest)
            for artist in self.animated:
                artist.draw(self.canvas.get_renderer())
        else:
            self.canvas.draw()
        buffer = io.BytesIO()
        imsave(buffer, self.canvas.buffer_rgba(), format="png", pil_kwargs={"compress_level": 1})
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
