"""Lays out what Sphinx reads: the repository's pages under their own paths, and those that are made from them."""

import os
import re
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import nbformat

from pages import api, executed, gathered, vendor
from pages.lectures import Files, lead_to, page

ROOT = Path(__file__).resolve().parents[2]
TO_ASSIGNMENT = "**To do**: the [assignment for this lecture]({})."
FIGURES = "_static/figures"
HERE_TOO = (
    "docs/elsewhere.md",
    "docs/instructor-guide.md",
    "docs/hub.md",
    "docs/public-reports.md",
    "CHANGELOG.md",
)


def lay_out(pages: Path, static: Path, lectures: Sequence[Path], runs: Path) -> None:
    """Fills the two folders that Sphinx reads.

    Args:
        pages: For pages; emptied first.
        static: For scripts, styles and figures; emptied first.
        lectures: Those with outputs; all others appear without.
        runs: Where their runs are.
    """
    for folder in (pages, static):
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
    vendor.fetch()
    vendor.copy(static, ("mathjax", "requirejs", "@jupyter-widgets/html-manager", "anywidget"))
    sources = {path.stem: nbformat.read(path, as_version=4) for path in all_lectures()}
    shown = {path.stem for path in lectures}
    for name, source in sources.items():
        files = Files(static / "figures" / name[:2], f"../{FIGURES}/{name[:2]}")
        run = executed.read(ROOT / "lectures" / f"{name}.ipynb", runs) if name in shown else None
        made = page(source, run, files)
        if (ROOT / "assignments" / name).is_dir():
            lead_to(made, f"../assignments/{name}/{name}.ipynb", TO_ASSIGNMENT, len(made.cells))
        write_notebook(pages / "lectures" / f"{name}.ipynb", made)
    write(pages / "lectures" / "index.md", gathered.lectures_index(sources))
    _assignments(pages, static, sources)
    _library(pages / "api", sources)
    _documents(pages)
    write(pages / "errata.md", gathered.errata(sources))
    write(pages / "notation.md", gathered.notation(sources))
    write(pages / "glossary.md", gathered.glossary(ROOT / "docs" / "glossary.toml", sources))


def all_lectures() -> list[Path]:
    """Returns the paths of the lectures, in reading order."""
    return sorted((ROOT / "lectures").glob("[0-9]*.ipynb"))


def write(path: Path, text: str) -> None:
    """Writes a page."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def write_notebook(path: Path, notebook: Any) -> None:
    """Writes a notebook's page; a link to a folder leads to its index."""
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            cell.source = re.sub(r"\]\((\.\./\w+)\)", r"](\1/index.md)", cell.source)
    path.parent.mkdir(parents=True, exist_ok=True)
    nbformat.write(notebook, path)


def _assignments(pages: Path, static: Path, lectures: dict[str, Any]) -> None:
    folders = sorted((ROOT / "assignments").glob("[0-9]*"))
    notebooks = {f.name: nbformat.read(f / f"{f.name}.ipynb", as_version=4) for f in folders}
    for name, notebook in notebooks.items():
        files = Files(static / "figures", f"../../{FIGURES}")
        made = page(notebook, notebook, files)
        if name in lectures:
            words = f"**The lecture**: [{gathered.title(lectures[name])}]({{}})."
            lead_to(made, f"../../lectures/{name}.ipynb", words, 1)
        write_notebook(pages / "assignments" / name / f"{name}.ipynb", made)
    write(pages / "assignments" / "index.md", gathered.assignments_index(notebooks))


def _library(folder: Path, sources: dict[str, Any]) -> None:
    library = api.Library(ROOT)
    uses: dict[str, list[tuple[str, str]]] = {}
    for name, notebook in sources.items():
        code = [cell.source for cell in notebook.cells if cell.cell_type == "code"]
        for used in api.used_names(code, library.names):
            label = gathered.title(notebook).partition(" · ")[0]
            uses.setdefault(used, []).append((f"../lectures/{name}.ipynb", label))
    write(folder / "index.md", api.index(library))
    for name in library.modules:
        write(folder / f"{name}.md", api.module_page(library, name, uses))


def _documents(pages: Path) -> None:
    shutil.copyfile(ROOT / "docs" / "index.md", pages / "index.md")
    for name in HERE_TOO:
        write(pages / name, (ROOT / name).read_text("utf-8"))
    shutil.copytree(ROOT / "docs" / "decisions", pages / "docs" / "decisions")
    write(pages / "docs" / "decisions" / "index.md", gathered.decisions(ROOT / "docs" / "decisions"))
    results = ROOT / "benchmarks" / "results"
    for name, text in gathered.results(results, ROOT / "docs" / "pictures.toml").items():
        write(pages / "benchmarks" / "results" / name, text)
    for picture in results.glob("*.png"):
        shutil.copyfile(picture, pages / "benchmarks" / "results" / picture.name)


def build(pages: Path, static: Path, output: Path, doctrees: Path) -> int:
    """Has Sphinx make the site; a warning is an error. Returns the exit status."""
    from sphinx.cmd.build import main  # here, so that laying out needs no Sphinx

    os.environ["VAEEDU_SITE_STATIC"] = str(static)
    options = ["-b", "html", "-W", "--keep-going", "-n", "-q", "-E", "-j", "auto"]
    return main([*options, "-c", str(ROOT / "docs"), "-d", str(doctrees), str(pages), str(output)])
