"""Under torchrun several processes give what one gives with the same global batch."""

import os
import subprocess
import sys

import pytest
import torch
from support import training_runs as runs

from vaeedu.training.distributed import Team


def torchrun(num_processes, *arguments, timeout=120):
    environment = os.environ | {"OMP_NUM_THREADS": "1", "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    command = [
        sys.executable,
        "-m",
        "torch.distributed.run",
        "--standalone",
        f"--nproc-per-node={num_processes}",
    ]
    return subprocess.run(
        [*command, runs.__file__, *map(str, arguments)],
        env=environment,
        capture_output=True,
        text=True,
        timeout=timeout,
    )


def assert_like_one_process(stored, **options):
    model, history = runs.run(**options)
    for name, weight in runs.weights(model).items():
        torch.testing.assert_close(stored["weights"][name], weight, rtol=0, atol=1e-9)
    for name in ("loss", "validation", "gradient_norm", "learning_rate"):
        assert stored["history"][name] == pytest.approx(getattr(history, name), abs=1e-9)


@pytest.mark.parametrize(
    ("num_processes", "batch_size"), [(2, 8), pytest.param(3, 13, marks=pytest.mark.slow)]
)
def test_several_processes_are_like_one(num_processes, batch_size, tmp_path):
    """53 examples: batches of 8 leave 5, batches of 13 leave 1, so that two of three processes have no row."""
    done = torchrun(num_processes, tmp_path / "result.pt", "--batch-size", batch_size)
    assert done.returncode == 0, done.stderr
    assert_like_one_process(torch.load(tmp_path / "result.pt", weights_only=True), batch_size=batch_size)


@pytest.mark.slow
def test_a_run_goes_on_with_another_number_of_processes(tmp_path):
    path = tmp_path / "run.pt"
    runs.run(epochs=1, checkpoint=path)
    done = torchrun(2, tmp_path / "result.pt", "--checkpoint", path, "--epochs", 2)
    assert done.returncode == 0, done.stderr
    assert_like_one_process(torch.load(tmp_path / "result.pt", weights_only=True), epochs=2)
    model, _ = runs.run(checkpoint=path, epochs=3)  # and with one again
    for name, weight in runs.weights(runs.run()[0]).items():
        torch.testing.assert_close(runs.weights(model)[name], weight, rtol=0, atol=1e-9)


@pytest.mark.slow
def test_one_that_dies_takes_the_others_along(tmp_path):
    done = torchrun(2, tmp_path / "result.pt", "--die", 1, timeout=60)
    assert done.returncode != 0
    assert not (tmp_path / "result.pt").exists()


@pytest.mark.slow
def test_noise_that_is_not_shared_is_noticed(tmp_path):
    """Parts of 3 and 2 rows take different amounts from equal generators."""
    done = torchrun(2, tmp_path / "result.pt", "--unequal", timeout=60)
    assert done.returncode != 0
    assert (
        "ValueError: generator must be in the same state in every process, but is not: in loss and"
        in done.stderr
    )


@pytest.mark.parametrize("size", [1, 2, 3, 7])
@pytest.mark.parametrize("num_rows", [1, 2, 5, 7, 128])
def test_parts_cover_the_batch_and_weights_add_up_to_one(size, num_rows):
    parts = [Team(rank, size, torch.device("cpu")).part(num_rows) for rank in range(size)]
    covered = [row for part in parts if part.weight for row in range(part.start, part.stop)]
    assert covered == list(range(num_rows))
    assert sum(part.weight for part in parts) == pytest.approx(1.0)
    for part in parts:
        assert part.stop > part.start
        assert part.weight in (0.0, (part.stop - part.start) / num_rows)
