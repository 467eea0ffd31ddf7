"""Marking: arrays decide, outside the sandbox; whatever else a cell puts out is worth nothing."""

import functools
import json
from pathlib import Path

import nbformat
import pytest
from nbgrader.utils import determine_grade

from vaeedu.feedback.run import Answer, run_all
from vaeedu.feedback.wire import pack_answers, unpack_cases
from vaeedu_grader.authoring.course import exercises
from vaeedu_grader.authoring.exercise import PARTS
from vaeedu_grader.marking.verdicts import cells_to_run, graded_name, make_keys, mark, refuse
from vaeedu_grader.sandbox import CellResult, Run

ROOT = Path(__file__).resolve().parents[2]
ASSIGNMENT = "02_linear_latent_variable_models"
DESCRIBED = exercises(ROOT, ASSIGNMENT)
NAME = "als_sweep_hidden"
OK = {"output_type": "stream", "name": "stdout", "text": "fine\n"}


@functools.cache
def keys():
    """Made when the first test needs them: that takes seconds, for which no collection of tests should wait."""
    return make_keys(DESCRIBED, b"secret")


def notebook(*, own_test=False):
    nb = nbformat.read(ROOT / "assignments" / ASSIGNMENT / f"{ASSIGNMENT}.ipynb", as_version=4)
    if own_test:
        (cell,) = [c for c in nb.cells if graded_name(c) == NAME]
        cell.metadata.nbgrader.grade_id = "mine"
        cell.source = "assert als_sweep"
    return nb


def answered(function=None, part="hidden"):
    key = keys()[f"als_sweep_{part}"]
    answers = run_all(function or DESCRIBED["als_sweep"].reference, key.inputs, num_outputs=2)
    return pack_answers(answers)


def points(*outputs, status="ok", run="finished", emitted=None, answers=None, name=NAME):
    """The points of one cell that put this out, and what is told about it."""
    nb = notebook(own_test=name != NAME)
    (cell,) = [c for c in nb.cells if graded_name(c) == name]
    count = (emitted is not None) if answers is None else answers
    ours = CellResult(cell.id, status, list(outputs), emitted, count)
    others = [CellResult(c.id, "ok") for c in nb.cells if c.cell_type == "code" and c.id != cell.id]
    mark(nb, Run((ours, *others), run, (), 1.0, {}, False), keys())
    nbformat.validate(nb)
    told = "\n".join(o.get("evalue", o.get("text", "")) for o in cell.outputs)
    return determine_grade(cell)[0], told


def test_right_answers_get_the_points_and_warnings_cost_nothing():
    warning = {"output_type": "stream", "name": "stderr", "text": "careful"}
    number = {
        "output_type": "execute_result",
        "data": {"text/plain": "0"},
        "metadata": {},
        "execution_count": 1,
    }
    error = {"output_type": "error", "ename": "E", "evalue": "", "traceback": []}
    got, told = points(OK, warning, number, error, emitted=answered())
    assert got == 2
    assert told == "fine\n\n✓ als_sweep: every case is right\n"


def test_a_mistake_loses_them_and_is_named():
    wrong = DESCRIBED["als_sweep"].wrong[0]
    got, told = points(emitted=answered(wrong.function))
    assert got == 0
    assert told.endswith(wrong.message)


def test_answers_to_other_inputs_are_wrong():
    assert points(emitted=answered(part="visible"))[0] == 0
    other = make_keys({"als_sweep": DESCRIBED["als_sweep"]}, b"another secret")[NAME]
    stale = pack_answers(run_all(DESCRIBED["als_sweep"].reference, other.inputs, num_outputs=2))
    assert points(emitted=stale)[0] == 0


@pytest.mark.parametrize(
    ("result", "expected"),
    [
        ({}, "the notebook has changed how cells are run"),
        ({"answers": 2}, "it sent several, and one set is expected"),
        ({"emitted": b"[]"}, "only 0 of 3 cases were answered"),
        ({"emitted": b"\x80\x04"}, "what this cell sent cannot be used: answers must be JSON"),
        ({"status": "interrupted"}, "it was stopped because it took too long"),
        ({"status": "ended", "run": "memory"}, "it asked for more memory than there is"),
        ({"status": "ended", "run": "unheard of"}, "unheard of"),
        ({"status": "not run", "run": "killed"}, "it was not reached"),
    ],
)
def test_without_usable_answers_there_are_no_points(result, expected):
    for outputs in ((), (OK,)):
        got, told = points(*outputs, **result)
        assert got == 0
        assert expected in told


def test_what_stopped_the_cell_is_told():
    error = {"output_type": "error", "ename": "KeyError", "evalue": "'x'", "traceback": ["t"]}
    assert "it stopped with KeyError: 'x'" in points(error, status="error")[1]


def test_an_undefined_function_is_told():
    from vaeedu.feedback.run import Failure

    sent = pack_answers([Answer(failure=Failure("undefined", "NoneType"))])
    got, told = points(emitted=sent)
    assert got == 0
    assert "There is no function als_sweep" in told
    sent = pack_answers([Answer(failure=Failure("not_callable", "int"))])
    assert "als_sweep must be a function, but is int." in points(emitted=sent)[1]


def test_long_prints_are_cut():
    long = {"output_type": "stream", "name": "stdout", "text": "x" * 10_000}
    assert len(points(long, emitted=answered())[1]) < 5000


def result_of(text):
    data = {} if text is None else {"text/plain": text}
    return {"output_type": "execute_result", "data": data, "metadata": {}, "execution_count": 1}


@pytest.mark.parametrize(
    ("outputs", "status", "run", "expected"),
    [
        ([OK], "ok", "finished", 2),
        ([result_of("0.5")], "ok", "finished", 0.5),
        ([result_of("'word'")], "ok", "finished", 2),
        ([result_of("nan")], "ok", "finished", 0),
        ([result_of("-1")], "ok", "finished", 0),
        ([result_of("inf")], "ok", "finished", 0),
        ([result_of("100")], "ok", "finished", 0),
        ([result_of(None)], "ok", "finished", 0),
        ([], "error", "finished", 0),
        ([], "ended", "killed", 0),
        ([OK], "not run", "killed", 0),
        ([OK], "interrupted", "finished", 0),
    ],
)
def test_an_instructors_own_test_marks_itself_within_its_points(outputs, status, run, expected):
    assert points(*outputs, status=status, run=run, name="mine")[0] == expected


def test_cells_that_are_decided_here_send_answers_and_know_none():
    nb = notebook()
    cells = {cell.id: cell.source for cell in cells_to_run(nb, keys())}
    assert list(cells) == [c.id for c in nb.cells if c.cell_type == "code"]
    for name, key in keys().items():
        before, cases, after = cells[name].split("'")[-3:]
        assert f"globals().get('{key.name}'), " in cells[name]
        assert (before, after) == ("), ", f", {len(key.outputs)}, 15.0)")
        for sent, kept in zip(unpack_cases(cases), key.inputs, strict=True):
            assert sent.keys() == kept.keys()
    own = [c for c in nb.cells if c.cell_type == "code" and graded_name(c) not in keys()]
    assert all(cells[c.id] == c.source for c in own)


def test_fresh_inputs_are_the_seeds_own():
    some = {name: DESCRIBED[name] for name in ("als_sweep", "center_and_project")}
    again, other = make_keys(some, b"secret"), make_keys(some, b"secreu")
    assert set(again) == set(other) == {f"{name}_{part}" for name in some for part in PARTS}
    for name, key in again.items():
        assert json.dumps(key.to_json()) == json.dumps(keys()[name].to_json())
        assert json.dumps(other[name].to_json()["inputs"]) != json.dumps(key.to_json()["inputs"])


def test_a_long_message_is_broken_into_lines_that_fit_the_pages():
    nb, words = notebook(), "You projected x itself: " * 20
    refuse(nb, f"{words}\n\n  {'x' * 200}")
    (cell,) = [c for c in nb.cells if graded_name(c) == NAME]
    lines = cell.outputs[0].traceback
    assert max(map(len, lines)) <= 90
    text = lines[: lines.index("")]
    assert " ".join(text) == words.strip()
    assert "".join(lines[len(text) :]).strip() == "x" * 200
    assert cell.outputs[0].evalue.count("\n") == 2


def test_what_is_refused_gets_nothing_and_says_why():
    nb = notebook()
    refuse(nb, "it was empty")
    for cell in nb.cells:
        if graded_name(cell):
            assert determine_grade(cell)[0] == 0
            assert cell.outputs[0].evalue == "it was empty"
