"""Arrays as plain data: what may cross from the process that runs a student's code to the one that judges it.

A plain array is a NumPy array of float64, int64 or bool. It has two forms as a JSON object, both with its type and its
shape: with its entries as numbers, which people can read (`encode`), or as their bytes, which stay the same to the last
bit (`pack`). Nothing is ever unpickled, and reading one back checks its type and size first.
"""

import base64
import binascii
import math
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

Array: TypeAlias = NDArray[Any]

# How the bytes are stored: little-endian, so that they mean the same everywhere.
_DTYPES = {"float64": "<f8", "int64": "<i8", "bool": "|b1"}
_MAX_DIMENSIONS, _MAX_SIZE, _MAX_SHOWN = 8, 2**24, 80
_NOT_FINITE = {"nan": math.nan, "inf": math.inf, "-inf": -math.inf}
_DIGITS = 9
# Up to here every whole number is a float64.
_COUNTED = 2**53


def encode(array: Array) -> dict[str, Any]:
    """Writes a plain array as a JSON object.

    Args:
        array: An array of float64, int64 or bool, any shape.

    Returns:
        `{"dtype": …, "shape": […], "data": […]}` with the entries in row-major order; NaN and the infinities, which
        JSON has no numbers for, become the strings "nan", "inf" and "-inf". Whole numbers are written without a point,
        which is shorter; the type says how they are read back.

    Raises:
        ValueError: The array has another dtype.

    >>> encode(np.array([[1.0, np.nan]]))
    {'dtype': 'float64', 'shape': [1, 2], 'data': [1, 'nan']}
    """
    dtype = _dtype_of(array)
    return {
        "dtype": dtype,
        "shape": list(array.shape),
        "data": [_shortest(e) for e in array.reshape(-1).tolist()],
    }


def decode(value: object) -> Array:
    """Reads an array back from what `encode` made of it.

    Raises:
        ValueError: It is not such an object: another dtype, a shape that does not fit the data, or an entry that is no
            number.

    >>> decode({"dtype": "float64", "shape": [2], "data": [1.0, "-inf"]})
    array([  1., -inf])
    """
    dtype, shape, data = _fields(value)
    if not isinstance(data, list) or len(data) != math.prod(shape):
        raise ValueError(f"a plain array of shape {shape} must hold {math.prod(shape)} entries in a list")
    try:
        return np.array([_number(entry) for entry in data], dtype=dtype).reshape(shape)
    except OverflowError as error:
        raise ValueError(f"a plain array's entries must fit {dtype}, but one is too large") from error


def pack(array: Array) -> dict[str, Any]:
    """Writes a plain array as a JSON object, as `encode` does, but with its bytes in base64 for entries.

    Raises:
        ValueError: The array has another dtype.
    """
    dtype = _dtype_of(array)
    data = np.ascontiguousarray(array, dtype=_DTYPES[dtype]).tobytes()
    return {"dtype": dtype, "shape": list(array.shape), "data": base64.b64encode(data).decode()}


def unpack(value: object) -> Array:
    """Reads an array back from what `pack` made of it, or from what untrusted code has written in its place.

    Raises:
        ValueError: It is not such an object.

    >>> unpack(pack(np.array([1.0, -np.inf])))
    array([  1., -inf])
    """
    dtype, shape, text = _fields(value)
    try:
        data = base64.b64decode(text, validate=True) if type(text) is str else None
    except (binascii.Error, ValueError):
        data = None
    stored = np.dtype(_DTYPES[dtype])
    if data is None or len(data) != math.prod(shape) * stored.itemsize:
        raise ValueError(f"a plain array of shape {shape} must hold its entries in base64")
    if dtype == "bool" and data.strip(b"\0\1"):
        raise ValueError("a plain array of bool must hold zeros and ones")
    return np.frombuffer(data, dtype=stored).astype(dtype).reshape(shape)


def rounded(array: Array) -> Array:
    """Rounds to nine digits of the largest entry, so that another machine's last bit does not show.

    Linear algebra differs in the last bits between processors. Files that are compared byte for byte hold these values.

    >>> rounded(np.array([1 / 3, -1e-17]))
    array([0.33333333, 0.        ])
    """
    finite = np.abs(array[np.isfinite(array)])
    largest = float(finite.max()) if finite.size else 0.0
    if array.dtype != np.float64 or largest == 0.0:
        return array
    decimals = _DIGITS - 1 - math.floor(math.log10(largest))
    return np.asarray(np.round(array, decimals) + 0.0)  # + 0.0 turns -0.0 into 0.0


def _dtype_of(array: Array) -> str:
    if str(array.dtype) not in _DTYPES:
        raise ValueError(
            f"a plain array must be one of {', '.join(_DTYPES)}, but is {array.dtype}: convert it with astype first"
        )
    return str(array.dtype)


def _fields(value: object) -> tuple[str, list[int], Any]:
    """The type, the shape and what stands for the entries; the first two are checked."""
    if not isinstance(value, dict) or set(value) != {"dtype", "shape", "data"}:
        raise ValueError(f"a plain array must be an object of dtype, shape and data, but is {_shown(value)}")
    dtype, shape = value["dtype"], value["shape"]
    if type(dtype) is not str or dtype not in _DTYPES:
        raise ValueError(f"a plain array must be one of {', '.join(_DTYPES)}, but is {_shown(dtype)}")
    if not isinstance(shape, list) or len(shape) > _MAX_DIMENSIONS:
        raise ValueError(
            f"a plain array's shape must be a list of sizes, {_MAX_DIMENSIONS} at most, but is {_shown(shape)}"
        )
    if not all(type(size) is int and 0 <= size <= _MAX_SIZE for size in shape):
        raise ValueError(f"a plain array's shape must be a list of sizes, but is {_shown(shape)}")
    return dtype, shape, value["data"]


def _shown(value: object) -> str:
    """A text, short and fit for a terminal; of anything else only what it is, for it may be large or nested deeply."""
    return ascii(value[:_MAX_SHOWN]).strip("'") if isinstance(value, str) else f"a {type(value).__name__}"


def _shortest(entry: float | int) -> float | int | str:
    """What stands for an entry: an int has no sign for −0.0, and beyond 2⁵³ more digits than the float."""
    if not math.isfinite(entry):
        return str(entry)
    if isinstance(entry, float) and entry.is_integer() and abs(entry) <= _COUNTED and str(entry) != "-0.0":
        return int(entry)
    return entry


def _number(entry: object) -> float | int:
    if isinstance(entry, str) and entry in _NOT_FINITE:
        return _NOT_FINITE[entry]
    if not isinstance(entry, (int, float)):
        raise ValueError(f"a plain array must hold numbers, but holds {str(entry)[:80]!r}")
    return entry
