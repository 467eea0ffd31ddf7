"""What axe-core, the usual checker of accessibility, says of the course's own parts of a page; and the keyboard."""

import base64
from pathlib import Path

import nbformat
import pytest
from matplotlib.figure import Figure
from support import driving
from support.accessibility import assert_nobody_is_shut_out, violations

from vaeedu.plotting.showing import png
from vaeedu_grader.authoring.course import exercises
from vaeedu_grader.feedback_page.exporter import FeedbackExporter
from vaeedu_grader.feedback_page.summary import shown
from vaeedu_grader.report.findings import Finding
from vaeedu_grader.report.page import write_page

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.timeout(600)]

ROOT = Path(__file__).resolve().parents[2]
ASSIGNMENT = "03_information_and_divergence"
SETUP = """
from matplotlib.figure import Figure
from vaeedu import plotting, widgets

figure = Figure(figsize=(3, 2), dpi=100)
axes = figure.add_axes((0.1, 0.2, 0.5, 0.6), xlim=(0, 3), ylim=(0, 3), title="A point")
(mark,) = axes.plot([0], [0], "o")


def draw(x=0.0, y=0.0):
    mark.set_data([x], [y])
    return f"at {x:.0f}, {y:.0f}"
"""
CELLS = {
    "slider": "widgets.slider(figure, draw, [0.0, 1.0, 2.0], description='x', interval=500)",
    "sliders": "widgets.sliders(figure, draw, [0.0, 1.0, 2.0], descriptions=['x', 'y'])",
    "pad": "widgets.pad(figure, draw, [0.0, 1.0, 2.0], axes=axes, descriptions=('x', 'y'))",
    "pixels": "widgets.pixels(figure, lambda pixel: draw(*pixel), (2, 2))",
    "sketchpad": "widgets.sketchpad(lambda lines: (lines, f'{len(lines)} lines'), [[[(0.1, 0.1), (0.9, 0.9)]]])",
    "figure": "plotting.show(figure, alt='A point at the origin.')",
    "code": "plotting.show_source(plotting.tile)",
    "table": "from vaeedu import way\nway.table()",
    "done": "way.done()",
}

ACTIVE_CELL = "window.jupyterapp.shell.currentWidget.content.activeCellIndex"
WITH_A_CAPTION = ("slider", "sliders", "pad", "pixels", "sketchpad")


@pytest.fixture(scope="class")
def window(shared_page, lab):
    driving.open_empty(shared_page, lab)
    return shared_page


@pytest.fixture(scope="class")
def notebook(window, course):
    """A notebook with one of each, after it has run."""
    made = nbformat.v4.new_notebook()
    made.cells = [nbformat.v4.new_code_cell(source.strip()) for source in (SETUP, *CELLS.values())]
    made.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3"}
    nbformat.write(made, course / "lectures" / "one_of_each.ipynb")
    panel = driving.open_here(window, "lectures/one_of_each.ipynb")
    driving.run_all(window, panel)
    assert driving.errors(window, panel) == []
    return panel


class TestWhatALectureShows:
    @pytest.mark.parametrize("name", CELLS)
    def test_axe_finds_nothing_serious(self, window, notebook, name):
        number = 1 + list(CELLS).index(name)
        cell = notebook.locator(".jp-CodeCell").nth(number)
        cell.scroll_into_view_if_needed()
        cell.locator(".jp-OutputArea-output").first.wait_for()
        if name in WITH_A_CAPTION:
            cell.locator(".vaeedu-caption").wait_for()
            window.wait_for_timeout(100)  # names come with the next picture that the browser draws
        cell.evaluate("cell => { cell.id = 'looked-at'; }")
        try:
            assert_nobody_is_shut_out(violations(window, "#looked-at .jp-OutputArea"), name)
        finally:
            cell.evaluate("cell => { cell.removeAttribute('id'); }")

    @pytest.fixture
    def cell(self, notebook, request):
        cell = notebook.locator(".jp-CodeCell").nth(1 + list(CELLS).index(request.param))
        cell.scroll_into_view_if_needed()
        cell.locator(".vaeedu-caption").wait_for()
        return cell

    @pytest.mark.parametrize("cell", ["slider"], indirect=True)
    def test_a_picture_says_what_it_shows_and_a_slider_what_it_moves(self, cell):
        handle = cell.get_by_role("slider", name="x", exact=True)
        cell.get_by_role("img", name="A point. at 0, 0", exact=True).wait_for()
        handle.press("ArrowRight")
        cell.get_by_role("img", name="A point. at 1, 0", exact=True).wait_for()
        cell.get_by_role("status").get_by_text("at 1, 0", exact=True).wait_for()
        assert handle.get_attribute("aria-valuetext") == "1"
        cell.get_by_role("button", name="play", exact=True).press("Enter")
        cell.get_by_text("at 2, 0", exact=True).wait_for()
        assert cell.get_by_role("button", name="repeat", exact=True).count() == 1

    @pytest.mark.parametrize("cell", ["pad"], indirect=True)
    def test_a_pads_point_goes_by_the_arrow_keys(self, window, cell):
        plane = cell.get_by_role(
            "application", name="A map of x and y. Arrow keys move the point.", exact=True
        )
        plane.focus()
        before = window.evaluate(ACTIVE_CELL)
        for key, text in (
            ("ArrowRight", "1, 0"),
            ("ArrowUp", "1, 1"),
            ("ArrowDown", "1, 0"),
            ("ArrowLeft", "0, 0"),
        ):
            window.keyboard.press(key)
            cell.get_by_text(f"at {text}", exact=True).wait_for()
        cell.get_by_role("img", name="A map of x and y. A point. at 0, 0", exact=True).wait_for()
        window.keyboard.press("ArrowDown")  # at the border it stays
        window.keyboard.press("ArrowRight")
        cell.get_by_text("at 1, 0", exact=True).wait_for()
        assert window.evaluate(ACTIVE_CELL) == before
        assert plane.evaluate("map => getComputedStyle(map).outlineStyle") == "solid"
        window.keyboard.press("Shift+Tab")
        assert window.evaluate("document.activeElement.getAttribute('aria-label')") == "y"

    @pytest.mark.parametrize("cell", ["sketchpad"], indirect=True)
    def test_one_draws_by_keys(self, window, cell):
        cell.get_by_role("button", name="clear").click()
        sheet = cell.get_by_role("application", name="A sheet to draw on")
        sheet.focus()
        said = sheet.get_by_role("status")
        for key in ("ArrowLeft", "Space", "ArrowUp", "Shift+ArrowUp"):
            window.keyboard.press(key)
        said.get_by_text("pen down, 45 from the left, 56 from the bottom").wait_for()
        window.keyboard.press("Escape")  # that line is dropped
        said.get_by_text("pen up, 45 from the left, 56 from the bottom").wait_for()
        for key in ("Space", "ArrowRight", "ArrowRight", "Space"):
            window.keyboard.press(key)
        cell.get_by_text("1 lines", exact=True).wait_for()
        for key in ("Space", "ArrowDown", "Tab"):  # whoever goes on has lifted the pen
            window.keyboard.press(key)
        cell.get_by_text("2 lines", exact=True).wait_for()
        assert cell.get_by_role("button", name="next example").evaluate("b => b === document.activeElement")


@pytest.fixture
def plain(browser):
    """A window for a page that is a file; nothing else is loaded."""
    context = browser.new_context()
    context.route("**/*", lambda route: route.abort())
    yield context.new_page()
    context.close()


def test_axe_finds_nothing_serious_on_a_feedback_page(plain):
    new = nbformat.v4
    picture = {"image/png": base64.b64encode(png(Figure(figsize=(1, 1)))).decode(), "text/plain": "A line."}
    outputs = [
        new.new_output("display_data", picture, metadata={"image/png": {"alt": "A line."}}),
        new.new_output("stream", text="✗ a: not yet"),
        new.new_output(
            "error", ename="E", evalue="", traceback=["\x1b[31mWrong\x1b[0m", "\x1b[32m next\x1b[0m"]
        ),
    ]

    def tags(name, **more):
        return {"nbgrader": {"grade_id": name, "grade": True, "solution": False, **more}}

    answer = "# My answer\n\n| a | b |\n|--|--|\n| 1 | 2 |\n\nBy $x^2$ and [a link](https://a.example)."
    answer += "\n\n$$" + " + ".join(f"x_{{{n}}}^2" for n in range(40)) + "$$"
    comment = "See [it](https://a.example)."
    cells = [
        new.new_code_cell(
            'def a(x):\n    """Doc."""\n    return x + 1.5', metadata=tags("a", solution=True, grade=False)
        ),
        new.new_code_cell(
            "# why\nx = f(1, 'two')", metadata=tags("a_visible", comment=comment), outputs=outputs
        ),
        new.new_code_cell("check()", metadata=tags("a_hidden")),
        new.new_markdown_cell(answer, metadata=tags("essay", solution=True)),
    ]
    notebook = new.new_notebook(cells=cells)
    marks = {"a_visible": (1.0, 1.0, False), "a_hidden": (0.0, 2.0, False), "essay": (1.0, 2.0, True)}
    resources = {
        "nbgrader": {"notebook": ASSIGNMENT, "score": 1.5, "max_score": 8.0, "late_penalty": 0.0},
        "vaeedu": shown(notebook, marks),
    }
    plain.set_content(FeedbackExporter().from_notebook_node(notebook, resources=resources)[0])
    plain.get_by_role("img", name="A line.", exact=True).wait_for()
    assert plain.locator("math msup").bounding_box()["height"] > 5  # the browser draws it by itself
    assert_nobody_is_shut_out(violations(plain), "feedback page")
    assert_it_fits_a_phone(plain)


def assert_it_fits_a_phone(page):
    page.set_viewport_size({"width": 390, "height": 844})
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


def test_axe_finds_nothing_serious_on_the_report(plain):
    (exercise, *_), name = exercises(ROOT, ASSIGNMENT).values(), ASSIGNMENT
    described = {exercise.name: exercise}
    found = [
        Finding("ada", exercise.name, 3.0, "right", (), "", "def f(): ...", attempts=1),
        Finding("bob", exercise.name, 1.0, "named", ("A sum is no mean.",), "…", "def f(x):\n    return 1"),
        Finding(
            "cem", exercise.name, 0.0, "unnamed", (), "The values are not right.", "def f(x):\n    return 2"
        ),
    ]
    plain.set_content(write_page(name, described, found))
    assert_nobody_is_shut_out(violations(plain), "report")
    assert_it_fits_a_phone(plain)
