"""What a feedback page says at its top: a row for each mark, and why a submission was not graded."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from nbformat import NotebookNode
from nbgrader.api import Gradebook
from nbgrader.preprocessors import GetGrades

# How a mark is said, a sign beside the word, so that nothing depends on colour; and the template's class for it.
LOOKS = {
    "right": ("✓", "right"),
    "partly right": ("◐", "partly"),
    "not right": ("✗", "wrong"),
    "no points": ("✗", "wrong"),
    "not marked yet": ("…", "waits"),
    "not graded": ("✗", "wrong"),
}
# What no points mean: a written answer is not simply right or wrong.
_NOTHING = {"markdown": "no points"}
_PARTS = {"_visible": "the cases that you could see", "_hidden": "other cases"}


@dataclass(frozen=True)
class Row:
    """One mark.

    Attributes:
        anchor: The cell's grade_id, to which the row leads.
        exercise: The exercise's name or, of any other cell that is marked, its own.
        what: What was marked.
        state: One of `LOOKS`.
        score: The points given.
        points: The most that there are.
    """

    anchor: str
    exercise: str
    what: str
    state: str
    score: float
    points: float


class Summary(GetGrades):
    """Reads marks and comments as nbgrader does, and leaves in the page's resources what its top says."""

    def preprocess(self, nb: NotebookNode, resources: Any) -> tuple[NotebookNode, Any]:
        """Reads the marks of one student's notebook."""
        nb, resources = super().preprocess(nb, resources)
        names = resources["nbgrader"]
        with Gradebook(names["db_url"]) as gradebook:
            found = gradebook.find_submission_notebook(
                names["notebook"], names["assignment"], names["student"]
            )
            marks = {
                grade.name: (float(grade.score), float(grade.max_score), bool(grade.needs_manual_grade))
                for grade in found.grades
            }
        resources["vaeedu"] = shown(nb, marks)
        return nb, resources


def shown(notebook: NotebookNode, marks: dict[str, tuple[float, float, bool]]) -> dict[str, Any]:
    """What the template asks for; see `rows_of`."""
    rows = {}
    for row in rows_of(notebook, marks):
        sign, look = LOOKS[row.state]
        rows[row.anchor] = asdict(row) | {"sign": sign, "look": look}
    waiting = any(row["state"] == "not marked yet" for row in rows.values())
    return {"rows": rows, "waiting": waiting, "rejected": rejection(notebook)}


def rows_of(notebook: NotebookNode, marks: dict[str, tuple[float, float, bool]]) -> list[Row]:
    """Lists the marks in the order of the notebook.

    Args:
        notebook: The marked notebook.
        marks: By grade_id the points given, the most that there are, and whether somebody has yet to mark.
    """
    rows = []
    for cell in notebook.cells:
        name = cell.metadata.get("nbgrader", {}).get("grade_id", "")
        if name in marks:
            score, points, waits = marks[name]
            nothing = "not graded" if rejection(notebook) else _NOTHING.get(cell.cell_type, "not right")
            state = "not marked yet" if waits else _state(score, points, nothing)
            rows.append(Row(name, *_said(name, cell), state, score, points))
    return rows


def rejection(notebook: NotebookNode) -> str:
    """Why the submission was not graded; empty if it was."""
    noted = notebook.metadata.get("vaeedu", {})
    reasons: Sequence[str] = noted.get("reasons", ()) if noted.get("status") == "rejected" else ()
    return "; ".join(reasons)


def _said(name: str, cell: NotebookNode) -> tuple[str, str]:
    if cell.cell_type == "markdown":
        return name, "your written answer"
    for end, what in _PARTS.items():
        if name.endswith(end):
            return name.removesuffix(end), what
    return name, "your code" if cell.metadata.nbgrader.get("solution") else "a test"


def _state(score: float, points: float, nothing: str) -> str:
    if score >= points:
        return "right"
    return "partly right" if score > 0 else nothing
