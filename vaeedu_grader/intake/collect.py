"""`vaeedu collect`: from a folder, or the zip that a learning platform hands out, to nbgrader's folder of submissions.

Names decide whose a file is. What cannot be told is listed, never guessed. Files are copied as they are; whether they
can be graded is for grading to say. When a file was handed in cannot be told: in a platform's zip, and in what was
unpacked from one, each file has the time of the download. So no time is written down, and nobody is late by one.
"""

import lzma
import os
import re
import stat
import unicodedata
import zipfile
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from vaeedu_grader.files import replaced_folder
from vaeedu_grader.intake.files import KINDS, MOST_BYTES

_MOST_ENTRIES, _MOST_NAME_BYTES = 100_000, 200
# What unpacking a damaged or unusual entry may raise.
_DAMAGED = (
    zipfile.BadZipFile, NotImplementedError, OSError, EOFError, ValueError, zlib.error, lzma.LZMAError
)  # fmt: skip
# Moodle: "Ada Lovelace_123_assignsubmission_file_"; Canvas: "lovelaceada_LATE_123_456_name.ipynb".
# Letters that Unicode does not take for a plain one with a sign, and platforms do.
_PLAIN_LETTERS = str.maketrans(
    {"ø": "o", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "æ": "ae", "œ": "oe", "ı": "i"}
)
_MOODLE = re.compile(r"(?P<name>.+?)_\d+_assignsubmission_")
_CANVAS = re.compile(r"(?P<name>[^_]+)_(?:late_)?\d+_\d+_(?P<file>.+)", re.IGNORECASE)


@dataclass(frozen=True)
class Person:
    """A student, as the roster has it."""

    id: str
    first_name: str = ""
    last_name: str = ""
    email: str = ""


@dataclass(frozen=True)
class Collected:
    """What was found: the files by student, and what could not be used, with the reason."""

    files: Mapping[str, tuple[str, ...]]
    problems: tuple[str, ...]


@dataclass(frozen=True)
class _File:
    path: PurePosixPath
    data: bytes


def collect(source: Path, submitted: Path, assignment: str, roster: Sequence[Person]) -> Collected:
    """Copies submissions to where they are graded; a student's earlier files are replaced, others' stay.

    An earlier submission's time (`timestamp.txt`) is replaced with it, by none.

    Args:
        source: A zip or a folder. Below it, a folder or file name begins with a student's id, or is named as Moodle or
            Canvas do.
        submitted: nbgrader's folder of submissions.
        assignment: The assignment's name.
        roster: Who there is.

    Raises:
        ValueError: The source is neither a folder nor a zip.
    """
    problems: list[str] = []
    found: dict[str, dict[str, _File]] = {}
    for file in _files(source, problems):
        people = _owners(file.path, roster)
        if len(people) != 1:
            which = f"may be of {', '.join(sorted(people))}" if people else "is of nobody in the roster"
            problems.append(f"{_shown(file.path)} {which}")
            continue
        (student,) = people
        name = _plain_name(file.path)
        if name in found.setdefault(student, {}):
            problems.append(
                f"{_shown(file.path)} is a second {_shown(name)} of {student}: the first was taken"
            )
        else:
            found[student][name] = file
    for student, files in found.items():
        _put(submitted / student / assignment, files)
    return Collected({s: tuple(sorted(files)) for s, files in sorted(found.items())}, tuple(problems))


def _files(source: Path, problems: list[str]) -> Iterator[_File]:
    if source.is_dir():
        yield from _files_of_folder(source, problems)
    elif zipfile.is_zipfile(source):
        yield from _files_of_zip(source, problems)
    else:
        raise ValueError(f"source must be a folder or a zip, but {source} is neither")


def _files_of_folder(source: Path, problems: list[str]) -> Iterator[_File]:
    for folder, _, names in sorted(os.walk(source)):
        for name in sorted(names):
            path = Path(folder, name)
            relative = PurePosixPath(path.relative_to(source).as_posix())
            status = path.lstat()
            if not stat.S_ISREG(status.st_mode):
                problems.append(f"{_shown(relative)} is no file: left out")
            elif _is_usable(relative, status.st_size, problems):
                yield _File(relative, path.read_bytes())


def _files_of_zip(source: Path, problems: list[str]) -> Iterator[_File]:
    with zipfile.ZipFile(source) as archive:
        entries = archive.infolist()
        if len(entries) > _MOST_ENTRIES:
            raise ValueError(f"source may hold {_MOST_ENTRIES} files at most, but holds {len(entries)}")
        for entry in entries:
            path, mode = PurePosixPath(entry.filename.replace("\\", "/")), entry.external_attr >> 16
            if entry.is_dir():
                continue
            if mode and stat.S_IFMT(mode) not in (0, stat.S_IFREG):
                problems.append(f"{_shown(path)} is no file: left out")
            elif entry.flag_bits & 1:
                problems.append(f"{_shown(path)} is encrypted: left out")
            elif _is_usable(path, entry.file_size, problems):
                try:
                    with archive.open(entry) as file:
                        data = file.read(MOST_BYTES + 1)  # whatever size the entry says it has
                except _DAMAGED as error:
                    problems.append(f"{_shown(path)} cannot be unpacked: {type(error).__name__}")
                    continue
                if _is_usable(path, len(data), problems):
                    yield _File(path, data)


def _is_usable(path: PurePosixPath, size: int, problems: list[str]) -> bool:
    if path.suffix.lower() not in KINDS or path.name == "timestamp.txt":
        problems.append(f"{_shown(path)} is of a kind that is not graded: left out")
        return False
    if size > MOST_BYTES:
        problems.append(f"{_shown(path)} is larger than {MOST_BYTES // 2**20} MiB: left out")
        return False
    return True


def _owners(path: PurePosixPath, roster: Sequence[Person]) -> set[str]:
    """Whose a file is: of the outermost folder that tells, else of its own name."""
    for part in path.parts:
        exact = {person.id for person in roster if part in (person.id, f"{person.id}{path.suffix}")}
        names = {m["name"] for pattern in (_MOODLE, _CANVAS) if (m := pattern.match(part))}
        people = exact or {p.id for p in roster if _keys(p) & {_key(name) for name in names}}
        # Last, an id with something behind it, the longest that there is: "ada" is not "ada_b".
        begun = [p.id for p in roster if re.match(rf"{re.escape(p.id)}[_ .-]", part)]
        if people or begun:
            return people or {max(begun, key=len)}
        if (
            names
        ):  # a platform's folder of somebody unknown: what its owner calls the files in it proves nothing
            return set()
    return set()


def _keys(person: Person) -> set[str]:
    first, last = _key(person.first_name), _key(person.last_name)
    names = {first + last, last + first} if first and last else set()
    return names | {_key(person.id), _key(person.email.partition("@")[0])} - {""}


def _key(name: str) -> str:
    """A name without accents, case, blanks and signs."""
    plain = unicodedata.normalize("NFKD", name.casefold()).translate(_PLAIN_LETTERS)
    return "".join(c for c in plain if c.isalnum())


def _plain_name(path: PurePosixPath) -> str:
    """A file's name without what a platform has put in front of it, fit for any file system."""
    canvas = _CANVAS.fullmatch(path.name)
    name = canvas["file"] if canvas else path.name
    name = re.sub(r"[\x00-\x1f\x7f/\\:*?\"<>|]", "_", name).lstrip(".")
    # File systems count bytes; the end is kept, for it says what kind of file it is.
    return name.encode("utf-8", "ignore")[-_MOST_NAME_BYTES:].decode("utf-8", "ignore") or "file"


def _put(folder: Path, files: Mapping[str, _File]) -> None:
    """Writes a submission in the place of an earlier one; whatever that said about its time is gone with it."""
    with replaced_folder(folder) as new:
        for name, file in files.items():
            (new / name).write_bytes(file.data)


def _shown(path: PurePosixPath | str) -> str:
    return re.sub(r"[^\w .,()+=@~/-]", "?", str(path))[-120:]
