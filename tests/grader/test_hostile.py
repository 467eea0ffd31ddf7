"""The corpus of hostile, broken and honest submissions, graded as one class: exact marks, and nothing else changed."""

import hashlib
import json
import os
import re
import subprocess
import sys
import time
from pathlib import Path

import pytest
from support import mini_course as mini
from support.hostile_corpus import CORPUS, HONEST, QUICK
from support.mini_course import ASSIGNMENT, hand_in
from support.sandboxes import obstacle

GRADE = """
import json, sys
from pathlib import Path
from vaeedu_grader.marking.grade import Settings, grade_class

limits = (("cell_seconds", 25.0), ("grace_seconds", 8.0), ("memory_bytes", 2**30), ("tmp_bytes", 2**24))
if __name__ == "__main__":
    for result in grade_class(Path(sys.argv[1]), sys.argv[2], Settings(workers=2, limits=limits)):
        line = {"student": result.student, "status": result.status, "scores": result.scores, "why": result.reasons}
        print(json.dumps(line), flush=True)
"""


class Graded:
    """A class of some of the corpus, graded once."""

    def __init__(self, folder, names):
        self.course = mini.make_course(folder / "course")
        self.room = folder / "class"
        self.canaries()
        for name in names:
            self.hand_in(name)
        before = self.state()
        self.results, self.gaps = self.grade()
        after = self.state()
        self.changed = {path for path in before | after if before.get(path) != after.get(path)}

    def canaries(self):
        (self.room / "submitted").mkdir(parents=True)
        script = self.room.parent / "grade.py"
        script.write_text(GRADE)

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

    def grade(self):
        environment = {**os.environ, "VAEEDU_CLASSROOM": str(self.room), "OMP_NUM_THREADS": "1"}
        environment.pop("VAEEDU_COURSE", None)
        command = [
            sys.executable,
            "-W",
            "ignore",
            str(self.room.parent / "grade.py"),
            str(self.course),
            ASSIGNMENT,
        ]
        results, gaps, last = {}, {}, time.monotonic()
        with subprocess.Popen(
            command, env=environment, stdout=subprocess.PIPE, text=True, cwd=self.course
        ) as process:
            for line in process.stdout:
                result = json.loads(line)
                results[result["student"]] = result
                gaps[result["student"]], last = time.monotonic() - last, time.monotonic()
        assert process.returncode == 0
        return results, gaps


@pytest.fixture(scope="module")
def few(tmp_path_factory):
    if obstacle():
        pytest.skip(obstacle())
    return Graded(tmp_path_factory.mktemp("few"), QUICK)


@pytest.fixture(scope="module")
def everybody(tmp_path_factory):
    if obstacle():
        pytest.skip(obstacle())
    return Graded(tmp_path_factory.mktemp("everybody"), CORPUS)


def check(graded, name):
    case, result = CORPUS[name], graded.results[name]
    marks = {cell: result["scores"].get(cell) for cell in case.marks}
    assert (result["status"], marks) == (case.status, dict(case.marks)), result["why"]
    assert re.search(case.reason, "; ".join(result["why"]))
    # What is self-marked may be won by a student who patches things, but never beyond its points.
    assert 0 <= result["scores"]["own"] <= 1
    assert graded.gaps[name] < 60


@pytest.mark.parametrize("name", QUICK)
def test_a_submission_gets_its_status_and_marks(name, few):
    check(few, name)


@pytest.mark.slow
@pytest.mark.parametrize("name", CORPUS)
def test_every_submission_gets_its_status_and_marks(name, everybody):
    check(everybody, name)


@pytest.mark.slow
def test_nothing_on_the_host_has_changed(everybody):
    assert {path for path in everybody.changed if "/released" not in path} == set()
    assert not list(Path("/etc").glob("vaeedu*"))


@pytest.mark.slow
def test_the_gradebook_has_the_same_marks(everybody):
    marks = mini.scores(f"sqlite:///{everybody.room / 'gradebook.db'}")
    for name, case in CORPUS.items():
        assert {cell: marks[name, cell][0] for cell in case.marks} == dict(case.marks), name
        assert all(manual is None for (who, _), (_, manual, *_) in marks.items() if who == name)


@pytest.mark.slow
def test_nothing_that_a_browser_would_run_is_in_a_marked_notebook(everybody):
    text = json.dumps(
        json.loads((everybody.room / "graded" / ASSIGNMENT / "html.json").read_text())["notebook"]
    )
    outputs = [cell.get("outputs", []) for cell in json.loads(text)["cells"]]
    assert "text/html" not in json.dumps(outputs)
    assert "javascript" not in json.dumps(outputs)


def test_the_corpus_is_large_and_has_honest_submissions_in_it():
    assert len(CORPUS) - len(HONEST) >= 40
    assert len(HONEST) >= 10
