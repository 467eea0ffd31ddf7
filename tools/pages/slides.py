"""Slides from a lecture: its headings, formulas, tables and figures; what it says besides is in the speaker's notes.

A formula brings the sentence with it that leads to it, and the end of its own sentence: alone it would say little.
"""

import html
import re
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import nbformat

from pages.lectures import Files, page

MOST_FORMULAS = 3
MOST_ROWS = 9
MOST_LETTERS = 300  # of a sentence beside a formula
LEFT_OUT = ("Further reading",)
BLOCKS = re.compile(
    r"(?P<fence>^```[\s\S]*?^```$)|(?P<heading>^#+ .*$)|(?P<formula>\$\$[\s\S]+?\$\$)|(?P<table>(?:^\|.*\n?)+)"
    r"|(?P<details><details>[\s\S]*?</details>)|(?P<list>(?:^(?:\d+\.|[-*]) .*\n?(?:^ +.*\n?)*)+)",
    re.M,
)
SENTENCE = re.compile(r"(?<=[.!?:])\s+(?=[A-Z*“\"`$(])")
LINK = re.compile(r"\[([^\]]+)\]\(([\w./-]+)\.(ipynb|md)(?:#[^)\s]*)?\)")
SUMMARY = '<p class="summary">{}</p>'


class Slide(NamedTuple):
    """A slide's title, what it shows, and what the speaker may say."""

    title: str
    shown: list[str]
    notes: list[str]


def slides(notebook: Any) -> list[Slide]:
    """Returns the slides of a lecture's page, which has its figures as files."""
    made = [Slide(notebook.cells[0].source.splitlines()[0], _summary(notebook), [])]
    for cell in notebook.cells:
        parts = _of_markdown(cell.source) if cell.cell_type == "markdown" else _of_outputs(cell.outputs)
        for kind, text in parts:
            _add(made, kind, text)
    return [slide for slide in made if slide.shown or slide.title.startswith("# ")]


def _summary(notebook: Any) -> list[str]:
    summary = notebook.metadata.get("vaeedu", {}).get("summary")
    return [SUMMARY.format(html.escape(summary))] if summary else []


def _add(made: list[Slide], kind: str, text: str) -> None:
    """Puts a part on the last slide, or on a new one."""
    last = made[-1]
    if kind == "heading":
        if not text.startswith("# "):
            made.append(Slide(re.sub("^#+ ", "## ", text), [], []))
    elif kind == "notes" or last.title.removeprefix("## ") in LEFT_OUT:
        last.notes.append(text)
    elif kind == "formula":
        formulas = sum("$$" in shown for shown in last.shown)
        alone = formulas < len(last.shown) or last.title.startswith("# ")
        if alone or formulas >= MOST_FORMULAS:
            made.append(Slide(_after(last), [text], []))
        else:
            last.shown.append(text)
    elif last.shown or last.title.startswith("# "):
        made.append(Slide(_after(last), [text], []))
    else:
        last.shown.append(text)


def _after(slide: Slide) -> str:
    """The title of the slide after: the same, but for the first."""
    return "## Objectives" if slide.title.startswith("# ") else slide.title


def _of_markdown(text: str) -> Iterator[tuple[str, str]]:
    """Splits text into what is shown and what is said."""
    parts = list(_blocks(text))
    for number, (kind, block) in enumerate(parts):
        if kind == "formula":
            before, after = (parts[i] if 0 <= i < len(parts) else ("", "") for i in (number - 1, number + 1))
            yield kind, _with_words(before, block, after)
        else:
            yield kind, block


def _blocks(text: str) -> Iterator[tuple[str, str]]:
    """Splits text into blocks of one kind each."""
    place = 0
    for match in BLOCKS.finditer(text):
        if before := text[place : match.start()].strip():
            yield "notes", before
        kind, block = match.lastgroup or "", match[0].strip()
        if (kind == "table" and block.count("\n") > MOST_ROWS) or kind in ("fence", "details"):
            kind = "notes"
        yield kind, block
        place = match.end()
    if after := text[place:].strip():
        yield "notes", after


def _with_words(before: tuple[str, str], formula: str, after: tuple[str, str]) -> str:
    """Returns a formula with the sentence that leads to it, and with what is left of its own sentence."""
    shown = [formula]
    if before[0] == "notes" and (lead := _whole(SENTENCE.split(before[1].rpartition("\n\n")[2])[-1])):
        shown.insert(0, lead)
    if after[0] == "notes" and after[1][0].islower() and (end := _whole(SENTENCE.split(after[1])[0])):
        shown.append(end)
    return "\n\n".join(shown)


def _whole(sentence: str) -> str:
    """Returns a sentence, or nothing where it is long, no sentence, or was cut within a formula or brackets."""
    pairs = all(sentence.count(mark) % 2 == 0 for mark in ("$", "**", "`"))
    pairs = pairs and sentence.count("(") == sentence.count(")")
    return (
        sentence if pairs and len(sentence) <= MOST_LETTERS and not sentence.startswith(("```", "<")) else ""
    )


def _of_outputs(outputs: list[Any]) -> Iterator[tuple[str, str]]:
    for output in outputs:
        if output.output_type == "stream":
            yield "notes", f"```\n{output.text.strip()}\n```"
        elif "<img" in (text := output.get("data", {}).get("text/html", "")):
            yield "figure", re.sub(r"\n\s*\n", "\n", text)


def linked(text: str, there: Collection[str]) -> str:
    """Leads links to other lectures' slides, those of `there`; of other links the words are left."""

    def link(match: re.Match) -> str:
        return f"[{match[1]}]({match[2]}.html)" if match[2] in there else match[1]

    return LINK.sub(link, text)


def as_notebook(made: list[Slide], there: Collection[str] = ()) -> Any:
    """Returns a notebook of which nbconvert makes slides; its links lead to the slides that are `there`."""
    cells = []
    for slide in made:
        text = linked("\n\n".join([slide.title, *slide.shown]), there)
        cells.append(nbformat.v4.new_markdown_cell(text, metadata={"slideshow": {"slide_type": "slide"}}))
        if slide.notes:
            said = linked("\n\n".join(slide.notes), there)
            cells.append(nbformat.v4.new_markdown_cell(said, metadata={"slideshow": {"slide_type": "notes"}}))
    return nbformat.v4.new_notebook(cells=cells, metadata={"title": made[0].title.removeprefix("# ")})


def write(name: str, run: Any, folder: Path, templates: Path, there: Collection[str] = ()) -> None:
    """Writes a lecture's slides.

    Args:
        name: The file's, without suffix.
        run: The lecture with outputs.
        folder: Where the slides go; scripts lie in `_static` below it.
        templates: The folder above the template `slides`.
        there: The names of all lectures that have slides, to which links may lead.
    """
    from nbconvert import SlidesExporter  # here: the site does not need it

    files = Files(folder / "_static" / "figures" / name[:2], f"_static/figures/{name[:2]}")
    notebook = as_notebook(slides(page(run, run, files)), there)
    exporter = SlidesExporter(
        template_name="slides",
        extra_template_basedirs=[str(templates)],
        reveal_url_prefix="_static/reveal",
        reveal_theme="white",
        exclude_anchor_links=True,
    )
    html, _ = exporter.from_notebook_node(notebook)
    (folder / f"{name}.html").write_text(html, encoding="utf-8")
