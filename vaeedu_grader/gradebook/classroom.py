"""A class: its roster, submissions, marks and feedback, kept by nbgrader in one folder."""

import contextlib
import hashlib
import os
import subprocess
import sys
from pathlib import Path

from nbgrader.api import Gradebook
from nbgrader.plugins import CsvExportPlugin

from vaeedu.feedback.examine import CHECKS
from vaeedu_grader.authoring.course import exercises_file
from vaeedu_grader.authoring.release import bake
from vaeedu_grader.gradebook import nbgrader
from vaeedu_grader.gradebook.nbgrader import GradingError, quiet, succeed
from vaeedu_grader.intake.collect import Person


def nobody_in(gradebook: Path) -> bool:
    """Says whether a gradebook file has neither students nor assignments."""
    with quiet(), contextlib.closing(Gradebook(f"sqlite:///{gradebook}")) as opened:
        return not opened.students and not opened.assignments


class Classroom:
    """One assignment of one class.

    Args:
        course: The course's folder. Where the class lies is in its configuration; VAEEDU_CLASSROOM overrides it.
        assignment: The assignment's name.
    """

    def __init__(self, course: Path, assignment: str) -> None:
        self.course, self.assignment = course, assignment
        self._api = nbgrader.api(course)
        self.folder = Path(self._api.coursedir.submitted_directory).parent
        # The course's own assignments/ is for `vaeedu release`; a class generates beside its gradebook.
        self._api.coursedir.release_directory = str(self.folder / "released")

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
        bake(exercises_file(self.course, self.assignment), self.released / CHECKS)
        (self.folder / "released" / f".{self.assignment}").write_text(self._sources(), encoding="ascii")

    def generate_if_needed(self, known: bool) -> None:
        """Makes the students' folder unless it is there, up to date, and the gradebook knows its cells."""
        note = self.folder / "released" / f".{self.assignment}"
        current = note.is_file() and note.read_text(encoding="ascii") == self._sources()
        if not (known and current and self.released.is_dir()):
            self.generate()

    def students(self) -> set[str]:
        """Returns the names of everybody in the gradebook."""
        with quiet(), self._gradebook() as gradebook:
            return {student.id for student in gradebook.students}

    def people(self) -> list[Person]:
        """Returns everybody in the gradebook."""
        with quiet(), self._gradebook() as gradebook:
            return [
                Person(s.id, s.first_name or "", s.last_name or "", s.email or "") for s in gradebook.students
            ]

    def submission(self, student: str) -> Path:
        """The folder that a student's submission belongs into."""
        return self.folder / "submitted" / student / self.assignment

    def write_feedback(self, student: str) -> None:
        """Makes a student's feedback page from the marked notebook.

        Raises:
            GradingError: nbgrader could not.
        """
        with quiet():
            succeed(self._api.generate_feedback(self.assignment, student))

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

    def _sources(self) -> str:
        """A hash of all that the students' folder is made of."""
        total = hashlib.sha256()
        folder = self.course / "solutions" / self.assignment
        for path in [*sorted(folder.rglob("*")), exercises_file(self.course, self.assignment)]:
            if path.is_file():
                total.update(path.name.encode() + hashlib.sha256(path.read_bytes()).digest())
        return total.hexdigest()
