"""`vaeedu collect` and `vaeedu roster import`: whose a file is, when it came, and what is no submission."""

import csv
import io
import os
import stat
import unicodedata
import zipfile
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from support import mini_course as mini
from support.handed_in import packed_in, put
from support.mini_course import ASSIGNMENT

from vaeedu import cli
from vaeedu_grader.assignment import Assignment
from vaeedu_grader.gradebook.classroom import Classroom
from vaeedu_grader.gradebook.marks import days_late
from vaeedu_grader.gradebook.nbgrader import open_gradebook
from vaeedu_grader.gradebook.roster import read_roster
from vaeedu_grader.intake.collect import Person, collect
from vaeedu_grader.intake.files import read_files
from vaeedu_grader.intake.tables import read_times

ROSTER = (
    Person("ada", "Ada", "Lovelace", "ada@example.org"),
    Person("ada_b", "Ada", "Byron"),
    Person("s123", "José", "García Márquez"),
)


@pytest.mark.parametrize("packed", [False, True])
def test_submissions_are_found_by_every_platforms_names(tmp_path, packed):
    names = {
        "ada/01_mini.ipynb": "1",
        "Ada Byron_77_assignsubmission_file_/01_mini.ipynb": "2",
        "garciamarquezjose_LATE_9_8_my work.ipynb": "3",
        "ada/helper.py": "4",
        "stranger_1_2_x.ipynb": "5",
        "ada/run.exe": "6",
        "s123/sub/my work.ipynb": "7",
    }
    source = put(tmp_path / "in", **names)
    if packed:
        with zipfile.ZipFile(tmp_path / "in.zip", "w") as archive:
            for name in names:
                archive.write(source / name, name)
        source = tmp_path / "in.zip"
    found = collect(source, tmp_path / "out", ASSIGNMENT, ROSTER)
    assert dict(found.files) == {
        "ada": ("01_mini.ipynb", "helper.py"),
        "ada_b": ("01_mini.ipynb",),
        "s123": ("my work.ipynb",),
    }
    assert (tmp_path / "out" / "ada" / ASSIGNMENT / "01_mini.ipynb").read_text() == "1"
    assert (tmp_path / "out" / "ada_b" / ASSIGNMENT / "01_mini.ipynb").read_text() == "2"
    assert sorted(problem.split(" is ")[0] for problem in found.problems) == [
        "ada/run.exe", "s123/sub/my work.ipynb", "stranger_1_2_x.ipynb",
    ]  # fmt: skip
    # Files have the time of the download: nobody is late by it.
    assert not list((tmp_path / "out").rglob("timestamp.txt"))


def test_names_are_found_in_the_letters_that_a_platform_makes_of_them(tmp_path):
    roster = (*ROSTER, Person("s9", "Élie", "Østergård"))
    names = {"ostergardelie_9_8_hw.ipynb": "1"}
    assert set(collect(put(tmp_path / "in", **names), tmp_path / "out", ASSIGNMENT, roster).files) == {"s9"}


def test_a_new_collection_replaces_whole_submissions_and_no_others(tmp_path):
    out = tmp_path / "out"
    put(out / "ada" / ASSIGNMENT, **{"old.ipynb": "old", "timestamp.txt": "2026-01-01 00:00:00 UTC"})
    put(out / "s123" / ASSIGNMENT, **{"kept.ipynb": "kept"})
    collect(put(tmp_path / "in", **{"ada_hw.ipynb": "new"}), out, ASSIGNMENT, ROSTER)
    assert sorted(p.name for p in (out / "ada" / ASSIGNMENT).iterdir()) == ["ada_hw.ipynb"]
    assert (out / "s123" / ASSIGNMENT / "kept.ipynb").read_text() == "kept"
    assert sorted(p.name for p in (out / "ada").iterdir()) == [ASSIGNMENT]


def test_a_submission_that_cannot_be_written_leaves_the_earlier_one(tmp_path, monkeypatch):
    out = tmp_path / "out"
    put(out / "ada" / ASSIGNMENT, **{"old.ipynb": "old"})
    source, rename = put(tmp_path / "in", **{"ada_hw.ipynb": "new"}), Path.rename

    def refusing(self, target):
        if self.name == "new":
            raise OSError("no")
        return rename(self, target)

    monkeypatch.setattr(Path, "rename", refusing)
    with pytest.raises(OSError, match="no"):
        collect(source, out, ASSIGNMENT, ROSTER)
    assert [p.relative_to(out).as_posix() for p in out.rglob("*.*")] == [f"ada/{ASSIGNMENT}/old.ipynb"]


def test_a_stranger_cannot_hand_in_for_somebody_by_naming_files_so(tmp_path):
    names = {"A Stranger_1_assignsubmission_file_/ada/hw.ipynb": "bad", "ada/hw.ipynb": "good"}
    found = collect(packed_in(tmp_path / "in.zip", **names), tmp_path / "out", ASSIGNMENT, ROSTER)
    assert (tmp_path / "out" / "ada" / ASSIGNMENT / "hw.ipynb").read_text() == "good"
    assert len(found.problems) == 1
    assert "is of nobody in the roster" in found.problems[0]


def test_one_file_that_cannot_be_unpacked_or_named_does_not_stop_the_others(tmp_path):
    source = packed_in(
        tmp_path / "in.zip",
        **{f"ada/{'字' * 140}.csv": "long", "ada/damaged.csv": "x" * 999, "s123/hw.ipynb": "kept"},
    )
    data = bytearray(source.read_bytes())
    start = data.index(b"damaged.csv") + len("damaged.csv")
    data[start : start + 4] = b"\xff" * 4
    source.write_bytes(data)
    found = collect(source, tmp_path / "out", ASSIGNMENT, ROSTER)
    assert found.problems == ("ada/damaged.csv cannot be unpacked: error",)
    assert set(found.files) == {"ada", "s123"}
    (name,) = found.files["ada"]
    assert name.endswith("字.csv")
    assert (tmp_path / "out" / "ada" / ASSIGNMENT / name).read_text() == "long"


def test_links_bombs_and_paths_that_lead_out_do_no_harm(tmp_path):
    source = tmp_path / "in.zip"
    link = zipfile.ZipInfo("ada/link.ipynb")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    with zipfile.ZipFile(source, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(link, "/etc/passwd")
        archive.writestr("ada/../../../../tmp/evil.ipynb", "x")
        archive.writestr("/ada/absolute.ipynb", "y")
        archive.writestr("ada/bomb.ipynb", bytes(30 * 2**20))
    before = sorted(path.name for path in tmp_path.iterdir())
    found = collect(source, tmp_path / "out", ASSIGNMENT, ROSTER)
    assert dict(found.files) == {"ada": ("absolute.ipynb", "evil.ipynb")}
    assert any("link.ipynb is no file" in problem for problem in found.problems)
    assert any("bomb.ipynb is larger than 20 MiB" in problem for problem in found.problems)
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted([*before, "out"])
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "ada.ipynb").symlink_to("/etc/passwd")
    assert collect(tmp_path / "folder", tmp_path / "out", ASSIGNMENT, ROSTER).files == {}
    with pytest.raises(ValueError, match="source must be a folder or a zip, but"):
        collect(tmp_path / "nothing.zip", tmp_path / "out", ASSIGNMENT, ROSTER)


def zipped(path, *names, flag=0):
    """A zip whose names are written in UTF-8 without saying so, as macOS and many servers do."""
    with zipfile.ZipFile(path, "w") as archive:
        for name in names:
            archive.writestr(zipfile.ZipInfo("x" * len(name.encode())), name)
    data = path.read_bytes()
    for name in names:
        data = data.replace(b"x" * len(name.encode()), name.encode())
    path.write_bytes(data)
    return path


@pytest.mark.parametrize("form", ["NFC", "NFD"])
@pytest.mark.parametrize("known", ["NFC", "NFD"])
def test_names_in_utf_8_are_read_whether_the_zip_says_so_or_not(tmp_path, form, known):
    roster = [Person("jürgen", "Jürgen", "Müller"), Person("zoë")]
    roster = [replace(p, id=unicodedata.normalize(known, p.id)) for p in roster]
    names = ["Jürgen Müller_7_assignsubmission_file_/hw.ipynb", "zoë/hw.ipynb"]
    names = [unicodedata.normalize(form, name) for name in names]
    silent = zipped(tmp_path / "silent.zip", *names)
    assert all(not entry.flag_bits & 0x800 for entry in zipfile.ZipFile(silent).infolist())
    saying = packed_in(tmp_path / "saying.zip", **dict.fromkeys(names, "x"))
    for source in (silent, saying, put(tmp_path / "in", **dict.fromkeys(names, "x"))):
        found = collect(source, tmp_path / "out", ASSIGNMENT, roster)
        assert (set(found.files), found.problems) == ({person.id for person in roster}, ())


def test_names_in_the_old_code_page_are_still_read(tmp_path):
    source = tmp_path / "in.zip"
    with zipfile.ZipFile(source, "w") as archive:
        archive.writestr(zipfile.ZipInfo("zo%/hw.ipynb"), "x")
    source.write_bytes(source.read_bytes().replace(b"zo%", "zoë".encode("cp437")))
    assert set(collect(source, tmp_path / "out", ASSIGNMENT, [Person("zoë")]).files) == {"zoë"}


def test_what_systems_and_editors_leave_is_nobodys_and_no_problem(tmp_path):
    left = [
        "__MACOSX/ada/._hw.ipynb",
        "ada/.DS_Store",
        "ada/._hw.ipynb",
        "ada/.ipynb_checkpoints/hw-checkpoint.ipynb",
    ]
    names = dict.fromkeys([*left, "ada/hw.ipynb", "Thumbs.db"], "x")
    for source in (packed_in(tmp_path / "in.zip", **names), put(tmp_path / "in", **names)):
        found = collect(source, tmp_path / "out", ASSIGNMENT, ROSTER)
        assert (dict(found.files), found.problems) == ({"ada": ("hw.ipynb",)}, ())


def test_folders_beside_the_notebook_stay_as_the_notebook_sees_them(tmp_path):
    names = [
        "ada/my work/01_mini.ipynb",
        "ada/my work/data/a.csv",
        "ada/my work/data/deep/b.npy",
        "ada/notes.txt",
    ]
    names += ["ada_b/data/a.csv", "ada_b/01_mini.ipynb", "ada_b/old/01_mini.ipynb", "s123/hw/hw.ipynb.txt"]
    found = collect(put(tmp_path / "in", **dict.fromkeys(names, "x")), tmp_path / "out", ASSIGNMENT, ROSTER)
    assert dict(found.files) == {
        "ada": ("01_mini.ipynb", "data/a.csv", "data/deep/b.npy", "notes.txt"),
        "ada_b": ("01_mini.ipynb", "data/a.csv"),
        "s123": ("hw.ipynb.txt",),
    }
    assert found.problems == (
        "ada_b/old/01_mini.ipynb is a second 01_mini.ipynb of ada_b: the first was taken",
    )
    assert (tmp_path / "out" / "ada" / ASSIGNMENT / "data" / "deep" / "b.npy").read_text() == "x"
    assert read_files(tmp_path / "out" / "ada" / ASSIGNMENT).keys() == set(found.files["ada"])


def test_a_platforms_folder_is_its_names_and_no_ids_that_it_begins_with(tmp_path):
    names = {"ann m. smith_77_assignsubmission_file_/hw.ipynb": "smith's", "ann/hw.ipynb": "ann's"}
    roster = [Person("ann", "Ann", "Lee"), Person("s7", "Ann M.", "Smith")]
    found = collect(put(tmp_path / "in", **names), tmp_path / "out", ASSIGNMENT, roster)
    assert (dict(found.files), found.problems) == ({"ann": ("hw.ipynb",), "s7": ("hw.ipynb",)}, ())
    assert (tmp_path / "out" / "ann" / ASSIGNMENT / "hw.ipynb").read_text() == "ann's"
    found = collect(tmp_path / "in", tmp_path / "out", ASSIGNMENT, roster[:1])
    assert found.problems == ("ann m. smith_77_assignsubmission_file_/hw.ipynb is of nobody in the roster",)


def timestamp(folder, student):
    path = folder / student / ASSIGNMENT / "timestamp.txt"
    return path.read_text() if path.exists() else None


def test_times_come_from_a_table_or_canvass_mark_and_from_no_file(tmp_path, in_kiritimati):
    names = ["ada_LATE_1_2_hw.ipynb", "s123_LATE_3_4_hw.ipynb", "ada_b/hw.ipynb"]
    table = tmp_path / "times.csv"
    table.write_bytes(
        "\ufeffID;Time\r\nada;2026-01-03T00:30:00+01:00\r\nada_b;2026-01-01 10:00:00 UTC\r\n".encode()
    )
    source = packed_in(tmp_path / "in.zip", **dict.fromkeys(names, "x"))
    due, out = datetime(2026, 1, 1, 12, tzinfo=UTC), tmp_path / "out"
    found = collect(source, out, ASSIGNMENT, ROSTER, times=read_times(table), due=due)
    assert [timestamp(out, s) for s in ("ada", "ada_b", "s123")] == [
        "2026-01-02 23:30:00 UTC", "2026-01-01 10:00:00 UTC", "2026-01-01 12:00:01 UTC",
    ]  # fmt: skip
    assert (found.late, len(found.times)) == (("s123",), 3)
    naive = {student: time.astimezone(UTC).replace(tzinfo=None) for student, time in found.times.items()}
    assert [days_late(naive[s], due.replace(tzinfo=None)) for s in ("ada", "ada_b", "s123")] == [2, 0, 1]
    found = collect(source, out, ASSIGNMENT, ROSTER)
    assert (found.times, found.late) == ({}, ("ada", "s123"))
    assert not list(out.rglob("timestamp.txt"))
    with pytest.raises(ValueError, match="times must be of people in the roster, but 'eve' is not in it"):
        collect(source, out, ASSIGNMENT, ROSTER, times={"eve": due})


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("id,time\nada,soon\n", "times.csv, line 2: time must be like 2026-01-31T23:59:00"),
        ("id,time\n\nada,2026-01-31 23:59\n", "line 3: time must say its zone, such as 2026-01-31 23:59"),
        (
            "id,time\nada,2026-01-31T00:00Z\nada,2026-01-31T01:00Z\n",
            "line 3: 'ada' must have one time, but has two",
        ),
        ("id\nada\n", "line 2: time must be like"),
        ("name,time\nada,2026-01-31T00:00Z\n", "one of them 'id' .*but begins with 'name, time'"),
        ("", "must have a line of column names"),
    ],
)
def test_a_table_of_times_that_says_none_is_refused(tmp_path, text, message):
    put(tmp_path, **{"times.csv": text})
    with pytest.raises(ValueError, match=message):
        read_times(tmp_path / "times.csv")
    with pytest.raises(ValueError, match="must be a table that can be read, but: No such file"):
        read_times(tmp_path / "none.csv")


CLASS = [Person("ada", "Ada", "Byron", "a@x.org"), Person("=cmd", "Zoë", "O'Neil; Jr.")]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252", "utf-16"])
@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_rosters_are_read_as_spreadsheets_write_them(tmp_path, encoding, separator):
    rows = [("ID", "Last name", "first_name", "email", "group", "")]
    rows += [(p.id, p.last_name, p.first_name, p.email, "7", "") for p in CLASS]
    table = io.StringIO(newline="")
    csv.writer(table, delimiter=separator).writerows(rows)
    (tmp_path / "roster.csv").write_bytes(table.getvalue().encode(encoding))
    assert read_roster(tmp_path / "roster.csv") == CLASS


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("id,email\nada,a\nada,b\n", "line 3: the id 'ada' must stand in one line"),
        ("id,email\n,a\n", "line 2: there must be something in the column 'id'"),
        ("id,email\nada,a,b,c\n", "line 2: there must be 2 columns, but there are 4"),
        ("id,id\nada,a\n", "must have one column 'id', but has several"),
        ("id\n../etc\n", "line 2: an id must do as a folder's name, but '../etc' does not"),
        ("id,email\n", "must have a line for each student, but has none"),
        ("PK\0\0\0", "must be text"),
        ('id\n"ada', "line 2: unexpected end of data"),
    ],
)
def test_a_roster_that_is_none_is_refused_in_a_line(tmp_path, text, message):
    put(tmp_path, **{"roster.csv": text})
    with pytest.raises(ValueError, match=message) as error:
        read_roster(tmp_path / "roster.csv")
    assert "\n" not in str(error.value)


def test_the_commands_take_a_roster_and_times(tmp_path, monkeypatch, capsys):
    course, room = mini.make_course(tmp_path / "course"), tmp_path / "class"
    monkeypatch.chdir(course)
    monkeypatch.setenv("VAEEDU_CLASSROOM", str(room))
    monkeypatch.setenv("VAEEDU_COURSE", str(course))
    monkeypatch.setenv("PATH", os.environ["PATH"])
    put(tmp_path, **{"roster.csv": "id;first_name;email\nada;Ada;a@x.org\nbob;Bob;\n"})
    assert cli.main(["roster", "import", str(tmp_path / "roster.csv")]) == 0
    put(tmp_path, **{"roster.csv": "id;last_name\nada;Byron\ncem;Can\n"})
    assert cli.main(["roster", "import", str(tmp_path / "roster.csv")]) == 0
    assert capsys.readouterr().out == "2 students, 2 of them new\n2 students, 1 of them new\n"
    assignment = Assignment(course, ASSIGNMENT)
    people = {p.id: p for p in Classroom(assignment).people()}
    assert people["ada"] == Person("ada", "Ada", "Byron", "a@x.org")
    assert set(people) == {"ada", "bob", "cem"}
    put(tmp_path, **{"times.csv": "id,time\nada,2026-01-03T00:00:01Z\n"})
    names = ["ada_1_2_hw.ipynb", "bob_LATE_3_4_hw.ipynb", "cem/hw.ipynb"]
    source = packed_in(tmp_path / "in.zip", **dict.fromkeys(names, "x"))

    def said(*options):
        assert cli.main(["collect", str(source), "--assignment", ASSIGNMENT, *map(str, options)]) == 0
        return capsys.readouterr().out.splitlines()[-1]

    assert said() == (
        "3 submissions of 01_mini; marked late by Canvas, but the gradebook has no due date: bob; "
        "none counts as late, for files do not say when they were handed in"
    )
    with open_gradebook(assignment.config) as gradebook:
        gradebook.update_or_create_assignment(ASSIGNMENT, duedate=datetime(2026, 1, 1))
    assert said("--times", tmp_path / "times.csv") == (
        "3 submissions of 01_mini; 1 have a time; marked late by Canvas, and so a day late unless --times says more: "
        "bob; 1 have none, and do not count as late"
    )
    assert cli.main(["roster", "import", str(source)]) == 2
    assert capsys.readouterr().err.count("\n") == 1
