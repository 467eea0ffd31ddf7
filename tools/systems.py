"""What Windows does in another way: where a `.venv` has its programs, how a set-up is alone, and how it is stopped.

Each function takes the system's name, `os.name`, so that what it does on another one can be tried on any.
"""

import hashlib
import os
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any

WINDOWS = "nt"


def python_of(venv: Path, system: str = os.name) -> Path:
    """Returns the Python of a virtual environment."""
    return venv / "Scripts" / "python.exe" if system == WINDOWS else venv / "bin" / "python"


def packages_of(venv: Path, system: str = os.name) -> Path | None:
    """Returns the folder of a virtual environment's packages, or None where there is none."""
    if system == WINDOWS:
        folder = venv / "Lib" / "site-packages"
        return folder if folder.is_dir() else None
    return next((venv / "lib").glob("python3.*/site-packages"), None)


def interpreter_of(venv: Path, system: str = os.name) -> str:
    """Returns the Python that a virtual environment was made with; empty where nobody can tell."""
    if system != WINDOWS:
        return os.path.realpath(python_of(venv, system))
    # There it is a copy, and not a link; what it is a copy of stands in a file.
    try:
        lines = (venv / "pyvenv.cfg").read_text(encoding="utf-8").splitlines()
    except OSError:
        return ""
    values = {name.strip(): value.strip() for name, _, value in (line.partition("=") for line in lines)}
    return os.path.realpath(values["executable"]) if "executable" in values else ""


def stop_like_ctrl_c(signals: ModuleType = signal) -> None:
    """Lets a closed terminal, and whoever ends this program, stop it in the same way as Ctrl-C does."""
    for name in ("SIGTERM", "SIGHUP", "SIGBREAK"):
        if hasattr(signals, name):
            signals.signal(getattr(signals, name), signals.default_int_handler)


def group_of_its_own(system: str = os.name) -> dict[str, Any]:
    """Returns the options of `subprocess.Popen` that make a program, and all it starts, a group to stop at once."""
    if system == WINDOWS:
        return {
            "creationflags": 0x00000200
        }  # CREATE_NEW_PROCESS_GROUP, which only Windows' Python has by name
    return {"process_group": 0, "close_fds": False}  # what it inherits holds the lock


def stop_group(process: "subprocess.Popen[bytes]", system: str = os.name) -> None:
    """Ends a program that was started so, with all it has started, and waits for it."""
    if system == WINDOWS:
        command = ["taskkill", "/T", "/F", "/PID", str(process.pid)]
        subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    else:
        os.killpg(process.pid, signal.SIGTERM)
    process.wait()


@contextmanager
def only_one(root: Path, system: str = os.name) -> Iterator[None]:
    """Holds a lock on the course folder, so that `make lab` and `make test` at once do not build over each other."""
    with (_on_windows if system == WINDOWS else _elsewhere)(root):
        yield


def _waiting() -> None:
    print("Another set-up is at work in this folder: waiting for it.", flush=True)


@contextmanager
def _elsewhere(root: Path) -> Iterator[None]:
    import fcntl

    folder = os.open(root, os.O_RDONLY)
    os.set_inheritable(folder, True)  # a pip that outlives a killed set-up keeps the lock until it has ended
    try:
        try:
            fcntl.flock(folder, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            _waiting()
            fcntl.flock(folder, fcntl.LOCK_EX)
        except OSError:
            pass  # some network file systems have no locks; one user seldom starts two set-ups
        yield
    finally:
        os.close(folder)


@contextmanager
def _on_windows(root: Path) -> Iterator[None]:
    import msvcrt  # type: ignore[import-not-found,unused-ignore]

    # No folder can be opened there, and a file in .venv could not be removed with it.
    name = f"vaeedu-{hashlib.sha256(str(root).encode()).hexdigest()[:16]}.lock"
    told = False
    with Path(tempfile.gettempdir(), name).open("a+b") as file:
        while True:
            file.seek(0)
            try:
                msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)  # type: ignore[attr-defined,unused-ignore]
                break
            except OSError:
                if not told:
                    _waiting()
                told = True
                time.sleep(0.5)
        yield  # whoever ends this program, closes the file, and so unlocks it
