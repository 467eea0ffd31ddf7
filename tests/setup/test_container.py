"""The container's files fit together, and the script behind them does what they ask of it."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from support import tiny

ROOT = Path(__file__).resolve().parents[2]
SCRIPT = ROOT / "tools" / "container_setup.sh"
DOCKERFILE = (ROOT / "Dockerfile").read_text(encoding="utf-8")
STAGES = dict(re.findall(r"^FROM (\S+) AS (\w+)$", DOCKERFILE, flags=re.MULTILINE))


def run(*arguments, script=SCRIPT, **settings):
    return subprocess.run([script, *arguments], capture_output=True, text=True, check=False, **settings)


@pytest.fixture
def programs(tmp_path):
    """A folder of programs that only say how they were called, in place of those of the machine."""
    folder = tmp_path / "programs"
    folder.mkdir()

    def add(name):
        (folder / name).write_text(f'#!/bin/sh\necho {name} "$@" $PIP_FIND_LINKS\n')
        (folder / name).chmod(0o755)

    for name in ("apt-get", "rm", "python3"):
        add(name)
    for name in ("bash", "dirname", "env", "sh"):
        (folder / name).symlink_to(shutil.which(name))
    return folder, add


@pytest.mark.parametrize("arguments", [(), ("packages",), ("packages", "cook"), ("course", "now")])
def test_what_it_does_not_know_it_refuses(arguments):
    done = run(*arguments)
    expected = "expected 'packages read', 'packages grade' or 'course', got '" + " ".join(arguments) + "'"
    assert (done.returncode, done.stderr) == (2, f"container_setup.sh: {expected}\n")


@pytest.mark.parametrize(
    ("purpose", "wanted"), [("read", ["git", "make"]), ("grade", ["git", "make", "bubblewrap"])]
)
def test_packages_are_installed_where_they_are_missing(programs, purpose, wanted):
    folder, add = programs
    asked = run("packages", purpose, env={"PATH": str(folder)})
    assert asked.returncode == 0, asked.stderr
    assert asked.stdout.splitlines()[1].split()[-len(wanted) - 1 :] == ["--no-install-recommends", *wanted]
    for name in ("git", "make", "bwrap"):
        add(name)
    assert run("packages", purpose, env={"PATH": str(folder)}).stdout == ""


def test_pytorch_comes_without_cuda_unless_another_place_is_named(programs):
    folder, _ = programs
    usual = run("course", env={"PATH": str(folder)}).stdout
    assert usual == "python3 tools/setup_env.py https://download.pytorch.org/whl/cpu/torch/\n"
    other = run("course", env={"PATH": str(folder), "PIP_FIND_LINKS": "/wheels"}).stdout
    assert other == "python3 tools/setup_env.py /wheels\n"


def test_a_clean_folder_becomes_a_course(tmp_path, quick):
    """With a tiny course's packages; the image has the same three lines, and another index."""
    root = tiny.write_course(tmp_path / "course")
    script = shutil.copy(SCRIPT, root / "tools")
    done = run("course", script=script, env=quick, cwd=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    shown = subprocess.run(
        [root / ".venv/bin/python", "-c", "import torch, vaeedu"], capture_output=True, cwd="/"
    )
    assert shown.returncode == 0, shown.stderr
    assert run("course", script=script, env=quick, cwd=tmp_path).stdout == ""


def test_the_image_asks_for_what_there_is():
    assert list(STAGES.values()) == ["packages", "read", "grade"]
    asked = re.findall(r"container_setup\.sh (packages \w+|course)", DOCKERFILE)
    assert asked == ["packages read", "course", "packages grade"]
    image = next(iter(STAGES))
    version = image.removeprefix("python:").removesuffix("-slim")
    assert f"Programming Language :: Python :: {version}" in (ROOT / "pyproject.toml").read_text(
        encoding="utf-8"
    )
    for source in re.findall(r"^COPY (?:--\S+ )?(\S+) ", DOCKERFILE, flags=re.MULTILINE):
        assert (ROOT / source).exists()
    assert os.access(SCRIPT, os.X_OK)


def test_the_image_holds_no_class_and_no_history():
    ignored = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    assert {".git", ".venv", "classroom", "progress*.json"} <= set(ignored)
    needed = (
        "pyproject.toml",
        "constraints.txt",
        "README.md",
        "LICENSE",
        "Makefile",
        "vaeedu",
        "tools",
        "lectures",
    )
    assert not set(needed) & set(ignored)


def test_the_development_container_is_the_images_first_stage():
    path = ROOT / ".devcontainer" / "devcontainer.json"
    settings = json.loads(path.read_text(encoding="utf-8"))
    build = settings["build"]
    assert (path.parent / build["dockerfile"]).resolve() == ROOT / "Dockerfile"
    assert (path.parent / build["context"]).resolve() == ROOT
    assert build["target"] in STAGES.values()
    assert f"useradd --create-home --uid 1000 {settings['remoteUser']}" in DOCKERFILE
    program, argument = settings["postCreateCommand"].split()
    assert (ROOT / program, argument) == (SCRIPT, "course")


@pytest.mark.slow
@pytest.mark.full
def test_the_whole_course_in_a_clean_folder(tmp_path):
    """What the image's last step does, with the files that git knows and real packages: some minutes, and 1.6 GB."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True)
    for name in filter(None, listed.stdout.split("\0")):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, tmp_path / name)
    environment = {
        **os.environ,
        "PATH": f"{Path(sys._base_executable).parent}{os.pathsep}{os.environ['PATH']}",
    }
    done = run("course", script=tmp_path / "tools" / SCRIPT.name, env=environment)
    assert done.returncode == 0, done.stdout + done.stderr
    program = (
        "import torch, vaeedu, vaeedu_grader.pages, jupyterlab; print(vaeedu.__file__, torch.version.cuda)"
    )
    shown = subprocess.run(
        [tmp_path / ".venv/bin/python", "-c", program], cwd="/", capture_output=True, text=True, check=False
    )
    assert shown.stdout == f"{tmp_path / 'vaeedu' / '__init__.py'} None\n", shown.stderr
    shutil.rmtree(tmp_path / ".venv")  # pytest keeps the folders of its last three runs
