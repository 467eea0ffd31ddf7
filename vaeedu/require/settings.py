"""What single settings must be: whole numbers, real ones, one of a few names."""

from collections.abc import Collection

import numpy as np
from torch import Tensor


def positive_int(name: str, value: object, *, at_most: int | None = None, because: str = "") -> int:
    """Returns `value` as an int between 1 and `at_most`.

    Args:
        name: What the caller calls it.
        value: Any integer type; booleans and floats are refused.
        at_most: The largest value allowed, or None for no limit.
        because: Why there is a limit; ends the message.

    Raises:
        ValueError: It is not a whole number, or out of range.

    >>> positive_int("num_components", 0)
    Traceback (most recent call last):
    ...
    ValueError: num_components must be a whole number of at least 1, but is 0
    """
    is_whole = isinstance(value, (int, np.integer)) and not isinstance(value, bool)
    if not is_whole or value < 1:  # type: ignore[operator]
        raise ValueError(f"{name} must be a whole number of at least 1, but is {value!r}")
    number = int(value)  # type: ignore[call-overload]
    if at_most is not None and number > at_most:
        raise ValueError(
            f"{name} must be at most {at_most}{because and ' (' + because + ')'}, but is {number}"
        )
    return number


def positive_float(name: str, value: object) -> float:
    """Returns `value` as a finite float greater than zero.

    Raises:
        ValueError: It is not a number, or not positive, or not finite.

    >>> positive_float("noise_variance", -1.0)
    Traceback (most recent call last):
    ...
    ValueError: noise_variance must be a finite number greater than 0, but is -1.0
    """
    is_scalar = isinstance(value, (int, float, np.number)) or (isinstance(value, Tensor) and value.ndim == 0)
    if not is_scalar or isinstance(value, bool) or not 0.0 < float(value) < float("inf"):  # type: ignore[arg-type]
        raise ValueError(f"{name} must be a finite number greater than 0, but is {value!r}")
    return float(value)  # type: ignore[arg-type]


def non_negative_float(name: str, value: object) -> float:
    """Returns `value` as a finite float of at least zero.

    Raises:
        ValueError: It is not a number, or negative, or not finite.

    >>> non_negative_float("noise", -0.1)
    Traceback (most recent call last):
    ...
    ValueError: noise must be a finite number of at least 0, but is -0.1
    """
    is_scalar = isinstance(value, (int, float, np.number)) or (isinstance(value, Tensor) and value.ndim == 0)
    if not is_scalar or isinstance(value, bool) or not 0.0 <= float(value) < float("inf"):  # type: ignore[arg-type]
        raise ValueError(f"{name} must be a finite number of at least 0, but is {value!r}")
    return float(value)  # type: ignore[arg-type]


def choice(name: str, value: object, options: Collection[str]) -> str:
    """Returns `value` if it is one of `options`.

    Raises:
        ValueError: It is not.

    >>> choice("method", "qr", ("svd", "eigh"))
    Traceback (most recent call last):
    ...
    ValueError: method must be one of 'svd', 'eigh', but is 'qr'
    """
    if not isinstance(value, str) or value not in options:
        raise ValueError(f"{name} must be one of {', '.join(map(repr, options))}, but is {value!r}")
    return value
