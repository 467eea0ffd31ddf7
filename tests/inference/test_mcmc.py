"""Markov chains: they leave their target alone, in its moments and in the flow between any two states."""

import math

import pytest
import torch
from torch.distributions import Gamma, MultivariateNormal

from vaeedu.inference import (
    NormalGamma,
    acceptance_probability,
    gaussian_conditionals,
    gibbs,
    metropolis_hastings,
    standard_error,
)

LOC = torch.tensor([1.0, -2.0], dtype=torch.float64)
COVARIANCE = torch.tensor([[2.0, 0.9], [0.9, 0.7]], dtype=torch.float64)
TARGET = MultivariateNormal(LOC, COVARIANCE)
# Five states, an asymmetric way to propose moves among them, some impossible.
PI = torch.tensor([0.1, 0.3, 0.05, 0.35, 0.2], dtype=torch.float64)
PROPOSE = torch.tensor(
    [[0.2, 0.5, 0.1, 0.1, 0.1], [0.1, 0.1, 0.6, 0.1, 0.1], [0.3, 0.2, 0.1, 0.2, 0.2],
     [0.1, 0.1, 0.1, 0.0, 0.7], [0.4, 0.1, 0.2, 0.2, 0.1]], dtype=torch.float64
)  # fmt: skip


def discrete_log_density(z):
    return PI.log()[z[:, 0].long()]


def discrete_proposal(z, generator):
    now = z[:, 0].long()
    new = torch.multinomial(PROPOSE[now], 1, generator=generator)[:, 0]
    return new[:, None].to(z), PROPOSE[new, now].log() - PROPOSE[now, new].log()


def within_five_standard_errors(samples, expected):
    off = (samples.flatten(0, 1).mean(dim=0) - expected).abs()
    assert bool((off <= 5 * standard_error(samples)).all()), off / standard_error(samples)


def moments(samples):
    """First and second moments of two coordinates, as five quantities: (S, C, 5)."""
    z, w = samples.unbind(dim=2)
    return torch.stack([z, w, z * z, w * w, z * w], dim=2)


def gaussian_moments():
    second = COVARIANCE + torch.outer(LOC, LOC)
    return torch.stack([*LOC, second[0, 0], second[1, 1], second[0, 1]])


def test_detailed_balance_holds_exactly_for_every_pair_of_states():
    i, j = torch.cartesian_prod(torch.arange(5), torch.arange(5)).T
    log_ratio = PROPOSE[j, i].log() - PROPOSE[i, j].log()
    apart = i != j
    accept = acceptance_probability(PI.log()[i[apart]], PI.log()[j[apart]], log_ratio[apart])
    flow = torch.zeros(5, 5, dtype=torch.float64)
    flow[i[apart], j[apart]] = (PI[i] * PROPOSE[i, j])[apart] * accept
    torch.testing.assert_close(flow, flow.T, atol=1e-15, rtol=0)
    # Each pair is as busy as it can be: one of the two directions is always accepted.
    most = torch.minimum(PI[i] * PROPOSE[i, j], PI[j] * PROPOSE[j, i])
    torch.testing.assert_close(flow[i, j][apart], most[apart], atol=1e-15, rtol=0)


def test_a_step_of_the_discrete_chain_leaves_the_target_alone(generator):
    C = 400_000
    start = torch.multinomial(PI, C, replacement=True, generator=generator)[:, None].double()
    chains = metropolis_hastings(
        discrete_log_density, start, 1, proposal=discrete_proposal, generator=generator
    )
    before, after = start[:, 0].long(), chains.samples[0, :, 0].long()
    flow = torch.zeros(5, 5, dtype=torch.float64).index_put_(
        (before, after), torch.ones(C).double(), accumulate=True
    )
    # Counts of i → j and j → i have the same mean, and almost independent Poisson noise.
    assert bool(((flow - flow.T).abs() <= 5 * (flow + flow.T).clamp(min=1).sqrt()).all())
    share = after.bincount(minlength=5) / C
    assert bool(((share - PI).abs() <= 5 * (PI * (1 - PI) / C).sqrt()).all())


@pytest.mark.parametrize("scale", [1.0, torch.tensor([2.0, 0.8], dtype=torch.float64)])
def test_random_walk_has_the_targets_moments(generator, scale):
    # Many short chains rather than a few long ones, here and below: a step of many costs hardly more than one of few.
    start = TARGET.loc + 3 * torch.randn(128, 2, generator=generator, dtype=torch.float64)
    chains = metropolis_hastings(TARGET.log_prob, start, 600, scale=scale, generator=generator)
    within_five_standard_errors(moments(chains.samples[100:]), gaussian_moments())
    moved = (chains.samples.diff(dim=0) != 0).any(dim=2).double().mean(dim=0)
    torch.testing.assert_close(chains.acceptance_rate, moved, atol=2 / 600, rtol=0)
    assert 0.1 < float(chains.acceptance_rate.mean()) < 0.7


def test_a_multiplicative_proposal_needs_and_uses_its_ratio(generator):
    # λ' = λ exp(ε / 2) prefers to go up: r(λ|λ') / r(λ'|λ) = λ' / λ.
    a, b = 3.0, 2.0

    def propose(z, generator):
        step = 0.8 * torch.randn(len(z), generator=generator, dtype=z.dtype)
        return z * step[:, None].exp(), step

    def forgetful(z, generator):
        new, ratio = propose(z, generator)
        return new, torch.zeros_like(ratio)

    start = torch.ones(256, 1, dtype=torch.float64)

    def mean(proposal):
        log_density = lambda z: Gamma(a, b).log_prob(z[:, 0])  # noqa: E731
        samples = metropolis_hastings(
            log_density, start, 500, proposal=proposal, generator=generator
        ).samples[100:]
        return samples.mean(), standard_error(samples)[0]

    right, error = mean(propose)
    assert abs(right - a / b) <= 5 * error
    wrong, error = mean(forgetful)
    assert abs(wrong - (a - 1) / b) <= 5 * error  # forgetting it samples Gamma(a − 1, b)


def test_chains_never_enter_where_the_density_is_zero(generator):
    log_density = lambda z: torch.where(z[:, 0] > 0, -z[:, 0], -torch.inf)  # noqa: E731
    chains = metropolis_hastings(
        log_density, torch.ones(256, 1, dtype=torch.float64), 600, scale=2.0, generator=generator
    )
    assert bool((chains.samples > 0).all())
    within_five_standard_errors(chains.samples[100:], torch.ones(1))


def test_chains_are_independent_of_one_another():
    same = torch.zeros(3, 2, dtype=torch.float64)
    one = metropolis_hastings(
        TARGET.log_prob, same, 500, scale=1.0, generator=torch.Generator().manual_seed(1)
    )
    again = metropolis_hastings(
        TARGET.log_prob, same, 500, scale=1.0, generator=torch.Generator().manual_seed(1)
    )
    torch.testing.assert_close(one.samples, again.samples, rtol=0, atol=0)
    assert bool((one.samples[-1, 0] != one.samples[-1, 1]).all())


def test_constants_in_the_density_change_nothing():
    start = torch.zeros(4, 2, dtype=torch.float64)
    runs = [
        metropolis_hastings(
            lambda z, c=c: TARGET.log_prob(z) + c,
            start,
            50,
            scale=1.0,
            generator=torch.Generator().manual_seed(2),
        ).samples
        for c in (0.0, 900.0)
    ]
    torch.testing.assert_close(*runs)


def test_gibbs_has_the_targets_moments(generator):
    samples = gibbs(
        gaussian_conditionals(LOC, COVARIANCE), torch.zeros(128, 2).double(), 600, generator=generator
    )
    within_five_standard_errors(moments(samples[100:]), gaussian_moments())


def test_gaussian_conditionals_are_those_of_conditioning(generator):
    K, S = 3, 200_000
    A = torch.randn(K, K, generator=generator, dtype=torch.float64)
    loc, covariance = torch.arange(K).double(), A @ A.T + torch.eye(K)
    given = torch.tensor([0.5, -1.0, 2.0], dtype=torch.float64)
    for i, draw in enumerate(gaussian_conditionals(loc, covariance)):
        rest = [j for j in range(K) if j != i]
        gain = torch.linalg.solve(covariance[rest][:, rest], covariance[rest, i])
        mean = loc[i] + gain @ (given[rest] - loc[rest])
        variance = covariance[i, i] - gain @ covariance[rest, i]
        z = draw(given.expand(S, K), generator)
        assert abs(z.mean() - mean) <= 5 * (variance / S).sqrt()
        assert abs(z.var() - variance) <= 5 * variance * math.sqrt(2 / S)


def test_gibbs_autocorrelation_is_the_squared_correlation(generator):
    rho = 0.9
    pair = gaussian_conditionals(torch.zeros(2), torch.tensor([[1.0, rho], [rho, 1.0]], dtype=torch.float64))
    z = gibbs(pair, torch.zeros(2000, 2).double(), 250, generator=generator)[60:, :, 0]
    measured = (z[1:] * z[:-1]).mean() / z.square().mean()
    assert float(measured) == pytest.approx(rho**2, abs=0.01)


def test_gibbs_on_the_conjugate_normal_finds_its_posterior(generator):
    x = torch.tensor([1.2, 0.3, 2.2, 1.9, 0.8], dtype=torch.float64)
    after = NormalGamma(0.0, 0.5, 2.0, 1.0).posterior(x)
    start = torch.tensor([[0.0, 1.0], [5.0, 0.1], [-5.0, 10.0], [1.0, 1.0]], dtype=torch.float64)
    samples = gibbs(after.conditionals(), start.repeat(32, 1), 800, generator=generator)[100:]
    a, b, kappa = after.shape, after.rate, after.pseudo_count
    expected = torch.tensor([after.loc, a / b, after.loc**2 + b / (kappa * (a - 1)), a * (a + 1) / b**2])
    within_five_standard_errors(moments(samples)[..., :4], expected)


def test_metropolis_and_gibbs_agree_with_independent_draws(generator):
    after = NormalGamma(0.0, 0.5, 2.0, 1.0).posterior(torch.tensor([1.2, 0.3, 2.2]))
    independent = after.sample(40_000, generator=generator)[:, None]
    a, b = after.shape, after.rate
    expected = torch.tensor([after.loc, a / b], dtype=torch.float64)
    error = torch.tensor([b / (after.pseudo_count * (a - 1)), a / b**2]).sqrt() / 200
    assert bool(((independent.mean(dim=(0, 1)) - expected).abs() <= 5 * error).all())
    start = torch.ones(256, 2, dtype=torch.float64)
    chains = metropolis_hastings(after.log_prob, start, 900, scale=0.8, generator=generator)
    within_five_standard_errors(chains.samples[150:], expected)


ONES = torch.ones(3, 2)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: metropolis_hastings(TARGET.log_prob, ONES, 0, scale=1.0), "num_samples must be a whole number"),
        (lambda: metropolis_hastings(TARGET.log_prob, ONES[0], 9, scale=1.0), "initial must have shape"),
        (lambda: metropolis_hastings(TARGET.log_prob, ONES / 0, 9, scale=1.0), r"initial\[0, 0\] is inf"),
        (lambda: metropolis_hastings(TARGET.log_prob, ONES, 9), "exactly one of scale and proposal .* neither"),
        (
            lambda: metropolis_hastings(TARGET.log_prob, ONES, 9, scale=1.0, proposal=discrete_proposal),
            "but both is",
        ),
        (lambda: metropolis_hastings(TARGET.log_prob, ONES, 9, scale=-1.0), "scale must be .* but is -1.0"),
        (
            lambda: metropolis_hastings(TARGET.log_prob, ONES, 9, scale=torch.tensor([1.0, 0.0])),
            r"scale must hold numbers greater than 0, but scale\[1\] is 0: use",
        ),
        (
            lambda: metropolis_hastings(TARGET.log_prob, ONES, 9, scale=torch.ones(3)),
            r"scale must be a tensor of shape \(2,\), but is \(3,\)",
        ),
        (
            lambda: metropolis_hastings(lambda z: z.sum(), ONES, 9, scale=1.0),
            r"log_density must return one number for each of the 3 rows, shape \(3,\), but returned \(\)",
        ),
        (
            lambda: metropolis_hastings(lambda z: z[:, 0] / 0 - torch.inf, ONES, 9, scale=1.0),
            r"log_density must return a log-density, finite or −inf, but returned nan at \[1.0, 1.0\]",
        ),
        (
            lambda: metropolis_hastings(lambda z: z[:, 0] / 0, ONES, 9, scale=1.0),
            "but returned inf at",
        ),
        (
            lambda: metropolis_hastings(lambda z: -z[:, 0] / 0, ONES, 9, scale=1.0),
            r"initial must start where the density is positive, but chain 0 starts at \[1.0, 1.0\]",
        ),
        (
            lambda: metropolis_hastings(
                lambda z: z.sum(1), ONES, 9, proposal=lambda z, g: (z[:1], torch.zeros(3))
            ),
            r"proposal must return states \(3, 2\) and log-ratios \(3,\) without NaN, but returned \(1, 2\)",
        ),
        (lambda: gibbs(gaussian_conditionals(LOC, COVARIANCE), ONES, -1), "num_samples must be"),
        (
            lambda: gibbs(gaussian_conditionals(LOC, COVARIANCE), torch.ones(3, 3), 5),
            "conditionals must hold one function for each of the 3 coordinates, but holds 2",
        ),
        (
            lambda: gibbs([lambda z, g: z, lambda z, g: z], ONES, 5),
            r"conditionals\[0\] must return one number a chain, shape \(3,\), but returned \(3, 2\)",
        ),
        (lambda: gaussian_conditionals(LOC[None], COVARIANCE), r"loc must be a tensor of shape \(K,\)"),
        (lambda: gaussian_conditionals(LOC[:1], COVARIANCE), r"covariance must have shape \(1, 1\), but has"),
        (
            lambda: gaussian_conditionals(LOC, COVARIANCE - 2 * torch.eye(2)),
            "covariance must be positive definite, but its smallest eigenvalue is -",
        ),
        (
            lambda: gaussian_conditionals(LOC, torch.tensor([[1.0, 0.5], [0.0, 1.0]])),
            "covariance must be symmetric, but differs from its transpose by 0.5: use ",
        ),
    ],
)  # fmt: skip
def test_bad_input_says_how_to_mend_it(make, message):
    with pytest.raises(ValueError, match=message):
        make()


@pytest.mark.gpu
def test_cuda_chains_stay_on_their_device():
    start = torch.zeros(4, 2, device="cuda")
    g = torch.Generator("cuda").manual_seed(0)
    chains = metropolis_hastings(lambda z: -z.square().sum(1), start, 10, scale=1.0, generator=g)
    assert chains.samples.is_cuda
    assert gibbs(gaussian_conditionals(LOC, COVARIANCE), start, 10, generator=g).is_cuda
