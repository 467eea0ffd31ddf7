"""Where a course lies on disk, and what its instructor's side says about an assignment."""

import linecache
import os
from functools import cache
from pathlib import Path
from typing import Any

from vaeedu.course import assignment as meant
from vaeedu_grader.authoring.exercise import Exercise

_MARK = "nbgrader_config.py"


def course_root() -> Path:
    """Returns the course's folder: $VAEEDU_COURSE, or the nearest one above that holds `nbgrader_config.py`.

    Raises:
        ValueError: There is none.
    """
    start = Path(os.environ.get("VAEEDU_COURSE") or Path.cwd())
    candidates = [start] if "VAEEDU_COURSE" in os.environ else [start, *start.parents]
    for folder in candidates:
        if (folder / _MARK).is_file():
            return folder.resolve()
    raise ValueError(
        f"this must run inside the course's folder, the one with {_MARK}, but runs in {start}: "
        "change to that folder or set VAEEDU_COURSE to it"
    )


def assignments(course: Path) -> list[str]:
    """Returns the names of the assignments that have a source, in order."""
    return sorted(path.parent.name for path in course.glob("solutions/*/*.ipynb"))


def assignment_named(course: Path, text: str) -> str:
    """Returns the name of the assignment that has this name or number.

    Raises:
        ValueError: There is none.
    """
    return meant(text, assignments(course))


def exercises(course: Path, assignment: str) -> dict[str, Exercise]:
    """Loads what `exercises/` says about an assignment.

    Raises:
        ValueError: There is no such file, or it defines no `EXERCISES`.
    """
    return load_exercises(exercises_file(course, assignment))[0]


def exercises_file(course: Path, assignment: str) -> Path:
    """Finds an assignment's file in `exercises/`.

    Raises:
        ValueError: There is none.
    """
    path = course / "exercises" / f"{assignment}.py"
    if not path.is_file():
        raise ValueError(
            f"assignment must be one of {', '.join(assignments(course)) or '(none found)'}, but is {assignment!r}: "
            f"there is no exercises/{path.name}"
        )
    return path


def load_exercises(path: Path) -> tuple[dict[str, Exercise], tuple[str, ...]]:
    """Loads a file of `exercises/`, once as long as it does not change.

    Returns:
        The exercises by name, and the library's modules that are absent while they are graded, because they hold what
        students are asked to write: the file's `SEALED`, names such as "pca".

    Raises:
        ValueError: It defines no `EXERCISES`.
    """
    return read_exercises(str(path), path.read_text(encoding="utf-8"))


def read_exercises(name: str, text: str) -> tuple[dict[str, Exercise], tuple[str, ...]]:
    """Does the same with the text of such a file, wherever it comes from; its name need not be a file's."""
    found, sealed = _executed(name, text)
    return dict(found), sealed


@cache
def _executed(name: str, text: str) -> tuple[dict[str, Exercise], tuple[str, ...]]:
    # Where `inspect` looks for a source: variants are made of those of functions.
    linecache.cache[name] = (len(text), None, text.splitlines(keepends=True), name)
    names: dict[str, Any] = {"__name__": f"exercises_{Path(name).stem}", "__file__": name}
    exec(compile(text, name, "exec"), names)
    if "EXERCISES" not in names:
        raise ValueError(
            f"exercises/{Path(name).name} must define EXERCISES, a tuple of Exercise, but does not"
        )
    sealed = tuple(f"vaeedu.{module}" for module in names.get("SEALED", ()))
    return {exercise.name: exercise for exercise in names["EXERCISES"]}, sealed
