"""What is wrong with a `.venv` is found without starting pip."""

import shutil

import environment
import installation
import pytest
from support.tiny import ROOT, STAMP, packages


def test_a_moved_course_is_noticed(first, tmp_path):
    shutil.copytree(first[0], tmp_path / "moved", symlinks=True)
    assert environment.make_plan(tmp_path / "moved", "course", False)[:2] == (
        "rebuild",
        "the course was moved",
    )


@pytest.mark.parametrize("then", ["removed", "another version"])
def test_a_vanished_interpreter_is_noticed(finished, tmp_path, then):
    mine = tmp_path / "python3.11"
    mine.symlink_to(tmp_path / "python3.11.7")
    (tmp_path / "python3.11.7").touch(mode=0o755)
    python = finished / ".venv" / "bin" / "python"
    python.unlink()
    python.symlink_to(mine)
    environment.write_stamp(finished, "course")
    assert environment.make_plan(finished, "course", False) is None
    (tmp_path / "python3.11.7").unlink()
    if then == "another version":  # as when a system is upgraded
        (tmp_path / "python3.12").touch(mode=0o755)
        mine.unlink()
        mine.symlink_to(tmp_path / "python3.12")
    plan = environment.make_plan(finished, "course", False)
    assert plan[:2] == ("rebuild", "the Python it was made with has gone")


def test_another_python_is_used_only_if_asked_for_by_name(finished, monkeypatch):
    monkeypatch.setattr(installation, "base_python", lambda: "/usr/local/bin/python3.99")
    assert environment.make_plan(finished, "course", chosen_by_user=False) is None
    plan = environment.make_plan(finished, "course", chosen_by_user=True)
    assert plan[:2] == ("rebuild", "another Python was asked for")


def test_another_version_of_a_package_is_noticed(finished):
    info = packages(finished) / "torch-2.0.dist-info"
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: torch\nVersion: 1.9\n")
    info.rename(packages(finished) / "torch-1.9.dist-info")
    plan = environment.make_plan(finished, "course", False)
    assert plan[:2] == ("update", "torch is 1.9, not the tested 2.0")


def test_a_rebuild_keeps_the_test_tools(finished, run):
    run(finished, "--dev")
    (finished / ".venv" / "bin" / "python").unlink()
    assert environment.make_plan(finished, "course", False).stage == "dev"


def test_a_changed_lint_rule_is_no_reason_to_install(finished):
    with (finished / "pyproject.toml").open("a") as file:
        file.write("\n[tool.ruff]\nline-length = 99\n")
    assert environment.make_plan(finished, "course", False) is None
    with (finished / "pyproject.toml").open("a") as file:
        file.write("\n[project.scripts]\nvaeedu = 'vaeedu:main'\n")
    assert environment.make_plan(finished, "course", False).action == "update"


@pytest.mark.parametrize("text", ["", "{", "[]", '{"root": "here"}', "null"])
def test_a_damaged_stamp_counts_as_none(finished, text):
    (finished / ".venv" / STAMP).write_text(text)
    assert environment.make_plan(finished, "course", False).why == "the last set-up did not finish"


def test_the_course_itself_is_set_up_by_the_same_rules():
    everything = environment.direct_dependencies(ROOT, "dev")
    assert everything["torch"]
    assert everything["ipywidgets"]  # of the extra that another builds on
    assert set(environment.direct_dependencies(ROOT, "course")) < set(everything)
    assert [name for name, version in everything.items() if version is None] == ["vaeedu"]


def test_progress_reads_what_pip_prints():
    log = "Obtaining file:///course\n"
    assert installation.progress(log) == ("Looking for packages", "")
    log += "Collecting torch==2.13.0\n  Downloading https://index/torch-2.13.0-cp311.whl.metadata (31 kB)\n"
    log += "Collecting numpy>=1.26\n  Downloading https://index/numpy-2.4.6.whl (18.1 MB)\n"
    assert installation.progress(log) == ("Fetching packages", "(2 so far): numpy-2.4.6.whl 18.1 MB")
    log += "Installing collected packages: torch, numpy\n"
    assert installation.progress(log) == ("Installing 2 packages", "")
