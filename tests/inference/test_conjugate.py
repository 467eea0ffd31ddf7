"""The normal-gamma model: its closed forms against integration, and against scipy and torch."""

import math

import numpy as np
import pytest
import scipy.stats
import torch
from torch.distributions import Gamma, Normal

from vaeedu.inference import NormalGamma

X = torch.tensor([1.2, 0.3, 2.2, 1.9], dtype=torch.float64)
PRIOR = NormalGamma(0.5, 0.7, 2.0, 1.5)


def integral(log_density, like):
    """Integrates over m and λ: trapezoids in log λ, and in m by the standard deviations that `like` has there."""
    log_lam = torch.linspace(-25.0, 6.0, 800, dtype=torch.float64)
    u = torch.linspace(-10.0, 10.0, 201, dtype=torch.float64)
    width = (like.pseudo_count * log_lam.exp()).rsqrt()
    m = like.loc + width[:, None] * u
    z = torch.stack([m, log_lam.exp()[:, None].expand_as(m)], dim=-1)
    jacobian = log_lam + width.log()
    inner = torch.trapezoid((log_density(z) + jacobian[:, None]).exp(), u, dim=1)
    return float(torch.trapezoid(inner, log_lam))


def test_the_prior_is_a_density():
    assert integral(PRIOR.log_prob, PRIOR) == pytest.approx(1.0, abs=1e-10)


def test_log_evidence_is_the_integral_of_the_joint():
    total = integral(lambda z: PRIOR.log_joint(X, z), PRIOR.posterior(X))
    assert PRIOR.log_evidence(X) == pytest.approx(math.log(total), abs=1e-10)


def test_log_evidence_is_a_students_t_for_one_observation():
    scale = math.sqrt(PRIOR.rate * (PRIOR.pseudo_count + 1) / (PRIOR.shape * PRIOR.pseudo_count))
    expected = scipy.stats.t(2 * PRIOR.shape, loc=PRIOR.loc, scale=scale).logpdf(1.7)
    assert PRIOR.log_evidence(torch.tensor([1.7], dtype=torch.float64)) == pytest.approx(expected, rel=1e-12)


def test_bayes_rule_holds_at_every_point(generator):
    z = torch.rand(50, 2, generator=generator, dtype=torch.float64) * 4
    right = PRIOR.log_joint(X, z) - PRIOR.posterior(X).log_prob(z)
    torch.testing.assert_close(right, torch.full_like(right, PRIOR.log_evidence(X)), atol=1e-11, rtol=0)


def test_data_may_arrive_in_parts():
    at_once, in_parts = PRIOR.posterior(X), PRIOR.posterior(X[:1]).posterior(X[1:])
    for name in ("loc", "pseudo_count", "shape", "rate"):
        assert getattr(at_once, name) == pytest.approx(getattr(in_parts, name), rel=1e-13)
    chained = PRIOR.log_evidence(X[:1]) + PRIOR.posterior(X[:1]).log_evidence(X[1:])
    assert PRIOR.log_evidence(X) == pytest.approx(chained, rel=1e-13)


def test_log_prob_is_minus_infinity_outside(generator):
    z = torch.tensor([[0.0, -1.0], [0.0, 0.0], [0.0, 1.0]])
    assert PRIOR.log_prob(z).isfinite().tolist() == [False, False, True]
    assert PRIOR.log_joint(X, z).tolist()[:2] == [-math.inf, -math.inf]


def test_kl_from_is_the_expected_log_ratio(generator):
    mean, precision = (
        Normal(torch.tensor(0.8).double(), torch.tensor(0.4).double()),
        Gamma(torch.tensor(5.0).double(), torch.tensor(4.0).double()),
    )
    S = 200_000
    z = torch.stack([
        0.8 + 0.4 * torch.randn(S, generator=generator, dtype=torch.float64),
        torch.from_numpy(np.random.default_rng(0).gamma(5.0, 1 / 4.0, S)),
    ], dim=1)  # fmt: skip
    log_ratio = mean.log_prob(z[:, 0]) + precision.log_prob(z[:, 1]) - PRIOR.log_prob(z)
    error = log_ratio.std() / math.sqrt(S)
    assert abs(log_ratio.mean() - PRIOR.kl_from(mean, precision)) <= 5 * error


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: NormalGamma(math.nan, 1.0, 1.0, 1.0), "loc must be a finite number, but is nan"),
        (lambda: NormalGamma(0.0, 0.0, 1.0, 1.0), "pseudo_count must be a finite number greater than 0, but is 0.0"),
        (lambda: NormalGamma(0.0, 1.0, -2.0, 1.0), "shape must be .* but is -2.0"),
        (lambda: NormalGamma(0.0, 1.0, 1.0, math.inf), "rate must be .* but is inf"),
        (lambda: PRIOR.posterior(X[:, None]), r"x must be a tensor of shape \(K,\), but is \(4, 1\)"),
        (lambda: PRIOR.log_evidence(X.log() - torch.inf), r"x\[0\] is -inf"),
        (lambda: PRIOR.log_joint([1.0], torch.ones(1, 2)), r"x must be a tensor of shape \(K,\), but is list"),
        (lambda: PRIOR.sample(0), "num_samples must be"),
    ],
)  # fmt: skip
def test_bad_input_says_how_to_mend_it(make, message):
    with pytest.raises(ValueError, match=message):
        make()
