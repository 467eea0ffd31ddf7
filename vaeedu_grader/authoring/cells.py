"""The test cells of an assignment's notebook, made from the description of its exercises.

The notebook in `solutions/` has none of them: what is in it was written by hand. nbgrader gets them from `AddTests`,
which `nbgrader_config.py` names, however it is started: by `vaeedu release`, for a class, or by the formgrader.
"""

import copy
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import nbformat
from nbformat import NotebookNode
from nbgrader.preprocessors import NbGraderPreprocessor
from traitlets import Unicode

from vaeedu_grader.authoring.course import exercises
from vaeedu_grader.authoring.exercise import PARTS, Exercise

_VISIBLE = 'vaeedu.check("{name}", {name})'
_HIDDEN = """# When your work is graded, this cell tries {name} on other inputs.
### BEGIN HIDDEN TESTS
from vaeedu_grader import grade

grade("{assignment}", "{name}", {name})
### END HIDDEN TESTS"""
_SOURCES = dict(zip(PARTS, (_VISIBLE, _HIDDEN), strict=True))


class AddTests(NbGraderPreprocessor):
    """Adds the test cells to a notebook of `solutions/`."""

    course = Unicode(help="the course's folder").tag(config=True)

    def preprocess(self, nb: NotebookNode, resources: Any) -> tuple[NotebookNode, Any]:
        """Returns the notebook with its tests; nbgrader calls this."""
        assignment = resources["nbgrader"]["assignment"]
        return with_tests(nb, assignment, exercises(Path(self.course), assignment)), resources


def with_tests(notebook: NotebookNode, assignment: str, described: Mapping[str, Exercise]) -> NotebookNode:
    """Returns an instructor's notebook with the two test cells of each exercise.

    They come at the end of what belongs to the exercise: before the next heading, or the next cell that is answered or
    marked, so that figures of what a student wrote come between the solution cell and its tests.

    Args:
        notebook: The notebook; it is not changed.
        assignment: The assignment's name.
        described: Its exercises.

    Raises:
        ValueError: An exercise has no solution cell with its signature, or a test cell is there already.
    """
    _check(notebook, assignment, described)
    cells: list[NotebookNode] = []
    waiting: list[NotebookNode] = []
    for cell in notebook.cells:
        if _begins_another(cell):
            cells += waiting
            waiting = []
        cells.append(cell)
        if _grade_id(cell) in described:
            waiting = [_test_cell(assignment, described[_grade_id(cell)], part) for part in PARTS]
    made = copy.copy(notebook)
    made.cells = cells + waiting
    return made


def _check(notebook: NotebookNode, assignment: str, described: Mapping[str, Exercise]) -> None:
    cells = {_grade_id(cell): cell for cell in notebook.cells}
    for name in [f"{name}_{part}" for name in described for part in PARTS]:
        if name in cells:
            raise ValueError(
                f"{assignment}.ipynb must have no test cell {name}, but has one: it is made from exercises/, delete it"
            )
    for exercise in described.values():
        cell = cells.get(exercise.name)
        if cell is None or not cell.metadata.nbgrader.solution or exercise.signature not in cell.source:
            raise ValueError(
                f"{assignment}.ipynb must have a solution cell {exercise.name} with the line {exercise.signature!r}"
            )


def _begins_another(cell: NotebookNode) -> bool:
    nbgrader = cell.metadata.get("nbgrader", {})
    is_heading = cell.cell_type == "markdown" and cell.source.startswith("#")
    return bool(is_heading or nbgrader.get("solution") or nbgrader.get("grade"))


def _grade_id(cell: NotebookNode) -> str:
    return str(cell.metadata.get("nbgrader", {}).get("grade_id", ""))


def _test_cell(assignment: str, exercise: Exercise, part: str) -> NotebookNode:
    name = f"{exercise.name}_{part}"
    source = _SOURCES[part].format(assignment=assignment, name=exercise.name)
    marks = {"grade": True, "grade_id": name, "locked": True, "points": exercise.points[part]}
    marks |= {"schema_version": 3, "solution": False, "task": False}
    cell: NotebookNode = nbformat.v4.new_code_cell(source, id=name, metadata={"nbgrader": marks})
    return cell
