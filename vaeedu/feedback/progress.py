"""What a reader has tried and passed: one small file in the course's folder. Nothing of it leaves the machine.

A check never fails or speaks because of this file: where it cannot be written, what was tried is known until the kernel
ends.
"""

import contextlib
import itertools
import json
import os
import time
from collections.abc import Iterator
from pathlib import Path

from vaeedu.course import FIRST_PAGE
from vaeedu.files import write_whole

FILE = "progress.json"
TRIED, PASSED = "tried", "passed"
# How long to wait for another kernel that is writing; it takes milliseconds.
_WAIT, _TICK = 1.0, 0.02

# By assignment, the state of each exercise.
Progress = dict[str, dict[str, str]]

# What this process has seen, by exercise, wherever it runs.
_seen: dict[str, str] = {}


def note(folder: Path, exercise: str, *, passed: bool) -> None:
    """Notes that an exercise was tried, and whether its visible tests passed. What was passed once stays passed.

    Args:
        folder: Where the notebook runs. Only in a course's own `assignments/NN_topic` anything is written.
        exercise: The exercise's name.
        passed: Whether all is right.
    """
    _seen[exercise] = _better(_seen.get(exercise), PASSED if passed else TRIED)
    course = folder.parent.parent
    if folder.parent.name == "assignments" and (course / FIRST_PAGE).is_file():
        with contextlib.suppress(OSError):
            _write(course, folder.name, exercise)


def read(course: Path) -> Progress:
    """Returns what is known of a course's exercises; nothing where the file is absent or broken."""
    try:
        return _parsed((course / FILE).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}


def state(course: Path, assignment: str, exercise: str) -> str | None:
    """Returns "passed", "tried", or None for an exercise that nobody has tried."""
    known = read(course).get(assignment, {}).get(exercise)
    here = _seen.get(exercise)
    return known if here is None else _better(known, here)


def _write(course: Path, assignment: str, exercise: str) -> None:
    path = course / FILE
    with _alone(course):
        try:
            known = _parsed(path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            known = {}
        except ValueError:
            path.replace(_free_name(course))
            known = {}
        states = known.setdefault(assignment, {})
        before, now = states.get(exercise), _better(states.get(exercise), _seen[exercise])
        if now != before:
            states[exercise] = now
            write_whole(path, (json.dumps(known, indent=1, sort_keys=True) + "\n").encode())


def _better(a: str | None, b: str) -> str:
    return PASSED if PASSED in (a, b) else TRIED


def _parsed(text: str) -> Progress:
    known = json.loads(text)
    rows = known.values() if isinstance(known, dict) else [None]
    if not all(isinstance(row, dict) and all(v in (TRIED, PASSED) for v in row.values()) for row in rows):
        raise ValueError(f"{FILE} must hold {TRIED} or {PASSED} by assignment and exercise")
    return dict(known)


def _free_name(course: Path) -> Path:
    names = (course / f"progress.broken{n or ''}.json" for n in itertools.count())
    return next(path for path in names if not path.exists())


@contextlib.contextmanager
def _alone(course: Path) -> Iterator[None]:
    """Keeps other kernels from writing meanwhile, where the system can do so."""
    try:
        import fcntl
    except ImportError:  # Windows
        yield
        return
    folder = os.open(course, os.O_RDONLY)
    try:
        end = time.monotonic() + _WAIT
        while time.monotonic() < end:
            with contextlib.suppress(OSError):
                fcntl.flock(folder, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            time.sleep(_TICK)
        yield
    finally:
        os.close(folder)
