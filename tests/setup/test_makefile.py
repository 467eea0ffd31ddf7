"""The Makefile, and the course itself set up from nothing."""

import os
import re
import shutil
import signal
import subprocess
import time
import urllib.error
import urllib.request

import pytest
from support.tiny import ROOT, give_packages, make, processor_seconds, write_course


def test_make_without_a_target_lists_them_one_line_each():
    result = make(ROOT)
    assert result.returncode == 0
    listed = {line.split()[1] for line in result.stdout.splitlines()}
    assert {"lab", "test", "test-all", "release", "demo-class", "bench", "lint", "format", "clean"} <= listed
    assert all(len(line) <= 100 and len(line.split()) > 3 for line in result.stdout.splitlines())
    assert make(ROOT, "help").stdout == result.stdout


def test_arguments_are_passed_on():
    lab = make(ROOT, "-n", "lab", "LAB_ARGS=--no-browser --port=8899").stdout.splitlines()[-1]
    assert lab.endswith("vaeedu lab --no-browser --port=8899")
    assert make(ROOT, "-n", "test", "PYTEST_ARGS=-k pca").stdout.splitlines()[-1].endswith("-m pytest -k pca")


def test_the_users_own_settings_stay_outside(tmp_path):
    (tmp_path / "show.mk").write_text("show:\n\t@env\n")
    elsewhere = {"PYTHONPATH": "/elsewhere", "JUPYTER_CONFIG_DIR": "/elsewhere"}
    shown = make(tmp_path, "-f", str(ROOT / "Makefile"), "-f", "show.mk", "show", **elsewhere).stdout
    assert "/elsewhere" not in shown
    assert f"JUPYTER_CONFIG_DIR={tmp_path}/.venv/" in shown


def test_clean_removes_caches_and_spares_marks(tmp_path):
    root = tmp_path / "my course"
    for name in (
        ".venv/bin",
        "classroom/submitted/__pycache__",
        "vaeedu/__pycache__",
        "lectures/.ipynb_checkpoints",
    ):
        (root / name).mkdir(parents=True)
    (root / "classroom" / "gradebook.db").touch()
    shutil.copy(ROOT / "Makefile", root)
    assert make(root, "clean").returncode == 0
    left = {str(path.relative_to(root)) for path in root.rglob("*")}
    classroom = {
        "classroom",
        "classroom/submitted",
        "classroom/submitted/__pycache__",
        "classroom/gradebook.db",
    }
    assert left == {"Makefile", "vaeedu", "lectures"} | classroom


def test_make_names_the_target_that_failed_and_stops(tmp_path):
    root = write_course(tmp_path / "my course")
    (root / ".venv").touch()
    result = make(root, "test")
    assert result.returncode != 0
    assert "a file is in the way" in result.stderr.splitlines()[0]
    assert "-m pytest" not in result.stdout


# The course itself, from nothing


def copy_course(root):
    listing = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        check=True,
    )
    for name in filter(None, listing.stdout.decode().split("\0")):
        if (ROOT / name).is_file():  # a file deleted but not yet committed is listed too
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, root / name)
    return root


def assert_it_tests_and_serves_itself(root):
    # Without compiling the thousands of modules of which this loads a few: pip's own settings are passed on.
    lazily = {"PIP_COMPILE": "0"}
    result = make(root, "test", "PYTEST_ARGS=-q vaeedu/__init__.py tests/test_sampling.py", **lazily)
    assert result.returncode == 0, result.stdout + result.stderr
    assert re.search(r"^\d+ passed", result.stdout.splitlines()[-1])
    with processor_seconds() as used:
        assert make(root, "dev").returncode == 0
    assert used() < 2
    assert served_title(root) == "JupyterLab"
    return result.stdout


@pytest.mark.slow
@pytest.mark.full  # .ci/run sets the course up from nothing, wherever there is no .venv yet
@pytest.mark.timeout(1500)
def test_a_fresh_copy_of_the_course_tests_and_serves_itself(tmp_path):
    told = assert_it_tests_and_serves_itself(copy_course(tmp_path / "my course"))
    assert "there is none yet" in told


@pytest.mark.slow
def test_a_copy_with_its_packages_tests_and_serves_itself(tmp_path):
    root = copy_course(tmp_path / "my course")
    give_packages(root)
    told = assert_it_tests_and_serves_itself(root)
    assert "the tools for testing are to be added" in told


def served_title(root):
    """Starts `make lab` and asks it for its first page."""
    arguments = "--no-browser --ServerApp.port=0 --IdentityProvider.token=known"
    command = ["make", "-C", str(root), "lab", f"LAB_ARGS={arguments}"]
    process = subprocess.Popen(
        command, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True, start_new_session=True
    )
    try:
        for line in process.stderr:
            address = re.search(r"http://127\.0\.0\.1:\d+/lab/tree/lectures/00_start_here\.ipynb", line)
            if address:
                page = first_answer(f"{address[0]}?token=known")
                return re.search(r"<title>(.*?)</title>", page)[1]
        return "make lab ended without serving"
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        process.wait(timeout=60)
        process.stderr.close()


def first_answer(address):
    """Returns the page, asking again while nobody listens: the server prints its address a moment before it does."""
    end = time.monotonic() + 60
    while True:
        try:
            with urllib.request.urlopen(address, timeout=60) as page:
                return page.read().decode()
        except urllib.error.URLError as error:
            if not isinstance(error.reason, ConnectionRefusedError) or time.monotonic() > end:
                raise
            time.sleep(0.2)
