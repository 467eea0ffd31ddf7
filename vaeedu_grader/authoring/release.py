"""Releasing an assignment: from the instructor's notebook and exercises to the folder that students get."""

import shutil
import tempfile
from pathlib import Path

import nbformat

from vaeedu.feedback.examine import CHECKS
from vaeedu.feedback.key import write_keys
from vaeedu_grader.authoring.course import assignments, course_root, exercises, exercises_file, load_exercises
from vaeedu_grader.authoring.exercise import answer_key
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
        ValueError: There is no such assignment, its notebook and its exercises disagree, or an exercise would mislead;
            or there is a folder of that name that no release has made.
        GradingError: nbgrader refused the notebook.
    """
    if assignment not in assignments(course):
        known = ", ".join(assignments(course)) or "(none found)"
        raise ValueError(f"assignment must be one of {known}, but is {assignment!r}")
    target = (output or course / "assignments") / assignment
    _refuse_what_is_not_ours(target)
    check_notebook(course, assignment)
    with tempfile.TemporaryDirectory(prefix="vaeedu-release-") as folder:
        made = _generate(course, assignment, Path(folder))
        bake(exercises_file(course, assignment), made / CHECKS)
        with replaced_folder(target) as new:
            shutil.copytree(made, new, dirs_exist_ok=True)
    return target


def _refuse_what_is_not_ours(target: Path) -> None:
    """Keeps somebody's own folder, in which a release would leave nothing, from being replaced by one."""
    if target.exists() and not (
        target.is_dir() and ((target / CHECKS).is_file() or not any(target.iterdir()))
    ):
        raise ValueError(
            f"{target} must be absent, or a folder that vaeedu release made, but has no {CHECKS}: "
            "move it away, or name another --output"
        )


def bake(described: Path, path: Path) -> None:
    """Writes the visible answer keys of all exercises of a file in `exercises/`; the same bytes every time."""
    found, sealed = load_exercises(described)
    write_keys(path, {name: answer_key(exercise, "visible") for name, exercise in found.items()}, sealed)


def add_checks(assignment: str, student: str, notebooks: list[str]) -> None:
    """Adds `checks.json` to what nbgrader has generated in the course; nbgrader calls this as a hook."""
    course = course_root()
    bake(exercises_file(course, assignment), course / "assignments" / assignment / CHECKS)


def check_notebook(course: Path, assignment: str) -> None:
    """Checks that an instructor's notebook goes with its exercises: what nbgrader meets later, it only logs.

    Raises:
        ValueError: An exercise has no solution cell with its signature, or a test cell by hand.
    """
    from vaeedu_grader.authoring.cells import with_tests  # slow to import, with nbgrader

    notebook = nbformat.read(course / "solutions" / assignment / f"{assignment}.ipynb", as_version=4)
    with_tests(notebook, assignment, exercises(course, assignment))


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
