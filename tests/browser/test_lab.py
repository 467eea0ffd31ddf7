"""The lectures as a student meets them: `make lab`, a browser, a mouse and a keyboard."""

import re
import time
from pathlib import Path

import driving
import pytest

pytestmark = [pytest.mark.browser, pytest.mark.timeout(900)]

FOLDER = Path(__file__).resolve().parents[2] / "lectures"
# One lecture stands for all where time is short.
LECTURES = [
    pytest.param(f"lectures/{path.name}", marks=() if number == 0 else pytest.mark.slow)
    for number, path in enumerate(sorted(p for p in FOLDER.glob("*.ipynb") if not p.name.startswith("00")))
]

HARMLESS = (
    "is not trusted",  # said of each notebook that was not written on this machine
    "websocket_ping_timeout",  # the server's own defaults, which tornado finds at odds; to change either is worse
)


def alarming(log):
    """Returns the lines in the terminal that would worry a newcomer."""
    worries = [line for line in log.splitlines() if re.search(r"^\[[WEC] |WARNING|ERROR|Traceback", line)]
    return [line for line in worries if not any(harmless in line for harmless in HARMLESS)]


def test_it_opens_the_first_page_with_nothing_in_the_way(page, lab, lab_log):
    page.goto(f"{lab}/")
    notebook = page.locator(".jp-NotebookPanel:not(.lm-mod-hidden)")
    notebook.locator("h1").first.wait_for()
    assert page.url.endswith(driving.START)
    driving.wait_for_idle_kernel(page)
    page.wait_for_timeout(3000)  # a question about news appears a moment after the page
    assert page.locator(driving.DIALOG).count() == 0
    assert page.locator(driving.TOAST).count() == 0
    assert page.went_out == []
    assert alarming(lab_log()) == []


def test_the_first_page_runs_and_gives_its_verdict(page, lab):
    notebook = driving.open_notebook(page, lab, driving.START)
    driving.run_all(page, notebook)
    assert driving.errors(notebook) == []
    assert "Everything is in place." in driving.outputs(notebook)[0]


@pytest.mark.parametrize("lecture", LECTURES)
def test_the_lecture_runs_and_its_slider_moves_the_picture(page, lab, lecture, record_property):
    notebook = driving.open_notebook(page, lab, lecture)
    record_property("seconds to run", round(driving.run_all(page, notebook, minutes=10), 1))
    assert driving.errors(notebook) == []
    cell = notebook.locator(".jp-CodeCell").filter(has=page.get_by_role("slider")).first
    slider = cell.get_by_role("slider").first
    slider.scroll_into_view_if_needed()
    before = driving.pictures(page, cell)
    assert before, "the slider's cell shows no picture"
    value = slider.get_attribute("aria-valuenow")
    slider.focus()
    begun = time.perf_counter()
    slider.press("ArrowLeft" if value == slider.get_attribute("aria-valuemax") else "ArrowRight")
    driving.wait_for_other_pictures(page, cell, before)
    elapsed = time.perf_counter() - begun
    assert slider.get_attribute("aria-valuenow") != value
    assert driving.errors(notebook) == []
    record_property("milliseconds to a new picture", round(1000 * elapsed))
    print(f"the picture changed {1000 * elapsed:.0f} ms after the key")
    assert page.went_out == []
