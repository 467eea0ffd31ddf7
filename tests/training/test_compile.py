"""torch.compile as an option: with a compiler it gives the same numbers, and without one too, after a warning."""

import shutil

import pytest
import torch
from support import children
from support import training_runs as runs

pytestmark = pytest.mark.slow


def compiled(folder, **variables):
    """Losses of a compiled run, and what it warned of, in a process of its own."""
    process, answer = children.start(
        runs.compiled, {"TORCHINDUCTOR_CACHE_DIR": str(folder), "OMP_NUM_THREADS": "1", **variables}
    )
    losses, told = answer.recv()
    assert children.end(process, answer) == 0
    return losses, told


@pytest.fixture(scope="module")
def eager():
    return runs.run(runs.TinyVAE(torch.float32), data=runs.images(torch.float32))[1].loss


def test_without_a_c_compiler_it_says_so_once_and_gives_the_same_numbers(tmp_path, eager):
    losses, told = compiled(tmp_path, PATH="/nonexistent", CC="/nonexistent", CXX="/nonexistent")
    assert len(told) == 1
    assert told[0].startswith("torch.compile failed (")
    assert "\n" not in told[0]
    assert losses == pytest.approx(eager, rel=1e-12)


def test_with_a_compiler_it_gives_the_same_numbers_up_to_rounding(tmp_path, eager):
    if shutil.which("g++") is None:
        pytest.skip("no C++ compiler")
    losses, told = compiled(tmp_path)
    assert told == []
    assert losses == pytest.approx(eager, rel=1e-5)
