"""MNIST: a small part of it, which comes with the course, and all of it, where the published files are at hand."""

import gzip
import math
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Float32, Int64
from torch import Tensor

from vaeedu import require
from vaeedu.data import download
from vaeedu.data.images import SPLITS

_PUBLISHED = download.PublishedFiles(
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
_PARTS = {"train": ("train",), "test": ("t10k",), "all": ("train", "t10k")}
# Made from the published files by tools/pack_small_mnist.py.
_SMALL = Path(__file__).with_name("small_mnist.npz")

# An IDX file opens with two zero bytes, the type (8: unsigned byte) and the number of dimensions.
_MAGIC_IMAGES = 0x0803
_MAGIC_LABELS = 0x0801


class _ImagesAndLabels(NamedTuple):
    images: Float32[Tensor, "N 1 28 28"]
    labels: Int64[Tensor, " N"]


class Mnist(_ImagesAndLabels):
    """Images and labels, `images, labels = mnist()`, which also know which set they are from.

    Attributes:
        images: In [0, 1], float32, `(N, 1, 28, 28)`.
        labels: 0 to 9, int64, `(N,)`.
        is_full: Whether they are from the full set, and not from the small one.
    """

    is_full: bool

    @property
    def source(self) -> str:
        """Says in a line which set this is, for the top of a lecture."""
        if self.is_full:
            return f"MNIST in full: {len(self.images)} images"
        return f"the small MNIST that comes with the course: {len(self.images)} images"


def mnist(split: str = "train", *, full: bool | None = None) -> Mnist:
    """Loads MNIST, handwritten digits of 28×28 pixels, which take the 256 values k / 255. No network is used.

    Where the four published files are on this machine (`mnist_at_hand`), this is the full set: 60 000 training images
    and 10 000 test images. Elsewhere it is the small set that comes with the course, whose images are those of the
    full one, byte for byte: the first 10 000 training images, and 2 000 test images, the first 1 000 of each half of
    the test set, because the two halves are by different
    writers, and the first is much the harder to classify. `fetch_mnist` fetches the full set.

    MNIST is under the licence CC BY-SA 3.0, and so is the small set.

    Args:
        split: `"train"`, `"test"` or `"all"` (train, then test).
        full: Whether it must be the full set, or the small one; None takes the full one where it is at hand.

    Returns:
        Images in [0, 1], `(N, 1, 28, 28)`, black paper and white ink, and labels 0 to 9, `(N,)`; a pair that also says
        which set it is (`.is_full`, `.source`).

    Raises:
        ValueError: `split` is unknown, the full set is asked for and not at hand, or a file in `$VAEEDU_DATA/mnist` is
            not the published one.

    Reference:
        LeCun, Bottou, Bengio and Haffner (1998), Gradient-based learning applied to document recognition.

    >>> images, labels = mnist()
    >>> images.shape[1:], labels[:5]
    (torch.Size([1, 28, 28]), tensor([5, 0, 4, 1, 9]))
    """
    require.choice("split", split, SPLITS)
    is_full = mnist_at_hand() if full is None else full
    if is_full and not mnist_at_hand():
        raise ValueError(
            "full must be False or None, because the full MNIST is not at hand: call fetch_mnist() first"
        )
    levels, labels = _read_published(split) if is_full else _read_small(split)
    images = torch.from_numpy(levels.astype(np.float32)).div_(255)
    result = Mnist(images[:, None], torch.from_numpy(labels.astype(np.int64)))
    result.is_full = is_full
    return result


def mnist_at_hand() -> bool:
    """Says whether the full MNIST is on this machine: its four files, in `$VAEEDU_DATA/mnist` or in the user cache.

    >>> isinstance(mnist_at_hand(), bool)
    True
    """
    return download.on_this_machine(_PUBLISHED)


def fetch_mnist() -> None:
    """Downloads the full MNIST into the user cache (11 MB), where `mnist` finds it from then on.

    Files that are on this machine are not fetched again. Each must have the published SHA-256.

    Raises:
        ValueError: A file in `$VAEEDU_DATA/mnist` is not the published one.
        OSError: The cache cannot be written to. `ConnectionError`, which is one: the download failed; the message says
            which files to put where when there is no network.
    """
    for name in _PUBLISHED.sha256:
        download.read(_PUBLISHED, name)


def _read_published(split: str) -> tuple[np.ndarray, np.ndarray]:
    names, kinds = _PARTS[split], (("images-idx3", _MAGIC_IMAGES), ("labels-idx1", _MAGIC_LABELS))
    images, labels = (
        np.concatenate([_read_idx(f"{name}-{kind}-ubyte.gz", magic) for name in names])
        for kind, magic in kinds
    )
    return images, labels


def _read_small(split: str) -> tuple[np.ndarray, np.ndarray]:
    parts = ("train", "test") if split == "all" else (split,)
    with np.load(_SMALL, allow_pickle=False) as arrays:
        images, labels = (
            np.concatenate([arrays[f"{part}_{kind}"] for part in parts]) for kind in ("images", "labels")
        )
    return images, labels


def _read_idx(name: str, magic: int) -> np.ndarray:
    return _parse_idx(name, gzip.decompress(download.read(_PUBLISHED, name)), magic)


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
