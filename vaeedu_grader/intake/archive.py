"""The files in a folder, or in the zip that a learning platform hands out; what nobody has handed in is left out."""

import lzma
import os
import re
import stat
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from vaeedu_grader.intake.files import KINDS, MOST_BYTES

_MOST_ENTRIES = 100_000
# What unpacking a damaged or unusual entry may raise.
_DAMAGED = (
    zipfile.BadZipFile, NotImplementedError, OSError, EOFError, ValueError, zlib.error, lzma.LZMAError
)  # fmt: skip
# What systems and editors leave beside people's files; nobody has handed it in.
_LEFT_FOLDERS = ("__MACOSX", "__pycache__", ".git", ".ipynb_checkpoints", ".Trash")
_LEFT_FILES = (".DS_Store", "Thumbs.db", "desktop.ini")
_UTF8 = 0x800


@dataclass(frozen=True)
class File:
    """A file that may belong to a submission.

    Attributes:
        path: Where it lies in the folder or zip.
        data: What it holds.
    """

    path: PurePosixPath
    data: bytes


def read_source(source: Path, problems: list[str]) -> Iterator[File]:
    """Gives a folder's or a zip's files, and lists what cannot be used.

    Raises:
        ValueError: The source is neither a folder nor a zip, or holds too many files.
    """
    if source.is_dir():
        yield from _files_of_folder(source, problems)
    elif zipfile.is_zipfile(source):
        yield from _files_of_zip(source, problems)
    else:
        raise ValueError(f"source must be a folder or a zip, but {source} is neither")


def _files_of_folder(source: Path, problems: list[str]) -> Iterator[File]:
    for folder, _, names in sorted(os.walk(source)):
        for name in sorted(names):
            path = Path(folder, name)
            relative = PurePosixPath(path.relative_to(source).as_posix())
            if _is_left_over(relative):
                continue
            status = path.lstat()
            if not stat.S_ISREG(status.st_mode):
                problems.append(f"{shown_path(relative)} is no file: left out")
            elif _is_usable(relative, status.st_size, problems):
                yield File(relative, path.read_bytes())


def _files_of_zip(source: Path, problems: list[str]) -> Iterator[File]:
    with zipfile.ZipFile(source) as archive:
        entries = archive.infolist()
        if len(entries) > _MOST_ENTRIES:
            raise ValueError(f"source may hold {_MOST_ENTRIES} files at most, but holds {len(entries)}")
        for entry in entries:
            path, mode = PurePosixPath(_name(entry).replace("\\", "/")), entry.external_attr >> 16
            if entry.is_dir() or _is_left_over(path):
                continue
            if mode and stat.S_IFMT(mode) not in (0, stat.S_IFREG):
                problems.append(f"{shown_path(path)} is no file: left out")
            elif entry.flag_bits & 1:
                problems.append(f"{shown_path(path)} is encrypted: left out")
            elif _is_usable(path, entry.file_size, problems):
                try:
                    with archive.open(entry) as file:
                        data = file.read(MOST_BYTES + 1)  # whatever size the entry says it has
                except _DAMAGED as error:
                    problems.append(f"{shown_path(path)} cannot be unpacked: {type(error).__name__}")
                    continue
                if _is_usable(path, len(data), problems):
                    yield File(path, data)


def _is_usable(path: PurePosixPath, size: int, problems: list[str]) -> bool:
    if path.suffix.lower() not in KINDS or path.name == "timestamp.txt":
        problems.append(f"{shown_path(path)} is of a kind that is not graded: left out")
        return False
    if size > MOST_BYTES:
        problems.append(f"{shown_path(path)} is larger than {MOST_BYTES // 2**20} MiB: left out")
        return False
    return True


def _name(entry: zipfile.ZipInfo) -> str:
    """An entry's name; many programs write UTF-8 without saying so, which Python then reads as IBM's old code page."""
    if entry.flag_bits & _UTF8:
        return entry.filename
    try:
        return entry.filename.encode("cp437").decode("utf-8")
    except UnicodeError:
        return entry.filename


def _is_left_over(path: PurePosixPath) -> bool:
    return (
        any(part in _LEFT_FOLDERS for part in path.parts[:-1])
        or path.name in _LEFT_FILES
        or path.name.startswith("._")
    )


def shown_path(path: PurePosixPath | str) -> str:
    """A path, as it may be shown in a terminal."""
    return re.sub(r"[^\w .,()+=@~/-]", "?", str(path))[-120:]
