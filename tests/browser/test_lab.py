"""The lectures as a student meets them: `make lab`, a browser, a mouse and a keyboard.

Here each lecture runs, once, from a clean kernel that has neither network nor cache. What it printed and drew is kept
in `build/executed`, of which `make site` makes pages.
"""

import re
import statistics
import time
from pathlib import Path

import nbformat
import pytest
from support import driving

# One group: workers that share two cores shall not start a browser each.
pytestmark = [pytest.mark.browser, pytest.mark.timeout(3600)]

FOLDER = Path(__file__).resolve().parents[2] / "lectures"
LECTURES = sorted(
    f"lectures/{path.name}" for path in FOLDER.glob("*.ipynb") if not path.name.startswith("00")
)

HARMLESS = (
    "is not trusted",  # said of each notebook that was not written on this machine
    "websocket_ping_timeout",  # the server's own defaults, which tornado finds at odds; to change either is worse
    "/.~",  # the server's own file beside a notebook that is being saved, gone when the list of files looked at it
)


def alarming(log):
    """Returns the lines in the terminal that would worry a newcomer."""
    worries = [line for line in log.splitlines() if re.search(r"^\[[WEC] |WARNING|ERROR|Traceback", line)]
    return [line for line in worries if not any(harmless in line for harmless in HARMLESS)]


def assert_the_widget_moves_the_picture(page, notebook, record_property):
    """Of the first slider, or where a lecture has none, of the first grid of pixels to click."""
    has_slider = notebook.get_by_role("slider").count() > 0
    inside = page.get_by_role("slider") if has_slider else page.get_by_title("row 1, column 2", exact=True)
    cell = notebook.locator(".jp-CodeCell").filter(has=inside).first
    widget = (
        cell.get_by_role("slider").first if has_slider else cell.get_by_title("row 1, column 2", exact=True)
    )
    widget.scroll_into_view_if_needed()
    before = driving.pictures(page, cell)
    assert before, "the widget's cell shows no picture"
    value = widget.get_attribute("aria-valuenow")
    widget.focus()
    begun = time.perf_counter()
    back = value == widget.get_attribute("aria-valuemax")
    widget.press("Space" if not has_slider else "ArrowLeft" if back else "ArrowRight")
    driving.wait_for_other_pictures(page, cell, before)
    elapsed = time.perf_counter() - begun
    assert not has_slider or widget.get_attribute("aria-valuenow") != value
    record_property("milliseconds to a new picture", round(1000 * elapsed))
    print(f"the picture changed {1000 * elapsed:.0f} ms after the key")


def assert_the_sheet_is_drawn_on_and_answers(page, notebook, record_property):
    """Of a sheet on which one draws and a model goes on."""
    sheet = notebook.get_by_role("img", name="A sheet to draw on")
    cell = (
        notebook.locator(".jp-CodeCell").filter(has=page.get_by_role("img", name="A sheet to draw on")).first
    )
    sheet.scroll_into_view_if_needed()
    cell.get_by_role("button", name="clear").click()
    cell.get_by_text("Draw, or take an example.").wait_for()
    sheet.scroll_into_view_if_needed()
    box = sheet.bounding_box()
    page.mouse.move(box["x"] + 0.3 * box["width"], box["y"] + 0.7 * box["height"])
    page.mouse.down()
    for step in range(1, 9):
        page.mouse.move(
            box["x"] + (0.3 + 0.05 * step) * box["width"], box["y"] + (0.7 - 0.06 * step) * box["height"]
        )
    begun = time.perf_counter()
    page.mouse.up()
    cell.get_by_text(re.compile(r"\d+ steps are yours, \d+ the model's")).wait_for()
    record_property("milliseconds to an answer", round(1000 * (time.perf_counter() - begun)))


def assert_nothing_to_worry_about(page, notebook, log):
    assert driving.errors(page, notebook) == []
    assert page.went_out == []
    assert alarming(log) == []


def assert_nothing_in_the_way(page, log):
    assert page.locator(driving.DIALOG).count() == 0
    assert page.locator(driving.TOAST).count() == 0
    assert page.went_out == []
    assert alarming(log) == []


@pytest.fixture(scope="class")
def first_page(shared_page, lab):
    """What the first tests share: the page that opens of itself."""
    shared_page.goto(f"{lab}/")
    panel = shared_page.locator(".jp-NotebookPanel:not(.lm-mod-hidden)")
    panel.locator("h1").first.wait_for()
    driving.wait_for_idle_kernel(shared_page)
    return panel


class TestTheFirstPage:
    """As it opens of itself, in one window."""

    def test_it_opens_with_nothing_in_the_way(self, shared_page, first_page, lab_log):
        assert shared_page.url.endswith(driving.START)
        assert_nothing_in_the_way(shared_page, lab_log())

    def test_code_that_only_draws_is_folded_until_it_is_clicked(self, first_page):
        cell = first_page.locator(".jp-CodeCell").nth(1)
        assert cell.locator(".cm-content").count() == 0
        cell.locator(".jp-InputPlaceholder .jp-Placeholder-content").click()
        cell.locator(".cm-content").get_by_text("plotting.use_style()").wait_for()
        cell.locator(".jp-InputCollapser").click()
        cell.locator(".jp-InputPlaceholder").wait_for()

    def test_it_runs_and_gives_its_verdict(self, shared_page, first_page, lab_log, record_property, tmp_path):
        driving.run_all(shared_page, first_page)
        assert "Everything is in place." in driving.outputs(first_page)[0]
        driving.keep(shared_page, driving.START, tmp_path)
        assert_the_widget_moves_the_picture(shared_page, first_page, record_property)
        assert driving.errors(shared_page, first_page) == []
        # By now a question about news, which appears a moment after the page, would be there.
        assert_nothing_in_the_way(shared_page, lab_log())


@pytest.fixture(scope="class")
def window(shared_page, lab):
    """A window for notebooks, one after another."""
    driving.open_empty(shared_page, lab)
    return shared_page


@pytest.fixture
def notebook(window, lab, lecture, request, stop_kernels, shoot):
    """A lecture in that window, with a kernel of its own."""
    yield driving.open_here(window, lecture)
    failed = getattr(request.node, "failed", False)
    if failed:
        shoot(window, request.node)
    driving.close_all(window)
    stop_kernels(window)
    if failed:  # whatever else is open shall not be in the next one's way
        driving.open_empty(window, lab)


@pytest.mark.slow  # the first page, which has code, figures and a slider, stands for them where time is short
class TestTheLectures:
    """In one window, for most of an opened page's time is JupyterLab's."""

    @pytest.mark.parametrize("lecture", LECTURES)
    def test_it_runs_and_its_widget_moves_the_picture(
        self, window, notebook, lecture, lab_log, record_property, tmp_path
    ):
        record_property("seconds to run", round(driving.run_all(window, notebook, minutes=30), 1))
        assert driving.errors(window, notebook) == []
        driving.keep(window, lecture, tmp_path)
        if notebook.get_by_role("img", name="A sheet to draw on").count():
            assert_the_sheet_is_drawn_on_and_answers(window, notebook, record_property)
        else:
            assert_the_widget_moves_the_picture(window, notebook, record_property)
        assert_nothing_to_worry_about(window, notebook, lab_log())


def write_notebook(path, source, **metadata):
    """Writes a notebook of one cell."""
    cell = nbformat.v4.new_code_cell(source.strip(), metadata=metadata)
    notebook = nbformat.v4.new_notebook(cells=[cell])
    notebook.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3"}
    nbformat.write(notebook, path)


LOOKS_AROUND = """
import sys
import urllib.request
from pathlib import Path

from vaeedu import data

print(Path.home(), data.mnist_at_hand())
try:
    urllib.request.urlopen("http://vaeedu.invalid", timeout=60)
except OSError as error:
    print(error, file=sys.stderr)
"""


PAD = """
from matplotlib.figure import Figure
from vaeedu import widgets

figure = Figure(figsize=(4, 3), dpi=100)
axes = figure.add_axes((0.05, 0.2, 0.4, 0.6), xlim=(0, 5), ylim=(0, 5))
(mark,) = axes.plot([0.5], [0.5], "o", animated=True)


def draw(x, y):
    mark.set_data([x + 0.5], [y + 0.5])
    return f"at {x:.0f}, {y:.0f}"


widgets.pad(figure, draw, [0.0, 1.0, 2.0, 3.0, 4.0], axes=axes, descriptions=("x", "y"))
"""


STOPWATCH = """image => {
    let begun = null;
    window.taken = [];
    image.addEventListener("pointermove", () => { begun ??= performance.now(); }, true);
    image.addEventListener("load", () => {
        if (begun !== null) window.taken.push(performance.now() - begun);
        begun = null;
    });
}"""


BOXES = """cell => Object.fromEntries(Object.entries(
    {image: "img", up: ".widget-vslider .noUi-base", across: ".widget-hslider .noUi-base",
     label: ".widget-hslider .widget-label"}
).map(([name, selector]) => [name, cell.querySelector(selector).getBoundingClientRect().toJSON()]))"""


@pytest.fixture(scope="class")
def pad_notebook(window, course):
    """A notebook with a pad, after it has run."""
    write_notebook(course / "pad.ipynb", PAD)
    panel = driving.open_here(window, "pad.ipynb")
    driving.run_all(window, panel)
    assert driving.errors(window, panel) == []
    return panel


@pytest.fixture
def cell(pad_notebook):
    """The cell that shows the pad, with its point where it was at first."""
    cell = pad_notebook.locator(".jp-CodeCell").first
    for number in range(2):
        cell.get_by_role("slider").nth(number).press("Home")
    cell.get_by_text("at 0, 0", exact=True).wait_for()
    return cell


class TestNotebooksOfOneCell:
    """In one window: one that looks around, and one with a pad."""

    def test_a_kernel_finds_neither_home_nor_data_nor_network_and_what_it_says_of_that_is_seen(
        self, window, course
    ):
        write_notebook(course / "looks_around.ipynb", LOOKS_AROUND, jupyter={"source_hidden": True})
        notebook = driving.open_here(window, "looks_around.ipynb")
        driving.run_all(window, notebook)
        assert f"{course.parent / 'home'} False" in driving.outputs(notebook)[0]
        # Not "unknown host": it was the proxy that was asked, where nobody listens.
        assert "refused" in driving.errors(window, notebook)[0]
        driving.close_all(window)

    def test_a_pads_point_follows_the_pointer(self, shared_page, cell, record_property):
        image = cell.get_by_role("img", name="A map of x and y")
        image.scroll_into_view_if_needed()
        box = image.bounding_box()
        assert (round(box["width"]), round(box["height"])) == (400, 300)

        def move_to(x, y):
            """To a point of the axes, whose lower left corner is 20 pixels from the left and 240 from the top."""
            shared_page.mouse.move(box["x"] + 20 + x * 160 / 5, box["y"] + 240 - y * 180 / 5)

        def is_at(text):
            cell.get_by_text(text, exact=True).wait_for()

        is_at("at 0, 0")
        move_to(2.5, 1.5)
        shared_page.wait_for_timeout(300)
        is_at("at 0, 0")  # nothing is pressed
        shared_page.mouse.down()
        is_at("at 2, 1")
        image.evaluate(STOPWATCH)
        for x, y in ((3.5, 1.5), (3.5, 4.5), (0.1, 3.9), (1.5, 2.5), (2.5, 3.5)):
            before = driving.pictures(shared_page, cell)
            move_to(x, y)
            driving.wait_for_other_pictures(shared_page, cell, before)
            is_at(f"at {int(x)}, {int(y)}")
        taken = shared_page.evaluate("window.taken")
        move_to(9.0, -1.0)  # beside the map: the nearest stop
        is_at("at 4, 0")
        sliders = cell.get_by_role("slider")
        assert {sliders.nth(i).get_attribute("aria-valuenow") for i in range(2)} == {"4.0", "0.0"}
        shared_page.mouse.up()
        move_to(1.5, 1.5)
        shared_page.wait_for_timeout(300)
        is_at("at 4, 0")
        record_property("milliseconds to a new picture", round(statistics.median(taken)))
        print(f"the picture changed {statistics.median(taken):.0f} ms after the pointer")

    def test_each_slider_of_a_pad_lies_along_the_map_with_room_for_its_label(self, shared_page, cell):
        boxes = cell.evaluate(BOXES)  # at one moment: the page may still be moving
        image, up, across, label = (boxes[name] for name in ("image", "up", "across", "label"))
        assert across["left"] == pytest.approx(image["left"] + 20, abs=1)
        assert across["width"] == pytest.approx(160, abs=1)
        assert up["top"] == pytest.approx(image["top"] + 60, abs=1)
        assert up["height"] == pytest.approx(180, abs=1)
        assert up["right"] < label["left"] < label["right"] < across["left"]

    def test_a_press_beside_a_pads_map_does_nothing_and_the_arrow_keys_move_it(self, shared_page, cell):
        box = cell.get_by_role("img", name="A map of x and y").bounding_box()
        shared_page.mouse.move(box["x"] + 300, box["y"] + 100)
        shared_page.mouse.down()
        shared_page.mouse.move(box["x"] + 120, box["y"] + 100)
        shared_page.mouse.up()
        shared_page.wait_for_timeout(300)
        cell.get_by_text("at 0, 0", exact=True).wait_for()
        for number, found in enumerate(("at 0, 1", "at 1, 1")):
            cell.get_by_role("slider").nth(number).press("ArrowUp" if number == 0 else "ArrowRight")
            cell.get_by_text(found, exact=True).wait_for()
