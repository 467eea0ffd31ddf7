"""nbgrader through its Python API, with this course's configuration."""

import contextlib
import logging
import re
import warnings
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from nbgrader.apps import NbGraderAPI
from nbgrader.coursedir import CourseDirectory
from traitlets.config import Config
from traitlets.config.loader import PyFileConfigLoader

# What nbgrader logs after the error itself.
_FOLLOW_UPS = ("There was an error processing", "Please see the")


class GradingError(Exception):
    """nbgrader could not do what it was asked for; the message says why."""


def api(course: Path, **directory: str) -> NbGraderAPI:
    """Returns nbgrader's API for a course.

    Args:
        course: The folder with `nbgrader_config.py`.
        **directory: Settings of nbgrader's `CourseDirectory` that replace the configured ones.
    """
    config: Config = PyFileConfigLoader("nbgrader_config.py", path=str(course)).load_config()
    config.CourseDirectory.update(directory)
    # The hook is for the formgrader's button and writes into the course; here `add_checks` is called by name.
    del config.GenerateAssignment["post_convert_hook"]
    # Everything nbgrader logs is captured and returned; nothing of it belongs on the terminal. The log is this API's
    # own: the usual one is that of the program around it, such as `nbgrader autograde`, which has things to say.
    log = logging.Logger("vaeedu.nbgrader", logging.INFO)
    log.addHandler(logging.NullHandler())
    return NbGraderAPI(coursedir=CourseDirectory(config=config, log=log), config=config, log=log)


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Keeps nbgrader's and SQLAlchemy's warnings about themselves off an instructor's terminal."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def succeed(result: Mapping[str, Any]) -> None:
    """Raises what went wrong in a call of nbgrader's API, which catches everything, and so Ctrl-C as well.

    Raises:
        KeyboardInterrupt: The call was interrupted.
        GradingError: It failed; the message is the last line of the log's last error.
    """
    if result["success"]:
        return
    last = str(result.get("error", "")).strip().rpartition("\n")[2]
    if last.startswith("KeyboardInterrupt"):
        raise KeyboardInterrupt
    records = re.split(r"^\[(?=[A-Z]+\] )", str(result.get("log", "")), flags=re.MULTILINE)
    errors = [r.removeprefix("ERROR] ") for r in records if r.startswith("ERROR] ")]
    reasons = [error.strip() for error in errors if not error.startswith(_FOLLOW_UPS)]
    raise GradingError(reasons[-1].rpartition("\n")[2].strip() if reasons else last)
