"""Taking in submissions, the class folder, and the command line: each refuses what it cannot use in one clear line."""

import contextlib
import os
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
from nbgrader.api import Gradebook
from sqlalchemy import inspect, text

from vaeedu import cli
from vaeedu_grader import demo
from vaeedu_grader.authoring.answered import filled_in, source_of
from vaeedu_grader.authoring.course import assignments, exercises
from vaeedu_grader.gradebook.nbgrader import stamp

ROOT = Path(__file__).resolve().parents[2]
ASSIGNMENT = "02_linear_latent_variable_models"
RELEASED = ROOT / "assignments" / ASSIGNMENT / f"{ASSIGNMENT}.ipynb"


def test_filling_in_changes_the_named_cells_only():
    before = nbformat.read(RELEASED, as_version=4).cells
    after = filled_in(RELEASED, {"als_sweep": "x = 1"}).cells
    changed = [a for a, b in zip(after, before, strict=True) if a != b]
    assert [cell.source for cell in changed] == ["x = 1"]
    with pytest.raises(
        ValueError, match=r"answers must be for cells als_sweep, .* but one is for 'als_sweep_visible'"
    ):
        filled_in(RELEASED, {"als_sweep_visible": "pass"})


def test_sources_come_under_the_exercises_name():
    def solve():
        return 1

    namespace: dict = {}
    exec(source_of(solve, "answer"), namespace)
    assert namespace["answer"]() == 1
    assert source_of(solve, "solve").count("solve") == 1


def test_the_class_has_every_kind_of_student():
    everybody = {s.id: s for s in demo.students(exercises(ROOT, ASSIGNMENT))}
    assert len(everybody) >= 9
    assert sum(student.file is None for student in everybody.values()) == 1
    for mistaken in ("dora", "emmy"):
        assert sum(bool(work.loses) for work in everybody[mistaken].work.values()) == 2


@pytest.fixture
def command(tmp_path, monkeypatch, capsys):
    """Runs the command line in this process, in the course, with a classroom of the test's own."""
    monkeypatch.chdir(ROOT)
    monkeypatch.setenv("VAEEDU_CLASSROOM", str(tmp_path / "class"))
    # The configuration sets these; monkeypatch puts them back.
    monkeypatch.setenv("VAEEDU_COURSE", str(ROOT))
    monkeypatch.setenv("PATH", "/usr/bin:/bin")

    def run(*arguments):
        code = cli.main(arguments)
        return code, capsys.readouterr()

    return run


def test_a_class_that_is_not_the_demonstrations_is_refused_and_left_alone(command, tmp_path):
    folder = tmp_path / "class"
    (folder / "submitted" / "real").mkdir(parents=True)
    (folder / "gradebook.db").write_text("precious")
    code, captured = command("demo-class")
    assert code == 2
    assert captured.out == ""
    assert captured.err.startswith("vaeedu: error: the classroom must be empty or made by demo-class, but")
    assert "VAEEDU_CLASSROOM" in captured.err
    assert captured.err.count("\n") == 1
    assert (folder / "gradebook.db").read_text() == "precious"
    assert sorted(path.name for path in folder.iterdir()) == ["gradebook.db", "submitted"]


def test_something_added_to_a_demonstration_is_not_deleted(command, tmp_path):
    folder = tmp_path / "class"
    folder.mkdir()
    for name in (".made-by-vaeedu-demo-class", "gradebook.db", "notes.txt"):
        (folder / name).touch()
    code, captured = command("demo-class")
    assert code == 2
    assert "holds notes.txt: move that class away" in captured.err
    assert len(list(folder.iterdir())) == 3


def test_unknown_students_and_assignments_are_one_line(command):
    code, captured = command("demo-class", "--student", "nobody")
    assert (code, captured.err.count("\n")) == (2, 1)
    assert "student must be one of ada, alan, " in captured.err
    code, captured = command("release", "99_nothing")
    assert code == 2
    assert captured.err == (
        f"vaeedu: error: assignment must be one of {', '.join(assignments(ROOT))}, but is '99_nothing'\n"
    )


def test_outside_a_course_it_says_so(command, tmp_path, monkeypatch):
    monkeypatch.delenv("VAEEDU_COURSE")
    monkeypatch.chdir(tmp_path)
    code, captured = command("release")
    assert code == 2
    assert "must run inside the course's folder" in captured.err


def test_interruption_and_nbgraders_refusal_are_one_line(command, monkeypatch):
    from vaeedu_grader.gradebook.nbgrader import GradingError

    for error, expected, message in (
        (KeyboardInterrupt(), 130, "interrupted"),
        (GradingError("no\nway"), 2, "nbgrader: no way"),
    ):

        def fail(*args, error=error, **kwargs):
            raise error

        monkeypatch.setattr("vaeedu_grader.authoring.release.release", fail)
        code, captured = command("release")
        assert (code, captured.err) == (expected, f"vaeedu: error: {message}\n")


def test_a_bug_is_not_hidden(command, monkeypatch):
    monkeypatch.setattr("vaeedu_grader.authoring.release.release", lambda *args: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        command("release")


def test_help_and_version_import_nothing_slow():
    code = (
        "import sys; from vaeedu.cli import main\n"
        "try: main([sys.argv[1]])\n"
        "except SystemExit as e: assert e.code == 0\n"
        "assert not {'torch', 'numpy', 'nbgrader', 'nbformat', 'matplotlib'} & set(sys.modules)"
    )
    for option, expected in (("--help", "demo-class"), ("--version", "vaeedu 0.1.0")):
        done = subprocess.run(
            [sys.executable, "-c", code, option], capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        assert expected in done.stdout


def test_nbgraders_failures_are_told_by_their_last_error():
    from vaeedu_grader.gradebook.nbgrader import GradingError, succeed

    log = "[INFO] fine\n[ERROR] Traceback:\n  File x\nKeyError: 'cell'\n[ERROR] There was an error processing it\n"
    with pytest.raises(GradingError, match=r"^KeyError: 'cell'$"):
        succeed({"success": False, "error": "Traceback\nNbGraderException: see above", "log": log})
    with pytest.raises(GradingError, match=r"^NbGraderException: see above$"):
        succeed({"success": False, "error": "Traceback\nNbGraderException: see above", "log": ""})
    with pytest.raises(KeyboardInterrupt):
        succeed({"success": False, "error": "Traceback\nKeyboardInterrupt", "log": log})
    succeed({"success": True})


def test_a_gradebook_says_of_which_version_its_tables_are(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(Path(sys.executable).parent), prepend=os.pathsep)
    versions = []
    for name, first in (("ours", stamp), ("nbgraders", str)):
        first(f"sqlite:///{tmp_path / name}")
        with contextlib.closing(Gradebook(f"sqlite:///{tmp_path / name}")) as opened:
            versions.append(opened.db.execute(text("select version_num from alembic_version")).all())
            assert inspect(opened.engine).has_table("grade")
        stamp(f"sqlite:///{tmp_path / name}")  # again: nothing to do
    assert versions[0] == versions[1]
    assert len(versions[0]) == 1


def test_a_gradebook_that_nobody_is_in_is_no_class(tmp_path):
    gradebook = tmp_path / "gradebook.db"
    stamp(f"sqlite:///{gradebook}")
    with contextlib.closing(Gradebook(f"sqlite:///{gradebook}")):
        pass
    demo._clear(tmp_path, set())
    assert not gradebook.exists()
    (tmp_path / demo._MARKER).unlink()
    stamp(f"sqlite:///{gradebook}")
    with contextlib.closing(Gradebook(f"sqlite:///{gradebook}")) as opened:
        opened.add_student("somebody")
    with pytest.raises(ValueError, match=r"must be empty or made by demo-class, but .* holds gradebook\.db"):
        demo._clear(tmp_path, set())
    assert gradebook.exists()
