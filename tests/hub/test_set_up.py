"""What a hub's set-up refuses, and what its configuration gives to whom; `test_circle.py` runs all of it."""

import importlib.util
import json
import os
import pwd
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
from traitlets.config import PyFileConfigLoader

HUB = Path(__file__).resolve().parents[2] / "hub"
ME = pwd.getpwuid(os.geteuid())


@pytest.fixture(scope="module")
def set_up():
    spec = importlib.util.spec_from_file_location("hub_set_up", HUB / "set_up.py")
    module = importlib.util.module_from_spec(spec)
    path = list(sys.path)
    spec.loader.exec_module(module)
    sys.path[:] = path
    return module


@pytest.fixture
def configuration(tmp_path, monkeypatch):
    """Loads the hub's configuration for a course of this test's user."""
    (tmp_path / "course").mkdir()
    monkeypatch.setenv("VAEEDU_HUB", str(tmp_path))

    def load(**environment):
        for name in ("VAEEDU_HUB_PASSWORD", "VAEEDU_HUB_USERS"):
            monkeypatch.delenv(name, raising=False)
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        return PyFileConfigLoader(str(HUB / "jupyterhub_config.py")).load_config()

    return load


@pytest.mark.parametrize(
    ("as_root", "name", "said"),
    [
        (False, "root", "expected to be run by root, who owns what a class shares: run it with sudo"),
        (True, "no-such-user", "expected a user of this machine, got 'no-such-user': add it with useradd -m"),
        (True, "root", "expected an instructor who is not root"),
    ],
)
def test_nothing_is_made_for_the_wrong_people(set_up, monkeypatch, tmp_path, capsys, as_root, name, said):
    monkeypatch.setattr(os, "geteuid", lambda: 0 if as_root else 1000)
    monkeypatch.setenv("VAEEDU_HUB", str(tmp_path / "hub"))
    assert set_up.main([name]) == 2
    told = capsys.readouterr().err
    assert told.startswith(f"set_up.py: {said}")
    assert told.count("\n") == 1
    assert not (tmp_path / "hub").exists()


def test_folders_keep_the_class_apart(set_up, tmp_path):
    made = {"": 0o755, "exchange": 0o1777, "state": 0o700, "course": 0o700}
    umask = os.umask(0o077)
    try:
        for _ in range(2):
            set_up.make_folders(tmp_path / "hub", ME)
            assert {name: (tmp_path / "hub" / name).stat().st_mode & 0o7777 for name in made} == made
            (tmp_path / "hub" / "course").chmod(0o777)
    finally:
        os.umask(umask)


def test_the_course_of_another_instructor_stays_theirs(set_up, monkeypatch, tmp_path):
    set_up.make_folders(tmp_path, ME)
    somebody = SimpleNamespace(
        st_uid=next(one.pw_uid for one in pwd.getpwall() if one.pw_uid not in (0, ME.pw_uid))
    )
    newcomer = SimpleNamespace(pw_uid=54321, pw_gid=54321, pw_name="newcomer")
    monkeypatch.setattr(Path, "stat", lambda self, **_: somebody)
    monkeypatch.setattr(Path, "mkdir", lambda self, **_: None)
    with pytest.raises(ValueError, match=r"to be newcomer's, but it is \w.*'s: name the right instructor"):
        set_up.make_folders(tmp_path, newcomer)


def test_a_python_in_a_closed_folder_is_refused(set_up, tmp_path):
    (tmp_path / "home" / "bin").mkdir(parents=True)
    (tmp_path / "home").chmod(0o700)
    with pytest.raises(
        ValueError, match=r"expected a Python that every user may start, .*such as /usr/bin/python3"
    ):
        set_up.check_python(tmp_path / "home" / "bin" / "python")


def test_what_is_switched_leaves_other_settings(set_up, tmp_path):
    environment = tmp_path / "env"
    set_up.configure(tmp_path, environment)
    everybody = environment / "etc" / "jupyter"
    server = json.loads((everybody / "jupyter_server_config.json").read_text())
    assert server["KernelManager"] == {"transport_encryption": "auto"}
    assert server["ServerApp"]["jpserver_extensions"]["nbgrader.server_extensions.formgrader"] is False
    page = json.loads((everybody / "labconfig" / "page_config.json").read_text())
    assert page["disabledExtensions"]["@jupyter/nbgrader:assignment-list"] is False
    settings = PyFileConfigLoader(str(everybody / "nbgrader_config.py")).load_config()
    assert settings.Exchange.root == str(tmp_path / "exchange")
    own = json.loads((tmp_path / "instructor" / "jupyter_server_config.json").read_text())
    assert (tmp_path / "class_config.py").read_text() == (HUB / "class_config.py").read_text()
    assert own["ServerApp"]["jpserver_extensions"] == {"nbgrader.server_extensions.formgrader": True}


@pytest.mark.parametrize("given", [{}, {"VAEEDU_HUB_PASSWORD": "x"}, {"VAEEDU_HUB_USERS": "ada"}])
def test_a_hub_to_try_wants_a_password_and_names(configuration, given):
    with pytest.raises(
        SystemExit, match=r"expected VAEEDU_HUB_PASSWORD, .* and VAEEDU_HUB_USERS, such as 'teacher ada"
    ):
        configuration(**given)


def test_only_the_instructor_is_given_the_course(configuration, tmp_path):
    loaded = configuration(VAEEDU_HUB_PASSWORD="x", VAEEDU_HUB_USERS="ada bob")
    assert loaded.Authenticator.allowed_users == {"ada", "bob"}
    assert loaded.JupyterHub.bind_url == "http://127.0.0.1:8000"
    assert loaded.Spawner.http_timeout == 120
    spawners = [
        SimpleNamespace(user=SimpleNamespace(name=name), notebook_dir="", environment={"A": "1"})
        for name in (ME.pw_name, "ada")
    ]
    for spawner in spawners:
        loaded.Spawner.pre_spawn_hook(spawner)
    theirs, students = spawners
    assert theirs.notebook_dir == str(tmp_path / "course")
    paths = f"{tmp_path / 'course'}{os.pathsep}{tmp_path / 'instructor'}"
    assert theirs.environment == {"A": "1", "JUPYTER_CONFIG_PATH": paths}
    assert (students.notebook_dir, students.environment) == ("", {"A": "1"})
