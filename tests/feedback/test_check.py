"""What students and hidden test cells call, and where they find what they compare with."""

import io
import shutil
from pathlib import Path

import pytest
import torch
from IPython.core.interactiveshell import InteractiveShell

import vaeedu
from vaeedu.feedback import CheckFailed, check
from vaeedu.feedback.examine import find_checks
from vaeedu_grader import grade
from vaeedu_grader.authoring.course import assignments, course_root, exercises

ROOT = Path(__file__).resolve().parents[2]
ASSIGNMENT = "02_linear_latent_variable_models"
CHECKS = ROOT / "assignments" / ASSIGNMENT / "checks.json"


def als_sweep(x, W):
    Z = torch.linalg.lstsq(W, x.T).solution.T
    return Z, torch.linalg.lstsq(Z, x).solution.T


def shortcut(x, W):
    return x @ W, torch.linalg.lstsq(x @ W, x).solution.T


@pytest.fixture
def elsewhere(tmp_path, monkeypatch):
    """An empty working folder, and no course in the environment."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("VAEEDU_COURSE", raising=False)
    return tmp_path


def test_check_praises_in_one_line(capsys):
    vaeedu.check("als_sweep", als_sweep, checks_file=CHECKS)
    assert capsys.readouterr().out == "✓ als_sweep: every visible case is right\n"


def test_check_names_the_misconception():
    with pytest.raises(CheckFailed, match=r"(?s)^✗ als_sweep\(x of shape \(8, 4\), W .*\nYou used Z = X W\."):
        check("als_sweep", shortcut, checks_file=CHECKS)


def test_in_a_notebook_only_the_message_shows(monkeypatch):
    shell = InteractiveShell()
    shell.user_ns.update(check=check, shortcut=shortcut, CHECKS=CHECKS)
    shown = io.StringIO()
    monkeypatch.setattr("sys.stdout", shown)
    result = shell.run_cell("check('als_sweep', shortcut, checks_file=CHECKS)")
    assert isinstance(result.error_in_exec, CheckFailed)
    lines = shown.getvalue().strip().split("\n")
    assert len(lines) == 2
    assert lines[0].startswith("✗ als_sweep(")
    assert lines[1].startswith("You used Z = X W.")


def test_check_refuses_what_it_cannot_use(tmp_path):
    with pytest.raises(
        ValueError, match="function must be the function als_sweep itself, but is Tensor: leave out"
    ):
        check("als_sweep", torch.ones(2), checks_file=CHECKS)
    with pytest.raises(
        ValueError, match=r"checks_file must be an assignment's checks\.json, but there is no file"
    ):
        check("als_sweep", als_sweep, checks_file=tmp_path / "none.json")
    with pytest.raises(ValueError, match=r"name must be one of 'als_sweep', .* but is 'als'"):
        check("als", als_sweep, checks_file=CHECKS)


def test_the_file_beside_the_notebook_is_found(elsewhere):
    shutil.copy(CHECKS, elsewhere / "checks.json")
    assert find_checks() == elsewhere / "checks.json"
    check("als_sweep", als_sweep)


def test_an_instructors_notebook_finds_the_courses_file(elsewhere, monkeypatch):
    released = elsewhere / "assignments" / "02" / "checks.json"
    source = elsewhere / "solutions" / "02"
    released.parent.mkdir(parents=True)
    source.mkdir(parents=True)
    shutil.copy(CHECKS, released)
    monkeypatch.chdir(source)
    assert find_checks() == released


def test_while_grading_the_courses_file_beats_the_submitted_one(elsewhere, monkeypatch):
    folder = elsewhere / ASSIGNMENT
    folder.mkdir()
    (folder / "checks.json").write_text("{}")
    monkeypatch.chdir(folder)
    assert find_checks() == folder / "checks.json"
    monkeypatch.setenv("VAEEDU_COURSE", str(ROOT))
    assert find_checks() == CHECKS


def test_without_a_file_the_message_says_what_to_copy(elsewhere):
    with pytest.raises(
        ValueError, match=r"checks\.json must lie beside the notebook, but there is none in .*copy the"
    ):
        find_checks()


def test_grade_uses_other_inputs_than_check(monkeypatch, capsys):
    monkeypatch.setenv("VAEEDU_COURSE", str(ROOT))
    grade(ASSIGNMENT, "als_sweep", als_sweep)
    assert capsys.readouterr().out == "✓ als_sweep: every hidden case is right\n"
    with pytest.raises(CheckFailed, match=r"x of shape \(5, 3\)"):
        grade(ASSIGNMENT, "als_sweep", shortcut)
    with pytest.raises(ValueError, match=r"name must be one of 'center_and_project', .* but is 'als'"):
        grade(ASSIGNMENT, "als", als_sweep)


def test_the_course_is_found_from_inside_and_by_its_variable(elsewhere, monkeypatch):
    with pytest.raises(
        ValueError, match=r"must run inside the course's folder, the one with nbgrader_config\.py"
    ):
        course_root()
    monkeypatch.setenv("VAEEDU_COURSE", str(ROOT))
    assert course_root() == ROOT
    monkeypatch.setenv("VAEEDU_COURSE", str(elsewhere))
    with pytest.raises(ValueError, match="must run inside the course's folder"):
        course_root()
    monkeypatch.delenv("VAEEDU_COURSE")
    monkeypatch.chdir(ROOT / "tests")
    assert course_root() == ROOT


def test_a_course_without_that_assignment_says_which_it_has(tmp_path):
    with pytest.raises(
        ValueError, match=f"assignment must be one of .*{ASSIGNMENT}.*but is '99': there is no"
    ):
        exercises(ROOT, "99")
    with pytest.raises(ValueError, match=r"must be one of \(none found\), but is '02'"):
        exercises(tmp_path, "02")
    (tmp_path / "exercises").mkdir()
    (tmp_path / "exercises" / "02.py").write_text("OTHER = 1\n")
    with pytest.raises(ValueError, match=r"exercises/02\.py must define EXERCISES"):
        exercises(tmp_path, "02")
    assert assignments(tmp_path) == []
