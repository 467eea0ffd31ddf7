"""What goes into a sandbox and what comes out: cells and limits in, outputs and plain bytes out."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

_MIB = 2**20


class SandboxError(RuntimeError):
    """The sandbox itself could not be set up; no student's doing. The message is one line that says what to do."""


class Cell(NamedTuple):
    """A cell to run: a name for it, its text, and how long it may take if that is not what `Limits` says."""

    id: str
    source: str
    seconds: float | None = None


@dataclass(frozen=True)
class Limits:
    """What a submission may use.

    Attributes:
        memory_bytes: Memory of all its processes together, beside what lies in its folders.
        processes: Processes and threads.
        cpu_seconds: Processor time of each process.
        wall_seconds: Time for all cells together; the end comes from outside and cannot be put off.
        cell_seconds: Time for one cell that does not say otherwise; it is then interrupted.
        grace_seconds: Time that an interrupted cell has to come to its end, before everything is ended.
        file_bytes: Size of any one file.
        open_files: Open files of each process.
        sockets: Sockets of all its processes together: what waits in them is nobody's memory.
        tmp_bytes: Size of each folder that can be written to.
        tmp_files: Files in each of these folders.
        output_bytes: Output kept of one cell, with a little for each piece; the rest is left out, with a note.
        total_output_bytes: Output kept of all cells together.
        answer_bytes: Size of the answers of one cell.
        flood_bytes: Everything that may be sent at all, kept or not, before the run is ended.
    """

    memory_bytes: int = 2048 * _MIB
    processes: int = 128
    cpu_seconds: int = 600
    wall_seconds: float = 600.0
    cell_seconds: float = 60.0
    grace_seconds: float = 10.0
    file_bytes: int = 64 * _MIB
    open_files: int = 256
    sockets: int = 256
    tmp_bytes: int = 64 * _MIB
    tmp_files: int = 10_000
    output_bytes: int = _MIB
    total_output_bytes: int = 16 * _MIB
    answer_bytes: int = 16 * _MIB
    flood_bytes: int = 256 * _MIB

    def __post_init__(self) -> None:
        for name, value in vars(self).items():
            if not value > 0:
                raise ValueError(f"{name} must be positive, but is {value}")


@dataclass
class CellResult:
    """What one cell came to.

    Attributes:
        id: The cell's name.
        status: "ok", "error" (it raised), "interrupted" (it took too long), "ended" (the run ended in it) or "not run".
        outputs: nbformat outputs: text, PNG and JPEG pictures, errors; nothing that a browser would execute.
        emitted: The answers, if the cell displayed exactly one message of type `MIME`; else None.
        answers: How many such messages there were.
        execution_count: The number in brackets beside the cell, if it ran.
        seconds: How long it took.
    """

    id: str
    status: str = "not run"
    outputs: list[dict[str, Any]] = field(default_factory=list)
    emitted: bytes | None = None
    answers: int = 0
    execution_count: int | None = None
    seconds: float = 0.0


@dataclass(frozen=True)
class Run:
    """What came out of a sandbox.

    Attributes:
        cells: A result for each cell, in order.
        status: "finished"; "timeout" (the time for all was up, or a cell did not let itself be interrupted); "memory";
            "output" (a flood of it); "killed" (its own process ended); "protocol" (it spoke what no kernel speaks).
        limits_hit: The limits that were reached, such as "cell_seconds", each once.
        seconds: How long all cells took together.
        versions: Versions of Python and its packages inside.
        unsafe: Whether it ran without a sandbox.
    """

    cells: tuple[CellResult, ...]
    status: str
    limits_hit: tuple[str, ...]
    seconds: float
    versions: Mapping[str, str]
    unsafe: bool

    @property
    def emitted(self) -> dict[str, bytes]:
        """The answers by cell, where there are any."""
        return {cell.id: cell.emitted for cell in self.cells if cell.emitted is not None}
