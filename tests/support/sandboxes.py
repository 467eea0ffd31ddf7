"""What the tests of the sandbox share: one that starts quickly, and whether there can be one on this machine."""

import atexit
import contextlib
import functools

import pytest

from vaeedu_grader.sandbox import Cell, Limits, Prepared, Run, SandboxError, run_cells
from vaeedu_grader.sandbox.launch import INSIDE
from vaeedu_grader.sandbox.zygote import Zygote, started

MIB = 2**20
# So long that a busy machine does not reach them. A test of a limit sets it, with room for what must not reach it.
LIMITS = {"cell_seconds": 50.0, "grace_seconds": 9.0, "wall_seconds": 300.0, "tmp_bytes": 8 * MIB}
# Whether the program in a sandbox is a fork, or starts by itself, as where a machine cannot fork into one.
FORKS = True


@functools.cache
def obstacle():
    """Why there can be no sandbox here, or nothing."""
    try:
        with Prepared(imports=()) as prepared:
            prepared.wait()
    except SandboxError as error:
        return str(error)
    return ""


@functools.cache
def zygote(imports: tuple[str, ...] = (), sealed: tuple[str, ...] = ()) -> Zygote:
    """One that all tests of a process share."""
    kept = contextlib.ExitStack()
    atexit.register(kept.close)
    return kept.enter_context(started(imports, INSIDE, sealed=sealed))


def prepare(limits: Limits | None = None, *, sealed=(), imports=()) -> Prepared:
    """A sandbox whose program is a fork of such a one, as when a class is graded."""
    if not FORKS:
        return Prepared(limits, sealed=sealed, imports=imports)
    made = Prepared(limits, sealed=sealed, imports=imports, zygote=zygote(tuple(imports), tuple(sealed)))
    assert made.why_alone == ""
    return made


def run(*sources, files=None, unsafe=False, sealed=(), imports=(), **limits) -> Run:
    """Runs cells in a new sandbox, without waiting for torch."""
    if not unsafe and obstacle():
        pytest.skip(obstacle())
    cells = [Cell(f"cell{i}", source) for i, source in enumerate(sources)]
    bounds = Limits(**{**LIMITS, **limits})
    if unsafe:
        prepared = Prepared(bounds, sealed=sealed, unsafe=True, imports=imports)
    else:
        prepared = prepare(bounds, sealed=sealed, imports=imports)
    return run_cells(cells, files=files, prepared=prepared)


def text(run, cell=0):
    """What a cell printed, errors included."""
    return "".join(
        output.get("text") or output.get("evalue") or output.get("data", {}).get("text/plain", "")
        for output in run.cells[cell].outputs
    )


def statuses(run):
    return [cell.status for cell in run.cells]
