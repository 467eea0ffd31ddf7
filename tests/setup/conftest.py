"""Fixtures for trying the set-up on a tiny course (`support.tiny`)."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent
# tools/ is no package: whoever runs its scripts has the folder itself on the path, and so have these tests.
sys.path[:0] = [str(HERE.parents[1] / "tools")]

import environment  # noqa: E402
from support import tiny  # noqa: E402


@pytest.fixture(scope="session")
def wheels(tmp_path_factory):
    folder = tmp_path_factory.mktemp("wheels")
    for name, version in [("torch", "2.0"), ("torch", "2.1+cpu"), ("jupyterlab", "4.0"), ("pytest", "8.0")]:
        tiny.make_wheel(folder, name, version)
    tiny.make_wheel(folder, "torch", "2.2", "raise OSError('libtorch is missing')")
    return folder


@pytest.fixture(scope="session")
def offline(wheels):
    """The environment in which pip finds the test's packages and nothing else."""
    inherited = {
        name: value for name, value in os.environ.items() if not name.startswith(("PIP_", "PYTHON", "MAKE"))
    }
    return inherited | {
        "PIP_CONFIG_FILE": os.devnull,
        "PIP_NO_INDEX": "1",
        "PIP_FIND_LINKS": str(wheels),
        "PIP_NO_CACHE_DIR": "1",
    }


@pytest.fixture(scope="session")
def first(tmp_path_factory, offline):
    """A tiny course just set up, with nothing stood in for, and what that printed. Its path has a space."""
    root = tiny.write_course(tmp_path_factory.mktemp("first") / "my course")
    command = [tiny.PYTHON, str(root / "tools" / "setup_env.py")]
    return root, subprocess.run(command, env=offline, capture_output=True, text=True, timeout=300)


@pytest.fixture(scope="session")
def quick(first, offline, tmp_path_factory):
    """The same environment, in which a new .venv is a copy of the first one, as that was before pip."""
    folder = tmp_path_factory.mktemp("venv")
    new = shutil.ignore_patterns("torch*", "jupyterlab*", "vaeedu*", "etc")
    shutil.copytree(first[0] / ".venv", folder / "template", symlinks=True, ignore=new)
    (folder / "venv.py").write_text(tiny.COPYING_VENV)
    return offline | {"PYTHONPATH": str(folder)}


@pytest.fixture
def run(quick):
    def run(root, *arguments, python=tiny.PYTHON, **changes):
        command = [python, str(root / "tools" / "setup_env.py"), *arguments]
        return subprocess.run(command, env=quick | changes, capture_output=True, text=True, timeout=300)

    return run


@pytest.fixture
def finished(first, tmp_path):
    """A copy of that course for one test to break; only its stamp is told that it moved."""
    root = tmp_path / "copy of it"
    shutil.copytree(first[0], root, symlinks=True, copy_function=_copy_or_link)
    stamp = json.loads((root / ".venv" / environment.STAMP).read_text())
    (root / ".venv" / environment.STAMP).write_text(json.dumps(stamp | {"root": str(root)}))
    assert environment.make_plan(root, "course", False) is None
    return root


def _copy_or_link(source, target):
    """Copies a file, but for pip's own, of which there are many and which no test changes."""
    return (os.link if "/site-packages/pip/" in source else shutil.copy2)(source, target)
