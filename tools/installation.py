"""The steps that fill a `.venv`; each ends in one line that says what to do when it fails."""

import errno
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import systems

LOG = "vaeedu-setup.log"
MUST_IMPORT = ("torch", "jupyterlab", "vaeedu")
NEEDED_BYTES = int(2.5e9)


class SetupError(Exception):
    """One line for the user: what is wrong, and what to do."""


def make_writable_folder(venv: Path) -> None:
    """Makes the folder, and finds out whether a file can be written in it."""
    probe = venv / ".writable"
    try:
        venv.mkdir(exist_ok=True)
        probe.write_bytes(b"x")
        probe.unlink()
    except OSError as error:
        raise SetupError(f"cannot write in {venv} ({error.strerror}): {_how_to_mend(error, venv)}") from None


def create(venv: Path) -> None:
    """Makes an empty virtual environment of this Python, over whatever is there."""
    free = shutil.disk_usage(venv).free
    if free < NEEDED_BYTES:
        raise SetupError(
            f"the course needs about {NEEDED_BYTES / 1e9:.1f} GB, but {venv.parent} has {free / 1e9:.1f} GB left: "
            "free some space, or move the course to another disk"
        )
    try:
        import ensurepip  # noqa: F401
        import venv as _  # noqa: F401
    except ImportError:
        version = f"{sys.version_info[0]}.{sys.version_info[1]}"
        raise SetupError(
            f"this Python has no venv module: on Debian or Ubuntu run `sudo apt install python{version}-venv`; "
            "elsewhere name a complete Python, as in `make lab PYTHON=/path/to/python3.12`"
        ) from None
    command = [base_python(), "-m", "venv", "--clear", "--prompt", "vaeedu", str(venv)]
    result = subprocess.run(command, capture_output=True, text=True, errors="replace")
    if result.returncode != 0:
        raise SetupError(
            f"`{' '.join(command[1:4])}` failed ({_last_line(result.stdout + result.stderr)}): "
            f"remove {venv}, and if it fails again name another Python, as in `make lab PYTHON=python3.12`"
        )


def base_python() -> str:
    """Returns the Python behind this one: inside an activated .venv, the one it was made from."""
    return getattr(sys, "_base_executable", None) or sys.executable


def install(root: Path, extras: Sequence[str]) -> None:
    """Has pip install the course with its tested versions, showing how far it is."""
    python, log = systems.python_of(root / ".venv"), root / ".venv" / LOG
    command = [str(python), "-m", "pip", "install", "--progress-bar", "off", "--no-input"]
    command += ["-c", "constraints.txt", "-e", f".[{','.join(extras)}]"]
    # A user's `pip config set global.user true` would make pip refuse to install into a virtual environment.
    settings = {**os.environ, "PIP_USER": "0", "PIP_DISABLE_PIP_VERSION_CHECK": "1"}
    with log.open("wb") as output:
        # A process group of its own, so that whatever pip has started can be stopped with it; and the lock goes along.
        pip = subprocess.Popen(
            command,
            cwd=root,
            env=settings,
            stdout=output,
            stderr=subprocess.STDOUT,
            **systems.group_of_its_own(),
        )
        try:
            _watch(pip, log)
        except BaseException:
            systems.stop_group(pip)
            raise
    if pip.returncode != 0:
        text = log.read_text(encoding="utf-8", errors="replace")
        raise SetupError(f"pip could not install the course: {_pip_remedy(text)} (pip's log: {log})")


def verify(root: Path) -> None:
    """Imports the essential packages in the new environment."""
    python = systems.python_of(root / ".venv")
    for module in MUST_IMPORT:
        # From inside .venv: in the course folder `import vaeedu` would succeed without being installed.
        command = [str(python), "-c", f"import {module}"]
        result = subprocess.run(command, cwd=root / ".venv", capture_output=True, text=True, errors="replace")
        if result.returncode != 0:
            raise SetupError(
                f"the installation is broken, `import {module}` fails ({_last_line(result.stderr)}): "
                "run the same command again to build .venv from nothing"
            )


def _watch(pip: subprocess.Popen[bytes], log: Path) -> None:
    """Waits for pip; on a terminal rewrites one line, elsewhere prints a line when a new step begins."""
    begun, shown = time.monotonic(), ""
    terminal = sys.stdout.isatty()
    while True:
        try:
            pip.wait(timeout=0.25)
        except subprocess.TimeoutExpired:
            step, detail = progress(log.read_text(encoding="utf-8", errors="replace"))
            if terminal:
                line = f"[{time.monotonic() - begun:4.0f} s] {step} {detail}"
                width = shutil.get_terminal_size().columns - 1
                print("\r" + line[:width].ljust(width), end="", flush=True)
            elif step != shown:
                print(step, flush=True)
            shown = step
        else:
            break
    if terminal and shown:
        print("\r" + " " * (shutil.get_terminal_size().columns - 1) + "\r", end="", flush=True)


def progress(log: str) -> tuple[str, str]:
    """Returns which step pip is at, and what it works on, from what it has printed."""
    if "Installing collected packages:" in log:
        count = log.rpartition("Installing collected packages:")[2].splitlines()[0].count(",") + 1
        return f"Installing {count} package{'s' if count > 1 else ''}", ""
    found = re.findall(r"^Collecting ([\w.-]+)", log, flags=re.MULTILINE)
    loading = re.findall(
        r"^ *(?:Downloading|Processing|Using cached) (\S+)(?: \((.*)\))?", log, flags=re.MULTILINE
    )
    if not loading:
        return "Looking for packages", ""
    name, size = loading[-1]
    return "Fetching packages", f"({len(found)} so far): {name.rpartition('/')[2]} {size}"


def _how_to_mend(error: OSError, venv: Path) -> str:
    if error.errno in (errno.ENOSPC, getattr(errno, "EDQUOT", None)):
        return "the disk is full, free about 3 GB"
    if error.errno in (errno.EEXIST, errno.ENOTDIR):
        return f"a file is in the way, remove {venv}"
    return "copy the course to a folder of your own, or take back the rights to this one"


def _pip_remedy(log: str) -> str:
    if "No space left on device" in log or "Disk quota exceeded" in log:
        return "the disk is full, free about 3 GB and run the same command again"
    if re.search(
        r"NewConnectionError|NameResolutionError|ConnectTimeout|ProxyError|ReadTimeout|name resolution", log
    ):
        return "the package index cannot be reached, check the network and run the same command again"
    errors = [line for line in log.splitlines() if line.startswith("ERROR:")]
    return f"{errors[-1] if errors else _last_line(log)}; run the same command again, or remove .venv first"


def _last_line(text: str) -> str:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1] if lines else "no message"
