"""Directions against linear codes in which everything is known, and the messages for what cannot be."""

import pytest
import torch
from sklearn.linear_model import Ridge
from sklearn.metrics import r2_score

from vaeedu import directions
from vaeedu.sampling import seeded


def drawn(*shape, seed=0):
    return torch.randn(shape, generator=seeded(seed), dtype=torch.float64)


def curved():
    return directions.QuadraticMean().fit(drawn(30, 2), drawn(30, 2, seed=1))


def close(a, b, within=1e-10):
    torch.testing.assert_close(a, b, rtol=0, atol=within)


def test_the_reader_is_scikit_learns_ridge_regression():
    z, a = drawn(40, 5), drawn(40, 3, seed=1)
    for ridge in (0.0, 0.3):
        reader = directions.Reader(ridge).fit(z, a)
        theirs = Ridge(alpha=ridge * len(z)).fit(z.numpy(), a.numpy())
        close(reader.weights_, torch.from_numpy(theirs.coef_), 1e-8)
        close(reader(z), torch.from_numpy(theirs.predict(z.numpy())), 1e-8)
        expected = r2_score(a.numpy(), reader(z).numpy(), multioutput="raw_values")
        close(directions.r_squared(reader(z), a), torch.from_numpy(expected))


def test_a_code_that_never_changes_has_no_weight():
    z = torch.cat([drawn(30, 2), torch.full((30, 1), 4.0).double()], dim=1)
    reader = directions.Reader().fit(z, z[:, :1])
    close(reader.weights_, torch.tensor([[1.0, 0.0, 0.0]]).double())


def test_regression_is_the_difference_of_means_where_there_is_one_attribute():
    z, present = drawn(50, 4), drawn(50, seed=1) > 0.4
    slope = directions.regression(z, present[:, None].double())
    close(slope[0], directions.mean_difference(z, present))


def test_a_long_span_is_taken_out_whatever_its_basis():
    others, mixing = drawn(3, 8), drawn(3, 3, seed=1)
    d = drawn(8, seed=2)
    close(directions.orthogonalize(d, others), directions.orthogonalize(d, mixing @ others))
    twice = torch.cat([others, others[:1] * 1e-3])
    close(directions.orthogonalize(d, others), directions.orthogonalize(d, twice), 1e-8)


def test_a_quadratic_mean_of_float32_codes_is_float32_and_one_change_serves_all():
    z, a = drawn(30, 2).float(), drawn(30, 2, seed=1)
    mean = directions.QuadraticMean().fit(z, a)
    edited = mean.edit(z, a, 1, 0.5)
    assert edited.dtype == torch.float32
    close(edited, mean.edit(z, a, 1, torch.full((30,), 0.5)), 1e-6)
    close(mean.edit(z, a, 1, 0.0), z, 1e-6)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            lambda: directions.mean_difference(drawn(3, 2), torch.ones(3)),
            "present must hold both values, but all 3 are True",
        ),
        (
            lambda: directions.mean_difference(drawn(3, 2), torch.zeros(2)),
            r"present must have shape \(3,\), one entry for",
        ),
        (
            lambda: directions.mean_difference(drawn(2, 2), torch.tensor([0.2, 1])),
            "compare with a threshold, such as present",
        ),
        (
            lambda: directions.regression(drawn(3, 2), drawn(4, 1)),
            "z and factors must have a row for each example, but have 3 and 4",
        ),
        (
            lambda: directions.regression(drawn(9, 2), torch.ones(9, 1).double()),
            "some column is constant, or a combination of others",
        ),
        (
            lambda: directions.regression(drawn(9, 2), drawn(9, 1), ridge=-1.0),
            "ridge must be a finite number of at least 0",
        ),
        (
            lambda: directions.orthogonalize(drawn(3), drawn(3)[None] * 2),
            "nothing is left of it: it cannot be moved alone",
        ),
        (lambda: directions.orthogonalize(drawn(3), drawn(2, 4)), "others must"),
        (lambda: directions.walk(drawn(2, 3), drawn(2), drawn(4)), "direction must be a tensor of shape"),
        (lambda: directions.QuadraticMean(-1.0), "ridge must be a finite number of at least 0"),
        (
            lambda: directions.QuadraticMean().fit(drawn(5, 2), drawn(5, 2)),
            "z must have more rows than the 5 factors and products, but has 5",
        ),
        (
            lambda: directions.QuadraticMean().fit(drawn(30, 2), drawn(30, 1).expand(30, 2)),
            "some column is constant, or a combination of others",
        ),
        (lambda: directions.QuadraticMean()(drawn(3, 2)), r"call fit\(z, factors\) first"),
        (lambda: curved()(drawn(3, 3)), "factors must"),
        (
            lambda: curved().edit(drawn(4, 2), drawn(3, 2), 0, 1.0),
            "z and factors must have a row for each example, but have 4 and 3 rows",
        ),
        (
            lambda: curved().edit(drawn(3, 2), drawn(3, 2), 2, 1.0),
            "index must be that of one of 2 factors, but is 2",
        ),
        (
            lambda: curved().edit(drawn(3, 2), drawn(3, 2), 0, drawn(2)),
            r"change must be a number or have shape \(3,\), but has \(2,\)",
        ),
        (lambda: directions.Reader(-1.0), "ridge must be a finite number of at least 0"),
        (
            lambda: directions.Reader().fit(drawn(3, 2), drawn(4, 2)),
            "z and factors must have as many rows, but have 3 and 4",
        ),
        (
            lambda: directions.r_squared(drawn(3, 2), drawn(3, 1)),
            "predicted and truth must have the same shape",
        ),
        (
            lambda: directions.r_squared(drawn(3, 1), torch.ones(3, 1).double()),
            "truth must vary, but column 0 is constant",
        ),
        (
            lambda: directions.edit_effects(drawn(4, 2), drawn(3, 4, 2), drawn(2)),
            r"after must have shape \(F, B, F\) = \(2, 4, 2\)",
        ),
        (
            lambda: directions.edit_effects(drawn(4, 2), drawn(2, 4, 2), torch.zeros(2)),
            "asked must not be 0 for any factor",
        ),
        (
            lambda: directions.edit_effects(drawn(4, 2), drawn(2, 4, 2), drawn(2), ranges=torch.zeros(2)),
            "ranges must hold numbers greater than 0",
        ),
    ],
)
def test_what_cannot_be_is_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()
