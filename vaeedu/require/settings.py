"""What single settings must be: whole numbers, real ones, one of a few names."""

import math
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
    number = _whole(name, value, 1)
    if at_most is not None and number > at_most:
        raise ValueError(
            f"{name} must be at most {at_most}{because and ' (' + because + ')'}, but is {number}"
        )
    return number


def non_negative_int(name: str, value: object) -> int:
    """Returns `value` as an int of at least zero.

    Raises:
        ValueError: It is not a whole number, or negative.

    >>> non_negative_int("padding", -1)
    Traceback (most recent call last):
    ...
    ValueError: padding must be a whole number of at least 0, but is -1
    """
    return _whole(name, value, 0)


def finite_float(name: str, value: object) -> float:
    """Returns `value` as a finite float.

    Raises:
        ValueError: It is not a number, or not finite.

    >>> finite_float("loc", float("nan"))
    Traceback (most recent call last):
    ...
    ValueError: loc must be a finite number, but is nan
    """
    number = _number(value)
    if number is None:
        raise ValueError(f"{name} must be a finite number, but is {value!r}")
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
    number = _number(value)
    if number is None or number <= 0.0:
        raise ValueError(f"{name} must be a finite number greater than 0, but is {value!r}")
    return number


def non_negative_float(name: str, value: object) -> float:
    """Returns `value` as a finite float of at least zero.

    Raises:
        ValueError: It is not a number, or negative, or not finite.

    >>> non_negative_float("noise", -0.1)
    Traceback (most recent call last):
    ...
    ValueError: noise must be a finite number of at least 0, but is -0.1
    """
    number = _number(value)
    if number is None or number < 0.0:
        raise ValueError(f"{name} must be a finite number of at least 0, but is {value!r}")
    return number


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


def _whole(name: str, value: object, at_least: int) -> int:
    if not isinstance(value, (int, np.integer)) or isinstance(value, bool) or value < at_least:
        raise ValueError(f"{name} must be a whole number of at least {at_least}, but is {value!r}")
    return int(value)


def _number(value: object) -> float | None:
    """Returns a finite number as a float; None for anything else."""
    is_scalar = isinstance(value, (int, float, np.number)) or (isinstance(value, Tensor) and value.ndim == 0)
    if not is_scalar or isinstance(value, bool):
        return None
    number = float(value)  # type: ignore[arg-type]
    return number if math.isfinite(number) else None
