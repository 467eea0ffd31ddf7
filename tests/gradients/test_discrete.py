"""Gradients through discrete z: the exact sum against a loop, the others against the sum, and the relaxation's bias."""

import itertools
import math
from functools import partial

import pytest
import torch
from support import gradient_targets as targets

from vaeedu.gradients import (
    enumerated_gradients,
    gumbel_softmax_gradients,
    measure_valued_gradients,
    score_function_gradients,
)

D = torch.distributions
S = 20_000
LOGITS = torch.tensor([0.3, -1.0, 0.8], dtype=torch.float64)
TABLE = torch.tensor([[0.2, -1.0, 3.0], [1.5, 0.0, -2.0]], dtype=torch.float64)


def bernoulli_vector(logits):
    return D.Independent(D.Bernoulli(logits=logits), 1)


def bernoulli_batch(logits):
    return D.Bernoulli(logits=logits)


def one_hot(logits):
    return D.OneHotCategorical(logits=logits)


def one_hot_pair(logits):
    return D.Independent(D.OneHotCategorical(logits=logits), 1)


def categorical(logits):
    return D.Categorical(logits=logits)


def mixing(z):
    """A function of a whole event that is no sum over its entries."""
    weights = torch.arange(1.0, z.shape[-1] + 1, dtype=z.dtype)
    return torch.cos(z @ weights) + (z @ weights) ** 2


def mixing_pair(z):
    weights = torch.arange(1.0, z.shape[-1] * z.shape[-2] + 1, dtype=z.dtype).reshape(z.shape[-2:])
    return torch.cos((z * weights).sum(dim=(-2, -1)))


# name: (f, make_distribution, logits)
CASES = {
    "one bit": (lambda z: (z - 0.45) ** 2, bernoulli_batch, LOGITS[0]),
    "a batch of bits": (lambda z: torch.exp(z), bernoulli_batch, LOGITS),
    "three bits": (mixing, bernoulli_vector, LOGITS),
    "a batch of two bits": (mixing, bernoulli_vector, TABLE[:, :2]),
    "one of three": (mixing, one_hot, LOGITS),
    "a batch of ones of three": (mixing, one_hot, TABLE),
    "two ones of three": (mixing_pair, one_hot_pair, TABLE),
    "an index": (lambda z: torch.cos(3 * z) + z, categorical, LOGITS),
    "a batch of indices": (lambda z: torch.cos(3.0 * z), categorical, TABLE),
}
each_case = pytest.mark.parametrize("name", CASES)


def by_hand(f, make_distribution, logits):
    """Adds up f(z) q(z) outcome by outcome, and differentiates."""
    leaf = logits.clone().requires_grad_()
    q = make_distribution(leaf)
    event = q.event_shape
    if event and isinstance(q, D.Independent) and isinstance(q.base_dist, D.Bernoulli):
        outcomes = [torch.tensor(bits).double() for bits in itertools.product([0.0, 1.0], repeat=event[-1])]
    elif len(event) == 2:
        rows = torch.eye(event[-1], dtype=torch.float64)
        outcomes = [torch.stack(pair) for pair in itertools.product(rows, repeat=event[0])]
    elif event:
        outcomes = list(torch.eye(event[-1], dtype=torch.float64))
    else:
        kinds = 2 if isinstance(q, D.Bernoulli) else logits.shape[-1]
        dtype = torch.float64 if kinds == 2 else torch.int64
        outcomes = [torch.tensor(value, dtype=dtype) for value in range(kinds)]
    total = 0.0
    for z in outcomes:
        everywhere = z.expand((*q.batch_shape, *event))
        total = total + (f(everywhere[None])[0] * q.log_prob(everywhere).exp()).sum()
    return torch.autograd.grad(total, leaf)


@each_case
def test_enumeration_is_the_sum_over_outcomes(name):
    f, make, logits = CASES[name]
    (found,) = enumerated_gradients(f, make, (logits,), 7)
    assert found.shape == (1, *logits.shape)
    torch.testing.assert_close(found[0], by_hand(f, make, logits)[0], rtol=1e-12, atol=1e-12)


@each_case
@pytest.mark.parametrize("baseline", ["none", "leave_one_out"])
def test_the_score_function_is_unbiased(name, baseline, generator):
    f, make, logits = CASES[name]
    found = score_function_gradients(f, make, (logits,), S, baseline=baseline, generator=generator)
    targets.assert_unbiased(found, by_hand(f, make, logits))


@pytest.mark.parametrize("name", [name for name in CASES if "bit" in name])
def test_measure_valued_gradients_of_bits_are_unbiased(name, generator):
    f, make, logits = CASES[name]
    found = measure_valued_gradients(f, make, (logits,), S, generator=generator)
    targets.assert_unbiased(found, by_hand(f, make, logits))


def test_of_a_single_bit_the_measure_valued_gradient_is_exact():
    f, make, logits = CASES["one bit"]
    (found,) = measure_valued_gradients(f, make, (logits,), 4)
    torch.testing.assert_close(found, by_hand(f, make, logits)[0].expand(4), rtol=1e-12, atol=1e-12)


def relaxed_exact(f, logit, temperature):
    """d/dl E f(sigmoid((l + L)/τ)) for a logistic L, by quadrature over L."""
    leaf = logit.clone().requires_grad_()
    noise = torch.linspace(-40, 40, 400_001, dtype=torch.float64)
    density = torch.sigmoid(noise) * torch.sigmoid(-noise)
    integrand = f(torch.sigmoid((leaf + noise) / temperature)) * density
    return torch.autograd.grad(torch.trapezoid(integrand, noise), leaf)


@pytest.mark.parametrize("temperature", [0.3, 1.0, 3.0])
@pytest.mark.parametrize("f", [lambda z: (z - 0.45) ** 2, torch.exp, torch.cos])
def test_gumbel_softmax_finds_the_gradient_of_its_relaxation(f, temperature, generator):
    logit = LOGITS[0]
    found = gumbel_softmax_gradients(
        f, bernoulli_batch, (logit,), S, temperature=temperature, generator=generator
    )
    targets.assert_unbiased(found, relaxed_exact(f, logit, temperature))


def test_two_outcomes_are_the_same_as_a_bit(generator):
    """One-hot over two outcomes with logits (0, l), f of the second entry, against a Bernoulli's quadrature."""
    found = gumbel_softmax_gradients(
        lambda z: (z[..., 1] - 0.45) ** 2,
        lambda logit: one_hot(torch.stack([0 * logit, logit])),
        (LOGITS[0],),
        S,
        temperature=0.7,
        generator=generator,
    )
    targets.assert_unbiased(found, relaxed_exact(lambda z: (z - 0.45) ** 2, LOGITS[0], 0.7))


@pytest.mark.parametrize("name", ["one bit", "three bits", "one of three", "two ones of three"])
def test_the_bias_of_gumbel_softmax_shrinks_with_the_temperature_as_its_variance_grows(name, generator):
    f, make, logits = CASES[name]
    exact = by_hand(f, make, logits)[0]
    biases, errors, variances = [], [], []
    for temperature in (3.0, 1.0, 0.1):
        (found,) = gumbel_softmax_gradients(
            f, make, (logits,), 200_000, temperature=temperature, generator=generator
        )
        biases.append((found.mean(dim=0) - exact).norm())
        errors.append((found.var(dim=0) / len(found)).sum().sqrt())
        variances.append(found.var(dim=0).sum())
    assert biases[0] > 5 * errors[0]  # there is a bias
    assert biases[0] > biases[2] + 5 * errors[2]  # and it goes
    assert variances[2] > variances[0]


@pytest.mark.parametrize("name", [name for name in CASES if "ind" not in name])  # an index has no relaxation
def test_dtype_and_seed_decide(name):
    f, make, logits = CASES[name]
    runs = [
        gumbel_softmax_gradients(
            f, make, (logits.float(),), 5, temperature=0.5, generator=torch.Generator().manual_seed(seed)
        )[0]
        for seed in (1, 1, 2)
    ]
    assert runs[0].dtype == torch.float32
    assert torch.equal(runs[0], runs[1])
    assert not torch.equal(runs[0], runs[2])
    assert enumerated_gradients(f, make, (logits.float(),))[0].dtype == torch.float32


def test_extreme_logits_stay_finite(generator):
    logits = torch.tensor([-800.0, 0.0, 800.0], dtype=torch.float64)
    found = gumbel_softmax_gradients(mixing, one_hot, (logits,), 50, temperature=1e-3, generator=generator)
    assert bool(found[0].isfinite().all())
    assert bool(enumerated_gradients(mixing, one_hot, (logits,))[0].isfinite().all())


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            lambda: enumerated_gradients(torch.sin, lambda m: D.Normal(m, 1.0), (LOGITS,)),
            r"finitely many outcomes, .* but returned Normal: use score_function_gradients",
        ),
        (
            lambda: enumerated_gradients(torch.sin, vector_of_normals, (LOGITS,)),
            r"finitely many outcomes, .* but returned Normal: use score_function_gradients",
        ),
        (
            lambda: enumerated_gradients(mixing, bernoulli_vector, (torch.zeros(21),)),
            r"at most 1048576 outcomes .* event of 21 entries with 2 outcomes each has 2\^21",
        ),
        (
            lambda: enumerated_gradients(mixing, bernoulli_batch, (LOGITS,)),
            r"f must return .* = \(2, 3\), but returned shape \(2,\): .*Independent",
        ),
        (
            lambda: gumbel_softmax_gradients(torch.sin, categorical, (LOGITS,), 3, temperature=1.0),
            "must return a OneHotCategorical or Bernoulli, .* but returned Categorical",
        ),
        (
            lambda: gumbel_softmax_gradients(mixing, one_hot, (LOGITS,), 3, temperature=0.0),
            r"temperature must be a finite number greater than 0, but is 0\.0",
        ),
        (
            lambda: gumbel_softmax_gradients(mixing, one_hot, (LOGITS,), 0, temperature=1.0),
            "num_samples must be a whole number of at least 1, but is 0",
        ),
        (
            lambda: gumbel_softmax_gradients(
                lambda z: z.argmax(-1).double(), one_hot, (LOGITS,), 3, temperature=1.0
            ),
            r"f must be differentiable in z, .* use score_function_gradients",
        ),
        (lambda: enumerated_gradients(mixing, one_hot, LOGITS), r"write \(loc,\) for a single one"),
    ],
)
def test_bad_input_says_how_to_mend_it(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def vector_of_normals(loc):
    return D.Independent(D.Normal(loc, 1.0), 1)


@pytest.mark.gpu
def test_runs_on_cuda():
    f, make, logits = CASES["one of three"]
    f_on_gpu = lambda z: f(z.cpu()).cuda()  # noqa: E731
    exact = by_hand(f, make, logits)
    (found,) = enumerated_gradients(f_on_gpu, make, (logits.cuda(),))
    torch.testing.assert_close(found[0].cpu(), exact[0])
    generator = torch.Generator("cuda").manual_seed(0)
    relaxed = partial(gumbel_softmax_gradients, temperature=0.5, generator=generator)
    assert relaxed(lambda z: z[..., 0] ** 2, make, (logits.cuda(),), 5)[0].is_cuda
    assert math.isfinite(found.sum())


# ---- outcomes of probability zero ----


@pytest.mark.parametrize("p", [0.0, 1e-30, 0.3, 1.0])
def test_an_outcome_of_probability_zero_has_a_derivative(p):
    """E f = (1 − p) f(0) + p f(1), whose slope is f(1) − f(0) at every p."""
    param = torch.tensor(p, dtype=torch.float64)
    (gradient,) = enumerated_gradients(lambda z: (z - 0.25) ** 2, lambda p: D.Bernoulli(p), (param,))
    assert float(gradient) == pytest.approx(0.75**2 - 0.25**2, rel=1e-12)


def test_a_product_of_probabilities_with_zeros_has_the_derivatives_of_a_product():
    p = torch.tensor([0.0, 0.5, 1.0, 1e-200], dtype=torch.float64)
    make = lambda p: D.Independent(D.Bernoulli(p), 1)  # noqa: E731
    f = lambda z: (z * torch.tensor([1.0, 2.0, 3.0, 5.0], dtype=z.dtype)).sum(dim=-1) + z[..., 0] * z[..., 1]  # noqa: E731
    (gradient,) = enumerated_gradients(f, make, (p,))
    # E f = p₀ + 2 p₁ + 3 p₂ + 5 p₃ + p₀ p₁
    torch.testing.assert_close(gradient[0], torch.tensor([1.5, 2.0, 3.0, 5.0], dtype=torch.float64))


@pytest.mark.parametrize("family", [D.OneHotCategorical, D.Categorical])
def test_a_category_of_probability_zero_has_a_derivative(family):
    weights = torch.tensor([0.0, 0.5, 0.5], dtype=torch.float64)
    values = torch.tensor([3.0, 1.0, 0.0], dtype=torch.float64)
    f = (lambda z: z @ values) if family is D.OneHotCategorical else (lambda z: values[z])
    (gradient,) = enumerated_gradients(f, lambda w: family(w), (weights,))
    # E f = Σ w f / Σ w, so ∂/∂w_k = f_k − E f where the weights add up to one.
    torch.testing.assert_close(gradient[0], values - weights @ values)
