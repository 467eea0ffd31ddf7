"""What goes wrong in a command, as one line."""

import argparse
from collections.abc import Callable
from functools import wraps

Command = Callable[[argparse.Namespace], int]


def saying_why(command: Command) -> Command:
    """Turns the grader's own errors into the one-line error that `vaeedu` makes of a ValueError."""

    @wraps(command)
    def run(options: argparse.Namespace) -> int:
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
