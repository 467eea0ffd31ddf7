"""Effective sample size and split R̂ against ArviZ's numbers, and against chains whose answer is known."""

import json
import math
from pathlib import Path

import pytest
import scipy.stats
import torch
from support.reference_chains import FILE, SETTINGS, chains

from vaeedu.inference import effective_sample_size, split_r_hat, standard_error
from vaeedu.inference.diagnostics import _normal_scores
from vaeedu.sampling import seeded

f64 = torch.float64
REFERENCE = json.loads(Path(FILE).read_text(encoding="utf-8"))


def made(name):
    return torch.tensor(chains(*SETTINGS[name]), dtype=torch.float64).T  # (S, C)


def autoregressive(correlation, S, C, seed=0):
    g = torch.Generator().manual_seed(seed)
    eps = torch.randn(S, C, generator=g, dtype=torch.float64) * math.sqrt(1 - correlation**2)
    x = torch.randn(C, generator=g, dtype=torch.float64)
    rows = []
    for row in eps:
        x = correlation * x + row
        rows.append(x)
    return torch.stack(rows)


@pytest.mark.parametrize("name", SETTINGS)
def test_the_numbers_are_arviz_s(name):
    x, right = made(name), REFERENCE[name]
    found = {
        "r_hat": split_r_hat(x),
        "r_hat_rank": split_r_hat(x, rank_normalized=True),
        "ess": effective_sample_size(x),
        "ess_bulk": effective_sample_size(x, rank_normalized=True),
        "se": standard_error(x),
    }
    for measure, value in found.items():
        assert float(value) == pytest.approx(right[measure], rel=1e-9), measure


def test_the_reference_holds_chains_that_differ():
    assert REFERENCE["arviz"] == "0.23.4"
    values = [REFERENCE[name]["r_hat"] for name in SETTINGS]
    assert min(values) < 1 < 1.5 < max(values)


@pytest.mark.parametrize("correlation", [0.0, 0.5, 0.9, -0.5])
def test_effective_sample_size_of_an_autoregressive_chain(correlation):
    # The mean of S such values has variance (1 + ρ) / (1 − ρ) / S.
    S, C = 20_000, 16
    found = effective_sample_size(autoregressive(correlation, S, C))
    assert float(found) == pytest.approx(S * C * (1 - correlation) / (1 + correlation), rel=0.1)


def test_standard_error_is_the_spread_of_means():
    x = torch.stack(
        [autoregressive(0.8, 1000, 4, seed) for seed in range(200)], dim=2
    )  # 200 runs as quantities
    claimed = standard_error(x).square().mean().sqrt()
    actual = x.mean(dim=(0, 1)).square().mean().sqrt()
    assert float(claimed / actual) == pytest.approx(1.0, abs=5 / math.sqrt(2 * 200))


def test_r_hat_finds_what_it_should():
    x = autoregressive(0.0, 1000, 4)
    assert float(split_r_hat(x)) < 1.01
    assert float(split_r_hat(x + torch.arange(4))) > 1.3  # apart
    assert float(split_r_hat(x[:, :1] + torch.linspace(0, 3, 1000)[:, None])) > 1.2  # one chain, drifting
    wide = x * torch.tensor([1.0, 1.0, 1.0, 4.0])
    assert float(split_r_hat(wide)) < 1.02 < 1.05 < float(split_r_hat(wide, rank_normalized=True))
    assert float(split_r_hat(torch.zeros(8, 2) + torch.tensor([0.0, 1.0]))) == math.inf  # stuck apart


@pytest.mark.parametrize("rank_normalized", [False, True])
def test_units_do_not_matter(rank_normalized):
    x = autoregressive(0.7, 500, 4)
    for measure in (split_r_hat, effective_sample_size):
        one = measure(x, rank_normalized=rank_normalized)
        other = measure(1e6 * x - 3, rank_normalized=rank_normalized)
        torch.testing.assert_close(one, other, rtol=1e-6, atol=0)
    torch.testing.assert_close(standard_error(1e6 * x - 3), 1e6 * standard_error(x), rtol=1e-6, atol=0)


def test_quantities_are_treated_one_by_one():
    x = torch.stack([made("correlated"), made("correlated").square()], dim=2)
    for measure in (split_r_hat, effective_sample_size, standard_error):
        assert measure(x).shape == (2,)
        torch.testing.assert_close(measure(x), torch.stack([measure(x[:, :, d]) for d in (0, 1)]))


def test_ties_share_a_rank():
    x = torch.tensor([[0.0, 1.0], [1.0, 2.0], [1.0, 5.0]], dtype=torch.float64)
    ranks = scipy.stats.rankdata(x.numpy()).reshape(3, 2)
    expected = scipy.stats.norm.ppf((ranks - 0.375) / 6.25)
    torch.testing.assert_close(_normal_scores(x), torch.from_numpy(expected))


@pytest.mark.parametrize("measure", [split_r_hat, effective_sample_size, standard_error])
@pytest.mark.parametrize(
    ("samples", "message"),
    [
        ([1.0], r"samples must be a floating-point tensor of shape \(S, C, D\) or \(S, C\), but is list"),
        (torch.ones(9), r"but is \(9,\)"),
        (torch.ones(9, 2, dtype=torch.int64), "floating-point"),
        (torch.rand(3, 2), r"at least 4 samples of a chain, but has shape \(3, 2\): run longer"),
        (torch.rand(9, 0), r"but has shape \(9, 0\)"),
        (torch.rand(9, 2).index_fill(0, torch.tensor(3), torch.nan), "must be finite, but holds NaN"),
        (
            torch.rand(9, 2, 2).index_fill(2, torch.tensor(1), 4.0),
            "same value in all chains: no proposal was",
        ),
    ],
)
def test_bad_input_says_how_to_mend_it(measure, samples, message):
    with pytest.raises(ValueError, match=message):
        measure(samples)


# ---- few distinct values ----


def test_r_hat_of_a_fair_coins_chains_is_that_of_chains_that_agree():
    """Half ones, so that every value is as far from the median as every other: no spread to disagree about."""
    n = 1000
    coin = torch.tensor([0.0, 1.0], dtype=f64).repeat(n // 2)
    chains = torch.stack([coin[torch.randperm(n, generator=seeded(seed))] for seed in range(4)], dim=1)
    value = float(split_r_hat(chains, rank_normalized=True))
    assert abs(value - 1) < 5e-3
    assert value == pytest.approx(max(float(split_r_hat(chains)), math.sqrt(1 - 1 / (n // 2))), abs=1e-12)


@pytest.mark.parametrize("num_values", [2, 3, 5])
def test_diagnostics_of_few_values_are_finite_and_find_what_they_are_for(num_values):
    same = torch.randint(num_values, (1000, 4), generator=seeded(0)).to(f64)
    apart = same.clone()
    apart[:, 3] = (torch.rand(1000, generator=seeded(1)) < 0.05).to(f64)  # hardly ever anything but 0
    for ranks in (True, False):
        assert float(split_r_hat(same, rank_normalized=ranks)) < 1.01
        assert float(split_r_hat(apart, rank_normalized=ranks)) > 1.05
        assert 0.8 < float(effective_sample_size(same, rank_normalized=ranks)) / 4000 < 1.25
    assert float(standard_error(same)) == pytest.approx(float(same.std()) / 4000**0.5, rel=0.1)


@pytest.mark.parametrize("diagnostic", [split_r_hat, effective_sample_size, standard_error])
def test_chains_that_differ_only_in_the_middle_sample_which_is_dropped_are_refused(diagnostic):
    chains = torch.zeros(9, 4, dtype=f64)
    chains[4, 0] = 1.0
    with pytest.raises(
        ValueError, match="samples must vary, but a quantity has the same value in all chains"
    ):
        diagnostic(chains)
