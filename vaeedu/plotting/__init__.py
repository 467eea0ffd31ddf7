"""What a lecture shows: figures that everyone can read, drawings of models, code, and sentences that the run bears out.

- `use_style`, the palette and `draw_classes`; `draw_images` in a grid.
- `Diagram` draws graphical models, networks and the way of a gradient; `draw_feature_maps` a convolutional network's
  sizes.
- `show` displays a figure with alternative text, `show_source` the library's own code.
- `claim` passes a finding on only where the run shows it.
"""

from vaeedu.plotting.claims import NotSeen, claim
from vaeedu.plotting.diagrams import Diagram, draw_feature_maps
from vaeedu.plotting.images import draw_images, tile
from vaeedu.plotting.showing import png, show, show_source
from vaeedu.plotting.style import (
    BLACK,
    BLUE,
    CLASS_MARKS,
    GREEN,
    MISSING,
    ORANGE,
    PALETTE,
    PURPLE,
    RED,
    SKY,
    YELLOW,
    draw_classes,
    use_style,
)

__all__ = [
    "BLACK",
    "BLUE",
    "CLASS_MARKS",
    "GREEN",
    "MISSING",
    "ORANGE",
    "PALETTE",
    "PURPLE",
    "RED",
    "SKY",
    "YELLOW",
    "Diagram",
    "NotSeen",
    "claim",
    "draw_classes",
    "draw_feature_maps",
    "draw_images",
    "png",
    "show",
    "show_source",
    "tile",
    "use_style",
]
