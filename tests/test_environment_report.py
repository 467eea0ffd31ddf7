"""The report on a reader's machine: right when all is well, and one line with a remedy for each thing that is not."""

import importlib.metadata

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
    assert "It computes wrong numbers. Run: make clean, then make lab" in environment.report()


@pytest.mark.parametrize("at_hand", [True, False])
def test_it_says_whether_mnist_is_at_hand(monkeypatch, at_hand):
    monkeypatch.setattr("vaeedu.data.mnist_at_hand", lambda: at_hand)
    assert ("MNIST is at hand" in environment.report()) == at_hand
