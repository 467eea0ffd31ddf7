"""The VAE's methods, each against what it is defined by."""

import re

import pytest
import torch
from torch import nn
from torch.distributions import Bernoulli, Independent, Normal

from vaeedu import bounds, data, sampling
from vaeedu.networks import Flatten, NormalHead
from vaeedu.vae import VAE, NormalPrior, conv_vae, mlp_vae, normal_grid

IMAGE = (1, 4, 4)


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


def make(builder=mlp_vae, seed=0, **settings):
    """A model in float64 whose weights are the seed's, large enough for everything to matter."""
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        model = builder(IMAGE, **{"num_latents": 2, **settings}).double()
        with torch.no_grad():
            for p in model.parameters():
                p.mul_(1.5)
    return model


def images(num=5, seed=3):
    return torch.rand(num, *IMAGE, generator=seeded(seed), dtype=torch.float64).round()


def test_its_bounds_are_those_of_its_parts():
    model, x = make(), images()
    parts = model.encoder, model.decoder, model.prior()
    for settings in ({}, {"num_samples": 4, "beta": 0.3}, {"kl": "monte_carlo"}):
        torch.testing.assert_close(
            model.elbo(x, generator=seeded(), **settings),
            bounds.elbo(x, *parts, generator=seeded(), **settings),
        )
    for settings in ({}, {"chunk_size": 3}):
        torch.testing.assert_close(
            model.iwae_bound(x, num_samples=6, generator=seeded(), **settings),
            bounds.iwae_bound(x, *parts, num_samples=6, generator=seeded(), **settings),
        )


def test_its_distributions_have_the_promised_shapes():
    model, x = make(), images()
    q, p = model.posterior(x), model.likelihood(torch.zeros(3, 5, 2, dtype=torch.float64))
    assert (q.batch_shape, q.event_shape) == ((5,), (2,))
    assert (p.batch_shape, p.event_shape) == ((3, 5), IMAGE)


def test_samples_are_draws_of_x_given_draws_of_z():
    model = make()
    g = seeded()
    z = sampling.draw(model.prior(), (6,), generator=g)
    x = sampling.draw(model.likelihood(z), generator=g)
    torch.testing.assert_close(model.sample(6, generator=seeded()), x)
    torch.testing.assert_close(model.sample(6, mean=True, generator=seeded()), model.likelihood(z).mean)
    assert bool(((x == 0) | (x == 1)).all())
    assert not model.sample(6).requires_grad


def test_many_samples_have_the_models_own_mean():
    """E[x] = E_z[p(x = 1 | z)], here by a grid over the plane instead of draws."""
    model, P = make(), 100
    x = model.sample(20_000, generator=seeded())
    exact = model.manifold(P).mean(dim=(0, 1))
    error = (exact * (1 - exact) / len(x)).sqrt()
    assert bool(((x.mean(dim=0) - exact).abs() <= 5 * error + 1e-3).all())


def test_interpolation_is_the_straight_line_between_the_codes():
    model, x0, x1 = make(), images(4), images(4, seed=5)
    steps = model.interpolate(x0, x1, 5)
    assert steps.shape == (5, 4, *IMAGE)
    z0, z1 = model.posterior(x0).mean, model.posterior(x1).mean
    for i, t in enumerate((0.0, 0.25, 0.5, 0.75, 1.0)):
        torch.testing.assert_close(steps[i], model.likelihood(z0 + t * (z1 - z0)).mean)
    torch.testing.assert_close(steps.flip(0), model.interpolate(x1, x0, 5))
    assert not steps.requires_grad


def test_the_manifold_decodes_the_grid():
    model = make()
    plane = model.manifold(7)
    assert plane.shape == (7, 7, *IMAGE)
    grid = normal_grid(7, like=torch.zeros((), dtype=torch.float64))
    torch.testing.assert_close(plane, model.likelihood(grid).mean)
    torch.testing.assert_close(plane[3, 3], model.likelihood(torch.zeros(2, dtype=torch.float64)).mean)
    assert not plane.requires_grad


def test_the_manifold_follows_the_prior():
    model = make()
    moved = VAE(model.encoder, model.decoder, NormalPrior(torch.ones(2), torch.tensor([2.0, 3.0])).double())
    z = 1 + torch.tensor([2.0, 3.0]) * normal_grid(3, like=torch.zeros((), dtype=torch.float64))
    torch.testing.assert_close(moved.manifold(3), model.likelihood(z).mean)


def test_a_prior_given_as_a_distribution_moves_with_the_model():
    model = make()
    loc, scale = torch.tensor([1.0, -1.0]), torch.tensor([0.5, 2.0])
    other = VAE(model.encoder, model.decoder, Independent(Normal(loc, scale), 1))
    assert other.prior().mean.dtype == torch.float32
    other.double()
    assert other.prior().mean.dtype == torch.float64
    torch.testing.assert_close(other.prior().stddev, scale.double())
    assert {"prior.loc", "prior.scale"} <= set(other.state_dict())
    assert other.elbo(images()).dtype == torch.float64


def test_a_prior_may_be_a_module_with_parameters():
    class Learned(nn.Module):
        def __init__(self):
            super().__init__()
            self.loc = nn.Parameter(torch.zeros(2, dtype=torch.float64))

        def forward(self):
            return Independent(Normal(self.loc, 1.0), 1)

    model = make()
    model = VAE(model.encoder, model.decoder, Learned())
    model.elbo(images(), generator=seeded()).mean().backward()
    # ∂(−KL)/∂loc_p = μ_q − loc_p on average over the batch
    torch.testing.assert_close(model.prior.loc.grad, model.posterior(images()).mean.detach().mean(dim=0))


def test_its_state_comes_back():
    model, other = make(), make(seed=1)
    x = images()
    assert not torch.equal(model.elbo(x, generator=seeded()), other.elbo(x, generator=seeded()))
    other.load_state_dict(model.state_dict())
    assert torch.equal(model.elbo(x, generator=seeded()), other.elbo(x, generator=seeded()))


def test_training_it_raises_the_bound_on_new_images():
    x, new = (data.binarize(data.digits(split)[0], "fixed") for split in ("train", "test"))
    with torch.random.fork_rng():
        torch.manual_seed(0)
        model = mlp_vae((1, 8, 8), num_latents=8, num_hidden=(64,))
    adam, g = torch.optim.Adam(model.parameters(), lr=3e-3), seeded()
    before = float(model.elbo(new, generator=seeded()).detach().mean())
    for _ in range(200):
        adam.zero_grad()
        batch = x[sampling.integers((128,), len(x), generator=g)]
        (-model.elbo(batch, generator=g).mean()).backward()
        adam.step()
    after = float(model.elbo(new, generator=seeded()).detach().mean())
    tight = float(model.iwae_bound(new, num_samples=100, generator=seeded()).detach().mean())
    assert before < -40
    assert after > -27
    assert tight > after + 0.3


def refusals():
    model, x = make(), images()
    return {
        "sample": (lambda: model.sample(0), "num_samples must be a whole number of at least 1, but is 0"),
        "steps": (lambda: model.interpolate(x, x, 1), "num_steps must be at least 2, but is 1: both ends count"),
        "no steps": (lambda: model.interpolate(x, x, 0), "num_steps must be a whole number of at least 1, but is 0"),
        "shapes": (
            lambda: model.interpolate(x, x[:2], 3),
            "must have the same shape, but have (5, 1, 4, 4) and (2, 1, 4, 4): use x[None] for a single image",
        ),
        "plane": (
            lambda: make(num_latents=3).manifold(),
            "num_latents must be 2 to show the latent plane, but is 3: train a model with num_latents=2",
        ),
        "points": (lambda: model.manifold(0), "num_points must be a whole number of at least 1, but is 0"),
        "grey": (lambda: model.elbo(x / 2), "use vaeedu.data.binarize(x, 'dynamic')"),
        "prior": (
            lambda: VAE(model.encoder, model.decoder, Bernoulli(torch.tensor([0.5, 0.5]))),
            "but is Bernoulli: use vaeedu.vae.NormalPrior.standard(num_latents)",
        ),
    }  # fmt: skip


@pytest.mark.parametrize("case", refusals())
def test_bad_input_is_refused(case):
    call, message = refusals()[case]
    with pytest.raises(ValueError, match=re.escape(message)):
        call()


@pytest.mark.parametrize("scale", [0.3, "learned", "predicted"])
def test_a_normal_likelihood_is_squared_error_over_twice_the_variance(scale):
    """−log p(x|z) = ‖x − f(z)‖² / 2σ² + D log σ + const, with σ fixed, learned or of each pixel."""
    model = make(likelihood="normal", scale=scale)
    x, z = (
        torch.rand(5, *IMAGE, generator=seeded(), dtype=torch.float64),
        torch.ones(5, 2, dtype=torch.float64),
    )
    p = model.likelihood(z)
    sigma = p.stddev
    assert sigma[0].unique().numel() == (1 if scale != "predicted" else 16)
    if scale == 0.3:
        torch.testing.assert_close(sigma, torch.full_like(sigma, 0.3))
    squared = ((x - p.mean) / sigma).square() / 2 + sigma.log() + 0.5 * torch.log(torch.tensor(2 * torch.pi))
    torch.testing.assert_close(p.log_prob(x), -squared.sum(dim=(1, 2, 3)), rtol=1e-6, atol=1e-6)
    trained = {name for name, p in model.named_parameters() if "log_scale" in name}
    assert len(trained) == (1 if scale == "learned" else 0)
    assert model.elbo(x, generator=seeded()).shape == (5,)


def test_a_learned_scale_learns_the_residuals_size():
    """At the optimum σ² is the mean squared error: here the decoder is constant, so that it is the data's variance."""
    x = 0.2 * torch.randn(400, *IMAGE, generator=seeded(), dtype=torch.float64)
    decoder = NormalHead(2, IMAGE, scale="learned").double()
    nn.init.zeros_(decoder.layer[0].weight), nn.init.zeros_(decoder.layer[0].bias)
    encoder = nn.Sequential(Flatten(IMAGE), NormalHead(16, (2,))).double()
    model = VAE(encoder, decoder, NormalPrior.standard(2)).double()
    newton = torch.optim.LBFGS([decoder.log_scale], line_search_fn="strong_wolfe")

    def loss():
        newton.zero_grad()
        value = -model.elbo(x, generator=seeded()).mean()
        value.backward()
        return value

    for _ in range(5):
        newton.step(loss)
    torch.testing.assert_close(
        decoder.log_scale.exp().detach().square(), x.square().mean(), rtol=1e-6, atol=0
    )


def test_every_layer_of_a_convolutional_vae_learns_and_examples_do_not_mix():
    model, x = make(conv_vae, num_channels=4), images()
    model.elbo(x, generator=seeded()).sum().backward()
    assert [name for name, p in model.named_parameters() if p.grad is None or not bool(p.grad.any())] == []
    for kind in (nn.Conv2d, nn.ConvTranspose2d):
        assert sum(type(layer) is kind for layer in model.modules()) == 4
    alone, together = model.posterior(x[1:2]), model.posterior(x)
    torch.testing.assert_close(alone.mean, together.mean[1:2])
    z = together.mean
    torch.testing.assert_close(model.likelihood(z[1:2]).mean, model.likelihood(z).mean[1:2])
