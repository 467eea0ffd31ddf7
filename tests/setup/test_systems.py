"""The way without make, and what Windows does in another way, tried here by what stands in for it."""

import argparse
import json
import signal
import subprocess
import sys
import types
from functools import partial
from pathlib import Path

import environment
import pytest
import setup_env
import systems
from support.tiny import PYTHON, ROOT, packages, write_course

from vaeedu_grader.commands.errors import saying_why

POSIX_ONLY = """if True:
    import os, signal, sys
    for name in ("fcntl", "resource", "pwd", "grp", "termios", "pty"):
        sys.modules[name] = None
    for name in ("SIGHUP", "SIGKILL", "SIGALRM", "setitimer"):
        delattr(signal, name)
    for name in ("getuid", "geteuid", "killpg", "fork", "sched_getaffinity", "O_NOFOLLOW", "mkfifo"):
        delattr(os, name)
"""


@pytest.fixture
def windows(monkeypatch):
    """The functions that have another side on Windows, turned to that side; and how often the lock was refused."""
    tried = []

    def locking(number, mode, size):
        tried.append(number)
        if len(tried) < 3:
            raise OSError("held by another")

    monkeypatch.setitem(sys.modules, "msvcrt", types.SimpleNamespace(locking=locking, LK_NBLCK=2))
    monkeypatch.setattr(systems.time, "sleep", lambda seconds: None)
    for name in ("python_of", "packages_of", "interpreter_of", "only_one"):
        monkeypatch.setattr(systems, name, partial(getattr(systems, name), system="nt"))
    return tried


@pytest.fixture
def laid_out(finished):
    """A tiny course whose finished `.venv` has the folders that it has on Windows, too."""
    venv = finished / ".venv"
    (venv / "Scripts").mkdir()
    # No link: what it is a copy of stands in pyvenv.cfg only.
    (venv / "Scripts" / "python.exe").write_text(f'#!/bin/sh\nexec "{venv}/bin/python" "$@"\n')
    (venv / "Scripts" / "python.exe").chmod(0o755)
    (venv / "Lib").mkdir()
    (venv / "Lib" / "site-packages").symlink_to(packages(finished))
    return finished


def test_a_set_up_works_with_windows_folders(laid_out, windows, monkeypatch, offline, capfd):
    for name, value in offline.items():
        monkeypatch.setenv(name, value)
    assert environment.make_plan(laid_out, "course", False) is None
    (laid_out / "constraints.txt").write_text("jupyterlab==4.0\npytest==8.0\ntorch==2.1\n")
    environment.set_up(laid_out, "course", False)
    assert environment.installed_version("torch", packages(laid_out)) == "2.1+cpu"
    assert environment.make_plan(laid_out, "course", False) is None
    told = capfd.readouterr().out
    assert told.count("waiting for it") == 1
    assert len(windows) == 3


def test_a_python_that_has_gone_is_noticed_on_windows(laid_out, windows):
    (laid_out / ".venv" / "pyvenv.cfg").write_text("home = C:\\\\Python312\nexecutable = /gone/python.exe\n")
    plan = environment.make_plan(laid_out, "course", False)
    assert plan[:2] == ("rebuild", "the Python it was made with has gone")
    (laid_out / ".venv" / "pyvenv.cfg").unlink()
    assert environment.make_plan(laid_out, "course", False).action == "rebuild"


def test_nothing_that_only_posix_has_is_needed_on_the_way():
    program = f"""{POSIX_ONLY}
    sys.path[:0] = [{str(ROOT / "tools")!r}]
    import environment, setup_env
    environment.set_up = lambda *arguments: print("set up", *arguments[1:])
    environment.run = lambda root, module: print("run", *module)
    environment.main(["--lab", "--no-browser"], False)
    environment.main(["--check", "07"], False)
    environment.main(["--test", "-k", "pca"], False)
    import vaeedu.cli, vaeedu.cli.reading
    vaeedu.cli.main(["check", "nothing"])
    """
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == [
        "set up course False", "run vaeedu.cli lab --no-browser", "set up course False", "run vaeedu.cli check 07",
        "set up dev False", "run pytest -k pca",
    ]  # fmt: skip
    assert done.stderr.startswith("vaeedu: error: assignment must be one of 01_a_map_of_generative_models")


def test_the_graders_commands_say_in_a_line_that_they_have_no_sandbox_on_windows(monkeypatch):
    ran = []
    with pytest.raises(ValueError, match=r"must run on Linux or macOS, but this is Windows: .* in WSL"):
        saying_why(ran.append, system="nt")(argparse.Namespace())
    assert ran == []


def test_a_student_checks_answers_where_there_is_no_alarm_clock():
    program = f"""{POSIX_ONLY}
    from vaeedu.feedback.run import run_all
    (answer,) = run_all(lambda x: 2 * x, ({{"x": 3.0}},))
    print(float(answer.outputs[0]))
    """
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.stdout == "6.0\n", done.stderr


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (["--lab", "--port", "8899"], ["vaeedu.cli", "lab", "--port", "8899"]),
        (["--check", "07"], ["vaeedu.cli", "check", "07"]),
        (["--test"], ["pytest"]),
        ([], []),
        (["--dev"], []),
    ],
)
def test_what_is_run_after_the_set_up(given, expected, monkeypatch):
    ran = []
    monkeypatch.setattr(environment, "set_up", lambda root, stage, chosen: ran.append(stage))
    monkeypatch.setattr(environment, "run", lambda root, module: ran.append(module) or 3)
    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGHUP)}
    assert environment.main(given, False) == 3
    for number, handler in before.items():
        signal.signal(number, handler)
    assert ran == ["dev" if {"--dev", "--test"} & set(given) else "course", expected]


def test_what_it_does_not_know_is_refused_before_anything_is_installed(monkeypatch, capsys):
    monkeypatch.setattr(environment, "set_up", None)
    for wrong in (["--chekc", "07"], ["--la"], ["--lab", "--test"]):
        with pytest.raises(SystemExit) as stopped:
            environment.main(wrong, False)
        assert stopped.value.code == 2
    assert "unrecognized arguments: --chekc 07" in capsys.readouterr().err


def test_what_is_run_gets_nothing_of_the_users_own_python(tmp_path, monkeypatch):
    root = write_course(tmp_path / "my course")
    (root / ".venv" / "bin").mkdir(parents=True)
    shown = "import json, os, sys; print(json.dumps([sys.argv, os.getcwd(), dict(os.environ)])); sys.exit(7)"
    (root / ".venv" / "bin" / "python").write_text(f"#!/bin/sh\nexec {PYTHON} -c '{shown}' \"$@\" > seen\n")
    (root / ".venv" / "bin" / "python").chmod(0o755)
    monkeypatch.setenv("PYTHONPATH", "/elsewhere")
    handler = signal.getsignal(signal.SIGINT)
    try:
        assert environment.run(root, ["pytest", "-k", "a b"]) == 7
    finally:
        signal.signal(signal.SIGINT, handler)
    arguments, folder, variables = json.loads((root / "seen").read_text())
    assert arguments == ["-c", "-m", "pytest", "-k", "a b"]
    assert folder == str(root)
    assert "PYTHONPATH" not in variables
    assert variables["JUPYTER_CONFIG_DIR"] == str(root / ".venv" / "etc" / "jupyter-user")
    assert environment.run(root, []) == 0


def test_folders_and_groups_on_windows():
    venv = Path("course", ".venv")
    assert systems.python_of(venv, "nt") == venv / "Scripts" / "python.exe"
    assert systems.python_of(venv, "posix") == venv / "bin" / "python"
    assert systems.packages_of(venv, "nt") is None
    assert systems.group_of_its_own("nt") == {"creationflags": 0x200}
    assert "process_group" in systems.group_of_its_own("posix")


def test_a_group_is_ended_by_taskkill_on_windows(monkeypatch):
    ran = []
    monkeypatch.setattr(systems.subprocess, "run", lambda command, **_: ran.append(command))
    systems.stop_group(argparse.Namespace(pid=42, wait=lambda: ran.append("waited")), "nt")
    assert ran == [["taskkill", "/T", "/F", "/PID", "42"], "waited"]


def test_the_signals_that_there_are_stop_it():
    set_up = {}
    windows_has = types.SimpleNamespace(
        SIGTERM=15,
        SIGBREAK=21,
        default_int_handler="stop",
        signal=lambda number, what: set_up.update({number: what}),
    )
    systems.stop_like_ctrl_c(windows_has)
    assert set_up == {15: "stop", 21: "stop"}


def test_the_launcher_of_windows_finds_a_python(monkeypatch):
    asked = []

    def call(command, **_):
        asked.append(command[:2])
        return 0 if command[1] == "-3.12" else 1

    monkeypatch.setattr(setup_env.subprocess, "call", call)
    assert setup_env.find_supported("nt") == ["py", "-3.12"]
    assert asked[0] == ["py", f"-3.{setup_env.SUPPORTED[-1][1]}"]
    assert setup_env.hand_over(["py", "-3.12", "x"], "nt") == 0
    assert setup_env.complaint((3, 9), "nt").endswith("as in `py -3.12 tools/setup_env.py --lab`")
