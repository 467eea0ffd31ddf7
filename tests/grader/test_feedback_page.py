"""The page that a student gets back: marks by exercise, in words; nothing of a student's runs or covers anything."""

import os
import re
import subprocess
import sys
from html import escape
from pathlib import Path

import nbformat
import pytest
from nbgrader.api import Gradebook
from support import mini_course as mini
from support.mini_course import ASSIGNMENT, NOTEBOOK, hand_in
from traitlets.config import Config

from vaeedu_grader.feedback_page.exporter import FeedbackExporter
from vaeedu_grader.feedback_page.formulas import with_formulas
from vaeedu_grader.feedback_page.summary import Row, rows_of, shown

ROOT = Path(__file__).resolve().parents[2]
new = nbformat.v4
OVERLAY = '<div class="modal show" style="position:fixed"><a href="https://x.example">Your mark</a></div>'


def cell(kind, source, name="", **tags):
    metadata = {"nbgrader": {"grade_id": name, "solution": False, "grade": False, **tags}} if name else {}
    return getattr(new, f"new_{kind}_cell")(source, metadata=metadata)


def a_notebook(*more, status="graded", reasons=()):
    cells = [
        cell(
            "code",
            "def kl(p):\n    return p",
            "kl",
            solution=True,
            comment="See <b>me</b><script>x()</script>",
        ),
        cell("code", "check()", "kl_visible", grade=True),
        cell("code", "more()", "kl_hidden", grade=True),
        cell("code", "assert kl", "own", grade=True),
        cell("markdown", "Because.", "essay", grade=True, solution=True),
        cell("markdown", "Why.", "essay-2", grade=True, solution=True),
        *more,
    ]
    notebook = new.new_notebook(cells=cells)
    notebook.metadata["vaeedu"] = {"status": status, "reasons": list(reasons)}
    return notebook


MARKS = {
    "kl_visible": (1.0, 1.0, False),
    "kl_hidden": (0.0, 2.0, False),
    "own": (0.5, 1.0, False),
    "essay": (0.0, 2.0, True),
    "essay-2": (0.0, 2.0, False),
}


def page(notebook, marks=MARKS, late=0.0):
    resources = {
        "nbgrader": {"notebook": "01_<b>", "score": 1.5, "max_score": 8.0, "late_penalty": late},
        "vaeedu": shown(notebook, marks),
    }
    config = Config()
    config.HTMLExporter.template_name = "feedback"  # as nbgrader asks for
    return FeedbackExporter(config=config).from_notebook_node(notebook, resources=resources)[0]


def said(html):
    """The cells of the table at the top, by row."""
    table = html[html.index("<tbody>") : html.index("</tbody>")]
    rows = re.findall(r"(?s)<tr>(.*?)</tr>", table)
    return [[re.sub(r"<[^>]*>", "", c).strip() for c in re.findall(r"(?s)<td.*?</td>", row)] for row in rows]


def test_each_mark_is_named_by_exercise_and_said_in_a_word():
    assert rows_of(a_notebook(), MARKS)[0] == Row(
        "kl_visible", "kl", "the cases that you could see", "right", 1.0, 1.0
    )
    html = page(a_notebook())
    assert said(html) == [
        ["kl", "the cases that you could see", "✓ right", "1 of 1"],
        ["kl", "other cases", "✗ not right", "0 of 2"],
        ["own", "a test", "◐ partly right", "0.5 of 1"],
        ["essay", "your written answer", "… not marked yet", "0 of 2"],
        ["essay-2", "your written answer", "✗ no points", "0 of 2"],
    ]
    assert "Test cell" not in html
    assert "1.5 of 8 points</strong>, not counting what is not marked yet" in html
    assert 'href="#kl_hidden"' in html
    assert 'id="kl_hidden"' in html
    assert '<html lang="en">' in html
    assert "See <b>me</b>" in html
    assert "<script>x()" not in html


def test_what_is_taken_off_for_lateness_is_said():
    marks = {**MARKS, "essay": (1.0, 2.0, False)}
    html = page(a_notebook(), marks, late=0.25)
    assert "8 points</strong>; 0.25 were taken off because it came late" in html
    assert "not marked yet" not in html


def test_a_rejection_is_one_banner_and_no_page_of_failures():
    html = page(
        a_notebook(status="rejected", reasons=["hw.txt <is> no notebook"]),
        dict.fromkeys(MARKS, (0.0, 1.0, False)),
    )
    assert html.count("This submission was not graded") == 1
    assert "hw.txt &lt;is&gt; no notebook" in html
    assert {row[2] for row in said(html)} == {"✗ not graded"}
    assert "def kl" not in html
    flagged = page(a_notebook(status="flagged", reasons=["cells were moved"]))
    assert "was not graded" not in flagged
    assert "cells were moved" not in flagged  # a remark is for the instructor


@pytest.mark.parametrize("kind", ["raw", "markdown", "code"])
def test_no_kind_of_cell_covers_the_page(kind):
    html = page(a_notebook(cell(kind, OVERLAY)))
    tags = re.findall(r"<[^>]*>", html[html.index("<main>") :])
    assert not [tag for tag in tags if "modal" in tag or "fixed" in tag]
    assert ('<a href="https://x.example">' in tags) == (kind == "markdown")


def test_outputs_are_shown_as_text_and_pictures():
    outputs = [
        new.new_output("stream", text="<script>x()</script>"),
        new.new_output("execute_result", {"text/plain": "<b>3</b>", "text/html": "<script>y()</script>"}),
        new.new_output("display_data", {"image/png": "iVBORw0KGgo=", "text/plain": 'a "line"'}),
        new.new_output("error", ename="E", evalue="", traceback=["\x1b[31mWrong\x1b[0m <i>", "next"]),
    ]
    own = new.new_code_cell("1", outputs=outputs)
    html = page(a_notebook(own))
    body = html[html.index("<main>") :]
    assert "<script" not in body
    assert "&lt;script&gt;x()" in body
    assert "alt='a \"line\"'" in body
    assert "Wrong</span> &lt;i&gt;" in body


def test_a_figure_is_called_what_its_author_calls_it():
    outputs = [
        new.new_output(
            "display_data", {mime: "AAAA", "text/plain": "x"}, metadata={mime: {"alt": f"{mime}: a line"}}
        )
        for mime in ("image/png", "image/jpeg")
    ]
    html = page(a_notebook(new.new_code_cell("1", outputs=outputs)))
    assert re.findall('alt="([^"]*)"', html) == ["image/png: a line", "image/jpeg: a line"]


FORMULAS = r"""It costs $7, or $a < b$.

$$p < \sum_k \big\| \tfrac12 x_k \big\|^2$$

\begin{align} c &= d \end{align}

`$code$` and $\nosuchcommand x$ and $a_1$."""


def test_formulas_need_neither_a_script_nor_a_network():
    html = page(a_notebook(cell("markdown", FORMULAS)))
    assert "<script" not in html
    assert "default-src 'none'" in html
    assert re.findall(r"""(?:src|href)=["']?([^"'#]+)""", html) == []
    body = html[html.index("It costs") :]
    found = re.findall(r"(?s)<math .*?</math>", body)
    assert [formula.count('display="block"') for formula in found] == [0, 1, 1, 0]
    texts = ["".join(re.findall(r">([^<]+)<", formula)) for formula in found]
    assert texts == ["a&lt;b", "p&lt;∑k‖12xk‖2", "c=d", "a1"]
    assert "It costs $7, or <math" in body
    assert "<code>$code$</code> and <code>$nosuchcommand x$</code>" in body.replace("\\", "")


@pytest.mark.parametrize(
    ("tex", "found"),
    [
        (r"\mathbb E\, \mathcal{N}\mathcal L\, \mathbb R\, \mathfrak C\, \mathbf x", "𝔼𝒩ℒℝℭ𝐱"),
        (r"\boldsymbol{\mu}", "𝝁"),
        (r"\log p, \log (p), \log_2 p", "log p,log(p),log2 p"),
        (r"\operatorname{diag} x + a b", "diag x+ab"),
    ],
)
def test_letters_and_spaces_are_those_that_tex_would_set(tex, found):
    made = re.sub(r'<mspace width="0.17em" ?/>', " ", with_formulas(f"<p>${tex}$</p>"))
    assert "".join(re.findall(r"(?<=>)[^<]+", made)) == found


def test_every_formula_of_the_assignments_is_converted():
    found = 0
    for path in sorted((ROOT / "solutions").glob("*/*.ipynb")):
        cells = [
            cell.source for cell in nbformat.read(path, as_version=4).cells if cell.cell_type == "markdown"
        ]
        made = with_formulas(escape(re.sub(r"`[^`]*`", "", "\n\n".join(cells))))
        assert "<code>" not in made, path.stem
        found += made.count("<math")
    assert found > 1000


HOSTILE = [
    r"$\text{<script>x()</script>}$",
    r"$\href{javascript:x()}{y}$",
    r"$\style{position:fixed}{y}$",
    r"$\class{modal}{y}$",
    r"$\unicode{60}script\unicode{62}$",
    "$" + "{" * 3000 + "}" * 3000 + "$",
    "$" + "x" * 10_000 + "$",
    r"$\color{red}{y}$ $\frac$ $\left($ $}{$ $\begin{array}$",
]


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_no_formula_runs_or_covers_anything(text):
    html = page(a_notebook(cell("markdown", text)))
    tags = [re.sub(r'alttext="[^"]*"', "", tag) for tag in re.findall(r"<[^>]*>", html[html.index("Why.") :])]
    assert not [tag for tag in tags if re.search(r"script|href=|style=|class=|fixed", tag)]
    assert len(html) < 50_000


def test_nbgrader_makes_this_page_from_its_gradebook(tmp_path):
    course, room = mini.make_course(tmp_path / "course"), tmp_path / "class"
    (hand_in(course, room, "ada") / NOTEBOOK).write_text("[]")  # rejected, which is soon done
    graded = mini.vaeedu(course, room, "grade", ASSIGNMENT)
    assert (graded.returncode, graded.stderr) == (0, "1/1 ada: rejected\n")
    with Gradebook(f"sqlite:///{room / 'gradebook.db'}") as gradebook:
        assert gradebook.find_submission_notebook(ASSIGNMENT, ASSIGNMENT, "ada").flagged
    done = subprocess.run(
        [sys.executable, "-m", "nbgrader", "generate_feedback", ASSIGNMENT],
        cwd=course,
        env={**os.environ, "VAEEDU_CLASSROOM": str(room)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "not recognized" not in done.stderr
    html = (room / "feedback" / "ada" / ASSIGNMENT / f"{ASSIGNMENT}.html").read_text(encoding="utf-8")
    assert "This submission was not graded" in html
    assert {tuple(row[2:]) for row in said(html)} == {("✗ not graded", f"0 of {n}") for n in (1, 2)}
