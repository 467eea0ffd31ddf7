"""One Gaussian for a mixture: each direction is optimal by its own measure, computed here by quadrature."""

import math
import re

import pytest
import torch
from torch.distributions import (
    Categorical,
    Independent,
    MixtureSameFamily,
    MultivariateNormal,
    Normal,
    Uniform,
)

from vaeedu.divergences import fit_forward_kl, fit_reverse_kl, kl_monte_carlo, kl_multivariate_normal

F64 = torch.float64
GRID = torch.linspace(-25, 25, 20_001, dtype=F64)


def t(*values):
    return torch.tensor(values, dtype=F64)


def mixture(gap=3.0, weights=(0.6, 0.4)):
    return MixtureSameFamily(Categorical(t(*weights)), Normal(t(-gap, gap), t(1.0, 0.7)))


def plane():
    covariances = t([[1.0, 0.8], [0.8, 1.0]], [[0.5, 0.0], [0.0, 0.2]])
    return MixtureSameFamily(
        Categorical(t(0.3, 0.7)), MultivariateNormal(t([-4.0, 0.0], [4.0, 2.0]), covariances)
    )


def kl(q, p):
    """KL(q ‖ p) in one dimension by the trapezoidal rule: exact to rounding for such smooth densities."""
    return float(((q.log_prob(GRID) - p.log_prob(GRID)) * q.log_prob(GRID).exp()).sum() * (GRID[1] - GRID[0]))


def neighbours(q):
    for shift, stretch in ((0.05, 1.0), (-0.05, 1.0), (0.0, 1.05), (0.0, 0.95)):
        yield Normal(q.loc + shift, q.scale * stretch)


def seeded():
    return torch.Generator().manual_seed(0)


@pytest.mark.parametrize("gap", [0.5, 2.0, 4.0])
def test_forward_is_the_minimum_of_the_forward_divergence(gap):
    target = mixture(gap)
    q = fit_forward_kl(target)
    assert all(kl(target, q) < kl(target, other) for other in neighbours(q))
    torch.testing.assert_close(q.mean, (GRID * target.log_prob(GRID).exp()).sum() * (GRID[1] - GRID[0]))
    torch.testing.assert_close(q.variance, target.variance)


def test_forward_in_the_plane_has_the_mixtures_covariance(generator):
    target = plane()
    q = fit_forward_kl(target)
    z = target.sample((1,))  # only for its shape
    assert (q.event_shape, z.shape) == ((2,), (1, 2))
    torch.testing.assert_close(q.mean, target.mean)
    torch.testing.assert_close(q.variance, target.variance)
    # The covariance between coordinates: Σ w (Σ₁₂ + μ₁ μ₂) − mean₁ mean₂.
    off = 0.3 * (0.8 + 0.0) + 0.7 * (0.0 + 8.0) - float(q.mean[0] * q.mean[1])
    assert float(q.covariance_matrix[0, 1]) == pytest.approx(off, rel=1e-12)


def test_forward_takes_independent_components():
    locs, scales = t([0.0, 1.0], [2.0, 3.0]), t([1.0, 2.0], [0.5, 0.5])
    one = MixtureSameFamily(Categorical(t(0.5, 0.5)), Independent(Normal(locs, scales), 1))
    other = MixtureSameFamily(
        Categorical(t(0.5, 0.5)), MultivariateNormal(locs, scales.square().diag_embed())
    )
    torch.testing.assert_close(fit_forward_kl(one).covariance_matrix, fit_forward_kl(other).covariance_matrix)


@pytest.mark.parametrize("side", [-1.0, 1.0])
def test_reverse_is_a_minimum_of_the_reverse_divergence_near_its_start(side):
    target = mixture(4.0)
    q, path = fit_reverse_kl(target, Normal(t(side * 3)[0], t(1.5)[0]), num_samples=2000, generator=seeded())
    assert math.copysign(1.0, float(q.loc)) == side
    assert all(kl(q, target) < kl(other, target) for other in neighbours(q))
    # All of q sits in one component, of weight w: log q − log p = −log w.
    assert kl(q, target) == pytest.approx(-math.log(0.6 if side < 0 else 0.4), abs=1e-3)
    assert float(path.kl[-1]) == pytest.approx(kl(q, target), abs=0.02)
    assert float(path.kl[-1]) < float(path.kl[0])
    assert path.kl.shape == path.loc.shape == path.scale.shape == (300,)
    assert (float(path.loc[0]), float(path.scale[0])) == (side * 3, pytest.approx(1.5))


def test_modes_that_overlap_are_covered_in_both_directions():
    target = mixture(0.8, (0.5, 0.5))
    forward = fit_forward_kl(target)
    reverse, _ = fit_reverse_kl(target, Normal(t(2.0)[0], t(1.0)[0]), num_samples=2000, generator=seeded())
    assert abs(float(forward.loc - reverse.loc)) < 0.1
    assert float(reverse.scale) < float(forward.scale)


def test_the_two_directions_rank_the_fits_in_opposite_order():
    target = mixture(4.0)
    forward = fit_forward_kl(target)
    reverse, _ = fit_reverse_kl(target, Normal(t(-3.0)[0], t(1.0)[0]), generator=seeded())
    assert kl(target, forward) < kl(target, reverse)
    assert kl(reverse, target) < kl(forward, target)


def test_a_gaussian_target_is_found_exactly():
    """log p is quadratic, and the noise has mean 0 and covariance I: no sampling error is left."""
    covariance = t([2.0, 0.6, 0.0], [0.6, 1.0, -0.3], [0.0, -0.3, 0.5])
    single = MixtureSameFamily(Categorical(t(1.0)), MultivariateNormal(t([1.0, -2.0, 0.5]), covariance[None]))
    start = MultivariateNormal(t(0.0, 0.0, 0.0), torch.eye(3, dtype=F64))
    q, path = fit_reverse_kl(single, start, num_samples=8, num_steps=600, generator=seeded())
    torch.testing.assert_close(q.mean, t(1.0, -2.0, 0.5), atol=1e-6, rtol=0)
    torch.testing.assert_close(q.covariance_matrix, covariance, atol=1e-6, rtol=0)
    first = kl_multivariate_normal(start.mean, start.covariance_matrix, t(1.0, -2.0, 0.5), covariance)
    torch.testing.assert_close(path.kl[0], first)
    assert (path.loc.shape, path.scale.shape) == ((600, 3), (600, 3, 3))


def test_reverse_in_the_plane_takes_one_components_shape():
    start = MultivariateNormal(t(-3.0, 0.5), torch.eye(2, dtype=F64))
    q, _ = fit_reverse_kl(plane(), start, num_samples=2000, generator=seeded())
    torch.testing.assert_close(q.mean, t(-4.0, 0.0), atol=0.05, rtol=0)
    torch.testing.assert_close(q.covariance_matrix, t([1.0, 0.8], [0.8, 1.0]), atol=0.05, rtol=0)
    terms = kl_monte_carlo(q, plane(), 4000, generator=seeded())
    assert abs(float(terms.mean()) + math.log(0.3)) <= 5 * float(terms.std()) / 4000**0.5 + 0.01


def test_far_away_units_do_not_matter():
    """A target 1000 times as wide needs no other settings."""
    wide = MixtureSameFamily(Categorical(t(0.6, 0.4)), Normal(1000 * t(-4.0, 4.0), 1000 * t(1.0, 0.7)))
    one, _ = fit_reverse_kl(mixture(4.0), Normal(t(3.0)[0], t(1.0)[0]), generator=seeded())
    other, _ = fit_reverse_kl(wide, Normal(t(3000.0)[0], t(1000.0)[0]), generator=seeded())
    assert float(other.loc) == pytest.approx(1000 * float(one.loc), rel=1e-6)
    assert float(other.scale) == pytest.approx(1000 * float(one.scale), rel=1e-6)


def test_the_same_generator_gives_the_same_and_dtype_is_kept():
    state = torch.get_rng_state()
    target = MixtureSameFamily(Categorical(torch.tensor([0.5, 0.5])), Normal(torch.tensor([-3.0, 3.0]), 1.0))
    fits = [fit_reverse_kl(target, Normal(2.0, 1.0), num_steps=20, generator=seeded())[0] for _ in range(2)]
    assert torch.equal(fits[0].loc, fits[1].loc)
    assert fits[0].loc.dtype == fit_forward_kl(target).loc.dtype == torch.float32
    assert torch.equal(torch.get_rng_state(), state)


OF_UNIFORMS = MixtureSameFamily(Categorical(torch.ones(2)), Uniform(torch.zeros(2), 1.0))
BATCH = MixtureSameFamily(Categorical(torch.ones(3, 2)), Normal(torch.zeros(3, 2), 1.0))


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: fit_forward_kl(Normal(0.0, 1.0)),
         "target must be a MixtureSameFamily of Normal, Independent(Normal) or MultivariateNormal components, but"),
        (lambda: fit_forward_kl(OF_UNIFORMS), "but is MixtureSameFamily of Uniform: build it with"),
        (lambda: fit_forward_kl(BATCH), "has batch shape (3,) and event shape (): wrap"),
        (lambda: fit_reverse_kl(BATCH, Normal(0.0, 1.0)), "target must be one mixture"),
        (lambda: fit_reverse_kl(mixture(), Uniform(0.0, 1.0)),
         "start must be one Normal of event shape (), as the target's, but is Uniform of batch shape ()"),
        (lambda: fit_reverse_kl(mixture(), Normal(torch.zeros(2), 1.0)),
         "but is Normal of batch shape (2,) and event shape (): begin where"),
        (lambda: fit_reverse_kl(plane(), Normal(0.0, 1.0)),
         "start must be one MultivariateNormal of event shape (2,)"),
        (lambda: fit_reverse_kl(mixture(), Normal(0.0, 1.0), num_steps=0),
         "num_steps must be a whole number of at least 1"),
        (lambda: fit_reverse_kl(mixture(), Normal(0.0, 1.0), num_samples=-1),
         "num_samples must be a whole number of at least 1"),
        (lambda: fit_reverse_kl(mixture(), Normal(0.0, 1.0), learning_rate=0.0),
         "learning_rate must be a finite number greater than 0"),
    ],
)  # fmt: skip
def test_bad_input_says_how_to_mend_it(make, words):
    with pytest.raises(ValueError, match=re.escape(words)):
        make()
