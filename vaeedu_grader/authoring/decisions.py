"""The grader itself, graded: every known mistake and every other right solution goes through the whole pipeline.

The i-th mistakes of an assignment's exercises share a submission, and so do the i-th alternatives. Each test cell is a
decision: its points must be right, and where a mistake costs them, the message must be that mistake's.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path

import nbformat

from vaeedu_grader.authoring.answered import filled_in, source_of
from vaeedu_grader.authoring.course import exercises
from vaeedu_grader.authoring.exercise import PARTS, Exercise, Wrong
from vaeedu_grader.gradebook.classroom import Classroom
from vaeedu_grader.gradebook.store import Store
from vaeedu_grader.marking.grade import Settings, grade_class


@dataclass(frozen=True)
class Decision:
    """What the grader decided about one test cell, and what it should have decided."""

    assignment: str
    solution: str
    cell: str
    expected: float
    actual: float
    message: str
    told: str

    @property
    def is_right(self) -> bool:
        """Whether the points are right, and what was said is what the mistake calls for."""
        return self.actual == self.expected and self.told == self.message


def decisions(
    course: Path, assignment: str, settings: Settings, *, only: slice = slice(None)
) -> Iterator[Decision]:
    """Hands in every mistake and every alternative of an assignment, grades them, and yields each decision.

    Args:
        course: The course's folder; its classroom must be empty.
        assignment: The assignment's name.
        settings: How to grade.
        only: Which of the submissions to take.
    """
    described = exercises(course, assignment)
    packs = dict(list(_packs(described).items())[only])
    room = Classroom(course, assignment)
    room.generate()
    for student, pack in packs.items():
        _hand_in(room, student, pack)
    store = Store(room.folder, assignment)
    for result in grade_class(course, assignment, settings):
        verdicts = (store.outcome(result.student) or {})["record"].get("verdicts", {})
        for name, solution in packs[result.student].items():
            for part in PARTS:
                yield _decision(assignment, described[name], part, solution, result.scores, verdicts)


def _packs(described: Mapping[str, Exercise]) -> dict[str, dict[str, Wrong]]:
    """Submissions by name, each with a solution for some exercises; a right one is a mistake that loses nothing."""
    found = {}
    for kind in ("wrong", "right"):
        columns = [[(name, s) for s in _solutions(exercise, kind)] for name, exercise in described.items()]
        for number, row in enumerate(zip_longest(*columns)):
            found[f"{kind}{number}"] = dict(entry for entry in row if entry)
    return found


def _solutions(exercise: Exercise, kind: str) -> list[Wrong]:
    if kind == "wrong":
        return list(exercise.wrong)
    return [Wrong(function, "", ()) for function in (exercise.reference, *exercise.alternatives)]


def _hand_in(room: Classroom, student: str, pack: Mapping[str, Wrong]) -> None:
    sources = {name: source_of(solution.function, name) for name, solution in pack.items()}
    folder = room.submission(student)
    folder.mkdir(parents=True)
    path = room.released / f"{room.assignment}.ipynb"
    nbformat.write(filled_in(path, sources), folder / path.name)


def _decision(
    assignment: str,
    exercise: Exercise,
    part: str,
    solution: Wrong,
    scores: Mapping[str, float],
    verdicts: Mapping[str, Mapping[str, str]],
) -> Decision:
    cell, loses = f"{exercise.name}_{part}", part in solution.loses
    said = verdicts.get(cell, {}).get("message", "nothing")
    return Decision(
        assignment=assignment,
        solution=getattr(solution.function, "__name__", "?"),
        cell=cell,
        expected=0.0 if loses else float(exercise.points[part]),
        actual=scores.get(cell, -1.0),
        message=solution.message if loses else "",
        told=said.partition("\n")[2] if said else "",
    )
