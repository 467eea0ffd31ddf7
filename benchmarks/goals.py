"""An exercise whose answer is a training, over many draws of its images: who reaches the goal, and who hears what.

Run it with `python benchmarks/goals.py [--draws 24]`. Right solutions must pass on every draw, wrong ones must lose on
every draw, and what a wrong one hears must name its mistake, alone or among a few.
"""

import argparse
import os
import warnings
from collections import Counter
from pathlib import Path
from typing import Any

from common import keep, table

COURSE = Path(__file__).resolve().parents[1]
ASSIGNMENT, EXERCISE = "07_variational_autoencoders", "train_vae"


def main() -> int:
    """Prints the table; returns 1 if a right solution lost a mark or a wrong one kept all."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--draws", type=int, default=24, help="how many submissions' inputs")
    options = parser.parse_args()
    os.chdir(COURSE)
    warnings.simplefilter("ignore")
    from vaeedu_grader.authoring.course import exercises
    from vaeedu_grader.authoring.exercise import PARTS

    exercise = exercises(COURSE, ASSIGNMENT)[EXERCISE]
    right = {"reference": exercise.reference} | {f.__name__: f for f in exercise.alternatives}
    rows: list[tuple[object, ...]] = []
    misjudged = 0
    for part in PARTS:
        for name, function in right.items():
            outcomes = [told(exercise, function, part, seed) for seed in range(options.draws)]
            passed = outcomes.count("")
            misjudged += passed < options.draws
            rows.append((part, f"right: {name}", f"{passed} of {options.draws}", "", ""))
        for number, wrong in enumerate(exercise.wrong):
            outcomes = [told(exercise, wrong.function, part, seed) for seed in range(options.draws)]
            passed = outcomes.count("")
            misjudged += passed > 0 if part in wrong.loses else 0
            heard = Counter(_named(outcome, wrong.message) for outcome in outcomes if outcome)
            rows.append(
                (part, f"{number + 1}: {wrong.message[:60]}…", f"{passed} of {options.draws}", heard["alone"],
                 heard["among others"])
            )  # fmt: skip
            print(*rows[-1], flush=True)
    head = ("part", "solution", "keeps its marks", "draws that name the mistake alone", "among others")
    keep("goals", f"# `{EXERCISE}` over {options.draws} draws\n\n{table(head, rows)}", rows)
    return int(misjudged > 0)


def told(exercise: Any, function: Any, part: str, seed: int) -> str:
    """Judges a solution on the inputs of one submission, and gives what it hears: nothing if it is right."""
    from vaeedu.feedback.judge import judge
    from vaeedu.feedback.run import run_all
    from vaeedu_grader.authoring.exercise import fresh_key

    key = fresh_key(exercise, part, b"%d" % seed)
    answers = run_all(function, key.inputs, num_outputs=len(key.outputs), time_limit=600.0)
    verdict = judge(answers, key)
    return "" if verdict.passed else verdict.message


def _named(told: str, message: str) -> str:
    if message not in told:
        return "not named"
    return "among others" if "one of them is probably yours" in told else "alone"


if __name__ == "__main__":
    raise SystemExit(main())
