"""Set-ups that run to the end, or are stopped half-way."""

import os
import re
import shutil
import signal
import subprocess
import time

import environment
import pytest
from support.tiny import PYTHON, STAMP, imports, packages, processor_seconds, write_course


def test_a_first_set_up_installs_the_tested_versions(first):
    root, result = first
    assert result.returncode == 0, result.stdout + result.stderr
    assert imports(root, "torch", "jupyterlab", "vaeedu")
    assert environment.installed_version("torch", packages(root)) == "2.0"
    assert environment.installed_version("pytest", packages(root)) is None  # readers need no test tools


def test_it_says_what_it_does_in_a_few_lines(first):
    lines = first[1].stdout.splitlines()
    assert "there is none yet" in lines[0]
    assert re.fullmatch(r"Set up in \d+ s\.", lines[-1])
    assert len(lines) < 8
    assert first[1].stderr == ""


def test_nothing_is_done_twice_and_that_is_quick(finished, run):
    stamp = (finished / ".venv" / STAMP).stat()
    with processor_seconds() as used:
        result = run(finished)
    assert used() < 2
    assert (result.returncode, result.stdout, result.stderr) == (0, "", "")
    assert (finished / ".venv" / STAMP).stat().st_mtime_ns == stamp.st_mtime_ns


def test_test_tools_are_added_and_then_kept(finished, run):
    result = run(finished, "--dev")
    assert "the tools for testing are to be added" in result.stdout
    assert environment.installed_version("pytest", packages(finished)) == "8.0"
    assert run(finished).stdout == ""  # the smaller stage is part of it
    assert environment.installed_version("pytest", packages(finished)) == "8.0"


def test_changed_constraints_are_installed_and_a_local_version_satisfies_them(finished, run):
    (finished / "constraints.txt").write_text("jupyterlab==4.0\npytest==8.0\ntorch==2.1\n")
    assert "the packages to install have changed" in run(finished).stdout
    assert environment.installed_version("torch", packages(finished)) == "2.1+cpu"
    assert run(finished).stdout == ""


def test_a_deleted_package_is_installed_again(finished, run):
    shutil.rmtree(packages(finished) / "torch-2.0.dist-info")
    (packages(finished) / "torch.py").unlink()
    assert "torch is missing" in run(finished).stdout
    assert imports(finished, "torch")


def test_a_half_made_venv_is_built_from_nothing(finished, run):
    (finished / ".venv" / STAMP).unlink()
    (packages(finished) / "left_over.py").touch()
    assert "did not finish" in run(finished).stdout
    assert not (packages(finished) / "left_over.py").exists()
    assert imports(finished, "torch", "vaeedu")
    assert environment.make_plan(finished, "course", False) is None


def test_two_at_once_do_not_build_over_each_other(tmp_path, quick):
    root = write_course(tmp_path / "course")
    command = [PYTHON, str(root / "tools" / "setup_env.py")]
    both = [subprocess.Popen(command, env=quick, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    outputs = [process.communicate(timeout=300)[0] for process in both]
    assert [process.returncode for process in both] == [0, 0]
    assert sum("Set up in" in output for output in outputs) == 1
    assert sum("waiting for it" in output for output in outputs) <= 1
    assert imports(root, "torch", "jupyterlab", "vaeedu")


# Stopped half-way


@pytest.fixture
def hanging(finished, quick):
    """A set-up that is installing other packages, and will for ever; its process, and the group that pip is in."""
    (finished / "constraints.txt").write_text("jupyterlab==4.0\ntorch==2.1\n")
    (finished / "hang").touch()
    command = [PYTHON, str(finished / "tools" / "setup_env.py")]
    process = subprocess.Popen(
        command, env=quick, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    )
    wait_for((finished / "hanging").exists)
    group = int((finished / "hanging").read_text())
    yield process, group
    process.kill()
    process.communicate()
    if group_alive(group):
        os.killpg(group, signal.SIGKILL)


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_stopped_set_up_leaves_no_stamp_and_no_pip(finished, hanging, number):
    process, group = hanging
    assert group_alive(group)
    process.send_signal(number)
    _, stderr = process.communicate(timeout=30)
    assert process.returncode == 130
    assert stderr.strip() == "set-up interrupted: the next run starts again"
    wait_for(lambda: not group_alive(group))
    assert environment.make_plan(finished, "course", False).why == "the last set-up did not finish"


@pytest.mark.slow
def test_after_a_killed_set_up_the_next_waits_for_its_pip(finished, hanging, quick):
    process, group = hanging
    process.kill()
    process.wait(timeout=30)
    assert environment.make_plan(finished, "course", False).action == "rebuild"
    (finished / "hang").unlink()
    command = [PYTHON, "-u", str(finished / "tools" / "setup_env.py")]
    following = subprocess.Popen(command, env=quick, stdout=subprocess.PIPE, text=True)
    assert "waiting for it" in following.stdout.readline()
    os.killpg(group, signal.SIGKILL)
    output, _ = following.communicate(timeout=300)
    assert following.returncode == 0, output
    assert environment.make_plan(finished, "course", False) is None


def wait_for(condition, seconds=60):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.05)


def group_alive(group):
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    return True
