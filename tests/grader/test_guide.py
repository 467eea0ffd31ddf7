"""The instructor's guide, followed from an empty folder: a platform's zip in, its marks and its feedback out."""

import csv
import io
import json
import os
import subprocess
import sys
import zipfile

import pytest
from support import mini_course as mini
from support.mini_course import ASSIGNMENT, NOTEBOOK, RIGHT, hand_in
from support.sandboxes import obstacle

ROSTER = (
    "\ufeffid;last_name;first_name;email;lms_user_id\r\n"
    "al1;Lovelace;Ada;ada@example.org;9001\r\nbr2;Müller;Jürgen;jm@example.org;9002\r\n"
)
WRONG = {**RIGHT, "mean": "def mean(x):\n    return x.sum(dim=0)"}
PLATFORMS = {
    "canvas": ("lovelaceada_9001_77_01_mini.ipynb", "mullerjurgen_LATE_9002_78_01_mini-1.ipynb"),
    "moodle": (
        "Ada Lovelace_41_assignsubmission_file_/01_mini.ipynb",
        "Jürgen Müller_42_assignsubmission_file_/01_mini.ipynb",
    ),
}


def downloaded(course, folder, names):
    """A zip as the platform makes it, whose entries have the time of the download."""
    with zipfile.ZipFile(folder / "in.zip", "w") as archive:
        for name, answers in zip(names, (RIGHT, WRONG), strict=True):
            path = hand_in(course, folder / f"work-{len(archive.namelist())}", "x", answers) / NOTEBOOK
            archive.write(path, name)
        archive.writestr("__MACOSX/._x", "")
    return folder / "in.zip"


@pytest.mark.slow
@pytest.mark.parametrize("platform", ["canvas", pytest.param("moodle", marks=pytest.mark.full)])
def test_the_guide_from_an_empty_folder(tmp_path, platform):
    if obstacle():
        pytest.skip(obstacle())
    course, room = mini.make_course(tmp_path / "course"), tmp_path / "class"

    def vaeedu(*arguments, code=0):
        done = mini.vaeedu(course, room, *arguments)
        assert done.returncode == code, done.stdout + done.stderr
        return done

    def nbgrader(*arguments):
        subprocess.run(
            [sys.executable, "-m", "nbgrader", *arguments],
            cwd=course,
            env={**os.environ, "VAEEDU_CLASSROOM": str(room)},
            capture_output=True,
            check=True,
        )

    (tmp_path / "roster.csv").write_text(ROSTER, encoding="utf-8")
    assert vaeedu("roster", "import", tmp_path / "roster.csv").stdout == "2 students, 2 of them new\n"
    nbgrader("db", "assignment", "add", ASSIGNMENT, "--duedate=2026-01-02 23:59 UTC")
    source = downloaded(course, tmp_path, PLATFORMS[platform])
    collected = vaeedu("collect", source, "--assignment", ASSIGNMENT)
    assert "2 submissions of 01_mini" in collected.stdout
    assert collected.stderr == ""
    assert ("marked late by Canvas" in collected.stdout) == (platform == "canvas")
    graded = vaeedu("grade", ASSIGNMENT, "--jobs", "2")
    assert "2 graded" in graded.stdout
    assert {line.split(" ")[1] for line in graded.stderr.splitlines()} == {"al1:", "br2:"}

    table = vaeedu("marks", ASSIGNMENT, "--late-penalty", "0.5", "--format", platform).stdout
    rows = list(csv.reader(io.StringIO(table)))
    if platform == "canvas":
        assert rows[2:] == [
            ["Lovelace, Ada", "9001", "al1", "al1", "", "6"],
            ["Müller, Jürgen", "9002", "br2", "br2", "", "1.5"],  # three points, and a day late
        ]
    else:
        assert [row[2:] for row in rows[1:]] == [
            ["al1", "ada@example.org", "6"],
            ["br2", "jm@example.org", "3"],
        ]

    nbgrader("generate_feedback", ASSIGNMENT)
    for student, state in (("al1", "✓ right"), ("br2", "✗ not right")):
        page = room / "feedback" / student / ASSIGNMENT / f"{ASSIGNMENT}.html"
        assert state in page.read_text(encoding="utf-8")
    if platform == "moodle":
        vaeedu("feedback-zip", ASSIGNMENT, source, "--output", tmp_path / "out.zip")
        with zipfile.ZipFile(tmp_path / "out.zip") as archive:
            folders = [name.split("/")[0] for name in PLATFORMS["moodle"]]
            assert sorted(archive.namelist()) == sorted(f"{folder}/{ASSIGNMENT}.html" for folder in folders)

    vaeedu("report", ASSIGNMENT)
    report = (room / "report" / f"{ASSIGNMENT}.html").read_text(encoding="utf-8")
    assert "A sum is no mean." in report
    assert "0 pairs share 50% or more" in vaeedu("similar", ASSIGNMENT).stdout
    assert json.loads((room / "graded" / ASSIGNMENT / "br2.json").read_text())["record"]["attempts"] == 1
