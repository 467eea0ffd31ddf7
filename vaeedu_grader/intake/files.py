"""Taking in what a student sent: nothing but regular files of bounded size is opened, nothing but plain cells is kept.

Whoever collects submissions collects anything: links to the gradebook, pipes that never end, notebooks that crash
their readers. What cannot be taken in is rejected with the reason. nbgrader sees none of it, and neither does nbformat.
"""

import contextlib
import os
import re
import stat
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nbformat import NotebookNode

from vaeedu_grader.intake.notebook import NAME, Notes, Reader, Rejected, is_text, shown
from vaeedu_grader.intake.rebuild import number_written

__all__ = ["Rejected", "Taken", "read_files", "refuse_all_but_files", "take_notebook"]

_MIB = 2**20
MOST_ENTRIES, MOST_FILES = 1000, 100
MOST_BYTES, MOST_TOTAL_BYTES = 20 * _MIB, 64 * _MIB
_MOST_DEPTH = 4
# Other kinds of files stay where they are, unread.
KINDS = (".ipynb", ".csv", ".jpeg", ".jpg", ".json", ".npy", ".png", ".py", ".txt")
# What browsers and platforms put behind a notebook's name is no part of it.
NOTEBOOK = re.compile(r"\.ipynb(\.txt|\.json)?$", re.IGNORECASE)
_CHECKED = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC


@dataclass(frozen=True)
class Taken:
    """A submitted notebook, and what the instructor should know about it.

    Attributes:
        notebook: Its cells, in order, as plain JSON: `cell_type`, `source`, a `metadata` that has at most nbgrader's
            `grade_id`, and where there are any, the cell's `id` and the pictures pasted into it (`attachments`).
        notes: What is not as usual, though the notebook can be graded.
    """

    notebook: dict[str, Any]
    notes: tuple[str, ...]


def read_files(folder: Path) -> dict[str, bytes]:
    """Reads a submission's files, those of the usual kinds.

    Folders in it are entered, a few levels deep, for the data and modules that a notebook may have beside it. What is
    no file there is left out, and so is what would be too much. Notebooks are read at the top only; folders with a dot
    before their name, such as editors keep their copies in, are not entered.

    Args:
        folder: The submission's folder.

    Returns:
        The files' bytes by name, such as `data/numbers.csv`; those at the top come first, in alphabetical order.

    Raises:
        Rejected: Something in the folder is neither a file nor a folder, or there is too much of it.
    """
    try:
        number = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except OSError:
        raise Rejected(
            f"the submission must be a folder, but {folder.name} is none that can be opened"
        ) from None
    try:
        return _read_all(number)
    finally:
        os.close(number)


def refuse_all_but_files(folder: Path) -> None:
    """Looks through a submission at every depth, for programs that copy all of it and follow links, as nbgrader does.

    Raises:
        Rejected: Something in it is neither a file nor a folder.
    """
    for parent, folders, files in os.walk(folder):
        for name in [*folders, *files]:
            mode = os.lstat(os.path.join(parent, name)).st_mode
            if not (stat.S_ISREG(mode) or stat.S_ISDIR(mode)):
                raise Rejected(f"{shown(name)} must be a file, but is {_kind_of(mode)}: hand in files only")


def _read_all(folder: int) -> dict[str, bytes]:
    found: dict[str, bytes] = {}
    left = MOST_TOTAL_BYTES
    for name in _names(folder):
        # Only what is opened is looked at: between looking at a name and opening it, it may become something else.
        if not _is_wanted(folder, name):
            continue
        if len(found) == MOST_FILES:
            raise Rejected(f"there may be {MOST_FILES} files at most, but there are more")
        found[name] = _read(folder, name, left)
        left -= len(found[name])
    _add_those_in_folders(folder, found, left)
    return found


def _add_those_in_folders(top: int, found: dict[str, bytes], left: int) -> None:
    seen = 0
    for path, folders, names, number in os.fwalk(".", dir_fd=top):  # follows no link
        depth = path.count("/")
        inner = [n for n in folders if _is_name(n) and not n.startswith((".", "__"))]
        folders[:] = sorted(inner) if depth < _MOST_DEPTH else []
        seen += len(names) + len(folders)
        if seen > MOST_ENTRIES:
            return
        for name in sorted(names) if depth else ():
            if len(found) == MOST_FILES:
                return
            kind = Path(name).suffix.lower()
            if _is_name(name) and kind in KINDS and kind != ".ipynb":
                with contextlib.suppress(
                    Rejected
                ):  # what is at the top decides whether there is a submission
                    data = _read(number, name, left)
                    found[f"{path.removeprefix('./')}/{name}"] = data
                    left -= len(data)


def _is_name(name: str) -> bool:
    return NAME.fullmatch(name) is not None and is_text(name)


def _names(folder: int) -> list[str]:
    names = []
    with os.scandir(folder) as entries:
        for entry in entries:
            names.append(entry.name)
            if len(names) > MOST_ENTRIES:
                raise Rejected(f"there may be {MOST_ENTRIES} files at most, but there are more")
    return sorted(names)


def _is_wanted(folder: int, name: str) -> bool:
    """Says whether to read a file; rejects what is no file, whatever its name."""
    mode = os.stat(name, dir_fd=folder, follow_symlinks=False).st_mode
    kind = Path(name).suffix.lower()
    if stat.S_ISDIR(mode) and kind != ".ipynb":
        return False
    if not stat.S_ISREG(mode):
        raise Rejected(f"{shown(name)} must be a file, but is {_kind_of(mode)}: hand in files only")
    return kind in KINDS and _is_name(name)


def _kind_of(mode: int) -> str:
    kinds = {
        stat.S_ISLNK: "a link",
        stat.S_ISDIR: "a folder",
        stat.S_ISFIFO: "a pipe",
        stat.S_ISSOCK: "a socket",
    }
    return next((word for test, word in kinds.items() if test(mode)), "a device")


def _read(folder: int, name: str, left: int) -> bytes:
    try:
        number = os.open(name, _CHECKED, dir_fd=folder)
    except OSError as error:
        raise Rejected(f"{shown(name)} cannot be opened: {error.strerror}") from None
    with os.fdopen(number, "rb") as file:
        if not stat.S_ISREG(os.fstat(number).st_mode):
            raise Rejected(f"{shown(name)} must be a file: hand in files only")
        most = min(MOST_BYTES, left)
        data = file.read(most + 1)
    if len(data) > most:
        reason = f"{shown(name)} is larger than {MOST_BYTES // _MIB} MiB"
        if most < MOST_BYTES:
            reason = f"all files together are larger than {MOST_TOTAL_BYTES // _MIB} MiB"
        raise Rejected(f"{reason}: clear the notebook's outputs, and leave data files out")
    return data


def _is_copy(name: str, assignment: str) -> bool:
    """Whether a browser or a platform has put the number of a copy behind the name."""
    return re.fullmatch(rf"{re.escape(assignment)}[-_ ]?\(?\d+\)?\.ipynb", name) is not None


def take_notebook(files: Mapping[str, bytes], source: NotebookNode, assignment: str) -> Taken:
    """Finds the assignment's notebook among a submission's files, and takes in its cells.

    A student who renames the notebook has done the work: the only notebook there is taken, whatever its name, also
    where a program has put `.txt` or `.json` behind it. Who worked in a copy has done the work, too: where the notebook
    is as it was given out, the copy with most of the exercises in it is taken.

    Args:
        files: The files by name.
        source: The notebook as it was given out.
        assignment: The assignment's name, which is also the notebook's.

    Raises:
        Rejected: There is no such notebook, or it is none that Jupyter could have written.
    """
    name = f"{assignment}.ipynb"
    others = sorted(other for other in files if NOTEBOOK.search(other) and other != name)
    if name in files:
        return _taken_or_its_copy(files, name, others, source)
    known = ", ".join(map(shown, others)) or "none"
    if len(others) > 1:
        worked = _with_work(files, others, source)
        if not worked or len(worked) > 1:
            raise Rejected(f"there must be a notebook {name}, but there is {known}")
        others = list(worked)
    if not others:
        raise Rejected(f"there must be a notebook {name}, but there is none")
    notes = Notes()
    if not _is_copy(others[0], assignment):
        notes.add(f"renamed to {shown(others[0])}, taken as {name}")
    notebook = Reader(shown(others[0]), notes).read(files[others[0]])
    if not _has_grade_ids(notebook):
        raise Rejected(f"there must be a notebook {name}, but {shown(others[0])} has none of its cells")
    return Taken(notebook, tuple(notes.texts))


def _taken_or_its_copy(
    files: Mapping[str, bytes], name: str, others: Sequence[str], source: NotebookNode
) -> Taken:
    notes = Notes()
    notebook = Reader(shown(name), notes).read(files[name])
    taken = Taken(notebook, tuple(notes.texts))
    if not others or number_written(source, notebook):
        return taken
    copies = _with_work(files, others, source)
    if not copies:
        return taken
    best = max(copies, key=lambda copy: number_written(source, copies[copy].notebook))
    remark = f"{name} is as it was given out: {shown(best)} has work in it, and is taken"
    return Taken(copies[best].notebook, (*copies[best].notes, remark))


def _with_work(files: Mapping[str, bytes], names: Sequence[str], source: NotebookNode) -> dict[str, Taken]:
    """Those of the notebooks that can be read and have something of the assignment's written in them."""
    found = {}
    for name in names:
        notes = Notes()
        with contextlib.suppress(Rejected):
            notebook = Reader(shown(name), notes).read(files[name])
            if _has_grade_ids(notebook) and number_written(source, notebook):
                found[name] = Taken(notebook, tuple(notes.texts))
    return found


def _has_grade_ids(notebook: Mapping[str, Any]) -> bool:
    return any(cell["metadata"] for cell in notebook["cells"])
