"""Whatever is wrong is said in one line, with what to do about it."""

import errno
import os
import re
import shutil
import subprocess
import sys
import tempfile
import textwrap
from pathlib import Path

import environment
import installation
import pytest
from support.tiny import PYTHON, STAMP, one_line, packages, write_course


def test_a_failing_pip_is_reported_with_its_log(finished, run):
    (finished / "constraints.txt").write_text("jupyterlab==4.0\ntorch==7.7\n")
    line = one_line(run(finished))
    assert line.startswith("pip could not install the course: ERROR: ")
    assert "run the same command again" in line
    log = Path(re.search(r"pip's log: (.*)\)", line)[1])
    assert "torch" in log.read_text()
    assert environment.make_plan(finished, "course", False).why == "the last set-up did not finish"


def test_a_package_that_does_not_import_is_reported(finished, run):
    (finished / "constraints.txt").write_text("jupyterlab==4.0\ntorch==2.2\n")
    line = one_line(run(finished))
    assert line.startswith("the installation is broken, `import torch` fails (OSError: libtorch is missing)")
    assert "run the same command again" in line
    assert environment.make_plan(finished, "course", False).why == "the last set-up did not finish"


def test_metadata_without_its_record_is_not_taken_for_an_installation(finished, run):
    (packages(finished) / "torch-2.0.dist-info" / "RECORD").unlink()
    line = one_line(run(finished))  # pip believes that torch is there
    assert (
        line == "pip finished, but torch is missing: run the same command again to build .venv from nothing"
    )
    assert run(finished).returncode == 0
    assert environment.make_plan(finished, "course", False) is None


def test_a_python_without_venv_is_told_what_to_install(tmp_path, run):
    root = write_course(tmp_path / "course")
    (tmp_path / "stub").mkdir()
    (tmp_path / "stub" / "ensurepip.py").write_text("raise ImportError('as on Debian without python3-venv')")
    line = one_line(run(root, PYTHONPATH=str(tmp_path / "stub")))
    version = f"{sys.version_info[0]}.{sys.version_info[1]}"
    assert line.startswith("this Python has no venv module")
    assert f"`sudo apt install python{version}-venv`" in line
    assert environment.make_plan(root, "course", False).action == "rebuild"


def test_a_file_in_the_way_is_named(tmp_path, run):
    root = write_course(tmp_path / "course")
    (root / ".venv").touch()
    line = one_line(run(root))
    assert line.startswith(f"cannot write in {root / '.venv'} (")
    assert line.endswith(f"a file is in the way, remove {root / '.venv'}")


def test_a_folder_that_may_not_be_written_is_reported():
    # Not under pytest's own folder, which nobody else may enter; and root may write anywhere, so root becomes nobody.
    with tempfile.TemporaryDirectory() as folder:
        root = write_course(Path(folder) / "course")
        Path(folder).chmod(0o755)
        root.chmod(0o555)
        code = f"""\
            import os, sys
            sys.path.insert(0, {str(root / "tools")!r})
            import environment
            if os.geteuid() == 0:
                os.seteuid(65534)
            sys.exit(environment.main([], False))
        """
        command = [PYTHON, "-B", "-c", textwrap.dedent(code)]
        line = one_line(subprocess.run(command, capture_output=True, text=True, timeout=60))
        root.chmod(0o755)
    assert line.startswith(f"cannot write in {root / '.venv'} (Permission denied)")
    assert "copy the course to a folder of your own" in line


def test_a_full_disk_is_found_before_anything_is_loaded(finished, monkeypatch):
    (finished / ".venv" / STAMP).unlink()
    monkeypatch.setattr(shutil, "disk_usage", lambda path: shutil._ntuple_diskusage(10**12, 10**12, 10**9))
    with pytest.raises(
        environment.SetupError, match=r"needs about 2.5 GB, but .* has 1.0 GB left: free some space"
    ):
        environment.set_up(finished, "course", False)


def test_a_disk_that_fills_up_is_named():
    for number in (errno.ENOSPC, errno.EDQUOT):
        remedy = installation._how_to_mend(OSError(number, os.strerror(number)), Path(".venv"))
        assert remedy == "the disk is full, free about 3 GB"
    log = "Collecting torch\nERROR: Could not install packages due to an OSError: [Errno 28] No space left on device\n"
    assert installation._pip_remedy(log).startswith("the disk is full")


def test_a_network_that_is_down_is_named(finished, run):
    # Nothing listens on port 1 of this machine.
    (finished / "constraints.txt").write_text("jupyterlab==4.0\ntorch==2.3\n")
    changes = {"PIP_NO_INDEX": "0", "PIP_INDEX_URL": "http://127.0.0.1:1/simple", "PIP_RETRIES": "1"}
    line = one_line(run(finished, **changes))
    assert "the package index cannot be reached, check the network" in line


def test_an_unreadable_pyproject_is_reported(finished, run):
    (finished / "pyproject.toml").write_text("<<<<<<< HEAD\n")
    assert one_line(run(finished)).startswith("pyproject.toml is not valid TOML (")
