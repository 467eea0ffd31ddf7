"""nbgrader's own `autograde`, and the formgrader's button for it, as `vaeedu grade` does it: nothing runs unvetted.

`nbgrader_config.py` switches it on; nbgrader calls it.
"""

from pathlib import Path
from typing import Any

import nbformat
from nbformat import NotebookNode
from nbgrader.converters import Autograde
from nbgrader.converters.base import NbGraderException
from nbgrader.preprocessors import NbGraderPreprocessor

from vaeedu_grader.assignment import Assignment
from vaeedu_grader.authoring.course import course_root
from vaeedu_grader.intake.files import Rejected, read_files, refuse_all_but_files

_convert_notebooks = Autograde.convert_notebooks


def vet_first() -> None:
    """Has nbgrader look through each submission before it copies, or even opens, anything of it.

    nbgrader has a hook before it converts, but goes on whatever that raises, copies what links lead to, and waits for
    pipes. So its own method is replaced, for its command and the formgrader alike.
    """
    Autograde.convert_notebooks = _convert_vetted


def _convert_vetted(converter: Autograde) -> None:
    """Converts the submissions that consist of files, and then fails if there were others."""
    refused = []
    for folder in sorted(converter.assignments):
        try:
            read_files(Path(folder))
            refuse_all_but_files(Path(folder))
        except Rejected as error:
            student = Path(folder).parent.name
            refused.append(f"{student}: {error}")
            converter.log.error("Refused the submission of %s", refused[-1])
            del converter.assignments[folder]
    _convert_notebooks(converter)
    if refused:
        raise NbGraderException(
            f"{'; '.join(refused)}: nothing of it was copied; "
            f"`vaeedu grade {converter.coursedir.assignment_id}` writes down why"
        )


class GradeInSandbox(NbGraderPreprocessor):
    """Puts the marked notebook in the place of the submitted one."""

    def preprocess(self, nb: NotebookNode, resources: Any) -> tuple[NotebookNode, Any]:
        """Grades the submission that nbgrader is about to take in."""
        from vaeedu_grader.marking.grade import grade_one

        names = resources["nbgrader"]
        outcome = grade_one(Assignment(course_root(), names["assignment"]), names["student"])
        return nbformat.from_dict(outcome["notebook"]), resources
