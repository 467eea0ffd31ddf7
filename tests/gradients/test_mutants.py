"""The classic mistakes in gradient estimators, each made on purpose: every one must break a law."""

import pytest
import torch
from support import gradient_targets as targets
from support.mutation import law_tests

D = torch.distributions
S = 20_000


def seeded():
    return torch.Generator().manual_seed(0)


def score_law(gradients):
    for name in ("constant", "cos"):
        f, make, params, exact = targets.vector_target(name)
        targets.assert_unbiased(
            gradients.score_function_gradients(f, make, params, S, generator=seeded()), exact
        )


def few_draws_law(gradients):
    """With two draws, or four, nothing of the order 1/S is small."""
    R = 50_000
    params = (torch.full((R,), 0.7, dtype=torch.float64), torch.full((R,), -0.5, dtype=torch.float64))
    exact = targets.exact_gradients(lambda m, r: (m + (2 * r).exp() / 2).exp(), tuple(p[0] for p in params))
    variate = gradients.ControlVariate(lambda z: z, lambda m, r: m)
    for num_samples, settings in ((2, {"baseline": "leave_one_out"}), (4, {"control_variate": variate})):
        found = gradients.score_function_gradients(
            torch.exp, targets.scalar_normal, params, num_samples, generator=seeded(), **settings
        )
        targets.assert_unbiased(tuple(g.mean(dim=0) for g in found), exact)


def control_variate_law(gradients):
    """A perfect control variate leaves no variance, a poor one no bias."""
    f, make, params, exact = targets.scalar_target("exp")
    for coefficient in (None, 2.0):
        poor = gradients.ControlVariate(lambda z: z**2, lambda m, r: m**2 + (2 * r).exp(), coefficient)
        targets.assert_unbiased(
            gradients.score_function_gradients(f, make, params, S, control_variate=poor, generator=seeded()),
            exact,
        )
    perfect = gradients.ControlVariate(lambda z: f(z) / 2, lambda m, r: (m / 2 + (2 * r).exp() / 8).exp() / 2)
    found = gradients.score_function_gradients(
        f, make, params, 100, control_variate=perfect, baseline="leave_one_out", generator=seeded()
    )
    assert max(float(g.var()) for g in found) < 1e-20


def pathwise_law(gradients):
    f, make, params, exact = targets.vector_target("cos")
    targets.assert_unbiased(gradients.pathwise_gradients(f, make, params, S, generator=seeded()), exact)
    with pytest.raises(ValueError, match="f must be differentiable"):
        gradients.pathwise_gradients(lambda z: (z.sum(-1) > 0).double(), make, params, 3)


def measure_valued_law(gradients):
    for coupling in (True, False):
        for target in (targets.vector_target("exp"), targets.batch_target("exp")):
            f, make, params, exact = target
            found = gradients.measure_valued_gradients(
                f, make, params, S, coupling=coupling, generator=seeded()
            )
            targets.assert_unbiased(found, exact)


def coupling_law(gradients):
    f = torch.square
    mu, sigma = torch.tensor(0.7, dtype=torch.float64), torch.tensor(0.6, dtype=torch.float64)
    coupled, apart = (
        gradients.measure_valued_gradients(f, D.Normal, (mu, sigma), S, coupling=c, generator=seeded())
        for c in (True, False)
    )
    for one, other in zip(coupled, apart, strict=True):
        assert one.var() < 0.8 * other.var()


def discrete_law(gradients):
    """Three estimators of one sum over outcomes; the relaxed one against its own, one-dimensional integral."""
    logits = torch.tensor([0.3, -1.0, 0.8], dtype=torch.float64)

    def make(logits):
        return D.Independent(D.Bernoulli(logits=logits), 1)

    def f(z):
        return torch.cos(z @ torch.arange(1.0, 4.0, dtype=z.dtype))

    leaf = logits.clone().requires_grad_()
    outcomes = torch.cartesian_prod(*[torch.tensor([0.0, 1.0], dtype=torch.float64)] * 3)
    exact = torch.autograd.grad((f(outcomes) * make(leaf).log_prob(outcomes).exp()).sum(), leaf)
    (enumerated,) = gradients.enumerated_gradients(f, make, (logits,))
    torch.testing.assert_close(enumerated, exact[0][None], rtol=1e-12, atol=1e-12)
    targets.assert_unbiased(
        gradients.measure_valued_gradients(f, make, (logits,), S, generator=seeded()), exact
    )
    leaf = logits[0].clone().requires_grad_()
    noise = torch.linspace(-40, 40, 100_001, dtype=torch.float64)
    relaxed = torch.sigmoid((leaf + noise) / 0.5) ** 2 * torch.sigmoid(noise) * torch.sigmoid(-noise)
    exact = torch.autograd.grad(torch.trapezoid(relaxed, noise), leaf)
    found = gradients.gumbel_softmax_gradients(
        torch.square, lambda a: D.Bernoulli(logits=a), (logits[0],), S, temperature=0.5, generator=seeded()
    )
    targets.assert_unbiased(found, exact)


def report_law(gradients):
    values = torch.randn(5, 2, generator=seeded(), dtype=torch.float64)
    row = gradients.variance_report({"a": (values,)}, ["w"])["a", "w"]
    torch.testing.assert_close(row.variance, (values - values.mean(dim=0)).square().sum(dim=0) / 4)
    torch.testing.assert_close(row.standard_error, (row.variance / 5).sqrt())


MUTANTS = [
    (score_law, "score_function", "log_prob(z), params, S, z", "log_prob(z).exp(), params, S, z"),
    (few_draws_law, "score_function", " * (S / (S - 1))", ""),
    (few_draws_law, "score_function", "reversed(folds)", "folds"),
    (control_variate_law, "score_function", "pull_back(beta)", "tuple(0 * g for g in pull_back(beta))"),
    (control_variate_law, "score_function", "values - beta * h", "values + beta * h"),
    (control_variate_law, "score_function", "f - f.mean(dim=0)", "h - h.mean(dim=0)"),
    (control_variate_law, "score_function", "centred.square().mean(dim=0)", "centred.abs().mean(dim=0)"),
    (pathwise_law, "jacobian", "if not values.requires_grad:",
     "if not values.requires_grad:\n            return torch.zeros_like(z)\n        if False:"),
    (pathwise_law, "pathwise", "slope(f, z, q)", "slope(f, z, q).abs()"),
    (pathwise_law, "jacobian", 'randomness="different"', 'randomness="same"'),
    (score_law, "jacobian", "(copies, *per_sample)", "(tuple(c.detach() for c in copies), *per_sample)"),
    (measure_valued_law, "measure_valued", "math.sqrt(2 * math.pi)", "math.sqrt(math.pi)"),
    (measure_valued_law, "measure_valued", "normal(2).norm(dim=0), normal(2)", "normal(1).norm(dim=0), normal(1)"),
    (measure_valued_law, "measure_valued", "torch.copysign(in_space.norm(dim=0), in_space[0])", "in_space.norm(dim=0)"),
    (measure_valued_law, "measure_valued", "= normal(3)", "= normal(2)"),
    (measure_valued_law, "measure_valued", "q.loc - q.scale * other", "q.loc + q.scale * other"),
    (measure_valued_law, "measure_valued", "1 / q.scale", "1 / q.scale**2"),
    (measure_valued_law, "measure_valued", "torch.where(this_entry, side", "torch.where(this_entry | True, side"),
    (measure_valued_law, "measure_valued", ".movedim(0, -1)", ""),
    (coupling_law, "measure_valued", "other_weibull, eps = weibull, in_space[0]", "eps = normal()"),
    (discrete_law, "measure_valued", "(torch.ones_like(z), torch.zeros_like(z))", "(torch.ones_like(z), z)"),
    (discrete_law, "discrete", "entries).prod(dim=-1)", "entries).sum(dim=-1)"),
    (discrete_law, "discrete", "z == 1, q.probs, 1 - q.probs", "z == 1, q.probs, q.probs"),
    (discrete_law, "discrete", "// L ** torch.arange(D", "// L ** torch.zeros(D, dtype=int"),
    (discrete_law, "discrete", "noise - other", "noise"),
    (discrete_law, "discrete", "(made.logits + noise) / tau", "made.logits / tau + noise"),
    (report_law, "report", "gradient.var(dim=0)", "gradient.var(dim=0, correction=0)"),
    (report_law, "report", "(variance / S).sqrt()", "variance.sqrt() / S"),
]  # fmt: skip

test_the_laws_hold, test_each_mistake_breaks_a_law = law_tests("gradients", MUTANTS)
