"""nbgrader's exchange, the whole way round: what is released comes back as a submission, and feedback finds its way."""

import os
import subprocess
import sys

import nbformat
import pytest
from support import mini_course as mini
from support.mini_course import ASSIGNMENT, NOTEBOOK, RIGHT
from support.sandboxes import obstacle


def nbgrader(folder, *arguments, **environment):
    done = subprocess.run(
        [sys.executable, "-m", "nbgrader", *arguments],
        cwd=folder,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stderr


@pytest.mark.slow
def test_feedback_comes_back_through_the_exchange(tmp_path):
    if obstacle():
        pytest.skip(obstacle())
    course, room, home = mini.make_course(tmp_path / "course"), tmp_path / "class", tmp_path / "home"
    exchange = tmp_path / "exchange"
    for folder in (home, exchange):
        folder.mkdir()
    exchange.chmod(0o777)
    settings = f"c.Exchange.root = {str(exchange)!r}\nc.CourseDirectory.course_id = 'vaeedu'\n"
    with (course / "nbgrader_config.py").open("a") as file:
        file.write(settings)
    (home / "nbgrader_config.py").write_text(
        "c = get_config()\n" + settings + "c.Exchange.path_includes_course = False\n"
    )
    teacher = {"VAEEDU_CLASSROOM": str(room), "VAEEDU_COURSE": str(course)}
    student = {"JUPYTERHUB_USER": "ada", "HOME": str(home), "VAEEDU_COURSE": ""}
    nbgrader(course, "generate_assignment", ASSIGNMENT, **teacher)
    nbgrader(course, "release_assignment", ASSIGNMENT, **teacher)

    nbgrader(home, "fetch_assignment", ASSIGNMENT, **student)
    path = home / ASSIGNMENT / NOTEBOOK
    notebook = nbformat.read(path, as_version=4)
    for cell in notebook.cells:
        name = cell.metadata.get("nbgrader", {}).get("grade_id")
        cell.source = RIGHT.get(name, cell.source)
    nbformat.write(notebook, path)
    nbgrader(home, "submit", ASSIGNMENT, **student)

    nbgrader(course, "collect", ASSIGNMENT, **teacher)
    (submitted,) = (room / "submitted").glob(f"*/{ASSIGNMENT}")
    assert (submitted / "submission_secret.txt").is_file()
    graded = mini.vaeedu(course, room, "grade", ASSIGNMENT)
    assert graded.returncode == 0, graded.stderr
    assert "graded         6        1" in graded.stdout
    nbgrader(course, "generate_feedback", ASSIGNMENT, **teacher)
    nbgrader(course, "release_feedback", ASSIGNMENT, **teacher)
    nbgrader(home, "fetch_feedback", ASSIGNMENT, **student)
    (page,) = (home / ASSIGNMENT / "feedback").rglob("*.html")
    assert "✓ right" in page.read_text(encoding="utf-8")
    # Nothing has changed: what the exchange needs is no part of the work.
    again = mini.vaeedu(course, room, "grade", ASSIGNMENT)
    assert again.stdout == graded.stdout
