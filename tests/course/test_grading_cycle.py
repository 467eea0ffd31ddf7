"""The whole cycle through nbgrader itself: every mistake loses exactly its points, nothing right loses any."""

import csv
import dataclasses
import html
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
from support import mini_course as mini
from support.mini_course import at_home
from support.sandboxes import obstacle

from vaeedu_grader import demo
from vaeedu_grader.assignment import Assignment
from vaeedu_grader.authoring import decisions as decisions_module
from vaeedu_grader.authoring.course import assignments, exercises
from vaeedu_grader.authoring.decisions import decisions, decisions_in_one_sandbox
from vaeedu_grader.authoring.exercise import PARTS, Wrong
from vaeedu_grader.demo import demo_class, students
from vaeedu_grader.gradebook.classroom import Classroom
from vaeedu_grader.gradebook.nbgrader import GradingError
from vaeedu_grader.intake.needed import needed
from vaeedu_grader.marking.grade import Settings

ROOT = Path(__file__).resolve().parents[2]
ASSIGNMENT = "02_linear_latent_variable_models"
EXERCISES = {name: exercises(ROOT, name) for name in assignments(ROOT)}


def environment(tmp_path_factory, name):
    return {**os.environ, "VAEEDU_CLASSROOM": str(tmp_path_factory.mktemp(name))}


def readable(page):
    """A feedback page as its reader sees it: without markup, white space as single blanks."""
    return " ".join(html.unescape(re.sub(r"<[^>]*>", "", page)).split())


@pytest.mark.slow
def test_some_mistakes_and_alternatives_through_the_whole_pipeline(tmp_path):
    with at_home(ROOT, tmp_path / "class"):
        only = slice(4, None, 5)  # fifth mistakes, first alternatives
        made = list(decisions(Assignment(ROOT, ASSIGNMENT), Settings(workers=2), only=only))
    assert [decision for decision in made if not decision.is_right] == []
    assert sum(decision.expected == 0 for decision in made) >= 8
    assert sum(decision.expected > 0 for decision in made) >= 10


@pytest.mark.slow
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("name", EXERCISES)
def test_the_grader_as_a_classifier_makes_no_mistake(tmp_path, capsys, name):
    if obstacle():
        pytest.skip(obstacle())
    with at_home(ROOT, tmp_path / "class"):
        made = list(decisions_in_one_sandbox(Assignment(ROOT, name), bytes(range(32))))
    misgraded = [decision for decision in made if not decision.is_right]
    with capsys.disabled():
        print(f"\n{name}: misgraded / total = {len(misgraded)} / {len(made)}")
    solutions = sum(len(e.wrong) + 1 + len(e.alternatives) for e in EXERCISES[name].values())
    assert len(made) == solutions * len(PARTS)
    assert misgraded == []
    assert not (tmp_path / "class" / "gradebook.db").exists()


@pytest.mark.slow
def test_submissions_in_one_sandbox_have_nothing_of_each_other(tmp_path, monkeypatch):
    """What one of them leaves in its names does not help the next; and who mistakes one for another is noticed."""
    mini.make_course(tmp_path / "course")
    with at_home(tmp_path / "course", tmp_path / "class"):
        assignment = Assignment(tmp_path / "course", mini.ASSIGNMENT)
        Classroom(assignment).generate()
        shutil.copytree(assignment.released, assignment.course / "assignments" / assignment.name)
        total = assignment.exercises["total"]
        leaving, leaning = Wrong(leaves_a_name, "", ()), Wrong(leans_on_a_name, "no such name", PARTS)
        monkeypatch.setattr(
            decisions_module, "_packs", lambda _: {"a": {"total": leaving}, "b": {"total": leaning}}
        )
        first, second = zip(*[iter(decisions_in_one_sandbox(assignment, bytes(32)))] * 2, strict=True)
    assert total.points == {"visible": 1, "hidden": 1}
    assert [decision.actual for decision in first] == [1.0, 1.0]
    assert [decision.actual for decision in second] == [0.0, 0.0]
    assert not any(decision.is_right for decision in second)  # the message is another


def test_of_an_assignments_own_cells_those_that_no_answer_needs_are_left_out():
    def cell(name, source, kind="code", **roles):
        return getattr(nbformat.v4, f"new_{kind}_cell")(source, id=name, metadata={"nbgrader": roles})

    cells = [
        cell("imports", "import a as b, c\nfrom d import e"),
        cell("unused", "import f"),
        cell("data", "x = e()\ny = [x for z in x]"),
        cell("helper", "def double(p):\n    return b.twice(p)"),
        cell("draws", "show(x)"),
        cell("trains", "def train(z):\n    return c\n\ntrained = train(answer)"),
        cell("text", "answer", "markdown"),
        cell(
            "answer",
            "def answer(z):\n    def inner():\n        return double(z)\n    trained = z",
            solution=True,
        ),
        cell("later", "double = None"),
        cell("test", "assert y", grade=True),
    ]
    kept = [
        c.id for c in needed(cells, lambda c: c.metadata.nbgrader.keys() & {"solution", "grade"} != set())
    ]
    assert kept == ["imports", "data", "helper", "text", "answer", "test"]


def leaves_a_name(x):
    global add_up
    add_up = type(x).sum
    return add_up(x)


def leans_on_a_name(x):
    return add_up(x)


def demonstrate(env, *arguments):
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
    marks, table = check_demo(demonstrate(env, "--jobs=2"), folder, everybody)
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
        assert pages[name].count("This submission was not graded") == 1
    assert pages["grace"].count("Still not done after 15 seconds") == 2
    assert "SyntaxError" in pages["felix"]
    # A second run, in the same folder, with some of the class.
    again = ["dora", "isaac", "karl"]
    done = mini.vaeedu(ROOT, folder, "demo-class", *(f"--student={name}" for name in again))
    repeated, _ = check_demo(done, folder, again)
    assert repeated == {name: marks[name] for name in again}


@pytest.mark.slow
def test_marks_that_differ_make_the_demonstration_fail(tmp_path, monkeypatch, capsys):
    # No submission, which is expected to be a renamed one: the demonstration must notice.
    absent = [
        dataclasses.replace(s, note="renamed") for s in students(EXERCISES[ASSIGNMENT]) if s.id == "karl"
    ]
    monkeypatch.setattr(demo, "students", lambda described: tuple(absent))
    with at_home(ROOT, tmp_path / "class"):
        assert not demo_class(ROOT)
    told = capsys.readouterr().out
    assert "DIFFERS" in told
    assert told.splitlines()[-1] == "some marks are NOT as expected"


def test_a_roster_that_nbgrader_cannot_read_is_one_error(tmp_path):
    with (
        at_home(ROOT, tmp_path / "class"),
        pytest.raises(GradingError, match=r"the roster no such roster\.csv was not imported.*No such file"),
    ):
        Classroom(Assignment(ROOT, ASSIGNMENT)).enrol(Path("no such roster.csv"))
