"""The corpus of hostile, broken and honest submissions, each graded once: exact marks, and nothing else changed."""

import hashlib
import json
import os
import re
from pathlib import Path

import pytest
from support import mini_course as mini
from support.hostile_corpus import CORPUS, HONEST, QUICK
from support.mini_course import ASSIGNMENT, hand_in
from support.sandboxes import obstacle

# The first two are a hundred times what an honest cell needs, and what an interrupted one needs on an idle machine.
LIMITS = (
    ("cell_seconds", 25.0),
    ("grace_seconds", 20.0),
    ("wall_seconds", 300.0),
    ("memory_bytes", 2**30),
    ("tmp_bytes", 2**24),
)
# What the quick tests grade is not graded again, but for the one that others are after.
SLOW = tuple(name for name in CORPUS if name not in QUICK)
VICTIM = "right"


class Graded:
    """A class of some of the corpus, graded once."""

    def __init__(self, folder, names):
        self.course = mini.make_course(folder / "course")
        self.room = folder / "class"
        self.names = names
        for name in names:
            self.hand_in(name)
        before = self.state()
        self.results = mini.grade(self.course, self.room, limits=LIMITS)
        after = self.state()
        self.changed = {path for path in before | after if before.get(path) != after.get(path)}

    def hand_in(self, name):
        case = CORPUS[name]
        replaced = {"@CLASS@": str(self.room), "@COURSE@": str(self.course), "@PORT@": "9"}
        answers = dict(case.answers)
        for cell, source in answers.items():
            for token, value in replaced.items():
                source = source.replace(token, value)
            answers[cell] = source
        folder = hand_in(self.course, self.room, name, answers, case.change)
        if case.damage is not None:
            case.damage(folder)

    def record(self, name):
        return json.loads((self.room / "graded" / ASSIGNMENT / f"{name}.json").read_text())["record"]

    def state(self):
        """What is on disk, but for what grading is there to write."""
        found = {}
        for top in (self.course, self.room / "submitted", Path("/etc")):
            for path in sorted(top.rglob("*")):
                if (
                    path.is_file()
                    and not path.is_symlink()
                    and path.stat().st_size < 2**22
                    and os.access(path, os.R_OK)
                ):
                    found[str(path)] = hashlib.sha256(path.read_bytes()).hexdigest()
                else:
                    found[str(path)] = "other"
        return {path: value for path, value in found.items() if "__pycache__" not in path}


def graded(folder, names):
    if obstacle():
        pytest.skip(obstacle())
    return Graded(folder, names)


@pytest.fixture(scope="module")
def few(tmp_path_factory):
    return graded(tmp_path_factory.mktemp("few"), QUICK)


@pytest.fixture(scope="module")
def others(tmp_path_factory):
    return graded(tmp_path_factory.mktemp("others"), (VICTIM, *SLOW))


def check(graded, name):
    case, result = CORPUS[name], graded.results[name]
    marks = {cell: result.scores.get(cell) for cell in case.marks}
    assert (result.status, marks) == (case.status, dict(case.marks)), result.reasons
    assert re.search(case.reason, "; ".join(result.reasons))
    # What is self-marked may be won by a student who patches things, but never beyond its points.
    assert 0 <= result.scores["own"] <= 1
    assert graded.record(name).get("seconds", 0.0) < 600


def check_class(graded):
    """Nothing on the host has changed, and the gradebook has these marks and no others."""
    assert {path for path in graded.changed if "/released" not in path} == set()
    assert not list(Path("/etc").glob("vaeedu*"))
    marks = mini.scores(f"sqlite:///{graded.room / 'gradebook.db'}")
    assert {who for who, _ in marks} == set(graded.names)
    for name in graded.names:
        case = CORPUS[name]
        assert {cell: marks[name, cell][0] for cell in case.marks} == dict(case.marks), name
        assert all(manual is None for (who, _), (_, manual, *_) in marks.items() if who == name)


@pytest.mark.parametrize("name", QUICK)
def test_a_submission_gets_its_status_and_marks(name, few):
    check(few, name)


def test_some_submissions_change_nothing_else(few):
    check_class(few)


@pytest.mark.slow
@pytest.mark.parametrize("name", SLOW)
def test_every_other_submission_gets_its_status_and_marks(name, others):
    check(others, name)


@pytest.mark.slow
def test_all_others_change_nothing_else(others):
    check_class(others)


@pytest.mark.slow
def test_nothing_that_a_browser_would_run_is_in_a_marked_notebook(others):
    outcome = json.loads((others.room / "graded" / ASSIGNMENT / "html.json").read_text())
    outputs = json.dumps([cell.get("outputs", []) for cell in outcome["notebook"]["cells"]])
    assert "text/html" not in outputs
    assert "javascript" not in outputs


def test_the_corpus_is_large_and_has_honest_submissions_in_it():
    assert len(CORPUS) - len(HONEST) >= 40
    assert len(HONEST) >= 10
