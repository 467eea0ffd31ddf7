"""Whether there is anything to do: what a class was graded by, and all that came of it, byte for byte as it was left.

Seen without nbgrader, whose import takes longer than the looking. Where a class lies, its configuration says, which
imports nbgrader: where that was is noted in the user's cache, under a hash of all that the configuration can go by.
"""

import contextlib
import hashlib
import json
import os
import stat
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import vaeedu
from vaeedu.files import write_whole
from vaeedu_grader.assignment import Assignment
from vaeedu_grader.gradebook.store import only_writer
from vaeedu_grader.marking.result import VERSION, Result, Settings

_SQLITE = "sqlite:///"
_PRIVATE = 0o600
_KEPT_SECONDS = 30 * 24 * 3600
# What a shell sets for each command, and nothing goes by.
_PASSING = ("_", "COLUMNS", "LINES", "OLDPWD", "PWD", "SHLVL")


class Before:
    """What a class is before it is graded.

    Args:
        assignment: The assignment.
        settings: How it is graded.
    """

    def __init__(self, assignment: Assignment, settings: Settings) -> None:
        self._assignment, self._settings = assignment, settings
        self._where = _where(assignment)  # first: the configuration changes the environment
        self._handed_in = _hash(_handed_in(assignment, assignment.classroom))

    def remember(self, results: Sequence[Result]) -> None:
        """Notes the results, if they are everybody's, and nothing was handed in meanwhile."""
        assignment, settings = self._assignment, self._settings
        url = str(assignment.config.CourseDirectory.db_url)
        whole = settings.students is None and all(result.status != "failed" for result in results)
        if not whole or not url.startswith(_SQLITE):
            return
        room, gradebook = assignment.classroom, Path(url.removeprefix(_SQLITE))
        if _hash(_handed_in(assignment, room)) != self._handed_in:
            return
        note = {
            "state": _state(assignment, settings, room, gradebook),
            "results": [asdict(result) for result in results],
        }
        write_whole(_note(assignment, room), json.dumps(note).encode(), mode=_PRIVATE)
        where = json.dumps({"room": str(room), "gradebook": str(gradebook)})
        with contextlib.suppress(OSError):  # without it, looking takes longer
            write_whole(self._where, where.encode(), mode=_PRIVATE)
            _remove_old(self._where.parent)


def results_of_last_time(
    assignment: Assignment, settings: Settings
) -> Callable[[Callable[[int], object]], Iterator[Result]] | None:
    """Returns what yields the results of the last time, or None if there may be something to do.

    Raises:
        ValueError: Another run is going on.
    """
    if settings.students is not None or settings.again:
        return None
    try:
        where = json.loads(_where(assignment).read_text(encoding="utf-8"))
        room, gradebook = Path(where["room"]), Path(where["gradebook"])
        note = json.loads(_note(assignment, room).read_text(encoding="utf-8"))
        with only_writer(room / "graded"):
            if note["state"] != _state(assignment, settings, room, gradebook):
                return None
        results = [Result(**_tuples(result)) for result in note["results"]]
    except (OSError, LookupError, TypeError, json.JSONDecodeError):
        return None

    def yield_them(begin: Callable[[int], object]) -> Iterator[Result]:
        begin(len(results))
        yield from results

    return yield_them


def _remove_old(folder: Path) -> None:
    """Removes what was noted for surroundings that have not been there for a month."""
    for path in folder.iterdir():
        if path.stat().st_mtime < time.time() - _KEPT_SECONDS:
            path.unlink(missing_ok=True)


def _tuples(result: dict[str, Any]) -> dict[str, Any]:
    return {name: tuple(value) if isinstance(value, list) else value for name, value in result.items()}


def _note(assignment: Assignment, room: Path) -> Path:
    return room / "graded" / f".{assignment.name}"


def _where(assignment: Assignment) -> Path:
    """Where the class's folder is noted; the name is a hash of what decides which folder that is."""
    total = hashlib.sha256((assignment.course / "nbgrader_config.py").read_bytes())
    surroundings = {name: value for name, value in os.environ.items() if name not in _PASSING}
    total.update(json.dumps([str(assignment.course), sorted(surroundings.items())]).encode())
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return cache / "vaeedu" / "classes" / total.hexdigest()[:32]


def _state(assignment: Assignment, settings: Settings, room: Path, gradebook: Path) -> str:
    """A hash of everything that grading reads and writes."""
    how = [VERSION, vaeedu.__version__, sys.version, settings.unsafe, sorted(settings.limits)]
    places = [
        *_handed_in(assignment, room),
        *room.glob(f"autograded/*/{assignment.name}"),
        room / "graded" / assignment.name,
        room / "graded" / ".secret",
        room / "released" / assignment.name,
        assignment.source.parent,
        assignment.described,
        assignment.course / "nbgrader_config.py",
        gradebook,
    ]
    return _hash(places, json.dumps(how))


def _handed_in(assignment: Assignment, room: Path) -> list[Path]:
    return list(room.glob(f"submitted/*/{assignment.name}"))


def _hash(places: Sequence[Path], more: str = "") -> str:
    """A hash of files and of all that is below folders; of what is neither, only of what it is."""
    total = hashlib.sha256(more.encode())
    for place in sorted(places):
        paths = [place, *sorted(place.rglob("*"))] if place.is_dir() and not place.is_symlink() else [place]
        for path in paths:
            total.update(os.fsencode(path) + b"\0")
            try:
                kind = path.lstat().st_mode
            except FileNotFoundError:
                continue
            total.update(str(kind).encode() + b"\0")
            if stat.S_ISREG(kind):
                total.update(hashlib.sha256(path.read_bytes()).digest())
            elif stat.S_ISLNK(kind):
                total.update(os.fsencode(os.readlink(path)))
    return total.hexdigest()
