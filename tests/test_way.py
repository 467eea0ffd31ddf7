"""The way through the course: read from a course's own files, whatever a reader has done to them."""

import json

import pytest

from vaeedu import way

OPENING = """# {} · {}

**Time**: about {} to read; all cells run in a minute.
**Read first**: {}

**Notation.** $x$."""


def notebook(path, *cells):
    path.parent.mkdir(parents=True, exist_ok=True)
    made = [{"cell_type": "markdown", "source": text} for text in cells]
    path.write_text(json.dumps({"cells": made}), encoding="utf-8")


def assignment(course, name, title, *exercises):
    folder = course / "assignments" / name
    notebook(folder / f"{name}.ipynb", title, *(f'vaeedu.check("{each}", {each})' for each in exercises))
    (folder / "checks.json").write_text(json.dumps({each: {} for each in sorted(exercises)}))


@pytest.fixture
def course(tmp_path, monkeypatch):
    lectures = tmp_path / "lectures"
    notebook(lectures / "00_start_here.ipynb", "# Start here")
    start = "[Start here](00_start_here.ipynb). You need [a book](09_x.ipynb)."
    notebook(lectures / "01_a.ipynb", OPENING.format(1, "A first", "90 minutes", start))
    notebook(lectures / "02_b.ipynb", OPENING.format(2, "B", "two hours", "[A](01_a.ipynb), what else."))
    notebook(lectures / "03_c.ipynb", OPENING.format(3, "C", "45 minutes", "[B](02_b.ipynb)"))
    assignment(tmp_path, "01_a", "# Assignment 1: A", "zeta", "alpha")
    assignment(tmp_path, "03_c", "# Assignment 3: C", "beta")
    monkeypatch.chdir(lectures)
    return tmp_path


def test_each_row_says_what_the_lecture_says(course):
    assert way.table().splitlines()[2:] == [
        "| 1 | [A first](01_a.ipynb) | 90 min | – |  | [exercises](../assignments/01_a/01_a.ipynb) |",
        "| 2 | [B](02_b.ipynb) | 120 min | 1 | 3½ hours |  |",
        "| 3 | [C](03_c.ipynb) | 45 min | 2 | 4 hours | [exercises](../assignments/03_c/03_c.ipynb) |",
    ]
    assert way.to(3) == "4 hours: [1 A first](01_a.ipynb) → [2 B](02_b.ipynb) → [3 C](03_c.ipynb)"


def test_a_lecture_that_does_not_say_it_is_named(course):
    with pytest.raises(ValueError, match="number must be that of a lecture, 1 to 3, but is 0"):
        way.to(0)
    notebook(course / "lectures" / "02_b.ipynb", OPENING.format(2, "B", "an evening", ""))
    with pytest.raises(ValueError, match=r"lectures/02_b\.ipynb must begin with '# N · Title' and say"):
        way.table()
    (course / "lectures" / "02_b.ipynb").write_text("{}")
    with pytest.raises(ValueError, match=r"02_b\.ipynb must be a notebook with cells, but cannot be read"):
        way.table()


def test_outside_a_course_it_says_so(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for shown in (way.table(), way.to(2), way.done()):
        assert "runs outside the course's folder" in shown


def progress(course, **states):
    (course / "progress.json").write_text(json.dumps(states))


def test_what_is_done_and_what_comes_next(course):
    first, second = "[1: A](../assignments/01_a/01_a.ipynb)", "[3: C](../assignments/03_c/03_c.ipynb)"

    def shown():
        lines = way.done().splitlines()
        return [line.split(" | ", 1)[1] for line in lines[2:-2]], lines[-1]

    # In the notebook's order zeta comes first.
    assert shown() == (["0 of 2 |  |", "0 of 1 |  |"], f"**Next**: `zeta` in {first}.")
    progress(course, **{"01_a": {"zeta": "passed", "alpha": "tried", "gone": "passed"}})
    assert shown() == (["1 of 2 | 1 |", "0 of 1 |  |"], f"**Next**: `alpha` in {first}.")
    progress(course, **{"03_c": {"beta": "tried"}})
    assert shown()[1] == f"**Next**: `beta` in {second}."  # what was begun comes before what was not
    progress(course, **{"01_a": {"zeta": "passed", "alpha": "passed"}, "03_c": {"beta": "passed"}})
    assert shown() == (["2 of 2 |  |", "1 of 1 |  |"], "**Every exercise is passed.**")


def test_a_first_cell_that_a_reader_changed_does_no_harm(course):
    (course / "assignments" / "01_a" / "01_a.ipynb").write_text("not a notebook")
    notebook(course / "assignments" / "03_c" / "03_c.ipynb", "My notes")
    done = way.done()
    assert "[01_a](../assignments/01_a/01_a.ipynb)" in done
    assert "[03_c](../assignments/03_c/03_c.ipynb)" in done
