"""Progress is kept where a reader works, quietly, and lost by nothing that one check or one file can do."""

import shutil
import threading
from pathlib import Path

import pytest

import vaeedu
from vaeedu.feedback import CheckFailed, progress

ROOT = Path(__file__).resolve().parents[2]
ASSIGNMENT = "03_information_and_divergence"


def untouched(q, p):
    raise NotImplementedError


def wrong(q, p):
    return q.sum(dim=-1)


def right(q, p):
    return (q * (q.clamp(min=1e-300) / p).log()).sum(dim=-1)


@pytest.fixture
def course(tmp_path, monkeypatch):
    """A course with one assignment, in which the notebook runs."""
    (tmp_path / "lectures").mkdir()
    shutil.copy(ROOT / "lectures" / "00_start_here.ipynb", tmp_path / "lectures")
    folder = tmp_path / "assignments" / ASSIGNMENT
    folder.mkdir(parents=True)
    shutil.copy(ROOT / "assignments" / ASSIGNMENT / "checks.json", folder)
    monkeypatch.chdir(folder)
    monkeypatch.delenv("VAEEDU_COURSE", raising=False)
    monkeypatch.setattr(progress, "_seen", {})
    return tmp_path


def state(course):
    return progress.state(course, ASSIGNMENT, "kl_discrete")


def failing(function):
    with pytest.raises(CheckFailed) as caught:
        vaeedu.check("kl_discrete", function)
    return str(caught.value)


def test_what_is_tried_and_passed_is_noted_and_what_was_passed_stays(course, capsys):
    failing(untouched)
    assert state(course) is None
    assert not (course / progress.FILE).exists()
    failing(wrong)
    assert progress.read(course) == {ASSIGNMENT: {"kl_discrete": "tried"}}
    vaeedu.check("kl_discrete", right)
    assert capsys.readouterr().out == "✓ kl_discrete: every visible case is right\n"
    assert progress.read(course) == {ASSIGNMENT: {"kl_discrete": "passed"}}
    before = (course / progress.FILE).stat().st_mtime_ns
    failing(wrong)
    assert progress.read(course) == {ASSIGNMENT: {"kl_discrete": "passed"}}
    assert (course / progress.FILE).stat().st_mtime_ns == before
    assert sorted(path.name for path in course.iterdir()) == ["assignments", "lectures", "progress.json"]


@pytest.mark.parametrize("text", ["{", "[]", '{"a": 1}', '{"a": {"b": "c"}}', '{"a": {"b": []}}', "\xff"])
def test_a_broken_file_is_set_aside(course, text):
    path = course / progress.FILE
    path.write_bytes(text.encode("latin-1"))
    assert progress.read(course) == {}
    failing(wrong)
    assert progress.read(course) == {ASSIGNMENT: {"kl_discrete": "tried"}}
    assert (course / "progress.broken.json").read_bytes() == text.encode("latin-1")
    path.write_text("again")
    progress.note(Path.cwd(), "another", passed=True)
    assert (course / "progress.broken1.json").read_text() == "again"
    assert (course / "progress.broken.json").read_bytes() == text.encode("latin-1")


def test_where_nothing_can_be_written_a_check_says_what_it_always_says(course, monkeypatch, capsys):
    def refuse(*_, **__):
        raise PermissionError("read-only")

    monkeypatch.setattr(progress, "write_whole", refuse)
    said = failing(wrong)
    vaeedu.check("kl_discrete", right)
    assert capsys.readouterr() == ("✓ kl_discrete: every visible case is right\n", "")
    assert said.startswith("✗ kl_discrete(")
    assert not (course / progress.FILE).exists()
    assert state(course) == "passed"  # as long as this kernel runs
    (course / progress.FILE).mkdir()
    failing(wrong)
    assert progress.read(course) == {}


def test_elsewhere_nothing_is_written(course, monkeypatch):
    """A submission that is graded lies somewhere else, though checks.json is the course's."""
    for place in (course / "classroom" / "submitted" / "ada" / ASSIGNMENT, course / "solutions" / ASSIGNMENT):
        place.mkdir(parents=True)
        monkeypatch.chdir(place)
        monkeypatch.setenv("VAEEDU_COURSE", str(course))
        vaeedu.check("kl_discrete", right)
    assert list(course.rglob("progress*")) == []


def test_two_kernels_at_once_lose_nothing(course, monkeypatch):
    monkeypatch.setattr(progress, "_WAIT", 300.0)  # a busy machine is no reason to write without the other

    def tell(prefix):
        for number in range(20):
            progress.note(Path.cwd(), f"{prefix}{number}", passed=True)

    threads = [threading.Thread(target=tell, args=(prefix,)) for prefix in "ab"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(progress.read(course)[ASSIGNMENT]) == 40
