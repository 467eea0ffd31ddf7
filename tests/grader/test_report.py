"""`vaeedu report` and `vaeedu new-wrong`: what a class misunderstood, and what its grader does not know yet."""

import ast
import csv
import io
import json
import os
from html import unescape

import nbformat
import pytest
from support import mini_course as mini
from support.mini_course import ASSIGNMENT, RIGHT

from vaeedu import cli
from vaeedu.feedback.judge import _failed, judge
from vaeedu.feedback.key import AnswerKey, Output
from vaeedu.feedback.run import KINDS as FAILURES
from vaeedu.feedback.run import Failure, run_all
from vaeedu_grader.assignment import Assignment
from vaeedu_grader.authoring.course import load_exercises
from vaeedu_grader.gradebook.store import Store
from vaeedu_grader.marking.grade import _kept
from vaeedu_grader.marking.job import Job
from vaeedu_grader.marking.pool import Done
from vaeedu_grader.marking.submission import Submission
from vaeedu_grader.marking.verdicts import make_keys
from vaeedu_grader.report.findings import _kind, findings, unnamed
from vaeedu_grader.report.page import write_page, write_table
from vaeedu_grader.report.skeleton import with_wrong

SUM = "def mean(x):\n    '''By Ada Lovelace.'''\n    return x.sum(dim=0)  # ada@example.org"
FOUR = "def mean(x):\n    return x.sum(dim=0) / 4"
ODD = "def mean(x):\n    return x.mean(dim=0) ** 3 + 5 if True else '<script>alert(1)</script>'"
CLASS = {
    "ada": {**RIGHT, "mean": SUM},
    "=bob": {**RIGHT, "mean": FOUR},
    "cem": {**RIGHT, "mean": ODD},
    "dan": {**RIGHT, "mean": ODD + "  # Dan"},
    "eve": RIGHT,
    "fay": {"total": RIGHT["total"]},
    "gus": {**RIGHT, "mean": "def mean(x):\n    return x / None"},
    "hal": {**RIGHT, "mean": "def mean(x:"},
}
CAME = {
    "ada": {"attempts": 3, "handed_in": "2026-01-03 00:00:01 UTC"},
    "eve": {"attempts": 1, "handed_in": ""},
    "fay": {"attempts": 1, "handed_in": ""},
}


def graded(assignment, student, answers):
    """An outcome with verdicts of real runs, without a sandbox's start."""
    keys = make_keys(assignment.exercises, b"seed")
    notebook = mini.released_notebook(assignment.course)
    names = {}
    for cell in notebook.cells:
        cell.source = answers.get(cell.id, cell.source)
    for source in (cell.source for cell in notebook.cells if cell.id in assignment.exercises):
        try:
            exec(source, names)
        except SyntaxError:
            continue
    verdicts, scores = {}, {}
    for cell, key in keys.items():
        function = names.get(key.name)
        answers = run_all(function, key.inputs) if function else ()
        verdict = judge(answers, key)
        if function is None:
            verdict = type(verdict)(False, f"✗ {key.name}\n{_failed(Failure('undefined', ''), key)}")
        exercise, part = cell.rsplit("_", 1)
        scores[cell] = float(assignment.exercises[exercise].points[part]) if verdict.passed else 0.0
        verdicts[cell] = vars(verdict)
    return {
        "student": student, "status": "graded", "key": "", "scores": scores,
        "notebook": nbformat.from_dict(notebook), "record": {"verdicts": verdicts} | CAME.get(student, {}),
    }  # fmt: skip


@pytest.fixture
def assignment(tmp_path, monkeypatch):
    course = mini.make_course(tmp_path / "course")
    monkeypatch.chdir(course)
    monkeypatch.setenv("VAEEDU_CLASSROOM", str(tmp_path / "class"))
    monkeypatch.setenv("VAEEDU_COURSE", str(course))
    monkeypatch.setenv("PATH", os.environ["PATH"])
    made = Assignment(course, ASSIGNMENT)
    store = Store(made)
    for student, answers in CLASS.items():
        store.save(graded(made, student, answers))
    store.save({"student": "ivy", "status": "rejected"})
    return made


def test_each_answer_is_what_the_grader_has_said_of_it(assignment):
    found = {(f.student, f.exercise): f for f in findings(assignment)}
    kinds = {student: found[student, "mean"].kind for student in CLASS}
    assert kinds == {
        "ada": "named", "=bob": "named", "cem": "unnamed", "dan": "unnamed", "eve": "right", "fay": "unwritten",
        "gus": "no values", "hal": "no values",
    }  # fmt: skip
    assert found["ada", "mean"].mistakes == ("A sum is no mean.",)
    assert (found["=bob", "mean"].mistakes, found["=bob", "mean"].points) == (("N is not always 4.",), 1.0)
    assert {f.kind for (_, exercise), f in found.items() if exercise == "total"} == {"right"}
    assert found["ada", "mean"].code == "def mean(x):\n    return x.sum(dim=0)"
    assert found["hal", "mean"].code == ""


@pytest.mark.parametrize("failure", FAILURES)
def test_an_answer_without_values_is_told_from_one_that_is_wrong(failure):
    key = AnswerKey("f", (Output("y", ()),), 1e-6, ({"x": 1},), (), ())
    told = _failed(Failure(failure, "something"), key)
    assert _kind(False, (), told) == ("unwritten" if failure == "unwritten" else "no values")


def test_the_same_wrong_code_is_counted_once(assignment):
    (answers,) = unnamed(findings(assignment))
    assert answers.count == 2
    assert "values are not" in answers.told


def test_the_page_names_mistakes_and_nobody_and_nothing_on_it_runs(assignment):
    page = write_page(ASSIGNMENT, assignment.exercises, findings(assignment))
    text = unescape(page)
    for expected in (
        "8 submissions graded",
        "A sum is no mean.",
        "1 (12 %)",
        "2 answers",
        "new-wrong 01_mini mean 1",
        "Handed in and graded: 1 time by 2, 3 times by 1.",
    ):
        assert expected in text
    for name in ("ada", "bob", "cem", "Dan", "Lovelace", "example.org"):
        assert name not in text.replace("adapt", "")
    assert "<script" not in page
    assert "&lt;script&gt;alert(1)" in page


def test_the_table_says_what_to_talk_about_with_whom(assignment):
    rows = list(csv.DictReader(io.StringIO(write_table(assignment.exercises, findings(assignment)))))
    assert len(rows) == len(CLASS) * 2
    ada = next(row for row in rows if (row["student_id"], row["exercise"]) == ("ada", "mean"))
    assert list(ada.values()) == [
        "ada",
        "mean",
        "0",
        "3",
        "named",
        "A sum is no mean.",
        "3",
        "2026-01-03 00:00:01 UTC",
    ]
    assert {(row["attempts"], row["handed_in"]) for row in rows if row["student_id"] == "cem"} == {("", "")}
    assert {row["student_id"] for row in rows} == {"'=bob" if s == "=bob" else s for s in CLASS}


def test_the_commands_write_both_and_add_a_variant(assignment, tmp_path, capsys):
    assert cli.main(["report", ASSIGNMENT]) == 0
    written = capsys.readouterr().out.split()
    assert written == [str(tmp_path / "class" / "report" / f"{ASSIGNMENT}.{end}") for end in ("html", "csv")]
    before = load_exercises(assignment.described)[0]["mean"].wrong
    assert cli.main(["new-wrong", ASSIGNMENT, "mean", "1"]) == 0
    assert "mean_wrong_1: write its message" in capsys.readouterr().out
    after = load_exercises(assignment.described)[0]["mean"].wrong
    assert [w.message for w in after[:-1]] == [w.message for w in before]
    assert after[-1].function.__name__ == "mean_wrong_1"
    assert "SAY WHICH IDEA IS WRONG" in after[-1].message
    for wrong, message in (
        (("new-wrong", ASSIGNMENT, "mean", "7"), "number must be one of the 1 answers to mean"),
        (("new-wrong", ASSIGNMENT, "median", "1"), "exercise must be one of mean, total, but is 'median'"),
    ):
        assert cli.main(list(wrong)) == 2
        err = capsys.readouterr().err
        assert message in err
        assert err.count("\n") == 1


def test_of_a_class_that_was_not_graded_there_is_no_report(assignment, capsys):
    for path in (assignment.classroom / "graded" / ASSIGNMENT).glob("*.json"):
        path.unlink()
    assert cli.main(["report", ASSIGNMENT]) == 2
    assert (
        "01_mini must have been graded, but nothing of it has: vaeedu grade 01_mini"
        in capsys.readouterr().err
    )
    assert not (assignment.classroom / "report").exists()


@pytest.mark.parametrize(
    "wrong",
    [
        "(Wrong(a, 'ä'),)",
        "(\n    Wrong(a, 'ä'),\n    Wrong(b, 'b')\n)",
        "(\n    Wrong(a, 'ä'),  # why\n)",
        "()",
    ],
)
def test_a_variant_is_added_to_any_list_of_them(tmp_path, wrong):
    path = tmp_path / "x.py"
    path.write_text(
        f"ONE = Exercise(name='one', wrong=(1,))\nTWO = Exercise(name='two', wrong={wrong}, points=3)\n"
    )
    text, name = with_wrong(path, "two", "def helper():\n    pass\n\ndef two(x):\n    return helper()")
    _, helper, function, two = ast.parse(text).body
    assert (helper.name, function.name, name) == ("helper", "two_wrong_1", "two_wrong_1")
    variants = next(keyword.value.elts for keyword in two.value.keywords if keyword.arg == "wrong")
    assert len(variants) == wrong.count("Wrong") + 1
    assert ast.unparse(variants[-1]).startswith("Wrong(two_wrong_1, ")
    with pytest.raises(ValueError, match="must define two with def"):
        with_wrong(path, "two", "two = 5")
    with pytest.raises(ValueError, match=r"must describe three with wrong=\(…\)"):
        with_wrong(path, "three", "def three(): pass")


def test_the_command_lists_pairs_that_are_alike(assignment, capsys):
    long = "def mean(x):\n    total = x[0] * 0\n" + "".join(
        f"    total = total + torch.exp(x[{i}].log() * {i} / len(x)) - torch.full_like(total, {i})\n"
        for i in range(4)
    )
    assignment.notebook.parent.mkdir(parents=True)
    nbformat.write(mini.released_notebook(assignment.course), assignment.notebook)
    for student in ("dan", "eve"):
        Store(assignment).save(graded(assignment, student, {**RIGHT, "mean": "import torch\n" + long}))
    assert cli.main(["similar", ASSIGNMENT]) == 0
    out = capsys.readouterr().out.splitlines()
    assert [line.split("  ")[-1] for line in out] == [
        "dan and eve",
        "1 pairs share 50% or more: a reason to look, and no proof",
    ]
    assert out[0].startswith("100%")
    assert cli.main(["similar", ASSIGNMENT, "--threshold", "2"]) == 2
    assert "threshold must be more than 0 and at most 1, but is 2.0" in capsys.readouterr().err


def test_nothing_can_be_alike_before_two_are_graded(tmp_path, monkeypatch, capsys):
    course = mini.make_course(tmp_path / "course")
    monkeypatch.chdir(course)
    monkeypatch.setenv("VAEEDU_CLASSROOM", str(tmp_path / "class"))
    monkeypatch.setenv("VAEEDU_COURSE", str(course))
    monkeypatch.setenv("PATH", os.environ["PATH"])
    assert cli.main(["similar", ASSIGNMENT]) == 2
    assert "two submissions of 01_mini must have been graded, but 0 has" in capsys.readouterr().err


def test_another_submission_is_another_attempt_and_the_same_one_again_is_not(assignment):
    store, came = Store(assignment), "2026-01-03 00:00:01 UTC"
    counted = []
    for seed in ("aa", "aa", "bb", "bb", "cc"):
        job = Job(ASSIGNMENT, "zoe", "", seed, {}, nbformat.writes(nbformat.v4.new_notebook()), "")
        outcome = {"student": "zoe", "status": "graded", "record": {"seed": seed}}
        kept = _kept(store, Done(job, json.dumps(outcome).encode()), Submission(job, "", came))
        assert store.outcome("zoe") == kept
        counted.append(kept["record"]["attempts"])
    assert counted == [1, 1, 2, 2, 3]
    assert kept["record"]["handed_in"] == came
