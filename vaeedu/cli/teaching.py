"""The instructor's commands: `vaeedu release` and `vaeedu demo-class`."""

import argparse
from pathlib import Path
from typing import Any


def add_commands(commands: Any) -> None:
    """Adds them to the parser's commands."""
    where = "Run it inside the course's folder."
    release = commands.add_parser(
        "release", help="make assignments/ from solutions/ and exercises/", description=where
    )
    release.add_argument(
        "assignment", nargs="?", metavar="ASSIGNMENT", help="its name; by default all of them"
    )
    release.add_argument(
        "--output", type=Path, metavar="DIR", help="write there instead of into assignments/"
    )
    release.set_defaults(run=_release)

    demo = commands.add_parser(
        "demo-class",
        help="grade a made-up class, and compare its marks with the expected ones",
        description=where,
    )
    demo.add_argument("--student", action="append", metavar="NAME", help="only this one; may be repeated")
    demo.set_defaults(run=_demo_class)


def is_grading_error(error: Exception) -> bool:
    """Whether it is nbgrader that failed."""
    # Imported only now: importing nbgrader takes longer than printing a version.
    from vaeedu.grading.nbgrader import GradingError

    return isinstance(error, GradingError)


def _release(options: argparse.Namespace) -> int:
    from vaeedu.grading.course import assignments, course_root
    from vaeedu.grading.release import release

    course = course_root()
    for assignment in [options.assignment] if options.assignment else assignments(course):
        print(f"released {release(course, assignment, options.output)}")
    return 0


def _demo_class(options: argparse.Namespace) -> int:
    from vaeedu.grading.course import course_root
    from vaeedu.grading.demo import demo_class

    return 0 if demo_class(course_root(), only=options.student) else 1
