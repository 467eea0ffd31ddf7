"""The instructor's commands, as `vaeedu` gets them: making assignments, taking in, grading and marking submissions."""

from typing import Any

from vaeedu_grader.commands import course, grading, hand_in, marks


def add_commands(commands: Any) -> None:
    """Adds them to the parser's commands."""
    for topic in (course, hand_in, grading, marks):
        topic.add(commands)
