"""INTERIM stand-in until the vetting module arrives: same names."""

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any


class Rejected(Exception):  # noqa: N818
    """A submission that cannot be graded; the message says why."""


@dataclass(frozen=True)
class Taken:
    """A submitted notebook, and what the instructor should know about it."""

    notebook: dict[str, Any]
    notes: tuple[str, ...]


def read_files(folder: Path) -> dict[str, bytes]:
    """Reads regular files."""
    found = {}
    for entry in sorted(os.scandir(folder), key=lambda e: e.name):
        if not entry.is_file(follow_symlinks=False):
            raise Rejected(f"{entry.name} is no regular file")
        found[entry.name] = Path(entry.path).read_bytes()
    return found


def take_notebook(files: Mapping[str, bytes], assignment: str) -> Taken:
    """Finds the notebook."""
    name, notes = f"{assignment}.ipynb", ()
    if name not in files:
        others = sorted(other for other in files if other.endswith(".ipynb"))
        if len(others) != 1:
            raise Rejected(f"there must be a notebook {name}, but there is {', '.join(others) or 'none'}")
        notes = (f"renamed to {others[0]}, taken as {name}",)
        name = others[0]
    try:
        notebook = json.loads(files[name])
    except ValueError:
        raise Rejected(f"{name} must be a notebook, but cannot be read") from None
    return Taken(notebook, notes)
