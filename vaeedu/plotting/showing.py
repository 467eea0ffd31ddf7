"""What a lecture shows: figures with alternative text, and the library's own code."""

import ast
import base64
import html
import inspect
import io
import textwrap
from collections.abc import Callable
from typing import Any

import matplotlib as mpl
import matplotlib.pyplot as plt
from matplotlib.figure import Figure
from matplotlib.transforms import Bbox


def png(figure: Figure, *, area: Bbox | None = None) -> bytes:
    """Renders a figure as PNG, or an area of it, in inches."""
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", bbox_inches=area)
    return buffer.getvalue()


def _png_of_all(figure: Figure) -> bytes:
    """Renders a figure, and what of its text lies outside of its area: a long label is not cut off.

    The layout takes longer than the drawing, and is made once: `savefig` by itself would make it again, and draw the
    figure twice.
    """
    engine = figure.get_layout_engine()
    if engine is not None:
        engine.execute(figure)
    around = figure.get_tightbbox().padded(0.04)
    area = Bbox.union([Bbox.from_bounds(0, 0, *figure.get_size_inches()), around])
    if engine is None:
        return png(figure, area=area)
    # None is the engine of the settings; "none" would leave a place holder, for which savefig draws twice.
    with mpl.rc_context({"figure.autolayout": False, "figure.constrained_layout.use": False}):
        figure.set_layout_engine(None)
    try:
        return png(figure, area=area)
    finally:
        figure.set_layout_engine(engine)


def show(figure: Figure, *, alt: str) -> None:
    """Displays a figure, with text for those who cannot see it, and closes it.

    Args:
        figure: A figure made with `matplotlib.figure.Figure` or `pyplot`.
        alt: What the figure shows, in a sentence or two; read aloud by screen readers.

    Raises:
        ValueError: `alt` is empty.
    """
    if not alt.strip():
        raise ValueError("alt must describe the figure, but is empty: say in a sentence what it shows")
    data = base64.b64encode(_png_of_all(figure)).decode()
    plt.close(figure)  # or the notebook would show it a second time
    image = f'<img style="max-width: 100%" alt="{html.escape(alt)}" src="data:image/png;base64,{data}">'
    from IPython.display import display  # here, because figures are drawn and saved without IPython, too

    display({"text/html": image, "image/png": data, "text/plain": alt}, raw=True)


def show_source(*objects: Callable[..., object] | type, docstrings: bool = False) -> Any:
    """Shows the library's own code, so that the lecture's text and the code that is tested cannot drift apart.

    Args:
        objects: Functions, methods or classes.
        docstrings: Whether to keep docstrings, which the lecture's text usually replaces.

    Returns:
        The source as a highlighted block (IPython's `Markdown`), for a cell's last line.

    Raises:
        ValueError: Nothing is given.

    >>> from vaeedu.plotting import tile
    >>> "Lays images out" in show_source(tile).data
    False
    """
    if not objects:
        raise ValueError("objects must hold at least one function or class, but is empty")
    sources = [textwrap.dedent(inspect.getsource(thing)).rstrip() for thing in objects]
    code = "\n\n\n".join(sources if docstrings else map(_without_docstrings, sources))
    from IPython.display import Markdown

    return Markdown(f"```python\n{code}\n```")


def _without_docstrings(source: str) -> str:
    documented = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
    nodes = [node for node in ast.walk(ast.parse(source)) if isinstance(node, documented)]
    # A body that is nothing but its docstring would be none without it.
    strings = [node.body[0] for node in nodes if ast.get_docstring(node) is not None and len(node.body) > 1]
    dropped = {line for string in strings for line in range(string.lineno, (string.end_lineno or 0) + 1)}
    lines = [line for number, line in enumerate(source.splitlines(), 1) if number not in dropped]
    return "\n".join(lines)
