"""What each student's answer to each exercise came to, in the words of the exercise's known mistakes."""

import ast
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from vaeedu_grader.assignment import Assignment
from vaeedu_grader.authoring.exercise import PARTS, Exercise
from vaeedu_grader.gradebook.store import Store

# What became of an answer. "unnamed": its values are wrong, and no known mistake explains them.
KINDS = ("right", "named", "unnamed", "no values", "unwritten")
_UNWRITTEN = ("Not written yet:",)
_NO_VALUES = (
    "It stopped with an error:", "Still not done after", "There is no function", "must be a function, but is",
    "It must return", "no answers came", "what this cell sent cannot be used", "cases were answered",
)  # fmt: skip


@dataclass(frozen=True)
class Finding:
    """A student's answer to an exercise.

    Attributes:
        student: Whose it is.
        exercise: The exercise's name.
        points: The points of its test cells.
        kind: One of `KINDS`.
        mistakes: The messages of the known mistakes that explain it, alone or one of several that may.
        told: What the student is told.
        code: The function without comments and docstrings; empty where it is no Python.
        attempts: How many different submissions of the student's were graded; 0 where nobody counted.
        handed_in: When the last of them came, as nbgrader writes it; empty if nobody knows.
    """

    student: str
    exercise: str
    points: float
    kind: str
    mistakes: tuple[str, ...]
    told: str
    code: str
    attempts: int = 0
    handed_in: str = ""


@dataclass(frozen=True)
class Answers:
    """Answers that are the same code.

    Attributes:
        code: The code.
        count: How many handed it in.
        told: What the first of them is told.
    """

    code: str
    count: int
    told: str


def findings(assignment: Assignment) -> list[Finding]:
    """Reads the records of everybody whose submission could be graded, by student and then by exercise.

    Raises:
        ValueError: There are none.
    """
    store, found = Store(assignment), []
    for student in store.students():
        outcome = store.outcome(student)
        if outcome is not None and outcome["status"] in ("graded", "flagged"):
            found += [_finding(student, exercise, outcome) for exercise in assignment.exercises.values()]
    if not found:
        raise ValueError(
            f"{assignment.name} must have been graded, but nothing of it has: vaeedu grade {assignment.name}"
        )
    return found


def of_exercise(found: Sequence[Finding], exercise: str) -> list[Finding]:
    """Returns what concerns one exercise."""
    return [finding for finding in found if finding.exercise == exercise]


def unnamed(found: Iterable[Finding]) -> list[Answers]:
    """Groups wrong answers that no known mistake explains, the most frequent first."""
    told: dict[str, str] = {}
    counts: Counter[str] = Counter()
    for finding in found:
        if finding.kind == "unnamed" and finding.code:
            counts[finding.code] += 1
            told.setdefault(finding.code, finding.told)
    ordered = sorted(counts, key=lambda code: (-counts[code], code))
    return [Answers(code, counts[code], told[code]) for code in ordered]


def _finding(student: str, exercise: Exercise, outcome: Mapping[str, Any]) -> Finding:
    cells = [f"{exercise.name}_{part}" for part in PARTS]
    verdicts = [outcome["record"]["verdicts"].get(cell, {"passed": False, "message": ""}) for cell in cells]
    told = "\n".join(dict.fromkeys(verdict["message"] for verdict in verdicts if not verdict["passed"]))
    mistakes = tuple(dict.fromkeys(wrong.message for wrong in exercise.wrong if wrong.message in told))
    return Finding(
        student=student,
        exercise=exercise.name,
        points=sum(float(outcome["scores"].get(cell) or 0.0) for cell in cells),
        kind=_kind(all(verdict["passed"] for verdict in verdicts), mistakes, told),
        mistakes=mistakes,
        told=told,
        code=_code(exercise.name, outcome["notebook"]["cells"]),
        attempts=outcome["record"].get("attempts", 0),
        handed_in=outcome["record"].get("handed_in", ""),
    )


def _kind(passed: bool, mistakes: tuple[str, ...], told: str) -> str:
    if passed:
        return "right"
    if mistakes:
        return "named"
    if any(text in told for text in _UNWRITTEN):
        return "unwritten"
    return "no values" if any(text in told for text in _NO_VALUES) else "unnamed"


def _code(name: str, cells: Sequence[Mapping[str, Any]]) -> str:
    """The code of a solution cell, without what a student may have written about themselves in it."""
    sources = [c["source"] for c in cells if c["metadata"].get("nbgrader", {}).get("grade_id") == name]
    try:
        tree = ast.parse("\n".join(sources))
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return ""
    for node in ast.walk(tree):
        if (
            isinstance(node, (ast.Module, ast.FunctionDef, ast.ClassDef))
            and ast.get_docstring(node) is not None
        ):
            node.body = node.body[1:] or [ast.Pass()]
    return ast.unparse(tree)
