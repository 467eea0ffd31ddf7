"""The assignment that a command is asked for."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from vaeedu_grader.assignment import Assignment

# How every command explains it.
HELP = "its number or name"


def asked(text: str) -> "Assignment":
    """Finds an assignment of the course around the current folder by its number or name.

    Raises:
        ValueError: There is none, or no course.
    """
    # Imported only now: importing nbgrader takes longer than printing a version.
    from vaeedu_grader.assignment import Assignment
    from vaeedu_grader.authoring.course import assignment_named, course_root

    course = course_root()
    return Assignment(course, assignment_named(course, text))
