"""Running a submission's cells where they can do no harm, and taking out nothing but bounded plain data.

Each submission has a sandbox of its own: no network, no files but the system's and the course's library, both
read-only, and limits on everything it may use. It speaks with the grader through two pipes. What comes back is text,
pictures and the answers' bytes, all checked; what a submission does to its own process can change only these.
"""

from collections.abc import Collection, Mapping, Sequence

from vaeedu_grader.sandbox.launch import Prepared
from vaeedu_grader.sandbox.model import Cell, CellResult, Limits, Run, SandboxError
from vaeedu_grader.sandbox.session import Session

__all__ = ["Cell", "CellResult", "Limits", "Prepared", "Run", "SandboxError", "run_cells"]


def run_cells(
    cells: Sequence[Cell],
    *,
    files: Mapping[str, bytes] | None = None,
    limits: Limits | None = None,
    sealed: Collection[str] = (),
    unsafe: bool = False,
    prepared: Prepared | None = None,
) -> Run:
    """Runs cells one after another in a sandbox of their own, which is then ended with everything in it.

    A cell that raises does not keep the next from running. Answers leave a cell as
    `display({vaeedu.feedback.wire.MIME: text}, raw=True)`.

    Args:
        cells: The cells, in order.
        files: What lies beside the notebook, by name, such as `data/numbers.csv`.
        limits: What may be used.
        sealed: Modules of the library that are absent, such as "vaeedu.pca".
        unsafe: Whether to run without a sandbox; a warning is printed.
        prepared: A sandbox that was started ahead of time; the three settings above are then its own.

    Returns:
        Outputs and answers by cell, and how the run ended.

    Raises:
        SandboxError: There can be no sandbox on this machine; the message says what to do.
        ValueError: A file's name leads out of the notebook's folder, or a module to seal does not exist.
    """
    files = files or {}
    for name in files:
        if "\0" in name or not all(part.strip(".") for part in name.split("/")):
            raise ValueError(f"files must have names below the notebook's folder, but one is {name!r}")
    if prepared is not None:
        with prepared:
            return Session(prepared).run(cells, files)
    with Prepared(limits, sealed=sealed, unsafe=unsafe) as made:
        return Session(made).run(cells, files)
