"""nbgrader's own `autograde`, and the formgrader's button for it, as `vaeedu grade` does it: nothing runs unvetted.

`nbgrader_config.py` names the two; nbgrader calls them.
"""

from typing import Any

import nbformat
from nbformat import NotebookNode
from nbgrader.preprocessors import NbGraderPreprocessor

from vaeedu_grader.assignment import Assignment
from vaeedu_grader.authoring.course import course_root
from vaeedu_grader.gradebook.nbgrader import GradingError
from vaeedu_grader.intake.files import Rejected, read_files


def vet(assignment: str, student: str, notebooks: list[str]) -> None:
    """Refuses a submission with files that nbgrader must not even copy, such as links.

    Raises:
        GradingError: It has; `vaeedu grade` gives such a submission its mark, 0, and the student a page that says why.
    """
    try:
        read_files(Assignment(course_root(), assignment).submission(student))
    except Rejected as error:
        raise GradingError(f"{student}: {error}; `vaeedu grade {assignment}` writes this down") from error


class GradeInSandbox(NbGraderPreprocessor):
    """Puts the marked notebook in the place of the submitted one."""

    def preprocess(self, nb: NotebookNode, resources: Any) -> tuple[NotebookNode, Any]:
        """Grades the submission that nbgrader is about to take in."""
        from vaeedu_grader.marking.grade import grade_one

        names = resources["nbgrader"]
        outcome = grade_one(Assignment(course_root(), names["assignment"]), names["student"])
        return nbformat.from_dict(outcome["notebook"]), resources
