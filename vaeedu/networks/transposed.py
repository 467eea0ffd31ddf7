"""A convolution as a matrix, and the transposed convolution written out: for reading, not for speed."""

from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor

from vaeedu import require


def convolution_matrix(
    weight: Float[Tensor, "O I kh kw"],
    image_shape: Sequence[int],
    *,
    stride: int = 1,
    padding: int = 0,
) -> Float[Tensor, "rows columns"]:
    r"""Writes a convolution as the matrix that does the same to an image laid out as a column.

    $$\operatorname{vec}(\mathrm{conv}(x)) = A \operatorname{vec}(x), \qquad
      A \in \mathbb R^{O H' W' \times I H W}, \qquad H' = \lfloor (H + 2p - k_h) / s \rfloor + 1.$$

    Row (o, i, j) of A is the kernel of output channel o, lying at the place that output pixel (i, j) looks at.

    Args:
        weight: Kernels as `torch.nn.functional.conv2d` takes them, `(O, I, kh, kw)`.
        image_shape: `(I, H, W)` of the convolution's input.
        stride: s, the step between the places looked at, in pixels.
        padding: p, the zeros put around the image, in pixels.

    Returns:
        A, `(O·H'·W', I·H·W)`.

    Raises:
        ValueError: A size is not positive, the channels do not match, or the kernel is larger than the padded image.

    >>> A = convolution_matrix(torch.tensor([[[[1.0, 2.0]]]]), (1, 1, 4), stride=2)
    >>> A
    tensor([[1., 2., 0., 0.],
            [0., 0., 1., 2.]])
    """
    I, H, W = require.image_shape("image_shape", image_shape)  # noqa: E741
    require.positive_int("stride", stride)
    require.non_negative_int("padding", padding)
    O, num_in, kh, kw = weight.shape  # noqa: E741
    if num_in != I:
        raise ValueError(
            f"weight must have shape (O, {I}, kh, kw) to go with images of {I} channels, but has {tuple(weight.shape)}"
        )
    if kh > H + 2 * padding or kw > W + 2 * padding:
        raise ValueError(
            f"weight must be no larger than the padded image, {H + 2 * padding}×{W + 2 * padding}, "
            f"but its kernel is {kh}×{kw}: use more padding"
        )
    num_down, num_right = (H + 2 * padding - kh) // stride + 1, (W + 2 * padding - kw) // stride + 1
    A = weight.new_zeros(O, num_down, num_right, I, H + 2 * padding, W + 2 * padding)
    for i in range(num_down):
        for j in range(num_right):
            top, left = stride * i, stride * j
            A[:, i, j, :, top : top + kh, left : left + kw] = weight
    A = A[..., padding : padding + H, padding : padding + W]  # what lies on the padding is multiplied by zero
    return A.reshape(O * num_down * num_right, I * H * W)


def transposed_convolution(
    x: Float[Tensor, "B O H W"],
    weight: Float[Tensor, "num_in I kh kw"],
    *,
    stride: int = 1,
    padding: int = 0,
    output_padding: int = 0,
) -> Float[Tensor, "B I h w"]:
    r"""Computes a transposed convolution the way it is drawn: each input pixel stamps the kernel, times its value.

    $$\operatorname{vec}(y) = A^\top \operatorname{vec}(x), \qquad h = s (H - 1) + k_h - 2p + \text{output padding},$$

    with A the matrix of the convolution with the same weight, stride and padding from `(I, h, w)` to `(O, H, W)`. It
    maps between the same shapes as that convolution's inverse would, and is not its inverse: Aᵀ A ≠ I, whence
    "deconvolution" is a misnomer.

    Args:
        x: Images, `(B, O, H, W)`: of the shape the convolution would give.
        weight: Kernels as `torch.nn.functional.conv_transpose2d` takes them, `(O, I, kh, kw)`.
        stride: s, the step between stamps, in pixels.
        padding: p, the pixels cut off on all four sides.
        output_padding: Pixels not cut off below and at the right, or empty ones added, less than `stride`: several
            sizes of image have a convolution of the same size, and this picks one.

    Returns:
        Images, `(B, I, h, w)`.

    Raises:
        ValueError: A number is out of range, the channels do not match, or nothing is left of the image.

    Reference:
        Dumoulin and Visin (2016), A guide to convolution arithmetic for deep learning, chapter 4.

    >>> y = transposed_convolution(torch.tensor([[[[1.0, 10.0]]]]), torch.tensor([[[[1.0, 2.0, 3.0]]]]), stride=2)
    >>> y
    tensor([[[[ 1.,  2., 13., 20., 30.]]]])
    """
    require.positive_int("stride", stride)
    require.non_negative_int("padding", padding)
    require.non_negative_int("output_padding", output_padding)
    if output_padding >= stride:
        raise ValueError(f"output_padding must be less than the stride, {stride}, but is {output_padding}")
    B, O, H, W = x.shape  # noqa: E741
    num_in, I, kh, kw = weight.shape  # noqa: E741
    if num_in != O:
        raise ValueError(
            f"weight must have shape ({O}, I, kh, kw) to go with images of {O} channels, but has {tuple(weight.shape)}"
        )
    height, width = stride * (H - 1) + kh + output_padding, stride * (W - 1) + kw + output_padding
    if min(height, width) <= 2 * padding:
        raise ValueError(
            f"padding must leave some of the {height}×{width} pixels, but is {padding} on each side"
        )
    canvas = x.new_zeros(B, I, height, width)
    for i in range(H):
        for j in range(W):
            top, left = stride * i, stride * j
            stamp = torch.einsum("bo,oikl->bikl", x[:, :, i, j], weight)
            canvas[:, :, top : top + kh, left : left + kw] += stamp  # stamps overlap where s < k: they add up
    return canvas[:, :, padding : height - padding, padding : width - padding]
