"""The Pythons that this machine has."""

import functools
import os
import shutil
import subprocess
from pathlib import Path


@functools.cache
def pythons_of_this_machine() -> dict[str, str]:
    """Finds those on the PATH, in /usr/bin and under pyenv: their versions, as in 3.11.2, by their paths."""
    path = os.pathsep.join([os.environ.get("PATH", ""), "/usr/bin"])
    names = ["python2.7", *(f"python3.{minor}" for minor in range(4, 20))]
    found = {which for name in names for p in path.split(os.pathsep) if (which := shutil.which(name, path=p))}
    if shutil.which("pyenv"):
        root = subprocess.run(["pyenv", "root"], capture_output=True, text=True).stdout.strip()
        found |= {str(python) for python in Path(root).glob("versions/*/bin/python")}
    # pyenv's shims only lead to what lies under its versions, slowly, or to nothing.
    real = {os.path.realpath(python) for python in found if Path(python).parent.name != "shims"}
    return {python: version for python in sorted(real) if (version := _version(python))}


def _version(python: str) -> str:
    code = "import sys; print('%d.%d.%d' % sys.version_info[:3])"
    return subprocess.run([python, "-S", "-c", code], capture_output=True, text=True).stdout.strip()
