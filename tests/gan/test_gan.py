"""Errors of the adversarial models, and that one trains at all."""

import pytest
import torch
from torch import nn

from vaeedu import data, gan, training
from vaeedu.sampling import seeded


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            lambda: gan.optimal_logit(torch.tensor([-torch.inf]), torch.tensor([-torch.inf])),
            "both densities are 0",
        ),
        (lambda: gan.NON_SATURATING.critic(torch.zeros(3), torch.zeros(2)), "on_samples must"),
        (
            lambda: gan.gradient_penalty(torch.sum, torch.zeros(3, 2), torch.zeros(3, 1)),
            "samples must have the shape",
        ),
        (lambda: gan.spectral_norm(nn.ReLU()), "but has none"),
        (lambda: gan.spectral_norm(gan.spectral_norm(nn.Linear(2, 1))), "call spectral_norm once"),
        (lambda: gan.mlp_gan(2, average=1.0), r"average must lie in \[0, 1\)"),
        (lambda: gan.mlp_gan(2, r1=-1.0), "r1 must be a finite number of at least 0"),
        (lambda: gan.mlp_gan(2, num_waves=-1), "num_waves must be"),
        (lambda: gan.mlp_gan(2, num_code_waves=-1), "num_code_waves must be"),
        (lambda: gan.conv_gan((1, 9, 8)), "multiples of 4"),
        (
            lambda: gan.GAN(nn.Linear(3, 2), nn.Linear(2, 2), num_latents=3).critic_loss(torch.zeros(4, 2)),
            "critic must return one value an example",
        ),
        (lambda: gan.dirac_field(1.0, torch.ones(1), penalty="dropout"), "penalty must be one of"),
        (lambda: gan.dirac_path((1.0, torch.inf), 3, step_size=0.1), "start must hold finite numbers"),
        (lambda: gan.dirac_path((1.0,), 3, step_size=0.1), "start must hold pairs of numbers"),
        (lambda: gan.mlp_gan(2, noise_decay=1.5), r"noise_decay must lie in \(0, 1\]"),
    ],
)
def test_mistakes_are_named(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_a_gan_learns_a_gaussian():
    """Means and deviations of a Gaussian, from samples alone: Fréchet's distance falls below a tenth."""
    from vaeedu import metrics

    torch.manual_seed(0)
    model = gan.mlp_gan(2, num_latents=2, num_hidden=(16,), r1=0.1, average=0.9)
    x = torch.tensor([2.0, -1.0]) + 0.5 * torch.randn(500, 2, generator=seeded(0))
    adam = tuple(
        torch.optim.Adam(part.parameters(), lr=1e-2, betas=(0.5, 0.9))
        for part in (model.critic, model.generator)
    )
    before = metrics.frechet_distance(model.sample(1000, generator=seeded(1)), x)
    history = training.fit_adversarial(
        model, x, model.losses, adam, epochs=20, batch_size=50, generator=seeded(2),
        after_step=model.advance, progress=False,
    )  # fmt: skip
    after = metrics.frechet_distance(model.sample(1000, generator=seeded(1)), x)
    assert after < 0.1 * before
    assert len(history.loss) == len(history.generator_loss) == 20


def test_the_grids_law():
    x = data.grid_of_gaussians(20_000, generator=seeded(0))
    modes = 2 * torch.cartesian_prod(torch.arange(-2.0, 3), torch.arange(-2.0, 3))
    from vaeedu import metrics

    found = metrics.mode_coverage(x, modes, 0.05)
    assert found.num_covered == 25
    # 1 − exp(−9/2) of a plane Gaussian lies within three standard deviations
    assert abs(found.quality - 0.98889) < 5 * (0.98889 * 0.01111 / 20_000) ** 0.5
