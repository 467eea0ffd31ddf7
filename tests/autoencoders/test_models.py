"""Autoencoders: what they are made of, and that a linear one finds PCA's plane."""

import re

import pytest
import torch
from torch import nn

from vaeedu import data
from vaeedu.autoencoders import Autoencoder, conv_autoencoder, mlp_autoencoder, squared_error
from vaeedu.pca import PCA


def drawn(*shape, seed=0):
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def sine_of_largest_angle(rows, others):
    """Between the planes that two sets of rows span; the cosine would lose half of the digits."""
    Q, P = (torch.linalg.qr(m.T)[0] for m in (rows, others))
    return torch.linalg.matrix_norm(Q - P @ (P.T @ Q), ord=2)


def minimise(model, x, steps=3000):
    """Full batches and a quasi-Newton method: to the minimum, within rounding."""
    optimizer = torch.optim.LBFGS(
        model.parameters(), max_iter=steps, max_eval=2 * steps, history_size=50,
        tolerance_grad=1e-10, tolerance_change=1e-15, line_search_fn="strong_wolfe",
    )  # fmt: skip

    def loss():
        optimizer.zero_grad()
        value = squared_error(x, model(x)).mean()
        value.backward()
        return value

    optimizer.step(loss)
    return model.requires_grad_(False)


@pytest.mark.parametrize("K", [1, 3])
def test_a_linear_autoencoder_spans_pcas_plane(K):
    torch.manual_seed(0)
    x = (drawn(300, 6) * torch.tensor([3.0, 2.0, 1.5, 0.8, 0.6, 0.4])) @ torch.linalg.qr(drawn(6, 6, seed=1))[
        0
    ]
    x = (x + 2.0).reshape(-1, 1, 2, 3)
    model = minimise(mlp_autoencoder((1, 2, 3), num_latents=K, num_hidden=()).double(), x)
    reference = PCA(K).fit(x.flatten(1))
    decoder_plane = model.decoder[0][0].weight.T
    assert float(sine_of_largest_angle(reference.components_, decoder_plane)) < 1e-5
    # The encoder projects along the same plane, and the two affine parts together put the mean back.
    expected = reference.inverse_transform(reference.transform(x.flatten(1)))
    torch.testing.assert_close(model(x).flatten(1), expected, rtol=0, atol=1e-5)
    left = squared_error(x, model(x)).mean()
    variances = PCA(6).fit(x.flatten(1)).explained_variance_ * (299 / 300)
    torch.testing.assert_close(left, variances[K:].sum(), rtol=1e-8, atol=0)


def test_a_linear_autoencoder_spans_pcas_plane_of_real_digits():
    """Its loss knows data by mean and covariance alone: 128 points that share those of all digits stand for them."""
    torch.manual_seed(0)
    x = data.digits()[0].double()
    flat = x.flatten(1)
    variances, axes = torch.linalg.eigh(flat.T.cov(correction=0))
    away = (64 * variances.clamp(min=0)).sqrt()[:, None] * axes.T
    points = (flat.mean(dim=0) + torch.cat([away, -away])).reshape(-1, 1, 8, 8)
    model = mlp_autoencoder((1, 8, 8), num_latents=5, num_hidden=()).double()
    torch.testing.assert_close(squared_error(points, model(points)).mean(), squared_error(x, model(x)).mean())
    minimise(model, points, steps=1000)
    sine = sine_of_largest_angle(PCA(5).fit(flat).components_, model.decoder[0][0].weight.T)
    assert float(sine) < 1e-3


@pytest.mark.parametrize("make", [mlp_autoencoder, conv_autoencoder])
@pytest.mark.parametrize("image", [(1, 8, 8), (2, 13, 9)])
def test_the_parts_fit_together_with_any_leading_dimensions(make, image):
    model, x = make(image, num_latents=3).double(), drawn(4, 5, *image)
    z = model.encode(x)
    assert z.shape == (4, 5, 3)
    torch.testing.assert_close(model(x), model.decode(z))
    torch.testing.assert_close(model(x)[2, 3], model(x[2, 3]))


def test_an_autoencoder_is_any_two_networks():
    double, half = nn.Linear(3, 3, bias=False), nn.Linear(3, 3, bias=False)
    with torch.no_grad():
        double.weight.copy_(2 * torch.eye(3))
        half.weight.copy_(torch.eye(3) / 2)
    model = Autoencoder(
        nn.Sequential(nn.Flatten(-3), double), nn.Sequential(half, nn.Unflatten(-1, (1, 1, 3)))
    )
    x = torch.randn(5, 1, 1, 3)
    torch.testing.assert_close(model(x), x)
    torch.testing.assert_close(model.encode(x), 2 * x.flatten(1))


def test_hidden_layers_mirror_one_another():
    model = mlp_autoencoder((1, 4, 4), num_latents=2, num_hidden=(12, 7), activation=nn.Sigmoid)
    down = [layer.out_features for layer in model.encoder.modules() if isinstance(layer, nn.Linear)]
    up = [layer.out_features for layer in model.decoder.modules() if isinstance(layer, nn.Linear)]
    assert (down, up) == ([12, 7, 2], [7, 12, 16])
    assert sum(isinstance(layer, nn.Sigmoid) for layer in model.modules()) == 4


def test_a_line_between_codes_begins_and_ends_at_the_reconstructions():
    model, x0, x1 = conv_autoencoder((1, 8, 8)).double(), drawn(3, 1, 8, 8), drawn(3, 1, 8, 8, seed=1)
    path = model.interpolate(x0, x1, 5)
    assert path.shape == (5, 3, 1, 8, 8)
    torch.testing.assert_close(path[0], model(x0))
    torch.testing.assert_close(path[-1], model(x1))
    torch.testing.assert_close(path[1], model.decode(0.75 * model.encode(x0) + 0.25 * model.encode(x1)))
    torch.testing.assert_close(path.flip(0), model.interpolate(x1, x0, 5))


X = torch.zeros(3, 1, 8, 8)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: mlp_autoencoder((8, 8)), "image_shape must be (C, H, W), channels first, but is (8, 8)"),
        (lambda: mlp_autoencoder((1, 8, 8), num_latents=0), "num_latents must be a whole number of at least 1"),
        (lambda: mlp_autoencoder((1, 8, 8), num_hidden=(5, 0)), "sizes[2] must be a whole number of at least 1"),
        (lambda: conv_autoencoder((1, 8, 8), num_latents=-1), "num_latents must be a whole number of at least 1"),
        (lambda: mlp_autoencoder((1, 8, 8)).interpolate(X, X, 1), "num_steps must be at least 2, one for each end"),
        (lambda: mlp_autoencoder((1, 8, 8)).interpolate(X, X[:1], 3), "must have the shape of x0, (3, 1, 8, 8), but"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said(call, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        call()
