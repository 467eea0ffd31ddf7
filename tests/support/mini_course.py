"""A course with one small assignment, for tests of the grading run: two exercises, a written answer, an own test."""

import contextlib
import io
import json
import os
import shutil
import subprocess
import sys
import time
import warnings
from pathlib import Path

import nbformat

from vaeedu import cli
from vaeedu_grader.assignment import Assignment
from vaeedu_grader.authoring.cells import with_tests
from vaeedu_grader.authoring.course import exercises
from vaeedu_grader.marking.grade import Settings, grade_class

ROOT = Path(__file__).resolve().parents[2]
ASSIGNMENT = "01_mini"
NOTEBOOK = f"{ASSIGNMENT}.ipynb"

EXERCISES = """
from vaeedu_grader.authoring.exercise import Exercise, Wrong
from vaeedu.feedback.key import Output


def inputs(case, rng):
    return {"x": rng.standard_normal((case["N"], 3)) + 2}


def mean(x):
    return x.mean(dim=0)


def mean_by_sum(x):
    return x.sum(dim=0) / len(x)


def mean_as_sum(x):
    return x.sum(dim=0)


def mean_of_four(x):
    return x.sum(dim=0) / 4


def total(x):
    return x.sum()


def total_of_mean(x):
    return x.mean()


CASES = {"visible": ({"N": 4},), "hidden": ({"N": 7}, {"N": 2})}
MEAN = Exercise(
    name="mean",
    outputs=(Output("mean", ("D",)),),
    points={"visible": 1, "hidden": 2},
    make_inputs=inputs,
    cases=CASES,
    reference=mean,
    wrong=(
        Wrong(mean_as_sum, "A sum is no mean."),
        Wrong(mean_of_four, "N is not always 4.", loses=("hidden",)),
    ),
    alternatives=(mean_by_sum,),
    seconds=1.0,  # of computing: a loop that never ends is broken off well before its cell, whatever else runs
)
TOTAL = Exercise(
    name="total",
    outputs=(Output("total", ()),),
    points={"visible": 1, "hidden": 1},
    make_inputs=inputs,
    cases=CASES,
    reference=total,
    wrong=(Wrong(total_of_mean, "A mean is no sum."),),
    alternatives=(),
)
SEALED = ("pca",)
EXERCISES = (MEAN, TOTAL)
"""

RIGHT = {
    "mean": "def mean(x):\n    return x.mean(dim=0)",
    "total": "def total(x):\n    return x.sum()",
    "essay": "Because.",
}
FULL = {"mean_visible": 1, "mean_hidden": 2, "total_visible": 1, "total_hidden": 1, "own": 1}


def _cell(name, source, *, kind="code", solution=False, points=None, locked=False):
    tags = {"grade": points is not None, "grade_id": name, "locked": locked, "schema_version": 3}
    tags |= {"solution": solution, "task": False} | ({} if points is None else {"points": points})
    return getattr(nbformat.v4, f"new_{kind}_cell")(source, id=name, metadata={"nbgrader": tags})


def make_course(folder):
    """Writes the course, and returns its folder."""
    for name in ("exercises", "solutions", "assignments"):
        (folder / name).mkdir(parents=True)
    shutil.copy(ROOT / "nbgrader_config.py", folder)
    (folder / "exercises" / f"{ASSIGNMENT}.py").write_text(EXERCISES)
    cells = [_cell("imports", "import torch\nimport vaeedu", locked=True)]
    for name in ("mean", "total"):
        body = RIGHT[name].replace("\n    ", "\n    ### BEGIN SOLUTION\n    ") + "\n    ### END SOLUTION"
        cells.append(_cell(name, body, solution=True))
    own = (
        "# one more\n### BEGIN HIDDEN TESTS\nassert float(total(torch.ones(2, 2))) == 4\n### END HIDDEN TESTS"
    )
    cells.append(_cell("own", own, points=1, locked=True))
    essay = "### BEGIN MARK SCHEME\nBecause.\n### END MARK SCHEME"
    cells.append(_cell("essay", essay, kind="markdown", solution=True, points=2))
    notebook = nbformat.v4.new_notebook(cells=cells)
    notebook.metadata.kernelspec = {"name": "python3", "display_name": "Python 3", "language": "python"}
    path = folder / "solutions" / ASSIGNMENT / NOTEBOOK
    path.parent.mkdir()
    nbformat.write(notebook, path)
    return folder


def released_notebook(course):
    """What students get: the source without solutions and hidden tests."""
    notebook = nbformat.read(course / "solutions" / ASSIGNMENT / NOTEBOOK, as_version=4)
    notebook = with_tests(notebook, ASSIGNMENT, exercises(course, ASSIGNMENT))
    for cell in notebook.cells:
        if cell.id in ("mean", "total"):
            cell.source = (
                f"{cell.source.splitlines()[0]}\n    # YOUR CODE HERE\n    raise NotImplementedError()"
            )
        elif cell.id == "essay":
            cell.source = "YOUR ANSWER HERE"
        else:
            cell.source = cell.source.split("\n### BEGIN")[0]
    return notebook


def hand_in(course, classroom, student, answers=RIGHT, change=None, timestamp=None):
    """Writes a submission, and returns its folder."""
    notebook = released_notebook(course)
    for cell in notebook.cells:
        cell.source = answers.get(cell.id, cell.source)
    if change is not None:
        change(notebook)
    folder = classroom / "submitted" / student / ASSIGNMENT
    folder.mkdir(parents=True, exist_ok=True)
    (folder / NOTEBOOK).write_text(json.dumps(notebook))
    if timestamp is not None:
        (folder / "timestamp.txt").write_text(timestamp)
    return folder


@contextlib.contextmanager
def at_home(course, classroom, **environment):
    """This process works in a course and its class; all that its configuration sets in the environment goes again."""
    saved, folder = dict(os.environ), Path.cwd()
    os.environ.update({"VAEEDU_CLASSROOM": str(classroom), **environment})
    os.environ.pop("VAEEDU_COURSE", None)
    time.tzset()
    os.chdir(course)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # nbgrader's, about itself
            yield
    finally:
        os.chdir(folder)
        os.environ.clear()
        os.environ.update(saved)
        time.tzset()


def vaeedu(course, classroom, *arguments, **environment):
    """Runs the command line in a course, in this process: what it needs is imported once, and its server stays warm."""
    out, err = io.StringIO(), io.StringIO()
    arguments = [*map(str, arguments)]
    with (
        at_home(course, classroom, **environment),
        contextlib.redirect_stdout(out),
        contextlib.redirect_stderr(err),
    ):
        code = cli.main(arguments)
    return subprocess.CompletedProcess(arguments, code, out.getvalue(), err.getvalue())


def grade(course, classroom, **settings):
    """Grades the class in this process, and returns the results by student."""
    settings = {"workers": 2, **settings}
    with at_home(course, classroom):
        results = grade_class(Assignment(course, ASSIGNMENT), Settings(**settings))
        return {result.student: result for result in results}


def vaeedu_process(course, classroom, *arguments, wait=True, **environment):
    """Runs the command line in a process of its own, as an instructor does."""
    command = [sys.executable, "-W", "ignore", "-m", "vaeedu.cli", *map(str, arguments)]
    env = {**os.environ, "VAEEDU_CLASSROOM": str(classroom), "OMP_NUM_THREADS": "1", **environment}
    env.pop("VAEEDU_COURSE", None)
    process = subprocess.Popen(
        command, cwd=course, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    if not wait:
        return process
    out, err = process.communicate()
    return subprocess.CompletedProcess(command, process.returncode, out, err)


def scores(db_url):
    """Everything about marks that a gradebook holds, by student and cell, without numbers that change by chance."""
    from nbgrader.api import Gradebook

    with Gradebook(db_url) as gradebook:
        return {
            (s.student.id, g.name): (g.auto_score, g.manual_score, g.needs_manual_grade, s.timestamp)
            for s in gradebook.assignment_submissions(ASSIGNMENT)
            for n in s.notebooks
            for g in n.grades
        }
