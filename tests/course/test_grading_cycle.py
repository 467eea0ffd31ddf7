"""The whole cycle through nbgrader itself: every mistake loses exactly its points, nothing right loses any."""

import csv
import html
import json
import os
import re
import subprocess
import sys
from itertools import zip_longest
from pathlib import Path

import nbformat
import pytest

from vaeedu.grading.course import assignments, exercises
from vaeedu.grading.exercise import PARTS

ROOT = Path(__file__).resolve().parents[2]
ASSIGNMENT = "02_linear_latent_variable_models"
EXERCISES = {assignment: exercises(ROOT, assignment) for assignment in assignments(ROOT)}

# Grades in a process of its own: nbgrader's warnings, and what its configuration does to the environment, stay there.
GRADE = """
import inspect, json, sys
from pathlib import Path
import nbformat
from vaeedu.grading.classroom import Classroom
from vaeedu.grading.course import exercises
from vaeedu.grading.submission import filled_in, source_of

course, assignment = Path(sys.argv[1]), sys.argv[2]
room, described, results = Classroom(course, assignment), exercises(course, assignment), {}
room.generate()
functions = {
    (e.name, f.__name__): f
    for e in described.values()
    for f in (e.reference, *e.alternatives, *(w.function for w in e.wrong))
}
for student, answers in json.loads(sys.argv[3]).items():
    sources = {name: source_of(functions[name, function], name) for name, function in answers.items()}
    room.submission(student).mkdir(parents=True)
    released = room.released / f"{assignment}.ipynb"
    nbformat.write(filled_in(released, sources), room.submission(student) / released.name)
    result = room.grade(student)
    results[student] = {"scores": result.scores, "note": result.note, "feedback": room.feedback(student)}
json.dump(results, sys.stdout)
"""


def packs(kind, name):
    """The i-th solution of a kind of every exercise, together in one submission, for each assignment."""
    found = {}
    for assignment, described in EXERCISES.items():
        columns = [[(e, f) for f in kind(exercise)] for e, exercise in described.items()]
        rows = (dict(entry for entry in row if entry) for row in zip_longest(*columns))
        found |= {(assignment, f"{name}{i}"): row for i, row in enumerate(rows)}
    return found


WRONG = packs(lambda e: e.wrong, "wrong")
RIGHT = packs(lambda e: e.alternatives, "right")


def environment(tmp_path_factory, name):
    return {**os.environ, "VAEEDU_CLASSROOM": str(tmp_path_factory.mktemp(name))}


@pytest.fixture(scope="module", autouse=True)
def running_demo(tmp_path_factory):
    """The demonstration, started at once: it runs beside the other tests of this file."""
    env = environment(tmp_path_factory, "demo")
    with start_demo(env) as process:
        yield env, process
        process.kill()


@pytest.fixture(scope="module")
def graded(tmp_path_factory):
    return {assignment: grade(assignment, tmp_path_factory) for assignment in EXERCISES}


def grade(assignment, tmp_path_factory):
    names = {
        s: {n: w.function.__name__ for n, w in pack.items()}
        for (a, s), pack in WRONG.items()
        if a == assignment
    }
    names |= {
        s: {n: f.__name__ for n, f in pack.items()} for (a, s), pack in RIGHT.items() if a == assignment
    }
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", GRADE, str(ROOT), assignment, json.dumps(names)],
        env=environment(tmp_path_factory, "cycle"),
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads(done.stdout)


def readable(page):
    """A feedback page as its reader sees it: without markup, white space as single blanks."""
    return " ".join(html.unescape(re.sub(r"<[^>]*>", "", page)).split())


def written(assignment):
    """The cells marked by hand, which the machine gives no points."""
    cells = nbformat.read(ROOT / "solutions" / assignment / f"{assignment}.ipynb", as_version=4).cells
    tags = [cell.metadata.nbgrader for cell in cells if "nbgrader" in cell.metadata]
    return {tag.grade_id: 0.0 for tag in tags if tag.grade and tag.solution}


@pytest.mark.parametrize(("assignment", "student"), WRONG)
def test_wrong_variants_lose_exactly_their_points_and_say_why(graded, assignment, student):
    result, page = graded[assignment][student], readable(graded[assignment][student]["feedback"])
    expected = written(assignment)
    for name, exercise in EXERCISES[assignment].items():
        wrong = WRONG[assignment, student].get(name)
        loses = wrong.loses if wrong else PARTS  # what is not in this submission is untouched
        expected |= {f"{name}_{p}": 0.0 if p in loses else float(exercise.points[p]) for p in PARTS}
        if wrong:
            assert page.count(" ".join(wrong.message.split())) == len(wrong.loses), wrong.function.__name__
    assert result["scores"] == expected
    assert result["note"] == ""


@pytest.mark.parametrize(("assignment", "student"), RIGHT)
def test_correct_alternatives_lose_nothing(graded, assignment, student):
    expected = written(assignment)
    for name, exercise in EXERCISES[assignment].items():
        solved = name in RIGHT[assignment, student]
        expected |= {f"{name}_{p}": float(exercise.points[p]) if solved else 0.0 for p in PARTS}
    assert graded[assignment][student]["scores"] == expected


def start_demo(env, *arguments):
    return subprocess.Popen(
        [sys.executable, "-m", "vaeedu.cli", "demo-class", *arguments],
        env=env,
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def finish(process):
    out, err = process.communicate()
    return subprocess.CompletedProcess(process.args, process.returncode, out, err)


def demo_class(env, *arguments):
    return finish(start_demo(env, *arguments))


def check_demo(done, folder, students):
    assert done.returncode == 0, done.stdout + done.stderr[-2000:]
    assert done.stderr == ""
    assert done.stdout.splitlines()[-1] == "every mark is as expected"
    with (folder / "grades.csv").open(encoding="utf-8") as file:
        marks = {row["student_id"]: float(row["score"]) for row in csv.DictReader(file)}
    table = {line.split()[0]: line for line in done.stdout.splitlines()[1 : len(students) + 1]}
    assert sorted(marks) == sorted(table) == sorted(students)
    for student, mark in marks.items():
        assert re.search(rf" {mark:g}(\.0)? ", table[student]), (mark, table[student])
    return marks, table


def test_the_demonstration_gives_every_kind_of_submission_its_mark(running_demo):
    env, process = running_demo
    folder = Path(env["VAEEDU_CLASSROOM"])
    everybody = "ada alan blaise carl dora emmy felix grace hedy isaac joan lise karl".split()
    marks, table = check_demo(finish(process), folder, everybody)
    assert marks == {
        "ada": 18.0, "alan": 18.0, "blaise": 0.0, "carl": 8.0, "dora": 13.0, "emmy": 13.0,
        "felix": 15.0, "grace": 15.0, "hedy": 18.0, "isaac": 0.0, "joan": 0.0, "lise": 16.0, "karl": 0.0,
    }  # fmt: skip
    assert "renamed to hedy homework (2).ipynb" in table["hedy"]
    assert "not graded" in table["isaac"]
    assert "not graded" in table["joan"]
    assert "nothing submitted" in table["karl"]
    assert "4.0  deleted, to be marked by hand: ppca_fit_hidden" in table["lise"]
    pages = {path.parts[-3]: readable(path.read_text("utf-8")) for path in folder.glob("feedback/*/*/*.html")}
    assert sorted(pages) == [name for name in everybody if name not in ("isaac", "joan", "karl")]
    assert pages["grace"].count("Still not done after 5 seconds") == 2
    assert "SyntaxError" in pages["felix"]
    # A second run, in the same folder, with some of the class.
    again = ["ada", "dora", "isaac", "karl"]
    repeated, _ = check_demo(demo_class(env, *(f"--student={name}" for name in again)), folder, again)
    assert repeated == {name: marks[name] for name in again}


@pytest.mark.slow
def test_the_whole_demonstration_twice_gives_the_same(tmp_path_factory):
    env = environment(tmp_path_factory, "twice")
    first, second = demo_class(env), demo_class(env)
    assert first.returncode == second.returncode == 0
    assert first.stdout == second.stdout


def test_marks_that_differ_make_the_demonstration_fail(tmp_path_factory):
    env = environment(tmp_path_factory, "differs")
    # An untouched notebook that is expected to be a renamed one: the demonstration must notice.
    code = (
        "import dataclasses, sys\n"
        "from pathlib import Path\n"
        "from vaeedu.grading import demo\n"
        "students = demo.students\n"
        "lazy = lambda e: tuple(dataclasses.replace(s, note='renamed') for s in students(e) if s.id == 'blaise')\n"
        "demo.students = lazy\n"
        "sys.exit(0 if demo.demo_class(Path(sys.argv[1])) else 1)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(ROOT)],
        env=env,
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1, done.stderr[-2000:]
    assert "DIFFERS" in done.stdout
    assert done.stdout.splitlines()[-1] == "some marks are NOT as expected"


def test_a_roster_that_nbgrader_cannot_read_is_one_error(tmp_path_factory):
    env = environment(tmp_path_factory, "roster")
    code = (
        "import sys; from pathlib import Path; from vaeedu.grading.classroom import Classroom\n"
        "Classroom(Path(sys.argv[1]), sys.argv[2]).enrol(Path('no such roster.csv'))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(ROOT), ASSIGNMENT],
        env=env,
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert "GradingError: the roster no such roster.csv was not imported" in done.stderr
    assert "No such file" in done.stderr
