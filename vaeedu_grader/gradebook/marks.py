"""`vaeedu marks`: a class's marks as a table, for yourself or for a learning platform, with late days."""

import csv
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from io import TextIOBase
from typing import Any

from vaeedu_grader.assignment import Assignment
from vaeedu_grader.gradebook.extensions import Extensions
from vaeedu_grader.gradebook.nbgrader import open_gradebook
from vaeedu_grader.gradebook.store import Store
from vaeedu_grader.intake.tables import spreadsheet_cell

_DAY = 24 * 3600.0
COLUMNS = (
    "student_id", "last_name", "first_name", "email", "assignment", "status", "timestamp", "points", "max_points",
    "by_hand", "late_days", "free_days_used", "penalty", "score",
)  # fmt: skip


_WRITTEN_BY_PEOPLE = ("student_id", "last_name", "first_name", "email")


@dataclass(frozen=True)
class LateDays:
    """What lateness costs.

    Attributes:
        free: Days that each student may be late without loss, over all assignments together.
        penalty: The part of the points that each further day costs.
    """

    free: int = 0
    penalty: float = 0.0

    def __post_init__(self) -> None:
        if self.free < 0:
            raise ValueError(f"the free late days must be at least 0, but are {self.free}")
        if not 0.0 <= self.penalty <= 1.0:
            raise ValueError(f"the late penalty must be a part from 0 to 1, but is {self.penalty}")


def days_late(timestamp: datetime | None, due: datetime | None) -> int:
    """Returns how many days, begun ones counted, something came after it was due; 0 if either time is unknown.

    >>> days_late(datetime(2026, 1, 2, 0, 1), datetime(2026, 1, 1, 0, 0))
    2
    """
    if timestamp is None or due is None:
        return 0
    return max(0, math.ceil((timestamp - due).total_seconds() / _DAY))


def read_marks(assignment: Assignment, rule: LateDays | None = None) -> list[dict[str, str]]:
    """Returns a line for everybody in the gradebook, by `COLUMNS`; who handed in nothing has 0 points.

    Free days are used up in the order in which assignments are due. Where a student has an extension, lateness counts
    from that.

    Args:
        assignment: The assignment.
        rule: What lateness costs; by default nothing.

    Raises:
        ValueError: The gradebook has no such assignment, or nobody is in it.
    """
    rule = rule or LateDays()
    name, rows = assignment.name, []
    with open_gradebook(assignment.config) as gradebook:
        by_name = {a.name: a for a in gradebook.assignments}
        if name not in by_name:
            raise ValueError(f"assignment must be one of {', '.join(by_name) or '(none)'}, but is {name!r}")
        if not gradebook.students:
            raise ValueError(
                "there must be students in the gradebook, but there is nobody: vaeedu roster import FILE"
            )
        due = by_name[name].duedate
        earlier = [a.name for a in by_name.values() if due and a.duedate and a.duedate < due]
        earlier.sort(key=lambda one: by_name[one].duedate)
        store = Store(assignment)
        extensions = Extensions(assignment.classroom)
        late: dict[str, dict[str, int]] = {}
        for one in by_name.values():
            for s in one.submissions:
                own = extensions.due(s.student.id, one.name) or one.duedate
                late.setdefault(s.student.id, {})[one.name] = days_late(s.timestamp, own)
        submissions = {s.student.id: s for s in by_name[name].submissions}
        for student in sorted(gradebook.students, key=lambda s: s.id):
            submission = submissions.get(student.id)
            days = late.get(student.id, {})
            left = rule.free - sum(days.get(one, 0) for one in earlier)
            row = _row(by_name[name], submission, days.get(name, 0), max(left, 0), rule)
            status = (store.outcome(student.id) or {}).get("status", "") if submission else "missing"
            person = {
                key: getattr(student, key) or ""
                for key in ("last_name", "first_name", "email", "lms_user_id")
            }
            rows.append({"student_id": student.id, **person, "status": status, **row})
    return rows


def write_marks(marks: Sequence[Mapping[str, str]], file: TextIOBase, layout: str = "csv") -> None:
    """Writes marks as a table.

    - `"csv"`: all `COLUMNS`, with nothing that a spreadsheet takes for a formula.
    - `"moodle"`: the columns of Moodle's own export of grades; map *ID number* or *Email address* when you import it.
    - `"canvas"`: the columns of Canvas's gradebook, with its line of points possible.

    In the last two ids stand as they came in; a mark is the score, which has late days taken off.

    Args:
        marks: What `read_marks` returns.
        file: Where to write.
        layout: One of `LAYOUTS`.

    Raises:
        ValueError: There is no such layout.
    """
    if layout not in LAYOUTS:
        raise ValueError(f"the format must be one of {', '.join(LAYOUTS)}, but is {layout!r}")
    rows = csv.writer(file, lineterminator="\n")
    rows.writerows(LAYOUTS[layout](marks))


def _as_csv(marks: Sequence[Mapping[str, str]]) -> Iterator[Sequence[str]]:
    yield COLUMNS
    for row in marks:
        yield [spreadsheet_cell(row[name]) if name in _WRITTEN_BY_PEOPLE else row[name] for name in COLUMNS]


def _for_moodle(marks: Sequence[Mapping[str, str]]) -> Iterator[Sequence[str]]:
    name = marks[0]["assignment"] if marks else ""
    yield ("First name", "Surname", "ID number", "Email address", f"Assignment: {name}")
    for row in marks:
        yield (row["first_name"], row["last_name"], row["student_id"], row["email"], row["score"])


def _for_canvas(marks: Sequence[Mapping[str, str]]) -> Iterator[Sequence[str]]:
    first = marks[0] if marks else {"assignment": "", "max_points": ""}
    yield ("Student", "ID", "SIS User ID", "SIS Login ID", "Section", first["assignment"])
    yield ("    Points Possible", "", "", "", "", first["max_points"])
    for row in marks:
        name = ", ".join(filter(None, (row["last_name"], row["first_name"]))) or row["student_id"]
        yield (name, row["lms_user_id"], row["student_id"], row["student_id"], "", row["score"])


LAYOUTS: dict[str, Callable[[Sequence[Mapping[str, str]]], Iterator[Sequence[str]]]] = {
    "csv": _as_csv,
    "moodle": _for_moodle,
    "canvas": _for_canvas,
}


def _row(assignment: Any, submission: Any, late: int, free: int, rule: LateDays) -> dict[str, str]:
    points = float(submission.score) if submission else 0.0
    used = min(late, free)
    penalty = min(points, points * rule.penalty * (late - used))
    timestamp = submission.timestamp if submission else None
    return {
        "assignment": assignment.name,
        "timestamp": timestamp.isoformat(" ") if timestamp else "",
        "points": f"{points:g}",
        "max_points": f"{float(assignment.max_score):g}",
        "by_hand": str(int(submission.needs_manual_grade) if submission else 0),
        "late_days": str(late),
        "free_days_used": str(used),
        "penalty": f"{penalty:g}",
        "score": f"{points - penalty:g}",
    }
