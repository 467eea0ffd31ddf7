"""A submission's notebook, put together anew: the instructor's skeleton with the student's own cells in it.

From the submission come the texts of the solution cells and the cells that the student added; nothing else. Test cells,
read-only cells, every cell's type and metadata, and the order of all that the instructor wrote come from the source.
"""

import ast
import copy
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import nbformat
from nbformat import NotebookNode

# Students' own cells keep their type only if it is one of these.
_TYPES = ("code", "markdown", "raw")
_UNREADABLE: frozenset[str] = frozenset({"(no Python)"})
_ELSEWHERE = "# The function of this cell is in {}."


@dataclass(frozen=True)
class Rebuilt:
    """A notebook that may be run, and what had to be put right.

    Attributes:
        notebook: The rebuilt notebook, without outputs.
        flags: What was deleted, duplicated, retyped, moved or edited, in words; empty if nothing was.
    """

    notebook: NotebookNode
    flags: tuple[str, ...]


def rebuild(source: NotebookNode, submitted: Mapping[str, Any]) -> Rebuilt:
    """Places a student's cells into the instructor's notebook.

    Args:
        source: What the student was given, with its nbgrader metadata; the cells that have such metadata are the
            skeleton.
        submitted: The submission, plain JSON of a notebook whose cells have a type and a source each, as
            `intake.take_notebook` gives it.

    Returns:
        The notebook and the flags. A cell of the student's own stays behind the cell of the skeleton that it followed.
        Of a solution cell that is there twice, both are kept in their order, as in the student's own kernel.
    """
    skeleton = {name: cell for cell in source.cells if (name := _grade_id(cell))}
    flags: list[str] = []
    found, extras, order = _sort_out(skeleton, submitted["cells"], flags)
    cells = [_own(cell) for cell in extras.get("", [])]
    for name, cell in skeleton.items():
        cells.append(_filled(name, cell, found.get(name), flags))
        cells += [_own(extra) for extra in extras.get(name, [])]
    if order != sorted(order, key=list(skeleton).index):
        flags.append("cells were moved: put back into their order")
    notebook = copy.deepcopy(source)
    notebook.cells = _with_ids(cells)
    for name, cell in skeleton.items():
        if cell.cell_type == "code" and _is_solution(cell):
            _find_functions(name, cell.source, notebook.cells, name in found, flags)
    return Rebuilt(notebook, tuple(flags))


def number_written(source: NotebookNode, submitted: Mapping[str, Any]) -> int:
    """Returns how many of the cells that students write in are not as they were given out."""
    given = {name: cell.source for cell in source.cells if (name := _grade_id(cell)) and _is_solution(cell)}
    found = {
        name: cell.source for cell in rebuild(source, submitted).notebook.cells if (name := _grade_id(cell))
    }
    return sum(found[name] != text for name, text in given.items())


def text_of(cell: Mapping[str, Any]) -> str:
    """A cell's source, which the format allows to be a list of lines."""
    source = cell["source"]
    return source if isinstance(source, str) else "".join(source)


def _grade_id(cell: Mapping[str, Any]) -> str:
    metadata = cell.get("metadata")
    nbgrader = metadata.get("nbgrader") if isinstance(metadata, Mapping) else None
    name = nbgrader.get("grade_id") if isinstance(nbgrader, Mapping) else None
    return name if isinstance(name, str) else ""


def _sort_out(
    skeleton: Mapping[str, NotebookNode], cells: Sequence[Mapping[str, Any]], flags: list[str]
) -> tuple[dict[str, Mapping[str, Any]], dict[str, list[Mapping[str, Any]]], list[str]]:
    """Splits submitted cells into those of the skeleton, the student's own by what they follow, and the order."""
    found: dict[str, Mapping[str, Any]] = {}
    extras: dict[str, list[Mapping[str, Any]]] = {}
    order: list[str] = []
    marked = {_grade_id(cell) for cell in cells}
    for cell in cells:
        name = _grade_id(cell)
        if not name and cell.get("id") in skeleton.keys() - marked:
            # Some editors drop metadata; the released cells' ids are their names.
            name = str(cell["id"])
            flags.append(f"{name} has lost its metadata: restored")
        if name in skeleton and name not in found:
            found[name] = cell
            order.append(name)
            continue
        if name in skeleton:
            flags.append(f"{name} is there more than once")
            if not _is_solution(skeleton[name]):
                continue
        elif name:
            flags.append(f"{name[:80]!r} is no cell of this assignment: taken as the student's own")
        extras.setdefault(order[-1] if order else "", []).append(cell)
    return found, extras, order


def _filled(
    name: str, cell: NotebookNode, submitted: Mapping[str, Any] | None, flags: list[str]
) -> NotebookNode:
    """A cell of the skeleton, with the student's text if it is a solution cell."""
    made = copy.deepcopy(cell)
    if made.cell_type == "code":
        made.outputs, made.execution_count = [], None
    if submitted is None:
        if not (cell.cell_type == "code" and _is_solution(cell)):
            flags.append(f"{name} was deleted: restored")
        return made
    if submitted["cell_type"] != cell.cell_type:
        flags.append(f"{name} was a {cell.cell_type} cell, not {submitted['cell_type']}: restored")
    if _is_solution(cell):
        made.source = text_of(submitted)
        if made.cell_type == "markdown" and submitted.get("attachments"):
            made.attachments = nbformat.from_dict(copy.deepcopy(submitted["attachments"]))
    elif text_of(submitted) != cell.source:
        flags.append(f"{name} is read-only and was edited: restored")
    return made


def _find_functions(
    name: str, released: str, cells: Sequence[NotebookNode], is_there: bool, flags: list[str]
) -> None:
    """Lets no empty solution cell override a function that the student has written in another cell.

    Cells that were merged, deleted, or gathered in one leave the function elsewhere, before the tests or after them.
    """
    wanted = functions_of(released)
    own = next(cell for cell in cells if _grade_id(cell) == name)
    what = f"{name} was deleted" if not is_there else f"{name} is not written in its own cell"
    if is_there and own.source != released and wanted <= functions_of(own.source):
        return
    others = [cell for cell in cells if cell is not own and cell.cell_type == "code"]
    having = [cell for cell in others if wanted and wanted <= functions_of(cell.source)]
    if not having:
        unread = [c for c in others if functions_of(c.source) is _UNREADABLE and f"def {name}(" in c.source]
        if unread:
            place = _place(unread[0], cells)
            flags.append(f"{what}; {place} seems to have it, but is no Python: not taken from there")
        elif not is_there:
            flags.append(f"{what}: restored")
        return
    last = having[-1]
    place = _place(last, cells)
    before = cells[: next(i for i, cell in enumerate(cells) if cell is own)]
    # Where it comes too late for its tests, its cell is run here, too: what it defines twice does no harm.
    own.source = _ELSEWHERE.format(place) if any(c.source == last.source for c in before) else last.source
    which = "taken" if len({cell.source for cell in having}) == 1 else f"the last of {len(having)} is taken,"
    flags.append(f"{what}: {which} from {place}")


def _place(cell: NotebookNode, cells: Sequence[NotebookNode]) -> str:
    """Where a cell is, in words: its name, or behind which cell that has one."""
    if name := _grade_id(cell):
        return name
    before = cells[: next(i for i, other in enumerate(cells) if other is cell)]
    names = [name for other in before if (name := _grade_id(other))]
    return f"a cell behind {names[-1]}" if names else "a cell at the beginning"


def functions_of(source: str) -> frozenset[str]:
    """The names that a cell defines at its top level; of what is no Python, none."""
    python = "\n".join("" if line.lstrip().startswith(("%", "!")) else line for line in source.split("\n"))
    try:
        tree = ast.parse(python)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return _UNREADABLE
    names: set[str] = set()
    for node in tree.body:
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            names.add(node.name)
        elif isinstance(node, ast.Assign):
            names |= {target.id for target in node.targets if isinstance(target, ast.Name)}
    return frozenset(names)


def _own(cell: Mapping[str, Any]) -> NotebookNode:
    """A cell that the student added: its text, and the pictures pasted into it."""
    kind = cell["cell_type"] if cell["cell_type"] in _TYPES else "raw"
    made: NotebookNode = getattr(nbformat.v4, f"new_{kind}_cell")(text_of(cell))
    if kind == "markdown" and cell.get("attachments"):
        made.attachments = nbformat.from_dict(copy.deepcopy(cell["attachments"]))
    return made


def _with_ids(cells: Sequence[NotebookNode]) -> list[NotebookNode]:
    """Gives the students' own cells ids by position, so that the same submission gives the same notebook."""
    taken = {cell.id for cell in cells if _grade_id(cell)}
    number = 0
    for cell in cells:
        if not _grade_id(cell):
            while f"own-{number}" in taken:
                number += 1
            cell.id = f"own-{number}"
            number += 1
    return list(cells)


def _is_solution(cell: NotebookNode) -> bool:
    return bool(cell.metadata.nbgrader.get("solution"))
