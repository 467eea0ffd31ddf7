"""Submissions, made for a demonstration or a test."""

import inspect
import textwrap
from collections.abc import Callable, Mapping
from pathlib import Path

import nbformat
from nbformat import NotebookNode


def source_of(function: Callable[..., object], name: str) -> str:
    """Returns a function's source as a student would have written it: under the exercise's name.

    >>> print(source_of(source_of, "solve").splitlines()[-1])
    solve = source_of
    """
    text = textwrap.dedent(inspect.getsource(function)).strip()
    own = getattr(function, "__name__", name)
    return text if own == name else f"{text}\n\n\n{name} = {own}"


def filled_in(released: Path, answers: Mapping[str, str]) -> NotebookNode:
    """Returns a released notebook with some of its answer cells filled in.

    Args:
        released: The notebook that students get.
        answers: The new text of answer cells, by grade_id.

    Raises:
        ValueError: A grade_id is not that of an answer cell.
    """
    notebook = nbformat.read(released, as_version=4)
    cells = {
        cell.metadata.nbgrader.grade_id: cell
        for cell in notebook.cells
        if cell.metadata.get("nbgrader", {}).get("solution")
    }
    for name, text in answers.items():
        if name not in cells:
            raise ValueError(f"answers must be for cells {', '.join(sorted(cells))}, but one is for {name!r}")
        cells[name].source = text
    return notebook
