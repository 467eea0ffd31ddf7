"""Errors of the diffusion models, and that they train at all."""

import math

import pytest
import torch

from vaeedu import data, diffusion, pca, training
from vaeedu.sampling import seeded


def small(**options):
    options = {"schedule": diffusion.Schedule.cosine(4), "event_shape": (2,), **options}
    return diffusion.Diffusion(lambda x, log_snr: x, **options)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: diffusion.Schedule(torch.tensor([0.0, 1.0])), "log_snr must fall from step to step"),
        (lambda: diffusion.Schedule.linear(20), "num_steps must be greater than 20"),
        (lambda: diffusion.Schedule.linear(first=0.1, last=0.02), "first must be at most last"),
        (lambda: diffusion.Schedule.log_linear(1), "num_steps must be at least 2"),
        (lambda: diffusion.Schedule.log_linear(3, first=0.0, last=2.0), "log_snr must fall"),
        (lambda: diffusion.Schedule.cosine(3, offset=0.0), "offset must be a finite number greater than 0"),
        (lambda: diffusion.Schedule.cosine(5).thin(6), "num_steps must be at most 5"),
        (lambda: small(event_shape=()), "event_shape must be a tuple of sizes"),
        (lambda: small().elbo(torch.zeros(3, 4)), r"x must have shape \(\.\.\., 2\)"),
        (lambda: small().elbo(torch.zeros(3, 2), num_times=0), "num_times must be"),
        (lambda: small().noised(torch.zeros(3, 2), 5), r"t must lie among the steps 0, …, 4.*not T \+ 1"),
        (
            lambda: small().noised(torch.zeros(3, 2), torch.tensor([1, 2])),
            "t must have one step for each of 3",
        ),
        (lambda: small().noised(torch.zeros(3, 2), 0.5), "t must be a whole number"),
        (lambda: small().reverse(torch.zeros(3, 2), 0), "t must be a whole number of at least 1"),
        (lambda: small().step(torch.zeros(3, 2), 2, 2), "s must be an earlier step than t, 2"),
        (lambda: small().step(torch.zeros(3, 2), 2, 1, eta=1.5), r"eta must lie in \[0, 1\]"),
        (lambda: small().sample(3, num_steps=9), "num_steps must be at most 4"),
        (
            lambda: small(decoder=diffusion.nearest_level(17)).elbo(torch.full((3, 2), 1 / 16)),
            "x must hold 17 evenly spaced values from -1 to 1",
        ),
        (lambda: diffusion.nearest_level(1), "num_levels must be at least 2"),
        (lambda: diffusion.levels_to_values(torch.zeros(1).long(), 300), "num_levels must be at most 256"),
        (
            lambda: diffusion.BayesDenoiser(lambda x, level: x, 3)(torch.zeros(1, 2), torch.zeros(1)),
            "network must return a logit for each level",
        ),
        (
            lambda: diffusion.FromMarginals(torch.nn.Identity(), torch.tensor([[3]]), 3),
            "levels must hold 0, …, 2",
        ),
        (lambda: diffusion.linear_gaussian_denoiser(pca.ProbabilisticPCA(1)), "fit"),
        (lambda: diffusion.UNet((1, 10, 8)), "multiples of 4"),
        (lambda: diffusion.UNet((1, 8, 8), num_channels=6), "num_channels must be a multiple of 4"),
        (
            lambda: diffusion.integrate(lambda x, t: x, torch.zeros(1, 1), num_steps=3, method="rk4"),
            "method must be one of 'euler', 'heun'",
        ),
        (
            lambda: diffusion.FlowMatching(lambda x, t: x, event_shape=(2,)).loss(torch.zeros(3, 1)),
            r"x must have shape \(\.\.\., 2\)",
        ),
    ],
)
def test_mistakes_are_named(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_a_bayes_denoiser_learns_what_pixels_share():
    """Two pixels that are always equal: the bound falls from two pixels' bits towards one's."""
    levels = torch.randint(3, (512, 1), generator=seeded(0)).expand(512, 2)
    x = diffusion.levels_to_values(levels, 3)
    torch.manual_seed(0)
    network = diffusion.FromMarginals(diffusion.ResidualMLP((2,), 3, num_hidden=32), levels, 3)
    denoiser = diffusion.BayesDenoiser(network, 3)
    schedule = diffusion.Schedule.log_linear(60, first=5.0, last=-5.0)
    model = diffusion.Diffusion(denoiser, schedule, event_shape=(2,), decoder=denoiser.belief)

    def loss(x, *, generator):
        return -model.elbo(x, num_times=1, generator=generator).mean()

    def bits():
        with torch.no_grad():
            return -float(model.elbo(x, generator=seeded(1)).mean()) / math.log(2)

    before, one = bits(), math.log2(3)
    adam = torch.optim.Adam(model.parameters(), 5e-3)
    training.fit(model, x, loss, adam, epochs=30, generator=seeded(2), progress=False)
    assert 2 * one - 0.05 < before < 2 * one + 0.4
    assert one - 0.05 < bits() < one + 0.4
    same = diffusion.values_to_levels(model.sample(200, num_steps=20, generator=seeded(3)), 3)
    assert float((same[:, 0] == same[:, 1]).double().mean()) > 0.95


def test_flow_matching_learns_a_plane():
    """Two thin Gaussians: nearly all samples lie near one or the other, about as many at each."""
    x = torch.cat([torch.randn(500, 2, generator=seeded(s)) * 0.1 + c for s, c in ((0, 1.5), (1, -1.5))])
    torch.manual_seed(0)
    model = diffusion.FlowMatching(diffusion.ResidualMLP((2,), num_hidden=32, scale=1.0), event_shape=(2,))

    def loss(x, *, generator):
        return model.loss(x, generator=generator).mean()

    adam = torch.optim.Adam(model.parameters(), 5e-3)
    training.fit(model, x, loss, adam, epochs=25, batch_size=64, generator=seeded(2), progress=False)
    drawn = model.sample(500, generator=seeded(3))
    near = torch.stack([(drawn - c).norm(dim=1) < 0.7 for c in (1.5, -1.5)]).double().mean(dim=1)
    assert float(near.sum()) > 0.9
    assert float(near.min()) > 0.35


def test_digits_are_on_the_levels():
    x, _ = data.digits("test")
    levels = data.quantize(x, 17)
    values = diffusion.levels_to_values(levels, 17)
    torch.testing.assert_close(values, 2 * x - 1)
    assert torch.equal(diffusion.values_to_levels(values, 17), levels)
