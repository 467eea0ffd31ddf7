"""A class, kept by nbgrader in one folder: its roster, what students get, their feedback."""

import contextlib
import hashlib
import os
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

from nbgrader.api import Gradebook
from nbgrader.plugins import CsvExportPlugin

from vaeedu.feedback.examine import CHECKS
from vaeedu_grader.assignment import Assignment
from vaeedu_grader.authoring.release import bake
from vaeedu_grader.gradebook import nbgrader
from vaeedu_grader.gradebook.nbgrader import GradingError, open_gradebook, quiet, succeed
from vaeedu_grader.intake.collect import Person


def contents(gradebook: Path) -> tuple[set[str], set[str]]:
    """Returns whom a gradebook file knows, and which assignments."""
    with quiet(), contextlib.closing(Gradebook(f"sqlite:///{gradebook}")) as opened:
        return {s.id for s in opened.students}, {a.name for a in opened.assignments}


class Classroom:
    """What nbgrader does for one assignment of one class.

    Args:
        assignment: The assignment.
    """

    def __init__(self, assignment: Assignment) -> None:
        self.assignment = assignment
        released = str(assignment.released.parent)
        self._api = nbgrader.api(assignment.config, release_directory=released)

    def enrol(self, roster: Path) -> None:
        """Imports students from a CSV file with nbgrader's own command.

        Raises:
            GradingError: nbgrader refused it.
        """
        nbgrader.stamp(self._api.coursedir.db_url)
        command = [sys.executable, "-m", "nbgrader", "db", "student", "import", str(roster)]
        done = subprocess.run(
            command,
            cwd=self.assignment.course,
            env={**os.environ, "VAEEDU_CLASSROOM": str(self.assignment.classroom)},
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise GradingError(f"the roster {roster.name} was not imported: {done.stderr.strip()[-300:]}")

    def generate(self) -> None:
        """Makes the students' folder, and records the assignment's cells and points in the gradebook."""
        nbgrader.stamp(self._api.coursedir.db_url)
        with quiet():
            succeed(self._api.generate_assignment(self.assignment.name))
        bake(self.assignment.described, self.assignment.released / CHECKS)
        self._note().write_text(self._sources(), encoding="ascii")

    def generate_if_needed(self, known: bool) -> None:
        """Makes the students' folder unless it is there, up to date, and the gradebook knows its cells."""
        current = self._note().is_file() and self._note().read_text(encoding="ascii") == self._sources()
        if not (known and current and self.assignment.released.is_dir()):
            self.generate()

    def students(self) -> set[str]:
        """Returns the names of everybody in the gradebook."""
        return {person.id for person in self.people()}

    def people(self) -> list[Person]:
        """Returns everybody in the gradebook."""
        with open_gradebook(self.assignment.config) as gradebook:
            return [
                Person(s.id, s.first_name or "", s.last_name or "", s.email or "") for s in gradebook.students
            ]

    def due(self) -> datetime | None:
        """Returns when the assignment is due, in UTC; None where the gradebook does not say."""
        with open_gradebook(self.assignment.config) as gradebook:
            found = [a.duedate for a in gradebook.assignments if a.name == self.assignment.name]
        return found[0].replace(tzinfo=UTC) if found and found[0] else None

    def write_feedback(self, student: str) -> None:
        """Makes a student's feedback page from the marked notebook.

        Raises:
            GradingError: nbgrader could not.
        """
        with quiet():
            succeed(self._api.generate_feedback(self.assignment.name, student))

    def export(self, path: Path) -> None:
        """Writes everybody's marks as CSV; who handed in nothing has 0."""
        with open_gradebook(self.assignment.config) as gradebook:
            CsvExportPlugin(to=str(path), assignment=[self.assignment.name]).export(gradebook)

    def _note(self) -> Path:
        """Where it is written down what the students' folder was made of."""
        return self.assignment.released.with_name(f".{self.assignment.name}")

    def _sources(self) -> str:
        """A hash of all that the students' folder is made of."""
        total = hashlib.sha256()
        for path in [*sorted(self.assignment.source.parent.rglob("*")), self.assignment.described]:
            if path.is_file():
                total.update(path.name.encode() + hashlib.sha256(path.read_bytes()).digest())
        return total.hexdigest()
