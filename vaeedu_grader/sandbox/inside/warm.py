"""What every fork of a zygote would do again: imports, those too that others put off until they are needed."""

import contextlib
import io
import sys
from collections.abc import Sequence

# What is imported only when it is first needed, by what it belongs to.
_LATER = {
    # For the first cell, and for the first error.
    "IPython": (
        "IPython.core.application",
        "IPython.core.completerlib",
        "IPython.core.magics",
        "pygments.formatters.terminal256",
        "stack_data",
    ),
    "torch": ("torch.fx.experimental.symbolic_shapes",),  # which distributions ask for
    "vaeedu.data": ("sklearn.datasets",),
    "matplotlib.figure": (
        "matplotlib.backends.backend_agg",
        "matplotlib_inline.backend_inline",
        "PIL.PngImagePlugin",
    ),
}


def warm(names: Sequence[str]) -> None:
    """Imports what can be imported, and has matplotlib read its fonts."""
    for name in names:
        with contextlib.suppress(Exception):
            __import__(name)
    for name, later in _LATER.items():
        for each in later if name in sys.modules else ():
            with contextlib.suppress(ImportError):
                __import__(each)
    if "matplotlib.figure" in sys.modules:
        _draw()


def _draw() -> None:
    """Draws a figure for nobody: fonts are found, and texts measured, once. No setting changes."""
    from matplotlib import font_manager, mathtext
    from matplotlib.figure import Figure

    figure = Figure(layout="constrained")
    left, right = figure.subplots(1, 2)
    left.semilogy([1e-4, 1e4], label=r"$\sigma^2$")
    left.legend()
    right.imshow([[0.0, 1.0]])
    figure.suptitle("0123456789")
    figure.savefig(io.BytesIO(), format="png")
    # A font keeps its file open, which a fork does not have.
    for place, name in ((font_manager, "_get_font"), (mathtext.MathTextParser, "_parse_cached")):
        known = getattr(place, name, None)
        if known is not None:
            known.cache_clear()
