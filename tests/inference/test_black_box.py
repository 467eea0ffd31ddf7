"""Black-box variational inference: an unbiased ELBO, exact where q is, and steps that settle at the optimum."""

import math

import pytest
import torch
from torch.distributions import MultivariateNormal, Normal, kl_divergence

from vaeedu.inference import GaussianTarget, black_box_vi, coordinate_ascent, elbo_samples

LOC = torch.tensor([1.0, -2.0], dtype=torch.float64)
COVARIANCE = torch.tensor([[2.0, 0.6], [0.6, 0.5]], dtype=torch.float64)
EVIDENCE = -7.0


PRECISION = torch.linalg.inv(COVARIANCE)
LOG_NORMALIZER = math.log(2 * math.pi) + 0.5 * float(torch.logdet(COVARIANCE))


def log_joint(z):
    d = z - LOC.to(z)
    return EVIDENCE - LOG_NORMALIZER - 0.5 * ((d @ PRECISION.to(z)) * d).sum(dim=1)


def test_the_exact_posterior_makes_every_sample_log_p(generator):
    scale = torch.tensor([0.3, 2.0], dtype=torch.float64)
    exact = lambda z: Normal(LOC, scale).log_prob(z).sum(dim=1) + EVIDENCE  # noqa: E731
    terms = elbo_samples(exact, LOC, scale, 100, generator=generator)
    torch.testing.assert_close(terms, torch.full_like(terms, EVIDENCE), atol=1e-10, rtol=0)


def test_the_mean_of_samples_is_the_elbo_and_their_gradient_its_gradient(generator):
    loc = torch.tensor([0.5, -1.0], dtype=torch.float64, requires_grad=True)
    scale = torch.tensor([0.7, 1.3], dtype=torch.float64, requires_grad=True)
    posterior = MultivariateNormal(LOC, COVARIANCE)

    def exact(loc, scale):
        return EVIDENCE - kl_divergence(MultivariateNormal(loc, torch.diag(scale.square())), posterior)

    S = 20_000
    terms = elbo_samples(log_joint, loc, scale, S, generator=generator)
    assert abs(terms.mean() - exact(loc, scale)) <= 5 * terms.std() / math.sqrt(S)
    right = torch.cat(torch.autograd.grad(exact(loc, scale), (loc, scale)))
    per_batch = []
    for _ in range(100):
        elbo = elbo_samples(log_joint, loc, scale, 200, generator=generator).mean()
        per_batch.append(torch.cat(torch.autograd.grad(elbo, (loc, scale))))
    found = torch.stack(per_batch)
    assert bool(((found.mean(dim=0) - right).abs() <= 5 * found.std(dim=0) / 10).all())


@pytest.mark.parametrize(
    ("schedule", "step_size", "close"), [("robbins_monro", 0.3, 0.05), ("adam", 0.02, 0.1)]
)
def test_it_finds_what_coordinate_ascent_finds(generator, schedule, step_size, close):
    best, history = coordinate_ascent(
        GaussianTarget(LOC, COVARIANCE), Normal(torch.zeros(2).double(), torch.ones(2).double())
    )
    fit = black_box_vi(
        log_joint, torch.zeros(2).double(), torch.ones(2).double(), 600, num_samples=20, schedule=schedule,
        step_size=step_size, generator=generator,
    )  # fmt: skip
    torch.testing.assert_close(fit.loc, best.loc, atol=close, rtol=0)
    torch.testing.assert_close(fit.scale, best.scale, atol=close, rtol=0)
    last = fit.elbo_per_step[-200:]
    assert abs(last.mean() - (history[-1] + EVIDENCE)) <= 0.01 + 5 * last.std() / math.sqrt(200)
    assert float(fit.elbo_per_step[0]) < float(last.mean()) - 1


def test_robbins_monro_steps_settle_where_constant_ones_hover():
    def spread(decay_to, schedule):
        ends = [
            black_box_vi(
                log_joint, LOC, torch.tensor([0.9, 0.5]).double(), 150, num_samples=1, step_size=decay_to,
                schedule=schedule, generator=torch.Generator().manual_seed(seed),
            ).loc
            for seed in range(4)
        ]  # fmt: skip
        return float((torch.stack(ends) - LOC).square().mean().sqrt())

    assert spread(0.1, "robbins_monro") < 0.5 * spread(0.1, "adam")


def test_the_same_generator_gives_the_same_fit():
    fits = [
        black_box_vi(log_joint, LOC, LOC.abs(), 20, generator=torch.Generator().manual_seed(3))
        for _ in range(2)
    ]
    torch.testing.assert_close(fits[0].loc, fits[1].loc, rtol=0, atol=0)
    assert not fits[0].loc.requires_grad
    assert LOC.tolist() == [1.0, -2.0]  # the start is left as it was


ZERO, ONE = torch.zeros(2), torch.ones(2)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: black_box_vi(log_joint, ZERO[None], ONE, 5), r"loc must be a tensor of shape \(K,\), but is \(1, 2\)"),
        (lambda: black_box_vi(log_joint, ZERO, torch.ones(3), 5), r"scale must be a tensor of shape \(2,\)"),
        (lambda: black_box_vi(log_joint, ZERO, ZERO, 5), r"numbers greater than 0, but scale\[0\] is 0: use scale.exp"),
        (lambda: black_box_vi(log_joint, ZERO, ONE, 0), "num_steps must be"),
        (lambda: black_box_vi(log_joint, ZERO, ONE, 5, num_samples=0), "num_samples must be"),
        (lambda: black_box_vi(log_joint, ZERO, ONE, 5, schedule="sgd"), "one of 'robbins_monro', 'adam', but is 'sgd'"),
        (lambda: black_box_vi(log_joint, ZERO, ONE, 5, step_size=0.0), "step_size must be"),
        (lambda: black_box_vi(log_joint, ZERO, ONE, 5, decay=0.5), "decay must be above 1/2 and at most 1, but is 0.5"),
        (lambda: black_box_vi(log_joint, ZERO, ONE, 5, decay=1.1), "but is 1.1"),
        (lambda: black_box_vi(lambda z: z, ZERO, ONE, 5), r"log_joint must return one number for each of the 10 rows"),
        (lambda: black_box_vi(lambda z: z[:, 0].log(), ZERO, ONE, 9), "log_joint must return a log-density, .* nan at"),
        (
            lambda: black_box_vi(lambda z: -z.pow(4).sum(1), ONE, ONE, 99, step_size=9.0),
            "step_size must let q stay finite, but after .* steps loc is .* and scale .* lower it",
        ),
        (lambda: elbo_samples(log_joint, LOC, LOC.abs(), 0), "num_samples must be"),
    ],
)  # fmt: skip
def test_bad_input_says_how_to_mend_it(make, message):
    with pytest.raises(ValueError, match=message):
        make()
