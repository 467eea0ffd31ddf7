"""`nbgrader autograde`, and the formgrader's button: what is no file is refused unopened, and the others are graded."""

import json
import os
import shutil
import subprocess
import sys

import pytest
from support import mini_course as mini
from support.mini_course import ASSIGNMENT, FULL, NOTEBOOK, hand_in
from support.sandboxes import obstacle

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore")]

SECRET = "5ec2e7" * 10
# What the formgrader's handler does, in a process of its own, with the configuration that it loads.
BUTTON = """if True:
    import json, sys
    from nbgrader.apps import NbGraderAPI
    from nbgrader.apps.baseapp import NbGrader
    app = NbGrader()
    app.load_config_file()
    api = NbGraderAPI(config=app.config)
    assert api.generate_assignment(sys.argv[1])["success"]
    results = {student: api.autograde(sys.argv[1], student) for student in sys.argv[2:]}
    print("results", json.dumps(results))
"""


def a_link_to_the_secret(folder):
    (folder / "notes.txt").symlink_to(folder.parents[2] / "graded" / ".secret")


def a_link_to_the_gradebook(folder):
    (folder / "b.csv").symlink_to("../../../gradebook.db")


def a_link_to_the_secret_further_down(folder):
    (folder / "pictures").mkdir()
    (folder / "pictures" / "notes.txt").symlink_to(folder.parents[2] / "graded" / ".secret")


def a_link_to_a_folder(folder):
    (folder / "data").symlink_to(folder.parents[2] / "graded")


def a_device_that_never_ends(folder):
    (folder / "data.csv").symlink_to("/dev/zero")


def a_pipe_nobody_writes_to(folder):
    os.mkfifo(folder / "data.csv")


def a_pipe_for_a_time(folder):
    os.mkfifo(folder / "timestamp.txt")


def a_link_for_a_notebook(folder):
    (folder / NOTEBOOK).unlink()
    (folder / NOTEBOOK).symlink_to("/dev/zero")


HOSTILE = {
    make.__name__: make
    for make in (
        a_link_to_the_secret,
        a_link_to_the_gradebook,
        a_link_to_the_secret_further_down,
        a_link_to_a_folder,
        a_device_that_never_ends,
        a_pipe_nobody_writes_to,
        a_pipe_for_a_time,
        a_link_for_a_notebook,
    )
}


@pytest.fixture(scope="module")
def a_class(tmp_path_factory):
    """A class with one honest student, the last, and what `nbgrader autograde` and the button made of it."""
    if obstacle():
        pytest.skip(obstacle())
    folder = tmp_path_factory.mktemp("autograde")
    course, room = mini.make_course(folder / "course"), folder / "class"
    environment = {**os.environ, "VAEEDU_CLASSROOM": str(room), "OMP_NUM_THREADS": "1"}

    def run(*arguments):
        command = [sys.executable, "-W", "ignore", *arguments]
        return subprocess.run(command, cwd=course, env=environment, capture_output=True, text=True)

    (room / "graded").mkdir(parents=True)
    (room / "graded" / ".secret").write_text(SECRET)
    hand_in(course, room, "zoe")
    for student, make in HOSTILE.items():
        make(hand_in(course, room, student))
    button = run("-c", BUTTON, ASSIGNMENT, *HOSTILE, "zoe")
    assert button.returncode == 0, button.stderr
    shutil.rmtree(room / "autograded")
    command = run("-m", "nbgrader", "autograde", ASSIGNMENT)
    line = next(line for line in button.stdout.splitlines() if line.startswith("results "))
    return room, command, json.loads(line.removeprefix("results "))


def test_the_others_are_graded(a_class):
    room, _, results = a_class
    assert results["zoe"]["success"], results["zoe"]
    assert (room / "autograded" / "zoe" / ASSIGNMENT / NOTEBOOK).is_file()
    marks = {key: auto for key, (auto, *_) in mini.scores(f"sqlite:///{room / 'gradebook.db'}").items()}
    assert marks == {("zoe", name): points for name, points in {**FULL, "essay": None}.items()}


@pytest.mark.parametrize("student", HOSTILE)
def test_what_is_no_file_is_refused_with_the_reason(a_class, student):
    room, command, results = a_class
    kind = "a pipe" if "pipe" in student else "a link"
    (said,) = [
        line for line in command.stderr.splitlines() if f"Refused the submission of {student}: " in line
    ]
    assert f"must be a file, but is {kind}" in said
    assert not results[student]["success"]
    assert f"must be a file, but is {kind}" in results[student]["error"]
    assert not (room / "autograded" / student).exists()


def test_nothing_of_it_was_copied_and_the_exit_code_says_so(a_class):
    room, command, _ = a_class
    assert command.returncode == 1
    copied = [path for path in (room / "autograded").rglob("*") if path.is_file()]
    assert copied
    assert all(SECRET.encode() not in path.read_bytes() for path in copied)
    assert {path.suffix for path in copied} <= {".ipynb", ".json"}


def test_it_does_not_complain_of_an_exchange_that_nobody_uses(a_class):
    assert "CRITICAL" not in a_class[1].stderr
