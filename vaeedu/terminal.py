"""Writing to terminals and pipes of any encoding, whoever reads them and for however long."""

import os
import sys
from collections.abc import Callable

# What a shell makes of a program that a closed pipe has ended.
CLOSED = 141


def written_anywhere(command: Callable[[], int]) -> int:
    """Runs a command whose output goes anywhere: also to a console of few characters, and into `head`.

    Characters that the console has not, such as ✓ on Windows' cp1252, are written as their codes.

    Args:
        command: What to run; it returns an exit code.

    Returns:
        That code, or 141 where whoever read the output has stopped reading.
    """
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):  # not where somebody has put another object there
            stream.reconfigure(errors="backslashreplace")
    try:
        code = command()
        sys.stdout.flush()
    except BrokenPipeError:
        # Python would try once more, and complain, when it ends.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return CLOSED
    return code
