"""The matrix of a convolution, its transpose, and the stamps that a transposed convolution makes."""

import itertools
import re

import pytest
import torch
from torch.nn.functional import conv2d, conv_transpose2d

from vaeedu.networks import convolution_matrix, transposed_convolution

SETTINGS = [
    (kernel, stride, padding)
    for kernel, stride, padding in itertools.product((1, 2, 3, 4, (2, 3)), (1, 2, 3), (0, 1, 2))
    if padding <= (kernel if isinstance(kernel, int) else min(kernel))
]


def drawn(shape, seed=0):
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def kernel_shape(kernel):
    return (kernel, kernel) if isinstance(kernel, int) else kernel


def close(found, expected):
    torch.testing.assert_close(found, expected, rtol=0, atol=1e-12)


@pytest.mark.parametrize(("kernel", "stride", "padding"), SETTINGS)
def test_the_matrix_does_what_conv2d_does(kernel, stride, padding):
    x, weight = drawn((2, 3, 6, 7)), drawn((4, 3, *kernel_shape(kernel)), seed=1)
    A = convolution_matrix(weight, (3, 6, 7), stride=stride, padding=padding)
    expected = conv2d(x, weight, stride=stride, padding=padding)
    close((x.flatten(1) @ A.T).reshape(expected.shape), expected)


@pytest.mark.parametrize(("kernel", "stride", "padding"), SETTINGS)
def test_the_transposed_convolution_is_the_transposed_matrix_and_torchs(kernel, stride, padding):
    weight, image = drawn((4, 3, *kernel_shape(kernel))), (3, 7, 8)
    A = convolution_matrix(weight, image, stride=stride, padding=padding)
    small = conv2d(drawn((1, *image)), weight, stride=stride, padding=padding).shape[1:]
    y = drawn((2, *small), seed=2)
    for output_padding in range(stride):
        ours = transposed_convolution(
            y, weight, stride=stride, padding=padding, output_padding=output_padding
        )
        theirs = conv_transpose2d(y, weight, stride=stride, padding=padding, output_padding=output_padding)
        close(ours, theirs)
        if ours.shape[1:] == image:
            close(ours.flatten(1), y.flatten(1) @ A)  # each row is (Aᵀ y)ᵀ


@pytest.mark.parametrize(("kernel", "stride", "padding"), SETTINGS)
def test_it_is_the_adjoint_so_it_is_the_convolutions_backward_pass(kernel, stride, padding):
    weight = drawn((2, 3, *kernel_shape(kernel)))
    H, W = 7, 7 + weight.shape[3] - weight.shape[2]  # the same number of pixels is left over on both sides
    x = drawn((1, 3, H, W), seed=3).requires_grad_()
    convolved = conv2d(x, weight, stride=stride, padding=padding)
    y = drawn(convolved.shape, seed=4)
    (gradient,) = torch.autograd.grad((convolved * y).sum(), x)
    left_over = (H + 2 * padding - weight.shape[2]) % stride
    close(
        transposed_convolution(y, weight, stride=stride, padding=padding, output_padding=left_over), gradient
    )


def test_it_is_no_inverse():
    weight = drawn((1, 1, 3, 3))
    A = convolution_matrix(weight, (1, 5, 5), stride=2, padding=1)
    assert torch.linalg.matrix_rank(A) == 9 < A.shape[1] == 25
    x = drawn((1, 1, 5, 5))
    back = transposed_convolution(conv2d(x, weight, stride=2, padding=1), weight, stride=2, padding=1)
    assert back.shape == x.shape
    assert float((back - x).abs().max()) > 0.1


def test_gradients_flow_through_the_stamps():
    weight = drawn((2, 2, 3, 3)).requires_grad_()
    x = drawn((1, 2, 2, 3)).requires_grad_()
    assert torch.autograd.gradcheck(
        lambda x, w: transposed_convolution(x, w, stride=2, padding=1), (x, weight)
    )


WEIGHT = torch.ones(2, 3, 3, 3)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: convolution_matrix(WEIGHT, (8, 8)), "image_shape must be (C, H, W), channels first, but is (8, 8)"),
        (lambda: convolution_matrix(WEIGHT, (3, 0, 8)), "image_shape[1] must be a whole number of at least 1"),
        (lambda: convolution_matrix(WEIGHT, (1, 8, 8)), "weight must have shape (O, 1, kh, kw) to go with images of 1"),
        (lambda: convolution_matrix(WEIGHT, (3, 2, 8)), "no larger than the padded image, 2×8, but its kernel is 3×3"),
        (lambda: convolution_matrix(WEIGHT, (3, 8, 8), stride=0), "stride must be a whole number of at least 1"),
        (lambda: convolution_matrix(WEIGHT, (3, 8, 8), padding=-1), "padding must be a whole number of at least 0"),
        (lambda: transposed_convolution(torch.ones(1, 3, 4, 4), WEIGHT), "weight must have shape (3, I, kh, kw)"),
        (
            lambda: transposed_convolution(torch.ones(1, 2, 4, 4), WEIGHT, output_padding=1),
            "output_padding must be less than the stride, 1, but is 1",
        ),
        (
            lambda: transposed_convolution(torch.ones(1, 2, 1, 1), WEIGHT, padding=2),
            "padding must leave some of the 3×3 pixels, but is 2 on each side",
        ),
        (
            lambda: transposed_convolution(torch.ones(1, 2, 1, 1), WEIGHT, stride=2, output_padding=-1),
            "output_padding must be a whole number of at least 0, but is -1",
        ),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said(call, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        call()
