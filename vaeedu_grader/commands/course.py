"""Making assignments and what students get of them, and trying the grader."""

import argparse
from pathlib import Path
from typing import Any

from vaeedu_grader.commands.asked import HELP, asked
from vaeedu_grader.commands.errors import saying_why
from vaeedu_grader.commands.grading import check_jobs


def add(commands: Any) -> None:
    """Adds them to the parser's commands."""
    where = "Run it inside the course's folder."
    release = commands.add_parser(
        "release",
        help="make assignments/ from solutions/ and exercises/, and README's table",
        description=where,
    )
    release.add_argument(
        "assignment", nargs="?", metavar="ASSIGNMENT", help=f"{HELP}; by default all of them"
    )
    release.add_argument(
        "--output", type=Path, metavar="DIR", help="write there instead of into assignments/"
    )
    release.set_defaults(run=saying_why(_release))

    new = commands.add_parser(
        "new-assignment", help="lay out the files of a new assignment", description=where
    )
    new.add_argument("number", type=int, metavar="N", help="its lecture's number")
    new.add_argument("topic", metavar="TOPIC", help="its topic, such as sequences_and_molecules")
    new.set_defaults(run=saying_why(_new_assignment))

    wrong = commands.add_parser(
        "new-wrong", help="make a wrong variant in exercises/ of an answer that no known mistake explains"
    )
    wrong.add_argument("assignment", metavar="ASSIGNMENT", help=HELP)
    wrong.add_argument("exercise", metavar="EXERCISE", help="the exercise's name")
    wrong.add_argument("number", type=int, metavar="N", help="which answer, as the report counts them")
    wrong.set_defaults(run=saying_why(_new_wrong))

    demo = commands.add_parser(
        "demo-class",
        help="grade a made-up class, and compare its marks with the expected ones",
        description=where,
    )
    demo.add_argument("--student", action="append", metavar="NAME", help="only this one; may be repeated")
    demo.add_argument("--jobs", type=int, default=1, metavar="N", help="how many at a time (default: 1)")
    demo.add_argument(
        "--unsafe", action="store_true", help="run the made-up students' code without a sandbox"
    )
    demo.set_defaults(run=saying_why(_demo_class))

    bundle = commands.add_parser("student-bundle", help="make the zip that students receive")
    bundle.add_argument(
        "assignment", nargs="*", metavar="ASSIGNMENT", help="which to include; by default all"
    )
    bundle.add_argument(
        "--output", type=Path, metavar="FILE", help="where to put it; by default dist/vaeedu-course.zip"
    )
    bundle.set_defaults(run=saying_why(_bundle))


def _release(options: argparse.Namespace) -> int:
    from vaeedu_grader.authoring.course import assignment_named, assignments, course_root
    from vaeedu_grader.authoring.readme import write_readme
    from vaeedu_grader.authoring.release import release

    course = course_root()
    given = options.assignment
    for assignment in [assignment_named(course, given)] if given else assignments(course):
        print(f"released {release(course, assignment, options.output)}")
    if options.output is None and write_readme(course):
        print("README.md: the table of lectures and assignments is new")
    return 0


def _new_assignment(options: argparse.Namespace) -> int:
    from vaeedu_grader.authoring.course import course_root
    from vaeedu_grader.authoring.new import new_assignment

    course = course_root()
    for path in new_assignment(course, options.number, options.topic):
        print(f"made {path.relative_to(course)}")
    return 0


def _new_wrong(options: argparse.Namespace) -> int:
    from vaeedu_grader.report.skeleton import new_wrong

    assignment = asked(options.assignment)
    name = new_wrong(assignment, options.exercise, options.number)
    print(
        f"{assignment.described}: {name}: write its message, then make release and benchmarks/classifier.py"
    )
    return 0


def _demo_class(options: argparse.Namespace) -> int:
    from vaeedu_grader.authoring.course import course_root
    from vaeedu_grader.demo import demo_class

    check_jobs(options.jobs)
    done = demo_class(course_root(), only=options.student, workers=options.jobs, unsafe=options.unsafe)
    return 0 if done else 1


def _bundle(options: argparse.Namespace) -> int:
    from vaeedu_grader.authoring.bundle import make_bundle
    from vaeedu_grader.authoring.course import assignment_named, course_root

    course = course_root()
    target = options.output or course / "dist" / "vaeedu-course.zip"
    only = tuple(assignment_named(course, each) for each in options.assignment)
    names = make_bundle(course, target, only=only or None)
    print(f"{target}: {len(names)} files")
    return 0
