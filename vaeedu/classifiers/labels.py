"""What class labels must be."""

import torch
from jaxtyping import Int64
from torch import Tensor


def labels(
    value: object, *, num_examples: int, num_classes: int | None = None, missing: bool = False
) -> Int64[Tensor, " N"]:
    """Returns class labels as an int64 tensor.

    Args:
        value: Whole numbers from 0, `(N,)`; a tensor or array.
        num_examples: N.
        num_classes: How many classes there are, or None for any number.
        missing: Whether −1 may stand for a label that is not known.

    Raises:
        ValueError: They are not whole numbers, not one for each example, or out of range.

    >>> labels([0, 2, 1], num_examples=3)
    tensor([0, 2, 1])
    """
    y = torch.as_tensor(value)
    if y.is_floating_point() or y.is_complex() or y.dtype == torch.bool:
        raise ValueError(
            f"y must be whole numbers from 0 (one for each class), but has dtype {y.dtype}: use y.long()"
        )
    if y.shape != (num_examples,):
        raise ValueError(
            f"y must have shape {(num_examples,)}, one label for each row of x, but has shape {tuple(y.shape)}"
        )
    lowest, highest = (int(y.min()), int(y.max())) if num_examples else (0, 0)
    if lowest < (-1 if missing else 0):
        allowed = "-1 for an unknown label, or a class from 0" if missing else "classes from 0"
        raise ValueError(f"y must hold {allowed}, but holds {lowest}")
    if num_classes is not None and highest >= num_classes:
        raise ValueError(f"y must hold classes below {num_classes}, but holds {highest}")
    return y.long()


def classes_with_examples(y: Int64[Tensor, " N"]) -> int:
    """Returns the number of classes, each of which must have an example.

    Raises:
        ValueError: A class below the highest has none, or there is but one class.

    >>> classes_with_examples(torch.tensor([0, 1, 1]))
    2
    """
    counts = torch.bincount(y)
    if len(counts) < 2:
        raise ValueError("y must hold at least two classes, but holds only class 0")
    if empty := (counts == 0).nonzero().flatten().tolist():
        raise ValueError(
            f"y must hold an example of every class from 0 to {len(counts) - 1}, but has none of {empty[0]}"
        )
    return len(counts)
