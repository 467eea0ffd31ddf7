"""The instructor's commands: making assignments, and taking in, grading and marking submissions."""

import argparse
import io
import sys
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vaeedu.files import write_whole

if TYPE_CHECKING:
    from vaeedu_grader.intake.collect import Collected

_NO_TIMES = "none counts as late, for files do not say when they were handed in"
Command = Callable[[argparse.Namespace], int]


def add_commands(commands: Any) -> None:
    """Adds them to the parser's commands."""
    where = "Run it inside the course's folder."
    release = commands.add_parser(
        "release",
        help="make assignments/ from solutions/ and exercises/, and README's table",
        description=where,
    )
    release.add_argument(
        "assignment", nargs="?", metavar="ASSIGNMENT", help="its name; by default all of them"
    )
    release.add_argument(
        "--output", type=Path, metavar="DIR", help="write there instead of into assignments/"
    )
    release.set_defaults(run=_saying_why(_release))

    new = commands.add_parser(
        "new-assignment", help="lay out the files of a new assignment", description=where
    )
    new.add_argument("number", type=int, metavar="N", help="its lecture's number")
    new.add_argument("topic", metavar="TOPIC", help="its topic, such as sequences_and_molecules")
    new.set_defaults(run=_saying_why(_new_assignment))

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
    demo.set_defaults(run=_saying_why(_demo_class))
    _add_grade(commands)
    _add_class(commands)


def _add_grade(commands: Any) -> None:
    grade = commands.add_parser("grade", help="grade an assignment's submissions, each in a sandbox")
    grade.add_argument("assignment", metavar="ASSIGNMENT", help="its name")
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
    grade.set_defaults(run=_saying_why(_grade))


def _add_class(commands: Any) -> None:
    collect = commands.add_parser("collect", help="take in submissions from a folder or a platform's zip")
    collect.add_argument("source", type=Path, metavar="SOURCE", help="the folder or zip")
    collect.add_argument("--assignment", required=True, metavar="NAME", help="which assignment they are of")
    collect.add_argument(
        "--times", type=Path, metavar="FILE", help="a table with the columns id and time, with its zone"
    )
    collect.set_defaults(run=_saying_why(_collect))

    roster = commands.add_parser("roster", help="enrol a class")
    what = roster.add_subparsers(dest="what", required=True, metavar="WHAT")
    enrol = what.add_parser("import", help="enrol everybody in a table: id, last_name, first_name, email")
    enrol.add_argument("table", type=Path, metavar="FILE", help="a CSV, as Excel and others write it")
    enrol.set_defaults(run=_saying_why(_roster_import))

    marks = commands.add_parser("marks", help="write an assignment's marks as CSV, with late days")
    marks.add_argument("assignment", metavar="ASSIGNMENT", help="its name")
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
    marks.set_defaults(run=_saying_why(_marks))

    report = commands.add_parser("report", help="write what a class misunderstood, as a page and a table")
    report.add_argument("assignment", metavar="ASSIGNMENT", help="its name")
    report.add_argument(
        "--output", type=Path, metavar="DIR", help="where to; by default report/ in the class's folder"
    )
    report.set_defaults(run=_saying_why(_report))

    wrong = commands.add_parser(
        "new-wrong", help="make a wrong variant in exercises/ of an answer that no known mistake explains"
    )
    wrong.add_argument("assignment", metavar="ASSIGNMENT", help="its name")
    wrong.add_argument("exercise", metavar="EXERCISE", help="the exercise's name")
    wrong.add_argument("number", type=int, metavar="N", help="which answer, as the report counts them")
    wrong.set_defaults(run=_saying_why(_new_wrong))

    feedback = commands.add_parser("feedback-zip", help="pack feedback pages as Moodle takes them back")
    feedback.add_argument("assignment", metavar="ASSIGNMENT", help="its name")
    feedback.add_argument("source", type=Path, metavar="SOURCE", help="the zip that Moodle handed out")
    feedback.add_argument("--output", type=Path, required=True, metavar="FILE", help="the zip to write")
    feedback.set_defaults(run=_saying_why(_feedback_zip))

    extend = commands.add_parser("extend", help="give a student another due date, for late days")
    extend.add_argument("student", metavar="STUDENT", help="the student's id")
    extend.add_argument("assignment", metavar="ASSIGNMENT", help="its name")
    extend.add_argument("due", metavar="DATE", help="such as 2026-10-20T23:59+02:00, or none to take it back")
    extend.set_defaults(run=_saying_why(_extend))

    bundle = commands.add_parser("student-bundle", help="make the zip that students receive")
    bundle.add_argument(
        "assignment", nargs="*", metavar="ASSIGNMENT", help="which to include; by default all"
    )
    bundle.add_argument(
        "--output", type=Path, metavar="FILE", help="where to put it; by default dist/vaeedu-course.zip"
    )
    bundle.set_defaults(run=_saying_why(_bundle))


def _saying_why(command: Command) -> Command:
    """Turns the grader's own errors into the one-line error that `vaeedu` makes of a ValueError."""

    @wraps(command)
    def run(options: argparse.Namespace) -> int:
        try:
            return command(options)
        except Exception as error:
            # Imported only now: importing nbgrader takes longer than printing a version.
            from vaeedu_grader.gradebook.nbgrader import GradingError
            from vaeedu_grader.sandbox import SandboxError

            if isinstance(error, GradingError):
                raise ValueError(f"nbgrader: {error}") from error
            if isinstance(error, SandboxError):
                raise ValueError(str(error)) from error
            raise

    return run


def _release(options: argparse.Namespace) -> int:
    from vaeedu_grader.authoring.course import assignments, course_root
    from vaeedu_grader.authoring.readme import write_readme
    from vaeedu_grader.authoring.release import release

    course = course_root()
    for assignment in [options.assignment] if options.assignment else assignments(course):
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


def _demo_class(options: argparse.Namespace) -> int:
    from vaeedu_grader.authoring.course import course_root
    from vaeedu_grader.demo import demo_class

    _check_jobs(options.jobs)
    done = demo_class(course_root(), only=options.student, workers=options.jobs, unsafe=options.unsafe)
    return 0 if done else 1


def _grade(options: argparse.Namespace) -> int:
    from vaeedu_grader.assignment import Assignment
    from vaeedu_grader.authoring.course import course_root

    if options.explain is not None:
        from vaeedu_grader.explain import explain

        print(explain(Assignment(course_root(), options.assignment), options.explain))
        return 0
    from vaeedu_grader.marking.grade import Settings, grade_class
    from vaeedu_grader.table import print_class

    _check_jobs(options.jobs)
    asked = (
        None
        if options.student is options.regrade is None
        else (options.student or []) + (options.regrade or [])
    )
    settings = Settings(
        students=None if asked is None else tuple(asked),
        again=tuple(options.regrade or ()),
        workers=options.jobs,
        cluster=options.cluster,
        unsafe=options.unsafe,
    )
    return print_class(grade_class(Assignment(course_root(), options.assignment), settings))


def _collect(options: argparse.Namespace) -> int:
    from vaeedu_grader.assignment import Assignment
    from vaeedu_grader.authoring.course import course_root
    from vaeedu_grader.gradebook.classroom import Classroom
    from vaeedu_grader.intake.collect import collect
    from vaeedu_grader.intake.tables import read_times

    assignment = Assignment(course_root(), options.assignment)
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
    print(f"{len(found.files)} submissions of {options.assignment}; {_of_times(found)}")
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


def _roster_import(options: argparse.Namespace) -> int:
    from vaeedu_grader.assignment import configuration
    from vaeedu_grader.authoring.course import course_root
    from vaeedu_grader.gradebook.roster import enrol, read_roster

    people = read_roster(options.table)
    new = enrol(configuration(course_root()), people)
    print(f"{len(people)} students, {new} of them new")
    return 0


def _marks(options: argparse.Namespace) -> int:
    from vaeedu_grader.assignment import Assignment
    from vaeedu_grader.authoring.course import course_root
    from vaeedu_grader.gradebook.marks import LateDays, read_marks, write_marks

    rule = LateDays(options.free_late_days, options.late_penalty)
    assignment = Assignment(course_root(), options.assignment)
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
    from vaeedu_grader.assignment import Assignment
    from vaeedu_grader.authoring.course import course_root
    from vaeedu_grader.gradebook.classroom import Classroom
    from vaeedu_grader.gradebook.extensions import Extensions
    from vaeedu_grader.intake.tables import read_time

    assignment = Assignment(course_root(), options.assignment)
    if options.student not in Classroom(assignment).students():
        raise ValueError(f"the student must be in the roster, but {options.student!r} is not")
    due = None if options.due == "none" else read_time("DATE", options.due)
    Extensions(assignment.classroom).put(options.student, assignment.name, due)
    said = "no extension" if due is None else f"due {due:%Y-%m-%d %H:%M} UTC"
    print(f"{options.student}, {assignment.name}: {said}")
    return 0


def _report(options: argparse.Namespace) -> int:
    from vaeedu_grader.assignment import Assignment
    from vaeedu_grader.authoring.course import course_root
    from vaeedu_grader.report.findings import findings
    from vaeedu_grader.report.page import write_page, write_table

    assignment = Assignment(course_root(), options.assignment)
    found = findings(assignment)
    folder = options.output or assignment.classroom / "report"
    folder.mkdir(parents=True, exist_ok=True)
    page, table = (folder / f"{assignment.name}.{end}" for end in ("html", "csv"))
    write_whole(page, write_page(assignment.name, assignment.exercises, found).encode())
    write_whole(table, write_table(assignment.exercises, found).encode())
    print(f"{page}\n{table}")
    return 0


def _new_wrong(options: argparse.Namespace) -> int:
    from vaeedu_grader.assignment import Assignment
    from vaeedu_grader.authoring.course import course_root
    from vaeedu_grader.report.skeleton import new_wrong

    assignment = Assignment(course_root(), options.assignment)
    name = new_wrong(assignment, options.exercise, options.number)
    print(
        f"{assignment.described}: {name}: write its message, then make release and benchmarks/classifier.py"
    )
    return 0


def _feedback_zip(options: argparse.Namespace) -> int:
    from vaeedu_grader.assignment import Assignment
    from vaeedu_grader.authoring.course import course_root
    from vaeedu_grader.gradebook.classroom import Classroom
    from vaeedu_grader.gradebook.feedback import pack_feedback

    assignment = Assignment(course_root(), options.assignment)
    packed = pack_feedback(assignment, options.source, options.output, Classroom(assignment).people())
    for student in packed.without:
        print(f"no feedback page: {student}", file=sys.stderr)
    print(f"{options.output}: {len(packed.students)} pages")
    return int(bool(packed.without))


def _bundle(options: argparse.Namespace) -> int:
    from vaeedu_grader.authoring.bundle import make_bundle
    from vaeedu_grader.authoring.course import course_root

    course = course_root()
    target = options.output or course / "dist" / "vaeedu-course.zip"
    names = make_bundle(course, target, only=tuple(options.assignment) or None)
    print(f"{target}: {len(names)} files")
    return 0


def _check_jobs(jobs: int) -> None:
    if jobs < 1:
        raise ValueError(f"--jobs must be at least 1, but is {jobs}")
