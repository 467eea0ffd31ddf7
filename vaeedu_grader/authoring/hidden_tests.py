"""What an assignment's hidden test cells call: it needs the instructor's side of the course."""

from vaeedu.feedback.examine import examine
from vaeedu_grader.authoring.course import course_root, exercises
from vaeedu_grader.authoring.exercise import answer_key


def grade(assignment: str, name: str, function: object) -> None:
    """Runs the hidden tests of an exercise on a function.

    Args:
        assignment: The assignment's name.
        name: The exercise's name.
        function: The submitted function.

    Raises:
        CheckFailed: An answer is wrong; the message names the likely reason.
        ValueError: There is no such assignment or exercise, or the course cannot be found.
    """
    known = exercises(course_root(), assignment)
    if name not in known:
        raise ValueError(f"name must be one of {', '.join(map(repr, known))}, but is {name!r}")
    examine(function, answer_key(known[name], "hidden"), praise="every hidden case is right")
