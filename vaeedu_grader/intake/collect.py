"""`vaeedu collect`: from a folder, or the zip that a learning platform hands out, to nbgrader's folder of submissions.

Names decide whose a file is. What cannot be told is listed, never guessed. Files are copied as they are; whether they
can be graded is for grading to say. When a file was handed in cannot be told: in a platform's zip, and in what was
unpacked from one, each file has the time of the download. So a time is written down only where somebody says it: a
table of times, or Canvas's mark on what came late.
"""

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from vaeedu_grader.files import replaced_folder
from vaeedu_grader.intake.archive import File, read_source, shown_path
from vaeedu_grader.intake.files import NOTEBOOK

_MOST_NAME_BYTES = 200
# Letters that Unicode does not take for a plain one with a sign, and platforms do.
_PLAIN_LETTERS = str.maketrans(
    {"ø": "o", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "æ": "ae", "œ": "oe", "ı": "i"}
)
# Moodle: "Ada Lovelace_123_assignsubmission_file_"; Canvas: "lovelaceada_LATE_123_456_name.ipynb".
_MOODLE = re.compile(r"(?P<name>.+?)_\d+_assignsubmission_")
_CANVAS = re.compile(r"(?P<name>[^_]+)_(?P<late>late_)?\d+_\d+_(?P<file>.+)", re.IGNORECASE)
_TIMESTAMP = "timestamp.txt"


@dataclass(frozen=True)
class Person:
    """A student, as the roster has it."""

    id: str
    first_name: str = ""
    last_name: str = ""
    email: str = ""
    lms_user_id: str = ""


@dataclass(frozen=True)
class Collected:
    """What was found.

    Attributes:
        files: The files by student, as they lie in the submission's folder.
        problems: What could not be used, with the reason.
        times: When students handed in, in UTC, where it is known.
        late: Those whose files Canvas has marked as late, without a better time.
    """

    files: Mapping[str, tuple[str, ...]]
    problems: tuple[str, ...]
    times: Mapping[str, datetime] = field(default_factory=dict)
    late: tuple[str, ...] = ()


def collect(
    source: Path,
    submitted: Path,
    assignment: str,
    roster: Sequence[Person],
    *,
    times: Mapping[str, datetime] | None = None,
    due: datetime | None = None,
) -> Collected:
    """Copies submissions to where they are graded; a student's earlier files are replaced, others' stay.

    An earlier submission's time (`timestamp.txt`) is replaced with it: by the one in `times`; for a file that Canvas
    marks as late by a second after `due`, which is the least that the mark says; or else by none.

    Args:
        source: A zip or a folder. Below it, a folder or file name begins with a student's id, or is named as Moodle or
            Canvas do. Folders within a submission stay, seen from its notebook.
        submitted: nbgrader's folder of submissions.
        assignment: The assignment's name.
        roster: Who there is.
        times: When students handed in, by id.
        due: When the assignment is due, in UTC, if that is known.

    Raises:
        ValueError: The source is neither a folder nor a zip, or `times` has somebody who is not in the roster.
    """
    times = times or {}
    if strangers := sorted(times.keys() - {person.id for person in roster}):
        raise ValueError(f"times must be of people in the roster, but {strangers[0]!r} is not in it")
    problems: list[str] = []
    found: dict[str, list[_Piece]] = {}
    late: set[str] = set()
    for file in read_source(source, problems):
        people, piece = _owners(file, roster)
        if len(people) != 1:
            which = f"may be of {', '.join(sorted(people))}" if people else "is of nobody in the roster"
            problems.append(f"{shown_path(file.path)} {which}")
            continue
        (student,) = people
        found.setdefault(student, []).append(piece)
        if piece.is_late and student not in times:
            late.add(student)
    known = {student: times[student] for student in found if student in times}
    if due is not None:
        known |= dict.fromkeys(late, due + timedelta(seconds=1))
    files = {}
    for student, pieces in found.items():
        files[student] = _named(student, pieces, assignment, problems)
        _put(submitted / student / assignment, files[student], known.get(student))
    return Collected(
        {s: tuple(sorted(names)) for s, names in sorted(files.items())},
        tuple(problems),
        known,
        tuple(sorted(late)),
    )


def moodle_folders(source: Path, roster: Sequence[Person]) -> dict[str, str]:
    """Returns the folder that each student has in what Moodle hands out, in which it takes feedback back.

    Raises:
        ValueError: The source is neither a folder nor a zip, or has no such folder.
    """
    found: dict[str, str] = {}
    for file in read_source(source, []):
        people, _ = _owners(file, roster)
        folders = [part for part in file.path.parts[:-1] if _MOODLE.match(part)]
        if len(people) == 1 and folders:
            found.setdefault(min(people), folders[0])
    if not found:
        raise ValueError(
            f"{source.name} must be Moodle's zip of submissions, with a folder such as "
            "'Ada Lovelace_123_assignsubmission_file_' for each student, but has none of the roster"
        )
    return found


@dataclass(frozen=True)
class _Piece:
    """A file of somebody's: its folders within what they handed in, its name without a platform's, and its content."""

    file: File
    folders: tuple[str, ...]
    name: str
    is_late: bool


def _owners(file: File, roster: Sequence[Person]) -> tuple[set[str], _Piece]:
    """Whose a file is: of the outermost folder that tells, else of its own name."""
    parts = [unicodedata.normalize("NFC", part) for part in file.path.parts]
    piece = _piece(file, len(parts) - 1)
    for place, part in enumerate(parts):
        exact = {p.id for p in roster if part in (_composed(p.id), f"{_composed(p.id)}{file.path.suffix}")}
        names = {m["name"] for pattern in (_MOODLE, _CANVAS) if (m := pattern.match(part))}
        people = exact or {p.id for p in roster if _keys(p) & {_key(name) for name in names}}
        if people:
            return people, _piece(file, place)
        # A platform's, of somebody unknown: neither an id that it begins with nor what is in it proves anything.
        if names:
            return set(), piece
        # Last, an id with something behind it, the longest that there is: "ada" is not "ada_b".
        begun = [p.id for p in roster if re.match(rf"{re.escape(_composed(p.id))}[_ .-]", part)]
        if begun:
            return {max(begun, key=len)}, _piece(file, place)
    return set(), piece


def _piece(file: File, owner: int) -> _Piece:
    """A file, seen from the folder whose name tells its owner."""
    *folders, name = file.path.parts[owner + 1 :] or file.path.parts[-1:]
    canvas = [_CANVAS.match(part) for part in file.path.parts]
    inside = () if ".." in folders else tuple(_plain(part) for part in folders)
    plain = canvas[-1]["file"] if canvas[-1] and canvas[-1].end() == len(name) else name
    return _Piece(file, inside, _plain(plain), any(match and match["late"] for match in canvas))


def _named(student: str, pieces: Sequence[_Piece], assignment: str, problems: list[str]) -> dict[str, File]:
    """Names a student's files as the notebook sees them: what lies in folders beside it stays in them."""
    notebooks = [piece for piece in pieces if _is_notebook(piece)]
    notebooks.sort(key=lambda piece: (piece.name != f"{assignment}.ipynb", len(piece.folders)))
    base = notebooks[0].folders if notebooks else ()
    found: dict[str, File] = {}
    for piece in pieces:
        is_below = piece.folders[: len(base)] == base and not _is_notebook(piece)
        below = piece.folders[len(base) :] if is_below else ()
        name = "/".join([*below, piece.name])
        if name in found:
            problems.append(
                f"{shown_path(piece.file.path)} is a second {shown_path(name)} of {student}: the first was taken"
            )
        else:
            found[name] = piece.file
    return found


def _is_notebook(piece: _Piece) -> bool:
    return NOTEBOOK.search(piece.name) is not None


def _keys(person: Person) -> set[str]:
    first, last = _key(person.first_name), _key(person.last_name)
    names = {first + last, last + first} if first and last else set()
    return names | {_key(person.id), _key(person.email.partition("@")[0])} - {""}


def _composed(name: str) -> str:
    return unicodedata.normalize("NFC", name)


def _key(name: str) -> str:
    """A name without accents, case, blanks and signs."""
    plain = unicodedata.normalize("NFKD", name.casefold()).translate(_PLAIN_LETTERS)
    return "".join(c for c in plain if c.isalnum())


def _plain(name: str) -> str:
    """A file's or folder's name, fit for any file system."""
    name = re.sub(r"[\x00-\x1f\x7f/\\:*?\"<>|]", "_", name).lstrip(".")
    # File systems count bytes; the end is kept, for it says what kind of file it is.
    return name.encode("utf-8", "ignore")[-_MOST_NAME_BYTES:].decode("utf-8", "ignore") or "file"


def _put(folder: Path, files: Mapping[str, File], time: datetime | None) -> None:
    """Writes a submission in the place of an earlier one; whatever that said about its time is gone with it."""
    with replaced_folder(folder) as new:
        for name, file in files.items():
            (new / name).parent.mkdir(parents=True, exist_ok=True)
            (new / name).write_bytes(file.data)
        if time is not None:
            (new / _TIMESTAMP).write_text(f"{time.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC", encoding="ascii")
