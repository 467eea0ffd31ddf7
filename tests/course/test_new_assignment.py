"""What `make new-assignment` lays out is an assignment: it can be released, and the grader decides it rightly."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
from support.sandboxes import obstacle

from vaeedu.feedback.hints import read_hints
from vaeedu_grader.authoring.course import assignments, exercises
from vaeedu_grader.authoring.exercise import answer_key
from vaeedu_grader.authoring.new import new_assignment
from vaeedu_grader.authoring.release import check_notebook

ROOT = Path(__file__).resolve().parents[2]
NAME = "12_sequences_and_molecules"
# nbgrader's warnings, and what its configuration does to the environment, stay in this process.
CYCLE = """
import dataclasses, json
from pathlib import Path
from vaeedu_grader.assignment import Assignment
from vaeedu_grader.authoring.decisions import decisions_in_one_sandbox
from vaeedu_grader.authoring.release import release

release(Path.cwd(), "12_sequences_and_molecules")
made = decisions_in_one_sandbox(Assignment(Path.cwd(), "12_sequences_and_molecules"), bytes(32))
print(json.dumps([{**dataclasses.asdict(d), "is_right": d.is_right} for d in made]))
"""


@pytest.fixture
def course(tmp_path):
    """A course without assignments yet."""
    folder = tmp_path / "course"
    (folder / "exercises").mkdir(parents=True)
    shutil.copy(ROOT / "exercises" / "skeleton.py", folder / "exercises")
    shutil.copy(ROOT / "nbgrader_config.py", folder)
    return folder


@pytest.mark.slow
def test_what_is_laid_out_is_released_and_graded_without_a_wrong_decision(course):
    if obstacle():
        pytest.skip(obstacle())
    new_assignment(course, 12, "sequences_and_molecules")
    environment = {k: v for k, v in os.environ.items() if not k.startswith("VAEEDU_")}
    command = [sys.executable, "-W", "ignore", "-c", CYCLE]
    done = subprocess.run(command, cwd=course, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    made = json.loads(done.stdout.splitlines()[-1])
    assert [decision for decision in made if not decision["is_right"]] == []
    assert sum(decision["expected"] == 0 for decision in made) == 6
    assert sum(decision["expected"] > 0 for decision in made) == 10
    assert sorted(path.name for path in (course / "assignments" / NAME).iterdir()) == [
        f"{NAME}.ipynb",
        "checks.json",
    ]


def test_it_is_one_as_the_others_are(course):
    described, notebook, hints = new_assignment(course, 12, "sequences_and_molecules")
    assert list(read_hints(hints)) == ["log_sum"]
    assert described == course / "exercises" / f"{NAME}.py"
    assert described.read_text("utf-8").startswith('"""Sequences and molecules.\n')
    assert assignments(course) == [NAME]
    check_notebook(course, NAME)
    made = nbformat.read(notebook, as_version=4)
    nbformat.validate(made)
    assert [cell.id for cell in made.cells] == [
        cell.metadata.get("nbgrader", {}).get("grade_id", cell.id) for cell in made.cells
    ]
    (exercise,) = exercises(course, NAME).values()
    assert len(exercise.wrong) >= 3 <= len(exercise.alternatives)
    assert sum(wrong.loses == ("hidden",) for wrong in exercise.wrong) == 2
    assert [len(answer_key(exercise, part).misconceptions) for part in ("visible", "hidden")] == [2, 4]


@pytest.mark.parametrize(
    "there", ["exercises/12_sequences_and_molecules.py", "solutions/12_sequences_and_molecules"]
)
def test_nothing_is_overwritten(course, there):
    new_assignment(course, 12, "sequences_and_molecules")
    (course / f"exercises/{NAME}.py").write_text("mine")
    for name in {f"exercises/{NAME}.py", f"solutions/{NAME}"} - {there}:
        (course / name).rename(course / "elsewhere")
    before = sorted(course.rglob("*"))
    with pytest.raises(ValueError, match=f"{there} must not be there yet, but is: nothing was written"):
        new_assignment(course, 12, "sequences_and_molecules")
    assert sorted(course.rglob("*")) == before


@pytest.mark.parametrize(
    ("number", "topic", "message"),
    [
        (100, "a", "number must be from 0 to 99, but is 100"),
        (1, "../a", "topic must be lower-case words joined by _, such as autoencoders, but is '../a'"),
        (1, "", "topic must be .* but is ''"),
    ],
)
def test_names_that_are_no_names_are_refused(course, number, topic, message):
    with pytest.raises(ValueError, match=message):
        new_assignment(course, number, topic)
    assert not (course / "solutions").exists()
