"""Pages that are gathered from others: errata, notation, glossary, results, and what there is."""

import ast
import re
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from myst_parser.slugs import github_slugify

from pages.errors import SiteError
from pages.lectures import headings, section

Notebooks = Mapping[str, Any]  # a lecture's file name without suffix -> the notebook


def title(notebook: Any) -> str:
    """Returns a notebook's first heading."""
    return str(notebook.cells[0].source.splitlines()[0]).removeprefix("# ")


def errata(lectures: Notebooks) -> str:
    """Returns the page of all lectures' errata."""
    lines = [
        "# Errata",
        "",
        "Where sources are often wrong: the boxes at the end of the lectures, together. Each lecture explains its own; "
        "“above” and the figures are there.",
        "",
    ]
    for name, notebook in lectures.items():
        if any(heading.startswith("Errata") for _, heading, _ in headings(notebook)):
            lines += [f"## [{title(notebook)}](lectures/{name}.ipynb)", ""]
            lines += [section(notebook, lambda heading: heading.startswith("Errata")).strip(), ""]
    return _moved("\n".join(lines))


def notation(lectures: Notebooks) -> str:
    """Returns the page of notation: what the first page says, and what each lecture adds."""
    (first, *others) = lectures.values()
    common = section(first, lambda heading: heading == "Notation").strip()
    lines = ["# Notation", "", "## Everywhere", "", common, ""]
    for name, notebook in zip(list(lectures)[1:], others, strict=True):
        match = re.search(r"\*\*Notation\.\*\*\s*(.+?)(?:\n\s*\n|\Z)", notebook.cells[0].source, re.S)
        if match is None:
            raise SiteError(
                f"lecture {name} begins without **Notation.**: add the paragraph to its first cell"
            )
        lines += [f"## [{title(notebook)}](lectures/{name}.ipynb)", "", match[1].strip(), ""]
    return _moved("\n".join(lines))


def _moved(text: str) -> str:
    """Corrects the links of a lecture's text for a page one folder above."""
    text = re.sub(r"\]\((\d\d_\w+\.ipynb)", r"](lectures/\1", text)
    return text.replace("](../", "](")


def glossary(listed: Path, lectures: Notebooks) -> str:
    """Returns the page of terms, each with the section that defines it.

    Raises:
        SiteError: A lecture does not have the words by which its section is found.
    """
    lines = ["# Glossary", "", "The course's terms, and where each is explained.", ""]
    terms = tomllib.loads(listed.read_text("utf-8"))["term"]
    for term in sorted(terms, key=lambda term: _plain(term["name"])):
        name, notebook = _lecture(lectures, term["lecture"])
        heading = _defining(notebook, term.get("said", term["name"]))
        if heading is None:
            raise SiteError(
                f"{listed.name}: lecture {term['lecture']} has no “{term.get('said', term['name'])}”, by which the "
                f"section on “{term['name']}” is to be found: correct `said` or `lecture`"
            )
        lines += [f"{term['name']}", f": {term['meaning']}", "", f"  {_where(name, notebook, heading)}", ""]
    return "\n".join(lines)


def _where(name: str, notebook: Any, heading: str) -> str:
    """Returns a link to a section; where its heading has a formula, to the page."""
    if "$" in heading or "`" in heading:
        return f"[{title(notebook)}](lectures/{name}.ipynb): {heading}"
    return f"[{title(notebook)}: {heading}](lectures/{name}.ipynb#{github_slugify(heading)})"


def _plain(name: str) -> str:
    """What a term is sorted by: Greek letters under their names' first letters."""
    return name.casefold().translate({ord("β"): "beta", ord("μ"): "mu", ord("é"): "e"})


def _lecture(lectures: Notebooks, number: int) -> tuple[str, Any]:
    return next((name, notebook) for name, notebook in lectures.items() if int(name[:2]) == number)


def _defining(notebook: Any, said: str) -> str | None:
    """Returns the heading of the section where words are first in a heading, in bold or italics, or anywhere."""
    sections = headings(notebook)[1:] or headings(notebook)
    emphasised = re.compile(rf"\*{{1,2}}{re.escape(said)}", re.I)
    for found in (
        lambda heading, text: said in heading,
        lambda heading, text: emphasised.search(text),
        lambda heading, text: said.casefold() in text.casefold(),
    ):
        for _, heading, text in sections:
            if found(heading, text):
                return heading
    return None


def results(folder: Path, listed: Path) -> dict[str, str]:
    """Returns the pages of `benchmarks/results`, each with its figures, and their index.

    Raises:
        SiteError: A picture is not listed, or one that is listed is not there.
    """
    pictures = tomllib.loads(listed.read_text("utf-8"))
    there = {path.stem for path in folder.glob("*.png")}
    if wrong := there ^ pictures.keys():
        raise SiteError(
            f"{listed.name} lists the pictures of {folder.name}, one for one, but for {min(wrong)}: say there on "
            "which page it is shown, and what it shows"
        )
    pages: dict[str, str] = {}
    rows = []
    for path in sorted(folder.glob("*.md")):
        text = path.read_text("utf-8")
        if not text.startswith("# "):
            text = f"# {path.stem.replace('_', ' ').capitalize()}\n\n{text}"
        heading, _, below = text.removeprefix("# ").partition("\n")
        scripts = _scripts(path, folder.parent)
        text = "\n\n".join([f"# {heading}", *(_asked(script) for script in scripts), below.lstrip("\n")])
        for name, picture in pictures.items():
            if picture["page"] == path.stem:
                text += f"\n![{picture['alt']}]({name}.png)\n"
        pages[path.name] = text
        script = next((f"`benchmarks/{each.name}`" for each in scripts), "")
        rows.append(f"| [{heading}]({path.name}) | {script} |")
    listed_pages = "\n".join(sorted(Path(name).stem for name in pages))
    pages["index.md"] = (
        "# Results\n\nHow fast and how accurate the library is, beside others: one script a claim, and what it "
        "printed, with the machine.\n\n| what was measured | by |\n|---|---|\n"
        + "\n".join(rows)
        + f"\n\n```{{toctree}}\n:hidden:\n\n{listed_pages}\n```\n"
    )
    return pages


def _scripts(result: Path, folder: Path) -> Sequence[Path]:
    """The script that made a result, if any: the longest name that its name begins with."""
    scripts = [path for path in folder.glob("*.py") if result.stem.startswith(path.stem)]
    return sorted(scripts, key=lambda path: len(path.stem), reverse=True)[:1]


def _asked(script: Path) -> str:
    """Returns what a script says that it measures: the first paragraph of its docstring."""
    said = ast.get_docstring(ast.parse(script.read_text("utf-8"))) or ""
    return f"{' '.join(said.partition(chr(10) * 2)[0].split())} (`benchmarks/{script.name}`)"


def decisions(folder: Path) -> str:
    """Returns the index of the decision pages."""
    titles = {path: path.read_text("utf-8").splitlines()[0] for path in sorted(folder.glob("[0-9]*.md"))}
    rows = [
        f"| {path.name[:3]} | [{text.removeprefix('# ')}]({path.name}) |" for path, text in titles.items()
    ]
    listed = "\n".join(path.stem for path in titles)
    return (
        "# Decisions\n\nWhy things are as they are, a short page each.\n\n| | |\n|---|---|\n"
        + "\n".join(rows)
        + f"\n\n```{{toctree}}\n:hidden:\n\n{listed}\n```\n"
    )


def lectures_index(lectures: Notebooks) -> str:
    """Returns the page that lists the lectures."""
    bar = "\\|"  # in a table
    rows = [
        f"| {int(name[:2])} | [{title(notebook).partition(' · ')[2] or title(notebook)}]({name}.ipynb) "
        f"| {notebook.metadata['vaeedu']['summary'].replace('|', bar)} |"
        for name, notebook in lectures.items()
    ]
    listed = "\n".join(lectures)
    return (
        "# Lectures\n\nIn reading order. Every number and every figure was computed by the code beside it; code that "
        "only draws is folded.\n\n| | | |\n|--:|---|---|\n"
        + "\n".join(rows)
        + f"\n\n```{{toctree}}\n:hidden:\n\n{listed}\n```\n"
    )


def assignments_index(assignments: Notebooks) -> str:
    """Returns the page that lists the assignments."""
    rows = []
    for name, notebook in assignments.items():
        tasks = sum(heading.startswith("Exercise") for _, heading, _ in headings(notebook))
        rows.append(f"| [{title(notebook)}]({name}/{name}.ipynb) | {tasks} |")
    listed = "\n".join(f"{name}/{name}" for name in assignments)
    return (
        "# Assignments\n\nAs students receive them, to be read here. To do one, open it in JupyterLab (`make lab`): "
        "its checks run on your own code and name the misunderstanding, not just the difference."
        "\n\n| assignment | exercises |\n|---|--:|\n"
        + "\n".join(rows)
        + f"\n\n```{{toctree}}\n:hidden:\n\n{listed}\n```\n"
    )
