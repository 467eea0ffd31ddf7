"""Gaussian KLs: against torch on random and extreme parameters, against exact decimals, and near q = p."""

import decimal
import math
import re

import mpmath
import pytest
import torch
from torch.distributions import Independent, MultivariateNormal, Normal, kl_divergence

from vaeedu.divergences import kl_diagonal_normal, kl_multivariate_normal, kl_normal
from vaeedu.divergences.normal_terms import normal_terms

F64 = torch.float64


def close(ours, reference, tolerance=1e-12):
    ours, reference = ours.detach(), reference.detach()
    assert ours.shape == reference.shape
    worst = float(((ours - reference).abs() / reference.abs().clamp(min=1)).max())
    assert worst <= tolerance, worst


def random(*shape, seed):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=F64)


def extreme(n, seed):
    """Means and logarithms of scales, between 1e-6 and 1e6 in size."""
    g = torch.Generator().manual_seed(seed)
    locs = (torch.rand(2, n, generator=g, dtype=F64) * 24 - 12).exp() * random(2, n, seed=seed).sign()
    log_scales = (
        (torch.rand(2, n, generator=g, dtype=F64) * 2 - 1) * 6 * torch.log(torch.tensor(10.0, dtype=F64))
    )
    return locs[0], log_scales[0], locs[1], log_scales[1]


def values_and_gradients(kl, parameters):
    """Gradients in means and log-scales: those in scales of 1e-6 would be 1e6 times as large, and so would rounding."""
    leaves = [t.clone().requires_grad_() for t in parameters]
    loc_q, log_q, loc_p, log_p = leaves
    value = kl(loc_q, log_q.exp(), loc_p, log_p.exp())
    return value, *torch.autograd.grad(value.sum(), leaves)


def torch_normal(loc_q, scale_q, loc_p, scale_p):
    return kl_divergence(Normal(loc_q, scale_q), Normal(loc_p, scale_p))


@pytest.mark.parametrize("seed", range(4))
def test_normal_agrees_with_torch(seed):
    moderate = tuple(random(2000, seed=10 * seed + i) for i in range(4))
    for parameters in (moderate, extreme(2000, seed)):
        mine, theirs = (values_and_gradients(kl, parameters) for kl in (kl_normal, torch_normal))
        for a, b in zip(mine, theirs, strict=True):
            close(a, b)


def test_diagonal_is_the_sum_over_the_last_dimension():
    def reference(loc_q, scale_q, loc_p, scale_p):
        return kl_divergence(Independent(Normal(loc_q, scale_q), 1), Independent(Normal(loc_p, scale_p), 1))

    parameters = [random(5, 7, 3, seed=i) for i in range(4)]
    mine, theirs = (values_and_gradients(kl, parameters) for kl in (kl_diagonal_normal, reference))
    for a, b in zip(mine, theirs, strict=True):
        close(a, b)
    assert mine[0].shape == (5, 7)


def exact(loc_q, scale_q, loc_p, scale_p):
    """The textbook formula in 60 decimal digits, of the very numbers that the floats are."""
    with decimal.localcontext() as context:
        context.prec = 60
        m, s, n, t = (decimal.Decimal(v) for v in (loc_q, scale_q, loc_p, scale_p))
        return float((t / s).ln() + (s * s + (m - n) ** 2) / (2 * t * t) - decimal.Decimal("0.5"))


@pytest.mark.parametrize("scale", [1e-6, 1.0, 1e6])
@pytest.mark.parametrize("step", [0.2, 0.1, 0.0999, 1e-2, 1e-4, 1e-8, 1e-12, 1e-15])
@pytest.mark.parametrize("sign", [1, -1])
def test_no_digits_are_lost_near_equality(scale, step, sign):
    """The textbook formula has an absolute error of 1e-16 there; the divergence itself is step²."""
    q = torch.tensor([scale], dtype=F64)
    p = q * (1 + sign * step)
    reference = exact(0.0, float(q), 0.0, float(p))
    assert reference > 0
    assert float(kl_normal(0.0, q, 0.0, p)) == pytest.approx(reference, rel=1e-13)
    q.requires_grad_()
    (gradient,) = torch.autograd.grad(kl_normal(0.0, q, 0.0, p), q)
    expected = float(
        (q.detach() - p) * (q.detach() + p) / (q.detach() * p.square())
    )  # d/dσ_q: σ_q/σ_p² − 1/σ_q
    assert float(gradient) == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("step", [0.09, 1e-2, 1e-4, 1e-7, 1e-10, 1e-13])
def test_near_equality_it_is_right_to_a_few_ulps(step):
    """The reference has 60 digits; log1p alone would be wrong by ε / step."""
    q = torch.tensor([0.7, 1.0, 1.3], dtype=F64)
    p = q * torch.tensor([1 + step, 1 - step, 1 + step / 3], dtype=F64)
    with mpmath.workdps(60):
        ratios = [mpmath.mpf(s) / mpmath.mpf(t) for s, t in zip(q.tolist(), p.tolist(), strict=True)]
        reference = [(r * r - 1) / 2 - mpmath.log(r) for r in ratios]
        wrong = [
            abs(mpmath.mpf(v) / r - 1)
            for v, r in zip(kl_normal(0.0, q, 0.0, p).tolist(), reference, strict=True)
        ]
    assert max(wrong) < 8 * torch.finfo(F64).eps


def test_derivatives_of_both_orders_are_those_of_the_value():
    """At equality, near it and far from it; in every argument; also under torch.func."""
    parameters = [
        torch.tensor(values, dtype=F64, requires_grad=True)
        for values in (
            [0.3, 0.3, -1.0, 0.0],
            [1.0, 0.7, 5.0, 0.1],
            [0.3, 0.1, 2.0, 0.0],
            [1.0, 0.72, 0.5, 3.0],
        )
    ]
    assert torch.autograd.gradcheck(normal_terms, parameters)
    assert torch.autograd.gradgradcheck(normal_terms, parameters)
    expected = torch.autograd.grad(normal_terms(*parameters).sum(), parameters)
    each = torch.func.vmap(torch.func.grad(normal_terms, argnums=(0, 1, 2, 3)))(
        *(p.detach() for p in parameters)
    )
    torch.testing.assert_close(each, expected)
    torch.testing.assert_close(
        torch.stack([g[0] for g in expected]), torch.zeros(4, dtype=F64), atol=0, rtol=0
    )


@pytest.mark.parametrize("q", [1e-50, torch.tensor(1e-30)])
def test_float32_is_finite_where_the_divergence_is(q):
    """A ratio, or a plain number, below the smallest float32."""
    p = torch.tensor(1.0 if isinstance(q, float) else 1e20)
    found = kl_normal(torch.tensor(0.0), q, 0.0, p)
    assert found.dtype == torch.float32
    assert float(found) == pytest.approx(50 * math.log(10) - 0.5, rel=1e-6)


def test_float32_is_never_negative_and_keeps_its_digits():
    g = torch.Generator().manual_seed(0)
    scale = torch.rand(10_000, generator=g) + 0.5
    other = scale * (1 + 1e-4 * torch.randn(10_000, generator=g))
    ours = kl_normal(0.0, scale, 0.0, other)
    assert ours.dtype == torch.float32
    assert bool((ours >= 0).all())
    exactly = kl_normal(0.0, scale.double(), 0.0, other.double())
    torch.testing.assert_close(ours.double(), exactly, rtol=1e-5, atol=0)
    # What the series is there for: the textbook formula in the same precision is wrong in every digit, or negative.
    textbook = (other / scale).log() + scale.square() / (2 * other.square()) - 0.5
    assert float(textbook.min()) < 0


def covariance(D, condition, seed, scale=1.0):
    """A random covariance with eigenvalues from scale² / condition to scale²."""
    rotation = torch.linalg.qr(random(D, D, seed=seed))[0]
    spectrum = torch.logspace(0, -1, D, dtype=F64) ** torch.log10(torch.tensor(condition, dtype=F64))
    return scale**2 * (rotation * spectrum) @ rotation.T


def symmetrised(matrix):
    return (matrix + matrix.mT) / 2


@pytest.mark.parametrize("D", [1, 2, 5, 30])
@pytest.mark.parametrize(("condition", "tolerance"), [(10.0, 1e-12), (1e4, 1e-10), (1e8, 1e-8)])
@pytest.mark.parametrize("scale", [1e-6, 1.0, 1e6])
def test_multivariate_agrees_with_torch(D, condition, tolerance, scale):
    results = []
    for ours in (True, False):
        leaves = [
            (scale * random(3, D, seed=1)).requires_grad_(),
            symmetrised(covariance(D, condition, 2, scale)).requires_grad_(),
            (scale * random(3, D, seed=3)).requires_grad_(),
            symmetrised(covariance(D, condition, 4, 1.5 * scale)).requires_grad_(),
        ]
        if ours:
            value = kl_multivariate_normal(*leaves)
        else:
            value = kl_divergence(MultivariateNormal(*leaves[:2]), MultivariateNormal(*leaves[2:]))
        gradients = torch.autograd.grad(value.sum(), leaves)
        # As parts of the largest entry: what an ill-conditioned matrix leaves right is its large directions.
        results.append((value, *(g / gradients[i].abs().max() for i, g in enumerate(gradients))))
    for a, b in zip(*results, strict=True):
        close(a, b, tolerance)


def test_multivariate_against_the_formula_with_determinants_and_inverses():
    a, b = covariance(4, 30.0, 0), covariance(4, 20.0, 1)
    m, n = random(4, seed=2), random(4, seed=3)
    inverse = torch.linalg.inv(b)
    formula = 0.5 * (
        torch.trace(inverse @ a) - 4 + (m - n) @ inverse @ (m - n) + torch.logdet(b) - torch.logdet(a)
    )
    close(kl_multivariate_normal(m, symmetrised(a), n, symmetrised(b)), formula)


def test_multivariate_with_diagonal_covariances_is_diagonal():
    parameters = [
        random(6, 4, seed=0),
        random(6, 4, seed=1).exp(),
        random(6, 4, seed=2),
        random(6, 4, seed=3).exp(),
    ]
    m, s, n, t = parameters
    full = kl_multivariate_normal(m, s.square().diag_embed(), n, t.square().diag_embed())
    close(full, kl_diagonal_normal(m, s, n, t))


def test_multivariate_keeps_its_digits_near_equality():
    a = symmetrised(covariance(3, 5.0, 0))
    zero = torch.zeros(3, dtype=F64)
    for step in (1e-4, 1e-7, 1e-10):
        # KL(N(0, A) ‖ N(0, (1 + s)A)) = 3/2 (1/(1+s) − 1 + ln(1 + s)) = 3/4 s² − s³ + …
        value = float(kl_multivariate_normal(zero, a, zero, a * (1 + step)))
        assert value == pytest.approx(0.75 * step**2 * (1 - 4 / 3 * step), rel=max(1e-7, 1e-15 / step))
    assert 0 <= float(kl_multivariate_normal(zero, a, zero, a)) < 1e-30


def test_batches_broadcast():
    value = kl_multivariate_normal(
        random(5, 1, 2, seed=0),
        torch.eye(2, dtype=F64),
        random(3, 2, seed=1),
        2 * torch.eye(2, dtype=F64).expand(3, 2, 2),
    )
    assert value.shape == (5, 3)
    assert kl_diagonal_normal(torch.zeros(4, 3), 1.0, 0.0, torch.ones(3)).shape == (4,)
    assert kl_normal(torch.zeros(4, 1), 1.0, torch.zeros(3), 2.0).shape == (4, 3)


ONE, TWO, EYE = torch.ones(3), torch.zeros(2), torch.eye(2)
PSD = torch.tensor([[1.0, 2.0], [2.0, 1.0]])


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: kl_normal(ONE, 0.0 * ONE, ONE, ONE),
         "scale_q must hold numbers greater than 0, but scale_q[0] is 0"),
        (lambda: kl_normal(ONE, ONE, ONE, -2.0),
         "scale_p must hold numbers greater than 0, but scale_p is -2"),
        (lambda: kl_normal(ONE, ONE, torch.nan * ONE, ONE),
         "loc_p must hold finite numbers, but loc_p[0] is nan"),
        (lambda: kl_normal(ONE, torch.inf * ONE, ONE, ONE),
         "scale_q must hold finite numbers, but scale_q[0] is inf"),
        (lambda: kl_normal(ONE, ONE, torch.ones(2), ONE),
         "loc_q, scale_q, loc_p, scale_p must have shapes that broadcast"),
        (lambda: kl_normal("0", ONE, ONE, ONE), "loc_q must be a torch.Tensor or numpy.ndarray, but is str"),
        (lambda: kl_diagonal_normal(0.0, 1.0, 0.0, 1.0),
         "loc_q must have shape (..., K), to sum over its last"),
        (lambda: kl_diagonal_normal(ONE, -ONE, ONE, ONE), "use scale_q.exp() for logarithms"),
        (lambda: kl_multivariate_normal(TWO, PSD, TWO, EYE),
         "covariance_q must be positive definite, but its smallest eigenvalue is -1"),
        (lambda: kl_multivariate_normal(TWO, EYE, TWO, 0 * EYE),
         "covariance_p must be positive definite, but its smallest eigenvalue is 0: add a small"),
        (lambda: kl_multivariate_normal(TWO, PSD.triu(), TWO, EYE),
         "covariance_q must be symmetric, but differs from its transpose by 2"),
        (lambda: kl_multivariate_normal(TWO, TWO, TWO, EYE),
         "covariance_q must have shape (..., K, K), but has shape (2,): use torch.diag"),
        (lambda: kl_multivariate_normal(ONE, EYE, TWO, EYE),
         "must have the same K in their last dimension, but their shapes are loc_q (3,)"),
        (lambda: kl_multivariate_normal(torch.zeros(1), EYE, TWO, EYE), "must have the same K"),
        (lambda: kl_multivariate_normal(0.0, EYE, TWO, EYE), "must have the same K"),
        (lambda: kl_multivariate_normal(torch.zeros(3, 2), EYE, torch.zeros(4, 2), EYE),
         "must have shapes that broadcast"),
    ],
)  # fmt: skip
def test_bad_input_says_how_to_mend_it(make, words):
    with pytest.raises(ValueError, match=re.escape(words)):
        make()


@pytest.mark.gpu
def test_cuda_agrees_with_cpu():
    cpu = [random(3, 2, seed=0), EYE.double(), random(3, 2, seed=1), 2 * EYE.double()]
    torch.testing.assert_close(
        kl_multivariate_normal(*(t.cuda() for t in cpu)).cpu(), kl_multivariate_normal(*cpu)
    )
    assert kl_normal(cpu[0].cuda(), 1.0, 0.0, 1.0).is_cuda
