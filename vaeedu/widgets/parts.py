"""What the widgets have in common: a slider, and a figure that is drawn anew with a caption."""

import html
import io
import re
from collections.abc import Callable, Sequence
from pathlib import Path

import anywidget
import ipywidgets
import traitlets
from matplotlib.artist import Artist
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.image import imsave

# A ring around what the keyboard is at, in colours that stand out on white and on black.
RING = """
.vaeedu-keys:focus-visible, .widget-slider [role=slider]:focus-visible {
  outline: 3px solid #0072b2; outline-offset: 2px; box-shadow: 0 0 0 2px #fff;
}
"""
_TAG = re.compile(r"<[^>]*>")


class Caption(anywidget.AnyWidget):
    """The line of text below a picture, which screen readers read out when it changes.

    Attributes:
        value: The text, which may be HTML.
        alt: What the picture beside it shows, for those who cannot see it.
    """

    _esm = Path(__file__).with_name("caption.js")
    _css = RING + ".vaeedu-caption { line-height: 1.5; min-height: 1.5em; overflow-wrap: anywhere; }"

    value = traitlets.Unicode().tag(sync=True)
    alt = traitlets.Unicode().tag(sync=True)


def image() -> ipywidgets.Image:
    """Makes a picture that shrinks with a narrow window."""
    return ipywidgets.Image(format="png", layout=ipywidgets.Layout(max_width="100%", object_fit="contain"))


def draw_into(
    picture: ipywidgets.DOMWidget, figure: Figure, draw: Callable[[], str]
) -> tuple[Caption, Callable[[object], None]]:
    """Draws a figure into a picture's `value`; returns the caption, and an observer that draws both again.

    What the picture is called by screen readers are the figure's titles and the caption, so that it changes with them.

    The figure is laid out once, at first: to do so at each change takes longer than to draw, and makes the axes jump.
    """
    text = draw()
    caption = Caption(value=text, alt=_described(figure, text))
    drawing = _Drawing(figure)
    picture.value = drawing.png()

    def update(change: object) -> None:
        text = draw()
        picture.value = drawing.png()
        caption.value, caption.alt = text, _described(figure, text)

    return caption, update


def _described(figure: Figure, caption: str) -> str:
    """The titles of a figure and of its axes, and its caption without tags."""
    titles = [figure.get_suptitle(), *(axes.get_title() for axes in figure.axes)]
    said = [*dict.fromkeys(titles), html.unescape(_TAG.sub("", caption))]
    return ". ".join(" ".join(each.split()) for each in said if each.strip()) or "a figure"


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
