"""Which cells of a notebook others need: those that define a name that is used further down."""

import symtable
from collections.abc import Callable, Sequence

from nbformat import NotebookNode


def needed(cells: Sequence[NotebookNode], always: Callable[[NotebookNode], bool]) -> list[NotebookNode]:
    """Leaves out code that no later cell, of those kept, uses a name of.

    Args:
        cells: A notebook's cells, in order.
        always: Says which cells stay in any case; text does, too.
    """
    kept: list[NotebookNode] = []
    wanted: set[str] = set()
    for cell in reversed(cells):
        if cell.cell_type != "code":
            kept.append(cell)
            continue
        given, used = _names(cell.source)
        if always(cell) or given & wanted:
            kept.append(cell)
            wanted |= used
    return kept[::-1]


def _names(source: str) -> tuple[set[str], set[str]]:
    """The names that a cell defines, and those of the notebook's that it uses, also within its functions."""
    try:
        top = symtable.symtable(source, "cell", "exec")
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return set(), set()  # a student's: it will say so itself
    tables = [top]
    used: set[str] = set()
    for table in tables:  # and those within it, which join the list
        tables += table.get_children()
        used |= {s.get_name() for s in table.get_symbols() if s.is_referenced() and s.is_global()}
    return {s.get_name() for s in top.get_symbols() if s.is_assigned() or s.is_imported()}, used
