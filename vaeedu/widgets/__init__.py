"""Figures that answer to sliders, to the pointer on a map, and to clicks on pixels, built on ipywidgets and anywidget.

- `slider`, `sliders`: one, or several.
- `pad`: a point in the plane, dragged across the figure or moved by two sliders.
- `pixels`: a grid to click.
- `sketchpad`: a sheet to draw on, which answers.

A widget needs a running kernel. A lecture therefore shows the same thing first as a static figure for a few chosen
values, so that nothing is lost where there is none.
"""

from vaeedu.widgets.pad import pad
from vaeedu.widgets.pixels import pixels
from vaeedu.widgets.sketchpad import sketchpad
from vaeedu.widgets.sliders import slider, sliders

__all__ = ["pad", "pixels", "sketchpad", "slider", "sliders"]
