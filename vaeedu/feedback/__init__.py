"""What a student's check needs: calling a function, and judging the plain arrays it answered with, are two things.

`run` calls the function and knows no right answer. `judge` sees arrays only and calls nothing of the student's. What
passes between them (`run.Answer`, `key.AnswerKey`) can be written as JSON, so that the two may live in different
processes: a student's check has both in one, the grader has a sandbox around the first.
"""

import importlib
from typing import Any

__all__ = ["CheckFailed", "check"]


def __getattr__(name: str) -> Any:
    if name in __all__:
        return getattr(importlib.import_module("vaeedu.feedback.examine"), name)
    raise AttributeError(f"module 'vaeedu.feedback' has no attribute {name!r}")
