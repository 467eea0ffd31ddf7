"""Rebuilding a submission: only texts of solution cells and the student's own cells come from it."""

import contextlib
import copy
import json
import math
from pathlib import Path

import nbformat
import pytest

from vaeedu_grader.authoring.answered import filled_in
from vaeedu_grader.intake.rebuild import rebuild

ROOT = Path(__file__).resolve().parents[2]
ASSIGNMENT = "02_linear_latent_variable_models"
RELEASED = ROOT / "assignments" / ASSIGNMENT / f"{ASSIGNMENT}.ipynb"
SOURCE = nbformat.read(RELEASED, as_version=4)
NAMES = [c.metadata.nbgrader.grade_id for c in SOURCE.cells if "nbgrader" in c.metadata]
ANSWER = "def als_sweep(x, W):\n    return x, W"


def submitted():
    return json.loads(nbformat.writes(filled_in(RELEASED, {"als_sweep": ANSWER})))


def find(notebook, name):
    """The cell of that name in plain JSON."""
    return next(c for c in notebook["cells"] if c["metadata"].get("nbgrader", {}).get("grade_id") == name)


def skeleton(notebook):
    return {c.metadata.nbgrader.grade_id: c for c in notebook.cells if "nbgrader" in c.metadata}


def check(change, *flags):
    """Rebuilds a submission after a change: the flags are those given, and the skeleton is as the source has it."""
    notebook = submitted()
    change(notebook)
    rebuilt = rebuild(SOURCE, notebook)
    nbformat.validate(rebuilt.notebook)
    assert rebuilt.flags == flags
    made = skeleton(rebuilt.notebook)
    assert list(made) == NAMES
    for name, cell in skeleton(SOURCE).items():
        assert made[name].metadata == cell.metadata
        assert made[name].cell_type == cell.cell_type
        assert made[name].metadata.nbgrader.get("solution") or made[name].source == cell.source
    assert rebuilt.notebook.metadata == SOURCE.metadata
    return rebuilt.notebook


def test_an_honest_submission_comes_back_as_it_is():
    made = check(lambda notebook: None)
    assert [c.source for c in made.cells] == [
        ANSWER if c.metadata.get("nbgrader", {}).get("grade_id") == "als_sweep" else c.source
        for c in SOURCE.cells
    ]


def test_outputs_tags_and_metadata_do_not_come_along():
    def change(notebook):
        for cell in notebook["cells"]:
            cell["metadata"]["tags"] = ["skip-execution", "remove-cell"]
            if cell["cell_type"] == "code":
                cell["outputs"] = [{"output_type": "stream", "name": "stdout", "text": "18 points"}]
        notebook["metadata"]["kernelspec"] = {"name": "evil", "display_name": "e", "language": "python"}
        find(notebook, "als_sweep_hidden")["metadata"]["nbgrader"]["points"] = 1000

    made = check(change)
    assert all("tags" not in cell.metadata for cell in made.cells)
    assert not any(cell.get("outputs") for cell in made.cells)


def test_deleted_cells_are_restored():
    def change(notebook):
        gone = [find(notebook, name) for name in ("als_sweep_hidden", "ppca_fit", "imports")]
        notebook["cells"] = [c for c in notebook["cells"] if c not in gone]

    made = check(change, *(f"{n} was deleted: restored" for n in ("imports", "als_sweep_hidden", "ppca_fit")))
    assert "NotImplementedError" in skeleton(made)["ppca_fit"].source


def test_edited_tests_are_restored():
    def change(notebook):
        find(notebook, "als_sweep_visible")["source"] = "pass"

    check(change, "als_sweep_visible is read-only and was edited: restored")


def test_retyped_cells_get_their_type_back_and_keep_the_text():
    def change(notebook):
        for name in ("als_sweep", "als_sweep_visible"):
            cell = find(notebook, name)
            cell["cell_type"] = "markdown"
            del cell["outputs"], cell["execution_count"]

    made = check(
        change,
        "als_sweep was a code cell, not markdown: restored",
        "als_sweep_visible was a code cell, not markdown: restored",
    )
    assert skeleton(made)["als_sweep"].source == ANSWER


def test_of_a_solution_twice_both_run_in_their_order():
    def change(notebook):
        twin = copy.deepcopy(find(notebook, "als_sweep"))
        twin["source"] = ["als_sweep = 1\n", "# again"]
        notebook["cells"].insert(notebook["cells"].index(find(notebook, "als_sweep")) + 1, twin)

    made = check(change, "als_sweep is there more than once")
    sources = [c.source for c in made.cells]
    assert sources.index("als_sweep = 1\n# again") == sources.index(ANSWER) + 1


def test_a_test_twice_is_there_once():
    def change(notebook):
        notebook["cells"].append(copy.deepcopy(find(notebook, "als_sweep_hidden")))

    check(change, "als_sweep_hidden is there more than once")


def test_moved_cells_are_put_back_and_what_is_the_students_stays_behind_its_neighbour():
    own = {"cell_type": "code", "metadata": {}, "outputs": [], "execution_count": 3, "source": "mine = 1"}

    def change(notebook):
        cell = find(notebook, "ppca_fit_hidden")
        notebook["cells"].remove(cell)
        notebook["cells"][:0] = [cell, own]

    made = check(change, "cells were moved: put back into their order")
    sources = [c.source for c in made.cells]
    assert sources[sources.index("mine = 1") - 1] == skeleton(SOURCE)["ppca_fit_hidden"].source


def test_unknown_names_are_the_students_own():
    def change(notebook):
        cell = copy.deepcopy(find(notebook, "als_sweep_hidden"))
        cell["metadata"]["nbgrader"]["grade_id"] = "bonus"
        notebook["cells"].append(cell)

    made = check(change, "'bonus' is no cell of this assignment: taken as the student's own")
    assert "nbgrader" not in made.cells[-1].metadata


def test_lost_metadata_is_found_by_the_cells_own_name():
    def change(notebook):
        for cell in notebook["cells"]:
            cell["metadata"] = {}

    made = check(change, *(f"{name} has lost its metadata: restored" for name in NAMES))
    assert skeleton(made)["als_sweep"].source == ANSWER


@pytest.mark.parametrize("value", [None, 3, [], {}, {"grade_id": ["x"]}, {"grade_id": None}])
def test_metadata_of_any_kind_does_no_harm(value):
    def change(notebook):
        notebook["cells"].append({"cell_type": "raw", "metadata": {"nbgrader": value}, "source": "x"})

    assert check(change).cells[-1].cell_type == "raw"


def test_the_same_submission_gives_the_same_notebook():
    assert rebuild(SOURCE, submitted()) == rebuild(SOURCE, submitted())


EXERCISES = [name.removesuffix("_hidden") for name in NAMES if name.endswith("_hidden")]
WRITTEN = {
    name: f"import math\n\n\ndef {name}(*inputs):\n    return math.tau, {name!r}" for name in EXERCISES
}


def worked():
    return json.loads(nbformat.writes(filled_in(RELEASED, WRITTEN)))


def own(source):
    return {"cell_type": "code", "metadata": {}, "outputs": [], "execution_count": 3, "source": source}


def tried(notebook):
    """What each exercise's hidden tests find when the students' cells run from top to bottom."""
    names, found = {}, {}
    for cell in notebook.cells:
        roles = cell.metadata.get("nbgrader", {})
        if roles.get("grade") and cell.cell_type == "code":
            function = names.get(roles.grade_id.rpartition("_")[0])
            with contextlib.suppress(NotImplementedError, TypeError):
                found[roles.grade_id] = function and function()
        elif cell.cell_type == "code" and (not roles or roles.get("solution")):
            with contextlib.suppress(Exception):  # as in the sandbox, an error ends its own cell only
                exec(cell.source.replace("%matplotlib inline\n", ""), names)
    return [name for name in EXERCISES if found.get(f"{name}_hidden") == (math.tau, name)]


def without(notebook, *names):
    gone = [find(notebook, name) for name in names]
    notebook["cells"] = [c for c in notebook["cells"] if c not in gone]


def merged_with_the_students_own_cell_above(notebook, name):
    cell = find(notebook, name)
    cell["source"] = "before = 1\n" + "".join(cell["source"])
    cell["metadata"] = {}
    cell["id"] = "0a1b2c3d"


def merged_with_the_solution_above(notebook, name):
    above = find(notebook, EXERCISES[EXERCISES.index(name) - 1])
    above["source"] = "".join([*above["source"], "\n", *find(notebook, name)["source"]])
    without(notebook, name)


def deleted_and_written_at_the_end(notebook, name):
    without(notebook, name)
    notebook["cells"].append(own(WRITTEN[name]))


def deleted_and_written_at_the_beginning(notebook, name):
    without(notebook, name)
    notebook["cells"].insert(0, own("%matplotlib inline\n" + WRITTEN[name]))


def left_as_it_was_and_written_at_the_end(notebook, name):
    find(notebook, name)["source"] = skeleton(SOURCE)[name].source
    notebook["cells"].append(own(WRITTEN[name]))


def emptied_and_written_at_the_end(notebook, name):
    find(notebook, name)["source"] = "# see below"
    notebook["cells"].append(own(WRITTEN[name]))


@pytest.mark.parametrize(
    ("change", "where"),
    [
        (
            merged_with_the_students_own_cell_above,
            f"was deleted: taken from a cell behind {EXERCISES[1]}_hidden",
        ),
        (merged_with_the_solution_above, f"was deleted: taken from {EXERCISES[1]}"),
        (deleted_and_written_at_the_end, f"was deleted: taken from a cell behind {NAMES[-1]}"),
        (deleted_and_written_at_the_beginning, "was deleted: taken from a cell at the beginning"),
        (
            left_as_it_was_and_written_at_the_end,
            f"is not written in its own cell: taken from a cell behind {NAMES[-1]}",
        ),
        (
            emptied_and_written_at_the_end,
            f"is not written in its own cell: taken from a cell behind {NAMES[-1]}",
        ),
    ],
)
def test_a_function_that_is_there_counts_wherever_it_is_written(change, where):
    notebook, name = worked(), EXERCISES[2]
    change(notebook, name)
    rebuilt = rebuild(SOURCE, notebook)
    assert rebuilt.flags[-1] == f"{name} {where}"
    assert tried(rebuilt.notebook) == EXERCISES


@pytest.mark.parametrize("at", [0, None])
@pytest.mark.parametrize("delete", [True, False])
def test_all_functions_may_be_in_one_cell(at, delete):
    notebook = worked()
    for name in EXERCISES:
        find(notebook, name)["source"] = skeleton(SOURCE)[name].source
    if delete:
        without(notebook, *EXERCISES)
    notebook["cells"].insert(len(notebook["cells"]) if at is None else at, own("\n\n".join(WRITTEN.values())))
    rebuilt = rebuild(SOURCE, notebook)
    assert tried(rebuilt.notebook) == EXERCISES
    what = "was deleted" if delete else "is not written in its own cell"
    where = "at the beginning" if at == 0 else f"behind {NAMES[-1]}"
    assert rebuilt.flags == tuple(f"{name} {what}: taken from a cell {where}" for name in EXERCISES)
    # The cell runs once where it is, and at most once more.
    assert sum(cell.source == "\n\n".join(WRITTEN.values()) for cell in rebuilt.notebook.cells) == (
        2 if at is None else 1
    )


def test_of_several_other_cells_the_last_counts_as_in_the_students_own_kernel():
    notebook, name = worked(), EXERCISES[0]
    without(notebook, name)
    notebook["cells"] += [own(f"def {name}():\n    return 'an early try'"), own(WRITTEN[name])]
    rebuilt = rebuild(SOURCE, notebook)
    assert rebuilt.flags == (f"{name} was deleted: the last of 2 is taken, from a cell behind {NAMES[-1]}",)
    assert tried(rebuilt.notebook) == EXERCISES


def test_what_cannot_be_read_is_named():
    notebook, name = worked(), EXERCISES[0]
    without(notebook, name)
    notebook["cells"].append(own(f"def {name}(:\n    return 1"))
    rebuilt = rebuild(SOURCE, notebook)
    assert rebuilt.flags == (
        f"{name} was deleted; a cell behind {NAMES[-1]} seems to have it, but is no Python: not taken from there",
    )
    assert tried(rebuilt.notebook) == EXERCISES[1:]


def test_an_answer_in_its_own_cell_is_left_alone_whatever_else_defines_the_name():
    notebook, name = worked(), EXERCISES[0]
    notebook["cells"].insert(0, own(f"def {name}():\n    return 'a try'"))
    rebuilt = rebuild(SOURCE, notebook)
    assert rebuilt.flags == ()
    assert skeleton(rebuilt.notebook)[name].source == WRITTEN[name]
