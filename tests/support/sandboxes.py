"""What the tests of the sandbox share: one that starts quickly, and whether there can be one on this machine."""

import functools

import pytest

from vaeedu_grader.sandbox import Cell, Limits, Prepared, Run, SandboxError, run_cells

MIB = 2**20
# So long that a busy machine does not reach them. A test of a limit sets it, with room for what must not reach it.
LIMITS = {"cell_seconds": 50.0, "grace_seconds": 9.0, "wall_seconds": 300.0, "tmp_bytes": 8 * MIB}


@functools.cache
def obstacle():
    """Why there can be no sandbox here, or nothing."""
    try:
        with Prepared(imports=()) as prepared:
            prepared.wait()
    except SandboxError as error:
        return str(error)
    return ""


def run(*sources, files=None, unsafe=False, sealed=(), imports=(), **limits) -> Run:
    """Runs cells in a new sandbox, without waiting for torch."""
    if not unsafe and obstacle():
        pytest.skip(obstacle())
    cells = [Cell(f"cell{i}", source) for i, source in enumerate(sources)]
    prepared = Prepared(Limits(**{**LIMITS, **limits}), sealed=sealed, unsafe=unsafe, imports=imports)
    return run_cells(cells, files=files, prepared=prepared)


def text(run, cell=0):
    """What a cell printed, errors included."""
    return "".join(
        output.get("text") or output.get("evalue") or output.get("data", {}).get("text/plain", "")
        for output in run.cells[cell].outputs
    )


def statuses(run):
    return [cell.status for cell in run.cells]
