"""Each set in the plane follows the law that its docstring states, and nothing else."""

import math

import pytest
import torch
from scipy import stats

from vaeedu import data

NAMES = ("two_moons", "eight_gaussians", "grid_of_gaussians", "pinwheel", "spirals", "line")
SETS = {name: getattr(data, name) for name in NAMES}
N = 20_000
# A Kolmogorov-Smirnov or chi-squared p-value is uniform when the law is right; 5 standard errors of a normal are 6e-7.
FIVE_SIGMA = 2 * stats.norm.sf(5)


def fits(values, law):
    return stats.kstest(values.double().numpy(), law).pvalue > FIVE_SIGMA


def equally_often(indices, num_values):
    counts = torch.bincount(indices, minlength=num_values)
    return len(counts) == num_values and stats.chisquare(counts.numpy()).pvalue > FIVE_SIGMA


@pytest.fixture(params=SETS)
def toy(request):
    return SETS[request.param]


def test_shape_and_dtype_whatever_the_default_dtype(toy):
    torch.set_default_dtype(torch.float64)
    try:
        x = toy(7)
    finally:
        torch.set_default_dtype(torch.float32)
    assert x.shape == (7, 2)
    assert x.dtype == torch.float32


def test_repeats_with_its_generator_and_leaves_the_global_one_alone(toy):
    before = torch.random.get_rng_state()
    first, again, other = (toy(50, generator=torch.Generator().manual_seed(seed)) for seed in (1, 1, 2))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)
    assert torch.equal(torch.random.get_rng_state(), before)


def test_points_come_in_no_order(toy, generator):
    """Neighbours in the list are as far apart as any two points: their mean squared distance is twice the variance."""
    x = toy(N, generator=generator).double()
    squared = (x[1:] - x[:-1]).square().sum(dim=1)
    # Overlapping pairs correlate, by at most one neighbour on each side: the variance is at most three times as large.
    error = math.sqrt(3) * squared.std().item() / math.sqrt(N)
    assert abs(squared.mean().item() - 2 * x.var(dim=0).sum().item()) <= 5 * error


@pytest.mark.parametrize("name", ["two_moons", "eight_gaussians", "grid_of_gaussians", "spirals", "line"])
def test_noise_is_a_standard_deviation_added_to_both_coordinates(name):
    bare, noisy = (SETS[name](N, noise=s, generator=torch.Generator().manual_seed(0)) for s in (0.0, 0.5))
    for residual in ((noisy - bare) / 0.5).unbind(dim=1):
        assert fits(residual, "norm")


@pytest.mark.gpu
def test_points_lie_on_the_device_of_the_generator(toy):
    assert toy(7, generator=torch.Generator("cuda").manual_seed(0)).is_cuda


@pytest.mark.parametrize("value", [0, -1, True])
def test_a_useless_number_of_points_is_refused(toy, value):
    with pytest.raises(ValueError, match=f"num_points must be a whole number of at least 1, but is {value}"):
        toy(value)


@pytest.mark.parametrize("value", [-0.1, float("nan"), float("inf")])
def test_a_useless_noise_is_refused(toy, value):
    with pytest.raises(ValueError, match=f"noise must be a finite number of at least 0, but is {value}"):
        toy(3, noise=value)


def test_two_moons(generator):
    x, y = data.two_moons(N, noise=0.0, generator=generator).double().unbind(dim=1)
    upper = ((x**2 + y**2 - 1).abs() < 1e-5) & (y >= -1e-6)
    lower = (((1 - x) ** 2 + (0.5 - y) ** 2 - 1).abs() < 1e-5) & (y <= 0.5 + 1e-6)
    assert (upper ^ lower).all()
    assert equally_often(upper.long(), 2)
    assert fits(torch.atan2(y, x)[upper], stats.uniform(0, math.pi).cdf)
    assert fits(torch.atan2(0.5 - y, 1 - x)[lower], stats.uniform(0, math.pi).cdf)


def test_eight_gaussians(generator):
    x = data.eight_gaussians(N, noise=0.0, generator=generator).double()
    assert (x.norm(dim=1) - 2).abs().max() < 1e-5
    turns = torch.atan2(x[:, 1], x[:, 0]) / (math.pi / 4)
    assert (turns - turns.round()).abs().max() < 1e-5
    assert equally_often(turns.round().long() % 8, 8)


def test_pinwheel(generator):
    x = data.pinwheel(N, noise=0.0, generator=generator).double() / 2
    distance, angle = x.norm(dim=1), torch.atan2(x[:, 1], x[:, 0])
    # Where the radius r was drawn negative, the point lies behind the middle; undo the bend for both signs.
    blades = {}
    for sign in (1, -1):
        r = sign * distance
        blades[sign] = ((angle - (sign < 0) * math.pi - r.exp() / 4) / (2 * math.pi / 5)) % 5
    off = {sign: (blade - blade.round()).abs() for sign, blade in blades.items()}
    in_front = off[1] <= off[-1]
    assert torch.minimum(off[1], off[-1]).max() < 1e-4
    assert equally_often(blades[1].round().long()[in_front] % 5, 5)
    assert fits(torch.where(in_front, distance, -distance), stats.norm(1, 0.3).cdf)


def test_pinwheel_noise_is_across_the_blade():
    bare, noisy = (data.pinwheel(N, noise=s, generator=torch.Generator().manual_seed(0)) for s in (0.0, 0.5))
    outward, shift = bare / bare.norm(dim=1, keepdim=True), noisy - bare
    along = (shift * outward).sum(dim=1)
    across = shift[:, 1] * outward[:, 0] - shift[:, 0] * outward[:, 1]
    assert along.abs().max() < 1e-5
    # Behind the middle the blade's outward direction is reversed, which a symmetric law does not notice.
    assert fits(across / (2 * 0.5), "norm")


def test_spirals(generator):
    x = data.spirals(N, noise=0.0, generator=generator).double()
    t = 3 * x.norm(dim=1)
    turned = ((torch.atan2(x[:, 1], x[:, 0]) - t) / math.pi) % 2  # 0: the + arm, 1: the − arm
    assert (turned - turned.round()).abs().max() < 1e-3
    assert equally_often(turned.round().long() % 2, 2)
    assert fits(t**2, stats.uniform(0, (3 * math.pi) ** 2).cdf)


@pytest.mark.parametrize("sigma", [0.0, 0.5, 2.0])
def test_line(sigma, generator):
    """Along w and across it, x − μ is independent normal with variance |w|² + σ² and σ²."""
    x = data.line(N, noise=sigma, generator=generator).double() - torch.tensor([1.0, -1.0])
    along = (2 * x[:, 0] + x[:, 1]) / math.sqrt(5)
    across = (x[:, 0] - 2 * x[:, 1]) / math.sqrt(5)
    assert fits(along / math.sqrt(5 + sigma**2), "norm")
    if sigma == 0:
        assert across.abs().max() < 1e-5
    else:
        assert fits(across / sigma, "norm")
        product = along * across
        assert abs(product.mean()) <= 5 * product.std() / math.sqrt(N)
