"""Rebuilding a submission: only texts of solution cells and the student's own cells come from it."""

import copy
import json
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
