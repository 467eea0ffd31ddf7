"""torch.compile as an option: with a compiler it gives the same numbers, and without one too, after a warning."""

import os
import shutil
import subprocess
import sys

import pytest

PROGRAM = """
import warnings, torch
from support import training_runs as runs
torch.set_num_threads(1)
with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always")
    model, history = runs.run(runs.TinyVAE(torch.float32), data=runs.images(torch.float32), compile=True)
told = [str(w.message) for w in caught if "going on without it" in str(w.message)]
print(history.loss)
print(len(told), *told, sep="\\n")
"""


def run_program(tmp_path, **variables):
    environment = os.environ | {
        "OMP_NUM_THREADS": "1",
        "PYTHONPATH": os.pathsep.join(filter(None, sys.path)),
        "TORCHINDUCTOR_CACHE_DIR": str(tmp_path),
    }
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        env=environment | variables,
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    losses, number, *told = done.stdout.splitlines()
    return [float(loss) for loss in losses.strip("[]").split(",")], int(number), told


@pytest.fixture(scope="module")
def eager():
    import torch
    from support import training_runs as runs

    return runs.run(runs.TinyVAE(torch.float32), data=runs.images(torch.float32))[1].loss


def test_without_a_c_compiler_it_says_so_once_and_gives_the_same_numbers(tmp_path, eager):
    losses, number, told = run_program(tmp_path, PATH="/nonexistent", CC="/nonexistent", CXX="/nonexistent")
    assert number == len(told) == 1  # one warning, of one line
    assert told[0].startswith("torch.compile failed (")
    assert losses == pytest.approx(eager, rel=1e-12)


@pytest.mark.slow
def test_with_a_compiler_it_gives_the_same_numbers_up_to_rounding(tmp_path, eager):
    if shutil.which("g++") is None:
        pytest.skip("no C++ compiler")
    losses, number, told = run_program(tmp_path)
    assert number == 0, told
    assert losses == pytest.approx(eager, rel=1e-5)
