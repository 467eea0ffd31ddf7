"""Which Python the course runs on, and what another one says."""

import ast
import os
import re
import shutil
import subprocess
import tomllib
from pathlib import Path

import pytest
import setup_env
from packaging.specifiers import SpecifierSet
from support.tiny import PYTHON, ROOT, one_line

COMPLAINT = (
    "vaeedu needs Python 3.11, 3.12 or 3.13; this is 3.9: "
    "install one and name it, as in `make lab PYTHON=python3.12`"
)


def test_the_supported_pythons_are_those_of_the_package():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    allowed = SpecifierSet(project["requires-python"])
    assert [f"{major}.{minor}" for major, minor in setup_env.SUPPORTED] == [
        f"3.{minor}" for minor in range(30) if f"3.{minor}" in allowed
    ]


def test_setup_env_is_written_for_any_python():
    ast.parse((ROOT / "tools" / "setup_env.py").read_text(encoding="utf-8"), feature_version=(3, 7))


def test_real_old_pythons_say_what_they_lack():
    for python in unsupported_pythons():
        command = [python, str(ROOT / "tools" / "setup_env.py")]
        # PYTHON is set, as by `make lab PYTHON=...`: none other is looked for.
        result = subprocess.run(
            command, env=os.environ | {"PYTHON": python}, capture_output=True, text=True, timeout=60
        )
        assert re.fullmatch(re.escape(COMPLAINT).replace("3\\.9", r"\d\.\d+"), one_line(result))


def unsupported_pythons():
    """Finds what this machine has on the PATH or under pyenv; it may be none."""
    names = ["python2.7", *(f"python3.{minor}" for minor in (*range(4, 11), *range(14, 20)))]
    found = [path for path in map(shutil.which, names) if path]
    if shutil.which("pyenv"):
        root = subprocess.run(["pyenv", "root"], capture_output=True, text=True).stdout.strip()
        found += map(str, Path(root).glob("versions/*/bin/python"))
    probe = f"import sys; sys.exit(sys.version_info[:2] in {setup_env.SUPPORTED})"
    # A pyenv shim is on the PATH even where its version is not switched on, and then fails.
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    return [python for python in found if subprocess.run([python, "-c", probe], **quiet).returncode == 0]


@pytest.fixture
def as_python39(tmp_path):
    """Runs setup_env.py under a Python that says it is 3.9, with only `tmp_path` on the PATH."""
    code = """if True:
        import runpy, sys
        sys.version_info = (3, 9, 18, "final", 0)
        sys.argv = sys.argv[1:]
        runpy.run_path(sys.argv[0], run_name="__main__")
    """
    script = str(ROOT / "tools" / "setup_env.py")

    def run(*arguments, **variables):
        command = [PYTHON, "-c", code, script, *arguments]
        return subprocess.run(
            command, env={"PATH": str(tmp_path)} | variables, capture_output=True, text=True, timeout=60
        )

    return run


def test_a_too_old_python_says_what_it_needs(as_python39):
    assert one_line(as_python39()) == COMPLAINT


def test_a_too_old_python_hands_over_to_one_that_will_do(as_python39, tmp_path):
    (tmp_path / "ensurepip.py").write_text("raise ImportError('as on Debian without python3-venv')")
    scripts = {
        "python3.13": f'PYTHONPATH="{tmp_path}" exec "{PYTHON}" "$@"',  # it runs, but cannot make a .venv
        "python3.12": f'[ "$1" = -c ] && exec "{PYTHON}" "$@"; echo "python3.12 got $2"',
        "python3.11": 'echo "not needed"',
    }
    for name, script in scripts.items():
        (tmp_path / name).write_text(f"#!/bin/sh\n{script}\n")
        (tmp_path / name).chmod(0o755)
    lines = as_python39("--dev").stdout.splitlines()
    assert lines == ["python3 is 3.9 here: using python3.12", "python3.12 got --dev"]
    assert one_line(as_python39(PYTHON="python3")) == COMPLAINT  # the user's word is final
