"""`vaeedu feedback-zip`: everybody's feedback page in one zip, named as the learning platform takes it back."""

import io
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from vaeedu.files import write_whole
from vaeedu_grader.assignment import Assignment
from vaeedu_grader.intake.collect import Person, moodle_folders

# The same pages give the same zip.
_TIME = (2000, 1, 1, 0, 0, 0)


@dataclass(frozen=True)
class Packed:
    """Whose pages are in a zip, and who handed in and has none."""

    students: tuple[str, ...]
    without: tuple[str, ...]


def pack_feedback(assignment: Assignment, source: Path, target: Path, roster: Sequence[Person]) -> Packed:
    """Packs feedback pages into a zip for Moodle's *Upload multiple feedback files in a zip*.

    Args:
        assignment: The assignment, whose pages have been made.
        source: What Moodle handed out: its folders have the numbers by which it knows students.
        target: The zip to write; what is there is replaced when all is known.
        roster: Who there is.

    Raises:
        ValueError: The source is nothing of Moodle's, or is the target, or nobody in it has a page.
    """
    if target.exists() and source.exists() and target.samefile(source):
        raise ValueError(f"the zip to write must be another than {source}, but is the same: name another")
    folders = moodle_folders(source, roster)
    pages = {student: assignment.feedback(student) for student in sorted(folders)}
    there = {student: page for student, page in pages.items() if page.is_file()}
    if not there:
        raise ValueError(
            f"there must be feedback pages, but there are none: nbgrader generate_feedback {assignment.name}"
        )
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for student, page in there.items():
            entry = zipfile.ZipInfo(f"{folders[student]}/{page.name}", _TIME)
            archive.writestr(entry, page.read_bytes(), zipfile.ZIP_DEFLATED)
    write_whole(target, packed.getvalue())
    return Packed(tuple(there), tuple(sorted(pages.keys() - there.keys())))
