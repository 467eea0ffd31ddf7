"""Entropy, cross-entropy and KL of discrete distributions: against torch, against exact decimals, and at the edges."""

import decimal
import math
import re

import numpy as np
import pytest
import scipy.special
import torch
from torch.distributions import Bernoulli, Categorical, kl_divergence

from vaeedu.divergences import cross_entropy, entropy, kl_bernoulli, kl_categorical

F64 = torch.float64
DTYPES = (torch.float32, torch.float64)


def close(ours, reference):
    """|ours − reference| ≤ 1e-12 max(1, |reference|), entry by entry."""
    assert ours.shape == reference.shape
    assert bool(((ours - reference).abs() <= 1e-12 * reference.abs().clamp(min=1)).all())


def logits(*shape, spread, seed):
    return spread * torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=F64)


@pytest.mark.parametrize("spread", [0.1, 1.0, 10.0, 100.0])
@pytest.mark.parametrize("L", [1, 2, 5, 1000])
def test_values_and_gradients_agree_with_torch(spread, L):
    """Gradients through a softmax: along the simplex, where every way of writing the divergence agrees."""
    results = []
    for ours in (True, False):
        a, b = (logits(7, L, spread=spread, seed=s).requires_grad_() for s in (1, 2))
        q, p = a.softmax(-1), b.softmax(-1)
        if ours:
            kl, h = kl_categorical(q, p), entropy(q)
        else:
            kl, h = kl_divergence(Categorical(logits=a), Categorical(logits=b)), Categorical(q).entropy()
        results.append((kl, h, *torch.autograd.grad(kl.sum(), (a, b), retain_graph=True)))
    for mine, theirs in zip(*results, strict=True):
        close(mine, theirs)


def test_bernoulli_agrees_with_torch():
    g = torch.Generator().manual_seed(0)
    # Beyond log-odds of 20 torch replaces softplus(x) by x, which is wrong by 1e-9.
    tiny = 10.0 ** -torch.arange(1, 9, dtype=F64)
    sides = torch.cat([torch.rand(20, generator=g, dtype=F64), tiny, 1 - tiny])
    results = []
    for ours in (True, False):
        q, p = (t.clone().requires_grad_() for t in torch.cartesian_prod(sides, sides).T)
        kl = kl_bernoulli(q, p) if ours else kl_divergence(Bernoulli(q), Bernoulli(p))
        # In log-odds: gradients in p itself reach 1e12, and so does their rounding.
        grads = torch.autograd.grad(kl.sum(), (q, p))
        results.append((kl, *(d * t * (1 - t) for d, t in zip(grads, (q, p), strict=True))))
    for mine, theirs in zip(*results, strict=True):
        close(mine, theirs)


def test_bernoulli_agrees_with_scipy_at_the_extremes():
    tiny = 10.0 ** -torch.arange(1, 16, dtype=F64)
    q, p = torch.cartesian_prod(*[torch.cat([tiny, 1 - tiny])] * 2).T
    sides = [(a.numpy(), b.numpy()) for a, b in ((q, p), (1 - q, 1 - p))]
    close(kl_bernoulli(q, p), torch.from_numpy(sum(scipy.special.kl_div(a, b) for a, b in sides)))


def test_bernoulli_is_categorical_with_two_outcomes():
    q, p = torch.rand(2, 50, generator=torch.Generator().manual_seed(0), dtype=F64)
    close(kl_bernoulli(q, p), kl_categorical(torch.stack([q, 1 - q], -1), torch.stack([p, 1 - p], -1)))


def test_known_numbers():
    coin = torch.tensor([0.5, 0.5], dtype=F64)
    die, letters = torch.full((6,), 1 / 6, dtype=F64), torch.full((26,), 1 / 26, dtype=F64)
    assert float(entropy(coin, base=2)) == 1.0
    assert float(entropy(die, base=2)) == pytest.approx(math.log2(6), rel=1e-14)
    assert float(entropy(letters)) == pytest.approx(math.log(26), rel=1e-14)
    loaded = torch.tensor([0.3, 0.7], dtype=F64)
    assert float(kl_categorical(coin, loaded)) == pytest.approx(0.5 * math.log(0.25 / 0.21), rel=1e-14)
    assert round(float(kl_categorical(coin, loaded)), 4) == 0.0872
    assert round(float(kl_categorical(loaded, coin)), 4) == 0.0823
    assert round(float(kl_categorical(coin, loaded, base=2)), 3) == 0.126
    assert round(float(kl_categorical(loaded, coin, base=2)), 3) == 0.119


def test_kl_is_cross_entropy_minus_entropy():
    q, p = (logits(4, 9, spread=2.0, seed=s).softmax(-1) for s in (1, 2))
    for base in (2, math.e):
        close(kl_categorical(q, p, base=base), cross_entropy(q, p, base=base) - entropy(q, base=base))
        close(kl_categorical(q, p, base=base) * math.log(base), kl_categorical(q, p))


@pytest.mark.parametrize("dtype", DTYPES)
def test_zeros_by_the_definition(dtype):
    q = torch.tensor([[0.5, 0.5, 0.0], [0.0, 1.0, 0.0], [0.5, 0.5, 0.0]], dtype=dtype)
    p = torch.tensor([[0.25, 0.5, 0.25], [0.0, 1.0, 0.0], [0.0, 0.5, 0.5]], dtype=dtype)
    log2 = math.log(2)
    expected = torch.tensor([0.5 * log2, 0.0, math.inf], dtype=dtype)
    torch.testing.assert_close(kl_categorical(q, p), expected)
    torch.testing.assert_close(cross_entropy(q, p), torch.tensor([1.5 * log2, 0.0, math.inf], dtype=dtype))
    torch.testing.assert_close(entropy(q), torch.tensor([log2, 0.0, log2], dtype=dtype))
    sides = torch.tensor([0.0, 1.0], dtype=dtype)
    expected = torch.tensor([[0.0, math.inf], [math.inf, 0.0]], dtype=dtype)
    torch.testing.assert_close(kl_bernoulli(sides[:, None], sides), expected)


@pytest.mark.parametrize("dtype", DTYPES)
def test_gradients_are_right_where_probabilities_are_zero(dtype):
    """Dropping the impossible outcome changes neither the value nor the gradient in the others' logits."""
    big = torch.tensor([0.3, -0.2, 0.9, -math.inf], dtype=dtype, requires_grad=True)
    small = torch.tensor([0.3, -0.2, 0.9], dtype=dtype, requires_grad=True)
    p = torch.tensor([0.2, 0.3, 0.5], dtype=dtype)
    padded = torch.cat([p, torch.zeros(1, dtype=dtype)])
    for value in (
        lambda q, r: entropy(q),
        lambda q, r: kl_categorical(q, r),
        lambda q, r: kl_categorical(r, q),
        lambda q, r: cross_entropy(q, r),
        lambda q, r: cross_entropy(r, q),
    ):
        whole, part = value(big.softmax(-1), padded), value(small.softmax(-1), p)
        torch.testing.assert_close(whole, part)
        (of_whole,), (of_part,) = torch.autograd.grad(whole, big), torch.autograd.grad(part, small)
        torch.testing.assert_close(of_whole[:3], of_part)
        assert float(of_whole[3]) == 0.0


@pytest.mark.parametrize("dtype", DTYPES)
def test_gradients_with_respect_to_probabilities_are_finite_at_zero(dtype):
    q = torch.tensor([0.0, 0.4, 0.6], dtype=dtype, requires_grad=True)
    p = torch.tensor([0.1, 0.0, 0.9], dtype=dtype, requires_grad=True)
    r = torch.tensor([0.0, 0.5, 0.5], dtype=dtype, requires_grad=True)
    for value in (entropy(q), kl_categorical(q, r), cross_entropy(q, r), kl_bernoulli(q, r).sum()):
        assert bool(value.isfinite())
        assert all(
            bool(g.isfinite().all())
            for g in torch.autograd.grad(value, (q, r), allow_unused=True)
            if g is not None
        )
    assert kl_categorical(q, p) == math.inf
    (in_p,) = torch.autograd.grad(cross_entropy(r, q), q)
    torch.testing.assert_close(in_p, -r.detach() / torch.tensor([1.0, 0.4, 0.6], dtype=dtype))


def exact_kl(q, p):
    """Σ q ln(q/p) − q + p in 60 decimal digits, of the very numbers that the tensors hold."""
    with decimal.localcontext() as context:
        context.prec = 60
        total = decimal.Decimal(0)
        for a, b in zip(map(decimal.Decimal, q.tolist()), map(decimal.Decimal, p.tolist()), strict=True):
            total += a * (a / b).ln() - a + b
        return float(total)


@pytest.mark.parametrize("step", [1e-1, 1e-3, 1e-6, 1e-9, 1e-12, 1e-15])
def test_no_digits_are_lost_where_q_nearly_equals_p(step):
    q = torch.tensor([0.1, 0.2, 0.3, 0.4], dtype=F64)
    p = q + step * torch.tensor([1.0, -1.0, 0.5, -0.5], dtype=F64) * 0.1
    reference = exact_kl(q, p)
    assert reference > 0
    assert float(kl_categorical(q, p)) == pytest.approx(reference, rel=1e-13)
    a, b = q[:1], p[:1]
    both = exact_kl(torch.cat([a, 1 - a]), torch.cat([b, 1 - a - (b - a)]))
    assert float(kl_bernoulli(a, b)) == pytest.approx(both, rel=max(1e-12, 1e-15 / step))


def test_the_branches_meet_without_a_step():
    q = torch.full((2001,), 0.5, dtype=F64)
    p = 0.5 * (1 + torch.linspace(0.0999, 0.1001, 2001, dtype=F64))
    references = [
        exact_kl(torch.stack([a, 1 - a]), torch.stack([b, 1 - b])) for a, b in zip(q, p, strict=True)
    ]
    np.testing.assert_allclose(kl_bernoulli(q, p), references, rtol=1e-13)


def test_subnormal_float32_probabilities_do_not_overflow():
    q = torch.tensor([1e-44, 1.0])
    p = torch.tensor([0.5, 0.5])
    assert float(kl_categorical(q, p)) == pytest.approx(math.log(2), rel=1e-6)


def test_leading_dimensions_broadcast_and_are_kept():
    p = logits(3, 1, 4, spread=1.0, seed=0).softmax(-1)
    q = logits(5, 4, spread=1.0, seed=1).softmax(-1)
    assert kl_categorical(q, p).shape == cross_entropy(p, q).shape == (3, 5)
    close(kl_categorical(q, p)[2, 3], kl_categorical(q[3], p[2, 0]))
    assert entropy(p).shape == (3, 1)


def test_numpy_arrays_are_taken():
    assert float(entropy(np.array([0.5, 0.5]), base=2)) == 1.0


OK = torch.tensor([0.5, 0.5])


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: entropy(torch.tensor([0.5, 0.6])),
         "p must sum to 1 over its last dimension, but a sum is 1.1"),
        (lambda: entropy(torch.tensor([[0.5, 0.5], [2.0, 6.0]])),
         "a sum is 8: use p / p.sum(-1, keepdim=True)"),
        (lambda: entropy(torch.tensor([1.5, -0.5])), "p[1] is -0.5: use torch.softmax(p, -1) for scores"),
        (lambda: entropy(torch.tensor([torch.nan, 1.0])), "p must hold finite numbers, but p[0] is nan"),
        (lambda: entropy(torch.tensor(1.0)), "p must have shape (..., L) with L outcomes"),
        (lambda: entropy(torch.ones(3, 0)), "but has shape (3, 0): list the probability of every outcome"),
        (lambda: entropy(torch.tensor([1, 0])), "p must be float32 or float64, but is torch.int64"),
        (lambda: entropy([0.5, 0.5]), "p must be a torch.Tensor or numpy.ndarray, but is list"),
        (lambda: entropy(OK, base=10), "base must be math.e for nats or 2 for bits, but is 10"),
        (lambda: cross_entropy(OK, torch.tensor([1.0])),
         "but have 2 and 1: give an outcome that one of them lacks"),
        (lambda: cross_entropy(OK, OK, base=3.0), "base must be math.e"),
        (lambda: kl_categorical(OK, torch.tensor([0.2, 0.2])), "p must sum to 1"),
        (lambda: kl_categorical(torch.tensor([0.2, 0.2]), OK), "q must sum to 1"),
        (lambda: kl_categorical(OK.expand(3, 2), OK.expand(4, 2)),
         "q, p must have shapes that broadcast, but have (3, 2), (4, 2)"),
        (lambda: kl_categorical(OK, OK, base=0), "base must be math.e"),
        (lambda: kl_bernoulli(torch.tensor([1.5]), OK), "probs_q must lie in [0, 1]"),
        (lambda: kl_bernoulli(OK, torch.tensor([-0.5])), "probs_p must lie in [0, 1]"),
        (lambda: kl_bernoulli(torch.ones(3), torch.ones(2)),
         "probs_q, probs_p must have shapes that broadcast"),
    ],
)  # fmt: skip
def test_bad_input_says_how_to_mend_it(make, words):
    with pytest.raises(ValueError, match=re.escape(words)):
        make()


@pytest.mark.parametrize("dtype", DTYPES)
def test_sums_within_rounding_are_taken(dtype):
    for L in (3, 1000, 100_000):
        p = (3 * torch.randn(4, L, generator=torch.Generator().manual_seed(0), dtype=dtype)).softmax(-1)
        assert bool(entropy(p).isfinite().all())
    with pytest.raises(ValueError, match="must sum to 1"):
        entropy(torch.tensor([0.5, 0.5 + 1000 * torch.finfo(dtype).eps], dtype=dtype))


@pytest.mark.gpu
def test_cuda_agrees_with_cpu():
    q, p = (logits(4, 9, spread=2.0, seed=s).softmax(-1) for s in (1, 2))
    for function in (kl_categorical, cross_entropy):
        torch.testing.assert_close(function(q.cuda(), p.cuda()).cpu(), function(q, p))
