"""A class: its roster, submissions, marks and feedback, kept by nbgrader in one folder."""

import contextlib
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from nbgrader.api import Gradebook, MissingEntry
from nbgrader.plugins import CsvExportPlugin

from vaeedu.grading import nbgrader
from vaeedu.grading.course import exercises
from vaeedu.grading.nbgrader import GradingError, quiet, succeed
from vaeedu.grading.release import bake
from vaeedu.grading.student import CHECKS
from vaeedu.grading.submission import take_in


@contextlib.contextmanager
def _one_thread() -> Iterator[None]:
    """Lets kernels started in the block use one thread: the data are small, threads would cost more than they gain."""
    before = os.environ.get("OMP_NUM_THREADS")
    os.environ["OMP_NUM_THREADS"] = "1"
    try:
        yield
    finally:
        del os.environ["OMP_NUM_THREADS"]
        os.environ.update({} if before is None else {"OMP_NUM_THREADS": before})


@dataclass(frozen=True)
class Result:
    """What grading a student's submission came to.

    Attributes:
        scores: Points by test cell; a cell that waits for marking by hand is not among them.
        waiting: The points of cells that wait for marking by hand.
        note: What the instructor should know: renamed, missing, or why there are no points.
    """

    scores: dict[str, float]
    waiting: float = 0.0
    note: str = ""

    @property
    def total(self) -> float:
        """The sum of the points given so far."""
        return sum(self.scores.values())


def nobody_in(gradebook: Path) -> bool:
    """Says whether a gradebook file has neither students nor assignments."""
    with quiet(), contextlib.closing(Gradebook(f"sqlite:///{gradebook}")) as opened:
        return not opened.students and not opened.assignments


class Classroom:
    """One assignment of one class.

    Args:
        course: The course's folder. Where the class lies is in its configuration; VAEEDU_CLASSROOM overrides it.
        assignment: The assignment's name.
        cell_timeout: Seconds after which a cell is interrupted; by default the configured ones.
    """

    def __init__(self, course: Path, assignment: str, *, cell_timeout: int | None = None) -> None:
        self.course, self.assignment = course, assignment
        self._api = nbgrader.api(course)
        self.folder = Path(self._api.coursedir.submitted_directory).parent
        # The course's own assignments/ is for `vaeedu release`; a class generates beside its gradebook.
        self._api.coursedir.release_directory = str(self.folder / "released")
        if cell_timeout is not None:
            self._api.config.Execute.timeout = cell_timeout

    @property
    def released(self) -> Path:
        """The folder that students get."""
        return self.folder / "released" / self.assignment

    def enrol(self, roster: Path) -> None:
        """Imports students from a CSV file with nbgrader's own command.

        Raises:
            GradingError: nbgrader refused it.
        """
        command = [sys.executable, "-m", "nbgrader", "db", "student", "import", str(roster)]
        done = subprocess.run(
            command,
            cwd=self.course,
            env={**os.environ, "VAEEDU_CLASSROOM": str(self.folder)},
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise GradingError(f"the roster {roster.name} was not imported: {done.stderr.strip()[-300:]}")

    def generate(self) -> None:
        """Makes the students' folder, and records the assignment's cells and points in the gradebook."""
        with quiet():
            succeed(self._api.generate_assignment(self.assignment))
        bake(exercises(self.course, self.assignment), self.released / CHECKS)

    def submission(self, student: str) -> Path:
        """The folder that a student's submission belongs into."""
        return self.folder / "submitted" / student / self.assignment

    def grade(self, student: str) -> Result:
        """Autogrades a submission and writes its feedback; whatever is wrong with it ends up in the result's note."""
        if not self.submission(student).is_dir():
            return Result({}, note="nothing submitted")
        try:
            note = take_in(self.submission(student), self.assignment)
            with quiet(), _one_thread():
                succeed(self._api.autograde(self.assignment, student))
                succeed(self._api.generate_feedback(self.assignment, student))
        except (GradingError, ValueError) as error:
            return Result({}, note=f"not graded: {error}")
        return self._result(student, note)

    def feedback(self, student: str) -> str:
        """Returns a student's feedback page, HTML."""
        page = self.folder / "feedback" / student / self.assignment / f"{self.assignment}.html"
        return page.read_text(encoding="utf-8")

    def export(self, path: Path) -> None:
        """Writes everybody's marks as CSV; who handed in nothing has 0."""
        with quiet(), self._gradebook() as gradebook:
            CsvExportPlugin(to=str(path), assignment=[self.assignment]).export(gradebook)

    def _gradebook(self) -> Gradebook:
        return Gradebook(self._api.coursedir.db_url, self._api.coursedir.course_id)

    def _result(self, student: str, note: str) -> Result:
        scores, waiting, deleted = {}, 0.0, []
        with quiet(), self._gradebook() as gradebook:
            try:
                submission = gradebook.find_submission(self.assignment, student)
            except MissingEntry:
                return Result({}, note="not graded: the gradebook has no submission")
            for grade in (grade for notebook in submission.notebooks for grade in notebook.grades):
                if grade.needs_manual_grade:
                    waiting += grade.max_score
                    # A test cell has marked itself, unless it was not there.
                    deleted += [grade.name] if grade.cell.cell_type == "code" else []
                else:
                    scores[grade.name] = float(grade.score)
        notes = [note] if note else []
        notes += [f"deleted, to be marked by hand: {', '.join(sorted(deleted))}"] if deleted else []
        return Result(scores, waiting, "; ".join(notes))
