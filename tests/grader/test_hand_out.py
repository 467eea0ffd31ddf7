"""What goes to students and what comes from them: the bundle, `make check`, `vaeedu marks`."""

import csv
import io
import json
import os
import re
import subprocess
import sys
import zipfile
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import nbformat
import pytest
from support import mini_course as mini
from support.handed_in import packed_in, put
from support.mini_course import ASSIGNMENT, NOTEBOOK, RIGHT, hand_in

from vaeedu import cli
from vaeedu.feedback import progress
from vaeedu.feedback.hints import read_hints
from vaeedu_grader.authoring.answered import filled_in, source_of
from vaeedu_grader.authoring.bundle import make_bundle
from vaeedu_grader.authoring.course import assignments, exercises
from vaeedu_grader.authoring.exercise import answer_key
from vaeedu_grader.gradebook.marks import LateDays, days_late

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def bundle(tmp_path_factory):
    """The students' zip, unpacked."""
    folder = tmp_path_factory.mktemp("bundle")
    make_bundle(ROOT, folder / "course.zip")
    with zipfile.ZipFile(folder / "course.zip") as archive:
        archive.extractall(folder)
    return folder / "vaeedu-course"


def test_the_bundle_has_what_students_need(bundle):
    for name in ("Makefile", "README.md", "LICENSE", "pyproject.toml", "constraints.txt", "vaeedu/py.typed"):
        assert (bundle / name).is_file(), name
    for path in (ROOT / "vaeedu").rglob("*"):
        assert "__pycache__" in path.parts or (bundle / path.relative_to(ROOT)).exists(), path
    assert sorted(p.name for p in (bundle / "assignments").iterdir()) == assignments(ROOT)
    for lecture in (ROOT / "lectures").glob("*.ipynb"):
        assert (bundle / "lectures" / lecture.name).read_bytes() == lecture.read_bytes()
    for name in assignments(ROOT):
        kept = sorted(path.name for path in (bundle / "assignments" / name).iterdir())
        assert kept == sorted([f"{name}.ipynb", "checks.json"])


def telling(exercise, part):
    """How a part's answers begin in a file of keys, or its inputs where there is no one answer."""
    key = answer_key(replace(exercise, wrong=()), part).to_json()  # no answer of another kind is asked for
    return json.dumps(key["expected"] if exercise.goal is None else key["inputs"])[:200]


def test_the_bundle_tells_no_answer(bundle):
    texts = {
        path.relative_to(bundle).as_posix(): path.read_bytes() for path in bundle.rglob("*") if path.is_file()
    }
    everything = b"\n".join(texts.values()).decode("utf-8", "replace")
    tops = {name.split("/")[0] for name in texts}
    assert not tops & {"solutions", "exercises", "tests", "classroom", "benchmarks", "docs", ".git", ".ci"}
    for phrase in ("### BEGIN SOLUTION", "### BEGIN HIDDEN", "### BEGIN MARK"):
        assert phrase not in everything
    for name in assignments(ROOT):
        for exercise in exercises(ROOT, name).values():
            for wrong in exercise.wrong:
                if wrong.loses == ("hidden",):
                    assert json.dumps(wrong.message, ensure_ascii=False)[1:60] not in everything
            for function in exercise.alternatives:
                assert f"def {function.__name__}(" not in everything
            assert telling(exercise, "hidden") not in everything
            # So is what students may know written there: it would be found.
            assert telling(exercise, "visible") in texts[f"assignments/{name}/checks.json"].decode()
    assert not [name for name in texts if "vaeedu_grader" in name]
    assert {"vaeedu/feedback/examine.py", "vaeedu/feedback/rehearsal.py"} <= set(texts)


def test_the_same_course_gives_the_same_zip_and_some_assignments_may_be_left_out(tmp_path):
    first = make_bundle(ROOT, tmp_path / "a.zip")
    assert make_bundle(ROOT, tmp_path / "b.zip") == first
    assert (tmp_path / "a.zip").read_bytes() == (tmp_path / "b.zip").read_bytes()
    some = make_bundle(ROOT, tmp_path / "c.zip", only=(assignments(ROOT)[0],))
    assert {name.split("/")[2] for name in some if "/assignments/" in name} == {assignments(ROOT)[0]}
    with pytest.raises(ValueError, match=r"assignment must be one of .* but is 'nope'"):
        make_bundle(ROOT, tmp_path / "d.zip", only=("nope",))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.zip", "b.zip", "c.zip"]


def in_bundle(bundle, *arguments, switch="-m"):
    environment = {**os.environ, "PYTHONPATH": str(bundle), "OMP_NUM_THREADS": "1"}
    return subprocess.run(
        [sys.executable, "-W", "ignore", switch, *arguments],
        cwd=bundle,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.slow
def test_a_student_checks_the_work_with_nothing_but_the_bundle(bundle):
    name = "03_information_and_divergence"
    path = bundle / "assignments" / name / f"{name}.ipynb"
    untouched = path.read_bytes()
    described = exercises(ROOT, name)
    first, *others = described.values()
    answers = {e.name: source_of(e.reference, e.name) for e in others}
    answers[first.name] = source_of(first.wrong[0].function, first.name)
    answers[others[0].name] = f"import vaeedu.divergences\n{answers[others[0].name]}"
    nbformat.write(filled_in(path, answers), path)
    done = in_bundle(bundle, "vaeedu.cli", "check", "03")
    path.write_bytes(untouched)
    noted = progress.read(bundle)
    (bundle / progress.FILE).unlink()
    assert done.returncode == 1, done.stdout + done.stderr[-2000:]
    assert done.stderr == ""
    shown = [line[2:] for line in done.stdout.splitlines() if line[0] in "✓✗"]
    assert shown == list(described)  # in the notebook's order, which is that of the exercises
    assert f"✗ {first.name}\n" in done.stdout
    assert first.wrong[0].message in done.stdout
    assert f"✗ {others[0].name}\n    there is no function {others[0].name}" in done.stdout
    assert all(f"✓ {e.name}\n" in done.stdout for e in others[1:])
    right, total = len(described) - 2, len(described)
    assert done.stdout.endswith(f"{right} of {total} exercises pass their visible tests\n")
    assert noted == {name: {first.name: "tried", **{e.name: "passed" for e in others[1:]}}}


def test_the_bundle_has_no_hint_and_says_so(bundle):
    texts = [path.read_bytes() for path in bundle.rglob("*") if path.is_file() and path.suffix != ".npz"]
    everything = b"\n".join(texts).decode("utf-8", "replace")
    found = 0
    for name in assignments(ROOT):
        for exercise, help_ in read_hints(ROOT / "exercises" / "hints" / f"{name}.md").items():
            for part in ("Idea", "Why"):  # formulas, and a first line, may also be in a lecture
                for sentence in re.split(r"(?<=[.?]) ", help_.parts[part]):
                    assert sentence not in everything or len(sentence) < 40, (exercise, sentence)
                    found += len(sentence) >= 40
    assert found > 300
    done = in_bundle(bundle, "import vaeedu; vaeedu.hint('als_sweep')", switch="-c")
    assert "copies of the course that an instructor hands out have no hints" in done.stderr


def test_what_cannot_be_checked_is_one_line(bundle, tmp_path):
    done = in_bundle(bundle, "vaeedu.cli", "check", "99")
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert "assignment must be one of 01_a_map" in done.stderr


def test_a_students_copy_has_no_instructors_commands(bundle):
    # This environment knows where the whole course is; a student's knows of the copy only.
    forget = "sys.meta_path = [finder for finder in sys.meta_path if '__editable__' not in str(finder)]"
    program = f"import sys; {forget}; import vaeedu.cli; sys.exit(vaeedu.cli.main())"
    done = in_bundle(bundle, program, "grade", "02", switch="-c")
    assert done.returncode == 2
    assert "invalid choice: 'grade'" in done.stderr


def test_late_days_count_begun_days():
    due = datetime(2026, 1, 1, 12)
    assert [days_late(datetime(2026, 1, d, h), due) for d, h in ((1, 11), (1, 12), (1, 13), (2, 12), (2, 13))] == [
        0, 0, 1, 1, 2,
    ]  # fmt: skip
    assert days_late(None, due) == days_late(due, None) == 0
    for wrong in ({"free": -1}, {"penalty": 1.5}, {"penalty": float("nan")}):
        with pytest.raises(ValueError, match="must be"):
            LateDays(**wrong)


def test_marks_are_written_with_late_days(tmp_path, monkeypatch, capsys, in_kiritimati):
    course, room = mini.make_course(tmp_path / "course"), tmp_path / "class"
    hand_in(course, room, "ada", timestamp="2026-01-03 00:00:01 UTC")
    hand_in(course, room, "=cmd", {}, timestamp="2026-01-01 00:00:00 UTC")
    assert mini.vaeedu(course, room, "grade", ASSIGNMENT, "--jobs", "2").returncode == 0
    from nbgrader.api import Gradebook

    with Gradebook(f"sqlite:///{room / 'gradebook.db'}") as gradebook:
        gradebook.update_or_create_assignment(ASSIGNMENT, duedate=datetime(2026, 1, 1))
        gradebook.add_student(
            "zoe", first_name="Zoe", last_name="+1", email="z@example.org", lms_user_id="z7"
        )
    monkeypatch.chdir(course)
    monkeypatch.setenv("VAEEDU_CLASSROOM", str(room))
    # The configuration sets these; monkeypatch puts them back.
    monkeypatch.setenv("VAEEDU_COURSE", str(course))
    monkeypatch.setenv("PATH", os.environ["PATH"])

    def marks(*arguments):
        code = cli.main(["marks", *map(str, arguments)])
        return code, *capsys.readouterr()

    rule = ("--free-late-days", "1", "--late-penalty", "0.1")
    code, out, err = marks(ASSIGNMENT, *rule)
    assert code == 0, err
    table = out
    rows = {row["student_id"]: row for row in csv.DictReader(io.StringIO(table))}
    ada = rows["ada"]
    assert [ada[n] for n in ("points", "max_points", "late_days", "free_days_used", "penalty", "score")] == [
        "6", "8", "3", "1", "1.2", "4.8",
    ]  # fmt: skip
    assert (ada["status"], ada["by_hand"], ada["timestamp"]) == ("graded", "1", "2026-01-03 00:00:01")
    assert rows["'=cmd"]["score"] == "0"
    assert (rows["zoe"]["status"], rows["zoe"]["score"], rows["zoe"]["last_name"]) == ("missing", "0", "'+1")
    assert "1 submissions wait for marking by hand" in err

    def extended(*arguments):
        code = cli.main(["extend", *arguments])
        return code, *capsys.readouterr()

    until = "2026-01-02T01:00:00+01:00"
    assert extended("ada", ASSIGNMENT, until)[:2] == (0, f"ada, {ASSIGNMENT}: due 2026-01-02 00:00 UTC\n")
    (own,) = [r for r in csv.DictReader(io.StringIO(marks(ASSIGNMENT, *rule)[1])) if r["student_id"] == "ada"]
    assert [own[n] for n in ("late_days", "free_days_used", "penalty", "score")] == ["2", "1", "0.6", "5.4"]
    for wrong, message in (
        (("eve", ASSIGNMENT, until), "must be in the roster, but 'eve' is not"),
        (("ada", ASSIGNMENT, "2026-01-02"), "DATE must say its zone"),
        (("ada", "99_nothing", until), "assignment must be one of"),
    ):
        code, out, err = extended(*wrong)
        assert (code, out, err.count("\n")) == (2, "", 1)
        assert message in err
    assert extended("ada", ASSIGNMENT, "none")[0] == 0
    assert marks(ASSIGNMENT, *rule)[1] == table

    def laid_out(layout):
        code, out, _ = marks(ASSIGNMENT, *rule, "--format", layout)
        assert code == 0
        return list(csv.reader(io.StringIO(out)))

    assert laid_out("moodle") == [
        ["First name", "Surname", "ID number", "Email address", "Assignment: 01_mini"],
        ["", "", "=cmd", "", "0"], ["", "", "ada", "", "4.8"], ["Zoe", "+1", "zoe", "z@example.org", "0"],
    ]  # fmt: skip
    assert laid_out("canvas") == [
        ["Student", "ID", "SIS User ID", "SIS Login ID", "Section", "01_mini"],
        ["    Points Possible", "", "", "", "", "8"],
        ["=cmd", "", "=cmd", "=cmd", "", "0"], ["ada", "", "ada", "ada", "", "4.8"],
        ["+1, Zoe", "z7", "zoe", "zoe", "", "0"],
    ]  # fmt: skip
    code, out, err = marks(ASSIGNMENT, "--format", "excel")
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert "must be one of csv, moodle, canvas, but is 'excel'" in err
    kept = put(tmp_path, **{"marks.csv": "kept"}) / "marks.csv"
    code, out, err = marks("99_nothing", "--output", kept)
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert kept.read_text() == "kept"
    assert marks(ASSIGNMENT, *rule, "--output", kept)[:2] == (0, "")
    assert {row["student_id"]: row for row in csv.DictReader(io.StringIO(kept.read_text()))} == rows
    assert sorted(path.name for path in tmp_path.iterdir()) == ["class", "course", "marks.csv"]


def test_feedback_goes_back_in_the_folders_that_moodle_knows(tmp_path, monkeypatch, capsys):
    course, room = mini.make_course(tmp_path / "course"), tmp_path / "class"
    monkeypatch.chdir(course)
    monkeypatch.setenv("VAEEDU_CLASSROOM", str(room))
    monkeypatch.setenv("VAEEDU_COURSE", str(course))
    monkeypatch.setenv("PATH", os.environ["PATH"])
    put(tmp_path, **{"roster.csv": "id,first_name,last_name\nada,Ada,Lovelace\nbob,Bob,Ross\ncem,Cem,Can\n"})
    assert cli.main(["roster", "import", str(tmp_path / "roster.csv")]) == 0
    names = [
        f"{name}_{n}_assignsubmission_file_/hw.ipynb" for n, name in ((7, "Ada Lovelace"), (8, "Bob Ross"))
    ]
    source, target = packed_in(tmp_path / "in.zip", **dict.fromkeys(names, "x")), tmp_path / "out.zip"

    def packed(source):
        capsys.readouterr()
        code = cli.main(["feedback-zip", ASSIGNMENT, str(source), "--output", str(target)])
        return code, *capsys.readouterr()

    code, _, err = packed(source)
    assert (code, err.count("\n"), target.exists()) == (2, 1, False)
    assert "there must be feedback pages, but there are none: nbgrader generate_feedback 01_mini" in err
    put(room / "feedback" / "ada" / ASSIGNMENT, **{"01_mini.html": "ada's"})
    put(room / "feedback" / "cem" / ASSIGNMENT, **{"01_mini.html": "cem's"})
    assert packed(source) == (1, f"{target}: 1 pages\n", "no feedback page: bob\n")
    put(room / "feedback" / "bob" / ASSIGNMENT, **{"01_mini.html": "bob's"})
    assert packed(source) == (0, f"{target}: 2 pages\n", "")
    with zipfile.ZipFile(target) as archive:
        assert {name: archive.read(name) for name in archive.namelist()} == {
            "Ada Lovelace_7_assignsubmission_file_/01_mini.html": b"ada's",
            "Bob Ross_8_assignsubmission_file_/01_mini.html": b"bob's",
        }
    other = packed_in(tmp_path / "other.zip", **{"ada/hw.ipynb": "x"})
    code, _, err = packed(other)
    assert (code, err.count("\n")) == (2, 1)
    assert "other.zip must be Moodle's zip of submissions" in err


def test_the_command_collects_into_the_class(tmp_path):
    course, room = mini.make_course(tmp_path / "course"), tmp_path / "class"
    came = "2026-01-03 00:00:01 UTC"
    unchanged = hand_in(course, room, "bob", {}, timestamp=came) / NOTEBOOK
    (hand_in(course, room, "ada", timestamp=came) / NOTEBOOK).write_text("[]")  # rejected, which is soon done
    assert mini.vaeedu(course, room, "grade", ASSIGNMENT).returncode == 0  # enrols both
    source = tmp_path / "in"
    answers = {**RIGHT, "mean": "def mean(x):\n    return x.sum(dim=0)"}
    written = hand_in(course, tmp_path / "elsewhere", "x", answers) / NOTEBOOK
    put(source, **{"ada_homework.ipynb": written.read_text(), "who.ipynb": "?"})
    put(source, **{f"bob/{NOTEBOOK}": unchanged.read_text()})
    done = mini.vaeedu(course, room, "collect", source, "--assignment", ASSIGNMENT)
    assert done.returncode == 1
    assert done.stdout == (
        "ada: ada_homework.ipynb\nbob: 01_mini.ipynb\n2 submissions of 01_mini; "
        "none counts as late, for files do not say when they were handed in\n"
    )
    before = {key: value[-1] for key, value in mini.scores(f"sqlite:///{room / 'gradebook.db'}").items()}
    assert set(before.values()) == {datetime(2026, 1, 3, 0, 0, 1)}
    assert done.stderr == "not taken: who.ipynb is of nobody in the roster\n"
    text = mini.vaeedu(course, room, "grade", ASSIGNMENT).stdout
    assert "flagged        3        1  renamed to ada_homework.ipynb, taken as 01_mini.ipynb" in text
    after = {key: value[-1] for key, value in mini.scores(f"sqlite:///{room / 'gradebook.db'}").items()}
    assert after == dict.fromkeys(before)  # also bob's, though his files are the same
