"""The instructor's side of the course: authoring assignments, taking in submissions, grading them, keeping the marks.

It imports `vaeedu`, which knows nothing of it, and no student receives it. Where it is installed, it adds its commands
to `vaeedu` (an entry point of the group `vaeedu.commands`).

`grade` is what an assignment's hidden test cells call.
"""

from typing import Any

__all__ = ["grade"]


def __getattr__(name: str) -> Any:
    # Lazy: most of the grader needs neither the exercises nor what they import.
    if name == "grade":
        from vaeedu_grader.authoring.hidden_tests import grade

        return grade
    raise AttributeError(f"module 'vaeedu_grader' has no attribute {name!r}")
