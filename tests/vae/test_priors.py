"""The prior as a module, and the grid that spreads its mass evenly."""

import re

import numpy as np
import pytest
import scipy.stats
import torch
from torch.distributions import Independent, Normal

from vaeedu.vae import NormalPrior, normal_grid

F64 = torch.float64


def test_the_grid_is_the_inverse_distribution_function_of_equal_steps():
    grid = normal_grid(9, like=torch.zeros((), dtype=F64))
    quantiles = scipy.stats.norm.ppf((np.arange(9) + 0.5) / 9)
    for i in range(9):
        np.testing.assert_allclose(grid[i, :, 0], quantiles, rtol=1e-12, atol=1e-12)  # z₁ from left to right
        np.testing.assert_allclose(
            grid[:, i, 1], quantiles[::-1], rtol=1e-12, atol=1e-12
        )  # z₂ from bottom to top


@pytest.mark.parametrize("P", [1, 2, 5, 20])
def test_each_code_stands_for_the_same_mass(P):
    grid = normal_grid(P, like=torch.zeros((), dtype=F64))
    u = torch.special.ndtr(grid)
    steps = torch.arange(P, dtype=F64) / P
    for d, axis in ((0, u[0, :, 0]), (1, u[:, 0, 1].flip(0))):
        assert bool((axis > steps).all()), d
        assert bool((axis < steps + 1 / P).all())
        torch.testing.assert_close(axis - steps, torch.full((P,), 0.5 / P, dtype=F64))
    torch.testing.assert_close(grid.mean(dim=(0, 1)), torch.zeros(2, dtype=F64), atol=1e-12, rtol=0)


def test_the_grid_takes_dtype_and_is_finite():
    assert normal_grid(3).dtype == torch.float32
    assert bool(normal_grid(1000).isfinite().all())


def test_the_module_makes_the_distribution():
    loc, scale = torch.tensor([1.0, 2.0]), torch.tensor([0.5, 3.0])
    p, z = NormalPrior(loc, scale)(), torch.tensor([[0.0, 1.0], [2.0, -1.0]])
    torch.testing.assert_close(p.log_prob(z), Independent(Normal(loc, scale), 1).log_prob(z))
    assert p.event_shape == (2,)


def test_it_keeps_a_copy_moves_and_has_nothing_to_train():
    loc = torch.zeros(3)
    prior = NormalPrior(loc, 1.0)
    loc.fill_(7.0)
    assert torch.equal(prior().mean, torch.zeros(3))
    assert prior.double()().stddev.dtype == F64
    assert list(prior.parameters()) == []
    assert set(prior.state_dict()) == {"loc", "scale"}
    assert repr(prior) == "NormalPrior(3)"


def test_its_standard_form_is_standard():
    p = NormalPrior.standard(4)()
    assert torch.equal(p.mean, torch.zeros(4))
    assert torch.equal(p.stddev, torch.ones(4))


@pytest.mark.gpu
def test_it_moves_to_the_device():
    assert NormalPrior.standard(4).cuda()().mean.device.type == "cuda"


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: NormalPrior(0.0, 1.0), "loc and scale must have shape (K,), one entry for each latent, but have ()"),
        (lambda: NormalPrior(torch.zeros(2, 3), 1.0), "but have (2, 3): use torch.zeros(K) and torch.ones(K)"),
        (lambda: NormalPrior(torch.zeros(2), 0.0), "scale must hold numbers greater than 0"),
        (lambda: NormalPrior(torch.tensor([torch.nan]), 1.0), "loc must hold finite numbers"),
        (lambda: NormalPrior(torch.zeros(2), torch.ones(3)), "loc, scale must have shapes that broadcast"),
        (lambda: NormalPrior.standard(0), "num_latents must be a whole number of at least 1, but is 0"),
        (lambda: normal_grid(0), "num_points must be a whole number of at least 1, but is 0"),
    ],
)  # fmt: skip
def test_bad_input_is_refused(call, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        call()
