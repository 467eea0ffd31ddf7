"""nbgrader through its Python API, with this course's configuration."""

import contextlib
import copy
import logging
import re
import warnings
from collections.abc import Iterator, Mapping
from typing import Any

from alembic.script import ScriptDirectory
from nbgrader.api import Gradebook
from nbgrader.apps import NbGraderAPI
from nbgrader.coursedir import CourseDirectory
from nbgrader.dbutil import ALEMBIC_DIR
from sqlalchemy import create_engine, inspect, text
from traitlets.config import Config

# What nbgrader logs after the error itself.
_FOLLOW_UPS = ("There was an error processing", "Please see the")


class GradingError(Exception):
    """nbgrader could not do what it was asked for; the message says why."""


def api(config: Config, **directory: str) -> NbGraderAPI:
    """Returns nbgrader's API for a course.

    Args:
        config: The course's configuration; it is left as it is.
        **directory: Settings of nbgrader's `CourseDirectory` that replace the configured ones.
    """
    config = copy.deepcopy(config)
    config.CourseDirectory.update(directory)
    # Everything nbgrader logs is captured and returned; nothing of it belongs on the terminal. The log is this API's
    # own: the usual one is that of the program around it, such as `nbgrader autograde`, which has things to say.
    log = logging.Logger("vaeedu.nbgrader", logging.INFO)
    log.addHandler(logging.NullHandler())
    return NbGraderAPI(coursedir=CourseDirectory(config=config, log=log), config=config, log=log)


@contextlib.contextmanager
def open_gradebook(config: Config) -> Iterator[Gradebook]:
    """Opens a course's gradebook; one that is not there yet is made."""
    directory = config.CourseDirectory
    stamp(directory.db_url)
    with quiet(), Gradebook(directory.db_url, directory.course_id) as gradebook:
        yield gradebook


def stamp(db_url: str) -> None:
    """Writes into a database without tables which version of nbgrader's tables it is about to have.

    nbgrader would do so by running `alembic` as a program, which takes seconds; where it finds a table, it does not.
    """
    engine = create_engine(db_url)
    try:
        with engine.begin() as connection:
            if not inspect(connection).get_table_names():
                version = ScriptDirectory(ALEMBIC_DIR).get_current_head()
                connection.execute(text("CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL)"))
                connection.execute(
                    text("INSERT INTO alembic_version VALUES (:version)"), {"version": version}
                )
    finally:
        engine.dispose()


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
