"""What a student's check needs: calling a function, and judging the plain arrays it answered with, are two things.

`run` calls the function and knows no right answer. `judge` sees arrays only and calls nothing of the student's. What
passes between them (`run.Answer`, `key.AnswerKey`) can be written as JSON, so that the two may live in different
processes: a student's check has both in one, the grader has a sandbox around the first.
"""

import importlib
from typing import Any

_WHERE = {"CheckFailed": "examine", "check": "examine", "hint": "hints", "solution": "hints"}

__all__ = ["CheckFailed", "check", "hint", "solution"]


def __getattr__(name: str) -> Any:
    if name in _WHERE:
        return getattr(importlib.import_module(f"vaeedu.feedback.{_WHERE[name]}"), name)
    raise AttributeError(f"module 'vaeedu.feedback' has no attribute {name!r}")
