"""A linear VAE is probabilistic PCA: trained, it reaches the same likelihood."""

import pytest
import torch

from vaeedu import data, sampling
from vaeedu.pca import ProbabilisticPCA
from vaeedu.vae import mlp_vae

pytestmark = pytest.mark.slow
IMAGES = data.digits("all")[0].double()
PIXELS = IMAGES.flatten(1)


def trained_linear_vae(num_latents, num_steps=2000):
    with torch.random.fork_rng():
        torch.manual_seed(0)
        model = mlp_vae((1, 8, 8), num_latents=num_latents, num_hidden=(), likelihood="normal").double()
    g = torch.Generator().manual_seed(0)
    adam = torch.optim.Adam(model.parameters(), fused=True)
    cycle = torch.optim.lr_scheduler.OneCycleLR(adam, 0.05, num_steps)
    for _ in range(num_steps):
        batch = IMAGES[sampling.integers((128,), len(IMAGES), generator=g)]
        adam.zero_grad()
        (-model.elbo(batch, generator=g).mean()).backward()
        adam.step()
        cycle.step()
    return model.requires_grad_(False)


@pytest.fixture(scope="module")
def model():
    return trained_linear_vae(5)


@pytest.fixture(scope="module")
def ppca():
    return ProbabilisticPCA(5).fit(PIXELS)


def parameters(model):
    head = model.decoder[-1]
    return head.layer[0].weight, head.layer[0].bias, (2 * head.log_scale).exp()


def test_it_reaches_ppcas_likelihood_within_a_tenth_of_a_nat(model, ppca):
    g = torch.Generator().manual_seed(1)
    best = ppca.log_prob(PIXELS).mean()
    bound = model.elbo(IMAGES, num_samples=50, generator=g).mean()
    W, mean, noise_variance = parameters(model)
    likelihood = ProbabilisticPCA.from_parameters(W.T, mean, float(noise_variance)).log_prob(PIXELS).mean()
    assert best - 0.1 <= bound <= likelihood + 0.01 <= best + 0.01
    # The data's own scale: a VAE that ignores its code would be this far off.
    assert ProbabilisticPCA(1).fit(PIXELS).log_prob(PIXELS).mean() < best - 3


def test_it_finds_the_subspace_the_noise_and_orthogonal_columns(model, ppca):
    W, _, noise_variance = parameters(model)
    Q, R = (torch.linalg.qr(rows.T).Q for rows in (W.T, ppca.components_))
    assert float(torch.linalg.svdvals(Q.T @ R).min()) > 0.98
    assert float(noise_variance) == pytest.approx(float(ppca.noise_variance_), rel=0.05)
    # A posterior with independent entries is exact only where W's columns are orthogonal (Lucas et al. 2019).
    gram = W.T @ W
    off = gram - torch.diag(gram.diagonal())
    assert float(off.abs().max() / gram.diagonal().min()) < 0.3
    lengths, exact = gram.diagonal().sort().values, ppca.components_.square().sum(dim=1).sort().values
    torch.testing.assert_close(lengths, exact, rtol=0.25, atol=0)


def test_its_encoder_becomes_the_exact_posterior(model):
    W, mean, noise_variance = parameters(model)
    exact = ProbabilisticPCA.from_parameters(W.T, mean, float(noise_variance)).posterior(PIXELS)
    q = model.posterior(IMAGES)
    error = (q.mean - exact.mean).square().mean(dim=0).sqrt() / exact.mean.std(dim=0)
    assert float(error.max()) < 0.2
    torch.testing.assert_close(q.stddev.mean(dim=0), exact.variance[0].sqrt(), rtol=0.2, atol=0)
