"""Checkpoints: written whole or not at all, and refused where they are damaged or another run's."""

import hashlib
import io
import os
import time
from datetime import timedelta
from pathlib import Path
from typing import Any

import torch

from vaeedu import require

_FORMAT = "vaeedu checkpoint 1"
# torch.load does not notice a changed byte in a tensor, but ignores what follows its archive: there goes a SHA-256.
_MARK = b"\nsha256:"
_TRAILER = len(_MARK) + 64


class Checkpoint:
    """A file that holds where a run stands.

    It is what `torch.save` writes, tensors in plain containers, followed by a checksum:
    `torch.load(path, weights_only=True)` reads it.

    Args:
        path: The file.
        every: How often it is written: after so many steps, after so much time, or, with None, after every epoch.
        run: What tells this run from others, as names and plain values.

    Raises:
        ValueError: `every` is neither, or not positive, or the path's folder does not exist.
    """

    def __init__(self, path: str | Path, every: int | timedelta | None, run: dict[str, Any]) -> None:
        self._path = Path(path)
        if not self._path.parent.is_dir():
            raise ValueError(
                f"checkpoint must lie in an existing folder, but {self._path.parent} is none: make it"
            )
        if isinstance(every, timedelta):
            require.positive_float("checkpoint_every, in seconds,", every.total_seconds())
        elif every is not None:
            require.positive_int("checkpoint_every", every)
        self._every, self._run = every, run
        self._steps, self._written = 0, time.monotonic()

    @classmethod
    def at(
        cls, path: str | Path | None, every: int | timedelta | None, run: dict[str, Any]
    ) -> "Checkpoint | None":
        """Returns the one that was asked for, or None where none was.

        Raises:
            ValueError: As above, or `every` was given without `path`.
        """
        if path is None and every is not None:
            raise ValueError(
                f"checkpoint_every must be None without checkpoint, but is {every}: name the file as well"
            )
        return None if path is None else cls(path, every, run)

    def is_due(self) -> bool:
        """Counts a step; returns whether it is time to write."""
        self._steps += 1
        if isinstance(self._every, timedelta):
            return time.monotonic() - self._written >= self._every.total_seconds()
        return self._every is not None and self._steps >= self._every

    @property
    def is_due_each_epoch(self) -> bool:
        """Whether it is written after every epoch."""
        return self._every is None

    def save(self, state: dict[str, Any], best: dict[str, Any] | None) -> None:
        """Writes the state, and the best weights so far, in place of what the file held before."""
        buffer = io.BytesIO()
        torch.save({"format": _FORMAT, "run": self._run, "state": state, "best": best}, buffer)
        content = buffer.getvalue()
        fresh = self._path.with_name(self._path.name + ".tmp")
        with fresh.open("wb") as file:
            file.write(content + _MARK + hashlib.sha256(content).hexdigest().encode())
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(self._path)
        self._steps, self._written = 0, time.monotonic()

    def read(self) -> bytes | None:
        """Returns the file's content, or None where there is no file yet."""
        return self._path.read_bytes() if self._path.exists() else None

    def parse(self, content: bytes, like: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any] | None]:
        """Returns the state and the best weights in the file's content.

        Args:
            content: What `read` returned.
            like: A state of the present run, whose weights have the names and shapes that are expected.

        Raises:
            ValueError: The content is damaged, no checkpoint, or one of another run.
        """
        found = _load(content, self._path)
        differing = [
            f"{name} was {found['run'].get(name)!r}, and now is {value!r}"
            for name, value in self._run.items()
            if found["run"].get(name) != value
        ]
        then, now = (_shapes(tree["model"]) for tree in (found["state"], like))
        if then != now:
            names = sorted(name for name in {*then, *now} if then.get(name) != now.get(name))
            differing.append(f"the model had other weights ({', '.join(names[:3])})")
        if differing:
            raise ValueError(
                f"checkpoint {self._path} belongs to another run: {'; '.join(differing)}. "
                "Use the same settings to go on, or another path to start anew"
            )
        return found["state"], found["best"]


def load(path: str | Path) -> dict[str, Any]:
    """Returns the state of the run in a checkpoint.

    Its `"model"` is the last weights, its `"epoch"` how many are done; its `"best"` the best weights, where there was
    patience, or None.

    Raises:
        ValueError: There is no such file, or it is damaged or no checkpoint.
    """
    if not Path(path).is_file():
        raise ValueError(
            f"checkpoint {path} must be a file that fit wrote, but there is none: train the model first"
        )
    found = _load(Path(path).read_bytes(), Path(path))
    return {**found["state"], "best": found["best"]}


def _load(content: bytes, path: Path) -> dict[str, Any]:
    body, trailer = content[:-_TRAILER], content[-_TRAILER:]
    sound = trailer == _MARK + hashlib.sha256(body).hexdigest().encode()
    found = torch.load(io.BytesIO(body), weights_only=True, map_location="cpu") if sound else None
    if not isinstance(found, dict) or found.get("format") != _FORMAT:
        raise ValueError(
            f"checkpoint {path} must be a file that fit wrote, but is damaged or something else: "
            "delete it to start anew, or name another path"
        )
    return found


def _shapes(weights: dict[str, Any]) -> dict[str, tuple[object, object]]:
    return {name: (value.shape, value.dtype) for name, value in weights.items()}
