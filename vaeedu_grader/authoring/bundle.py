"""`make student-bundle`: the zip that students receive, with the course and without anything that tells an answer."""

import io
import zipfile
from collections.abc import Iterator
from pathlib import Path

from vaeedu.files import write_whole
from vaeedu_grader.authoring.course import assignments

_FILES = (
    "Makefile",
    "README.md",
    "LICENSE",
    "CITATION.cff",
    "pyproject.toml",
    "constraints.txt",
    "environment.yml",
    "uv.lock",
)
_FOLDERS = ("lectures", "assignments", "vaeedu", "tools")
_LEFT_OUT = ("__pycache__", ".ipynb_checkpoints")
# The same bytes for the same course: a zip's entries carry a time.
_TIME = (2026, 1, 1, 0, 0, 0)


def make_bundle(course: Path, target: Path, *, only: tuple[str, ...] | None = None) -> list[str]:
    """Writes the students' zip.

    Args:
        course: The course's folder.
        target: The zip's path; what is there is replaced.
        only: The assignments to include; by default all of them.

    Returns:
        The names of the files in it, in order.

    Raises:
        ValueError: There is no such assignment.
    """
    for name in only or ():
        if name not in assignments(course):
            raise ValueError(f"assignment must be one of {', '.join(assignments(course))}, but is {name!r}")
    names, made = [], io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted(_files(course, only)):
            entry = zipfile.ZipInfo(f"vaeedu-course/{path.relative_to(course).as_posix()}", _TIME)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = 0o644 << 16
            archive.writestr(entry, path.read_bytes())
            names.append(entry.filename)
    write_whole(target, made.getvalue())
    return names


def _files(course: Path, only: tuple[str, ...] | None) -> Iterator[Path]:
    yield from (course / name for name in _FILES)
    for folder in _FOLDERS:
        for path in (course / folder).rglob("*"):
            parts = path.relative_to(course).parts
            if path.is_file() and not set(parts) & set(_LEFT_OUT) and _is_for_students(parts, only):
                yield path


def _is_for_students(parts: tuple[str, ...], only: tuple[str, ...] | None) -> bool:
    """Decides by what is allowed, so that a file that somebody adds later stays here until somebody decides."""
    if parts[0] == "assignments":
        allowed = parts[-1] == "checks.json" or parts[-1] == f"{parts[1]}.ipynb"
        return allowed and (only is None or parts[1] in only)
    if parts[0] == "vaeedu" and parts[-1] in ("small_mnist.npz", "speech.npz"):
        return True
    return Path(parts[-1]).suffix in (".py", ".js", ".ipynb", ".json", ".typed", ".md", ".png", ".svg")
