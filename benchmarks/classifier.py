"""Does the autograder decide rightly? Every known mistake and every alternative of every assignment, through it all.

Run it with `python benchmarks/classifier.py [--jobs N] [ASSIGNMENT …]`.
"""

import argparse
import os
import tempfile
import time
from collections import Counter
from pathlib import Path

from common import keep, table

COURSE = Path(__file__).resolve().parents[1]


def main() -> int:
    """Prints a line for each assignment and each wrong decision, and the sums."""
    parser = argparse.ArgumentParser(allow_abbrev=False, description=__doc__.partition("\n")[0])
    parser.add_argument("assignments", nargs="*", metavar="ASSIGNMENT")
    parser.add_argument("--jobs", type=int, default=2)
    options = parser.parse_args()
    os.chdir(COURSE)
    from vaeedu_grader.authoring.course import assignment_named, assignments

    asked = [assignment_named(COURSE, text) for text in options.assignments]
    rows, wrong, misgraded, total = [], [], 0, 0
    for name in asked or assignments(COURSE):
        counts, described, seconds = grade(name, options.jobs)
        number = counts["right"] + counts["misgraded"]
        misgraded, total = misgraded + counts["misgraded"], total + number
        rows.append([name, counts["misgraded"], number, f"{seconds:.0f}"])
        wrong += described
        print(*rows[-1], flush=True)
    rows.append(["**all**", misgraded, total, ""])
    text = (
        "# The autograder, judged as a classifier\n\n"
        "Every known mistake and every alternative of every exercise, handed in and graded in the sandbox. A decision\n"
        "is a test cell's; it is right if the points are, and the mistake that costs them is named.\n\n"
        + table(["assignment", "misgraded", "decisions", "seconds"], rows)
    )
    if wrong or options.assignments:
        print("\n".join([text, *wrong]))
    else:
        keep("classifier", text, {"misgraded": misgraded, "total": total})
    return int(misgraded > 0)


def grade(assignment: str, jobs: int) -> tuple[Counter[str], list[str], float]:
    """Counts right and wrong decisions, and describes the wrong ones."""
    from vaeedu_grader.assignment import Assignment
    from vaeedu_grader.authoring.decisions import decisions
    from vaeedu_grader.marking.grade import Settings

    counts: Counter[str] = Counter()
    wrong = []
    start = time.perf_counter()
    with tempfile.TemporaryDirectory(prefix="vaeedu-classifier-") as folder:
        os.environ["VAEEDU_CLASSROOM"] = folder
        for decision in decisions(Assignment(COURSE, assignment), Settings(workers=jobs)):
            counts["right" if decision.is_right else "misgraded"] += 1
            if not decision.is_right:
                wrong.append(f"  MISGRADED {decision}")
    return counts, wrong, time.perf_counter() - start


if __name__ == "__main__":
    raise SystemExit(main())
