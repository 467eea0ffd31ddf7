"""Whole tensors, cut into batches by index on the device where they lie.

A `DataLoader` collates one example at a time, at tens of microseconds each; `index_select` takes half a microsecond.
"""

import zlib

import torch
from torch import Tensor

# What people hand over instead of tensors, by the name of its type.
_MEND = {
    "ndarray": "use torch.as_tensor(data).float()",
    "DataLoader": "pass the whole data set as tensors; fit cuts them into batches and shuffles (batch_size=…)",
    "TensorDataset": "pass dataset.tensors",
}


def as_tensors(data: object) -> tuple[Tensor, ...]:
    """Returns `data` as a tuple of tensors with one row per example.

    Raises:
        ValueError: It is not a tensor or tuple of tensors, is empty, or the tensors differ in length.
    """
    tensors = data if isinstance(data, (tuple, list)) else (data,)
    for tensor in tensors:
        if not isinstance(tensor, Tensor):
            raise ValueError(
                f"data must be a tensor or a tuple of tensors, but holds a {type(tensor).__name__}: "
                f"{_MEND.get(type(tensor).__name__, 'use torch.as_tensor, and leave out what is None')}"
            )
    shapes = [tuple(tensor.shape) for tensor in tensors]
    if not tensors or any(not shape or shape[0] == 0 for shape in shapes):
        raise ValueError(f"data must hold at least one example, one per row, but has shapes {shapes}")
    if len({shape[0] for shape in shapes}) > 1:
        raise ValueError(
            f"data must hold tensors of one length, but they have shapes {shapes}: pair the rows"
        )
    return tuple(tensors)


def take(data: tuple[Tensor, ...], index: Tensor) -> tuple[Tensor, ...]:
    """Returns the rows of every tensor that `index` names."""
    return tuple(tensor.index_select(0, index) for tensor in data)


def as_batch(value: Tensor | tuple[Tensor, ...]) -> tuple[Tensor, ...]:
    """Returns what a transform returned as a tuple."""
    return tuple(value) if isinstance(value, (tuple, list)) else (value,)


def fingerprint(data: tuple[Tensor, ...], num_rows: int = 64) -> str:
    """Returns a few characters that tell these data from others: shapes, types, and some rows' checksum."""
    checksum = 0
    for tensor in data:
        rows = torch.linspace(0, len(tensor) - 1, min(num_rows, len(tensor)), device=tensor.device).long()
        content = tensor.detach().index_select(0, rows).cpu().contiguous()
        checksum = zlib.crc32(content.reshape(-1).view(torch.uint8).numpy().tobytes(), checksum)
    shapes = "+".join(f"{str(t.dtype).removeprefix('torch.')}{list(t.shape)}" for t in data)
    return f"{shapes}#{checksum:08x}"
