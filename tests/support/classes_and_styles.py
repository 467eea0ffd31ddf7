"""Models with classes whose every quantity has a closed form, and those that the tests of M2 build."""

import math

import torch
from torch import nn
from torch.distributions import Independent, MultivariateNormal, Normal

D, K, C = 5, 2, 3
IMAGE = (1, 3, 3)


def drawn(*shape, seed=0):
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


class MixtureOfPPCAs:
    """p(y) not uniform, p(z) = N(0, I), p(x|y,z) = N(W_y z + b_y, σ_y² I): everything can be integrated."""

    def __init__(self):
        self.W, self.b = drawn(C, D, K), drawn(C, D, seed=1)
        self.sigma = torch.tensor([0.5, 0.8, 1.3], dtype=torch.float64)
        self.log_prior = torch.tensor([0.2, 0.5, 0.3], dtype=torch.float64).log()
        M = self.W.mT @ self.W + self.sigma[:, None, None] ** 2 * torch.eye(K, dtype=torch.float64)
        self.covariance = self.sigma[:, None, None] ** 2 * torch.linalg.inv(M)

    def posterior(self, x, y):
        residual = (x - self.b[y])[..., None]
        loc = self.covariance[y] @ self.W[y].mT @ residual / self.sigma[y][..., None, None] ** 2
        return MultivariateNormal(loc[..., 0], self.covariance[y])

    def likelihood(self, z, y):
        loc = (self.W[y] @ z[..., None])[..., 0] + self.b[y]
        return Independent(Normal(loc, self.sigma[y][..., None]), 1)

    def joint(self, x):
        """log p(x, y), (B, C), from the marginal N(b, W Wᵀ + σ² I) of each class."""
        S = self.W @ self.W.mT + self.sigma[:, None, None] ** 2 * torch.eye(D, dtype=torch.float64)
        return self.log_prior + MultivariateNormal(self.b, S).log_prob(x[:, None])

    def data(self, num=6):
        return 2 * drawn(num, D, seed=7)


class Call(nn.Module):
    """A function as a module."""

    def __init__(self, function):
        super().__init__()
        self.function = function

    def forward(self, *args):
        return self.function(*args)


def exact_model(semisupervised, q=None):
    """The mixture as an M2 with exact posteriors over z, and over y, too, unless q(y|x) is given as logits."""
    mixture = MixtureOfPPCAs()
    conditional = semisupervised.ConditionalVAE(
        Call(mixture.posterior), Call(mixture.likelihood), num_latents=K, num_classes=C
    )
    classifier = Call(mixture.joint if q is None else q)
    model = semisupervised.SemiSupervisedVAE(classifier, conditional, class_log_prior=mixture.log_prior)
    return model.double(), mixture


def small_model(semisupervised, seed=0, **settings):
    """An M2 on binary 3×3 images, in float64, whose weights are large enough for everything to matter."""
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        conditional = semisupervised.mlp_conditional_vae(
            IMAGE, C, **{"num_latents": K, "num_hidden": (7,), **settings}
        )
        classifier = nn.Sequential(nn.Flatten(), nn.Linear(math.prod(IMAGE), C))
        prior = torch.tensor([0.2, 0.5, 0.3]).log()
        model = semisupervised.SemiSupervisedVAE(classifier, conditional, class_log_prior=prior).double()
        with torch.no_grad():
            for p in model.parameters():
                p.copy_(torch.randn(p.shape, generator=seeded(p.numel()), dtype=torch.float64))
    return model


def images(num=5, seed=3):
    return torch.rand(num, *IMAGE, generator=seeded(seed), dtype=torch.float64).round()
