"""The classic mistakes in measuring samples, each made on purpose: every one must break a law."""

import math

import pytest
import torch
from scipy import linalg, stats
from support.mutation import law_tests


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


def drawn(*shape, seed=0):
    return torch.randn(*shape, generator=seeded(seed), dtype=torch.float64)


def near(a, b, within=1e-9):
    a, b = (torch.as_tensor(v, dtype=torch.float64) for v in (a, b))
    torch.testing.assert_close(a, b, rtol=within, atol=within)


def covariance(seed, size=4):
    A = drawn(size, size, seed=seed)
    return A @ A.T


def formula_law(metrics):
    """By the matrix square root of SciPy; for commuting matrices by their standard deviations; 0 for the same."""
    mu, mu_2, S, S_2 = drawn(4), drawn(4, seed=1), covariance(2), covariance(3)
    root = torch.from_numpy(linalg.sqrtm((S @ S_2).numpy()).real)
    expected = (mu - mu_2).square().sum() + S.trace() + S_2.trace() - 2 * root.trace()
    near(metrics.frechet_gaussians(mu, S, mu_2, S_2), expected)
    a, b = torch.tensor([1.0, 4.0, 0.0]).double(), torch.tensor([9.0, 0.25, 2.0]).double()
    zero = torch.zeros(3).double()
    near(metrics.frechet_gaussians(zero, a.diag(), zero, b.diag()), (a.sqrt() - b.sqrt()).square().sum())
    assert 0 <= metrics.frechet_gaussians(mu, S, mu, S) < 1e-9


def moments_law(metrics):
    x, y = drawn(30, 3), 1 + 2 * drawn(50, 3, seed=1)
    moments = [v for rows in (x, y) for v in (rows.mean(0), torch.cov(rows.T))]
    near(metrics.frechet_distance(x, y), metrics.frechet_gaussians(*moments))
    near(metrics.frechet_distance(x, x + 2.0), 12.0)
    rotation = torch.linalg.qr(drawn(3, 3, seed=4)).Q
    near(metrics.frechet_distance(x @ rotation, y @ rotation), metrics.frechet_distance(x, y))
    near(metrics.frechet_distance(x[:, :1], y[:, :1]), (x[:, 0].mean() - y[:, 0].mean()) ** 2
         + (x[:, 0].std() - y[:, 0].std()) ** 2)  # fmt: skip


def wasserstein_law(metrics):
    x, y = drawn(40), 0.2 + 3 * drawn(25, seed=1)
    near(metrics.wasserstein_1d(x, y), stats.wasserstein_distance(x.numpy(), y.numpy()))
    near(metrics.wasserstein_1d(x[:25], y), (x[:25].sort().values - y.sort().values).abs().mean())


def coverage_law(metrics):
    modes = torch.tensor([[0.0, 0.0], [4.0, 0.0], [0.0, 4.0], [4.0, 4.0]])
    x = torch.cat(
        [modes[:1].expand(48, 2), modes[1:2].expand(24, 2), modes[2:3].expand(1, 2), torch.full((27, 2), 2.0)]
    )
    x = x + torch.tensor([0.29, 0.0])  # within 3 σ = 0.3, and not within 2
    found = metrics.mode_coverage(x, modes, scale=0.1)
    assert (found.num_covered, found.counts.tolist()) == (2, [48, 24, 1, 0])  # one of 25 is no coverage
    near(found.quality, 0.73)
    share = torch.tensor([48, 24, 1]).double() / 73
    near(found.divergence, math.log(4) + (share * share.log()).sum())
    assert metrics.mode_coverage(x, modes, scale=0.1, min_share=0.01).num_covered == 3
    nowhere = metrics.mode_coverage(x, modes, scale=0.1, within=2.0)
    assert (nowhere.num_covered, nowhere.quality, int(nowhere.counts.sum())) == (0, 0.0, 0)


def curve_law(metrics):
    """(1, 1) for the same; what is missing costs recall, what is wrong precision; exchanged, they exchange."""
    p, q = torch.tensor([0.5, 0.5, 0.0]), torch.tensor([0.6, 0.0, 0.4])
    precision, recall = metrics.precision_recall_curve(p, q)
    near(precision.max(), 0.6, 1e-6)
    near(recall.max(), 0.5, 1e-6)
    same = metrics.precision_recall_curve(p, p)
    near(torch.minimum(*same).max(), 1.0, 1e-6)
    back = metrics.precision_recall_curve(q, p)
    near(back[0].flip(0), recall, 1e-6)
    near(back[1].flip(0), precision, 1e-6)
    angle = (torch.arange(1, 102).double() / 102 * math.pi / 2).tan()[:, None]
    near(precision, torch.minimum(angle * p, q).sum(1), 1e-6)


def neighbours_law(metrics):
    x = torch.tensor([[0.0], [1.0], [3.0], [10.0]])
    samples = torch.tensor([[0.5], [1.5], [40.0], [41.0], [42.5]])
    # k = 1, data's balls: [-1, 1], [0, 2], [1, 5], [3, 17]; samples': [-0.5, 1.5], [0.5, 2.5], [39, 41], …
    assert metrics.precision_recall(x, samples, num_neighbours=1) == (0.4, 0.5)
    # k = 2: of data [-3, 3], [-1, 3], [0, 6], [1, 19]; the samples' first two balls reach to 39.5 and 38.5
    assert metrics.precision_recall(x, samples, num_neighbours=2) == (0.4, 1.0)
    same = drawn(50, 3)
    assert metrics.precision_recall(same, same) == (1.0, 1.0)


def birthday_law(metrics):
    """On equally likely values the estimate comes near their number; the bound is below; none is infinite."""
    estimates = []
    for seed in range(200):
        values = torch.randint(50, (60, 1), generator=seeded(seed)).double()
        found = metrics.birthday_test(values, within=0.5)
        same = int((values == values.T).sum() - 60) // 2
        assert found.num_pairs == same
        estimates.append(60 * 59 / 2 / found.num_pairs)
        near(found.support, estimates[-1])
        assert found.at_least < found.support
    assert abs(sum(1 / v for v in estimates) / 200 - 1 / 50) < 5 * 0.0035 / math.sqrt(200)
    none = metrics.birthday_test(torch.arange(10.0)[:, None], within=0.5)
    assert (none.num_pairs, none.support) == (0, math.inf)
    near(none.at_least, 45 / -math.log(0.05))
    assert metrics.birthday_test(torch.zeros(4, 2), within=0.0).support == 1.0


def parzen_law(metrics):
    x, samples = drawn(5, 3), drawn(7, 3, seed=1)
    p = torch.distributions.MultivariateNormal(samples, 0.49 * torch.eye(3).double())
    near(metrics.parzen_log_prob(x, samples, 0.7), p.log_prob(x[:, None]).logsumexp(1) - math.log(7))
    grid = torch.linspace(-9, 9, 4001).double()[:, None]
    near(metrics.parzen_log_prob(grid, samples[:, :1], 0.3).exp().sum() * 18 / 4000, 1.0, 1e-6)


MUTANTS = [
    (
        formula_law,
        "distances",
        "overlap = torch.linalg.svdvals(root @ root_2).sum()",
        "overlap = (root @ root_2).diagonal().sum()",
    ),
    (formula_law, "distances", "squares - 2 * overlap", "squares - overlap"),
    (formula_law, "distances", "eigenvalue.clamp(min=0).sqrt()", "eigenvalue.clamp(min=0)"),
    (formula_law, "distances", "(mu - mu_2).square().sum()", "(mu - mu_2).norm()"),
    (formula_law, "distances", "(mu - mu_2).square().sum()", "(mu - mu_2).square().mean()"),
    (moments_law, "distances", "torch.cov(rows.T)", "torch.cov(rows.T, correction=0)"),
    (moments_law, "distances", "torch.cov(rows.T).reshape", "torch.corrcoef(rows.T).reshape"),
    (wasserstein_law, "distances", "((F - F_2).abs() * t.diff())", "((F - F_2).square() * t.diff())"),
    (wasserstein_law, "distances", "((F - F_2).abs() * t.diff())", "((F - F_2) * t.diff())"),
    (coverage_law, "coverage", 'require.positive_float("scale", scale) * require', "require"),
    (coverage_law, "coverage", "counts >= max(1.0, min_share * N / C)", "counts > 0"),
    (coverage_law, "coverage", "nearest[good]", "nearest"),
    (coverage_law, "coverage", "torch.tensor(C).double().log()", "0.0"),
    (curve_law, "curves", "torch.minimum(angle.tan() * a, b)", "torch.minimum(a + 0 * angle, b)"),
    (curve_law, "curves", "b / angle.tan()", "b * angle.tan()"),
    (neighbours_law, "neighbours", "kthvalue(k + 1, dim=1)", "kthvalue(k, dim=1)"),
    (
        neighbours_law,
        "neighbours",
        "_share_inside(b, a, k), _share_inside(a, b, k)",
        "_share_inside(a, b, k), _share_inside(b, a, k)",
    ),
    (birthday_law, "neighbours", "pairs = (found - s) // 2", "pairs = found - s"),
    (birthday_law, "neighbours", "s * (s - 1) / 2 / pairs if pairs", "s * s / pairs if pairs"),
    (birthday_law, "neighbours", "2 * pairs + 2", "2 * pairs + 9"),
    (parzen_law, "neighbours", "- math.log(M)", "- 0.0"),
    (parzen_law, "neighbours", "D * math.log(h)", "math.log(h)"),
    (
        parzen_law,
        "neighbours",
        "(_distances(rows, centres.double()) / h).square()",
        "_distances(rows, centres.double()).square() / h",
    ),
]

test_the_laws_hold, test_each_mistake_breaks_a_law = law_tests("metrics", MUTANTS)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            lambda m: m.frechet_gaussians(torch.zeros(2), torch.eye(2), torch.zeros(3), torch.eye(3)),
            "loc_2 must have the length",
        ),
        (
            lambda m: m.frechet_gaussians(
                torch.zeros(2), torch.tensor([[1.0, 2.0], [0.0, 1.0]]), torch.zeros(2), torch.eye(2)
            ),
            "covariance must be a symmetric 2",
        ),
        (
            lambda m: m.frechet_gaussians(torch.zeros(2), -torch.eye(2), torch.zeros(2), torch.eye(2)),
            "covariance must have no negative",
        ),
        (lambda m: m.frechet_distance(torch.zeros(1, 2), torch.zeros(3, 2)), "x must have at least two rows"),
        (
            lambda m: m.mode_coverage(torch.zeros(3, 2), torch.zeros(1, 2), 1.0, min_share=2.0),
            "min_share must be at most 1",
        ),
        (
            lambda m: m.precision_recall_curve(torch.tensor([0.5, 0.5]), torch.tensor([0.2, 0.3, 0.5])),
            "q must have the shape of p",
        ),
        (
            lambda m: m.precision_recall(torch.zeros(3, 2), torch.zeros(9, 2)),
            "x must have more than num_neighbours = 3 rows",
        ),
        (lambda m: m.birthday_test(torch.zeros(1, 2), 0.1), "samples must be at least two"),
    ],
)
def test_mistakes_are_named(call, message):
    from vaeedu import metrics

    with pytest.raises(ValueError, match=message):
        call(metrics)
