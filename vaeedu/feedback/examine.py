"""What students call: `vaeedu.check("name", function)` compares a function with the visible part of its answer key."""

import os
import sys
from pathlib import Path

from vaeedu.feedback import progress
from vaeedu.feedback.judge import Verdict, judge
from vaeedu.feedback.key import AnswerKey, read_key
from vaeedu.feedback.run import Answer, run_all

CHECKS = "checks.json"
_RIGHT = "every visible case is right"
_UNMEASURED = (
    "it returns what it should in every visible case; how good that is, is measured when it is graded"
)


class CheckFailed(AssertionError):  # noqa: N818 - what a student reads, and it is no error of the library's
    """A function does not do what its exercise asks for; the message says in which way."""

    def _render_traceback_(self) -> list[str]:
        # IPython shows these lines in place of a traceback, all of which would be library code.
        return str(self).split("\n")


def check(name: str, function: object, *, checks_file: str | os.PathLike[str] | None = None) -> None:
    """Runs the visible tests of an exercise on a function, and says that all is well or what is not.

    Args:
        name: The exercise's name.
        function: The function you wrote for it.
        checks_file: The assignment's `checks.json`; by default the one beside the notebook.

    Raises:
        CheckFailed: An answer is wrong; the message names the likely reason.
        ValueError: There is no such exercise, no `checks.json`, or `function` cannot be called.
    """
    path = find_checks() if checks_file is None else Path(checks_file)
    if not path.is_file():
        raise ValueError(f"checks_file must be an assignment's {CHECKS}, but there is no file {path}")
    key = read_key(path, name)
    is_measured = key.goal is None or key.goal.measuring is not None
    answers, verdict = _examined(function, key, show_case=True)
    if any(answer.failure is None or answer.failure.kind != "unwritten" for answer in answers):
        progress.note(Path.cwd(), name, passed=verdict.passed)
    _say(verdict, name, _RIGHT if is_measured else _UNMEASURED)


def examine(function: object, key: AnswerKey, *, praise: str) -> None:
    """Runs a function on a key's cases, judges its answers and prints a line, or raises `CheckFailed`.

    Args:
        function: What stands under the exercise's name.
        key: The cases and what is right.
        praise: What to say where all is right.
    """
    _say(_examined(function, key)[1], key.name, praise)


def _examined(
    function: object, key: AnswerKey, *, show_case: bool = False
) -> tuple[tuple[Answer, ...], Verdict]:
    if function is None:
        raise ValueError(
            f"there is no function {key.name}: run the cell that defines it, and read its message"
        )
    if not callable(function):
        raise ValueError(
            f"function must be the function {key.name} itself, but is {type(function).__name__}: "
            "leave out the parentheses"
        )
    answers = run_all(function, key.inputs, num_outputs=len(key.outputs), time_limit=key.seconds)
    return answers, judge(answers, key, show_case=show_case)


def _say(verdict: Verdict, name: str, praise: str) -> None:
    if not verdict.passed:
        raise CheckFailed(verdict.message)
    sys.stdout.write(f"✓ {name}: {praise}\n")


def find_checks() -> Path:
    """Finds the `checks.json` that belongs to the folder the notebook runs in.

    An instructor's is taken first (VAEEDU_COURSE is set while grading), since a submission's own copy proves nothing;
    then the one beside the notebook; then that of the course the folder lies in, so that the instructor's notebook
    finds it too.

    Raises:
        ValueError: There is none.
    """
    here = Path.cwd()
    courses = [Path(os.environ["VAEEDU_COURSE"])] if "VAEEDU_COURSE" in os.environ else []
    candidates = [course / "assignments" / here.name / CHECKS for course in courses]
    candidates += [here / CHECKS] + [above / "assignments" / here.name / CHECKS for above in here.parents]
    for path in candidates:
        if path.is_file():
            return path
    raise ValueError(
        f"{CHECKS} must lie beside the notebook, but there is none in {here}: "
        f"copy the whole assignment folder, {CHECKS} included, or pass checks_file=…"
    )
