"""The built packages: lectures run from the wheel, outside the repository, and the source archive has no tests."""

import importlib.metadata
import os
import shutil
import subprocess
import sys
import sysconfig
import tarfile
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from support.project import PROJECT, asked_for
from support.tiny import PYTHON, ROOT

# Run in an empty folder with two lectures: what a hub or Colab does with them.
EXECUTE = """
import sys, nbformat, vaeedu
from nbclient import NotebookClient

assert vaeedu.__file__.startswith(sys.prefix), vaeedu.__file__
for name in sys.argv[1:]:
    notebook = nbformat.read(name, as_version=4)
    NotebookClient(notebook, timeout=600, kernel_name="python3", extra_arguments=["--log-level=ERROR"]).execute()
    print(next(o.text for c in notebook.cells for o in c.get("outputs", []) if o.output_type == "stream"))
"""


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """A wheel and a source archive, made from a copy: setuptools leaves folders behind."""
    copy = tmp_path_factory.mktemp("copy")
    skip = shutil.ignore_patterns("__pycache__")
    for name in ("vaeedu", "vaeedu_grader", "tests"):
        shutil.copytree(ROOT / name, copy / name, ignore=skip)
    for name in ("pyproject.toml", "README.md", "LICENSE", "MANIFEST.in"):
        shutil.copy(ROOT / name, copy)
    program = "from setuptools import build_meta as b; b.build_wheel('dist'); b.build_sdist('dist')"
    made = subprocess.run([sys.executable, "-c", program], cwd=copy, capture_output=True, text=True)
    assert made.returncode == 0, made.stderr
    return copy / "dist"


def needed(extra):
    """The installed packages that an extra of the course needs, and what those need."""
    waiting = [(Requirement(text), "") for text in asked_for(extra)]
    found = {}
    while waiting:
        requirement, asking = waiting.pop()
        if requirement.marker and not requirement.marker.evaluate({"extra": asking}):
            continue
        name = canonicalize_name(requirement.name)
        first = name not in found
        found.setdefault(name, importlib.metadata.distribution(name))
        for extra_of_it in ["", *requirement.extras] if first else requirement.extras:
            waiting += [(Requirement(text), extra_of_it) for text in found[name].requires or ()]
    return found


def link_packages(target, extra):
    """Gives an environment what the extra asks for, and nothing else of what is installed here."""
    here = Path(sysconfig.get_path("purelib"))
    for distribution in needed(extra).values():
        for top in {file.parts[0] for file in distribution.files or () if not file.is_absolute()}:
            if top not in ("..", "__pycache__") and (here / top).exists() and not (target / top).exists():
                (target / top).symlink_to(here / top)


@pytest.mark.slow
def test_lectures_run_from_the_wheel_outside_the_repository(built, tmp_path):
    venv, work = tmp_path / "venv", tmp_path / "work"
    subprocess.run([PYTHON, "-m", "venv", "--without-pip", venv], check=True)
    python = venv / "bin" / "python"
    (packages,) = (venv / "lib").glob("python3.*/site-packages")
    (wheel,) = built.glob("*.whl")
    install = [sys.executable, "-m", "uv", "--no-config", "pip", "install", "--offline", "--no-deps"]
    subprocess.run([*install, "--python", python, wheel], check=True, capture_output=True)
    link_packages(packages, "notebook")
    work.mkdir()
    names = ["00_start_here.ipynb", "02_linear_latent_variable_models.ipynb"]
    for name in names:
        shutil.copy(ROOT / "lectures" / name, work)
    variables = {
        name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "VAEEDU"))
    }
    done = subprocess.run(
        [python, "-c", EXECUTE, *names], cwd=work, env=variables, capture_output=True, text=True, timeout=900
    )
    assert done.returncode == 0, done.stderr[-3000:]
    assert "Everything is in place." in done.stdout
    assert "make" not in done.stdout
    # Whatever shows the notebooks there, it is not this.
    assert subprocess.run([python, "-c", "import nbgrader"], capture_output=True).returncode == 1
    told = subprocess.run(
        [python, "-m", "vaeedu.cli", "lab"], cwd=work, env=variables, capture_output=True, text=True
    )
    assert told.returncode == 2
    assert "JupyterLab must be installed, but is not: pip install jupyterlab" in told.stderr


@pytest.mark.slow
def test_the_source_archive_has_the_packages_and_no_tests(built):
    (archive,) = built.glob("*.tar.gz")
    with tarfile.open(archive) as opened:
        names = {name.partition("/")[2] for name in opened.getnames()}
    for path in [*(ROOT / "vaeedu").rglob("*"), *(ROOT / "vaeedu_grader").rglob("*")]:
        if path.is_file() and "__pycache__" not in path.parts:
            assert path.relative_to(ROOT).as_posix() in names
    assert {"pyproject.toml", "LICENSE", "README.md"} <= names
    assert not {name for name in names if name.partition("/")[0] == "tests"}


def test_the_course_builds_on_what_notebooks_need():
    assert f"{PROJECT['name']}[notebook]" in PROJECT["optional-dependencies"]["course"]
    assert {"jupyterlab", "nbgrader", "hypothesis"}.isdisjoint(needed("notebook"))
    assert {"torch", "ipywidgets", "nbclient"} <= needed("notebook").keys()
