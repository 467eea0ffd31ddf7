"""What goes wrong in a command, as one line."""

import argparse
import os
from collections.abc import Callable
from functools import wraps

Command = Callable[[argparse.Namespace], int]


def saying_why(command: Command, system: str = os.name) -> Command:
    """Turns the grader's own errors into the one-line error that `vaeedu` makes of a ValueError.

    Args:
        command: What to run.
        system: The system's name: on Windows there is no sandbox, and nothing of the grader runs.
    """

    @wraps(command)
    def run(options: argparse.Namespace) -> int:
        if system == "nt":
            raise ValueError(
                "what an instructor does must run on Linux or macOS, but this is Windows: do it in WSL (wsl --install)"
            )
        try:
            return command(options)
        except Exception as error:
            # Imported only now: importing nbgrader takes longer than printing a version.
            from vaeedu_grader.gradebook.nbgrader import GradingError
            from vaeedu_grader.sandbox import SandboxError

            if isinstance(error, GradingError):
                raise ValueError(f"nbgrader: {error}") from error
            if isinstance(error, SandboxError):
                raise ValueError(str(error)) from error
            raise

    return run
