"""Releasing an assignment: from the instructor's notebook and exercises to the folder that students get."""

import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path

import nbformat

from vaeedu.feedback.examine import CHECKS
from vaeedu.feedback.key import write_keys
from vaeedu_grader.authoring.course import assignments, course_root, exercises, exercises_file, load_exercises
from vaeedu_grader.authoring.exercise import PARTS, Exercise, answer_key
from vaeedu_grader.files import replaced_folder


def release(course: Path, assignment: str, output: Path | None = None) -> Path:
    """Makes the students' folder of an assignment: the notebook without solutions and hidden tests, and `checks.json`.

    nbgrader works in a temporary folder with a gradebook of its own, so no class is touched. The finished folder then
    takes the old one's place in one step; if anything fails, the old one stays.

    Args:
        course: The course's folder.
        assignment: The assignment's name.
        output: Where to put the folder; by default the course's `assignments/`.

    Returns:
        The folder that was made.

    Raises:
        ValueError: There is no such assignment, its notebook and its exercises disagree, or an exercise would mislead.
        GradingError: nbgrader refused the notebook.
    """
    if assignment not in assignments(course):
        known = ", ".join(assignments(course)) or "(none found)"
        raise ValueError(f"assignment must be one of {known}, but is {assignment!r}")
    described = exercises(course, assignment)
    check_notebook(course / "solutions" / assignment / f"{assignment}.ipynb", described)
    with tempfile.TemporaryDirectory(prefix="vaeedu-release-") as folder:
        made = _generate(course, assignment, Path(folder))
        bake(exercises_file(course, assignment), made / CHECKS)
        target = (output or course / "assignments") / assignment
        with replaced_folder(target) as new:
            shutil.copytree(made, new, dirs_exist_ok=True)
    return target


def bake(described: Path, path: Path) -> None:
    """Writes the visible answer keys of all exercises of a file in `exercises/`; the same bytes every time."""
    found, sealed = load_exercises(described)
    write_keys(path, {name: answer_key(exercise, "visible") for name, exercise in found.items()}, sealed)


def add_checks(assignment: str, student: str, notebooks: list[str]) -> None:
    """Adds `checks.json` to what nbgrader has generated in the course; nbgrader calls this as a hook."""
    course = course_root()
    bake(exercises_file(course, assignment), course / "assignments" / assignment / CHECKS)


def check_notebook(path: Path, described: Mapping[str, Exercise]) -> None:
    """Checks that a notebook has each exercise's cells, with its points and its signature.

    An instructor's own test cells may have any other names; they mark themselves.

    Raises:
        ValueError: It has not.
    """
    notebook = nbformat.read(path, as_version=4)
    cells = {c.metadata.nbgrader.grade_id: c for c in notebook.cells if "nbgrader" in c.metadata}
    expected = {f"{e.name}_{part}": float(e.points[part]) for e in described.values() for part in PARTS}
    found = {
        name: float(cell.metadata.nbgrader.points)
        for name, cell in cells.items()
        if cell.metadata.nbgrader.grade
        and cell.cell_type == "code"
        and (name in expected or name.endswith(tuple(f"_{part}" for part in PARTS)))
    }
    for name in sorted(expected.keys() | found.keys()):
        if expected.get(name) != found.get(name):
            raise ValueError(
                f"{path.name}: test cell {name} must have the points that exercises/ gives it, {expected.get(name)}, "
                f"but has {found.get(name)}: mend the cell or the exercise"
            )
    for exercise in described.values():
        if exercise.name not in cells or exercise.signature not in cells[exercise.name].source:
            raise ValueError(
                f"{path.name}: there must be a solution cell {exercise.name} with the line {exercise.signature!r}"
            )


def _generate(course: Path, assignment: str, folder: Path) -> Path:
    from vaeedu_grader.assignment import configuration
    from vaeedu_grader.gradebook import nbgrader  # slow to import

    # resolve() because nbgrader compares paths as text, and a temporary folder may be behind a link
    root = folder.resolve()
    shutil.copytree(course / "solutions" / assignment, root / "source" / assignment)
    db_url = f"sqlite:///{root / 'gradebook.db'}"
    nbgrader.stamp(db_url)
    api = nbgrader.api(
        configuration(course),
        root=str(root),
        source_directory="source",
        release_directory="release",
        db_url=db_url,
    )
    with nbgrader.quiet():
        nbgrader.succeed(api.generate_assignment(assignment))
    return root / "release" / assignment
