"""Writing outcomes into nbgrader's gradebook, through nbgrader's own `Autograde`: one writer, one submission at a time.

Nothing of a student's is run here, and nothing is read but what the job has put together: the marked notebook, whose
outputs say what each test cell is worth.
"""

import shutil
from collections.abc import Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import nbformat
from nbgrader.api import Gradebook, MissingEntry
from nbgrader.preprocessors import AssignLatePenalties, CheckCellMetadata, SaveAutoGrades
from nbgrader.utils import parse_utc

from vaeedu_grader.assignment import Assignment
from vaeedu_grader.gradebook import nbgrader
from vaeedu_grader.gradebook.nbgrader import open_gradebook, quiet, succeed

# What nbgrader's exchange keeps beside a submission, and looks for beside its feedback.
SECRET = "submission_secret.txt"


class Writer:
    """The gradebook of one assignment.

    Args:
        assignment: The assignment.
    """

    def __init__(self, assignment: Assignment) -> None:
        self.assignment = assignment
        # In the class's own folder: what a writer that was killed has left there, the next one clears away.
        self._staging = (assignment.classroom / "graded" / ".merging").resolve()
        shutil.rmtree(self._staging, ignore_errors=True)
        self._submitted = self._staging / "submitted"
        self._api = nbgrader.api(assignment.config, submitted_directory=str(self._submitted))
        # The cells have been put right and run already: what is left is what writes marks.
        self._api.config.Autograde.sanitize_preprocessors = []
        self._api.config.Autograde.autograde_preprocessors = [
            SaveAutoGrades,
            AssignLatePenalties,
            CheckCellMetadata,
        ]

    def __enter__(self) -> "Writer":
        return self

    def __exit__(self, *exception: object) -> None:
        shutil.rmtree(self._staging, ignore_errors=True)

    def has_assignment(self) -> bool:
        """Says whether the gradebook knows the assignment and its cells."""
        with self.open() as gradebook:
            try:
                return bool(gradebook.find_assignment(self.assignment.name).notebooks)
            except MissingEntry:
                return False

    def merge(self, outcome: Mapping[str, Any], *, timestamp: str, secret: str, is_new: bool) -> None:
        """Puts an outcome in the place of whatever the gradebook has of this student's assignment.

        Args:
            outcome: What a job came to.
            timestamp: When the submission came, as nbgrader writes it; empty if nobody knows.
            secret: What the exchange has written beside it; empty if it did not come from there.
            is_new: Whether it is another submission than the one the gradebook has marks for. Marks that were given by
                hand are then taken back, but for written answers that are the same.

        Raises:
            GradingError: nbgrader refused it.
        """
        student = outcome["student"]
        folder = self._submitted / student / self.assignment.name
        folder.mkdir(parents=True)
        try:
            notebook = nbformat.from_dict(outcome["notebook"])
            nbformat.write(notebook, folder / self.assignment.file)
            if timestamp:
                (folder / "timestamp.txt").write_text(timestamp, encoding="utf-8")
            if secret:
                (folder / SECRET).write_text(secret, encoding="utf-8")
            if is_new:
                self.take_back(outcome)
            with quiet():
                succeed(self._api.autograde(self.assignment.name, student, force=True, create=True))
            if not timestamp:
                self.forget_time(student)
            if is_new:
                self.flag(outcome)
        finally:
            shutil.rmtree(self._submitted / student)

    def take_back(self, outcome: Mapping[str, Any]) -> None:
        """Takes back the marks that were given by hand for another submission, but for the same written answers."""
        student, notebook = outcome["student"], nbformat.from_dict(outcome["notebook"])
        before = _texts(self.assignment.marked(student))
        marked = [c for c in notebook.cells if c.metadata.get("nbgrader", {}).get("solution")]
        written = {c.metadata.nbgrader.grade_id: c.source for c in marked}
        with self.open() as gradebook:
            for grade in _grades(gradebook, self.assignment.name, student):
                if grade.name not in written or before.get(grade.name) != written[grade.name]:
                    grade.manual_score, grade.extra_credit = None, None
            gradebook.db.commit()

    def flag(self, outcome: Mapping[str, Any]) -> None:
        """Puts the formgrader's own flag on what somebody should look at, or takes it off another submission's."""
        with self.open() as gradebook:
            found = gradebook.find_submission(self.assignment.name, outcome["student"])
            for notebook in found.notebooks:
                notebook.flagged = outcome["status"] in ("flagged", "rejected")
            gradebook.db.commit()

    def forget_time(self, student: str) -> None:
        """Takes back when an earlier submission came: nbgrader keeps that where the new one does not say."""
        with self.open() as gradebook:
            gradebook.update_or_create_submission(self.assignment.name, student, timestamp=None)

    def agrees(self, outcome: Mapping[str, Any], timestamp: str, secret: str) -> bool:
        """Says whether the gradebook, and the folder of marked notebooks, have this outcome of that time."""
        student = outcome["student"]
        marked = self.assignment.marked(student)
        if not marked.is_file() or secret != _text(marked.with_name(SECRET)):
            return False
        with self.open() as gradebook:
            found = {g.name: g.auto_score for g in _grades(gradebook, self.assignment.name, student)}
            try:
                came = gradebook.find_submission(self.assignment.name, student).timestamp
            except MissingEntry:
                return False
        return bool(found == outcome["scores"] and came == parse_utc(timestamp or None))

    def invalidate(self, student: str) -> None:
        """Takes back all marks of an earlier submission, until the new one has its own."""
        with self.open() as gradebook:
            for grade in _grades(gradebook, self.assignment.name, student):
                grade.auto_score, grade.needs_manual_grade = None, True
            gradebook.db.commit()

    def open(self) -> AbstractContextManager[Gradebook]:
        """Opens the gradebook."""
        return open_gradebook(self.assignment.config)


def _grades(gradebook: Gradebook, assignment: str, student: str) -> list[Any]:
    try:
        submission = gradebook.find_submission(assignment, student)
    except MissingEntry:
        return []
    return [grade for notebook in submission.notebooks for grade in notebook.grades]


def _text(path: Path) -> str:
    return path.read_text(encoding="utf-8") if path.is_file() else ""


def _texts(path: Path) -> dict[str, str]:
    """The cells of a marked notebook that nbgrader wrote, by name; none if there is no such file."""
    if not path.is_file():
        return {}
    cells = nbformat.read(path, as_version=4).cells
    return {c.metadata.nbgrader.grade_id: c.source for c in cells if "nbgrader" in c.metadata}
