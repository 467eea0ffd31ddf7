"""Sketches as pen movements: glyphs of Hershey's vector fonts, which are always at hand, and the reader's own files."""

import os
import pickle
import zipfile
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from vaeedu import require, sampling

SPLITS = ("train", "valid", "test")
# Larger steps in the files are slips of a mouse.
_LARGEST_STEP = 1000
# What the array in a Sketch-RNN file is pickled with, and nothing else.
_HARMLESS = {
    ("numpy", "ndarray"),
    ("numpy", "dtype"),
    ("numpy.core.multiarray", "_reconstruct"),
    ("numpy._core.multiarray", "_reconstruct"),
    ("_codecs", "encode"),
}


def glyphs(split: str = "train", *, max_points: int = 40) -> list[Float[Tensor, "T 3"]]:
    """Loads the glyphs of Hershey's fonts as sketches: letters, digits, notes, weather and star signs.

    They were drawn by hand in the 1960s for plotters, as lines. Glyphs that several fonts share are taken once. One in
    twenty is for validation, one in ten for testing; letters of one name in two fonts may lie on both sides.

    Args:
        split: `"train"`, `"valid"` or `"test"`.
        max_points: Glyphs with more points are left out.

    Returns:
        Stroke-3, `(T, 3)` each: steps to the right and up, and 1 where a line ends; scaled as `standardize` says, by
        the training glyphs.

    Raises:
        ValueError: `split` is unknown, or no glyph has so few points.

    Reference:
        Hershey (1967), Calligraphy for computers; by the package Hershey-Fonts (MIT).

    >>> steps = glyphs("test")[0]
    >>> steps.shape[1], steps.dtype
    (3, torch.float32)
    """
    require.choice("split", split, SPLITS)
    few = [s for s in _all_glyphs() if len(s) < require.positive_int("max_points", max_points)]
    which = {"valid": {7}, "test": {3, 13}}
    held_out = which["valid"] | which["test"]
    train = [s for i, s in enumerate(few) if i % 20 not in held_out]
    if not train:
        raise ValueError(f"max_points must leave some glyphs, but none has at most {max_points}")
    chosen = train if split == "train" else [s for i, s in enumerate(few) if i % 20 in which[split]]
    scale = float(torch.cat(train)[:, :2].std())
    return [_scaled(s, 1 / scale) for s in chosen]


def sketches(name: str, split: str = "train") -> list[Float[Tensor, "T 3"]]:
    """Loads a file of Sketch-RNN's format, where the reader has it: `$VAEEDU_DATA/sketch/<name>.npz`.

    The course neither ships nor downloads these files; `glyphs` are always at hand. The arrays inside are pickled. They
    are read by a reader that accepts numbers and nothing else, because another pickle could run a program.

    Args:
        name: The file's, without `.npz`: `"aaron_sheep"`, say.
        split: `"train"`, `"valid"` or `"test"`.

    Returns:
        Stroke-3, `(T, 3)` each, scaled by the training sketches; y points up, as in `glyphs`.

    Raises:
        ValueError: `split` is unknown, the file is not there, or holds something else.

    Reference:
        Ha and Eck (2018), A neural representation of sketch drawings.
    """
    require.choice("split", split, SPLITS)
    path = _file(name)
    if path is None or not path.is_file():
        raise ValueError(
            f"name must be that of a file in $VAEEDU_DATA/sketch, but {name}.npz is not there: put it there, or use "
            "glyphs"
        )
    scale = float(np.concatenate([s[:, :2] for s in _read(path, "train")]).std())
    chosen = [torch.from_numpy(s.astype(np.float32)) for s in _read(path, split)]
    return [_scaled(s * s.new_tensor([1, -1, 1]), 1 / scale) for s in chosen]


def sketches_at_hand(name: str) -> bool:
    """Says whether `$VAEEDU_DATA/sketch/<name>.npz` is there.

    >>> sketches_at_hand("a name that no file has")
    False
    """
    path = _file(name)
    return path is not None and path.is_file()


def jitter(
    drawings: Sequence[Tensor],
    *,
    stretch: float = 0.15,
    turn: float = 0.1,
    noise: float = 0.05,
    generator: torch.Generator | None = None,
) -> list[Float[Tensor, "T 3"]]:
    """Draws each sketch anew, a little wider, flatter, turned and shaken: no two people draw the same letter.

    Args:
        drawings: Stroke-3, `(T, 3)` each.
        stretch: Width and height are multiplied by factors within 1 ± this.
        turn: Standard deviation of the angle, in radians.
        noise: Standard deviation of what is added to each step, in the steps' unit.
        generator: The source of randomness; None is torch's global one.

    Returns:
        As many sketches.

    Raises:
        ValueError: A size is negative.
    """
    s, a, e = (
        require.non_negative_float(name, value)
        for name, value in (("stretch", stretch), ("turn", turn), ("noise", noise))
    )
    results = []
    for drawing in drawings:
        angle = a * float(sampling.normal((), like=drawing, generator=generator))
        factors = 1 + s * (2 * sampling.uniform((2,), like=drawing, generator=generator) - 1)
        turned = torch.tensor([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]]).to(drawing)
        steps = drawing[:, :2] * factors @ turned
        steps = steps + e * sampling.normal(steps.shape, like=steps, generator=generator)
        results.append(torch.cat([steps, drawing[:, 2:]], dim=1))
    return results


def stroke3(points: Sequence[Tensor]) -> Float[Tensor, "T 3"]:
    """Turns lines of points, `(n, 2)` each, into steps and line ends; see `vaeedu.sequences.from_lines`."""
    ends = torch.cat([torch.eye(len(p), dtype=torch.float64)[-1] for p in points])
    return torch.cat([torch.cat(list(points)).double().diff(dim=0), ends[1:, None]], dim=1).float()


def _scaled(drawing: Tensor, factor: float) -> Tensor:
    return torch.cat([drawing[:, :2] * factor, drawing[:, 2:]], dim=1)


@cache
def _all_glyphs() -> tuple[Tensor, ...]:
    """All that differ, in an order of no meaning, so that neighbours in the file do not share a split."""
    from HersheyFonts import HersheyFonts

    reader = HersheyFonts()
    found: dict[tuple[float, ...], Tensor] = {}
    for font in reader.default_font_names:
        reader.load_default_font(font)
        for glyph in reader.all_glyphs.values():
            lines = tuple(tuple((float(x), -float(y)) for x, y in line) for line in glyph.strokes if line)
            if sum(map(len, lines)) > 2:
                steps = stroke3([torch.tensor(line) for line in lines])
                found[tuple(steps.flatten().tolist())] = steps
    every = list(found.values())
    order = torch.randperm(len(every), generator=sampling.seeded(0)).tolist()
    return tuple(every[i] for i in order)


def _file(name: str) -> Path | None:
    root = os.environ.get("VAEEDU_DATA")
    return Path(root) / "sketch" / f"{name}.npz" if root else None


def _read(path: Path, split: str) -> list[np.ndarray]:
    """The sketches of a split, `(T, 3)`, float64."""
    with zipfile.ZipFile(path) as archive, archive.open(f"{split}.npy") as file:
        version = np.lib.format.read_magic(file)
        read_header = np.lib.format.read_array_header_1_0
        if version != (1, 0):
            read_header = np.lib.format.read_array_header_2_0
        _, _, dtype = read_header(file)
        if not dtype.hasobject:
            raise ValueError(f"{path.name} must hold arrays of sketches, but holds an array of {dtype}")
        arrays = _Numbers(file, encoding="latin1").load()
    return [np.clip(np.asarray(a, dtype=np.float64), -_LARGEST_STEP, _LARGEST_STEP) for a in arrays]


class _Numbers(pickle.Unpickler):
    """Loads arrays of numbers from a pickle, and refuses to load anything that could run."""

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) not in _HARMLESS:
            raise ValueError(
                f"the file must hold nothing but arrays, but asks for {module}.{name}: it is not of Sketch-RNN's format"
            )
        return super().find_class(module, name)
