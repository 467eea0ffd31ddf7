"""A class's roster, and what it hands in."""

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vaeedu_grader.commands.asked import HELP, asked
from vaeedu_grader.commands.errors import saying_why

if TYPE_CHECKING:
    from vaeedu_grader.intake.collect import Collected

_NO_TIMES = "none counts as late, for files do not say when they were handed in"


def add(commands: Any) -> None:
    """Adds them to the parser's commands."""
    roster = commands.add_parser("roster", help="enrol a class")
    what = roster.add_subparsers(dest="what", required=True, metavar="WHAT")
    enrol = what.add_parser("import", help="enrol everybody in a table: id, last_name, first_name, email")
    enrol.add_argument("table", type=Path, metavar="FILE", help="a CSV, as Excel and others write it")
    enrol.set_defaults(run=saying_why(_roster_import))

    collect = commands.add_parser("collect", help="take in submissions from a folder or a platform's zip")
    collect.add_argument("source", type=Path, metavar="SOURCE", help="the folder or zip")
    collect.add_argument("--assignment", required=True, metavar="ASSIGNMENT", help=HELP)
    collect.add_argument(
        "--times", type=Path, metavar="FILE", help="a table with the columns id and time, with its zone"
    )
    collect.set_defaults(run=saying_why(_collect))


def _roster_import(options: argparse.Namespace) -> int:
    from vaeedu_grader.assignment import configuration
    from vaeedu_grader.authoring.course import course_root
    from vaeedu_grader.gradebook.roster import enrol, read_roster

    people = read_roster(options.table)
    new = enrol(configuration(course_root()), people)
    print(f"{len(people)} students, {new} of them new")
    return 0


def _collect(options: argparse.Namespace) -> int:
    from vaeedu_grader.gradebook.classroom import Classroom
    from vaeedu_grader.intake.collect import collect
    from vaeedu_grader.intake.tables import read_times

    assignment = asked(options.assignment)
    classroom, submitted = Classroom(assignment), assignment.classroom / "submitted"
    found = collect(
        options.source,
        submitted,
        assignment.name,
        classroom.people(),
        times=None if options.times is None else read_times(options.times),
        due=classroom.due(),
    )
    for student, names in found.files.items():
        print(f"{student}: {', '.join(names)}")
    for problem in found.problems:
        print(f"not taken: {problem}", file=sys.stderr)
    print(f"{len(found.files)} submissions of {assignment.name}; {_of_times(found)}")
    return int(bool(found.problems))


def _of_times(found: "Collected") -> str:
    """Says what is known of when everybody handed in, and what follows."""
    unknown = len(found.files) - len(found.times)
    marked = [student for student in found.late if student in found.times]
    parts = [f"{len(found.times) - len(marked)} have a time"] if len(found.times) > len(marked) else []
    if marked:
        parts.append(
            f"marked late by Canvas, and so a day late unless --times says more: {', '.join(marked)}"
        )
    if lost := [student for student in found.late if student not in found.times]:
        parts.append(f"marked late by Canvas, but the gradebook has no due date: {', '.join(lost)}")
    if unknown:
        parts.append(
            _NO_TIMES if unknown == len(found.files) else f"{unknown} have none, and do not count as late"
        )
    return "; ".join(parts)
