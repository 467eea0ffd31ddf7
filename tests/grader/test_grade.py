"""`vaeedu grade` on a small course: marks, statuses, records; and whatever happens in between, no stale mark."""

import json
import os
import signal
import tempfile
import time

import pytest
from support import mini_course as mini
from support.mini_course import ASSIGNMENT, FULL, NOTEBOOK, RIGHT, hand_in, vaeedu, vaeedu_process
from support.sandboxes import obstacle

from vaeedu_grader.assignment import Assignment
from vaeedu_grader.gradebook.nbgrader import GradingError
from vaeedu_grader.gradebook.store import Store
from vaeedu_grader.gradebook.writer import Writer
from vaeedu_grader.marking.grade import _same_files

pytestmark = pytest.mark.filterwarnings("ignore")


@pytest.fixture(scope="module")
def course(tmp_path_factory):
    return mini.make_course(tmp_path_factory.mktemp("course"))


@pytest.fixture
def room(tmp_path):
    return tmp_path / "class"


def db(room):
    return f"sqlite:///{room / 'gradebook.db'}"


def grade(course, room, *arguments, code=0, run=vaeedu):
    done = run(course, room, "grade", ASSIGNMENT, *arguments)
    assert done.returncode == code, done.stdout + done.stderr[-3000:]
    assert "Traceback" not in done.stderr
    return done.stdout


def row(text, student):
    return next(line for line in text.splitlines() if line.startswith(f"{student} "))


def marks(room, student):
    return {n: auto for (s, n), (auto, *_) in mini.scores(db(room)).items() if s == student}


def record(room, student):
    return json.loads((room / "graded" / ASSIGNMENT / f"{student}.json").read_text())


def a_small_class(course, room):
    """One submission of each status."""
    hand_in(course, room, "right", timestamp="2026-01-02 03:04:05 UTC")
    hand_in(course, room, "moved", change=lambda nb: nb.cells.reverse())
    (hand_in(course, room, "broken") / NOTEBOOK).write_text("{")


def a_class(course, room):
    a_small_class(course, room)
    hand_in(course, room, "wrong", {**RIGHT, "mean": "def mean(x):\n    return x.sum(dim=0)"})
    hand_in(course, room, "lazy", {})
    hand_in(course, room, "sealed", {**RIGHT, "mean": "from vaeedu.pca import PCA\n" + RIGHT["mean"]})


def test_a_class_gets_its_marks_messages_and_statuses_without_sealed_modules(course, room):
    a_class(course, room)
    text = grade(course, room, "--jobs", "2", run=vaeedu_process)
    assert row(text, "right").split() == ["right", "graded", "6", "1"]
    assert row(text, "wrong").split() == ["wrong", "graded", "3", "1"]
    assert row(text, "lazy").split() == ["lazy", "graded", "0"]
    assert row(text, "moved").endswith("cells were moved: put back into their order")
    assert "rejected" in row(text, "broken")
    assert "is damaged (line 1)" in row(text, "broken")
    assert text.splitlines()[-1] == "1 flagged, 4 graded, 1 rejected"
    assert marks(room, "right") == {**FULL, "essay": None}
    assert marks(room, "wrong") == {**FULL, "mean_visible": 0, "mean_hidden": 0, "essay": None}
    assert marks(room, "lazy") == marks(room, "broken") == dict.fromkeys([*FULL, "essay"], 0)
    verdicts = record(room, "wrong")["record"]["verdicts"]
    assert verdicts["mean_hidden"]["message"].endswith("\nA sum is no mean.")
    # Sealed modules are absent while graded.
    assert marks(room, "sealed")["mean_hidden"] == 0
    sealed = record(room, "sealed")
    assert "There is no function mean" in sealed["record"]["verdicts"]["mean_hidden"]["message"]
    assert "the exercise asks you to write it yourself" in json.dumps(sealed["notebook"])
    assert str(mini.scores(db(room))["right", "own"][3]) == "2026-01-02 03:04:05"
    # A second run has nothing to do, and finds the same.
    before = {path: path.stat().st_mtime_ns for path in (room / "graded").rglob("*.json")}
    assert grade(course, room) == text
    assert {path: path.stat().st_mtime_ns for path in (room / "graded").rglob("*.json")} == before


@pytest.mark.slow
def test_a_record_explains_and_repeats_a_mark(course, room):
    hand_in(course, room, "ada", {**RIGHT, "total": "def total(x):\n    return x.mean()"})
    grade(course, room)
    text = grade(course, room, "--explain", "ada")
    first = record(room, "ada")
    for expected in (
        "ada, 01_mini: graded",
        "in the gradebook: yes",
        f"seed: {first['record']['seed']}",
        "run in a sandbox: finished",
        "limits reached: none",
        "numpy ",
        "       0  total_hidden",
        "A mean is no sum.",
        "       0  own  (marks itself: an instructor's own test)",
        " by hand  essay",
    ):
        assert expected in text
    hand_in(course, room, "bob", {**RIGHT, "total": "def total(x):\n    return x.mean()"})
    assert row(grade(course, room), "bob").endswith("the same notebook, byte for byte, as ada")
    assert record(room, "ada") == first
    text = grade(course, room, "--regrade", "ada")
    assert len(text.splitlines()) == 3  # the head of the table, ada, and the summary
    again = record(room, "ada")
    assert again != first
    for name in ("started", "finished", "seconds", "cells"):
        first["record"].pop(name), again["record"].pop(name)
    for outcome in (first, again):
        for cell in outcome["notebook"]["cells"]:
            cell.pop("execution_count", None)
    assert first == again
    done = vaeedu(course, room, "grade", ASSIGNMENT, "--explain", "nobody")
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)


@pytest.mark.slow
def test_a_new_submission_takes_back_the_old_marks(course, room):
    from nbgrader.api import Gradebook

    hand_in(course, room, "ada")
    grade(course, room)
    for manual in ("essay", "mean_hidden"):
        with Gradebook(db(room)) as gradebook:
            grade_of = gradebook.find_grade(manual, ASSIGNMENT, ASSIGNMENT, "ada")
            grade_of.manual_score, grade_of.needs_manual_grade = 2.0, False
            gradebook.db.commit()
    grade(course, room)  # nothing is new: what was given by hand stays
    assert mini.scores(db(room))["ada", "essay"][1] == 2
    hand_in(course, room, "ada", {**RIGHT, "mean": "def mean(x):\n    return x.sum(dim=0)"})
    grade(course, room)
    now = mini.scores(db(room))
    assert now["ada", "mean_hidden"][:2] == (0, None)
    assert now["ada", "essay"][1:3] == (2, True)  # the same words keep their marks, to be looked at again
    (room / "submitted" / "ada" / ASSIGNMENT / NOTEBOOK).write_text("not a notebook")
    assert "rejected" in row(grade(course, room), "ada")
    explained = grade(course, room, "--explain", "ada")
    assert [line.split()[1] for line in explained.splitlines() if "marks itself" in line] == ["own"]
    assert all(auto == 0 and manual is None for auto, manual, *_ in mini.scores(db(room)).values())


@pytest.mark.slow
def test_only_those_asked_for_are_graded_and_strangers_are_refused(course, room):
    hand_in(course, room, "ada")
    hand_in(course, room, "bob")
    text = grade(course, room, "--student", "ada")
    assert "bob" not in text
    assert marks(room, "bob") == {}
    for arguments, message in (
        (["--student", "eve"], "student must be one with a submission or in the roster, but is 'eve'"),
        (["--jobs", "0"], "--jobs must be at least 1, but is 0"),
        (["--cluster", "tcp://127.0.0.1:9"], "cluster"),
    ):
        done = vaeedu(course, room, "grade", ASSIGNMENT, *arguments)
        assert done.returncode == 2
        # Before it, there may be a line of what was known already.
        (error,) = [line for line in done.stderr.splitlines() if not line.startswith("1/2 ada: ")]
        assert message in error
    done = vaeedu(course, room, "grade", "99_nothing")
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)


@pytest.mark.slow
def test_without_bubblewrap_grading_refuses_and_unsafe_warns_every_time(course, room, tmp_path):
    hand_in(course, room, "ada")
    done = vaeedu_process(course, room, "grade", ASSIGNMENT, PATH=str(tmp_path))
    assert done.returncode == 2
    assert "apt install bubblewrap" in done.stderr
    assert done.stderr.count("\n") == 1
    for _ in range(2):
        (room / "graded" / ASSIGNMENT / "ada.json").unlink(missing_ok=True)
        done = vaeedu_process(course, room, "grade", ASSIGNMENT, "--unsafe")
        assert done.returncode == 0
        assert "WITHOUT a sandbox" in done.stderr
    assert "WITHOUT a sandbox" in grade(course, room, "--explain", "ada")
    # A mark from an unsafe run is not taken for one from a sandbox.
    grade(course, room)
    assert record(room, "ada")["record"]["unsafe"] is False


@pytest.mark.slow
def test_killed_at_any_point_it_ends_with_the_same_gradebook(course, room, tmp_path):
    whole = tmp_path / "whole"
    for folder in (room, whole):
        a_small_class(course, folder)
        hand_in(course, folder, "wrong", {**RIGHT, "mean": "def mean(x):\n    return x.sum(dim=0)"})
    (whole / "graded").mkdir()
    (room / "graded").mkdir()
    for folder in (room, whole):  # the same secret, for the same inputs
        (folder / "graded" / ".secret").write_text("ab" * 32)
    grade(course, whole, "--jobs", "2")
    expected = mini.scores(db(whole))
    # Killed as soon as there is a gradebook, and then whenever one more is done.
    for what in ("gradebook.db", *(f"graded/{ASSIGNMENT}/*.json",) * 3):
        before = len(list(room.glob(what)))
        if before == len(list(room.glob("submitted/*"))):  # several were done before one kill
            break
        process = vaeedu_process(course, room, "grade", ASSIGNMENT, wait=False)
        wait_until(lambda what=what, before=before: len(list(room.glob(what))) > before, 300)
        os.kill(process.pid, signal.SIGKILL)
        process.communicate()
        assert process.returncode == -signal.SIGKILL
        kept = {path: path.stat().st_mtime_ns for path in (room / "graded").rglob("*.json")}
    assert len(kept) >= 3
    grade(course, room)
    assert mini.scores(db(room)) == expected
    assert not list((room / "graded").glob(".merging*"))
    # What was finished before the last kill was not done again.
    assert {path: path.stat().st_mtime_ns for path in kept} == kept


@pytest.mark.slow
def test_a_killed_run_leaves_no_process_and_no_file_behind(course, room):
    temporary = tempfile.mkdtemp(prefix="left-")  # a short path: sockets' names are limited
    loop = "def mean(x):\n    import time\n    time.sleep(600)"
    hand_in(course, room, "ada", {**RIGHT, "imports": "", "mean": loop + "\nimport time\ntime.sleep(600)"})
    process = vaeedu_process(
        course, room, "grade", ASSIGNMENT, wait=False, VAEEDU_TEST_MARK=str(room), TMPDIR=temporary
    )
    mark = f"VAEEDU_TEST_MARK={room}".encode()
    # The command, the server that it forks from and its helper, the job.
    wait_until(lambda: len(marked(mark)) >= 4, 300)
    os.kill(process.pid, signal.SIGKILL)
    process.communicate()
    wait_until(lambda: marked(mark) == [], 120)
    wait_until(lambda: os.listdir(temporary) == [], 60)
    os.rmdir(temporary)


def wait_until(is_so, seconds):
    end = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < end
        time.sleep(0.2)


def marked(mark):
    found = []
    for name in os.listdir("/proc"):
        if name.isdigit():
            try:
                with open(f"/proc/{name}/environ", "rb") as file:
                    environment = file.read()
            except OSError:
                continue
            found += [name] if mark in environment else []
    return found


@pytest.mark.slow
def test_a_job_that_dies_is_failed_leaves_no_mark_and_is_tried_again(course, room, monkeypatch):
    import dataclasses

    from vaeedu_grader.marking.job import Job, failed
    from vaeedu_grader.marking.pool import run_local

    hand_in(course, room, "ada")
    source = json.dumps(mini.released_notebook(course))
    job = Job(
        ASSIGNMENT,
        "ada",
        "k",
        "00" * 32,
        {},
        source,
        "import os, signal; os.kill(os.getpid(), signal.SIGKILL)",
    )
    notebook = (room / "submitted" / "ada" / ASSIGNMENT / NOTEBOOK).read_bytes()
    job = dataclasses.replace(job, files={NOTEBOOK: notebook})
    (done,) = run_local([job], 1)
    assert done.outcome is None
    outcome = failed(job, "its process ended")
    assert outcome["status"] == "failed"
    assert {score for name, score in outcome["scores"].items() if name != "essay"} == {0}
    # A fault of the course's own is a failure as well, with the reason, and the others go on.
    broken = dataclasses.replace(job, described="1 / 0")
    (done,) = run_local([broken], 1)
    assert json.loads(done.outcome)["reasons"] == ["ZeroDivisionError: division by zero"]


@pytest.mark.slow
def test_a_failure_is_no_status_and_does_not_keep_the_old_mark(course, room, tmp_path):
    mine = mini.make_course(tmp_path / "mine")
    hand_in(mine, room, "ada")
    grade(mine, room)
    path = mine / "exercises" / f"{ASSIGNMENT}.py"
    sound = path.read_text()
    path.write_text(
        sound.replace(
            'return {"x": rng', 'import os\n    os.getpid() == MAIN or 1 / 0\n    return {"x": rng'
        ).replace("def inputs", "import os\n\nMAIN = os.getpid()\n\n\ndef inputs")
    )
    assert "failed" not in grade(mine, room)  # the same process loads and draws
    path.write_text(sound.replace('SEALED = ("pca",)', 'SEALED = ("no_such_module",)'))
    text = grade(mine, room, code=1)
    assert "failed" in row(text, "ada")
    assert set(marks(room, "ada").values()) == {0}
    path.write_text(sound)
    assert "graded" in row(grade(mine, room), "ada")
    assert marks(room, "ada") == {**FULL, "essay": None}


def test_two_runs_at_once_are_refused(course, room):
    hand_in(course, room, "ada")
    with mini.at_home(course, room):
        store = Store(Assignment(course, ASSIGNMENT))
    with store.only_writer():
        done = vaeedu(course, room, "grade", ASSIGNMENT)
    assert done.returncode == 2
    assert "only one `vaeedu grade` may run at a time" in done.stderr


def test_what_nbgrader_refuses_of_one_student_does_not_stop_the_others(course, room, monkeypatch):
    if obstacle():
        pytest.skip(obstacle())
    for student in ("ada", "bob"):
        (hand_in(course, room, student) / NOTEBOOK).write_text(f'["{student}"]')
    merge = Writer.merge

    def refuse_ada(self, outcome, **others):
        if outcome["student"] == "ada":
            raise GradingError("no")
        merge(self, outcome, **others)

    monkeypatch.setattr(Writer, "merge", refuse_ada)
    results = mini.grade(course, room)
    assert (results["ada"].status, results["bob"].status) == ("failed", "rejected")
    assert results["ada"].reasons == ("the gradebook does not take it: no",)
    monkeypatch.setattr(Writer, "merge", merge)
    assert {result.status for result in mini.grade(course, room).values()} == {"rejected"}


def test_who_hands_in_the_same_notebook_twice_is_named_once():
    handed_in = {
        "ada": {"a.ipynb": b"{}"},
        "isaac": {"a.ipynb": b"{}", "b.ipynb": b"{}"},
        "bob": {"a.ipynb": b"{ }"},
    }
    same = "the same notebook, byte for byte, as "
    assert _same_files(b"[]", handed_in) == {"ada": f"{same}isaac", "isaac": f"{same}ada"}
    assert _same_files(b"{}", handed_in) == {}
