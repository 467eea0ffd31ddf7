"""The classic mistakes around a VAE, each made on purpose: every one must break a law."""

import pytest
import torch
from support.mutation import law_tests
from torch import nn
from torch.distributions import Independent, Normal

from vaeedu import bounds, sampling

IMAGE = (1, 3, 3)


def seeded():
    return torch.Generator().manual_seed(0)


def make(vae, **settings):
    with torch.random.fork_rng():
        torch.manual_seed(0)
        model = vae.mlp_vae(IMAGE, **{"num_latents": 2, "num_hidden": (7, 4), **settings}).double()
        with torch.no_grad():
            for p in model.parameters():
                p.mul_(1.5)
    return model


def images(num=5):
    return torch.rand(num, *IMAGE, generator=seeded(), dtype=torch.float64).round()


def bound_law(vae):
    model, x = make(vae), images()
    parts = model.encoder, model.decoder, model.prior()
    torch.testing.assert_close(
        model.elbo(x, num_samples=3, beta=0.3, kl="monte_carlo", generator=seeded()),
        bounds.elbo(x, *parts, num_samples=3, beta=0.3, kl="monte_carlo", generator=seeded()),
    )
    model.decoder(torch.zeros(1, 2, dtype=torch.float64))
    rows = []

    def decoder(z):
        rows.append(z.shape[:-1].numel())
        return parts[1](z)

    watched = vae.VAE(model.encoder, nn.Identity(), model.prior)
    watched.decoder.forward = decoder
    bound = watched.iwae_bound(x, num_samples=6, chunk_size=3, generator=seeded())
    torch.testing.assert_close(bound, bounds.iwae_bound(x, *parts, num_samples=6, generator=seeded()))
    assert max(rows) == 3


def sample_law(vae):
    model, g = make(vae), seeded()
    model.prior = vae.NormalPrior(torch.ones(2), torch.tensor([0.5, 2.0])).double()
    z = sampling.draw(model.prior(), (6,), generator=g)
    torch.testing.assert_close(model.sample(6, mean=True, generator=seeded()), model.likelihood(z).mean)
    x = sampling.draw(model.likelihood(z), generator=g)
    torch.testing.assert_close(model.sample(6, generator=seeded()), x)


def line_law(vae):
    model, x = make(vae), images(4)
    z0, z1 = (model.posterior(part).mean for part in x.split(2))
    steps = model.interpolate(*x.split(2), 5)
    torch.testing.assert_close(steps[0], model.likelihood(z0).mean)
    torch.testing.assert_close(steps[1], model.likelihood(0.75 * z0 + 0.25 * z1).mean)
    torch.testing.assert_close(steps[4], model.likelihood(z1).mean)


def plane_law(vae):
    model = make(vae)
    model.prior = vae.NormalPrior(torch.tensor([1.0, 0.0]), torch.tensor([0.5, 2.0])).double()
    plane, P = model.manifold(4), 4
    for i in range(P):
        for j in range(P):
            u = torch.tensor([(j + 0.5) / P, 1 - (i + 0.5) / P], dtype=torch.float64)
            z = model.prior().base_dist.icdf(u)
            torch.testing.assert_close(plane[i, j], model.likelihood(z).mean)


def prior_law(vae):
    loc, scale = torch.tensor([1.0, -1.0]), torch.tensor([0.5, 2.0])
    model = make(vae)
    for prior in (vae.NormalPrior(loc, scale), Independent(Normal(loc, scale), 1)):
        other = vae.VAE(model.encoder, model.decoder, prior).double()
        assert other.prior().mean.dtype == torch.float64
        torch.testing.assert_close(other.prior().stddev, scale.double())
        torch.testing.assert_close(other.prior().mean, loc.double())
    torch.testing.assert_close(model.prior().stddev, torch.ones(2, dtype=torch.float64))


def build_law(vae):
    def sizes(network):
        return [(m.in_features, m.out_features) for m in network.modules() if isinstance(m, nn.Linear)]

    model = make(vae, activation=nn.SiLU)
    assert sizes(model.encoder) == [(9, 7), (7, 4), (4, 4)]
    assert sizes(model.decoder) == [(2, 4), (4, 7), (7, 9)]
    for part in (model.encoder, model.decoder):
        assert sum(isinstance(m, nn.SiLU) for m in part.modules()) == 2
    assert sizes(make(vae, num_hidden=()).encoder) == [(9, 4)]
    normal = make(vae, likelihood="normal", scale=0.25).likelihood(torch.zeros(2, dtype=torch.float64))
    torch.testing.assert_close(normal.stddev, torch.full(IMAGE, 0.25, dtype=torch.float64))
    learned = vae.conv_vae(IMAGE, num_latents=2, num_channels=2, likelihood="normal")
    assert any(name.endswith("log_scale") for name, _ in learned.named_parameters())
    first = next(m for m in vae.conv_vae(IMAGE, num_channels=3).modules() if isinstance(m, nn.Conv2d))
    assert first.out_channels == 3
    with pytest.raises(ValueError, match="has no scale"):
        make(vae, scale=0.1)


MUTANTS = [
    (bound_law, "model", "beta=beta", "beta=1.0"),
    (bound_law, "model", "kl=kl", 'kl="analytic"'),
    (bound_law, "model", "chunk_size=chunk_size", "chunk_size=None"),
    (sample_law, "model", "sampling.draw(self.prior(), (N,), generator=generator)",
     "sampling.normal((N, 2), like=self.prior().mean, generator=generator)"),
    (sample_law, "model", "p.mean if mean else sampling.draw(p, generator=generator)", "p.mean"),
    (sample_law, "model", "p.mean if mean else sampling.draw(p, generator=generator)",
     "sampling.draw(p, generator=generator)"),
    (line_law, "model", "(1 - t) * z0 + t * z1", "t * z0 + (1 - t) * z1"),
    (line_law, "model", "(1 - t) * z0 + t * z1", "z0 + t * z1"),
    (line_law, "model", "torch.linspace(0, 1, num_steps,", "torch.linspace(0, 1 - 1 / num_steps, num_steps,"),
    (plane_law, "model", "prior.mean + prior.stddev * grid", "grid"),
    (plane_law, "model", "prior.mean + prior.stddev * grid", "prior.mean + prior.variance * grid"),
    (plane_law, "priors", "torch.special.ndtri(u)", "4 * u - 2"),
    (plane_law, "priors", "+ 0.5) / P", "+ 1) / (P + 1)"),
    (plane_law, "priors", "torch.stack([z_1, z_2], dim=-1)", "torch.stack([z_2, z_1], dim=-1)"),
    (plane_law, "priors", "torch.meshgrid(quantiles.flip(0), quantiles", "torch.meshgrid(quantiles, quantiles"),
    (prior_law, "priors", 'self.register_buffer("scale", sigma.detach().clone())', "self.scale = sigma"),
    (prior_law, "model", "NormalPrior(prior.mean, prior.stddev)", "NormalPrior(prior.mean, prior.variance)"),
    (prior_law, "priors", "torch.zeros(K), torch.ones(K))", "torch.zeros(K), torch.ones(K) / 2)"),
    (build_law, "builders", "[K, *reversed(num_hidden)]", "[K, *num_hidden]"),
    (build_law, "builders", "nn.Sequential(mlp(sizes, activation=activation), activation())", "mlp(sizes)"),
    (build_law, "builders", "nn.Sequential(mlp(sizes, activation=activation), activation())",
     "nn.Sequential(mlp(sizes), activation())"),
    (build_law, "builders", '"learned" if scale is None else scale', '"learned"'),
    (build_law, "builders", '"learned" if scale is None else scale', "1.0 if scale is None else scale"),
    (build_law, "builders", "if scale is not None:", "if False:"),
    (build_law, "builders", "conv_encoder(image_shape, num_features, num_channels=num_channels)",
     "conv_encoder(image_shape, num_features)"),
]  # fmt: skip

test_the_laws_hold, test_each_mistake_breaks_a_law = law_tests("vae", MUTANTS)
