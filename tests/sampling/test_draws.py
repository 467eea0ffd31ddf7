"""Draws repeat with their generator, leave the global one alone, have the right moments and let gradients through."""

import math

import pytest
import torch
from scipy import stats

from vaeedu import sampling

N = 200_000
LIKE = torch.zeros(1, dtype=torch.float64)
D = torch.distributions


def _mixture():
    components = D.MultivariateNormal(
        torch.tensor([[-2.0, 0.0], [3.0, 1.0]], dtype=torch.float64),
        torch.tensor([[[1.0, 0.5], [0.5, 2.0]], [[0.5, 0.0], [0.0, 0.1]]], dtype=torch.float64),
    )
    return D.MixtureSameFamily(D.Categorical(torch.tensor([0.3, 0.7], dtype=torch.float64)), components)


def _rows(*rows):
    return torch.tensor(rows, dtype=torch.float64)


DISTRIBUTIONS = {
    "Normal": lambda: D.Normal(_rows(1.0, -2.0), _rows(0.5, 3.0)),
    "Independent": lambda: D.Independent(D.Normal(_rows([1.0, 2.0]), _rows([0.5, 3.0])), 1),
    "MultivariateNormal": lambda: D.MultivariateNormal(_rows(1.0, -2.0), _rows([2.0, 0.7], [0.7, 1.0])),
    "Uniform": lambda: D.Uniform(_rows(-1.0, 2.0), _rows(0.0, 5.0)),
    "Bernoulli": lambda: D.Bernoulli(logits=_rows([0.0, 2.0], [-1.0, 0.5])),
    "Categorical": lambda: D.Categorical(_rows([0.2, 0.3, 0.5], [0.6, 0.3, 0.1])),
    "OneHotCategorical": lambda: D.OneHotCategorical(_rows([0.2, 0.3, 0.5], [0.6, 0.3, 0.1])),
    "mixture": _mixture,
    "mixture of normals": lambda: D.MixtureSameFamily(
        D.Categorical(_rows([0.2, 0.8], [0.5, 0.5])), D.Normal(_rows([0.0, 1.0], [2.0, 5.0]), _rows(0.1, 0.2))
    ),
}
DRAWS = {
    "normal": lambda g: sampling.normal((5, 3), like=LIKE, generator=g),
    "uniform": lambda g: sampling.uniform((5, 2), like=LIKE, generator=g),
    "integers": lambda g: sampling.integers((40,), 600, generator=g),
    "gumbel": lambda g: sampling.gumbel((5,), like=LIKE, generator=g),
    "categorical": lambda g: sampling.categorical(torch.full((2, 50), 0.02), (9,), generator=g),
    **{
        f"draw {name}": lambda g, make=make: sampling.draw(make(), (40,), generator=g)
        for name, make in DISTRIBUTIONS.items()
    },
    "bernoulli": lambda g: sampling.bernoulli(torch.full((40,), 0.5), generator=g),
    "reparameterize": lambda g: sampling.reparameterize(LIKE, LIKE + 1, (5,), generator=g),
}


def close(sample, expected):
    """Whether a mean is within five of its own standard errors of what it should be."""
    error = sample.std().item() / math.sqrt(len(sample))
    return abs(sample.mean().item() - expected) <= 5 * error


@pytest.mark.parametrize("name", DRAWS)
def test_same_seed_same_draw_and_other_seed_another(name):
    first, again, other = (DRAWS[name](torch.Generator().manual_seed(seed)) for seed in (1, 1, 2))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)


@pytest.mark.parametrize("name", DRAWS)
def test_a_generator_moves_on(name, generator):
    assert not torch.equal(DRAWS[name](generator), DRAWS[name](generator))


@pytest.mark.parametrize("name", DRAWS)
def test_a_generator_leaves_the_global_one_alone(name, generator):
    before = torch.random.get_rng_state()
    DRAWS[name](generator)
    assert torch.equal(torch.random.get_rng_state(), before)


@pytest.mark.parametrize("name", DRAWS)
def test_without_a_generator_the_global_seed_decides(name):
    with torch.random.fork_rng():
        torch.manual_seed(3)
        first = DRAWS[name](None)
        torch.manual_seed(3)
        assert torch.equal(DRAWS[name](None), first)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_shape_and_dtype_follow_the_input(dtype, generator):
    x = torch.full((2, 3), 0.5, dtype=dtype)
    for draw, shape in (
        (sampling.normal((4, 1), like=x, generator=generator), (4, 1)),
        (sampling.uniform((4, 1), like=x, generator=generator), (4, 1)),
        (sampling.gumbel((4, 1), like=x, generator=generator), (4, 1)),
        (sampling.bernoulli(x, generator=generator), (2, 3)),
        (sampling.reparameterize(x, x[0], (7, 5), generator=generator), (7, 5, 2, 3)),
    ):
        assert draw.shape == shape
        assert draw.dtype == dtype


@pytest.mark.gpu
def test_device_follows_the_input():
    generator = torch.Generator("cuda").manual_seed(0)
    x = torch.full((3,), 0.5, device="cuda")
    assert sampling.normal((2,), like=x, generator=generator).is_cuda
    assert sampling.uniform((2,), like=x, generator=generator).is_cuda
    assert sampling.integers((2,), 3, generator=generator).is_cuda
    assert sampling.bernoulli(x, generator=generator).is_cuda
    assert sampling.reparameterize(x, x, generator=generator).is_cuda


def test_moments_of_normal(generator):
    eps = sampling.normal((N,), like=LIKE, generator=generator)
    for power, moment in ((1, 0.0), (2, 1.0), (3, 0.0), (4, 3.0)):
        assert close(eps**power, moment)


@pytest.mark.parametrize("p", [0.02, 0.5, 0.7])
def test_bernoulli_is_zeros_and_ones_in_the_right_proportion(p, generator):
    x = sampling.bernoulli(torch.full((N,), p, dtype=torch.float64), generator=generator)
    assert set(x.unique().tolist()) == {0.0, 1.0}
    assert close(x, p)


def test_bernoulli_entries_are_independent(generator):
    x = sampling.bernoulli(torch.full((N, 2), 0.5, dtype=torch.float64), generator=generator)
    assert close(x[:, 0] * x[:, 1], 0.25)


def test_reparameterize_takes_a_standard_deviation(generator):
    loc, scale = torch.tensor([-1.0, 4.0]).double(), torch.tensor([0.5, 3.0]).double()
    z = sampling.reparameterize(loc, scale, (N,), generator=generator)
    for k in range(2):
        assert close(z[:, k], loc[k].item())
        assert close((z[:, k] - loc[k]) ** 2, scale[k].item() ** 2)
    assert close((z[:, 0] - loc[0]) * (z[:, 1] - loc[1]), 0.0)


def test_reparameterize_is_loc_plus_scale_times_the_same_noise():
    loc, scale = torch.tensor([1.0, 2.0]), torch.tensor([0.5, 0.1])
    z = sampling.reparameterize(loc, scale, (3,), generator=torch.Generator().manual_seed(5))
    eps = sampling.normal((3, 2), like=loc, generator=torch.Generator().manual_seed(5))
    assert torch.equal(z, loc + scale * eps)


def test_gradients_reach_both_parameters(generator):
    """E[z²] = μ² + σ², so the gradient of its estimate is 2μ and 2σ on average."""
    loc = torch.full((N,), 1.5, dtype=torch.float64, requires_grad=True)
    scale = torch.full((N,), 0.7, dtype=torch.float64, requires_grad=True)
    sampling.reparameterize(loc, scale, generator=generator).square().sum().backward()
    assert close(loc.grad, 2 * 1.5)
    assert close(scale.grad, 2 * 0.7)


def test_uniform_draws_follow_their_law(generator):
    u = sampling.uniform((N,), like=LIKE, generator=generator)
    assert stats.kstest(u.numpy(), "uniform").pvalue > 1e-6
    assert 0 <= u.min() < u.max() < 1


@pytest.mark.parametrize("num_values", [2, 7, 600])
def test_whole_numbers_are_equally_likely(num_values, generator):
    counts = torch.bincount(sampling.integers((N,), num_values, generator=generator))
    assert len(counts) == num_values
    assert stats.chisquare(counts.numpy()).pvalue > 1e-6


@pytest.mark.parametrize("name", DISTRIBUTIONS)
def test_draws_have_the_shape_and_moments_of_the_distribution(name, generator):
    distribution = DISTRIBUTIONS[name]()
    x = sampling.draw(distribution, (N,), generator=generator).double()
    assert x.shape == (N, *distribution.batch_shape, *distribution.event_shape)
    if name == "Categorical":
        x = torch.nn.functional.one_hot(x.long(), 3).double()
        mean, variance = distribution.probs, distribution.probs * (1 - distribution.probs)
    else:
        mean, variance = distribution.mean, distribution.variance
    assert bool(((x.mean(dim=0) - mean).abs() <= 5 * (variance / N).sqrt()).all())
    if name in ("Bernoulli", "Categorical", "OneHotCategorical"):
        return  # of zeros and ones, the mean says everything
    spread = (x - mean).square().std(dim=0) / math.sqrt(N)
    assert bool(((x.var(dim=0) - variance).abs() <= 5 * spread + 1e-12).all())


def test_multivariate_draws_are_correlated_as_told(generator):
    distribution = DISTRIBUTIONS["MultivariateNormal"]()
    x = sampling.draw(distribution, (N,), generator=generator)
    C = distribution.covariance_matrix
    error = ((torch.outer(C.diagonal(), C.diagonal()) + C.square()) / N).sqrt()
    assert bool(((torch.cov(x.T) - C).abs() <= 5 * error).all())


def test_normal_draws_are_differentiable_and_discrete_ones_are_not(generator):
    loc = torch.zeros(3, requires_grad=True)
    assert sampling.draw(D.Normal(loc, torch.ones(3)), (4,), generator=generator).requires_grad
    assert not sampling.draw(D.Bernoulli(logits=loc), (4,), generator=generator).requires_grad


def test_other_families_are_refused():
    with pytest.raises(ValueError, match=r"distribution must be one of Normal, .*, but is Cauchy"):
        sampling.draw(D.Cauchy(0.0, 1.0))


def test_gumbel_noise_follows_its_law_and_makes_categorical_draws(generator):
    g = sampling.gumbel((N,), like=LIKE, generator=generator)
    assert stats.kstest(g.numpy(), stats.gumbel_r.cdf).pvalue > 1e-6
    probs = torch.tensor([0.1, 0.2, 0.7], dtype=torch.float64)
    index = (probs.log() + sampling.gumbel((N, 3), like=LIKE, generator=generator)).argmax(dim=1)
    assert stats.chisquare(torch.bincount(index).numpy(), (N * probs).numpy()).pvalue > 1e-6


def test_categorical_draws_follow_their_weights(generator):
    weights = torch.tensor([[1.0, 2.0, 7.0], [4.0, 4.0, 2.0]], dtype=torch.float64)
    index = sampling.categorical(weights, (N,), generator=generator)
    assert index.shape == (N, 2)
    for column, row in zip(index.T, weights / weights.sum(dim=1, keepdim=True), strict=True):
        assert stats.chisquare(torch.bincount(column).numpy(), (N * row).numpy()).pvalue > 1e-6


def test_gamma_draws_follow_their_law(generator):
    a, b = _rows(0.5, 3.0), _rows(2.0, 0.25)
    x = sampling.gamma(a, b, (N,), generator=generator)
    assert (x.shape, x.dtype) == ((N, 2), torch.float64)
    for column, concentration, rate in zip(x.T, a, b, strict=True):
        assert (
            stats.kstest(column.numpy(), stats.gamma(float(concentration), scale=1 / float(rate)).cdf).pvalue
            > 1e-4
        )
    again = sampling.gamma(a, b, (N,), generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(x, again, rtol=0, atol=0)
    before = torch.random.get_rng_state()
    sampling.gamma(a, b, generator=generator)
    assert torch.equal(before, torch.random.get_rng_state())


def test_gamma_draws_are_positive_even_where_they_underflow(generator):
    tiny = sampling.gamma(torch.tensor([1e-4]), torch.tensor([1.0]), (1000,), generator=generator)
    assert bool((tiny > 0).all())
