"""A made-up class that goes through the whole grading cycle, and the marks it must come out with."""

import csv
import shutil
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import nbformat

from vaeedu_grader.assignment import Assignment
from vaeedu_grader.authoring.answered import filled_in, source_of
from vaeedu_grader.authoring.exercise import PARTS, Exercise
from vaeedu_grader.gradebook.classroom import Classroom, contents
from vaeedu_grader.marking.grade import grade_class
from vaeedu_grader.marking.result import Result, Settings

ASSIGNMENT = "02_linear_latent_variable_models"
NOTEBOOK = f"{ASSIGNMENT}.ipynb"
# Four times what a call may compute: where other programs share the processors, grace's endless loop must still be
# broken off in its tests as a call, before their cells are interrupted.
_CELL_SECONDS = 60.0
_MARKER = ".made-by-vaeedu-demo-class"
_MADE = (
    "submitted", "graded", "autograded", "feedback", "released", "gradebook.db", "grades.csv", "roster.csv",
)  # fmt: skip

_WRITTEN = "pca_limit"
_ESSAY = "M = (1 + σ²) I, so E[z|x] = Wᵀ(x − μ) / (1 + σ²); as σ² → 0 it is the projection of PCA."
_LOOP = "def als_sweep(x, W):\n    while True:\n        x = x + 0"
_NO_COLON = "def ppca_posterior(x, W, mean, noise_variance)\n    return mean, W"


@dataclass(frozen=True)
class Work:
    """An answer, and the parts of its exercise that it must lose."""

    text: str
    loses: tuple[str, ...] = ()


@dataclass(frozen=True)
class Student:
    """A made-up student.

    Attributes:
        id: The name in the roster.
        what: What is particular about the submission.
        work: Answers by exercise; what is missing stays untouched.
        file: The notebook's name, or None if nothing is handed in.
        damage: What happens to the notebook's text on its way.
        deleted: Test cells that are no longer there.
        status: What the grading must come to.
        note: What it must remark.
    """

    id: str
    what: str
    work: Mapping[str, Work] = field(default_factory=dict)
    file: str | None = NOTEBOOK
    damage: Callable[[str], str] = str
    deleted: tuple[str, ...] = ()
    status: str = "graded"
    note: str = ""


def students(described: Mapping[str, Exercise]) -> tuple[Student, ...]:
    """Makes the class out of the exercises' own right and wrong solutions."""
    right = {e.name: Work(source_of(e.reference, e.name)) for e in described.values()} | {
        _WRITTEN: Work(_ESSAY)
    }
    others = {e.name: Work(source_of(e.alternatives[0], e.name)) for e in described.values()}
    partly = {name: right[name] for name in ("center_and_project", "als_sweep", "ppca_fit")}
    shortcut = _mistakes(described, "als_deck_z_step", "project_uncentred")
    visible_only = _mistakes(described, "em_uncentred", "log_prob_of_det")
    return (
        Student("ada", "everything right", right),
        Student("alan", "everything right in another way", others | {_WRITTEN: Work(_ESSAY)}),
        Student("blaise", "untouched"),
        Student("carl", "half of it, nothing wrong", partly),
        Student("dora", "two misconceptions", right | shortcut),
        Student("emmy", "right on the visible cases only", right | visible_only),
        Student("felix", "syntax error", right | {"ppca_posterior": Work(_NO_COLON, PARTS)}),
        Student(
            "grace",
            "infinite loop",
            right | {"als_sweep": Work(_LOOP, PARTS)},
            status="flagged",
            note="limit reached: cell_seconds",
        ),
        Student(
            "hedy",
            "renamed notebook",
            right,
            file="hedy homework (2).ipynb",
            status="flagged",
            note="renamed",
        ),
        Student(
            "isaac",
            "two notebooks, neither with its name",
            right,
            file="a.ipynb,b.ipynb",
            status="rejected",
            note="a.ipynb, b.ipynb",
        ),
        Student("joan", "file cut off in the middle", right, damage=_cut, status="rejected", note=NOTEBOOK),
        Student(
            "lise",
            "a deleted test cell",
            right,
            deleted=("ppca_fit_hidden",),
            status="flagged",
            note="restored",
        ),
        Student("karl", "nothing submitted", file=None, status="missing", note="nothing submitted"),
    )


def demo_class(
    course: Path, *, only: Sequence[str] | None = None, workers: int = 1, unsafe: bool = False
) -> bool:
    """Enrols and grades the made-up class with `vaeedu grade`, and prints expected and actual marks.

    Everything is made anew each time, in the classroom folder of the configuration. A folder with something else in it
    is refused, and left as it is.

    Args:
        course: The course's folder.
        only: The students to take; by default all of them.
        workers: How many submissions to grade at a time.
        unsafe: Whether to grade without a sandbox.

    Returns:
        Whether every mark and note is as expected.

    Raises:
        ValueError: The classroom holds something that the demonstration did not make, or there is no such student.
        GradingError: nbgrader could not import the roster, or not make the assignment.
    """
    assignment = Assignment(course, ASSIGNMENT)
    folder, described = assignment.classroom, assignment.exercises
    chosen = {student.id: student for student in _chosen(students(described), only)}
    _clear(folder, {student.id for student in students(described)})
    room = Classroom(assignment)
    room.enrol(_write_roster(folder / "roster.csv", list(chosen.values())))
    room.generate()
    for student in chosen.values():
        _hand_in(student, assignment)
    settings = Settings(workers=workers, unsafe=unsafe, limits=(("cell_seconds", _CELL_SECONDS),))
    results = {result.student: result for result in grade_class(assignment, settings)}
    as_expected = results.keys() == chosen.keys()
    print(_row("student", "what", "expected", "actual", "by hand", "note"), flush=True)
    for name, student in chosen.items():
        wanted, result = _expected(student, described), results[name]
        fine = _agree(wanted, result)
        as_expected = as_expected and fine
        note = "; ".join([result.status, *result.reasons])
        row = (wanted.total, result.total, _points(result.waiting, assignment.notebook))
        print(_row(name, student.what, *row, note if fine else f"DIFFERS {note}"), flush=True)
        if student.file is not None:
            room.write_feedback(name)
    room.export(folder / "grades.csv")
    print(f"\nmarks: {folder / 'grades.csv'}\nfeedback: {folder / 'feedback'}")
    print("every mark is as expected" if as_expected else "some marks are NOT as expected")
    return as_expected


def _agree(wanted: Result, result: Result) -> bool:
    return (
        result.status == wanted.status
        and result.scores == wanted.scores
        and result.waiting == wanted.waiting
        and wanted.reasons[0] in "; ".join(result.reasons)
    )


def _cut(text: str) -> str:
    return text[: len(text) // 2]


def _mistakes(described: Mapping[str, Exercise], *names: str) -> dict[str, Work]:
    return {
        exercise.name: Work(source_of(wrong.function, exercise.name), wrong.loses)
        for exercise in described.values()
        for wrong in exercise.wrong
        if wrong.function.__name__ in names
    }


def _chosen(everybody: tuple[Student, ...], only: Sequence[str] | None) -> tuple[Student, ...]:
    known = {student.id: student for student in everybody}
    for name in only or ():
        if name not in known:
            raise ValueError(f"student must be one of {', '.join(known)}, but is {name!r}")
    return everybody if only is None else tuple(known[name] for name in only)


def _clear(folder: Path, made_up: Collection[str]) -> None:
    """Removes what an earlier run made; refuses a folder that anybody else has put something into."""
    present = {path.name for path in folder.iterdir()}
    foreign = sorted(present - {*_MADE, _MARKER})
    ours = _MARKER in present and not foreign and not (foreign := _of_people(folder, made_up))
    # Looking at the formgrader makes a gradebook.
    unused = present == {"gradebook.db"} and contents(folder / "gradebook.db") == (set(), set())
    if present and not ours and not unused:
        raise ValueError(
            f"the classroom must be empty or made by demo-class, but {folder} holds {(foreign or sorted(present))[0]}: "
            "move that class away, or set VAEEDU_CLASSROOM to another folder"
        )
    (folder / _MARKER).touch()
    for name in present & set(_MADE):
        shutil.rmtree(folder / name) if (folder / name).is_dir() else (folder / name).unlink()


def _of_people(folder: Path, made_up: Collection[str]) -> list[str]:
    """What a class of people has left in a folder that a demonstration once made: names below it, or in its roster."""
    handed_in = [
        path.relative_to(folder).as_posix()
        for path in sorted(folder.glob("submitted/*/*"))
        if path.parent.name not in made_up or path.name != ASSIGNMENT
    ]
    gradebook = folder / "gradebook.db"
    enrolled = sorted(contents(gradebook)[0] - set(made_up)) if gradebook.is_file() else []
    return [*handed_in, *(f"the student {name}" for name in enrolled)]


def _write_roster(path: Path, chosen: Sequence[Student]) -> Path:
    with path.open("w", newline="", encoding="utf-8") as file:
        rows = csv.writer(file)
        rows.writerow(["id", "last_name", "first_name", "email"])
        rows.writerows([s.id, "Example", s.id.capitalize(), f"{s.id}@example.org"] for s in chosen)
    return path


def _hand_in(student: Student, assignment: Assignment) -> None:
    if student.file is None:
        return
    notebook = filled_in(assignment.notebook, {name: work.text for name, work in student.work.items()})
    notebook.cells = [
        cell
        for cell in notebook.cells
        if cell.metadata.get("nbgrader", {}).get("grade_id") not in student.deleted
    ]
    folder = assignment.submission(student.id)
    folder.mkdir(parents=True)
    for name in student.file.split(","):
        (folder / name).write_text(student.damage(nbformat.writes(notebook)), encoding="utf-8")


def _expected(student: Student, described: Mapping[str, Exercise]) -> Result:
    scores = {
        f"{e.name}_{part}": 0.0
        if part in student.work.get(e.name, Work("", PARTS)).loses
        else float(e.points[part])
        for e in described.values()
        for part in PARTS
    } | {_WRITTEN: 0.0}
    if student.status == "missing":
        scores = {}
    elif student.status == "rejected":
        scores = dict.fromkeys(scores, 0.0)
    elif _WRITTEN in student.work:
        del scores[_WRITTEN]
        return Result(student.id, student.status, scores, (_WRITTEN,), (student.note,))
    return Result(student.id, student.status, scores, (), (student.note,))


def _points(names: Sequence[str], notebook: Path) -> float:
    cells = nbformat.read(notebook, as_version=4).cells
    tags = [cell.metadata.nbgrader for cell in cells if "nbgrader" in cell.metadata]
    return sum((float(tag.points) for tag in tags if tag.grade_id in names), start=0.0)


def _row(student: str, what: str, expected: object, actual: object, by_hand: object, note: str) -> str:
    return f"{student:8} {what:38} {expected:>8} {actual:>7} {by_hand:>8}  {note}".rstrip()
