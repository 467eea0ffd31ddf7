"""Image sets: `(images, labels)`, float32 in [0, 1] with shape `(N, C, H, W)`, and int64 or None."""

import gzip
import math

import numpy as np
import torch
from jaxtyping import Float32, Int64
from torch import Tensor

from vaeedu import require, sampling
from vaeedu.data import download

SPLITS = ("train", "test", "all")

_MNIST = download.PublishedFiles(
    folder="mnist",
    sha256={
        "train-images-idx3-ubyte.gz": "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609",
        "train-labels-idx1-ubyte.gz": "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c",
        "t10k-images-idx3-ubyte.gz": "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6",
        "t10k-labels-idx1-ubyte.gz": "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6",
    },
    mirrors=(
        "https://ossci-datasets.s3.amazonaws.com/mnist/",
        "https://storage.googleapis.com/cvdf-datasets/mnist/",
        "https://raw.githubusercontent.com/fgnt/mnist/master/",
    ),
)
_MNIST_PARTS = {"train": ("train",), "test": ("t10k",), "all": ("train", "t10k")}

# An IDX file opens with two zero bytes, the type (8: unsigned byte) and the number of dimensions.
_MAGIC_IMAGES = 0x0803
_MAGIC_LABELS = 0x0801


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


def mnist(split: str = "train") -> tuple[Float32[Tensor, "N 1 28 28"], Int64[Tensor, " N"]]:
    """Loads MNIST: 70 000 handwritten digits of 28×28 pixels, which take the 256 values k / 255.

    The published files are looked for in `$VAEEDU_DATA/mnist`, then in the user cache, and else are downloaded into
    that cache (11 MB, once). Each must have the published SHA-256.

    Args:
        split: `"train"` (60 000 images), `"test"` (10 000) or `"all"` (train, then test).

    Returns:
        Images in [0, 1], `(N, 1, 28, 28)`, black paper and white ink, and labels 0 to 9, `(N,)`.

    Raises:
        ValueError: `split` is unknown, or a file in `$VAEEDU_DATA/mnist` is not the published one.
        OSError: The cache cannot be written to. `ConnectionError`, which is one: the download failed; the message says
            which files to put where when there is no network.

    Reference:
        LeCun, Bottou, Bengio and Haffner (1998), Gradient-based learning applied to document recognition.

    >>> mnist("validation")
    Traceback (most recent call last):
    ...
    ValueError: split must be one of 'train', 'test', 'all', but is 'validation'
    """
    require.choice("split", split, SPLITS)
    levels = np.concatenate(
        [_read_idx(f"{p}-images-idx3-ubyte.gz", _MAGIC_IMAGES) for p in _MNIST_PARTS[split]]
    )
    labels = np.concatenate(
        [_read_idx(f"{p}-labels-idx1-ubyte.gz", _MAGIC_LABELS) for p in _MNIST_PARTS[split]]
    )
    images = torch.from_numpy(levels.astype(np.float32)).div_(255)
    return images[:, None], torch.from_numpy(labels.astype(np.int64))


def mnist_at_hand() -> bool:
    """Says whether `mnist` would find its files on this machine, without a download.

    >>> isinstance(mnist_at_hand(), bool)
    True
    """
    return download.on_this_machine(_MNIST)


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


def _read_idx(name: str, magic: int) -> np.ndarray:
    return _parse_idx(name, gzip.decompress(download.read(_MNIST, name)), magic)


def _parse_idx(name: str, content: bytes, magic: int) -> np.ndarray:
    """The bytes of an IDX file as an array of the shape that its header, big-endian, gives."""
    if (found := int.from_bytes(content[:4], "big")) != magic:
        raise ValueError(
            f"{name} must be an IDX file that begins with {magic:#06x}, but begins with {found:#06x}: "
            "check that images and labels are not swapped"
        )
    start = 4 + 4 * (magic & 0xFF)
    shape = [int.from_bytes(content[i : i + 4], "big") for i in range(4, start, 4)]
    if len(content) != start + math.prod(shape):
        raise ValueError(
            f"{name} must have {start + math.prod(shape)} bytes for its shape {tuple(shape)}, but has {len(content)}: "
            "the file is incomplete; fetch it again"
        )
    return np.frombuffer(content, dtype=np.uint8, offset=start).reshape(shape)
