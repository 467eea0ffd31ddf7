"""What arrays of data must be: matrices, real, positive, probabilities, grey values, of shapes that fit."""

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

_ROWS_AT_ONCE = 8192


def matrix(
    name: str, value: object, *, num_columns: int | None = None, allow_missing: bool = False
) -> Float[Tensor, "N D"]:
    """Returns `value` as an `(N, D)` floating-point tensor, sharing its memory.

    Args:
        name: What the caller calls it; the message begins with it.
        value: A tensor or NumPy array of float32 or float64, shape `(N, D)`.
        num_columns: The required D, or None for any.
        allow_missing: Whether NaN may stand for a missing entry. Infinity never may.

    Raises:
        ValueError: The type, dtype, rank, size or an entry is not as described.

    >>> matrix("x", np.zeros((2, 3))).shape
    torch.Size([2, 3])
    >>> matrix("x", np.zeros(3))
    Traceback (most recent call last):
    ...
    ValueError: x must have shape (N, D), one row per example, but has shape (3,): use x[None, :] for a single example
    """
    x = _float_tensor(name, value)
    if x.ndim != 2:
        raise ValueError(
            f"{name} must have shape (N, D), one row per example, but has shape {tuple(x.shape)}: "
            + _how_to_make_a_matrix(name, x.ndim)
        )
    if x.shape[0] == 0 or x.shape[1] == 0:
        raise ValueError(f"{name} must hold at least one row and one column, but has shape {tuple(x.shape)}")
    if num_columns is not None and x.shape[1] != num_columns:
        raise ValueError(
            f"{name} must have {num_columns} columns, but has shape {tuple(x.shape)}: "
            "pass data with the same features, in the same order, as those the model has"
        )
    _check_entries(name, x, allow_missing=allow_missing)
    return x


def binary_matrix(name: str, value: object, *, num_columns: int | None = None) -> Float[Tensor, "N D"]:
    """Returns `value` as an `(N, D)` floating-point tensor of zeros and ones, sharing its memory.

    Args:
        name: What the caller calls it.
        value: A tensor or NumPy array of float32 or float64, shape `(N, D)`.
        num_columns: The required D, or None for any.

    Raises:
        ValueError: As `matrix`, or an entry is neither 0 nor 1.

    >>> binary_matrix("x", np.array([[0.0, 0.5]]))
    Traceback (most recent call last):
    ...
    ValueError: x must hold zeros and ones, but x[0, 1] is 0.5: use vaeedu.data.binarize(x, 'dynamic')
    """
    return binary(name, matrix(name, value, num_columns=num_columns))


def vector(name: str, value: object, *, length: int | None = None) -> Float[Tensor, " K"]:
    """Returns `value` as a floating-point vector of finite numbers, sharing its memory.

    Args:
        name: What the caller calls it.
        value: A tensor or NumPy array of float32 or float64, shape `(K,)`.
        length: The required K, or None for any.

    Raises:
        ValueError: The type, dtype or shape is not as described, or an entry is NaN or infinite.

    >>> vector("loc", torch.zeros(2, 1), length=2)
    Traceback (most recent call last):
    ...
    ValueError: loc must be a tensor of shape (2,), but is (2, 1)
    """
    shape = tuple(value.shape) if isinstance(value, (Tensor, np.ndarray)) else type(value).__name__
    if not isinstance(shape, tuple) or len(shape) != 1 or shape != (length or max(shape[0], 1),):
        wanted = "(K,)" if length is None else f"({length},)"
        raise ValueError(f"{name} must be a tensor of shape {wanted}, but is {shape}")
    return real(name, value)


def real(name: str, value: object) -> Float[Tensor, "*shape"]:
    """Returns `value` as a floating-point tensor of finite numbers, sharing its memory.

    Args:
        name: What the caller calls it.
        value: A tensor or NumPy array of float32 or float64, any shape; or a plain number.

    Raises:
        ValueError: The type or dtype is not as described, or an entry is NaN or infinite.

    >>> real("loc", torch.tensor([0.0, torch.inf]))
    Traceback (most recent call last):
    ...
    ValueError: loc must hold finite numbers, but loc[1] is inf: drop or replace that entry
    """
    x = _float_tensor(name, _number_as_tensor(value))
    refuse(name, x, ~torch.isfinite(x), "hold finite numbers", "drop or replace that entry")
    return x


def positive(name: str, value: object) -> Float[Tensor, "*shape"]:
    """Returns `value` as a floating-point tensor of finite numbers greater than zero, sharing its memory.

    Args:
        name: What the caller calls it.
        value: A tensor or NumPy array of float32 or float64, any shape; or a plain number.

    Raises:
        ValueError: The type or dtype is not as described, or an entry is not positive, NaN or infinite.

    >>> positive("scale", torch.tensor([1.0, -0.5]))
    Traceback (most recent call last):
    ...
    ValueError: scale must hold numbers greater than 0, but scale[1] is -0.5: use scale.exp() for logarithms
    """
    x = real(name, value)
    refuse(name, x, x <= 0, "hold numbers greater than 0", f"use {name}.exp() for logarithms")
    return x


def unit_interval(name: str, value: object) -> Float[Tensor, "*shape"]:
    """Returns `value` as a floating-point tensor with entries in [0, 1], sharing its memory.

    Args:
        name: What the caller calls it.
        value: A tensor or NumPy array of float32 or float64, any shape.

    Raises:
        ValueError: The type or dtype is not as described, or an entry is outside [0, 1] or NaN.

    >>> unit_interval("x", torch.tensor([0.0, 255.0]))
    Traceback (most recent call last):
    ...
    ValueError: x must lie in [0, 1], but its entries range from 0.0 to 255.0: use x / 255 for bytes
    """
    x = _float_tensor(name, value)
    if x.numel() == 0:
        return x
    low, high = (float(bound) for bound in torch.aminmax(x.detach()))
    if np.isnan(low):
        raise ValueError(f"{name} must lie in [0, 1], but has NaN entries: drop or fill them")
    if low < 0.0 or high > 1.0:
        raise ValueError(
            f"{name} must lie in [0, 1], but its entries range from {low} to {high}: use {name} / 255 for bytes"
        )
    return x


def binary(name: str, value: object, *, where: str = "", mend: str = "") -> Float[Tensor, "*shape"]:
    """Returns `value` as a floating-point tensor of zeros and ones, sharing its memory.

    Args:
        name: What the caller calls it.
        value: A tensor or NumPy array of float32 or float64, any shape.
        where: When that is asked for, such as `"where the likelihood is Bernoulli"`.
        mend: What else than binarizing would help.

    Raises:
        ValueError: The type or dtype is not as described, or an entry is neither 0 nor 1.

    >>> binary("x", torch.tensor([0.0, 0.5]))
    Traceback (most recent call last):
    ...
    ValueError: x must hold zeros and ones, but x[1] is 0.5: use vaeedu.data.binarize(x, 'dynamic')
    """
    x = _float_tensor(name, value)
    asked = f"hold zeros and ones{where and f' {where}'}"
    refuse(
        name,
        x,
        (x != 0) & (x != 1),
        asked,
        f"use vaeedu.data.binarize({name}, 'dynamic'){mend and f', {mend}'}",
    )
    return x


def broadcast(**values: object) -> tuple[Tensor, ...]:
    """Returns the values as tensors of one shape and dtype; plain numbers take the tensors' dtype.

    Raises:
        ValueError: The shapes do not broadcast.

    >>> broadcast(loc=torch.zeros(2, 3), scale=1.0)[1].shape
    torch.Size([2, 3])
    >>> broadcast(loc=torch.zeros(2, 3), scale=torch.ones(2))
    Traceback (most recent call last):
    ...
    ValueError: loc, scale must have shapes that broadcast, but have (2, 3), (2,): add [:, None] or [None] to one
    """
    tensors = {name: _float_tensor(name, v) for name, v in values.items() if not isinstance(v, (int, float))}
    dtypes = [t.dtype for t in tensors.values()]
    dtype = torch.float64 if torch.float64 in dtypes else (dtypes or [torch.get_default_dtype()])[0]
    device = next((t.device for t in tensors.values()), None)
    filled = [
        tensors[n].to(dtype) if n in tensors else torch.tensor(v, dtype=dtype, device=device)
        for n, v in values.items()
    ]
    try:
        return torch.broadcast_tensors(*filled)
    except RuntimeError:
        shapes = ", ".join(str(tuple(t.shape)) for t in filled)
        raise ValueError(
            f"{', '.join(values)} must have shapes that broadcast, but have {shapes}: "
            "add [:, None] or [None] to one"
        ) from None


def _number_as_tensor(value: object) -> object:
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
    return torch.tensor(float(value), dtype=torch.float64) if is_number else value  # type: ignore[arg-type]


def refuse(name: str, x: Tensor, bad: Tensor, expected: str, mend: str) -> None:
    """Raises a ValueError that names the first entry of `x` that is `bad`, where there is one."""
    if bool(bad.any()):
        where = bad.nonzero()[0].tolist()
        entry = f"{name}[{', '.join(map(str, where))}]" if where else name
        raise ValueError(f"{name} must {expected}, but {entry} is {float(x[tuple(where)]):.6g}: {mend}")


def _float_tensor(name: str, value: object) -> Tensor:
    if isinstance(value, np.ndarray):
        if value.dtype not in (np.float32, np.float64):
            raise ValueError(
                f"{name} must be float32 or float64, but is {value.dtype}: use {name}.astype('float32')"
            )
        # from_numpy refuses negative strides and warns about read-only memory: such an array is copied.
        plain = value.flags.writeable and all(stride >= 0 for stride in value.strides)
        return torch.from_numpy(value if plain else value.copy())
    if not isinstance(value, Tensor):
        raise ValueError(
            f"{name} must be a torch.Tensor or numpy.ndarray, but is {type(value).__name__}: "
            f"use torch.tensor({name}, dtype=torch.float32)"
        )
    if value.dtype not in (torch.float32, torch.float64):
        raise ValueError(f"{name} must be float32 or float64, but is {value.dtype}: use {name}.float()")
    return value


def _how_to_make_a_matrix(name: str, ndim: int) -> str:
    return f"use {name}[None, :] for a single example" if ndim < 2 else f"use {name}.reshape(len({name}), -1)"


def _check_entries(name: str, x: Tensor, *, allow_missing: bool) -> None:
    # A sum is finite only if every entry is, and needs no memory; only where it is not do we look closer.
    if bool(torch.isfinite(x.sum())):
        return
    for start in range(0, x.shape[0], _ROWS_AT_ONCE):
        rows = x[start : start + _ROWS_AT_ONCE]
        bad = torch.isinf(rows) if allow_missing else ~torch.isfinite(rows)
        if bool(bad.any()):
            row, column = (int(i) for i in bad.nonzero()[0])
            raise ValueError(
                f"{name} must hold finite numbers, but {name}[{start + row}, {column}] is {float(rows[row, column])}"
                f": {_how_to_mend(float(rows[row, column]))}"
            )


def _how_to_mend(entry: float) -> str:
    if np.isnan(entry):
        return "drop or fill that entry, or fit ProbabilisticPCA with method='em', which takes NaN as missing"
    return "drop or fill that entry"
