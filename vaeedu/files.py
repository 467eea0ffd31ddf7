"""Writing a file whole or not at all: what was there before stays until the new is complete."""

import os
import secrets
import stat
from pathlib import Path


def write_whole(path: Path, data: bytes, *, mode: int = 0o666) -> None:
    """Writes a file in one step, in place of what is there; a failure leaves that, and nothing else.

    Args:
        path: The file; folders above it are made. A link is followed. What is no regular file, such as `/dev/stdout`,
            is written to as it is, since nothing can take its place.
        data: What the file is to hold.
        mode: Who may read and write it, before the user's own mask; a file that is there opens to nobody else.

    Raises:
        ValueError: The path is a folder.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     write_whole(Path(folder, "made", "a.txt"), b"one")
    ...     write_whole(Path(folder, "made", "a.txt"), b"two")
    ...     [(each.name, each.read_bytes()) for each in Path(folder, "made").iterdir()]
    [('a.txt', b'two')]
    """
    if path.is_dir():
        raise ValueError(f"{path} must be a file, but is a folder: name a file in it")
    if path.exists() and not path.is_file():
        path.write_bytes(data)
        return
    target = path.resolve()
    target.parent.mkdir(parents=True, exist_ok=True)
    fresh = target.with_name(f".{secrets.token_hex(8)}.part")
    try:
        with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as file:
            if target.exists():
                fresh.chmod(stat.S_IMODE(target.stat().st_mode) & mode)
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(target)
    except BaseException:
        fresh.unlink(missing_ok=True)
        raise
