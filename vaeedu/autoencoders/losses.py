"""Three ways to compare an image with its reconstruction: by pixels, by edges, by corners.

Each is a sum over channels and pixels, one number an example. Divide by the number of pixels for the "mean" in the
usual names (mean squared error, mean squared gradient error).
"""

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import conv2d, pad

# Sobel's kernel, a smoothed difference, divided by 8 so that a ramp of slope a has gradient a.
_SMOOTH = (1.0, 2.0, 1.0)
_DIFFERENCE = (-1.0, 0.0, 1.0)
_TINY = 1e-4


def squared_error(
    x: Float[Tensor, "B C H W"], reconstruction: Float[Tensor, "b c h w"]
) -> Float[Tensor, " B"]:
    r"""Computes the squared error ‖x − x̂‖², pixel by pixel.

    Up to a constant it is the negative log-likelihood of a normal distribution with σ² = ½ around x̂.

    Args:
        x: Images, `(B, C, H, W)`.
        reconstruction: x̂, as many images of the same shape.

    Returns:
        Sums over all pixels of an example, `(B,)`, in squared grey values.

    Raises:
        ValueError: The shapes differ.

    >>> squared_error(torch.ones(2, 1, 8, 8), torch.zeros(2, 1, 8, 8))
    tensor([64., 64.])
    """
    _check_shapes(x, reconstruction)
    return (x - reconstruction).square().sum(dim=(1, 2, 3))


def image_gradients(x: Float[Tensor, "B C H W"]) -> Float[Tensor, "B 2 C H W"]:
    r"""Computes Sobel's estimate of an image's slope, across and down.

    $$g_\rightarrow = \tfrac18 \begin{pmatrix} -1 & 0 & 1 \\ -2 & 0 & 2 \\ -1 & 0 & 1 \end{pmatrix} * x,
      \qquad g_\downarrow = \tfrac18 \begin{pmatrix} -1 & -2 & -1 \\ 0 & 0 & 0 \\ 1 & 2 & 1 \end{pmatrix} * x.$$

    The image is continued beyond its border by its outermost pixels, so a border alone makes no edge.

    Args:
        x: Images, `(B, C, H, W)`.

    Returns:
        Slopes in grey values per pixel, `(B, 2, C, H, W)`: first to the right, then down.

    Reference:
        Sobel and Feldman (1968), A 3×3 isotropic gradient operator for image processing.

    >>> ramp = 0.5 * torch.arange(5.0).expand(1, 1, 4, 5)
    >>> image_gradients(ramp)[0, :, 0, 1, 2]
    tensor([0.5000, 0.0000])
    """
    across = torch.outer(x.new_tensor(_SMOOTH), x.new_tensor(_DIFFERENCE)) / 8
    return torch.stack([_filter(x, across), _filter(x, across.T)], dim=1)


def gradient_error(
    x: Float[Tensor, "B C H W"], reconstruction: Float[Tensor, "b c h w"]
) -> Float[Tensor, " B"]:
    r"""Computes the squared error of the slopes, ‖g(x) − g(x̂)‖², which punishes edges that are lost or smeared.

    g is linear, so this is ‖g(x − x̂)‖²: a squared error that weighs details more than plains, and that cannot see an
    offset common to all pixels. As a loss it therefore stands beside `squared_error`.

    Args:
        x: Images, `(B, C, H, W)`.
        reconstruction: x̂, as many images of the same shape.

    Returns:
        Sums over both directions and all pixels, `(B,)`, in squared grey values per squared pixel.

    Raises:
        ValueError: The shapes differ.

    >>> x = torch.rand(2, 1, 8, 8)
    >>> bool((gradient_error(x, x + 0.5) < 1e-10).all())
    True
    """
    _check_shapes(x, reconstruction)
    return image_gradients(x - reconstruction).square().sum(dim=(1, 2, 3, 4))


def corner_strength(x: Float[Tensor, "B C H W"]) -> Float[Tensor, "B C H W"]:
    r"""Computes how much of a corner each pixel is, smoothly in the image.

    The structure tensor M averages g gᵀ over a window of 3×3 pixels with weights (1, 2, 1)/4 in each direction. Its
    eigenvalues are both zero on a plain, one of them is on a straight edge, and neither at a corner. Noble's measure,

    $$\frac{\det M}{\operatorname{tr} M + \varepsilon}
      = \frac{\lambda_1 \lambda_2}{\lambda_1 + \lambda_2 + \varepsilon}, \qquad \varepsilon = 10^{-4},$$

    is Harris' and Stephens' det M − k (tr M)² without the constant k to choose, and of the same unit as a squared
    slope.

    Args:
        x: Images, `(B, C, H, W)`, grey values in [0, 1] or thereabouts.

    Returns:
        Strengths of at least zero (but for rounding), `(B, C, H, W)`.

    Reference:
        Harris and Stephens (1988), A combined corner and edge detector; Noble (1988), Finding corners, Image and
        Vision Computing 6(2).

    >>> square = torch.zeros(1, 1, 9, 9)
    >>> square[..., 4:, 4:] = 1.0
    >>> corner_strength(square)[0, 0].argmax().item() in (4 * 9 + 4, 3 * 9 + 3)
    True
    """
    right, down = image_gradients(x).unbind(dim=1)
    window = torch.outer(x.new_tensor(_SMOOTH), x.new_tensor(_SMOOTH)) / 16
    rr, dd, rd = _filter(right * right, window), _filter(down * down, window), _filter(right * down, window)
    return (rr * dd - rd.square()) / (rr + dd + _TINY)


def corner_error(
    x: Float[Tensor, "B C H W"], reconstruction: Float[Tensor, "b c h w"]
) -> Float[Tensor, " B"]:
    r"""Computes the squared error of the corners, ‖R(x) − R(x̂)‖² with R of `corner_strength`.

    A detector would threshold R and list corners, which has no gradient; their strengths compared in place have one.
    All images without corners look alike to it, so as a loss it stands beside `squared_error`.

    Args:
        x: Images, `(B, C, H, W)`.
        reconstruction: x̂, as many images of the same shape.

    Returns:
        Sums over all pixels, `(B,)`.

    Raises:
        ValueError: The shapes differ.

    >>> x = torch.rand(2, 1, 8, 8)
    >>> corner_error(x, x)
    tensor([0., 0.])
    """
    _check_shapes(x, reconstruction)
    return squared_error(corner_strength(x), corner_strength(reconstruction))


def _filter(x: Tensor, kernel: Tensor) -> Tensor:
    """Correlates every channel with one 3×3 kernel; the outermost pixels are repeated beyond the border."""
    B, C, H, W = x.shape
    padded = pad(x.reshape(B * C, 1, H, W), (1, 1, 1, 1), mode="replicate")
    return conv2d(padded, kernel[None, None]).reshape(B, C, H, W)


def _check_shapes(x: Tensor, reconstruction: Tensor) -> None:
    # Shapes that differ would broadcast: (B, 1, H, W) against (1, B, H, W), say, and compare each with each.
    if x.shape != reconstruction.shape:
        raise ValueError(
            f"reconstruction must have the shape of x, {tuple(x.shape)}, but has {tuple(reconstruction.shape)}"
        )
