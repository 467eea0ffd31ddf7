"""Marks and feedback for a learning platform, with late days."""

import argparse
import io
import sys
from pathlib import Path
from typing import Any

from vaeedu.files import write_whole
from vaeedu_grader.commands.asked import HELP, asked
from vaeedu_grader.commands.errors import saying_why


def add(commands: Any) -> None:
    """Adds them to the parser's commands."""
    marks = commands.add_parser("marks", help="write an assignment's marks as CSV, with late days")
    marks.add_argument("assignment", metavar="ASSIGNMENT", help=HELP)
    marks.add_argument(
        "--format", default="csv", metavar="NAME", help="csv (default), or moodle or canvas, to import"
    )
    marks.add_argument("--output", type=Path, metavar="FILE", help="write there instead of to the terminal")
    marks.add_argument(
        "--free-late-days", type=int, default=0, metavar="N", help="a student's, for all assignments"
    )
    marks.add_argument(
        "--late-penalty", type=float, default=0.0, metavar="PART", help="of the points, a further day"
    )
    marks.set_defaults(run=saying_why(_marks))

    extend = commands.add_parser("extend", help="give a student another due date, for late days")
    extend.add_argument("student", metavar="STUDENT", help="the student's id")
    extend.add_argument("assignment", metavar="ASSIGNMENT", help=HELP)
    extend.add_argument("due", metavar="DATE", help="such as 2026-10-20T23:59+02:00, or none to take it back")
    extend.set_defaults(run=saying_why(_extend))

    feedback = commands.add_parser("feedback-zip", help="pack feedback pages as Moodle takes them back")
    feedback.add_argument("assignment", metavar="ASSIGNMENT", help=HELP)
    feedback.add_argument("source", type=Path, metavar="SOURCE", help="the zip that Moodle handed out")
    feedback.add_argument("--output", type=Path, required=True, metavar="FILE", help="the zip to write")
    feedback.set_defaults(run=saying_why(_feedback_zip))


def _marks(options: argparse.Namespace) -> int:
    from vaeedu_grader.gradebook.marks import LateDays, read_marks, write_marks

    rule = LateDays(options.free_late_days, options.late_penalty)
    assignment = asked(options.assignment)
    table = io.StringIO()
    marks = read_marks(assignment, rule)
    write_marks(marks, table, options.format)
    waiting = sum(row["by_hand"] == "1" for row in marks)
    if options.output is None:
        sys.stdout.write(table.getvalue())
    else:
        write_whole(options.output, table.getvalue().encode())
    if waiting:
        print(f"{waiting} submissions wait for marking by hand", file=sys.stderr)
    return 0


def _extend(options: argparse.Namespace) -> int:
    from vaeedu_grader.gradebook.classroom import Classroom
    from vaeedu_grader.gradebook.extensions import Extensions
    from vaeedu_grader.intake.tables import read_time

    assignment = asked(options.assignment)
    if options.student not in Classroom(assignment).students():
        raise ValueError(f"the student must be in the roster, but {options.student!r} is not")
    due = None if options.due == "none" else read_time("DATE", options.due)
    Extensions(assignment.classroom).put(options.student, assignment.name, due)
    said = "no extension" if due is None else f"due {due:%Y-%m-%d %H:%M} UTC"
    print(f"{options.student}, {assignment.name}: {said}")
    return 0


def _feedback_zip(options: argparse.Namespace) -> int:
    from vaeedu_grader.gradebook.classroom import Classroom
    from vaeedu_grader.gradebook.feedback import pack_feedback

    assignment = asked(options.assignment)
    packed = pack_feedback(assignment, options.source, options.output, Classroom(assignment).people())
    for student in packed.without:
        print(f"no feedback page: {student}", file=sys.stderr)
    print(f"{options.output}: {len(packed.students)} pages")
    return int(bool(packed.without))
