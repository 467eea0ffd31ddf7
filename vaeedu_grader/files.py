"""Putting a folder in the place of another: the new one as a whole, or the old one as it was."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def replaced_folder(target: Path) -> Iterator[Path]:
    """Gives an empty folder to fill, and then puts it where `target` is; any failure leaves what is there."""
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f".{target.name}-", dir=target.parent) as beside:
        new, old = Path(beside, "new"), Path(beside, "old")
        new.mkdir()
        yield new
        if os.path.lexists(target):
            target.rename(old)
        try:
            new.rename(target)
        except BaseException:
            if os.path.lexists(old):
                old.rename(target)
            raise
