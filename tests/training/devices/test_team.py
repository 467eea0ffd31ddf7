"""Processes that share batches give what one gives where nothing is drawn, and elsewhere the same in distribution."""

import os
import subprocess
import sys

import pytest
import torch
from support import team_laws as laws
from support import team_program
from support import training_runs as runs

from vaeedu import training
from vaeedu.training.devices import Team


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
        [*command, team_program.__file__, *map(str, arguments)],
        env=environment,
        capture_output=True,
        text=True,
        timeout=timeout,
    )


def test_without_draws_they_give_what_one_process_gives():
    laws.agreement_law(training)


@pytest.mark.parametrize("size", [1, 2, 3])
def test_every_row_gets_noise_of_its_own(size):
    laws.noise_law(training, size)


def test_cut_off_and_resumed_they_end_bit_for_bit(tmp_path):
    laws.resumed_law(training, tmp_path / "run.pt")


def test_a_run_goes_on_with_another_number_of_processes(tmp_path):
    laws.another_number_law(training, tmp_path / "run.pt")


@pytest.mark.slow
@pytest.mark.parametrize(("num_processes", "batch_size"), [(2, 8), (3, 13)])
def test_real_processes_under_torchrun(num_processes, batch_size, tmp_path):
    """What the laws above say of threads that play processes."""
    done = torchrun(num_processes, tmp_path / "result.pt", "--batch-size", batch_size)
    assert done.returncode == 0, done.stderr
    found = torch.load(tmp_path / "result.pt", weights_only=True)
    model = runs.TinyVAE()
    _, history = runs.run(model, loss=model.reconstruction, transform=None, batch_size=batch_size)
    for name, weight in runs.weights(model).items():
        torch.testing.assert_close(found["without draws"]["weights"][name], weight, rtol=0, atol=1e-9)
    for name in ("loss", "validation", "gradient_norm", "learning_rate"):
        assert found["without draws"]["history"][name] == pytest.approx(getattr(history, name), abs=1e-9)
    assert runs.same(found["resumed"]["weights"], found["whole"]["weights"])
    assert found["resumed"]["history"] == found["whole"]["history"]


@pytest.mark.slow
def test_one_that_dies_takes_the_others_along(tmp_path):
    done = torchrun(2, tmp_path / "result.pt", "--die", 1, timeout=60)
    assert done.returncode != 0
    assert not (tmp_path / "result.pt").exists()


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


def test_no_two_draws_of_an_epoch_have_the_same_seed():
    """Ranks and steps; and the shared generator stays as it is."""
    teams, shared = (
        [Team(rank, 3, torch.device("cpu")) for rank in range(3)],
        torch.Generator().manual_seed(0),
    )
    before = shared.get_state()
    (seed,) = {team.seed(shared) for team in teams}
    first = {
        float(torch.rand(1, dtype=torch.float64, generator=team.generator(shared, seed, step)))
        for team in teams
        for step in range(50)
    }
    assert len(first) == 150
    assert torch.equal(shared.get_state(), before)
    alone = Team(0, 1, torch.device("cpu"))
    assert alone.generator(shared, alone.seed(shared), 5) is shared
