"""Expectations in closed form, whose gradients the estimators must find, and what it means to find one."""

import torch

D = torch.distributions
LOC = torch.tensor([0.7, -1.2, 0.3], dtype=torch.float64)
LOG_SCALE = torch.tensor([-0.4, 0.2, -1.0], dtype=torch.float64)
SLOPE = torch.tensor([1.5, -2.0, 0.5], dtype=torch.float64)


def scalar_normal(loc, log_scale):
    return D.Normal(loc, log_scale.exp())


def vector_normal(loc, log_scale):
    return D.Independent(D.Normal(loc, log_scale.exp()), 1)


def full_normal(loc, log_scale):
    """Correlated: the Cholesky factor has ones of its own below the diagonal."""
    lower = torch.tril(torch.ones(3, 3, dtype=loc.dtype), diagonal=-1)
    return D.MultivariateNormal(loc, scale_tril=0.4 * lower + torch.diag(log_scale.exp()))


# name: (f of one number, E f for z ~ N(m, s²))
ONE_NUMBER = {
    "constant": (lambda z: 0 * z + 3.0, lambda m, s: 3.0 + 0 * m),
    "linear": (lambda z: 2 * z - 1, lambda m, s: 2 * m - 1),
    "quadratic": (lambda z: z**2 - z, lambda m, s: m**2 + s**2 - m),
    "cos": (lambda z: torch.cos(2 * z), lambda m, s: (-2 * s**2).exp() * torch.cos(2 * m)),
    "exp": (lambda z: torch.exp(z / 2), lambda m, s: (m / 2 + s**2 / 8).exp()),
}
# name: (f of a vector, E f for z ~ N(m, C)); cos and exp mix the entries
VECTOR = {
    "constant": (lambda z: 0 * z.sum(-1) + 3.0, lambda m, C: 3.0 + 0 * m.sum()),
    "linear": (lambda z: z @ SLOPE, lambda m, C: m @ SLOPE),
    "quadratic": (
        lambda z: (z @ SLOPE) ** 2 + (z**2).sum(-1),
        lambda m, C: (m @ SLOPE) ** 2 + SLOPE @ C @ SLOPE + m @ m + C.trace(),
    ),
    "cos": (
        lambda z: torch.cos(z.sum(-1)),
        lambda m, C: (-C.sum() / 2).exp() * torch.cos(m.sum()),
    ),
    "exp": (
        lambda z: torch.exp(z @ SLOPE / 4),
        lambda m, C: (m @ SLOPE / 4 + SLOPE @ C @ SLOPE / 32).exp(),
    ),
}


def exact_gradients(expectation, params):
    """The gradients of a sum of expectations, by differentiating its closed form."""
    leaves = tuple(p.clone().requires_grad_() for p in params)
    total = expectation(*leaves).sum()
    return torch.autograd.grad(total, leaves, materialize_grads=True)


def scalar_target(name):
    """f, its distribution, the parameters and the exact gradients, for a number z."""
    f, expectation = ONE_NUMBER[name]
    params = (LOC[0], LOG_SCALE[0])
    return f, scalar_normal, params, exact_gradients(lambda m, r: expectation(m, r.exp()), params)


def batch_target(name):
    """The same for three numbers, each with a distribution and a value of its own."""
    f, expectation = ONE_NUMBER[name]
    params = (LOC, LOG_SCALE)
    return f, scalar_normal, params, exact_gradients(lambda m, r: expectation(m, r.exp()), params)


def vector_target(name, make=vector_normal):
    """The same for a vector z in three dimensions."""
    f, expectation = VECTOR[name]
    params = (LOC, LOG_SCALE)

    def value(m, r):
        q = make(m, r)
        covariance = q.covariance_matrix if make is full_normal else torch.diag(r.exp() ** 2)
        return expectation(m, covariance)

    return f, make, params, exact_gradients(value, params)


def assert_unbiased(gradients, exact):
    """Every entry's mean is within five standard errors, and rounding, of what it should be."""
    for gradient, right in zip(gradients, exact, strict=True):
        S = len(gradient)
        assert gradient.shape == (S, *right.shape)
        error = gradient.std(dim=0) / S**0.5
        allowed = 5 * error + 1e-12 * (1 + right.abs())
        off = (gradient.mean(dim=0) - right).abs()
        assert bool((off <= allowed).all()), (off, error)
