"""Submissions: making one for a demonstration or a test, and taking in one as a student sent it."""

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


def take_in(folder: Path, assignment: str) -> str:
    """Puts a submitted notebook where nbgrader looks for it, if it came under another name.

    A student who renames the notebook has done the work. If a folder holds one notebook only and that has the
    assignment's test cells, a copy under the right name is graded; the original stays beside it.

    Args:
        folder: What the student submitted.
        assignment: The assignment's name, which is also the notebook's.

    Returns:
        A note for the instructor; empty if there was nothing to do.

    Raises:
        ValueError: There is no notebook that can be taken for the assignment's.
    """
    expected = folder / f"{assignment}.ipynb"
    if expected.is_file():
        return ""
    others = sorted(folder.glob("*.ipynb"))
    if len(others) != 1:
        names = ", ".join(path.name for path in others) or "none"
        raise ValueError(f"there must be a notebook {expected.name}, but there is {names}")
    try:
        notebook = nbformat.read(others[0], as_version=4)
    except Exception as error:  # whatever nbformat meets in a broken file
        raise ValueError(f"{others[0].name} must be a notebook, but cannot be read: {error}") from error
    if not any(cell.metadata.get("nbgrader", {}).get("grade") for cell in notebook.cells):
        raise ValueError(
            f"there must be a notebook {expected.name}, but {others[0].name} has none of its tests"
        )
    expected.write_bytes(others[0].read_bytes())
    return f"renamed to {others[0].name}, taken as {expected.name}"
