"""CelebA's photographs and their attributes, where the reader has them."""

import os
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Bool, Float32
from torch import Tensor

from vaeedu import require

_FOLDER, _ATTRIBUTES, _PARTITION = "img_align_celeba", "list_attr_celeba.txt", "list_eval_partition.txt"
_PARTS = {"train": "0", "validation": "1", "test": "2"}
# What of the 178 columns and 218 rows is kept: the face without most of what is around it, as is usual.
_CROP = (15, 40, 163, 188)  # left, top, right, bottom


class CelebA(NamedTuple):
    """Photographs with their attributes."""

    images: Float32[Tensor, "N 3 S S"]
    attributes: Bool[Tensor, "N A"]
    names: tuple[str, ...]


def celeba(
    root: str | os.PathLike[str], *, split: str = "train", num_images: int | None = None, size: int = 32
) -> CelebA:
    """Loads aligned faces of celebrities with their attributes from a folder that the reader has.

    The folder holds, as published, `img_align_celeba/` with `000001.jpg` and so on, `list_attr_celeba.txt`,
    and, for the parts, `list_eval_partition.txt`. From each photograph a square of 148 pixels around the face is cut
    and made small. The authors allow non-commercial research only: the course neither ships nor downloads them;
    `faces` are always at hand.

    Args:
        root: The folder.
        split: `"train"` (162 770 faces), `"validation"` (19 867), `"test"` (19 962) or `"all"`. The parts need the
            file that says which face is in which.
        num_images: How many to load, from the first on; None for all.
        size: S, in pixels.

    Returns:
        Images in [0, 1], `(N, 3, S, S)`; attributes, `(N, 40)`, whether a face has them; and their names, such as
        `"Smiling"` or `"Eyeglasses"`.

    Raises:
        ValueError: A file is not there, a line of one is not as published, or a setting is out of range.

    Reference:
        Liu, Luo, Wang and Tang (2015), Deep learning face attributes in the wild.
    """
    from PIL import Image

    folder, S = Path(root), require.positive_int("size", size)
    require.choice("split", split, ("train", "validation", "test", "all"))
    names, rows = _read_attributes(_there(folder, _ATTRIBUTES))
    if split != "all":
        lines = _there(folder, _PARTITION).read_text(encoding="utf-8").split("\n")
        part = dict(line.split() for line in lines if line.strip())
        rows = {name: row for name, row in rows.items() if part.get(name) == _PARTS[split]}
    if num_images is not None:
        rows = dict(list(rows.items())[: require.positive_int("num_images", num_images)])
    if not rows:
        raise ValueError(f"split must be one that has faces in {folder}, but {split!r} has none: try 'all'")
    _there(folder, _FOLDER)
    images = np.empty((len(rows), S, S, 3), dtype=np.uint8)
    for i, name in enumerate(rows):
        with Image.open(_there(folder, f"{_FOLDER}/{name}")) as photograph:
            small = photograph.convert("RGB").resize((S, S), Image.Resampling.BOX, box=_CROP)
        images[i] = np.asarray(small)
    x = torch.from_numpy(images).permute(0, 3, 1, 2).contiguous().float().div_(255)
    return CelebA(x, torch.tensor(list(rows.values())), names)


def celeba_at_hand(root: str | os.PathLike[str]) -> bool:
    """Says whether a folder holds CelebA's aligned photographs and their attributes.

    >>> celeba_at_hand("nowhere")
    False
    """
    return (Path(root) / _FOLDER).is_dir() and (Path(root) / _ATTRIBUTES).is_file()


def _there(folder: Path, name: str) -> Path:
    path = folder / name
    if not path.exists():
        raise ValueError(
            f"root must be the folder with CelebA's {name}, but {folder} has none: "
            "get the aligned images and the lists from the authors' page, or use vaeedu.data.faces"
        )
    return path


def _read_attributes(path: Path) -> tuple[tuple[str, ...], dict[str, list[bool]]]:
    """The names, and for each photograph which of them it has. The file counts its lines, and writes 1 and −1."""
    _, header, *lines = path.read_text(encoding="utf-8").rstrip("\n").split("\n")
    names, rows = tuple(header.split()), {}
    for number, line in enumerate(lines, 3):
        name, *values = line.split()
        if len(values) != len(names) or not set(values) <= {"1", "-1"}:
            raise ValueError(
                f"line {number} of {path.name} must hold a name and 1 or -1 for each of {len(names)} attributes, "
                f"but is {line[:60]!r}: fetch the file again"
            )
        rows[name] = [value == "1" for value in values]
    return names, rows
