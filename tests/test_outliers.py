"""Scores of outliers, and how well a score tells, against definitions, closed forms and scikit-learn."""

import math

import pytest
import torch
from sklearn.metrics import roc_auc_score
from torch.distributions import Independent, Normal

from vaeedu import outliers
from vaeedu.sampling import seeded


def pairs_won(s, t):
    """AUROC by its definition, pair by pair."""
    return float(((s[:, None] > t).double() + 0.5 * (s[:, None] == t).double()).mean())


@pytest.mark.parametrize("num_values", [3, 1000])
def test_auroc_is_the_share_of_pairs_won_with_ties_halved(num_values):
    s = torch.randint(num_values, (70,), generator=seeded(0)).double()
    t = torch.randint(num_values, (90,), generator=seeded(1)).double() - num_values / 8
    t = t.round()
    assert outliers.auroc(s, t) == pytest.approx(pairs_won(s, t), abs=1e-12)
    labels = [1] * 70 + [0] * 90
    assert outliers.auroc(s, t) == pytest.approx(roc_auc_score(labels, torch.cat([s, t])), abs=1e-12)


def test_auroc_sees_only_the_order():
    s, t = torch.randn(50, generator=seeded(0)), torch.randn(60, generator=seeded(1)) - 0.5
    value = outliers.auroc(s, t)
    assert outliers.auroc(s.double().exp(), t.double().exp()) == value
    assert outliers.auroc(-s, -t) == pytest.approx(1 - value)
    assert outliers.auroc(t, s) == pytest.approx(1 - value)
    assert outliers.auroc(s, s) == 0.5
    assert outliers.auroc(torch.ones(3), torch.zeros(5)) == 1.0


def test_a_narrower_gaussian_scores_three_eighths_of_a_nat_a_dimension_higher():
    """The failure in closed form: what lies in the middle of the data has a higher density than the data."""
    D, N = 64, 2000
    model = Independent(Normal(torch.zeros(D), torch.ones(D)), 1)
    inside, outside = torch.randn(N, D, generator=seeded(0)), 0.5 * torch.randn(N, D, generator=seeded(1))
    gap = model.log_prob(outside).mean() - model.log_prob(inside).mean()
    # −½ Σ x² has variance D/2 for the data, and (1/16) of that for the outliers.
    assert abs(float(gap) - 3 / 8 * D) <= 5 * math.sqrt(D / 2 * (1 + 1 / 16) / N)
    assert outliers.auroc(model.log_prob(inside), model.log_prob(outside)) < 0.01
    typical = [
        outliers.typicality(model.log_prob(x), model.log_prob(inside[:1000]))
        for x in (inside[1000:], outside)
    ]
    assert outliers.auroc(*typical) > 0.99


def test_typicality_falls_on_either_side():
    scores = outliers.typicality(torch.tensor([-7.0, -5.0, -3.0]), torch.tensor([-4.0, -6.0]))
    assert scores.tolist() == [-2.0, 0.0, -2.0]


def test_complexity_grows_from_flat_over_smooth_to_noise_and_nothing_costs_nothing():
    flat = torch.full((1, 1, 16, 16), 7)
    smooth = torch.arange(256).reshape(1, 1, 16, 16) // 16
    noise = torch.randint(256, (1, 1, 16, 16), generator=seeded(0))
    lengths = torch.cat([outliers.complexity(x) for x in (flat, smooth, noise)])
    assert 0 < lengths[0] < lengths[1] < lengths[2]
    # A code for uniform noise is no shorter than its entropy, and a few bytes longer.
    entropy = 256 * math.log(256)
    assert entropy <= float(lengths[2]) <= entropy + 20 * 8 * math.log(2)


def test_the_correction_is_the_code_length_in_nats():
    levels = torch.randint(4, (6, 1, 5, 5), generator=seeded(0))
    log_prob = torch.linspace(-30, -20, 6)
    expected = log_prob + outliers.complexity(levels)
    torch.testing.assert_close(outliers.complexity_corrected(log_prob, levels), expected)


def test_a_likelihood_ratio_ignores_what_the_background_has_too():
    common, own = torch.randn(20, generator=seeded(0)), torch.randn(20, generator=seeded(1))
    torch.testing.assert_close(outliers.likelihood_ratio(common + own, common), own)


def test_corruption_replaces_its_share_by_even_draws():
    N, L, rate = 40_000, 4, 0.3
    before = torch.zeros(N, 1, 1, 1).long()
    after = outliers.corrupted(before, rate, L, generator=seeded(0))
    changed = (after != before).double().mean()
    expected = rate * (1 - 1 / L)
    assert abs(float(changed) - expected) <= 5 * math.sqrt(expected * (1 - expected) / N)
    counts = after.flatten().bincount(minlength=L)[1:].double()
    assert float((counts / N - rate / L).abs().max()) <= 5 * math.sqrt(rate / L / N)
    assert torch.equal(outliers.corrupted(before, 0.0, L), before)
    assert before.sum() == 0


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: outliers.auroc(torch.zeros(0), torch.zeros(2)), "inlier_scores must be"),
        (lambda: outliers.auroc(torch.zeros(2), torch.tensor([torch.nan])), "outlier_scores must"),
        (lambda: outliers.typicality(torch.zeros(2), torch.zeros(0)), "reference_log_prob must be"),
        (lambda: outliers.complexity(torch.full((1, 1, 1, 2), 256)), "levels 0, …, 255, but .* from 256"),
        (lambda: outliers.complexity(torch.zeros(1, 4).long()), r"an image's shape must be \(C, H, W\)"),
        (lambda: outliers.complexity_corrected(torch.zeros(2), torch.zeros(3, 1, 2, 2).long()), "log_prob must"),
        (lambda: outliers.likelihood_ratio(torch.zeros(2), torch.zeros(3)), "background_log_prob must"),
        (lambda: outliers.corrupted(torch.zeros(1, 1, 2, 2).long(), 1.5, 4), "a probability, .* but is 1.5"),
        (lambda: outliers.corrupted(torch.full((1, 1, 2, 2), 4), 0.5, 4), "levels 0, …, 3, but .* from 4"),
    ],
)  # fmt: skip
def test_mistakes_are_refused(call, words):
    with pytest.raises(ValueError, match=words):
        call()
