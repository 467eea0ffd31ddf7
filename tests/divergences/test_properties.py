"""What holds for every pair of distributions, searched for counterexamples."""

import math

import hypothesis.extra.numpy as arrays
import hypothesis.strategies as st
import numpy as np
import torch
from hypothesis import assume, given, settings

from vaeedu.divergences import (
    cross_entropy,
    entropy,
    kl_bernoulli,
    kl_categorical,
    kl_diagonal_normal,
    kl_multivariate_normal,
    kl_normal,
)

F64 = torch.float64
often = settings(max_examples=100, deadline=None, derandomize=True)
weights = st.floats(0.0, 1.0)
number, log_scale = st.floats(-1e3, 1e3), st.floats(-10.0, 10.0)


def simplex(n, rows=1):
    """`rows` distributions over n outcomes; zeros occur often."""

    def normalised(w):
        w = np.where(w < 1e-3, 0.0, w)
        assume(bool((w.sum(-1) > 0).all()))
        return torch.from_numpy(w / w.sum(-1, keepdims=True))

    return arrays.arrays(np.float64, (rows, n), elements=weights).map(normalised)


def vector(elements, n):
    return arrays.arrays(np.float64, (n,), elements=elements).map(torch.from_numpy)


@often
@given(simplex(5, 2))
def test_categorical_is_non_negative_and_zero_for_equals_only(rows):
    q, p = rows
    kl = float(kl_categorical(q, p))
    assert kl >= 0
    assert float(kl_categorical(q, q)) == 0
    # Pinsker: a divergence below half the squared distance would be wrong.
    distance = float((q - p).abs().sum())
    assert kl >= 0.5 * distance**2 * (1 - 1e-12)
    assert (kl == 0) == bool((q == p).all())


@often
@given(simplex(6, 1))
def test_entropy_lies_between_certainty_and_the_uniform(rows):
    (p,) = rows
    assert 0 <= float(entropy(p)) <= math.log(6) + 1e-12
    uniform = torch.full((6,), 1 / 6, dtype=F64)
    assert abs(float(kl_categorical(p, uniform)) - (math.log(6) - float(entropy(p)))) < 1e-12
    assert float(cross_entropy(p, p)) == float(entropy(p))


@often
@given(vector(number, 3), vector(log_scale, 3), vector(number, 3), vector(log_scale, 3))
def test_normal_is_non_negative_and_zero_for_equals(m, s, n, t):
    assert bool((kl_normal(m, s.exp(), n, t.exp()) >= 0).all())
    assert bool((kl_normal(m, s.exp(), m, s.exp()) == 0).all())
    assert float(kl_diagonal_normal(m, s.exp(), m, s.exp())) == 0


@often
@given(weights, weights)
def test_bernoulli_is_non_negative_and_does_not_care_which_side_is_heads(q, p):
    q, p = torch.tensor(q, dtype=F64), torch.tensor(p, dtype=F64)
    kl = kl_bernoulli(q, p)
    assert float(kl) >= 0
    # 1 − q rounds, which matters where q is tiny; hence the absolute tolerance.
    assume(bool(kl.isfinite()))
    if min(float(q), float(p)) > 1e-6 and max(float(q), float(p)) < 1 - 1e-6:
        torch.testing.assert_close(kl, kl_bernoulli(1 - q, 1 - p), atol=1e-15, rtol=1e-9)


@often
@given(simplex(4, 2), simplex(3, 8))
def test_chain_rule(outer, inner):
    """KL of joints = KL of marginals + mean KL of conditionals: what a hierarchy costs adds up, level by level."""
    q, p = outer
    q_given, p_given = inner[:4], inner[4:]
    joint = kl_categorical((q[:, None] * q_given).flatten(), (p[:, None] * p_given).flatten())
    each = kl_categorical(q_given, p_given)
    total = kl_categorical(q, p) + torch.where(q > 0, q * each, 0.0).sum()
    torch.testing.assert_close(joint, total, atol=1e-12, rtol=1e-12)


@often
@given(simplex(4, 2), st.permutations(range(4)))
def test_names_of_outcomes_do_not_matter_and_merging_them_never_adds(rows, order):
    q, p = rows
    kl = kl_categorical(q, p)
    torch.testing.assert_close(kl_categorical(q[list(order)], p[list(order)]), kl, atol=1e-14, rtol=1e-12)
    merged = kl_categorical(q.reshape(2, 2).sum(-1), p.reshape(2, 2).sum(-1))
    assert float(merged) <= float(kl) + 1e-14


@often
@given(vector(st.floats(-3, 3), 30), st.floats(-1e3, 1e3), st.floats(0.01, 100.0))
def test_affine_maps_change_nothing(entries, shift, stretch):
    """Measuring in other units, or in other axes, leaves the divergence as it is: densities would change."""
    m, n, rest = entries[:3], entries[3:6], entries[6:].reshape(2, 3, 4)
    eye = torch.eye(3, dtype=F64)
    S, T = (rows @ rows.T + 0.1 * eye for rows in rest)
    A = stretch * (eye + 0.2 * torch.ones(3, 3, dtype=F64)).tril()
    before = kl_multivariate_normal(m, S, n, T)
    moved = [A @ m + shift, A @ S @ A.T, A @ n + shift, A @ T @ A.T]
    moved[1], moved[3] = ((c + c.T) / 2 for c in (moved[1], moved[3]))
    torch.testing.assert_close(
        kl_multivariate_normal(*moved), before, rtol=1e-7, atol=1e-7 * (1 + abs(shift) / stretch)
    )
    scales = S.diagonal().sqrt(), T.diagonal().sqrt()
    torch.testing.assert_close(
        kl_normal(stretch * m, stretch * scales[0], stretch * n, stretch * scales[1]),
        kl_normal(m, scales[0], n, scales[1]),
    )


def test_triangle_inequality_fails():
    """A counterexample is found among three coins: the detour is shorter than the direct way."""
    grid = torch.linspace(0.05, 0.95, 19, dtype=F64)
    direct = kl_bernoulli(grid[:, None, None], grid)
    detour = kl_bernoulli(grid[:, None, None], grid[:, None]) + kl_bernoulli(grid[:, None], grid)
    gain = direct - detour
    a, b, c = (int(i) for i in (gain == gain.max()).nonzero()[0])
    assert gain[a, b, c] > 0.5
    assert float(kl_bernoulli(grid[a], grid[c])) > float(
        kl_bernoulli(grid[a], grid[b]) + kl_bernoulli(grid[b], grid[c])
    )


def test_divergence_is_not_symmetric():
    q, p = torch.tensor([0.5, 0.5], dtype=F64), torch.tensor([0.3, 0.7], dtype=F64)
    assert abs(float(kl_categorical(q, p) - kl_categorical(p, q))) > 0.004
    assert float(kl_normal(0.0, torch.tensor(1.0), 0.0, 3.0)) < 0.25 * float(
        kl_normal(0.0, torch.tensor(3.0), 0.0, 1.0)
    )
