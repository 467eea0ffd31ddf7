"""README's table of lectures and assignments, made from the notebooks themselves."""

import re
import tomllib
from pathlib import Path
from typing import Any
from urllib.parse import quote

import nbformat

from vaeedu.files import write_whole

BEGIN = "<!-- what there is: made by `make release` from the notebooks -->"
END = "<!-- end of what there is -->"
_HEAD = ["| | lecture | assignment |", "|--:|---|---|"]


def write_readme(course: Path) -> bool:
    """Puts the table into README, and says whether that changed anything."""
    path = course / "README.md"
    text = path.read_text(encoding="utf-8")
    made = with_table(text, course)
    if made != text:
        write_whole(path, made.encode())
    return made != text


def with_table(text: str, course: Path) -> str:
    """Returns README's text with the table of what there is now.

    A row has a lecture's first heading, links that open it on Colab and Binder where pyproject.toml says where the
    course is published, the line `summary` of its metadata (`"vaeedu": {"summary": …}`, which
    JupyterLab shows under *Property Inspector → Advanced Tools*), and how many exercises and points the assignment of
    the same name has.

    Args:
        text: README, with the two lines `BEGIN` and `END`.
        course: The course's folder.

    Raises:
        ValueError: The two lines are missing, a lecture has no heading or no summary, or the course is published
            where Colab and Binder do not look.
    """
    if text.count(BEGIN) != 1 or END not in text.partition(BEGIN)[2]:
        raise ValueError(
            f"README.md must have the lines {BEGIN} and {END}, but has not: put them around the table"
        )
    before, _, rest = text.partition(BEGIN)
    published = repository(course)
    rows = [_row(course, path, published) for path in sorted((course / "lectures").glob("*.ipynb"))]
    return before + "\n".join([BEGIN, *_HEAD, *rows, END]) + rest.partition(END)[2]


def repository(course: Path) -> str:
    """Returns where the course is published, as OWNER/NAME on GitHub; empty where pyproject.toml names no place.

    Raises:
        ValueError: It names another kind of place.
    """
    path = course / "pyproject.toml"
    settings = tomllib.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    address = settings.get("tool", {}).get("vaeedu", {}).get("repository", "")
    found = re.fullmatch(r"(?:https://github\.com/([\w.-]+/[\w.-]+?)(?:\.git)?/?)?", str(address))
    if found is None:
        raise ValueError(
            "repository in pyproject.toml's [tool.vaeedu] must be like https://github.com/OWNER/NAME, or empty, "
            f"but is {address!r}: Colab and Binder open no others"
        )
    return found[1] or ""


def opened_elsewhere(published: str, name: str) -> str:
    """Returns links that open a file of the course on Colab and on Binder; empty where it is not published."""
    if not published:
        return ""
    colab = f"https://colab.research.google.com/github/{published}/blob/main/{quote(name)}"
    binder = f"https://mybinder.org/v2/gh/{published}/main?labpath={quote(name, safe='')}"
    return f" ([Colab]({colab}), [Binder]({binder}))"


def _row(course: Path, path: Path, published: str) -> str:
    notebook = nbformat.read(path, as_version=4)
    heading = notebook.cells[0].source.partition("\n")[0] if notebook.cells else ""
    summary = notebook.metadata.get("vaeedu", {}).get("summary", "")
    if not heading.startswith("# ") or not summary:
        raise ValueError(
            f"lectures/{path.name} must begin with a heading and have metadata vaeedu.summary for README's table"
        )
    title = heading.removeprefix("# ").rpartition(" · ")[2]
    elsewhere = opened_elsewhere(published, f"lectures/{path.name}")
    lecture = f"[{title}](lectures/{path.name}){elsewhere}: {summary}"
    return f"| {int(path.name.partition('_')[0])} | {lecture} | {_assignment(course, path.stem)}|"


def _assignment(course: Path, name: str) -> str:
    path = course / "assignments" / name / f"{name}.ipynb"
    if not path.is_file():
        return ""
    cells: list[Any] = nbformat.read(path, as_version=4).cells
    number = sum(cell.source.startswith("## Exercise") for cell in cells)
    points = sum(cell.metadata.get("nbgrader", {}).get("points", 0) for cell in cells)
    return f"[{number} exercises, {points:g} points](assignments/{name}/{name}.ipynb) "
