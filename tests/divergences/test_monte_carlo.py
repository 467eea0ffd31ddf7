"""Monte Carlo terms: unbiased within five standard errors, of the promised shape, and repeatable."""

import re

import pytest
import torch
from torch.distributions import (
    Bernoulli,
    Categorical,
    Independent,
    MixtureSameFamily,
    MultivariateNormal,
    Normal,
    Uniform,
    kl_divergence,
)

from vaeedu.divergences import kl_bernoulli, kl_categorical, kl_monte_carlo, kl_multivariate_normal, kl_normal

F64 = torch.float64
S = 40_000


def t(*values):
    return torch.tensor(values, dtype=F64)


def unbiased(terms, exact):
    standard_error = terms.std(dim=0) / len(terms) ** 0.5
    assert bool(((terms.mean(dim=0) - exact).abs() <= 5 * standard_error + 1e-12).all())


FULL = (t(0.0, 1.0), t([1.0, 0.5], [0.5, 2.0]), t(0.0, 0.0), t([2.0, 0.0], [0.0, 1.0]))
CASES = {
    "normal": (
        lambda: (Normal(t(0.0, 1.0, -2.0), t(1.0, 0.5, 2.0)), Normal(t(0.5), t(1.5))),
        lambda: kl_normal(t(0.0, 1.0, -2.0), t(1.0, 0.5, 2.0), t(0.5), t(1.5)),
    ),
    "bernoulli": (
        lambda: (Bernoulli(t(0.3, 0.9)), Bernoulli(t(0.5, 0.5))),
        lambda: kl_bernoulli(t(0.3, 0.9), t(0.5, 0.5)),
    ),
    "categorical": (
        lambda: (Categorical(t(0.2, 0.3, 0.5)), Categorical(t(0.6, 0.2, 0.2))),
        lambda: kl_categorical(t(0.2, 0.3, 0.5), t(0.6, 0.2, 0.2)),
    ),
    "full covariance": (
        lambda: (MultivariateNormal(*FULL[:2]), MultivariateNormal(*FULL[2:])),
        lambda: kl_multivariate_normal(*FULL),
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_the_mean_is_the_closed_form(name, generator):
    make, exact = CASES[name]
    q, p = make()
    terms = kl_monte_carlo(q, p, S, generator=generator)
    assert terms.shape == (S, *exact().shape)
    unbiased(terms, exact())
    torch.testing.assert_close(exact(), kl_divergence(q, p))


def test_a_mixture_against_quadrature(generator):
    q = MixtureSameFamily(Categorical(t(0.4, 0.6)), Normal(t(-1.0, 2.0), t(0.5, 1.0)))
    p = Normal(t(0.0)[0], t(2.0)[0])
    z = torch.linspace(-12, 12, 24_001, dtype=F64)
    exact = ((q.log_prob(z) - p.log_prob(z)) * q.log_prob(z).exp()).sum() * (z[1] - z[0])
    unbiased(kl_monte_carlo(q, p, S, generator=generator), exact)


def test_every_pair_of_a_broadcast_batch_has_samples_of_its_own(generator):
    terms = kl_monte_carlo(Normal(0.0, 1.0), Normal(torch.zeros(3), 2.0), 50, generator=generator)
    assert terms.shape == (50, 3)
    assert bool((terms[:, 0] != terms[:, 1]).all())


def test_events_are_summed(generator):
    q = Independent(Normal(torch.zeros(4, 3), 1.0), 1)
    assert kl_monte_carlo(q, Independent(Normal(torch.zeros(3), 2.0), 1), 10, generator=generator).shape == (
        10,
        4,
    )


def test_gradients_pass_through_the_samples(generator):
    loc, scale = t(0.7).requires_grad_(), t(0.5).requires_grad_()
    estimate = kl_monte_carlo(Normal(loc, scale), Normal(t(0.0), t(1.0)), S, generator=generator).mean()
    in_loc, in_scale = torch.autograd.grad(estimate, (loc, scale))
    # d/dμ = E[z] = 0.7, each with variance 0.25; d/dσ = E[zε] − 1/σ = 0.5 − 2, with variance 0.7² + 2 · 0.25.
    assert abs(float(in_loc) - 0.7) <= 5 * (0.25 / S) ** 0.5
    assert abs(float(in_scale) + 1.5) <= 5 * ((0.49 + 0.5) / S) ** 0.5


def test_the_same_generator_gives_the_same_and_the_global_one_is_untouched():
    state = torch.get_rng_state()
    one, other = (
        kl_monte_carlo(Normal(0.0, 1.0), Normal(1.0, 1.0), 9, generator=torch.Generator().manual_seed(3))
        for _ in range(2)
    )
    assert torch.equal(one, other)
    assert torch.equal(torch.get_rng_state(), state)


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: kl_monte_carlo(Normal(0.0, 1.0), Normal(0.0, 1.0), 0),
         "num_samples must be a whole number of at least 1, but is 0"),
        (lambda: kl_monte_carlo(Normal(torch.zeros(2), 1.0), Independent(Normal(torch.zeros(2), 1.0), 1), 3),
         "q and p must have the same event shape, but have () and (2,)"),
        (lambda: kl_monte_carlo(Normal(torch.zeros(2), 1.0), Normal(torch.zeros(3), 1.0), 3),
         "q and p must have batch shapes that broadcast, but have (2,) and (3,)"),
        (lambda: kl_monte_carlo(Uniform(0.0, 9.0), Uniform(0.0, 1.0), 50), "to be within the support"),
        (lambda: kl_monte_carlo(torch.distributions.Gamma(1.0, 1.0), Normal(0.0, 1.0), 3),
         "distribution must be one of Normal"),
    ],
)  # fmt: skip
def test_bad_input_says_how_to_mend_it(make, words):
    with pytest.raises(ValueError, match=re.escape(words)):
        make()
