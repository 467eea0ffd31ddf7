"""Arrays as plain data: what may cross from the process that runs a student's code to the one that judges it.

A plain array is a NumPy array of float64, int64 or bool, or the JSON object that `encode` makes of it. Nothing is ever
unpickled, and reading one back checks its type and size first.
"""

import math
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

Array: TypeAlias = NDArray[Any]

_DTYPES = ("float64", "int64", "bool")
_NOT_FINITE = {"nan": math.nan, "inf": math.inf, "-inf": -math.inf}
_DIGITS = 9


def encode(array: Array) -> dict[str, Any]:
    """Writes a plain array as a JSON object.

    Args:
        array: An array of float64, int64 or bool, any shape.

    Returns:
        `{"dtype": …, "shape": […], "data": […]}` with the entries in row-major order; NaN and the infinities, which
        JSON has no numbers for, become the strings "nan", "inf" and "-inf".

    Raises:
        ValueError: The array has another dtype.

    >>> encode(np.array([[1.0, np.nan]]))
    {'dtype': 'float64', 'shape': [1, 2], 'data': [1.0, 'nan']}
    """
    if str(array.dtype) not in _DTYPES:
        raise ValueError(
            f"a plain array must be one of {', '.join(_DTYPES)}, but is {array.dtype}: convert it with astype first"
        )
    return {
        "dtype": str(array.dtype),
        "shape": list(array.shape),
        "data": [entry if math.isfinite(entry) else str(entry) for entry in array.reshape(-1).tolist()],
    }


def decode(value: object) -> Array:
    """Reads an array back from what `encode` made of it.

    Raises:
        ValueError: It is not such an object: another dtype, a shape that does not fit the data, or an entry that is no
            number.

    >>> decode({"dtype": "float64", "shape": [2], "data": [1.0, "-inf"]})
    array([  1., -inf])
    """
    if not isinstance(value, dict) or set(value) != {"dtype", "shape", "data"}:
        raise ValueError(
            f"a plain array must be an object of dtype, shape and data, but is {str(value)[:80]}"
        )
    dtype, shape, data = value["dtype"], value["shape"], value["data"]
    if dtype not in _DTYPES:
        raise ValueError(f"a plain array must be one of {', '.join(_DTYPES)}, but is {str(dtype)[:80]}")
    if not isinstance(shape, list) or not all(type(size) is int and size >= 0 for size in shape):
        raise ValueError(f"a plain array's shape must be a list of sizes, but is {str(shape)[:80]}")
    if not isinstance(data, list) or len(data) != math.prod(shape):
        raise ValueError(f"a plain array of shape {shape} must hold {math.prod(shape)} entries in a list")
    try:
        return np.array([_number(entry) for entry in data], dtype=dtype).reshape(shape)
    except OverflowError as error:
        raise ValueError(f"a plain array's entries must fit {dtype}, but one is too large") from error


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


def _number(entry: object) -> float | int:
    if isinstance(entry, str) and entry in _NOT_FINITE:
        return _NOT_FINITE[entry]
    if not isinstance(entry, (int, float)):
        raise ValueError(f"a plain array must hold numbers, but holds {str(entry)[:80]!r}")
    return entry
