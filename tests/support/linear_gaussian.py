"""A linear Gaussian model, whose every quantity has a closed form, and an encoder that is wrong in a known way."""

import math

import torch
from torch.distributions import Independent, MultivariateNormal, Normal

D, K = 5, 2


def drawn(*shape, seed=0):
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


class LinearGaussian:
    """p(z) = N(0, I), p(x|z) = N(W z + b, σ² I), q(z|x) = N(A x + c, diag s²)."""

    def __init__(self, seed=0):
        self.W, self.b, self.sigma = drawn(D, K, seed=seed), drawn(D, seed=seed + 1), 0.7
        # Near the exact posterior's mean, but not it.
        M = self.W.T @ self.W + self.sigma**2 * torch.eye(K, dtype=torch.float64)
        self.A = torch.linalg.solve(M, self.W.T) + 0.05 * drawn(K, D, seed=seed + 2)
        self.c = -self.A @ self.b + 0.2
        self.s = torch.tensor([0.3, 0.5], dtype=torch.float64)
        self.posterior_covariance = self.sigma**2 * torch.linalg.inv(M)

    def prior(self):
        return Independent(Normal(torch.zeros(K, dtype=torch.float64), 1.0), 1)

    def encoder(self, x):
        loc = x @ self.A.T + self.c
        return Independent(Normal(loc, self.s.expand_as(loc)), 1)

    def decoder(self, z):
        return Independent(Normal(z @ self.W.T + self.b, self.sigma), 1)

    def exact_posterior(self, x):
        loc = (x - self.b) @ self.W @ self.posterior_covariance / self.sigma**2
        return MultivariateNormal(loc, self.posterior_covariance)

    @property
    def parts(self):
        return self.encoder, self.decoder, self.prior()

    @property
    def exact_parts(self):
        return self.exact_posterior, self.decoder, self.prior()

    def data(self, num=4, seed=9):
        return drawn(num, K, seed=seed) @ self.W.T + self.b + self.sigma * drawn(num, D, seed=seed + 1)

    def log_prob(self, x):
        return MultivariateNormal(
            self.b, self.W @ self.W.T + self.sigma**2 * torch.eye(D, dtype=torch.float64)
        ).log_prob(x)

    def expected_reconstruction(self, x):
        """E_q[log p(x|z)] = −½ [D log 2πσ² + (‖x − b − W m‖² + tr(W diag(s²) Wᵀ)) / σ²]."""
        residual = x - self.b - self.encoder(x).mean @ self.W.T
        spread = (self.W.square() * self.s.square()).sum()
        error = (residual.square().sum(dim=1) + spread) / self.sigma**2
        return -0.5 * (D * math.log(2 * math.pi * self.sigma**2) + error)

    def kl_to_prior(self, x):
        m = self.encoder(x).mean
        return 0.5 * (m.square() + self.s.square() - 1 - 2 * self.s.log()).sum(dim=1)

    def kl_to_posterior(self, x):
        p, S = self.exact_posterior(x), self.posterior_covariance
        d = self.encoder(x).mean - p.mean
        quadratic = (d * torch.linalg.solve(S, d.T).T).sum(dim=1)
        trace = (torch.linalg.inv(S).diagonal() * self.s.square()).sum()
        return 0.5 * (trace - K + quadratic + torch.logdet(S) - 2 * self.s.log().sum())


def many(x, num=20_000):
    """Copies of one example: the estimates for them are independent, so that their spread is their error."""
    return x[:1].expand(num, *x.shape[1:])


def assert_unbiased(values, exact):
    error = values.std(dim=0) / len(values) ** 0.5
    assert bool(((values.mean(dim=0) - exact).abs() <= 5 * error + 1e-12).all())
