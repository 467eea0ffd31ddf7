"""Losses by pixels, edges and corners: laws of images, and scipy's filters."""

import re

import numpy as np
import pytest
import scipy.ndimage
import torch

from vaeedu.autoencoders import corner_error, corner_strength, gradient_error, image_gradients, squared_error

LOSSES = (squared_error, gradient_error, corner_error)
each = pytest.mark.parametrize("loss", LOSSES)
SHAPES = [(4, 1, 8, 8), (3, 2, 5, 9), (2, 1, 1, 1)]


def drawn(*shape, seed=0):
    return torch.rand(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def quarter_turn(x):
    return x.rot90(1, dims=(-2, -1))


@each
def test_a_loss_is_one_number_an_example_and_sums_over_pixels(loss):
    x, y = drawn(4, 2, 8, 9), drawn(4, 2, 8, 9, seed=1)
    assert loss(x, y).shape == (4,)
    torch.testing.assert_close(loss(x, y)[2:3], loss(x[2:3], y[2:3]))
    by_channel = torch.stack([loss(x[:, c : c + 1], y[:, c : c + 1]) for c in range(2)])
    torch.testing.assert_close(loss(x, y), by_channel.sum(dim=0))
    # A broad margin between two copies keeps them apart: the sum doubles, a mean would not.
    plain = torch.zeros(4, 2, 20, 40, dtype=torch.float64)
    once, other = plain.clone(), plain.clone()
    once[..., 6:14, 5:14], other[..., 6:14, 5:14] = x, y
    twice, both = once + once.roll(20, dims=-1), other + other.roll(20, dims=-1)
    torch.testing.assert_close(loss(twice, both), 2 * loss(once, other))


@each
@pytest.mark.parametrize("shape", SHAPES)
def test_a_loss_is_symmetric_zero_at_equality_and_turns_with_the_image(loss, shape):
    x, y = drawn(*shape), drawn(*shape, seed=1)
    assert bool((loss(x, y) >= 0).all())
    torch.testing.assert_close(loss(x, y), loss(y, x))
    assert not loss(x, x).any()
    torch.testing.assert_close(loss(quarter_turn(x), quarter_turn(y)), loss(x, y))


@each
def test_a_loss_can_be_descended(loss):
    x, y = drawn(2, 1, 5, 6), drawn(2, 1, 5, 6, seed=1).requires_grad_()
    assert torch.autograd.gradcheck(lambda y: loss(x, y), (y,))
    blank = torch.zeros(2, 1, 5, 6, dtype=torch.float64, requires_grad=True)
    (gradient,) = torch.autograd.grad(loss(x, blank).sum(), blank)
    assert bool(gradient.isfinite().all())


@pytest.mark.parametrize("shape", SHAPES)
def test_gradients_are_scipys_sobel(shape):
    x = drawn(*shape)
    for example, slopes in zip(x, image_gradients(x), strict=True):
        for channel, found in zip(example, slopes.unbind(dim=1), strict=True):
            expected = [
                scipy.ndimage.sobel(channel.numpy(), axis=axis, mode="nearest") / 8 for axis in (1, 0)
            ]
            np.testing.assert_allclose(found.numpy(), np.stack(expected), atol=1e-14)


@pytest.mark.parametrize(("a", "b"), [(0.5, 0.0), (0.0, -2.0), (0.25, 3.0)])
def test_a_ramp_has_its_slope(a, b):
    down, across = torch.meshgrid(torch.arange(6.0), torch.arange(7.0), indexing="ij")
    inner = image_gradients((a * across + b * down)[None, None])[0, :, 0, 1:-1, 1:-1]
    torch.testing.assert_close(inner[0], torch.full((4, 5), a))
    torch.testing.assert_close(inner[1], torch.full((4, 5), b))


def test_the_gradient_error_is_blind_to_an_offset_and_to_nothing_else():
    x = drawn(3, 1, 4, 5)
    assert bool((gradient_error(x, x + 0.7) < 1e-28).all())
    unit = torch.eye(20, dtype=torch.float64).reshape(20, 1, 4, 5)
    slopes = image_gradients(unit).flatten(1)
    assert int(torch.linalg.matrix_rank(slopes)) == 19


def noble(image):
    """The formula with scipy's filters and numpy's eigenvalues."""
    gx, gy = (scipy.ndimage.sobel(image, axis=axis, mode="nearest") / 8 for axis in (1, 0))
    window = np.outer([1, 2, 1], [1, 2, 1]) / 16
    smooth = [
        scipy.ndimage.correlate(product, window, mode="nearest") for product in (gx * gx, gx * gy, gy * gy)
    ]
    M = np.stack([np.stack(smooth[:2], -1), np.stack(smooth[1:], -1)], -2)
    small, large = np.moveaxis(np.linalg.eigvalsh(M), -1, 0)
    return small * large / (small + large + 1e-4)


@pytest.mark.parametrize("shape", SHAPES)
def test_corner_strength_is_the_formula_by_eigenvalues(shape):
    x = drawn(*shape)
    expected = np.stack([[noble(channel) for channel in example] for example in x.numpy()])
    np.testing.assert_allclose(corner_strength(x).numpy(), expected, atol=1e-14)


def test_plains_and_straight_edges_have_no_corner_and_a_square_has_four():
    flat = torch.full((1, 1, 12, 12), 0.4, dtype=torch.float64)
    edge = flat.clone()
    edge[..., 6:] = 1.0
    assert float(corner_strength(flat).abs().max()) == 0
    assert float(corner_strength(edge).abs().max()) < 1e-15
    assert float(corner_strength(edge.mT).abs().max()) < 1e-15
    square = torch.zeros(1, 1, 16, 16, dtype=torch.float64)
    square[..., 4:12, 4:12] = 1.0
    strength = corner_strength(square)[0, 0]
    for rows in (slice(None, 8), slice(8, None)):
        for columns in (slice(None, 8), slice(8, None)):
            torch.testing.assert_close(strength[rows, columns].max(), strength.max())
    assert float(strength[6:10].max()) < 1e-3 * float(strength.max())  # half way down the sides


def test_corners_grow_with_the_square_of_the_contrast():
    x = 100 * drawn(2, 1, 8, 8)  # so that ε does not matter
    torch.testing.assert_close(corner_strength(3 * x), 9 * corner_strength(x), rtol=1e-5, atol=1e-3)


@each
def test_shapes_that_would_broadcast_are_refused(loss):
    message = "reconstruction must have the shape of x, (4, 1, 8, 8), but has (1, 4, 8, 8)"
    with pytest.raises(ValueError, match=re.escape(message)):
        loss(drawn(4, 1, 8, 8), drawn(1, 4, 8, 8))
