"""The report on a reader's machine: right when all is well, and one line with a remedy for each thing that is not."""

import importlib.metadata
import types

import pytest
import torch

from vaeedu import environment


def test_this_machine_is_ready():
    text = environment.report()
    assert text.endswith("\nEverything is in place.")
    assert "✗" not in text
    assert f"PyTorch {torch.__version__} computes" in text


@pytest.fixture
def installed(monkeypatch):
    """Versions to report instead of the true ones; None for a package that is not there."""
    pretended = {}
    true_version = importlib.metadata.version

    def version(name):
        if name in pretended and pretended[name] is None:
            raise importlib.metadata.PackageNotFoundError(name)
        return pretended.get(name) or true_version(name)

    monkeypatch.setattr(importlib.metadata, "version", version)
    return pretended


def test_a_missing_and_an_old_package_are_named_with_what_to_do(installed):
    installed.update({"ipywidgets": None, "scipy": "0.19"})
    text = environment.report()
    assert "✗ ipywidgets is not installed. Close JupyterLab and run: make lab" in text
    assert "✗ scipy is 0.19, but the course needs >=1.13. Close JupyterLab" in text
    assert text.endswith("2 things to mend: see ✗ above.")


def test_test_tools_are_not_asked_of_readers(installed):
    installed.update({"hypothesis": None, "mypy": None})
    assert environment.report().endswith("Everything is in place.")


def test_a_wrong_python_is_named(monkeypatch):
    monkeypatch.setattr("platform.python_version", lambda: "3.9.18")
    text = environment.report()
    assert "✗ Python 3.9.18. The course needs Python" in text
    assert text.endswith("1 thing to mend: see ✗ above.")


def test_a_broken_torch_does_not_stop_the_report(monkeypatch):
    def broken(*_):
        raise OSError("libtorch_cpu.so: cannot open shared object file")

    monkeypatch.setattr(torch.linalg, "solve", broken)
    assert "✗ PyTorch does not work (libtorch_cpu.so: cannot open" in environment.report()
    monkeypatch.setattr(torch.linalg, "solve", lambda a, b: b)
    assert (
        "It computes wrong numbers. Close JupyterLab, remove the folder .venv and run: make lab"
        in environment.report()
    )


def test_where_there_is_no_copy_of_the_course_it_says_nothing_of_make(installed, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    assert environment.report().endswith("\nEverything is in place.")
    installed.update({"ipywidgets": None, "scipy": "0.19", "nbgrader": None, "jupyterlab": None})
    monkeypatch.setattr("platform.python_version", lambda: "3.9.18")
    monkeypatch.setattr(torch.linalg, "solve", lambda a, b: b)
    text = environment.report()
    assert text.endswith(
        "4 things to mend: see ✗ above."
    )  # whatever shows the notebook, it is not asked for JupyterLab
    assert (
        '✗ ipywidgets is not installed. Run: %pip install "ipywidgets>=8.1.3", and restart the kernel' in text
    )
    assert '✗ scipy is 0.19, but the course needs >=1.13. Run: %pip install "scipy>=1.13", and' in text
    assert "Install one of these, and the course in it" in text
    assert "%pip install --force-reinstall torch" in text
    assert "make" not in text


def test_on_windows_it_names_the_way_without_make(installed, monkeypatch):
    installed.update({"ipywidgets": None})
    monkeypatch.setattr(environment, "os", types.SimpleNamespace(name="nt"))
    monkeypatch.setattr("platform.python_version", lambda: "3.9.18")
    text = environment.report()
    assert "✗ ipywidgets is not installed. Close JupyterLab and run: py tools/setup_env.py --lab" in text
    assert "py -3.12 tools/setup_env.py --lab" in text
    assert "make" not in text


@pytest.mark.parametrize("at_hand", [True, False])
def test_it_says_whether_mnist_is_at_hand(monkeypatch, at_hand):
    monkeypatch.setattr("vaeedu.data.mnist_at_hand", lambda: at_hand)
    assert ("MNIST is at hand, in full" in environment.report()) == at_hand
    assert ("the small set that comes with the course" in environment.report()) != at_hand


@pytest.fixture
def threads(monkeypatch):
    """Eight processors, a choice that is undone, and whatever `use_threads` chose."""
    before, chosen = torch.get_num_threads(), []
    monkeypatch.setattr(torch, "set_num_threads", chosen.append)
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    monkeypatch.setattr(environment.os, "cpu_count", lambda: 8)
    monkeypatch.setattr(environment.os, "sched_getaffinity", lambda pid: set(range(8)), raising=False)
    yield chosen
    assert torch.get_num_threads() == before


@pytest.mark.parametrize(
    ("policy", "cpu_max", "expected"),
    [
        ("passive", "max 100000", 4),
        ("PASSIVE", "200000 100000", 2),
        ("passive", "150000 100000", 2),
        ("passive", "50000 100000", 1),
        ("passive", None, 4),
        ("active", "max 100000", 1),
        (None, "max 100000", 1),
    ],
)
def test_threads_are_as_many_as_the_process_may_keep_busy_and_one_where_they_spin(
    policy, cpu_max, expected, threads, monkeypatch, tmp_path
):
    monkeypatch.setattr(environment, "_CGROUP", tmp_path)
    if cpu_max is not None:
        (tmp_path / "cpu.max").write_text(cpu_max)
    if policy is None:
        monkeypatch.delenv("OMP_WAIT_POLICY", raising=False)
    else:
        monkeypatch.setenv("OMP_WAIT_POLICY", policy)
    environment.use_threads()
    assert threads == [expected]


def test_threads_are_no_more_than_the_processors_that_it_is_bound_to(threads, monkeypatch, tmp_path):
    monkeypatch.setattr(environment, "_CGROUP", tmp_path)
    monkeypatch.setenv("OMP_WAIT_POLICY", "passive")
    monkeypatch.setattr(environment.os, "sched_getaffinity", lambda pid: {3, 5}, raising=False)
    environment.use_threads()
    assert threads == [2]


def test_a_number_of_threads_that_the_user_chose_stays(threads, monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "3")
    assert environment.use_threads() == torch.get_num_threads()
    assert threads == []


def test_a_copy_without_its_makefile_is_set_up_by_the_script(installed, monkeypatch, tmp_path):
    for name in ("lectures/00_start_here.ipynb", "tools/setup_env.py"):
        (tmp_path / name).parent.mkdir()
        (tmp_path / name).touch()
    monkeypatch.chdir(tmp_path / "lectures")
    installed.update({"ipywidgets": None})
    assert "Close JupyterLab and run: python3 tools/setup_env.py --lab" in environment.report()
    (tmp_path / "Makefile").touch()
    assert "Close JupyterLab and run: make lab" in environment.report()
