"""Time: whatever is stopped at its limit has used up nobody else's."""

from unittest.mock import Mock

import nbformat
import pytest
from support import mini_course as mini
from support.mini_course import ASSIGNMENT, FULL, NOTEBOOK, RIGHT, ROOT
from support.sandboxes import obstacle

from vaeedu.feedback.key import AnswerKey
from vaeedu_grader.authoring.course import assignments, exercises
from vaeedu_grader.authoring.exercise import PARTS
from vaeedu_grader.marking import job as marking_job
from vaeedu_grader.marking import pool
from vaeedu_grader.marking.job import Job, _limits, grade
from vaeedu_grader.marking.verdicts import PATIENCE, cells_to_run, graded_name
from vaeedu_grader.sandbox import SandboxError


def a_job(released, described, **others):
    return Job(
        ASSIGNMENT, "ada", "", seed="00", source=released, described=described, **{"files": {}, **others}
    )


@pytest.mark.parametrize("assignment", assignments(ROOT))
def test_with_any_exercise_stopped_at_its_limit_all_others_have_their_time(assignment):
    described = exercises(ROOT, assignment)
    source = (ROOT / "assignments" / assignment / f"{assignment}.ipynb").read_text(encoding="utf-8")
    limits = _limits(a_job(source, ""), described)
    notebook = nbformat.reads(source, as_version=4)
    keys = {
        f"{name}_{part}": AnswerKey(
            name, e.outputs, e.tolerance, ({},) * len(e.cases[part]), (), (), None, e.seconds
        )
        for name, e in described.items()
        for part in PARTS
    }
    names = {cell.id: graded_name(cell) for cell in notebook.cells}
    stopped = {cell.id: cell.seconds or limits.cell_seconds for cell in cells_to_run(notebook, keys)}
    honest = dict(stopped)
    for cell, name in names.items():
        if name in keys:
            honest[cell] = PATIENCE * keys[name].seconds * len(keys[name].inputs)
            assert honest[cell] < stopped[cell], f"{name} is stopped before its calls are"
    for exercise in described:
        own = {cell for cell, name in names.items() if name in [f"{exercise}_{part}" for part in PARTS]}
        assert len(own) == len(PARTS)
        taken = sum(stopped[cell] + limits.grace_seconds for cell in own)
        assert taken + sum(honest[cell] for cell in honest.keys() - own) < limits.wall_seconds, exercise
    # And with all of them, and every other cell.
    assert sum(seconds + limits.grace_seconds for seconds in stopped.values()) <= limits.wall_seconds
    assert limits.wall_seconds <= limits.cpu_seconds
    assert limits.wall_seconds <= pool.SECONDS / 2


@pytest.mark.parametrize(
    ("cells", "expected"),
    [
        ([], []),
        (["import a.b, c as d\n\ndef f():\n    import e"], ["a.b", "c", "e"]),
        (["from a import b, c as d", "from . import e"], ["a", "a.b", "a.c"]),
        (["%matplotlib inline\nimport a", "import b", "import b"], ["b"]),
    ],
)
def test_what_the_released_notebook_imports_is_imported_while_the_sandbox_waits(cells, expected, monkeypatch):
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source) for source in cells])
    notebook.cells.append(nbformat.v4.new_markdown_cell("import x"))
    source = nbformat.writes(notebook)
    sandbox = Mock(side_effect=SandboxError)
    monkeypatch.setattr(marking_job, "Prepared", sandbox)
    with pytest.raises(SandboxError):
        grade(a_job(source, mini.EXERCISES, files={NOTEBOOK: source.encode()}))
    assert sandbox.call_args.kwargs["imports"] == ("sandbox_inside.emit", *expected)


@pytest.mark.slow
def test_a_function_that_never_ends_costs_its_own_points_only(tmp_path):
    if obstacle():
        pytest.skip(obstacle())
    course = mini.make_course(tmp_path / "course")
    forever = "def mean(x):\n    import time\n    while True:\n        time.sleep(600)"
    notebook = mini.hand_in(course, tmp_path / "class", "ada", {**RIGHT, "mean": forever}) / NOTEBOOK
    job = a_job(
        nbformat.writes(mini.released_notebook(course)),
        (course / "exercises" / f"{ASSIGNMENT}.py").read_text(),
        files={NOTEBOOK: notebook.read_bytes()},
        limits={"cell_seconds": 5.0, "grace_seconds": 20.0},
    )
    outcome = grade(job)
    lost = {"mean_visible": 0, "mean_hidden": 0}
    assert {n: outcome["scores"][n] for n in FULL} == {**FULL, **lost}
    assert outcome["record"]["limits_hit"] == ["cell_seconds"]
