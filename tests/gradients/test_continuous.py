"""Score function, pathwise and measure-valued gradients against closed forms, and what tells them apart."""

from functools import partial

import pytest
import torch
from support import gradient_targets as targets
from torch.distributions import Distribution

from vaeedu.gradients import (
    ControlVariate,
    measure_valued_gradients,
    pathwise_gradients,
    score_function_gradients,
)

D = torch.distributions
S = 20_000
MU, SIGMA = torch.tensor(0.7, dtype=torch.float64), torch.tensor(0.6, dtype=torch.float64)
QUADRATIC = ControlVariate(lambda z: z**2, lambda m, r: m**2 + (2 * r).exp())
LINEAR = ControlVariate(lambda z: z, lambda m, r: m)
VECTOR_LINEAR = ControlVariate(lambda z: z.sum(-1), lambda m, r: m.sum())

ESTIMATORS = {
    "score": score_function_gradients,
    "leave one out": partial(score_function_gradients, baseline="leave_one_out"),
    "pathwise": pathwise_gradients,
    "measure-valued": measure_valued_gradients,
    "uncoupled": partial(measure_valued_gradients, coupling=False),
}
each = pytest.mark.parametrize("estimator", ESTIMATORS.values(), ids=ESTIMATORS)


@each
@pytest.mark.parametrize("name", targets.ONE_NUMBER)
@pytest.mark.parametrize("target", [targets.scalar_target, targets.batch_target])
def test_unbiased_for_numbers(estimator, name, target, generator):
    f, make, params, exact = target(name)
    targets.assert_unbiased(estimator(f, make, params, S, generator=generator), exact)


@each
@pytest.mark.parametrize("name", targets.VECTOR)
def test_unbiased_for_vectors(estimator, name, generator):
    f, make, params, exact = targets.vector_target(name)
    targets.assert_unbiased(estimator(f, make, params, S, generator=generator), exact)


@pytest.mark.parametrize("estimator", ["score", "leave one out", "pathwise"])
@pytest.mark.parametrize("name", targets.VECTOR)
def test_unbiased_for_a_full_covariance(estimator, name, generator):
    f, make, params, exact = targets.vector_target(name, targets.full_normal)
    targets.assert_unbiased(ESTIMATORS[estimator](f, make, params, S, generator=generator), exact)


def test_pathwise_through_a_uniform(generator):
    """E z² over [0, w] is w²/3."""
    width = torch.tensor(2.5, dtype=torch.float64)
    found = pathwise_gradients(
        lambda z: z**2, lambda w: D.Uniform(0 * w, w), (width,), S, generator=generator
    )
    targets.assert_unbiased(found, (2 * width / 3,))


def test_a_jump_is_seen_by_values_and_not_by_slopes(generator):
    """The derivative of P(z > 1) is the density at 1; f itself has slope 0 nearly everywhere."""
    density = D.Normal(MU, SIGMA).log_prob(torch.tensor(1.0)).exp()
    exact = (density, density * (1 - MU) / SIGMA)
    for estimator in (score_function_gradients, measure_valued_gradients):
        targets.assert_unbiased(
            estimator(lambda z: z > 1, D.Normal, (MU, SIGMA), S, generator=generator), exact
        )
    with pytest.raises(ValueError, match=r"f must be differentiable in z, .* use score_function_gradients"):
        pathwise_gradients(lambda z: (z > 1).double(), D.Normal, (MU, SIGMA), S)


@pytest.mark.parametrize("coefficient", [None, 0.0, -1.5, 2.0])
@pytest.mark.parametrize("baseline", ["none", "leave_one_out"])
@pytest.mark.parametrize("name", targets.ONE_NUMBER)
def test_any_control_variate_leaves_the_mean_alone(coefficient, baseline, name, generator):
    f, make, params, exact = targets.scalar_target(name)
    variate = ControlVariate(QUADRATIC.function, QUADRATIC.expectation, coefficient)
    found = score_function_gradients(
        f, make, params, S, baseline=baseline, control_variate=variate, generator=generator
    )
    targets.assert_unbiased(found, exact)


def test_a_control_variate_works_on_events_too(generator):
    f, make, params, exact = targets.vector_target("exp")
    found = score_function_gradients(f, make, params, S, control_variate=VECTOR_LINEAR, generator=generator)
    targets.assert_unbiased(found, exact)


@pytest.mark.parametrize(
    ("num_samples", "settings"),
    [
        (2, {"baseline": "leave_one_out"}),
        (4, {"control_variate": LINEAR}),
        (5, {"control_variate": LINEAR, "baseline": "leave_one_out"}),
    ],
)
def test_unbiased_with_the_fewest_draws(num_samples, settings, generator):
    """A baseline that looks at its own draw has a bias of the order 1/S, which only few draws show."""
    R = 50_000
    params = (MU.expand(R), SIGMA.log().expand(R))
    found = score_function_gradients(
        torch.exp, targets.scalar_normal, params, num_samples, generator=generator, **settings
    )
    exact = targets.exact_gradients(lambda m, r: (m + (2 * r).exp() / 2).exp(), (MU, SIGMA.log()))
    targets.assert_unbiased(tuple(g.mean(dim=0) for g in found), exact)


def test_baselines_and_control_variates_take_variance_away(generator):
    """f = z² + 10: the constant goes with a baseline, everything with the right control variate."""

    def variance(**settings):
        found = score_function_gradients(
            lambda z: z**2 + 10, targets.scalar_normal, (MU, SIGMA.log()), S, generator=generator, **settings
        )
        return torch.stack([g.var() for g in found])

    plain, centred = variance(), variance(baseline="leave_one_out")
    perfect = variance(baseline="leave_one_out", control_variate=QUADRATIC)
    given = ControlVariate(QUADRATIC.function, QUADRATIC.expectation, 1.0)
    assert bool((centred < plain / 10).all())
    assert bool((perfect < 1e-20).all())
    assert bool((variance(baseline="leave_one_out", control_variate=given) < 1e-20).all())


def test_coupling_helps_where_f_is_even_and_hurts_where_it_is_linear(generator):
    """Along μ, sharing W cancels what f(μ + σW) and f(μ − σW) have in common, and doubles what is opposite."""

    def variances(f, coupling):
        found = measure_valued_gradients(f, D.Normal, (MU, SIGMA), S, coupling=coupling, generator=generator)
        return torch.stack([g.var() for g in found])

    quadratic = [variances(torch.square, coupling) for coupling in (True, False)]
    linear = [variances(lambda z: z, coupling) for coupling in (True, False)]
    assert bool((quadratic[0] < 0.8 * quadratic[1]).all())
    assert linear[0][0] / linear[1][0] == pytest.approx(2.0, rel=0.1)
    assert linear[0][1] < 0.8 * linear[1][1]  # along σ, z⁺ and z⁻ lie on the same side


def test_pathwise_gradients_of_a_linear_function_have_no_variance(generator):
    loc, log_scale = pathwise_gradients(
        lambda z: z @ targets.SLOPE,
        targets.vector_normal,
        (targets.LOC, targets.LOG_SCALE),
        50,
        generator=generator,
    )
    torch.testing.assert_close(loc, targets.SLOPE.expand(50, 3))
    assert bool((log_scale.std(dim=0) > 0).all())


def test_variances_agree_with_their_closed_forms(generator):
    """f = z, z ~ N(μ, σ²). Score: (μ² + 2σ²)/σ². Measure-valued: 4 var(W)/2π, var(W) = 2 − π/2."""
    score, _ = score_function_gradients(lambda z: z, D.Normal, (MU, SIGMA), 400_000, generator=generator)
    measure, _ = measure_valued_gradients(lambda z: z, D.Normal, (MU, SIGMA), 400_000, generator=generator)
    for gradient, variance in (
        (score, (MU**2 + 2 * SIGMA**2) / SIGMA**2),
        (measure, 4 * (2 - torch.pi / 2) / (2 * torch.pi)),
    ):
        squares = (gradient - 1) ** 2
        targets.assert_unbiased((squares,), (torch.as_tensor(variance, dtype=torch.float64),))


@each
def test_estimates_are_linear_in_f(estimator):
    def run(f):
        g = torch.Generator().manual_seed(3)
        return estimator(f, targets.scalar_normal, (targets.LOC, targets.LOG_SCALE), 7, generator=g)

    both = run(lambda z: 2 * z.sin() - z**3)
    apart = [2 * a - b for a, b in zip(run(torch.sin), run(lambda z: z**3), strict=True)]
    for one, other in zip(both, apart, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("name", [name for name in ESTIMATORS if name != "leave one out"])
def test_a_change_of_f_at_one_draw_changes_its_gradient_alone(name):
    def run(marked):
        def f(z):
            weight = torch.ones(len(z), dtype=z.dtype)
            weight[marked::6] = 2.0  # all evaluations that belong to this draw
            return z.sum(-1) * weight

        g = torch.Generator().manual_seed(3)
        return ESTIMATORS[name](f, targets.vector_normal, (targets.LOC, targets.LOG_SCALE), 6, generator=g)

    for one, other in zip(run(0), run(1), strict=True):
        torch.testing.assert_close(one[2:], other[2:])
        assert bool((one[:2] != other[:2]).any(dim=1).all())


@each
def test_shared_parameters_and_networks_are_differentiated_through(estimator, generator):
    """One weight makes both location and scale: E z² = w² + w⁴."""
    weight = torch.tensor(0.8, dtype=torch.float64)
    found = estimator(torch.square, lambda w: D.Normal(w, w**2), (weight,), S, generator=generator)
    targets.assert_unbiased(found, (2 * weight + 4 * weight**3,))


@each
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_same_seed_same_gradients_in_the_parameters_dtype(estimator, dtype):
    params = (targets.LOC.to(dtype), targets.LOG_SCALE.to(dtype))
    before = torch.random.get_rng_state()
    first, again, other = (
        estimator(torch.cos, targets.scalar_normal, params, 5, generator=torch.Generator().manual_seed(seed))
        for seed in (1, 1, 2)
    )
    assert torch.equal(torch.random.get_rng_state(), before)
    for a, b, c in zip(first, again, other, strict=True):
        assert a.dtype == dtype
        assert torch.equal(a, b)
        assert not torch.equal(a, c)


@each
def test_parameters_with_a_history_are_left_alone(estimator):
    leaf = torch.tensor(1.0, dtype=torch.float64, requires_grad=True)
    (found,) = estimator(torch.sin, lambda m: D.Normal(m, 1.0), (2 * leaf,), 5)
    assert not found.requires_grad
    assert leaf.grad is None


def test_torchs_own_validation_is_as_before(generator):
    def failing(loc):
        if not Distribution._validate_args:
            raise RuntimeError("inside")
        return D.Normal(loc, 1.0)

    for validate in (True, False):
        Distribution.set_default_validate_args(validate)
        try:
            pathwise_gradients(torch.sin, lambda m: D.Normal(m, 1.0), (MU,), 3)
            assert Distribution._validate_args is validate
        finally:
            Distribution.set_default_validate_args(True)
    with pytest.raises(RuntimeError, match="inside"):
        pathwise_gradients(torch.sin, failing, (MU,), 3)
    assert Distribution._validate_args is True


BAD = [
    ({"params": MU}, r"params must be a tuple of tensors, but is Tensor: write \(loc,\)"),
    ({"params": ()}, "params must be a tuple of tensors"),
    (
        {"params": (MU, 1.0)},
        "params must be a tuple of tensors, but is tuple of Tensor, float: .* torch.tensor",
    ),
    ({"params": (MU, torch.tensor(1))}, r"params\[1\] must be float32 or float64, but is torch.int64"),
    (
        {"params": (MU, torch.tensor(torch.nan))},
        r"params\[1\] must hold finite numbers, but params\[1\] is nan",
    ),
    ({"params": (MU, -SIGMA)}, r"parameter scale .* GreaterThan\(lower_bound=0.0\).*\n?.*-0.6"),
    ({"num_samples": 0}, "num_samples must be a whole number of at least 1, but is 0"),
    (
        {"make_distribution": lambda m, s: m + s},
        "make_distribution must return .*Distribution, but returned Tensor",
    ),
    (
        {"f": torch.sum},
        r"f must return .* \(S, \*batch_shape\) = \(.*,\), but returned shape \(\): sum over .*Independent",
    ),
    ({"f": lambda z: 3.0}, "f must return one value .* but returned float"),
    ({"f": lambda z: z / 0}, "f must return finite values, but one of them is .*inf"),
]


@each
@pytest.mark.parametrize(("change", "message"), BAD)
def test_bad_input_says_how_to_mend_it(estimator, change, message):
    call = {"f": torch.sin, "make_distribution": D.Normal, "params": (MU, SIGMA), "num_samples": 6} | change
    with pytest.raises(ValueError, match=message):
        estimator(**call)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            lambda: score_function_gradients(torch.sin, D.Normal, (MU, SIGMA), 5, baseline="mean"),
            "baseline must be one of 'none', 'leave_one_out', but is 'mean'",
        ),
        (
            lambda: score_function_gradients(torch.sin, D.Normal, (MU, SIGMA), 1, baseline="leave_one_out"),
            "num_samples must be at least 2 with baseline='leave_one_out', but is 1",
        ),
        (
            lambda: score_function_gradients(torch.sin, D.Normal, (MU, SIGMA), 3, control_variate=QUADRATIC),
            "num_samples must be at least 4 to estimate a control variate's coefficient, but is 3",
        ),
        (
            lambda: score_function_gradients(
                torch.sin, D.Normal, (MU, SIGMA), 9, control_variate=ControlVariate(torch.sum, lambda m, s: m)
            ),
            r"control_variate.function must return one value .*= \(9,\), but returned shape \(\)",
        ),
        (
            lambda: pathwise_gradients(torch.sin, lambda p: D.Bernoulli(p), (SIGMA,), 3),
            "Normal, MultivariateNormal or Uniform, .* but returned Bernoulli: use score_function_gradients",
        ),
        (
            lambda: measure_valued_gradients(torch.sin, lambda w: D.Uniform(0 * w, w), (SIGMA,), 3),
            "must return a Normal or Bernoulli, .* but returned Uniform: .* use score_function_gradients",
        ),
        (
            lambda: score_function_gradients(torch.sin, D.Cauchy, (MU, SIGMA), 3),
            "distribution must be one of Normal, .*, but is Cauchy",
        ),
    ],
)
def test_what_an_estimator_cannot_do_it_refuses(call, message):
    with pytest.raises(ValueError, match=message):
        call()


@pytest.mark.gpu
@each
def test_runs_on_cuda(estimator):
    params = (targets.LOC.cuda(), targets.LOG_SCALE.cuda())
    f, _, _, exact = targets.batch_target("cos")
    found = estimator(f, targets.scalar_normal, params, S, generator=torch.Generator("cuda").manual_seed(0))
    assert all(g.is_cuda for g in found)
    targets.assert_unbiased(tuple(g.cpu() for g in found), exact)
