"""Published files: found on this machine or fetched, and in either case byte for byte what was published.

A file is hashed and used from the same bytes in memory, so nothing that happens on the disk in between matters: other
processes may fetch, replace or remove the same file at the same time.
"""

import hashlib
import os
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

_CONNECT_AND_READ_SECONDS = (10, 60)
_CHUNK_BYTES = 1 << 16


@dataclass(frozen=True)
class PublishedFiles:
    """Files that belong together.

    Attributes:
        folder: What the folder with the files is called.
        sha256: The SHA-256 of each file, by its name, in hexadecimal.
        mirrors: Addresses to which a file's name is appended; tried in this order.
    """

    folder: str
    sha256: Mapping[str, str]
    mirrors: tuple[str, ...]


def read(files: PublishedFiles, name: str) -> bytes:
    """Returns the content of one published file, from the first place that has it.

    The places are the user's own folder `$VAEEDU_DATA/<folder>`, the user cache, and the mirrors. What a mirror sends
    is kept in the cache. A wrong file in the user's own folder is an error, and stays; one in the cache is replaced.

    Args:
        files: Which files.
        name: One of them.

    Returns:
        Its bytes; their SHA-256 is the published one.

    Raises:
        ValueError: The file in `$VAEEDU_DATA` is not the published one.
        OSError: The cache cannot be written to. `ConnectionError`, which is one: no mirror gave the file.

    >>> from unittest import mock
    >>> files = PublishedFiles("greetings", {"hello.txt": hashlib.sha256(b"hello").hexdigest()}, mirrors=())
    >>> with tempfile.TemporaryDirectory() as root, mock.patch.dict(os.environ, VAEEDU_DATA=root):
    ...     (Path(root) / "greetings").mkdir()
    ...     _ = (Path(root) / "greetings" / "hello.txt").write_bytes(b"hello")
    ...     read(files, "hello.txt")
    b'hello'
    """
    own_folder = _own_folder(files)
    if own_folder is not None and (content := _content(own_folder / name)) is not None:
        _refuse_unless_published(files, own_folder / name, content)
        return content
    cached = _cache_folder(files) / name
    content = _content(cached)
    if content is not None:
        if _sha256(content) == files.sha256[name]:
            return content
        cached.unlink(missing_ok=True)
    return _download(files, name)


def on_this_machine(files: PublishedFiles) -> bool:
    """Says whether every file lies in the user's own folder or in the cache; their content is not looked at."""
    folders = [folder for folder in (_own_folder(files), _cache_folder(files)) if folder is not None]
    return all(any((folder / name).is_file() for folder in folders) for name in files.sha256)


def _own_folder(files: PublishedFiles) -> Path | None:
    root = os.environ.get("VAEEDU_DATA")
    return Path(root).expanduser() / files.folder if root else None


def _cache_folder(files: PublishedFiles) -> Path:
    import pooch

    return Path(pooch.os_cache("vaeedu")) / files.folder


def _content(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        return None


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _refuse_unless_published(files: PublishedFiles, path: Path, content: bytes) -> None:
    expected, found = files.sha256[path.name], _sha256(content)
    if found != expected:
        raise ValueError(
            f"{path} must be the published file, with SHA-256 {expected}, but has {len(content)} bytes with SHA-256 "
            f"{found}: replace it, remove it so that it is downloaded, or unset VAEEDU_DATA"
        )


def _download(files: PublishedFiles, name: str) -> bytes:
    import pooch

    downloader = pooch.HTTPDownloader(
        progressbar=True, chunk_size=_CHUNK_BYTES, timeout=_CONNECT_AND_READ_SECONDS
    )
    problems = []
    with _fresh_folder(files) as fresh:
        for mirror in files.mirrors:
            try:
                pooch.retrieve(
                    mirror + name, files.sha256[name], fname=name, path=fresh, downloader=downloader
                )
            except (OSError, ValueError) as error:  # all of requests' errors are OSError
                problems.append(f"{mirror}: {_reason(error)}")
                continue
            content = (Path(fresh) / name).read_bytes()
            # The file appears under its name whole, or not at all.
            os.replace(Path(fresh) / name, _cache_folder(files) / name)
            return content
    raise ConnectionError(f"{_offline(files)}\nno mirror gave {name}: {'; '.join(problems)}")


def _fresh_folder(files: PublishedFiles) -> tempfile.TemporaryDirectory[str]:
    # Inside the cache, because a file moves in one step only within a file system.
    folder = _cache_folder(files)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        return tempfile.TemporaryDirectory(dir=folder, prefix=".download-")
    except OSError as error:
        raise OSError(f"{_offline(files)}\ncannot write to the cache {folder} ({error})") from error


def _reason(error: Exception) -> str:
    from requests.exceptions import ConnectionError, HTTPError, Timeout

    if isinstance(error, HTTPError):
        return str(error).partition(" for url")[0]
    if isinstance(error, Timeout):
        return "no answer in time"
    if isinstance(error, ConnectionError):
        return "no connection"
    if isinstance(error, OSError):
        return f"{type(error).__name__}: {error}"
    return "sent another file than the published one (its SHA-256 differs), which was removed"


def _offline(files: PublishedFiles) -> str:
    return (
        f"without a network, put the files into {_cache_folder(files)}, or into a folder {files.folder} and set "
        f"VAEEDU_DATA to the folder above it\nthe files: {', '.join(files.sha256)}"
    )
