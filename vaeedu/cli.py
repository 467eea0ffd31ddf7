"""The `vaeedu` command: what an instructor does with the course."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

import vaeedu


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command line, and returns the exit code: 0 for success, 1 for marks that differ, 2 for an error."""
    options = _parser().parse_args(arguments)
    try:
        return int(options.run(options))
    except (ValueError, OSError) as error:
        return _fail(str(error))
    except KeyboardInterrupt:
        return _fail("interrupted")
    except Exception as error:
        # Imported only now: importing nbgrader takes longer than printing a version.
        from vaeedu.grading.nbgrader import GradingError

        if not isinstance(error, GradingError):
            raise
        return _fail(f"nbgrader: {error}")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="vaeedu",
        description="The vaeedu course from the instructor's side. Run it inside the course's folder.",
    )
    parser.add_argument("--version", action="version", version=f"vaeedu {vaeedu.__version__}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    release = commands.add_parser("release", help="make assignments/ from solutions/ and exercises/")
    release.add_argument(
        "assignment", nargs="?", metavar="ASSIGNMENT", help="its name; by default all of them"
    )
    release.add_argument(
        "--output", type=Path, metavar="DIR", help="write there instead of into assignments/"
    )
    release.set_defaults(run=_release)

    demo = commands.add_parser(
        "demo-class", help="grade a made-up class, and compare its marks with the expected ones"
    )
    demo.add_argument("--student", action="append", metavar="NAME", help="only this one; may be repeated")
    demo.set_defaults(run=_demo_class)
    return parser


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


def _fail(message: str) -> int:
    print(f"vaeedu: error: {' '.join(message.split())}", file=sys.stderr)
    return 2


if __name__ == "__main__":
    sys.exit(main())
