"""Every command that writes: one that is refused, or fails half-way, leaves what was there, and nothing half-made."""

import os

import pytest
from support import mini_course as mini
from support.handed_in import packed_in, put
from support.mini_course import ASSIGNMENT, RIGHT

from vaeedu import cli
from vaeedu_grader import demo
from vaeedu_grader.assignment import Assignment
from vaeedu_grader.authoring import bundle, new
from vaeedu_grader.gradebook.store import Store
from vaeedu_grader.report import page

HANDED_OUT = "Ada_7_assignsubmission_file_/01_mini.ipynb"


@pytest.fixture
def course(tmp_path, monkeypatch):
    """A course, a class of one who is marked, and files of somebody's own."""
    made = mini.make_course(tmp_path / "course")
    monkeypatch.chdir(made)
    monkeypatch.setenv("VAEEDU_CLASSROOM", str(tmp_path / "class"))
    monkeypatch.setenv("VAEEDU_COURSE", str(made))
    monkeypatch.setenv("PATH", os.environ["PATH"])
    put(tmp_path, **{"mine/old": "kept", "roster.csv": "id,first_name\nada,Ada\n"})
    put(made, **dict.fromkeys(bundle._FILES, "x"))
    put(made, **{"exercises/skeleton.py": "TITLE"})
    packed_in(tmp_path / "handed_out.zip", **{HANDED_OUT: "x"})
    return made


@pytest.fixture
def ready(course, tmp_path):
    """The same, when the class has been graded, so that every command could succeed."""
    assert cli.main(["roster", "import", str(tmp_path / "roster.csv")]) == 0
    put(tmp_path / "class" / "feedback" / "ada" / ASSIGNMENT, **{"01_mini.html": "page"})
    assignment = Assignment(course, ASSIGNMENT)
    from nbgrader.api import Gradebook

    with Gradebook(assignment.config.CourseDirectory.db_url) as gradebook:
        gradebook.update_or_create_assignment(ASSIGNMENT)
    notebook = mini.released_notebook(course)
    for cell in notebook.cells:
        cell.source = RIGHT.get(cell.id, cell.source)
    Store(assignment).save(
        {"student": "ada", "status": "graded", "key": "", "scores": {}, "notebook": notebook,
         "record": {"verdicts": {}}, "reasons": []}
    )  # fmt: skip
    return course


def everything(folder):
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


WRITING = {
    "marks": ("marks", ASSIGNMENT, "--output", "{mine}/old"),
    "feedback-zip": ("feedback-zip", ASSIGNMENT, "{top}/handed_out.zip", "--output", "{mine}/old"),
    "student-bundle": ("student-bundle", "--output", "{mine}/old"),
    "report": ("report", ASSIGNMENT, "--output", "{mine}"),
    "release": ("release", ASSIGNMENT, "--output", "{mine}"),
    "collect": ("collect", "{mine}", "--assignment", ASSIGNMENT),
    "extend": ("extend", "ada", ASSIGNMENT, "2026-01-02T01:00:00+01:00"),
    "new-wrong": ("new-wrong", ASSIGNMENT, "mean", "1"),
}


def run(tmp_path, arguments):
    return cli.main([each.format(top=tmp_path, mine=tmp_path / "mine") for each in arguments])


@pytest.mark.parametrize("command", WRITING)
def test_a_name_that_is_none_leaves_everything_as_it_was(command, course, tmp_path, capsys):
    before = everything(tmp_path)
    arguments = [each.replace(ASSIGNMENT, "01_typo") for each in WRITING[command]]
    if command == "student-bundle":
        arguments.append("01_typo")
    assert run(tmp_path, arguments) == 2
    said = capsys.readouterr().err
    assert "01_typo" in said
    assert said.count("\n") == 1
    assert everything(tmp_path) == before


@pytest.mark.parametrize("command", ["marks", "feedback-zip", "student-bundle", "report", "extend"])
def test_a_disk_that_is_full_leaves_everything_as_it_was(command, ready, tmp_path, monkeypatch, capsys):
    if command == "report":
        put(tmp_path / "mine", **{f"{ASSIGNMENT}.html": "kept", f"{ASSIGNMENT}.csv": "kept"})
    before = everything(tmp_path)

    def full(number):
        raise OSError("no space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(os, "fsync", full)
        assert run(tmp_path, WRITING[command]) == 2
    assert capsys.readouterr().err == "vaeedu: error: no space left on device\n"
    assert everything(tmp_path) == before
    assert run(tmp_path, WRITING[command]) == 0
    assert everything(tmp_path) != before


@pytest.mark.parametrize("number", ["1", "01"])
def test_an_assignment_is_named_by_its_number_wherever_one_is_asked_for(number, ready, tmp_path, capsys):
    for command in ("marks", "feedback-zip", "report", "extend", "student-bundle"):
        arguments = [each.replace(ASSIGNMENT, number) for each in WRITING[command]]
        assert run(tmp_path, arguments + [number] * (command == "student-bundle")) == 0, command
    assert ASSIGNMENT in (tmp_path / "mine" / f"{ASSIGNMENT}.html").read_text()
    capsys.readouterr()
    for arguments, message in (
        (("grade", number, "--explain", "bob"), f"must be one whose {ASSIGNMENT} has been graded"),
        (("similar", number), f"two submissions of {ASSIGNMENT} must"),
        (("new-wrong", number, "median", "1"), "exercise must be one of mean, total"),
        (("release", number, "--output", "{top}/class"), ""),
        (("collect", "{mine}", "--assignment", number), ""),
    ):
        run(tmp_path, arguments)
        said = capsys.readouterr()
        assert message in said.err
        assert "assignment must be one of" not in said.err


@pytest.mark.parametrize("command", ["marks", "feedback-zip", "student-bundle"])
def test_a_folder_is_no_file_to_write(command, ready, tmp_path, capsys):
    before = everything(tmp_path)
    assert run(tmp_path, [each.replace("/old", "") for each in WRITING[command]]) == 2
    assert (
        f"{tmp_path / 'mine'} must be a file, but is a folder: name a file in it" in capsys.readouterr().err
    )
    assert everything(tmp_path) == before


def test_marks_of_nobody_do_not_take_the_place_of_marks(ready, tmp_path, capsys):
    from nbgrader.api import Gradebook

    with Gradebook(Assignment(ready, ASSIGNMENT).config.CourseDirectory.db_url) as gradebook:
        gradebook.remove_student("ada")
    assert run(tmp_path, WRITING["marks"]) == 2
    assert "there must be students in the gradebook, but there is nobody" in capsys.readouterr().err
    assert (tmp_path / "mine" / "old").read_text() == "kept"


def test_the_zip_that_moodle_handed_out_is_not_written_over(ready, tmp_path, capsys):
    before = everything(tmp_path)
    same = ("feedback-zip", ASSIGNMENT, "{top}/handed_out.zip", "--output", "{top}/mine/../handed_out.zip")
    assert run(tmp_path, same) == 2
    assert "must be another than" in capsys.readouterr().err
    assert everything(tmp_path) == before


def test_a_report_whose_table_fails_leaves_the_page_of_before(ready, tmp_path, monkeypatch):
    put(tmp_path / "mine", **{f"{ASSIGNMENT}.html": "kept", f"{ASSIGNMENT}.csv": "kept"})
    before = everything(tmp_path)

    def broken(*_):
        raise ValueError("no table")

    monkeypatch.setattr(page, "write_table", broken)
    assert run(tmp_path, WRITING["report"]) == 2
    assert everything(tmp_path) == before


def test_a_release_does_not_replace_a_folder_that_none_has_made(course, tmp_path, capsys):
    put(tmp_path / "mine" / ASSIGNMENT, **{"notes.txt": "mine"})
    before = everything(tmp_path)
    assert run(tmp_path, WRITING["release"]) == 2
    assert "or a folder that vaeedu release made, but has no checks.json" in capsys.readouterr().err
    assert everything(tmp_path) == before


def test_half_a_new_assignment_is_taken_back(course, tmp_path, monkeypatch, capsys):
    before = everything(tmp_path)
    write = new.write_whole

    def failing(path, data):
        if path.suffix == ".ipynb":
            path.parent.mkdir(parents=True)
            raise OSError("no space left on device")
        write(path, data)

    monkeypatch.setattr(new, "write_whole", failing)
    assert cli.main(["new-assignment", "12", "sequences"]) == 2
    assert "no space left" in capsys.readouterr().err
    assert everything(tmp_path) == before
    assert not (course / "solutions" / "12_sequences").exists()
    monkeypatch.setattr(new, "write_whole", write)
    assert cli.main(["new-assignment", "12", "sequences"]) == 0


@pytest.mark.parametrize("what", ["handed in", "enrolled"])
def test_people_in_a_classroom_that_a_demonstration_made_are_not_cleared_away(what, ready, tmp_path):
    room = tmp_path / "class"
    (room / demo._MARKER).touch()
    if what == "handed in":
        (room / "gradebook.db").unlink()
        put(room / "submitted" / "zoe" / ASSIGNMENT, **{"01_mini.ipynb": "hers"})
    for own in set(room.iterdir()) - {room / name for name in (*demo._MADE, demo._MARKER)}:
        own.rename(tmp_path / own.name)
    before = everything(room)
    named = f"submitted/zoe/{ASSIGNMENT}" if what == "handed in" else "the student ada"
    with pytest.raises(ValueError, match=f"holds {named}: move that class away"):
        demo._clear(room, {"blaise"})
    assert everything(room) == before
