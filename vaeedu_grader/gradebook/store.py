"""What `vaeedu grade` keeps beside the gradebook: the course's secret, and an outcome for each submission."""

import contextlib
import hashlib
import hmac
import json
import secrets
from collections.abc import Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

from vaeedu.files import write_whole
from vaeedu_grader.assignment import Assignment

_SECRET_BYTES = 32
_PRIVATE = 0o600


class Store:
    """The outcomes of one assignment of one class.

    Args:
        assignment: The assignment.
    """

    def __init__(self, assignment: Assignment) -> None:
        self._name, self._folder = assignment.name, assignment.classroom / "graded"

    def seed(self, digest: str) -> str:
        """Returns what a submission's fresh inputs are drawn from: an HMAC of its hash, under the class's secret."""
        return hmac.digest(self._secret(), f"{self._name}/{digest}".encode(), "sha256").hex()

    def outcome(self, student: str) -> dict[str, Any] | None:
        """Returns a student's latest outcome, or None if there is none that can be read."""
        try:
            value = json.loads(self._path(student).read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return None
        return value if isinstance(value, dict) else None

    def students(self) -> list[str]:
        """Returns everybody who has an outcome, in alphabetical order."""
        return sorted(path.stem for path in (self._folder / self._name).glob("*.json"))

    def save(self, outcome: dict[str, Any]) -> None:
        """Keeps an outcome in the place of the student's earlier one, in one step."""
        data = json.dumps(outcome, ensure_ascii=False).encode()
        write_whole(self._path(outcome["student"]), data, mode=_PRIVATE)

    def set_merged(self, outcome: dict[str, Any], digest: str) -> None:
        """Notes that the gradebook has this outcome."""
        note = json.dumps({"key": outcome["key"], "digest": digest}).encode()
        write_whole(self._path(outcome["student"], ".merged"), note, mode=_PRIVATE)

    def merged(self, student: str) -> dict[str, str]:
        """Returns the key and the submission's hash of what the gradebook has; empty if it has nothing."""
        try:
            value = json.loads(self._path(student, ".merged").read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return {}
        return value if isinstance(value, dict) else {}

    def only_writer(self) -> AbstractContextManager[None]:
        """Keeps another `vaeedu grade` from writing to the same class at the same time.

        Raises:
            ValueError: Another one does.
        """
        return only_writer(self._folder)

    def _path(self, student: str, suffix: str = ".json") -> Path:
        return self._folder / self._name / f"{student}{suffix}"

    def _secret(self) -> bytes:
        path = self._folder / ".secret"
        if not path.is_file():
            write_whole(path, secrets.token_hex(_SECRET_BYTES).encode(), mode=_PRIVATE)
        return bytes.fromhex(path.read_text(encoding="ascii"))


@contextlib.contextmanager
def only_writer(folder: Path) -> Iterator[None]:
    """Keeps another `vaeedu grade` from writing to a class's `graded` folder at the same time.

    Raises:
        ValueError: Another one does.
    """
    import fcntl

    folder.mkdir(parents=True, exist_ok=True)
    with (folder / ".lock").open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise ValueError("only one `vaeedu grade` may run at a time, but another one does") from None
        yield


def digest_of(files: dict[str, bytes], rejected: str = "") -> str:
    """Returns a hash of a submission: of all its files, but not of when it came."""
    total = hashlib.sha256(rejected.encode())
    for name in sorted(files.keys() - {"timestamp.txt"}):
        total.update(hashlib.sha256(name.encode("utf-8", "surrogateescape")).digest())
        total.update(hashlib.sha256(files[name]).digest())
    return total.hexdigest()
