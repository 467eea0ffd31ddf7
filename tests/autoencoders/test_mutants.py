"""The classic mistakes in autoencoders and their losses, each made on purpose: every one must break a law."""

import numpy as np
import pytest
import scipy.ndimage
import torch
from support.mutation import law_tests


def drawn(*shape, seed=0):
    return torch.rand(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def slopes_by_scipy(x):
    """To the right, then down, of a stack of images; scipy would smooth along the stack as well."""
    rows = x.flatten(0, 1).numpy()
    found = [[scipy.ndimage.sobel(image, axis=axis, mode="nearest") / 8 for image in rows] for axis in (1, 0)]
    return [torch.from_numpy(np.array(images)).reshape(x.shape) for images in found]


def sum_law(autoencoders):
    x, y = drawn(4, 2, 6, 7), drawn(4, 2, 6, 7, seed=1)
    torch.testing.assert_close(autoencoders.squared_error(x, y), (x - y).flatten(1).square().sum(dim=1))
    slopes = sum(slope.square() for slope in slopes_by_scipy(x - y))
    torch.testing.assert_close(autoencoders.gradient_error(x, y), slopes.flatten(1).sum(dim=1))
    strengths = autoencoders.corner_strength(x) - autoencoders.corner_strength(y)
    torch.testing.assert_close(autoencoders.corner_error(x, y), strengths.flatten(1).square().sum(dim=1))
    for loss in (autoencoders.squared_error, autoencoders.gradient_error, autoencoders.corner_error):
        with pytest.raises(ValueError, match="must have the shape of x"):
            loss(x, y[:, :1])  # would broadcast


def slope_law(autoencoders):
    x = drawn(3, 2, 6, 7)
    for found, expected in zip(
        autoencoders.image_gradients(x).unbind(dim=1), slopes_by_scipy(x), strict=True
    ):
        torch.testing.assert_close(found, expected)


def corner_law(autoencoders):
    edge = torch.zeros(1, 1, 9, 9, dtype=torch.float64)
    edge[..., 4:] = 1.0
    assert float(autoencoders.corner_strength(edge).abs().max()) < 1e-12
    diagonal = torch.ones(9, 9, dtype=torch.float64).tril()[None, None]
    assert float(autoencoders.corner_strength(diagonal)[..., 3:6, 3:6].abs().max()) < 1e-3
    square = torch.zeros(1, 1, 13, 13, dtype=torch.float64)
    square[..., 4:9, 4:9] = 1.0
    assert float(autoencoders.corner_strength(square).max()) > 0.02
    x = 100 * drawn(2, 1, 8, 8)
    strength = autoencoders.corner_strength
    torch.testing.assert_close(strength(3 * x), 9 * strength(x), rtol=1e-5, atol=1e-3)


def model_law(autoencoders):
    torch.manual_seed(0)
    model = autoencoders.mlp_autoencoder((1, 4, 4), num_latents=2, num_hidden=(9, 5)).double()
    x0, x1 = 40 * drawn(3, 1, 4, 4) - 20, 40 * drawn(3, 1, 4, 4, seed=1) - 20
    widths = [layer.out_features for layer in model.modules() if isinstance(layer, torch.nn.Linear)]
    assert widths == [9, 5, 2, 5, 9, 16]
    torch.testing.assert_close(model(x0), model.decoder(model.encoder(x0)))
    path = model.interpolate(x0, x1, 4)
    torch.testing.assert_close(path[0], model(x0))
    torch.testing.assert_close(path[-1], model(x1))
    between = model.decode((2 * model.encode(x0) + model.encode(x1)) / 3)
    torch.testing.assert_close(path[1], between)


MUTANTS = [
    (sum_law, "losses", "return (x - reconstruction).square().sum(", "return (x - reconstruction).square().mean("),
    (sum_law, "losses", "return (x - reconstruction).square()", "return (x - reconstruction).abs()"),
    (sum_law, "losses", ".square().sum(dim=(1, 2, 3, 4))", ".square().mean(dim=(1, 2, 3, 4))"),
    (sum_law, "losses", ".square().sum(dim=(1, 2, 3, 4))", ".square().sum(dim=(1, 2, 3, 4)).sqrt()"),
    (sum_law, "losses", "return squared_error(corner_strength(x), corner_strength(reconstruction))",
     "return squared_error(x, reconstruction)"),
    (sum_law, "losses", "if x.shape != reconstruction.shape:", "if x.ndim != reconstruction.ndim:"),
    (slope_law, "losses", "(-1.0, 0.0, 1.0)", "(1.0, 0.0, -1.0)"),
    (slope_law, "losses", "(1.0, 2.0, 1.0)", "(1.0, 1.0, 1.0)"),
    (slope_law, "losses", ") / 8", ") / 4"),
    (slope_law, "losses", "[_filter(x, across), _filter(x, across.T)]", "[_filter(x, across.T), _filter(x, across)]"),
    (slope_law, "losses", 'mode="replicate"', 'mode="constant"'),
    (corner_law, "losses", "(rr * dd - rd.square()) /", "(rr * dd) /"),
    (corner_law, "losses", "- rd.square()) / (rr + dd + _TINY)", "- rd.square())"),
    (corner_law, "losses", "= _filter(right * right, window), _filter(down * down, window)",
     "= right * right, down * down"),
    (corner_law, "losses", "(rr * dd - rd.square()) / (rr + dd + _TINY)", "rr + dd"),
    (model_law, "models", "return self.decode(self.encode(x))", "return self.decode(self.encode(x)).sigmoid()"),
    (model_law, "models", "mlp(sizes[::-1]", "mlp([num_latents, *num_hidden, sizes[0]]"),
    (model_law, "models", "(1 - alpha) * z0 + alpha * z1", "alpha * z0 + (1 - alpha) * z1"),
    (model_law, "models", "linspace(0, 1, num_steps", "linspace(0, 1, num_steps + 1"),
    (model_law, "models", "self.decode((1 - alpha) * z0 + alpha * z1)",
     "(1 - alpha.reshape(-1, 1, 1, 1, 1)) * self.decode(z0) + alpha.reshape(-1, 1, 1, 1, 1) * self.decode(z1)"),
]  # fmt: skip

test_the_laws_hold, test_each_mistake_breaks_a_law = law_tests("autoencoders", MUTANTS)
