"""Grading: running a student's function, and judging the plain arrays it answered with, are two things.

`run` calls the function and knows no right answer. `judge` sees arrays only and calls nothing of the student's. What
passes between them (`run.Answer`, `key.AnswerKey`) can be written as JSON, so that the two may live in different
processes.

Students use `vaeedu.check`. `grade` is what an assignment's hidden test cells call, on the instructor's machine.
"""

import importlib
from typing import Any

_FUNCTIONS = {"check": "student", "CheckFailed": "student", "grade": "instructor"}

__all__ = ["CheckFailed", "check", "grade"]


def __getattr__(name: str) -> Any:
    # Lazy: the student's side needs neither the instructor's modules nor nbgrader.
    if name in _FUNCTIONS:
        return getattr(importlib.import_module(f"vaeedu.grading.{_FUNCTIONS[name]}"), name)
    raise AttributeError(f"module 'vaeedu.grading' has no attribute {name!r}")
