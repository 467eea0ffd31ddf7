"""The builders make the networks they promise."""

import re

import pytest
import torch
from torch import nn

from vaeedu import data
from vaeedu.networks import BernoulliHead, NormalHead
from vaeedu.vae import conv_vae, mlp_vae


def linear_sizes(network):
    return [(m.in_features, m.out_features) for m in network.modules() if isinstance(m, nn.Linear)]


def test_the_dense_one_mirrors_itself():
    model = mlp_vae((1, 28, 28), num_latents=50, num_hidden=(200, 100))
    assert linear_sizes(model.encoder) == [(784, 200), (200, 100), (100, 2 * 50)]
    assert linear_sizes(model.decoder) == [(50, 100), (100, 200), (200, 784)]
    num_tanh = [
        sum(isinstance(m, nn.Tanh) for m in part.modules()) for part in (model.encoder, model.decoder)
    ]
    assert num_tanh == [2, 2]


def test_the_default_is_784_400_20():
    model = mlp_vae((1, 28, 28))
    assert linear_sizes(model.encoder) == [(784, 400), (400, 40)]
    assert linear_sizes(model.decoder) == [(20, 400), (400, 784)]
    assert isinstance(model.decoder[-1], BernoulliHead)
    assert torch.equal(model.prior().mean, torch.zeros(20))
    assert torch.equal(model.prior().stddev, torch.ones(20))


def test_without_hidden_layers_it_is_linear():
    model = mlp_vae((1, 3, 3), num_latents=2, num_hidden=(), likelihood="normal", scale=1.0).double()
    z = torch.randn(7, 2, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    f = lambda z: model.likelihood(z).mean  # noqa: E731
    torch.testing.assert_close(
        f(z[:1] + 2 * z[1:2]) - f(0 * z[:1]), f(z[:1]) + 2 * f(z[1:2]) - 3 * f(0 * z[:1])
    )


@pytest.mark.parametrize("activation", [nn.ReLU, nn.SiLU])
def test_the_activation_may_be_another(activation):
    model = mlp_vae((1, 8, 8), num_hidden=(30, 20), activation=activation)
    assert sum(isinstance(m, activation) for m in model.modules()) == 4
    assert not any(isinstance(m, nn.Tanh) for m in model.modules())


@pytest.mark.parametrize("builder", [mlp_vae, conv_vae])
@pytest.mark.parametrize("scale", [None, 0.5, "learned"])
def test_a_normal_likelihood_has_the_scale_asked_for(builder, scale):
    model = builder((1, 8, 8), num_latents=3, likelihood="normal", scale=scale)
    head = model.decoder[-1]
    assert isinstance(head, NormalHead)
    assert head.scale == ("learned" if scale is None else scale)
    assert model.elbo(data.digits("test")[0]).shape == (299,)


@pytest.mark.parametrize("image_shape", [(1, 8, 8), (1, 28, 28), (3, 16, 20)])
@pytest.mark.parametrize("builder", [mlp_vae, conv_vae])
def test_images_of_many_shapes(builder, image_shape):
    model = builder(image_shape, num_latents=3)
    x = torch.ones(2, *image_shape)
    assert model.posterior(x).mean.shape == (2, 3)
    assert model.sample(4).shape == (4, *image_shape)
    model.elbo(x, num_samples=2).mean().backward()
    assert all(p.grad is not None for p in model.parameters())


@pytest.mark.parametrize("num_channels", [4, 16])
def test_the_convolutional_ones_channels(num_channels):
    model = conv_vae((1, 28, 28), num_channels=num_channels)
    first = next(m for m in model.encoder.modules() if isinstance(m, nn.Conv2d))
    last = [m for m in model.decoder.modules() if isinstance(m, nn.ConvTranspose2d)][-1]
    assert first.out_channels == last.in_channels == num_channels


def test_the_global_seed_decides_the_weights():
    with torch.random.fork_rng():
        models = []
        for seed in (0, 0, 1):
            torch.manual_seed(seed)
            models.append(mlp_vae((1, 8, 8)).state_dict()["encoder.2.layer.0.weight"])
    assert torch.equal(models[0], models[1])
    assert not torch.equal(models[0], models[2])


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: mlp_vae((28, 28)), "image_shape must be (C, H, W), channels first, but is (28, 28)"),
        (lambda: conv_vae((28, 28)), "image_shape must be (C, H, W), channels first, but is (28, 28)"),
        (lambda: mlp_vae((1, 8, 8), num_latents=0), "num_latents must be a whole number of at least 1, but is 0"),
        (lambda: conv_vae((1, 8, 8), num_latents=0), "num_latents must be a whole number of at least 1, but is 0"),
        (lambda: mlp_vae((1, 8, 8), num_hidden=(0,)), "must be a whole number of at least 1, but is 0"),
        (lambda: conv_vae((1, 8, 8), num_channels=0), "num_channels must be a whole number of at least 1, but is 0"),
        (
            lambda: mlp_vae((1, 8, 8), likelihood="poisson"),
            "likelihood must be one of 'bernoulli', 'normal', but is 'poisson'",
        ),
        (
            lambda: mlp_vae((1, 8, 8), scale=0.5),
            "scale must be left out where the likelihood is 'bernoulli', but is 0.5: a Bernoulli pixel has no scale; "
            "use likelihood='normal'",
        ),
        (
            lambda: conv_vae((1, 8, 8), likelihood="normal", scale="predicted"),
            "scale must be 'learned' or a positive number where num_features is None, but is 'predicted'",
        ),
        (lambda: mlp_vae((1, 8, 8), likelihood="normal", scale=-1.0), "scale must be a finite number greater than 0"),
    ],
)  # fmt: skip
def test_bad_input_is_refused(call, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        call()


@pytest.mark.parametrize("likelihood", ["bernoulli", "normal"])
def test_with_a_mean_image_it_starts_there_and_knows_which_pixels_are_always_black(likelihood):
    mean = torch.linspace(0, 1, 12).reshape(1, 3, 4)
    scale = None if likelihood == "bernoulli" else "predicted"
    model = mlp_vae((1, 3, 4), num_hidden=(7,), likelihood=likelihood, scale=scale, mean_image=mean)
    linear = [m for m in model.decoder.modules() if isinstance(m, nn.Linear)][-1]
    torch.nn.init.zeros_(linear.weight)
    torch.testing.assert_close(model.likelihood(torch.zeros(20)).mean, mean, atol=1.1e-4, rtol=0)


def test_without_it_every_pixel_starts_grey():
    p = mlp_vae((1, 3, 4)).likelihood(torch.zeros(20)).mean
    assert 0.2 < p.min() <= p.max() < 0.8


@pytest.mark.parametrize("mean", [torch.zeros(12), torch.full((1, 3, 4), 1.5), torch.full((1, 3, 4), -0.1)])
def test_a_mean_image_must_look_like_one(mean):
    with pytest.raises(ValueError, match=re.escape("mean_image must have the shape of an image, (1, 3, 4)")):
        mlp_vae((1, 3, 4), mean_image=mean)
