"""Lectures with outputs are taken for the text they were run of, and no other."""

import json

import nbformat
import pytest
from pages import executed


def notebook(*sources):
    return nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source) for source in sources])


@pytest.fixture
def lecture(tmp_path):
    path = tmp_path / "00_a.ipynb"
    nbformat.write(notebook("1 + 1"), path)
    return path


@pytest.fixture
def runs(tmp_path):
    return tmp_path / "runs"


@pytest.fixture
def recorded(tmp_path):
    path = tmp_path / "widgets.json"
    path.write_text(json.dumps({"state": {"a": {}}, "films": {"b": {}}}))
    return path


def run_of(path):
    run = nbformat.read(path, as_version=4)
    run.cells[0].outputs = [nbformat.v4.new_output("stream", text="2")]
    return run


def test_a_run_is_read_back_with_outputs_widgets_and_films(lecture, runs, recorded):
    assert executed.read(lecture, runs) is None
    executed.keep(lecture, run_of(lecture), recorded, runs)
    run = executed.read(lecture, runs)
    assert run.cells[0].outputs[0].text == "2"
    assert run.metadata.widgets[executed.STATE]["state"] == {"a": {}}
    assert run.metadata.vaeedu.films == {"b": {}}
    assert executed.missing([lecture], runs) == []
    assert [path.name for path in runs.iterdir()] == [lecture.name]


@pytest.mark.parametrize("change", ["1 + 2", "1 + 1\n"])
def test_a_run_of_another_text_counts_as_absent(lecture, runs, recorded, change):
    executed.keep(lecture, run_of(lecture), recorded, runs)
    nbformat.write(notebook(change), lecture)
    assert executed.read(lecture, runs) is None
    assert executed.missing([lecture], runs) == [lecture]


def test_a_run_that_was_cut_short_counts_as_absent(lecture, runs, recorded):
    executed.keep(lecture, run_of(lecture), recorded, runs)
    kept = runs / lecture.name
    kept.write_text(kept.read_text()[:-40])
    assert executed.read(lecture, runs) is None


def test_a_run_whose_cells_were_tampered_with_counts_as_absent(lecture, runs, recorded):
    executed.keep(lecture, run_of(lecture), recorded, runs)
    kept = nbformat.read(runs / lecture.name, as_version=4)
    kept.cells[0].source = "3 + 3"
    nbformat.write(kept, runs / lecture.name)
    assert executed.read(lecture, runs) is None


def test_a_lecture_that_changed_while_it_ran_is_not_kept(lecture, runs, recorded):
    run = run_of(lecture)
    nbformat.write(notebook("1 + 3"), lecture)
    with pytest.raises(ValueError, match=r"00_a\.ipynb was changed while it ran: run it again"):
        executed.keep(lecture, run, recorded, runs)
    assert not runs.exists()
