"""The instructor's side of the course: authoring assignments, taking in submissions, grading them, keeping the marks.

It imports `vaeedu`, which knows nothing of it, and no student receives it. Where it is installed, it adds its commands
to `vaeedu` (an entry point of the group `vaeedu.commands`).

`grade` is what an assignment's hidden test cells call.
"""

import sys
from typing import Any

# jsonschema, and so nbformat, takes it where it is there, to check a format that no notebook has; importing it compiles
# a grammar for seconds, in each process that grades.
sys.modules.setdefault("rfc3987_syntax", None)  # type: ignore[arg-type]

__all__ = ["grade"]


def __getattr__(name: str) -> Any:
    # Lazy: most of the grader needs neither the exercises nor what they import.
    if name == "grade":
        from vaeedu_grader.authoring.hidden_tests import grade

        return grade
    raise AttributeError(f"module 'vaeedu_grader' has no attribute {name!r}")
