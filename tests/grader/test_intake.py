"""What is handed in is taken in, rejected with a reason, or left alone; nothing that is no file is ever opened."""

import json
import os
import socket

import nbformat
import pytest

from vaeedu_grader.intake import files as intake
from vaeedu_grader.intake import notebook as submitted
from vaeedu_grader.intake.files import Rejected, read_files, take_notebook

NAME = "02_x"
SOLVED = {
    "nbgrader": {"grade_id": "solve", "solution": True, "grade": False, "points": 100, "schema_version": 3}
}


def notebook(*cells, **others):
    return {
        "cells": list(cells),
        "metadata": {"kernelspec": {"name": "evil"}},
        "nbformat": 4,
        "nbformat_minor": 5,
        **others,
    }


def code(source="x = 1", **others):
    return {
        "cell_type": "code",
        "source": source,
        "metadata": {},
        "outputs": [],
        "execution_count": None,
        **others,
    }


SOURCE = nbformat.from_dict(notebook(code("raise NotImplementedError()", metadata=SOLVED, id="solve")))


def taken_from(**files):
    """What is taken of files, whose names are those given behind the assignment's name."""
    return take_notebook(
        {f"{NAME}{end}": json.dumps(value).encode() for end, value in files.items()}, SOURCE, NAME
    )


def take(value, name=f"{NAME}.ipynb"):
    data = value if isinstance(value, bytes) else json.dumps(value).encode()
    return take_notebook({name: data}, SOURCE, NAME)


def test_files_of_the_usual_kinds_are_read(tmp_path):
    for name in ("a.ipynb", "B.IPYNB", "notes.txt", "d.csv", "large.zip", "gradebook.db", ".hidden"):
        (tmp_path / name).write_text(name)
    (tmp_path / ".ipynb_checkpoints").mkdir()
    (tmp_path / ".ipynb_checkpoints" / "link").symlink_to("/etc/passwd")
    assert read_files(tmp_path) == {
        name: name.encode() for name in ("B.IPYNB", "a.ipynb", "d.csv", "notes.txt")
    }


def test_folders_are_entered_for_data_but_what_is_no_file_there_is_left_out(tmp_path):
    for name in (
        "data/a.csv",
        "data/deep/er/b.py",
        "1/2/3/4/c.csv",
        "1/2/3/4/5/d.csv",
        ".git/e.txt",
        "__pycache__/f.py",
    ):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(name)
    (tmp_path / "z.csv").write_text("z.csv")
    (tmp_path / "data" / "other.ipynb").write_text("a notebook")
    (tmp_path / "data" / "link.csv").symlink_to("/etc/passwd")
    (tmp_path / "data" / "away").symlink_to("/etc")
    os.mkfifo(tmp_path / "data" / "pipe.csv")
    names = ("z.csv", "1/2/3/4/c.csv", "data/a.csv", "data/deep/er/b.py")
    assert read_files(tmp_path) == {name: name.encode() for name in names}
    assert next(iter(read_files(tmp_path))) == "z.csv"


@pytest.mark.parametrize(
    ("limit", "value"), [("MOST_FILES", 4), ("MOST_BYTES", 99), ("MOST_TOTAL_BYTES", 350)]
)
def test_of_folders_with_too_much_in_them_the_rest_is_left_out(limit, value, monkeypatch, tmp_path):
    (tmp_path / "a.ipynb").write_bytes(b"1")
    (tmp_path / "data").mkdir()
    for i in range(5):
        (tmp_path / "data" / f"{i}.txt").write_bytes(bytes(100))
    assert len(read_files(tmp_path)) == 6
    monkeypatch.setattr(intake, limit, value)
    assert len(read_files(tmp_path)) == {"MOST_FILES": 4, "MOST_BYTES": 1, "MOST_TOTAL_BYTES": 4}[limit]


def a_link(path):
    path.symlink_to("/etc/passwd")


def a_dangling_link(path):
    path.symlink_to("/nowhere")


def a_folder(path):
    path.mkdir()


def a_socket(path):
    with socket.socket(socket.AF_UNIX) as made:
        made.bind(str(path))


@pytest.mark.parametrize("make", [a_link, a_dangling_link, a_folder, os.mkfifo, a_socket])
def test_what_is_no_file_is_rejected_unopened(make, tmp_path):
    make(tmp_path / f"{NAME}.ipynb")
    with pytest.raises(Rejected, match=rf"{NAME}.ipynb must be a file, but is a (link|folder|pipe|socket)"):
        read_files(tmp_path)


def test_a_device_is_rejected(monkeypatch, tmp_path):
    (tmp_path / "a.ipynb").touch()
    real = os.stat
    monkeypatch.setattr(intake.os, "stat", lambda *_, **__: real("/dev/null"))
    with pytest.raises(Rejected, match="but is a device"):
        read_files(tmp_path)


def test_a_link_is_rejected_whatever_its_name(tmp_path):
    (tmp_path / "holiday.mp4").symlink_to("/etc/passwd")
    with pytest.raises(Rejected, match=r"holiday\.mp4 must be a file, but is a link"):
        read_files(tmp_path)


def test_a_file_that_becomes_a_link_is_not_followed(monkeypatch, tmp_path):
    (tmp_path / "a.ipynb").symlink_to("/etc/passwd")
    monkeypatch.setattr(
        intake, "_is_wanted", lambda *_: True
    )  # as if it had been a file when it was looked at
    with pytest.raises(Rejected, match="cannot be opened"):
        read_files(tmp_path)


def test_a_file_that_becomes_a_pipe_does_not_hang(monkeypatch, tmp_path):
    os.mkfifo(tmp_path / "a.ipynb")
    monkeypatch.setattr(intake, "_is_wanted", lambda *_: True)
    with pytest.raises(Rejected, match="must be a file"):
        read_files(tmp_path)


def test_the_submission_itself_must_be_a_folder(tmp_path):
    (tmp_path / "link").symlink_to("/etc")
    (tmp_path / "file").touch()
    for name in ("link", "file", "absent"):
        with pytest.raises(Rejected, match=f"must be a folder, but {name} is none"):
            read_files(tmp_path / name)


@pytest.mark.parametrize(
    ("limit", "value", "message"),
    [
        ("MOST_ENTRIES", 4, "4 files at most"),
        ("MOST_FILES", 4, "4 files at most"),
        ("MOST_BYTES", 99, "a0.txt is larger than"),
        ("MOST_TOTAL_BYTES", 450, "all files together are larger"),
    ],
)
def test_files_are_limited_in_size_and_number(limit, value, message, monkeypatch, tmp_path):
    for i in range(5):
        (tmp_path / f"a{i}.txt").write_bytes(bytes(100))
    assert len(read_files(tmp_path)) == 5
    monkeypatch.setattr(intake, limit, value)
    with pytest.raises(Rejected, match=message):
        read_files(tmp_path)


def test_names_that_are_no_text_are_left_alone(tmp_path):
    (tmp_path / os.fsdecode(b"\xff.ipynb")).touch()
    (tmp_path / "line\nbreak.ipynb").touch()
    assert read_files(tmp_path) == {}


def test_only_plain_cells_leave():
    taken = take(
        notebook(
            code(
                "a",
                metadata=SOLVED | {"tags": ["skip-execution"]},
                id="solve",
                outputs=[{"evil": 1}],
                extra=1,
            ),
            {"cell_type": "markdown", "source": ["b\n", "c"], "metadata": {}},
            {"cell_type": "raw", "source": "d"},
        )
    )
    assert taken.notes == ()
    assert taken.notebook == {
        "cells": [
            {
                "cell_type": "code",
                "source": "a",
                "metadata": {"nbgrader": {"grade_id": "solve"}},
                "id": "solve",
            },
            {"cell_type": "markdown", "source": "b\nc", "metadata": {}},
            {"cell_type": "raw", "source": "d", "metadata": {}},
        ],
        "metadata": {},
        "nbformat": 4,
        "nbformat_minor": 5,
    }


def test_pictures_in_written_answers_stay_if_they_are_pictures():
    forms = {"image/png": "iVBORw0K", "image/svg+xml": "<svg/>", "image/jpeg": '"onerror=alert(1)'}
    cell = {"cell_type": "markdown", "source": "![](attachment:a.png)", "metadata": {}}
    taken = take(
        notebook(
            {**cell, "attachments": {"a.png": forms, "b/c": forms, "d": 5}}, {**cell, "attachments": [1]}
        )
    )
    assert taken.notebook["cells"][0]["attachments"] == {"a.png": {"image/png": "iVBORw0K"}}
    assert "attachments" not in taken.notebook["cells"][1]


def nested(depth):
    return b'{"cells": ' + b"[" * depth + b"]" * depth + b', "nbformat": 4}'


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (b"", "is empty"),
        (b" \n", "is empty"),
        (b'{"cells": [', r"is damaged \(line 1\)"),
        (json.dumps(notebook(code())).encode("utf-16"), "must be UTF-8"),
        (b"PK\x03\x04", "is damaged|must be UTF-8"),
        (b"\x00" * 100, "is damaged"),
        (nested(100), "nested too deeply"),
        (nested(100_000), "nested too deeply"),
        (b"[" * 3_000_000, "too complicated"),
        (b'{"cells": [], "nbformat": ' + b"4" * 5000 + b"}", r"is damaged \(a number\)"),
        ([], "has no cells"),
        ("text", "has no cells"),
        ({"nbformat": 4}, "has no cells"),
        ({"cells": {}, "nbformat": 4}, "has no cells"),
        ({"worksheets": [{"cells": []}], "nbformat": 3}, "old format"),
        (notebook(nbformat=5), "must be of notebook format 4, but is of 5"),
        (notebook(nbformat=True), "format 4, but is of True"),
        (notebook(nbformat="4"), "format 4"),
        ({"cells": []}, "format 4, but is of None"),
        (notebook(5), "neither code nor text"),
        (notebook(*[code()] * 2001), "2000 cells at most"),
        (notebook(*[code("x" * 2**20)] * 5), "more than 4 MiB"),
    ],
)
def test_what_is_no_notebook_is_rejected(value, message):
    with pytest.raises(Rejected, match=message):
        take(value)


@pytest.mark.parametrize(
    "metadata",
    [None, [], 5, {"nbgrader": 7}, {"nbgrader": {"grade_id": ["x"]}}, {"nbgrader": {"grade_id": "\ud800"}}],
)
def test_metadata_of_no_use_are_dropped(metadata):
    assert take(notebook(code(metadata=metadata))).notebook["cells"][0]["metadata"] == {}


def test_a_cell_without_metadata_is_taken():
    assert take(notebook({"cell_type": "code", "source": "x"})).notebook["cells"] == [
        {"cell_type": "code", "source": "x", "metadata": {}}
    ]


@pytest.mark.parametrize("version", [9, "3", None, [3], -1])
def test_a_schema_version_that_does_not_exist_is_noted(version):
    metadata = {"nbgrader": {"grade_id": "solve", "schema_version": version}}
    taken = take(notebook(code(metadata=metadata), code(metadata=metadata)))
    assert taken.notes == ("was edited: a cell's metadata are of a version that does not exist",)


@pytest.mark.parametrize("kind", ["heading", ["code"], None, 5])
def test_a_cell_of_a_type_that_does_not_exist_is_kept_as_raw_text(kind):
    taken = take(notebook(code("a"), {"cell_type": kind, "source": ["b\n", "c"]}, code("d")))
    assert [(c["cell_type"], c["source"]) for c in taken.notebook["cells"]] == [
        ("code", "a"), ("raw", "b\nc"), ("code", "d"),
    ]  # fmt: skip
    assert taken.notes == ("has a cell that is neither code nor text: kept as raw text",)


@pytest.mark.parametrize("source", [None, ["a", 5], {"a": 1}])
def test_a_cell_without_text_is_kept_empty_and_the_others_count(source):
    taken = take(notebook(code("a"), code(source), code("d")))
    assert [(c["cell_type"], c["source"]) for c in taken.notebook["cells"]] == [
        ("code", "a"), ("raw", ""), ("code", "d"),
    ]  # fmt: skip
    assert taken.notes == ("has a cell without text: kept as an empty one",)


def test_numbers_that_json_has_not_may_stand_in_outputs():
    data = {"text/plain": "nan", "application/json": [float("nan"), float("inf")]}
    output = {"output_type": "execute_result", "execution_count": 1, "metadata": {}, "data": data}
    taken = take(notebook(code("a", outputs=[output])))
    assert b"NaN" in json.dumps(notebook(code("a", outputs=[output]))).encode()
    assert (taken.notes, taken.notebook["cells"][0]["source"]) == ((), "a")


@pytest.mark.parametrize("end", ["\r\n", "\r", "\n"])
def test_ends_of_lines_are_as_jupyterlab_writes_them(end):
    taken = take(notebook(code(f"a{end}b{end}"), code([f"a{end}", "b"])))
    assert [c["source"] for c in taken.notebook["cells"]] == ["a\nb\n", "a\nb"]


def test_half_characters_are_replaced():
    taken = take(notebook(code("s = '\ud83d'")))
    assert taken.notebook["cells"][0]["source"] == "s = '?'"
    assert taken.notes == ("holds halves of characters: replaced by question marks",)
    assert json.dumps(taken.notebook).encode("utf-8")


def test_a_byte_order_mark_does_no_harm():
    assert take(b"\xef\xbb\xbf" + json.dumps(notebook(code())).encode()).notebook["cells"]


def test_the_only_notebook_is_taken_under_any_name():
    taken = take(notebook(code(metadata=SOLVED)), name="my homework (2)<b>.ipynb")
    assert taken.notes == (f"renamed to my homework (2)?b?.ipynb, taken as {NAME}.ipynb",)


@pytest.mark.parametrize("copy", ["-1", " (2)", "_3", "(1)"])
def test_the_number_that_a_platform_puts_behind_the_name_is_no_remark(copy):
    assert take(notebook(code(metadata=SOLVED)), name=f"{NAME}{copy}.ipynb").notes == ()
    with pytest.raises(Rejected, match="has none of its cells"):
        take(notebook(code()), name=f"{NAME}{copy}.ipynb")


def test_another_notebook_is_not_taken_for_the_assignments():
    with pytest.raises(Rejected, match="has none of its cells"):
        take(notebook(code()), name="other.ipynb")


def test_of_several_notebooks_only_the_right_name_will_do():
    data = json.dumps(notebook(code())).encode()
    assert take_notebook({f"{NAME}.ipynb": data, "b.ipynb": b""}, SOURCE, NAME).notes == ()
    with pytest.raises(
        Rejected, match=rf"there must be a notebook {NAME}.ipynb, but there is a.ipynb, b.ipynb"
    ):
        take_notebook({"a.ipynb": data, "b.ipynb": data}, SOURCE, NAME)
    with pytest.raises(Rejected, match="but there is none"):
        take_notebook({"a.txt": data}, SOURCE, NAME)


UNTOUCHED = notebook(code("raise NotImplementedError()", metadata=SOLVED))
WORKED = notebook(code("def solve():\n    return 5", metadata=SOLVED))


@pytest.mark.parametrize(
    "end", ["-Copy1.ipynb", " (1).ipynb", "-checkpoint.ipynb", ".ipynb.txt", ".ipynb.json"]
)
def test_where_the_notebook_is_untouched_a_copy_with_work_is_taken_and_flagged(end):
    taken = taken_from(**{".ipynb": UNTOUCHED, end: WORKED})
    assert taken.notebook["cells"][0]["source"] == "def solve():\n    return 5"
    assert taken.notes == (f"{NAME}.ipynb is as it was given out: {NAME}{end} has work in it, and is taken",)


def test_a_copy_is_left_alone_where_the_notebook_has_work_or_the_copy_has_none():
    other = notebook(code("def solve():\n    return 6", metadata=SOLVED))
    assert (
        taken_from(**{".ipynb": WORKED, "-Copy1.ipynb": other}).notebook
        == taken_from(**{".ipynb": WORKED}).notebook
    )
    for useless in (UNTOUCHED, notebook(code("x = 5")), "no notebook"):
        taken = taken_from(**{".ipynb": UNTOUCHED, "-Copy1.ipynb": useless})
        assert (taken.notes, taken.notebook["cells"][0]["source"]) == ((), "raise NotImplementedError()")


@pytest.mark.parametrize("end", ["txt", "json"])
def test_what_a_browser_has_put_behind_the_name_is_no_part_of_it(end):
    taken = taken_from(**{f".ipynb.{end}": WORKED})
    assert taken.notebook["cells"][0]["source"] == "def solve():\n    return 5"
    assert taken.notes == (f"renamed to {NAME}.ipynb.{end}, taken as {NAME}.ipynb",)


def test_of_several_copies_without_the_notebook_the_only_one_with_work_is_taken():
    taken = taken_from(**{"-Copy1.ipynb": UNTOUCHED, "-Copy2.ipynb": WORKED})
    assert taken.notes == (f"renamed to {NAME}-Copy2.ipynb, taken as {NAME}.ipynb",)
    with pytest.raises(Rejected, match="there must be a notebook"):
        taken_from(**{"-Copy1.ipynb": WORKED, "-Copy2.ipynb": WORKED})


def test_names_are_shown_harmlessly():
    assert submitted.shown("<script>\x1b[2J\ud800.ipynb") == "?script???2J?.ipynb"
