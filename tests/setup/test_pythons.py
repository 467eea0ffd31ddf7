"""Which Python the course runs on, and what another one says."""

import ast
import os
import re
import subprocess
import tomllib

import pytest
import setup_env
from packaging.specifiers import SpecifierSet
from support.pythons import pythons_of_this_machine
from support.tiny import PYTHON, ROOT, one_line

COMPLAINT = (
    "vaeedu needs Python 3.11, 3.12, 3.13 or 3.14; this is 3.9: "
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
    for python, version in pythons_of_this_machine().items():
        if tuple(map(int, version.split(".")[:2])) in setup_env.SUPPORTED:
            continue
        command = [python, str(ROOT / "tools" / "setup_env.py")]
        # PYTHON is set, as by `make lab PYTHON=...`: none other is looked for.
        result = subprocess.run(
            command, env=os.environ | {"PYTHON": python}, capture_output=True, text=True, timeout=60
        )
        assert re.fullmatch(re.escape(COMPLAINT).replace("3\\.9", r"\d\.\d+"), one_line(result))


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
        "python3.14": "exit 1",  # pyenv's way of saying that it is not there
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
