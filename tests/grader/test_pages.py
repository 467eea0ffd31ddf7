"""What a student writes into text cells reaches the instructor's browser as text, formulas and pictures only."""

import os
import re
from html import unescape
from pathlib import Path

import nbformat
import pytest
from nbconvert.exporters import HTMLExporter
from nbconvert.filters.markdown import markdown2html
from support.mini_course import at_home
from traitlets.config import PyFileConfigLoader

from vaeedu_grader.pages import clean

ROOT = Path(__file__).resolve().parents[2]
PICTURE = "data:image/png;base64,iVBORw0KGgo="


@pytest.mark.parametrize(
    "html",
    [
        "<p>It is <em>larger</em>: $a &lt; b$, $$\\int_0^1 x\\,dx$$</p>",
        f'<img alt="my plot" src="{PICTURE}">',
        '<a href="https://example.org/?q=1" title="there">there</a>',
        '<div class="highlight"><pre><span class="kn">import</span></pre></div>',
        "<details><summary>more</summary>text</details>",
        '<ol start="3"><li><a href="../README.md#x">y</a> <a href="mailto:a@example.org">z</a></li></ol>',
        r"$\text{style}$ and $\mathrm{require}$ and $\unicodecode$",
    ],
)
def test_what_an_answer_needs_stays_as_it_is(html):
    assert clean(html) == html


def test_a_table_keeps_its_alignment_and_gets_room_between_its_columns():
    row = '<thead><tr><th style="text-align: right;">K</th></tr></thead></table>'
    for start in ("<table>", '<table class="x" style="position:fixed" title="&quot;&lt;table">'):
        assert clean(start + row) == f'<table class="table" style="width: auto">{row}'
    assert clean('<p title="&lt;table onclick=x() ">y</p>').count("table") == 1
    assert unescape(clean('<p title="<table>">y</p>')) == '<p title="<table>">y</p>'


MARKDOWN = "| $K$ | bits | name |\n|--:|:-:|:--|\n| 2 | 0.5 | *a* |\n| 3 | `1` | b |"
HTML = (
    '<table border="1"><tr><th colspan="2" align="right" style="color: red; TEXT-ALIGN: right">K</th></tr>'
    '<tr><td rowspan="2" style="text-align:center;position:fixed">1</td><td style="text-align: url(x)">2</td></tr>'
    "</table>"
)


def test_a_table_of_an_answer_looks_as_it_did():
    """By its Markdown and by HTML: cells, their order, alignment and span, and what is in them."""
    made = markdown2html(MARKDOWN)
    assert (
        text_of(clean(made))
        == text_of(made)
        == [*("K", "bits", "name"), *("2", "0.5", "a"), *("3", "1", "b")]
    )
    styles = [f"text-align: {way};" for way in ("right", "center", "left")]
    assert re.findall(r'<t[hd] style="(.*?)"', clean(made)) == 3 * styles
    assert re.findall("<em>a</em>|<code>1</code>", clean(made)) == ["<em>a</em>", "<code>1</code>"]
    assert clean(HTML) == (
        '<table class="table" style="width: auto"><tbody><tr><th colspan="2" style="text-align: right;">K</th></tr>'
        '<tr><td rowspan="2" style="text-align: center;">1</td><td>2</td></tr></tbody></table>'
    )


def text_of(html):
    """The words that a reader sees, without a formula's dollars."""
    return re.sub("<[^>]*>|[$]", " ", html).split()


@pytest.mark.parametrize(
    "text", ["List<int> a", "a<b$ and c>d", "p<q", "x < y", "<b", '<b title="x', "<!-- c", "</ d>"]
)
def test_what_is_no_tag_is_shown_as_text(text):
    assert unescape(clean(text)) == text
    assert "<" not in clean(text)


@pytest.mark.parametrize(
    "html", ["<b>" * 20_000, "<div>" * 5_000, "<" * 50_000, f'<td style="text-align:{"(" * 20_000}">']
)
def test_what_is_deep_or_long_breaks_nothing(html):
    table = f"<table><tr>{html}x</table>"
    assert clean(table).count("x") == 1


def test_half_a_character_becomes_a_question_mark():
    assert clean("<b>a\ud800</b>") == "<b>a?</b>"


@pytest.mark.parametrize(
    ("html", "gone"),
    [
        ("<script>x()</script>", "<script"),
        ("<img src=x onerror=x()>", "<img src"),
        ('<img src="http://example.org/seen.png">', "example.org"),
        ('<img src="data:image/svg+xml;base64,PHN2Zz4=">', "svg"),
        ('<a href="javascript:x()">y</a>', "javascript"),
        ('<a href=" JaVaScript:x()">y</a>', "aVaScript"),
        ('<a href="data:text/html,x">y</a>', "data:"),
        ('<p onclick="x()">y</p>', "onclick"),
        ('<p style="position:fixed">y</p>', "fixed"),
        ('<td style="position:fixed;text-align:right">y</td>', "fixed"),
        ('<div class="modal-backdrop">y</div>', "modal"),
        ('<p id="score">y</p>', "id="),
        ('<iframe src="/formgrader"></iframe>', "<iframe"),
        ("<svg onload=x()>", "<svg"),
        ("<style>p{display:none}</style>", "<style"),
        ('<form action="/x"><input name="a"></form>', "<form"),
        (r"$\href{javascript:x()}{y}$", r"\href"),
        (r"$\cssId{score}{5}$", r"\cssId"),
        (r"$\\href{javascript:x()}{y}$", r"\href"),
        (r"$\\\href{javascript:x()}{y}$", r"\href"),
        (r"$\href2$", r"\href"),
        (r"$\mmlToken{mi}[href=javascript:x()]{y}$", r"\mmlToken"),
        (r"$\bbox[position:fixed]{y}$", r"\bbox"),
    ],
)
def test_what_runs_loads_or_covers_is_gone(html, gone):
    assert gone in html or gone == "<img src"
    assert gone not in clean(html)


@pytest.mark.parametrize(
    "command", [r"&#92;href", r"&bsol;href", r"\&#104;ref", r"\hr<!-- -->ef", r"&#92;&#92;href"]
)
def test_a_command_of_mathjax_is_seen_as_the_browser_will_see_it(command):
    assert "\\" not in unescape(clean(f"<p>${command}{{javascript:x()}}{{y}}$</p>"))


def test_an_entity_that_html_needs_stays_one():
    text = '<p title="&#34;&#39;">&lt;script&gt; &amp;lt; &#60; &nbsp;&eacute;</p>'
    assert "<script" not in clean(text)
    assert unescape(clean(text)) == unescape(text)


def test_nbgraders_pages_show_text_cells_cleaned(tmp_path):
    with at_home(ROOT, tmp_path):
        config = PyFileConfigLoader(str(ROOT / "nbgrader_config.py")).load_config()
    import nbgrader.server_extensions.formgrader as pages

    folder = Path(pages.__file__).parent
    css = folder / "static" / "node_modules" / "bootstrap" / "dist" / "css"
    config.HTMLExporter.template_name = "feedback"
    config.HTMLExporter.extra_template_basedirs = [str(folder / "templates")]
    config.HTMLExporter.extra_template_paths = [os.fspath(css)]
    answer = nbformat.v4.new_markdown_cell(
        "Since $a<b$ ![plot](attachment:a.png) <script>attack()</script> <b onclick='attack()'>bold</b>",
        attachments={"a.png": {"image/png": "iVBORw0KGgo="}},
    )
    raw = nbformat.v4.new_raw_cell("<script>attack()</script>")
    notebook = nbformat.v4.new_notebook(cells=[answer, raw], metadata={"nbgrader": {}})
    about = {"score": 1, "max_score": 2, "late_penalty": 0, "timestamp": None, "notebook": "n"}
    page, _ = HTMLExporter(config=config).from_notebook_node(notebook, resources={"nbgrader": about})
    assert page.count("&lt;script&gt;attack()&lt;/script&gt;") == 2
    assert "<script>attack" not in page
    assert "<b>bold</b>" in page
    assert PICTURE in page
    assert "$a&lt;b$" in page
