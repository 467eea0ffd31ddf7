"""Nothing new to grade: the results of the last time, without nbgrader; and never where anything is different."""

import shutil
import sqlite3
import subprocess
import sys

import pytest
from support import mini_course as mini
from support.mini_course import ASSIGNMENT, NOTEBOOK, at_home

from vaeedu_grader.assignment import Assignment
from vaeedu_grader.gradebook.store import only_writer
from vaeedu_grader.marking.grade import grade_class
from vaeedu_grader.marking.result import Settings
from vaeedu_grader.marking.unchanged import results_of_last_time


@pytest.fixture(scope="module")
def graded(tmp_path_factory):
    """A class of one whose submission is no notebook, for which no sandbox is needed; and its results."""
    folder = tmp_path_factory.mktemp("unchanged")
    course = mini.make_course(folder / "course")
    (mini.hand_in(course, folder / "class", "ada") / NOTEBOOK).write_text("no notebook")
    results = in_class(course, folder / "class", lambda a: list(grade_class(a, Settings())))
    assert [result.status for result in results] == ["rejected"]
    return folder, results


def in_class(course, room, do):
    with at_home(course, room), pytest.MonkeyPatch.context() as patched:
        patched.delenv("PYTEST_CURRENT_TEST", raising=False)  # no two tests have the same
        return do(Assignment(course, ASSIGNMENT))


def again(folder, settings=None):
    """The results of the last time, as the command asks for them; None where it would grade."""
    counted = []
    found = in_class(
        folder / "course", folder / "class", lambda a: results_of_last_time(a, settings or Settings())
    )
    if found is None:
        return None
    results = list(found(counted.append))
    assert counted == [len(results)]
    return results


def test_where_nothing_has_changed_the_results_are_those_of_the_last_time(graded):
    folder, results = graded
    assert again(folder) == results


@pytest.mark.parametrize(
    "settings",
    [{"students": ("ada",)}, {"again": ("ada",)}, {"unsafe": True}, {"limits": (("open_files", 9),)}],
)
def test_what_is_asked_for_otherwise_is_graded(graded, settings):
    assert again(graded[0], Settings(**settings)) is None


def append(path):
    path.write_text(f"{path.read_text()}\n")


def rate(room):
    with sqlite3.connect(room / "gradebook.db") as gradebook:
        gradebook.execute("UPDATE grade SET manual_score = 1")


@pytest.mark.parametrize(
    "change",
    [
        lambda course, room: mini.hand_in(course, room, "bob"),
        lambda course, room: mini.hand_in(course, room, "ada"),
        lambda course, room: (room / "submitted" / "ada" / ASSIGNMENT / "timestamp.txt").write_text("2026-01-01"),
        lambda course, room: rate(room),
        lambda course, room: (room / "gradebook.db").unlink(),
        lambda course, room: shutil.rmtree(room / "autograded"),
        lambda course, room: (room / "graded" / ASSIGNMENT / "ada.json").write_text("{}"),
        lambda course, room: append(course / "exercises" / f"{ASSIGNMENT}.py"),
        lambda course, room: append(course / "solutions" / ASSIGNMENT / NOTEBOOK),
        lambda course, room: append(course / "nbgrader_config.py"),
        lambda course, room: (room / "graded" / f".{ASSIGNMENT}").write_text("{"),
    ],
)  # fmt: skip
def test_whatever_changes_it_is_looked_at_with_care(graded, tmp_path, change):
    # In its own place: that the class has moved would be a change by itself.
    folder, results = graded
    kept = tmp_path / "kept"
    shutil.copytree(folder, kept, symlinks=True)
    try:
        change(folder / "course", folder / "class")
        assert again(folder) is None
    finally:
        for name in ("course", "class"):
            shutil.rmtree(folder / name)
            shutil.copytree(kept / name, folder / name, symlinks=True)
    assert again(folder) == results


def test_what_failed_or_came_meanwhile_is_graded_next_time(graded, tmp_path):
    folder = tmp_path / "other"
    shutil.copytree(graded[0], folder, symlinks=True)

    def grade(assignment):
        for result in grade_class(assignment, Settings()):
            mini.hand_in(folder / "course", folder / "class", "eve")
            yield result

    in_class(folder / "course", folder / "class", lambda a: list(grade(a)))
    assert again(folder) is None


def test_not_while_another_run_is_going_on(graded):
    folder, _ = graded
    with only_writer(folder / "class" / "graded"), pytest.raises(ValueError, match="another one does"):
        again(folder)


def test_it_imports_nothing_that_takes_long():
    program = (
        "import sys, vaeedu_grader.commands.grading, vaeedu_grader.table, vaeedu_grader.marking.unchanged\n"
        "print([name for name in ('nbgrader', 'nbformat', 'sqlalchemy', 'torch', 'IPython') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
