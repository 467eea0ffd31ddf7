"""Dense and convolutional bodies: shapes, independence of examples, leading dimensions."""

import re

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from vaeedu.networks import Flatten, conv_decoder, conv_encoder, mlp


def drawn(*shape, seed=0):
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def test_an_mlp_is_the_formula():
    network, x = mlp([5, 4, 3, 2]).double(), drawn(7, 5)
    first, second, last = (layer for layer in network if isinstance(layer, nn.Linear))
    h = torch.tanh(torch.tanh(x @ first.weight.T + first.bias) @ second.weight.T + second.bias)
    torch.testing.assert_close(network(x), h @ last.weight.T + last.bias)


def test_an_mlp_of_two_sizes_is_linear():
    network, x, y = mlp([5, 2]).double(), drawn(7, 5), drawn(7, 5, seed=1)
    zero = network(torch.zeros_like(x))
    torch.testing.assert_close(network(x + y) - zero, network(x) + network(y) - 2 * zero)


def test_each_gap_has_an_activation_of_its_own():
    network = mlp([3, 3, 3, 3], activation=nn.PReLU)
    activations = [layer for layer in network if isinstance(layer, nn.PReLU)]
    assert len(network) == 5
    assert len({id(layer) for layer in activations}) == 2


def test_flatten_keeps_what_leads():
    x = drawn(4, 5, 2, 3, 6)
    assert torch.equal(Flatten((2, 3, 6))(x), x.reshape(4, 5, 36))
    assert torch.equal(Flatten((2, 3, 6))(x[0, 0]), x[0, 0].reshape(36))
    assert repr(Flatten((2, 3, 6))) == "Flatten((2, 3, 6))"


sides = st.integers(1, 40)


@settings(max_examples=40, deadline=None)
@given(C=st.integers(1, 3), H=sides, W=sides, num_features=st.integers(1, 5))
def test_every_shape_of_image_goes_down_and_comes_back(C, H, W, num_features):
    image = (C, H, W)
    down, up = (
        conv_encoder(image, num_features, num_channels=2),
        conv_decoder(num_features, image, num_channels=2),
    )
    h = down(torch.zeros(2, *image))
    assert h.shape == (2, num_features)
    assert up(h).shape == (2, *image)


@pytest.mark.parametrize(("side", "expected"), [(28, [14, 7, 3, 3]), (8, [4, 4, 4, 4]), (64, [32, 16, 8, 4])])
def test_the_sizes_on_the_way_are_those_the_text_gives(side, expected):
    down, up, sizes = conv_encoder((1, side, side), 2), conv_decoder(2, (1, side, side)), []
    kinds = (nn.Conv2d, nn.ConvTranspose2d)
    for layer in [*down.modules(), *up.modules()]:
        if isinstance(layer, kinds):
            layer.register_forward_hook(lambda module, given, made: sizes.append(tuple(made.shape[2:])))
    up(down(torch.zeros(1, 1, side, side)))
    way_up = [*reversed(expected[:-1]), side]
    assert sizes == [(n, n) for n in [*expected, *way_up]]


@pytest.mark.parametrize("image", [(1, 8, 8), (3, 13, 9)])
def test_leading_dimensions_are_only_batches_in_a_row(image):
    down, up = conv_encoder(image, 5).double(), conv_decoder(5, image).double()
    x = drawn(2, 3, *image)
    h = down(x)
    torch.testing.assert_close(h[1, 2], down(x[1, 2]))  # no batch dimension at all
    torch.testing.assert_close(up(h)[1], up(h[1]))
    assert up(h[:, :0]).shape == (2, 0, *image)


def test_examples_do_not_touch_one_another():
    down, up = conv_encoder((1, 8, 8), 3).double(), conv_decoder(3, (1, 8, 8)).double()
    x = drawn(4, 1, 8, 8).requires_grad_()
    (gradient,) = torch.autograd.grad(up(down(x))[2].square().sum(), x)
    assert bool(gradient[2].any())
    assert not gradient[[0, 1, 3]].any()


@pytest.mark.parametrize("image", [(1, 8, 8), (1, 28, 28), (3, 13, 30)])
def test_every_pixel_is_written_equally_often(image):
    """With all weights one, a stride that does not divide the kernel would show as a checkerboard."""
    layers = [
        m for m in conv_decoder(2, image, num_channels=2).modules() if isinstance(m, nn.ConvTranspose2d)
    ]
    assert len(layers) == 4
    for layer in layers:
        nn.init.ones_(layer.weight)
        nn.init.zeros_(layer.bias)
        inner = layer(torch.ones(1, layer.in_channels, 6, 6))[0, 0, 2:-3, 2:-3]
        assert bool((inner == inner[0, 0]).all())
    if image == (1, 28, 28):
        assert [layer.stride[0] for layer in layers] == [1, 2, 2, 2]


def test_logits_and_means_may_be_any_number():
    up = conv_decoder(3, (1, 8, 8)).double()
    x = up(10 * drawn(200, 3))
    assert bool((x < 0).any())
    assert bool((x > 0).any())


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: mlp([3]), "sizes must hold those of the input and the output, at least, but is [3]"),
        (lambda: mlp([3, 0]), "sizes[1] must be a whole number of at least 1, but is 0"),
        (lambda: Flatten((28, 28)), "channels first, but is (28, 28): use (1, 28, 28) for grey images"),
        (lambda: Flatten((8,)), "image_shape must be (C, H, W), channels first, but is (8,)"),
        (lambda: conv_encoder((1, 8, 8), 0), "num_features must be a whole number of at least 1, but is 0"),
        (lambda: conv_encoder((1, 8, 8), 2, num_channels=0), "num_channels must be a whole number of at least 1"),
        (lambda: conv_encoder((1, 0, 8), 2), "image_shape[1] must be a whole number of at least 1, but is 0"),
        (lambda: conv_decoder(-1, (1, 8, 8)), "num_features must be a whole number of at least 1, but is -1"),
        (lambda: conv_decoder(2, (8, 8)), "image_shape must be (C, H, W), channels first, but is (8, 8)"),
        (
            lambda: Flatten((1, 8, 8))(torch.zeros(5, 2, 4, 8)),
            "x must have shape (..., 1, 8, 8), but has shape (5, 2, 4, 8): use x.reshape(-1, 1, 8, 8)",
        ),
        (
            lambda: conv_encoder((1, 8, 8), 2)(torch.zeros(5, 1, 9, 9)),
            "must have shape (..., 1, 8, 8), but has shape (5, 1, 9, 9): make the network for the shape of your data",
        ),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said(call, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        call()
