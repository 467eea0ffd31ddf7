"""Generated colour images of numbers, like those that one crops from photographs of houses."""

import os
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import Float32, Int64
from torch import Tensor

from vaeedu import require
from vaeedu.data.images import _photographs

_FONTS = ("DejaVuSans", "DejaVuSans-Bold", "DejaVuSans-Oblique", "DejaVuSansMono", "DejaVuSansMono-Bold",
          "DejaVuSerif", "DejaVuSerif-Bold", "DejaVuSerif-Italic", "STIXGeneral", "STIXGeneralBol",
          "cmr10", "cmb10", "cmss10", "cmtt10")  # fmt: skip


def street_numbers(
    split: str = "train", *, num_images: int = 2000, size: int = 32, generator: torch.Generator | None = None
) -> tuple[Float32[Tensor, "N 3 S S"], Int64[Tensor, " N"]]:
    """Draws street-number-like images: a digit in one of matplotlib's fonts over a piece of a photograph.

    The digit in the middle is the label. Beside it stand, more often than not, others, cut off by the border. Fonts,
    sizes, colours, tilt, light and noise vary; the ink is light on dark pieces and dark on light ones. Everything is
    made on the spot from what comes with matplotlib and scikit-learn. This is not the SVHN data set (Netzer et al.
    2011), but has its difficulties: colour, clutter, neighbours.

    Backgrounds of training images lie within the left three quarters of the two photographs, those of test images
    within the rest.

    Args:
        split: `"train"` or `"test"`.
        num_images: N; about a millisecond each.
        size: S, in pixels, at least 16.
        generator: The source of randomness; None is torch's global one.

    Returns:
        Images in [0, 1], `(N, 3, S, S)`, and the middle digit, `(N,)`.

    Raises:
        ValueError: `split` is unknown, `num_images` is no positive whole number, or `size` less than 16.

    Reference:
        Netzer, Wang, Coates, Bissacco, Wu and Ng (2011), Reading digits in natural images with unsupervised feature
        learning, for the real thing.

    >>> images, labels = street_numbers(num_images=4, generator=torch.Generator().manual_seed(0))
    >>> images.shape, labels.shape
    (torch.Size([4, 3, 32, 32]), torch.Size([4]))
    """
    require.choice("split", split, ("train", "test"))
    N = require.positive_int("num_images", num_images)
    S = require.positive_int("size", size)
    if S < 16:
        raise ValueError(f"size must be at least 16, for a digit to be legible, but is {S}")
    seed = torch.randint(2**62, (), generator=generator, device=generator.device if generator else None)
    rng = np.random.default_rng(int(seed))
    photographs = _photographs(True).permute(0, 2, 3, 1).numpy()  # (2, rows, columns, 3)
    border = photographs.shape[2] * 3 // 4
    part = photographs[:, :, :border] if split == "train" else photographs[:, :, border:]
    labels = rng.integers(0, 10, N)
    images = np.stack([_street_number(int(label), part, S, rng) for label in labels])
    return torch.from_numpy(images).permute(0, 3, 1, 2).contiguous(), torch.from_numpy(labels)


def svhn_at_hand() -> bool:
    """Says whether the real street numbers, SVHN's cropped digits, lie in `$VAEEDU_DATA/svhn`.

    >>> isinstance(svhn_at_hand(), bool)
    True
    """
    return all(path is not None and path.is_file() for path in map(_svhn_file, ("train", "test")))


def svhn(split: str = "train") -> tuple[Float32[Tensor, "N 3 32 32"], Int64[Tensor, " N"]]:
    """Loads SVHN's cropped digits, where the reader has them: `train_32x32.mat` and `test_32x32.mat`.

    The authors allow non-commercial use; the course neither ships nor downloads them. `street_numbers` are always
    at hand.

    Args:
        split: `"train"` (73 257 images) or `"test"` (26 032).

    Returns:
        Images in [0, 1], `(N, 3, 32, 32)`, and the digit in the middle, `(N,)`. (In the files zero is class 10.)

    Raises:
        ValueError: `split` is unknown, or the file is not there.

    Reference:
        Netzer, Wang, Coates, Bissacco, Wu and Ng (2011), Reading digits in natural images with unsupervised feature
        learning.
    """
    path = _svhn_file(require.choice("split", split, ("train", "test")))
    if path is None or not path.is_file():
        raise ValueError(
            f"split must be one whose file is at hand, but {split}_32x32.mat is not in $VAEEDU_DATA/svhn: put it "
            "there, or use street_numbers"
        )
    from scipy.io import loadmat

    content = loadmat(str(path))
    images = np.ascontiguousarray(content["X"].transpose(3, 2, 0, 1)).astype(np.float32)
    labels = content["y"].reshape(-1).astype(np.int64) % 10
    return torch.from_numpy(images).div_(255), torch.from_numpy(labels)


def _svhn_file(split: str) -> Path | None:
    root = os.environ.get("VAEEDU_DATA")
    return Path(root) / "svhn" / f"{split}_32x32.mat" if root else None


def _street_number(label: int, photographs: np.ndarray, S: int, rng: np.random.Generator) -> np.ndarray:
    """One image, `(S, S, 3)`, float32 in [0, 1]."""
    from PIL import Image, ImageDraw

    photograph = photographs[rng.integers(len(photographs))]
    rows, columns = photograph.shape[:2]
    side = int(rng.integers(24, 120))
    top, left = rng.integers(rows - side), rng.integers(columns - side)
    piece = Image.fromarray(photograph[top : top + side, left : left + side]).resize(
        (S, S), Image.Resampling.BILINEAR
    )
    background = np.asarray(piece, dtype=np.float32)
    ink = np.clip(rng.normal(230 if background.mean() < 128 else 30, 25, 3), 0, 255)
    font_size = int(rng.integers(S * 5 // 8, S))
    font = _font(_FONTS[rng.integers(len(_FONTS))], font_size)
    # Written three images wide, so that a turned neighbour comes in from outside.
    layer = Image.new("L", (3 * S, S), 0)
    pen = ImageDraw.Draw(layer)
    for place in (-1, 0, 1):
        digit = label if place == 0 else int(rng.integers(10))
        if place == 0 or rng.random() < 0.6:
            pen.text(
                (1.5 * S + 0.68 * place * font_size, S / 2), str(digit), fill=255, font=font, anchor="mm"
            )
    turned = layer.rotate(float(rng.normal(0, 6)), Image.Resampling.BILINEAR, center=(1.5 * S, S / 2))
    mask = np.asarray(turned, dtype=np.float32)[:, S : 2 * S, None] / 255
    image = (mask * ink + (1 - mask) * background) * rng.uniform(0.6, 1.1) + rng.normal(0, 4, (S, S, 3))
    return (np.clip(image, 0, 255) / 255).astype(np.float32)


@cache
def _font(name: str, font_size: int) -> Any:
    import matplotlib as mpl
    from PIL import ImageFont

    return ImageFont.truetype(str(Path(mpl.get_data_path()) / "fonts" / "ttf" / f"{name}.ttf"), font_size)
