"""`vaeedu lab`, `vaeedu check` and `vaeedu completion`, inside the course and outside it."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from support.handed_in import put

from vaeedu import cli, course
from vaeedu.cli import reading

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def started(monkeypatch):
    """What JupyterLab would be started with: its arguments, and the variables."""
    from jupyterlab.labapp import LabApp

    before, calls = dict(os.environ), []
    monkeypatch.setattr(LabApp, "launch_instance", lambda argv: calls.append((argv, dict(os.environ))))
    yield calls
    os.environ.clear()
    os.environ.update(before)


def test_lab_opens_the_first_page_from_anywhere_in_the_course(started, monkeypatch):
    monkeypatch.chdir(ROOT / "lectures")
    assert cli.main(["lab", "--no-browser", "--port", "8899"]) == 0
    ((arguments, variables),) = started
    assert f"--ServerApp.root_dir={ROOT}" in arguments
    assert "--LabApp.default_url=/lab/tree/lectures/00_start_here.ipynb" in arguments
    assert arguments[-3:] == ["--no-browser", "--port", "8899"]
    assert variables["JUPYTER_CONFIG_PATH"].split(os.pathsep)[0] == str(reading.SETTINGS)
    assert variables["OMP_WAIT_POLICY"] == "passive"


def test_lab_outside_the_course_opens_the_current_folder(started, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    assert cli.main(["lab"]) == 0
    assert f"--ServerApp.root_dir={tmp_path}" in started[0][0]
    assert "--LabApp.default_url=/lab" in started[0][0]


def test_what_the_user_has_set_stays(tmp_path):
    mine = {"JUPYTER_CONFIG_DIR": "/mine", "JUPYTER_CONFIG_PATH": "/also", "OMP_WAIT_POLICY": "active"}
    changed = reading.jupyter_environment(mine, tmp_path)
    assert changed["JUPYTER_CONFIG_PATH"] == f"{reading.SETTINGS}{os.pathsep}/also"
    assert not {"JUPYTER_CONFIG_DIR", "OMP_WAIT_POLICY"} & changed.keys()


def test_only_the_courses_own_environment_keeps_a_users_settings_out(tmp_path, monkeypatch):
    assert "JUPYTER_CONFIG_DIR" not in reading.jupyter_environment({}, tmp_path)
    monkeypatch.setattr(sys, "prefix", str(tmp_path / ".venv"))
    inside = reading.jupyter_environment({}, tmp_path)
    assert inside["JUPYTER_CONFIG_DIR"] == str(tmp_path / ".venv" / "etc" / "jupyter-user")
    assert "JUPYTER_CONFIG_DIR" not in reading.jupyter_environment({}, None)


def test_only_root_is_allowed_what_root_asks_for(monkeypatch):
    for user, asked in ((0, True), (1000, False)):
        monkeypatch.setattr(os, "geteuid", lambda user=user: user, raising=False)
        assert ("--allow-root" in reading.lab_arguments(None, [])) == asked
    monkeypatch.delattr(os, "geteuid")  # as on Windows
    assert "--allow-root" not in reading.lab_arguments(None, [])


def test_without_jupyterlab_it_says_what_to_do(monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "jupyterlab", None)
    monkeypatch.delitem(sys.modules, "jupyterlab.labapp", raising=False)
    assert cli.main(["lab"]) == 2
    assert "JupyterLab must be installed, but is not: pip install jupyterlab" in capsys.readouterr().err


def test_jupyter_reads_the_settings(monkeypatch):
    """Asked of Jupyter's own readers, with the variables that `vaeedu lab` sets."""
    program = """if True:
        import json
        from jupyter_server.services.config import ConfigManager
        from jupyterlab_server.config import get_page_config
        from jupyterlab_server.settings_utils import _get_overrides
        overrides, error = _get_overrides("/nowhere")
        page = get_page_config([], "/nowhere")
        server = ConfigManager(config_dir_name="").get("jupyter_server_config")
        print(json.dumps([overrides, page, server]))
    """
    variables = {**os.environ, **reading.jupyter_environment({}, None)}
    done = subprocess.run(
        [sys.executable, "-c", program], env=variables, capture_output=True, text=True, check=True
    )
    overrides, page, server = json.loads(done.stdout.splitlines()[-1])
    assert overrides["@jupyterlab/notebook-extension:tracker"]["autoStartDefaultKernel"] is True
    assert "@jupyter/nbgrader:course-list" in page["disabledExtensions"]
    assert server["LabApp"]["check_for_updates_class"] == "jupyterlab.NeverCheckForUpdate"


def test_a_copy_of_the_course_is_found_from_below_and_nowhere_else(tmp_path):
    put(
        tmp_path,
        **{"my copy/lectures/00_start_here.ipynb": "{}", "my copy/assignments/x/y": "", "other/z": ""},
    )
    for inside in ("my copy", "my copy/lectures", "my copy/assignments/x"):
        assert course.folder(tmp_path / inside) == tmp_path / "my copy"
    assert course.folder(tmp_path / "other") is None


def test_check_finds_assignments_from_below(monkeypatch, tmp_path, capsys):
    put(tmp_path, **{"lectures/00_start_here.ipynb": "{}", "assignments/07_vae/07_vae.ipynb": "no notebook"})
    monkeypatch.chdir(tmp_path / "lectures")
    assert cli.main(["check", "7"]) == 2
    assert f"{tmp_path}/assignments/07_vae/07_vae.ipynb must be a notebook, but" in capsys.readouterr().err
    assert cli.main(["check", "8"]) == 2
    assert "assignment must be one of 07_vae, but is '8'" in capsys.readouterr().err


@pytest.mark.parametrize("shell", reading.SHELLS)
def test_completion_knows_the_commands_and_options(shell, capsys):
    assert cli.main(["completion", shell]) == 0
    script = capsys.readouterr().out
    assert all(word in script for word in ("evaluate", "feedback-zip", "late-penalty"))


def test_bash_completes_by_it(capsys, tmp_path):
    cli.main(["completion", "bash"])
    (tmp_path / "script").write_text(capsys.readouterr().out)
    ask = 'source "$0"; COMP_WORDS=(vaeedu ev); COMP_CWORD=1; _shtab_vaeedu; echo "${COMPREPLY[*]}"'
    done = subprocess.run(
        ["bash", "-c", ask, tmp_path / "script"], capture_output=True, text=True, check=False
    )
    assert done.stdout.split() == ["evaluate"], done.stderr
