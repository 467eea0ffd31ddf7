"""Extensions: due dates of single students, kept in the class's folder as a table that can be read and mended."""

import csv
import io
from datetime import datetime
from pathlib import Path

from vaeedu.files import write_whole
from vaeedu_grader.intake.tables import read_table, read_time

FILE = "extensions.csv"
_COLUMNS = ("student_id", "assignment", "due")


class Extensions:
    """A class's extensions.

    Args:
        classroom: The class's folder.

    Raises:
        ValueError: The table that is there says something that cannot be understood; the message names the line.
    """

    def __init__(self, classroom: Path) -> None:
        self._path = classroom / FILE
        self._due: dict[tuple[str, str], datetime] = {}
        if not self._path.exists():
            return
        for row in read_table(self._path, required="student_id", optional=_COLUMNS[1:]):
            key = (row.values["student_id"], row.values.get("assignment", ""))
            self._due[key] = read_time(f"{FILE}, line {row.number}: due", row.values.get("due", ""))

    def due(self, student: str, assignment: str) -> datetime | None:
        """Returns a student's own due date, UTC without saying so, as the gradebook has it; None if there is none."""
        found = self._due.get((student, assignment))
        return found and found.replace(tzinfo=None)

    def put(self, student: str, assignment: str, due: datetime | None) -> None:
        """Gives a student a due date of their own, with its zone, or takes it back."""
        self._due.pop((student, assignment), None)
        if due is not None:
            self._due[student, assignment] = due
        table = io.StringIO(newline="")
        rows = csv.writer(table, lineterminator="\n")
        rows.writerow(_COLUMNS)
        rows.writerows((s, a, when.isoformat()) for (s, a), when in sorted(self._due.items()))
        write_whole(self._path, table.getvalue().encode())
