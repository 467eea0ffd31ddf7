"""Grading a class, and what came out."""

import argparse
from pathlib import Path
from typing import Any

from vaeedu.files import write_whole
from vaeedu_grader.commands.asked import HELP, asked
from vaeedu_grader.commands.errors import saying_why


def add(commands: Any) -> None:
    """Adds them to the parser's commands."""
    grade = commands.add_parser("grade", help="grade an assignment's submissions, each in a sandbox")
    grade.add_argument("assignment", metavar="ASSIGNMENT", help=HELP)
    grade.add_argument("--student", action="append", metavar="NAME", help="only this one; may be repeated")
    grade.add_argument(
        "--regrade", action="append", metavar="NAME", help="only this one, graded anew; may be repeated"
    )
    grade.add_argument("--jobs", type=int, default=1, metavar="N", help="how many at a time (default: 1)")
    grade.add_argument("--cluster", default="", metavar="ADDRESS", help="a Dask scheduler, tcp://HOST:PORT")
    grade.add_argument("--unsafe", action="store_true", help="run students' code WITHOUT a sandbox")
    grade.add_argument(
        "--explain", metavar="NAME", help="print how a student's marks came about, and grade nothing"
    )
    grade.set_defaults(run=saying_why(_grade))

    report = commands.add_parser("report", help="write what a class misunderstood, as a page and a table")
    report.add_argument("assignment", metavar="ASSIGNMENT", help=HELP)
    report.add_argument(
        "--output", type=Path, metavar="DIR", help="where to; by default report/ in the class's folder"
    )
    report.set_defaults(run=saying_why(_report))

    similar = commands.add_parser("similar", help="list pairs of submissions whose code is alike")
    similar.add_argument("assignment", metavar="ASSIGNMENT", help=HELP)
    similar.add_argument(
        "--threshold",
        type=float,
        metavar="X",
        help="what share of the shorter one is in the other (default: 0.5)",
    )
    similar.set_defaults(run=saying_why(_similar))


def _grade(options: argparse.Namespace) -> int:
    if options.explain is not None:
        from vaeedu_grader.explain import explain

        print(explain(asked(options.assignment), options.explain))
        return 0
    from vaeedu_grader.marking.result import Settings
    from vaeedu_grader.marking.unchanged import results_of_last_time
    from vaeedu_grader.table import print_class

    check_jobs(options.jobs)
    named = [*(options.student or ()), *(options.regrade or ())]
    settings = Settings(
        students=tuple(named) or None,
        again=tuple(options.regrade or ()),
        workers=options.jobs,
        cluster=options.cluster,
        unsafe=options.unsafe,
    )
    assignment = asked(options.assignment)
    known = results_of_last_time(assignment, settings)
    if known is not None:
        return print_class(known)
    # Imported only now: importing nbgrader takes longer than seeing that there is nothing to do.
    from vaeedu_grader.marking.grade import grade_class

    return print_class(lambda begin: grade_class(assignment, settings, begin))


def _report(options: argparse.Namespace) -> int:
    from vaeedu_grader.report.findings import findings
    from vaeedu_grader.report.page import write_page, write_table

    assignment = asked(options.assignment)
    found = findings(assignment)
    folder = options.output or assignment.classroom / "report"
    # Both are made before either is written, so that the two always are of the same class.
    made = {
        "html": write_page(assignment.name, assignment.exercises, found),
        "csv": write_table(assignment.exercises, found),
    }
    for ending, text in made.items():
        path = folder / f"{assignment.name}.{ending}"
        write_whole(path, text.encode())
        print(path)
    return 0


def _similar(options: argparse.Namespace) -> int:
    from vaeedu.feedback.wire import printable
    from vaeedu_grader.report.similar import THRESHOLD, similar

    threshold = THRESHOLD if options.threshold is None else options.threshold
    found = similar(asked(options.assignment), threshold)
    for pair in found:
        print(f"{pair.share:4.0%}  {pair.characters:5}  {' and '.join(map(printable, pair.students))}")
    print(f"{len(found)} pairs share {threshold:.0%} or more: a reason to look, and no proof")
    return 0


def check_jobs(jobs: int) -> None:
    """Raises a ValueError unless there is to be at least one at a time."""
    if jobs < 1:
        raise ValueError(f"--jobs must be at least 1, but is {jobs}")
