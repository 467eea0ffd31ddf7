"""The classic mistakes with directions, each made on purpose: every one must break a law."""

import torch
from support.mutation import law_tests

from vaeedu.sampling import seeded


def drawn(*shape, seed=0):
    return torch.randn(shape, generator=seeded(seed), dtype=torch.float64)


def close(a, b, within=1e-9):
    torch.testing.assert_close(a, b, rtol=0, atol=within)


def difference_law(directions):
    """Shifted codes and other shares of the attribute leave it as it is; exchanged groups turn it round."""
    z, present = drawn(60, 3) + 5, torch.arange(60) % 4 == 0
    z[present] += torch.tensor([1.0, 2.0, 0.0])
    expected = z[present].mean(0) - z[~present].mean(0)
    close(directions.mean_difference(z, present), expected)
    close(directions.mean_difference(z - 100, present), expected)
    close(directions.mean_difference(z, ~present), -expected)
    close(
        directions.mean_difference(torch.cat([z, z[present]]), torch.cat([present, present[present]])),
        expected,
    )


def regression_law(directions):
    """Linear codes give back the table they were made with, though the factors come together."""
    table = drawn(3, 6, seed=2)
    a = drawn(80, 3, seed=3) @ torch.tensor([[1.0, 0.9, 0.0], [0.0, 0.3, 0.5], [0.0, 0.0, 2.0]]).double()
    z = 3 + a @ table
    close(directions.regression(z, a + 7), table)
    # With a penalty λ, in units of a factor's variance: the closed form for one factor.
    one, slope = a[:, :1], directions.regression(z, a[:, :1])
    variance = one.var(correction=0)
    close(directions.regression(z, one, ridge=0.5), slope * variance / (variance + 0.5))


def orthogonal_law(directions):
    """Nothing of the others is left, nothing else is gone."""
    others = drawn(3, 7, seed=4)  # not orthogonal to each other
    d = drawn(7, seed=5)
    rest = directions.orthogonalize(d, others)
    close(others @ rest, torch.zeros(3).double())
    gone = d - rest
    coefficients = torch.linalg.lstsq(others.T, gone[:, None]).solution
    close((others.T @ coefficients)[:, 0], gone)
    close(directions.orthogonalize(rest, others), rest)


def walk_law(directions):
    z, d, steps = drawn(4, 3), drawn(3, seed=1), torch.tensor([-2.0, 0.0, 0.5])
    path = directions.walk(z, d, steps)
    assert path.shape == (3, 4, 3)
    close(path[1], z)
    close(path[0, 2], z[2] - 2 * d)
    close(path[2] - path[1], 0.5 * d.expand(4, 3))


def curved_law(directions):
    """Codes quadratic in the factors are found again, and edited along their curve; what is their own stays."""
    a = torch.rand(80, 3, generator=seeded(3), dtype=torch.float64) + 1
    a[:, 2] = (a[:, 2] > 1.6).double()

    def made(a):
        x, y, yes = a.T
        return torch.stack([x + 2 * y * yes, x**2 - y, x * y + yes, 3 + 0 * x], dim=1)

    mean = directions.QuadraticMean().fit(made(a), a)
    close(mean(a[:9]), made(a[:9]))
    own, step = drawn(9, 4), torch.linspace(-0.5, 0.5, 9, dtype=torch.float64)
    after = a[:9].clone()
    after[:, 1] += step
    close(mean.edit(made(a[:9]) + own, a[:9], 1, step), made(after) + own)
    # With a penalty and no curve in the codes: the closed form for one factor of two values.
    yes = a[:, 2:]
    variance = yes.var(correction=0)
    close(
        directions.QuadraticMean(0.5).fit(2 * yes, yes).coefficients_,
        (2 * variance / (variance + 0.5))[None, None],
    )


def reader_law(directions):
    z = drawn(50, 4) + 2
    truth = z @ drawn(4, 2, seed=1) + 3
    reader = directions.Reader().fit(z, truth)
    new = drawn(6, 4, seed=2)
    close(reader(new), new @ drawn(4, 2, seed=1) + 3)
    weak = directions.Reader(2.0).fit(z[:, :1], truth[:, :1])
    strong = directions.Reader().fit(z[:, :1], truth[:, :1])
    variance = z[:, 0].var(correction=0)
    close(weak.weights_, strong.weights_ * variance / (variance + 2))


def r_squared_law(directions):
    truth = drawn(30, 2)
    close(directions.r_squared(truth, truth), torch.ones(2).double())
    close(directions.r_squared(truth.mean(0).expand(30, 2), truth), torch.zeros(2).double())
    half = truth.mean(0) + (truth - truth.mean(0)) / 2
    close(directions.r_squared(half, truth), torch.full((2,), 0.75).double())


def effects_law(directions):
    """A table that was written by hand: an edit that hits three of four, one that moves another to and fro."""
    before = drawn(4, 3)
    change = torch.zeros(3, 4, 3).double()
    change[0, :, 0] = torch.tensor([4.0, 2.1, 1.9, 3.0], dtype=torch.float64)  # asked: 0.4 of a range of 10
    change[1, :, 1] = -1.0  # asked: −1 of a range of 1
    change[2, :, 2] = 1.0
    change[1, :, 2] = torch.tensor([1.0, -1.0, 1.0, -1.0])
    ranges, asked = torch.tensor([10.0, 1.0, 2.0]), torch.tensor([0.4, -1.0, 0.5]).double()
    moved, hit, stray = directions.edit_effects(before, before + change, asked, ranges=ranges)
    close(hit, torch.tensor([0.75, 1.0, 1.0]).double())
    close(stray, torch.tensor([0.0, 0.5, 0.0]).double())
    expected = torch.diag(torch.tensor([0.275, 1.0, 0.5], dtype=torch.float64))
    close(moved, expected)
    each = asked[:, None].expand(3, 4).clone()
    each[0, 1] = -0.4  # this one was asked for less, and got more
    moved, hit, _ = directions.edit_effects(before, before + change, each, least=0.1, ranges=ranges)
    close(hit, torch.tensor([0.75, 1.0, 1.0]).double())
    close(moved[0, 0], torch.tensor((0.4 - 0.21 + 0.19 + 0.3) / 4, dtype=torch.float64))


FINDING, SCORING, CURVED = "finding", "scoring", "curved"
MUTANTS = [
    (difference_law, FINDING, "z[with_it].mean(dim=0) - z[~with_it].mean(dim=0)", "z[with_it].mean(dim=0)"),
    (
        difference_law,
        FINDING,
        "z[with_it].mean(dim=0) - z[~with_it].mean(dim=0)",
        "z[with_it].mean(dim=0) - z.mean(dim=0)",
    ),
    (
        difference_law,
        FINDING,
        "z[with_it].mean(dim=0) - z[~with_it].mean(dim=0)",
        "z[~with_it].mean(dim=0) - z[with_it].mean(dim=0)",
    ),
    (regression_law, FINDING, "centred = (a - a.mean(dim=0)).double()", "centred = a.double()"),
    (regression_law, FINDING, "torch.linalg.solve(covariance, products)", "products"),
    (
        regression_law,
        FINDING,
        "torch.linalg.solve(covariance, products)",
        "(products / covariance.diagonal()[:, None])",
    ),
    (
        regression_law,
        FINDING,
        "covariance.diagonal().add_(penalty)",
        "covariance.diagonal().add_(penalty / len(a))",
    ),
    (orthogonal_law, FINDING, "rest = d - basis.T @ (basis @ d)", "rest = d - V.T @ (V @ d)"),
    (orthogonal_law, FINDING, "basis = right[singular >", "basis = right[:1][singular[:1] >"),
    (walk_law, FINDING, "z + t[:, None, None] * d", "z + t[:, None, None] * d / d.norm()"),
    (walk_law, FINDING, "z + t[:, None, None] * d", "t[:, None, None] * d + 0 * z"),
    (curved_law, CURVED, "return z + self(moved) - self(a)", "return self(moved)"),
    (curved_law, CURVED, "return z + self(moved) - self(a)", "return z + self(moved - a)"),
    (curved_law, CURVED, "moved[:, index] += t", "moved[:, index] = t"),
    (curved_law, CURVED, "z.mean(dim=0) - features.mean(dim=0).to(z) @ self.coefficients_", "z.mean(dim=0)"),
    (
        curved_law,
        CURVED,
        "c[:, self._pairs[0]] * c[:, self._pairs[1]]",
        "(c[:, self._pairs[0]] * c[:, self._pairs[1]]).abs()",
    ),
    (curved_law, CURVED, "(i != j) | several[i]", "i != j"),
    (curved_law, CURVED, "regression(z, features, ridge=self.ridge)", "regression(z, features)"),
    (reader_law, SCORING, "middle_a.to(z) - self.weights_ @ middle_z", "middle_a.to(z)"),
    (
        reader_law,
        SCORING,
        "covariance.diagonal().add_(self.ridge)",
        "covariance.diagonal().add_(self.ridge**2)",
    ),
    (
        r_squared_law,
        SCORING,
        "1 - (a - p).square().sum(dim=0) / total",
        "p.square().sum(dim=0) / a.square().sum(dim=0)",
    ),
    (r_squared_law, SCORING, "total = (a - a.mean(dim=0)).square()", "total = a.square()"),
    (effects_law, SCORING, "(own / wanted >= least)", "(own >= least)"),
    (
        effects_law,
        SCORING,
        'change = (end - start) / require.positive("ranges", width).to(start)',
        'change = (end - start) * (require.positive("ranges", width).to(start) > 0)',
    ),
    (effects_law, SCORING, "change.abs().mean(dim=1).masked_fill(", "change.mean(dim=1).masked_fill("),
    (
        effects_law,
        SCORING,
        "change.abs().mean(dim=1).masked_fill(torch.eye(F, dtype=torch.bool, device=start.device), 0)",
        "change.abs().mean(dim=1)",
    ),
    (effects_law, SCORING, "stray=others.amax(dim=1)", "stray=others.amax(dim=0)"),
]
test_the_laws_hold, test_each_mistake_breaks_a_law = law_tests("directions", MUTANTS)
