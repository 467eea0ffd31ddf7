"""What images and their shapes must be."""

from collections.abc import Sequence

import torch
from torch import Tensor

from vaeedu.require.settings import positive_int


def image_shape(name: str, value: object) -> tuple[int, int, int]:
    """Returns `value` as the shape (C, H, W) of an image.

    Raises:
        ValueError: It is not three positive whole numbers.

    >>> image_shape("image_shape", (28, 28))
    Traceback (most recent call last):
    ...
    ValueError: image_shape must be (C, H, W), channels first, but is (28, 28): use (1, 28, 28) for grey images
    """
    sizes = tuple(value) if isinstance(value, Sequence) and not isinstance(value, str) else ()
    if len(sizes) != 3:
        grey = (1, *sizes) if len(sizes) == 2 else (1, 28, 28)
        raise ValueError(
            f"{name} must be (C, H, W), channels first, but is {value!r}: use {grey} for grey images"
        )
    C, H, W = (positive_int(f"{name}[{i}]", size) for i, size in enumerate(sizes))
    return C, H, W


def images(name: str, value: object, image_shape: tuple[int, int, int]) -> Tensor:
    """Returns `value` if it is a tensor of images, `(B, *image_shape)`.

    Raises:
        ValueError: It is not.

    >>> images("x", torch.zeros(28, 28), (1, 28, 28))
    Traceback (most recent call last):
    ...
    ValueError: x must be a tensor of shape (B, C, H, W) with (C, H, W) = (1, 28, 28), but has shape (28, 28):
    use x[None] for a single image
    """
    if not isinstance(value, Tensor) or value.ndim != 4 or value.shape[1:] != image_shape:
        got = f"has shape {tuple(value.shape)}" if isinstance(value, Tensor) else f"is {type(value).__name__}"
        raise ValueError(
            f"{name} must be a tensor of shape (B, C, H, W) with (C, H, W) = {image_shape}, but {got}: "
            f"use {name}[None] for a single image"
        )
    return value


def levels(name: str, value: object, image_shape: tuple[int, int, int], num_levels: int) -> Tensor:
    """Returns `value` if it is a tensor of images made of levels 0, …, `num_levels` − 1, whole numbers of any dtype.

    Raises:
        ValueError: It is not.

    >>> levels("x", torch.full((1, 1, 2, 2), 0.5), (1, 2, 2), 2)
    Traceback (most recent call last):
    ...
    ValueError: x must hold levels 0, …, 1, but its entries range from 0.5 to 0.5: use data.quantize or data.binarize
    for grey values
    """
    x = images(name, value, image_shape)
    if x.is_complex():
        raise ValueError(f"{name} must hold whole numbers, but is {x.dtype}: use {name}.real")
    if x.numel() == 0:
        return x
    low, high = (float(bound) for bound in torch.aminmax(x.detach()))
    whole = not x.is_floating_point() or bool((x == x.round()).all())
    if not (low >= 0 and high <= num_levels - 1 and whole):
        raise ValueError(
            f"{name} must hold levels 0, …, {num_levels - 1}, but its entries range from {low:g} to {high:g}: "
            "use data.quantize or data.binarize for grey values"
        )
    return x
