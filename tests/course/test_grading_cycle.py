"""The whole cycle through nbgrader itself: every mistake loses exactly its points, nothing right loses any."""

import csv
import html
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from vaeedu_grader.authoring.course import assignments, exercises
from vaeedu_grader.demo import students

ROOT = Path(__file__).resolve().parents[2]
ASSIGNMENT = "02_linear_latent_variable_models"
EXERCISES = {name: exercises(ROOT, name) for name in assignments(ROOT)}

# Grades in a process of its own: nbgrader's warnings, and what its configuration does to the environment, stay there.
DECIDE = """
import dataclasses, json, sys
from pathlib import Path
from vaeedu_grader.authoring.decisions import decisions
from vaeedu_grader.marking.grade import Settings

course, assignment, only = Path(sys.argv[1]), sys.argv[2], slice(*json.loads(sys.argv[3]))
made = decisions(course, assignment, Settings(workers=2), only=only)
json.dump([{**dataclasses.asdict(d), "is_right": d.is_right} for d in made], sys.stdout)
"""


def environment(tmp_path_factory, name):
    return {**os.environ, "VAEEDU_CLASSROOM": str(tmp_path_factory.mktemp(name))}


def readable(page):
    """A feedback page as its reader sees it: without markup, white space as single blanks."""
    return " ".join(html.unescape(re.sub(r"<[^>]*>", "", page)).split())


def decided(assignment, tmp_path_factory, *only):
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", DECIDE, str(ROOT), assignment, json.dumps(only or [None])],
        env=environment(tmp_path_factory, "cycle"),
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads(done.stdout)


def test_some_mistakes_and_alternatives_through_the_whole_pipeline(tmp_path_factory):
    made = decided(ASSIGNMENT, tmp_path_factory, 4, None, 5)  # fifth mistakes, first alternatives
    assert [decision for decision in made if not decision["is_right"]] == []
    assert sum(decision["expected"] == 0 for decision in made) >= 8
    assert sum(decision["expected"] > 0 for decision in made) >= 10


@pytest.mark.slow
@pytest.mark.timeout(1200)
@pytest.mark.parametrize("assignment", EXERCISES)
def test_the_grader_as_a_classifier_makes_no_mistake(tmp_path_factory, capsys, assignment):
    # Of the others every fifth submission, for lack of time: `python benchmarks/classifier.py` takes all.
    whole = assignment == ASSIGNMENT
    made = decided(assignment, tmp_path_factory, *([None] if whole else [None, None, 5]))
    misgraded = [decision for decision in made if not decision["is_right"]]
    with capsys.disabled():
        print(f"\n{assignment}: misgraded / total = {len(misgraded)} / {len(made)}")
    known = 2 * sum(len(e.wrong) + 1 + len(e.alternatives) for e in EXERCISES[assignment].values())
    assert len(made) == known if whole else known / 10 < len(made) < known
    assert misgraded == []


def demo_class(env, *arguments):
    return subprocess.run(
        [sys.executable, "-m", "vaeedu.cli", "demo-class", *arguments],
        env=env,
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )


def check_demo(done, folder, names):
    assert done.returncode == 0, done.stdout + done.stderr[-2000:]
    assert done.stderr == ""
    assert done.stdout.splitlines()[-1] == "every mark is as expected"
    with (folder / "grades.csv").open(encoding="utf-8") as file:
        marks = {row["student_id"]: float(row["score"]) for row in csv.DictReader(file)}
    table = {line.split()[0]: line for line in done.stdout.splitlines()[1 : len(names) + 1]}
    assert sorted(marks) == sorted(table) == sorted(names)
    for student, mark in marks.items():
        assert re.search(rf" {mark:g}(\.0)? ", table[student]), (mark, table[student])
    return marks, table


@pytest.mark.slow
def test_the_demonstration_gives_every_kind_of_submission_its_mark(tmp_path_factory):
    env = environment(tmp_path_factory, "demo")
    folder = Path(env["VAEEDU_CLASSROOM"])
    everybody = [student.id for student in students(EXERCISES[ASSIGNMENT])]
    marks, table = check_demo(demo_class(env, "--jobs=2"), folder, everybody)
    assert marks == {
        "ada": 18.0, "alan": 18.0, "blaise": 0.0, "carl": 8.0, "dora": 13.0, "emmy": 13.0,
        "felix": 15.0, "grace": 15.0, "hedy": 18.0, "isaac": 0.0, "joan": 0.0, "lise": 18.0, "karl": 0.0,
    }  # fmt: skip
    assert "flagged; renamed to hedy homework (2).ipynb" in table["hedy"]
    assert "rejected; there must be a notebook" in table["isaac"]
    assert "rejected; " in table["joan"]
    assert "missing; nothing submitted" in table["karl"]
    assert "flagged; ppca_fit_hidden was deleted: restored" in table["lise"]
    pages = {path.parts[-3]: readable(path.read_text("utf-8")) for path in folder.glob("feedback/*/*/*.html")}
    assert sorted(pages) == sorted(name for name in everybody if name != "karl")
    for name in ("isaac", "joan"):
        assert pages[name].count("This submission could not be graded") == 12
    assert pages["grace"].count("Still not done after 15 seconds") == 2
    assert "SyntaxError" in pages["felix"]
    # A second run, in the same folder, with some of the class.
    again = ["ada", "dora", "isaac", "karl"]
    repeated, _ = check_demo(demo_class(env, *(f"--student={name}" for name in again)), folder, again)
    assert repeated == {name: marks[name] for name in again}


def test_marks_that_differ_make_the_demonstration_fail(tmp_path_factory):
    env = environment(tmp_path_factory, "differs")
    # An untouched notebook that is expected to be a renamed one: the demonstration must notice.
    code = (
        "import dataclasses, sys\n"
        "from pathlib import Path\n"
        "from vaeedu_grader import demo\n"
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
        "import sys; from pathlib import Path; from vaeedu_grader.gradebook.classroom import Classroom\n"
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
