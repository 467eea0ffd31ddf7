"""The way through the course: what each lecture takes and builds on, read from the lectures; and how far you are."""

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from vaeedu.course import folder
from vaeedu.feedback import progress
from vaeedu.feedback.key import read_names
from vaeedu.text import Markdown

_NUMBERS = {"one": 1, "two": 2, "three": 3, "four": 4}
_TITLE = re.compile(r"# (\d+) · (.+)")
_TIME = re.compile(r"\*\*Time\*\*: about (\w+) (minute|hour)s?")
# What a lecture asks to have read ends where it says what else the reader should know.
_READ_FIRST = re.compile(r"\*\*Read first\*\*:(.*?)(?=You need|\n\s*\n|\Z)", re.DOTALL)
_LINK = re.compile(r"\]\((\d\d)_\w+\.ipynb\)")
_HALF_HOUR = 30


@dataclass(frozen=True)
class Lecture:
    """What a lecture's first cell says.

    Attributes:
        number: Its number.
        title: Its title.
        minutes: How long it takes to read and try.
        builds_on: The numbers of the lectures to have read.
        name: The name of its files: `NN_topic`.
    """

    number: int
    title: str
    minutes: int
    builds_on: tuple[int, ...]
    name: str


def lectures(course: Path) -> dict[int, Lecture]:
    """Reads the openings of a course's lectures, by number; without the first page, number 0.

    Raises:
        ValueError: A lecture does not say its title, its time, or what to have read.
    """
    paths = sorted((course / "lectures").glob("[0-9][0-9]_*.ipynb"))
    return {
        found.number: found for path in paths if not path.name.startswith("00") for found in [_read(path)]
    }


def before(number: int, known: dict[int, Lecture]) -> list[int]:
    """Returns all lectures that one builds on, directly or through others, in order.

    >>> known = {n: Lecture(n, "", 60, on, "") for n, on in [(1, ()), (2, (1,)), (3, ()), (4, (2,))]}
    >>> before(4, known)
    [1, 2]
    """
    found: set[int] = set()
    waiting = [number]
    while waiting:
        new = set(known[waiting.pop()].builds_on) - found
        found |= new
        waiting += new
    return sorted(found)


def table(course: Path | None = None) -> Markdown:
    """Makes the table of lectures: time, what each builds on, how long all of that takes, and links.

    Args:
        course: The course's folder; by default the one that the notebook runs in. Outside of it, that is said.
    """
    return _told(_table, course)


def to(number: int, course: Path | None = None) -> Markdown:
    """Says which lectures lead to one, and how long they take.

    Args:
        number: The lecture that you want to understand.
        course: The course's folder; by default the one that the notebook runs in. Outside of it, that is said.

    Raises:
        ValueError: There is no such lecture.
    """
    return _told(partial(_to, number), course)


def done(course: Path | None = None) -> Markdown:
    """Makes the table of what has been passed, exercise by exercise, and says what could come next.

    Args:
        course: The course's folder; by default the one that the notebook runs in. Outside of it, that is said.
    """
    return _told(_done, course)


def _told(text: Callable[[Path], str], course: Path | None) -> Markdown:
    root = folder() if course is None else course
    # A lecture may be opened alone, with the library from its wheel.
    return Markdown(
        "*This notebook runs outside the course's folder: there are no lectures and assignments beside it to show.*"
        if root is None
        else text(root)
    )


def _table(root: Path) -> str:
    known = lectures(root)
    head = [
        "| no. | lecture | time | builds on | time with all of that | do |",
        "|--:|:--|--:|:--|--:|:--|",
    ]
    return "\n".join([*head, *(_row(root, each, known) for each in known.values())])


def _to(number: int, root: Path) -> str:
    known = lectures(root)
    if number not in known:
        raise ValueError(f"number must be that of a lecture, {min(known)} to {max(known)}, but is {number!r}")
    steps = [known[n] for n in [*before(number, known), number]]
    links = " → ".join(f"[{each.number} {each.title}]({each.name}.ipynb)" for each in steps)
    return f"{_hours(sum(each.minutes for each in steps))}: {links}"


def _done(root: Path) -> str:
    noted = progress.read(root)
    known = {path.parent.name: _exercises(path) for path in sorted(root.glob("assignments/*/checks.json"))}
    rows = []
    for name, exercises in known.items():
        states = noted.get(name, {})
        passed = sum(states.get(each) == progress.PASSED for each in exercises)
        tried = sum(states.get(each) == progress.TRIED for each in exercises)
        rows.append(f"| {_linked(root, name)} | {passed} of {len(exercises)} | {tried or ''} |")
    head = ["| assignment | functions passed | others tried |", "|:--|--:|:--|"]
    return "\n".join([*head, *rows, "", _next(root, known, noted)])


def _read(path: Path) -> Lecture:
    text = _text(path, 0)
    title, time, first = _TITLE.match(text), _TIME.search(text), _READ_FIRST.search(text)
    amount = time and (_NUMBERS.get(time[1]) or (int(time[1]) if time[1].isdigit() else None))
    if not title or not time or not amount or not first:
        raise ValueError(
            f"lectures/{path.name} must begin with '# N · Title' and say '**Time**: about N minutes' and "
            "'**Read first**: …', but does not"
        )
    builds_on = sorted({int(number) for number in _LINK.findall(first[1])} - {0})
    minutes = amount * (60 if time[2] == "hour" else 1)
    return Lecture(int(title[1]), title[2].strip(), minutes, tuple(builds_on), path.stem)


def _text(path: Path, place: int) -> str:
    try:
        source = json.loads(path.read_text(encoding="utf-8"))["cells"][place]["source"]
    except (ValueError, LookupError, TypeError) as error:
        raise ValueError(f"{path.name} must be a notebook with cells, but cannot be read: {error}") from error
    return source if isinstance(source, str) else "".join(source)


def _row(course: Path, each: Lecture, known: dict[int, Lecture]) -> str:
    needed = before(each.number, known)
    builds_on = ", ".join(map(str, each.builds_on)) or "–"
    total = _hours(each.minutes + sum(known[n].minutes for n in needed)) if needed else ""
    checks = course / "assignments" / each.name / "checks.json"
    do = f"[exercises]({_address(each.name)})" if checks.is_file() else ""
    lecture = f"[{each.title}]({each.name}.ipynb)"
    return f"| {each.number} | {lecture} | {each.minutes} min | {builds_on} | {total} | {do} |"


def _hours(minutes: int) -> str:
    """Writes a time in hours, to the nearest half.

    >>> _hours(150), _hours(60), _hours(500)
    ('2½ hours', '1 hour', '8½ hours')
    """
    halves = max(1, round(minutes / _HALF_HOUR))
    whole = str(halves // 2 or "")
    return f"{whole}{'½' * (halves % 2)} hour{'s' * (halves > 2)}"


def _address(name: str) -> str:
    """An assignment's address as seen from the lectures."""
    return f"../assignments/{name}/{name}.ipynb"


def _linked(course: Path, name: str) -> str:
    """A link to an assignment; it goes by its file's name where a reader has changed the first cell."""
    try:
        heading = _text(course / "assignments" / name / f"{name}.ipynb", 0).partition("\n")[0]
    except (ValueError, OSError):
        heading = ""
    title = heading.removeprefix("# Assignment ") if heading.startswith("# Assignment ") else name
    return f"[{title}]({_address(name)})"


def _exercises(checks: Path) -> list[str]:
    """The names of an assignment's exercises, as they come in its notebook."""
    notebook = checks.parent / f"{checks.parent.name}.ipynb"
    text = notebook.read_text(encoding="utf-8") if notebook.is_file() else ""
    names = read_names(checks)
    return sorted(names, key=lambda name: (text.find(f'vaeedu.check(\\"{name}\\"'), name))


def _next(course: Path, known: dict[str, list[str]], noted: progress.Progress) -> str:
    """What to do next: the first exercise that is open in an assignment that was begun, else in the first one."""
    open_ones = {
        name: [each for each in exercises if noted.get(name, {}).get(each) != progress.PASSED]
        for name, exercises in known.items()
    }
    open_ones = {name: exercises for name, exercises in open_ones.items() if exercises}
    if not open_ones:
        return "**Every exercise is passed.**" if known else "There are no assignments in this copy."
    begun = [name for name in open_ones if noted.get(name)]
    name = (begun or list(open_ones))[0]
    return f"**Next**: `{open_ones[name][0]}` in {_linked(course, name)}."
