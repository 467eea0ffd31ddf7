"""Image sets: `(images, labels)`, float32 in [0, 1] with shape `(N, C, H, W)`, and int64 or None."""

import numpy as np
import torch
from jaxtyping import Float32, Int64
from torch import Tensor

from vaeedu import require, sampling

SPLITS = ("train", "test", "all")


def digits(split: str = "train") -> tuple[Float32[Tensor, "N 1 8 8"], Int64[Tensor, " N"]]:
    """Loads 1797 handwritten digits of 8×8 pixels, which come with scikit-learn: no file, no network.

    Pixels count the black dots in a 4×4 square of the scan, so they take the 17 values k / 16.

    The file lists its 13 writers one after another. Its last sixth would be other people's hands than the rest, and
    some hands are harder. Every sixth image (5, 11, 17, …) is a test image instead: writers and classes are spread over
    both parts, and a score on the test part is one for new images by known writers.

    Args:
        split: `"train"` (1498 images), `"test"` (299) or `"all"` (in the order of the file).

    Returns:
        Images in [0, 1], `(N, 1, 8, 8)`, black paper and white ink, and labels 0 to 9, `(N,)`.

    Raises:
        ValueError: `split` is unknown.

    Reference:
        Alpaydin and Kaynak (1998), Optical Recognition of Handwritten Digits, UCI Machine Learning Repository.

    >>> images, labels = digits("test")
    >>> images.shape, labels[:5]
    (torch.Size([299, 1, 8, 8]), tensor([5, 1, 7, 3, 9]))
    """
    require.choice("split", split, SPLITS)
    from sklearn.datasets import load_digits

    bunch = load_digits()
    is_test = np.arange(len(bunch.target)) % 6 == 5
    chosen = {"train": ~is_test, "test": is_test, "all": np.full_like(is_test, True)}[split]
    images = torch.from_numpy(bunch.images[chosen].astype(np.float32)).div_(16)
    return images[:, None], torch.from_numpy(bunch.target[chosen].astype(np.int64))


def natural_patches(
    split: str = "train",
    *,
    num_patches: int = 10_000,
    patch_size: int = 8,
    color: bool = False,
    generator: torch.Generator | None = None,
) -> tuple[Float32[Tensor, "N C P P"], None]:
    """Cuts square patches at random places out of two photographs, a temple and a flower, that come with scikit-learn.

    Training patches lie within the left three quarters of a photograph, test patches within the rest: no pixel is in
    both. Patches of one split may overlap. Values are k / 255.

    Args:
        split: `"train"` or `"test"`.
        num_patches: N.
        patch_size: P, in pixels, at most 160, the width of the test part.
        color: Whether to keep red, green and blue (C = 3) or their luminance alone (C = 1).
        generator: The source of the places; None is torch's global one.

    Returns:
        Patches in [0, 1], `(N, C, P, P)`, and None, as there are no labels.

    Raises:
        ValueError: `split` is unknown, or a size is out of range.

    Reference:
        Olshausen and Field (1996), Emergence of simple-cell receptive field properties by learning a sparse code for
        natural images, for what such patches are good for.

    >>> patches, labels = natural_patches("test", num_patches=5, color=True)
    >>> patches.shape, labels
    (torch.Size([5, 3, 8, 8]), None)
    """
    require.choice("split", split, ("train", "test"))
    N = require.positive_int("num_patches", num_patches)
    photographs = _photographs(color)
    border = photographs.shape[3] * 3 // 4
    widest = min(photographs.shape[2], photographs.shape[3] - border)
    P = require.positive_int("patch_size", patch_size, at_most=widest, because="the width of the test part")
    part = photographs[..., :border] if split == "train" else photographs[..., border:]
    windows = part.unfold(2, P, 1).unfold(3, P, 1)  # (2, C, rows, columns, P, P): a view, nothing is copied
    which, row, column = (
        sampling.integers((N,), windows.shape[d], generator=generator).cpu() for d in (0, 2, 3)
    )
    return windows[which, :, row, column].float().div_(255), None


def _photographs(color: bool) -> Tensor:
    """Two photographs as bytes, `(2, C, 427, 640)`."""
    from PIL import Image
    from sklearn.datasets import load_sample_images

    images = [Image.fromarray(image) for image in load_sample_images().images]
    pixels = np.stack([np.asarray(image.convert("RGB" if color else "L")) for image in images])
    return torch.from_numpy(pixels if color else pixels[..., None]).permute(0, 3, 1, 2)
