"""`vaeedu check 03`: an assignment's visible tests on a student's notebook, in a fresh kernel, before handing it in.

The notebook runs from top to bottom. The library's modules that are absent when it is graded are absent here, too.
"""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from vaeedu import course
from vaeedu.feedback.examine import CHECKS
from vaeedu.feedback.key import read_names, read_sealed

_SECONDS = 600  # of one cell, by the clock: ample, as a busy machine is no mistake of the student's
_SEAL = """
import sys
class _Sealed:
    def find_spec(self, name, path=None, target=None):
        if name in {names!r}:
            raise ImportError(f"{{name}} is not there when your work is graded: the exercise asks you to write it")
sys.meta_path.insert(0, _Sealed())
"""


def report(assignment: str) -> int:
    """Prints a line for each exercise.

    Args:
        assignment: The assignment's number or name, in the copy of the course around the current folder, or its folder.

    Returns:
        The exit code: 0 if every visible test passes, else 1.

    Raises:
        ValueError: There is no such assignment, or its notebook or its `checks.json` cannot be used.
    """
    results = check_all(_folder(assignment))
    for name, problem in results.items():
        sys.stdout.write(f"✗ {name}\n{_indented(problem)}\n" if problem else f"✓ {name}\n")
    right = sum(not problem for problem in results.values())
    sys.stdout.write(f"{right} of {len(results)} exercises pass their visible tests\n")
    return int(right < len(results))


def check_all(folder: Path) -> dict[str, str]:
    """Runs a folder's notebook, and returns what is wrong with each exercise; empty where nothing is.

    Args:
        folder: The assignment's folder, with the notebook of the same name and `checks.json`.

    Raises:
        ValueError: The notebook or its `checks.json` cannot be used.
    """
    import nbformat
    from nbclient import NotebookClient
    from nbclient.exceptions import DeadKernelError

    path, checks = folder / f"{folder.name}.ipynb", folder / CHECKS
    try:
        notebook = nbformat.read(path, as_version=4)
    except Exception as error:  # whatever nbformat meets in a broken file
        raise ValueError(f"{path} must be a notebook, but cannot be read: {error}") from error
    names, sealed = _in_order(read_names(checks), notebook), read_sealed(checks)
    notebook.cells = [_seal(sealed), *notebook.cells, *map(_check, names)]
    client = NotebookClient(
        notebook,
        timeout=_SECONDS,
        interrupt_on_timeout=True,
        allow_errors=True,
        kernel_name="python3",
        extra_arguments=[
            "--log-level=ERROR"
        ],  # it would warn that its sockets, which are local, are not encrypted
        resources={"metadata": {"path": str(folder)}},
    )
    try:
        client.execute()
    except DeadKernelError:
        return dict.fromkeys(
            names, "The notebook's kernel ended before this test: run the notebook yourself."
        )
    last = notebook.cells[len(notebook.cells) - len(names) :]
    return {name: _problem(cell) for name, cell in zip(names, last, strict=True)}


def _folder(text: str) -> Path:
    if Path(text).is_dir():
        return Path(text).resolve()
    assignments = (course.folder() or Path.cwd()) / "assignments"
    known = sorted(path.parent.name for path in assignments.glob("*/*.ipynb"))
    return (assignments / course.assignment(text, known)).resolve()


def _in_order(names: Sequence[str], notebook: Any) -> list[str]:
    """Sorts exercises as they come in the notebook; those whose test has been deleted come last."""
    text = "\n".join(cell.source for cell in notebook.cells)
    places = {name: text.find(f'vaeedu.check("{name}"') for name in names}
    return sorted(names, key=lambda name: (places[name] < 0, places[name]))


def _seal(names: Sequence[str]) -> object:
    import nbformat

    return nbformat.v4.new_code_cell(_SEAL.format(names=list(names)))


def _check(name: str) -> object:
    import nbformat

    # A function that is not there is None, which the check says in words.
    return nbformat.v4.new_code_cell(f"import vaeedu\nvaeedu.check({name!r}, globals().get({name!r}))")


def _problem(cell: object) -> str:
    outputs = getattr(cell, "outputs", [])
    errors = [o for o in outputs if o.output_type == "error"]
    if not errors:
        return ""
    error = errors[-1]
    if error.ename in ("CheckFailed", "ValueError"):
        return str(error.evalue)
    return f"{error.ename}: {error.evalue}"


def _indented(text: str) -> str:
    return "\n".join(f"    {line}" for line in text.split("\n"))
