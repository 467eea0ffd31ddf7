"""A tiny course for trying the set-up on: real virtual environments and real pip, but no network.

It has the course's own tools/ and Makefile, and needs three packages of a few lines each, which are built here.
"""

import os
import resource
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import environment
import installation

ROOT = Path(__file__).resolve().parents[2]
PYTHON = installation.base_python()
STAMP = environment.STAMP

# A course that asks for three packages, of which the tests make wheels.
PYPROJECT = """\
[build-system]
requires = []
build-backend = "backend"
backend-path = ["."]

[project]
name = "vaeedu"
version = "0.1.0"
dependencies = ["torch>=2"]

[project.optional-dependencies]
course = ["jupyterlab>=4,<5"]
dev = ["pytest>=8"]
"""

# The least that pip accepts as a build backend: an editable wheel is a .pth file and some metadata.
BACKEND = '''\
import os, time, zipfile

METADATA = """Metadata-Version: 2.1
Name: vaeedu
Version: 0.1.0
Requires-Dist: torch>=2
Provides-Extra: course
Requires-Dist: jupyterlab<5,>=4; extra == "course"
Provides-Extra: dev
Requires-Dist: pytest>=8; extra == "dev"
"""
WHEEL = """Wheel-Version: 1.0
Generator: test
Root-Is-Purelib: true
Tag: py3-none-any
"""

def build_editable(folder, config_settings=None, metadata_directory=None):
    if os.path.exists("hang"):
        with open("hanging.new", "w") as file:
            file.write(str(os.getpgid(0)))
        os.rename("hanging.new", "hanging")
        time.sleep(600)
    name = "vaeedu-0.1.0-py3-none-any.whl"
    with zipfile.ZipFile(os.path.join(folder, name), "w") as wheel:
        wheel.writestr("vaeedu.pth", os.getcwd() + "\\n")
        wheel.writestr("vaeedu-0.1.0.dist-info/METADATA", METADATA)
        wheel.writestr("vaeedu-0.1.0.dist-info/WHEEL", WHEEL)
        wheel.writestr("vaeedu-0.1.0.dist-info/RECORD", "")
    return name

build_wheel = build_editable
'''

# Stands in for the standard library's `venv`: what a real one leaves, copied from one that lies beside this file.
COPYING_VENV = """\
import os, shutil, sys

if __name__ == "__main__":
    template, target = os.path.join(os.path.dirname(__file__), "template"), sys.argv[-1]
    for entry in os.scandir(target) if "--clear" in sys.argv else ():
        shutil.rmtree(entry) if entry.is_dir(follow_symlinks=False) else os.unlink(entry)
    shutil.copytree(template, target, symlinks=True, copy_function=os.link, dirs_exist_ok=True)
"""


def make_wheel(folder, name, version, source=""):
    info = f"{name}-{version}.dist-info"
    with zipfile.ZipFile(folder / f"{name}-{version}-py3-none-any.whl", "w") as wheel:
        wheel.writestr(f"{name}.py", source)
        wheel.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
        wheel.writestr(
            f"{info}/WHEEL", "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        wheel.writestr(f"{info}/RECORD", "")


def write_course(root):
    root.mkdir(parents=True)
    shutil.copytree(ROOT / "tools", root / "tools", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "Makefile", root)
    (root / "pyproject.toml").write_text(PYPROJECT)
    (root / "backend.py").write_text(BACKEND)
    (root / "constraints.txt").write_text("jupyterlab==4.0\npytest==8.0\ntorch==2.0\n")
    shutil.copytree(ROOT / "vaeedu" / "cli" / "jupyter", root / "vaeedu" / "cli" / "jupyter")
    (root / "vaeedu" / "__init__.py").touch()
    return root


def give_packages(root):
    """Gives a copy of the course this environment's packages, all but the course itself: a `.venv` set up for reading.

    Packages are linked, since pip changes no file in place; what the set-up writes itself is copied.
    """

    def link(source, target):
        if "/site-packages/" in source:
            with suppress(OSError):  # another file system
                return os.link(source, target)
        return shutil.copy2(source, target)

    without = shutil.ignore_patterns("*vaeedu*")
    shutil.copytree(sys.prefix, root / ".venv", symlinks=True, ignore=without, copy_function=link)
    environment.write_stamp(root, "course")


def packages(root):
    (folder,) = (root / ".venv" / "lib").glob("python3.*/site-packages")
    return folder


def one_line(result):
    """The single line on stderr of a set-up that refused, after checking that it left no stamp to trust."""
    assert result.returncode == 2, result.stdout + result.stderr
    (line,) = result.stderr.splitlines()
    return line


def imports(root, *names):
    command = [root / ".venv" / "bin" / "python", "-c", f"import {', '.join(names)}"]
    return subprocess.run(command, cwd=root / ".venv", capture_output=True).returncode == 0


def make(folder, *arguments, **variables):
    inherited = {
        name: value for name, value in os.environ.items() if not name.startswith("MAKE") and name != "PYTHON"
    }
    command = ["make", "-C", str(folder), "--no-print-directory", *arguments]
    return subprocess.run(command, env=inherited | variables, capture_output=True, text=True, timeout=600)


@contextmanager
def processor_seconds() -> Iterator[Callable[[], float]]:
    """Tells how much processor time the programs took that ended meanwhile: a busy machine adds nothing to it."""

    def used() -> float:
        usage = resource.getrusage(resource.RUSAGE_CHILDREN)
        return usage.ru_utime + usage.ru_stime

    before = used()
    yield lambda: used() - before
