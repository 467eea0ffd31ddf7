"""When two plain arrays count as the same: under an output's view, within a tolerance that is stated."""

from collections.abc import Sequence

import numpy as np

from vaeedu.feedback.arrays import Array
from vaeedu.feedback.key import Output


def deviation(actual: Array, right: Array, *, view: str = "values") -> Array:
    """Returns |actual − right| under a view, as a part of the largest entry of the right array.

    Args:
        actual: The array in question, of the same shape as `right`.
        right: What it is compared with.
        view: One of `vaeedu.feedback.key.VIEWS`.

    Returns:
        An array of the view's shape. An entry is infinite where exactly one of the two is not finite, or where they are
        not finite in different ways.

    >>> deviation(np.array([1.0, 4.0]), np.array([1.0, 2.0]))
    array([0., 1.])
    >>> bool(deviation(-np.eye(2), np.eye(2), view="columns_up_to_sign").any())
    False
    """
    a, b = seen(actual, right, view=view)
    both = np.isfinite(a) & np.isfinite(b)
    alike = (np.isnan(a) & np.isnan(b)) | (a == b)
    scale = float(np.abs(b[np.isfinite(b)]).max(initial=0.0)) or 1.0
    # Where either is not finite, the difference is not used: np.where would still warn about computing it.
    difference = np.abs(np.where(both, a, 0.0) - np.where(both, b, 0.0)) / scale
    return np.where(both, difference, np.where(alike, 0.0, np.inf))


def seen(actual: Array, right: Array, *, view: str) -> tuple[Array, Array]:
    """Returns the two arrays as a view sees them: what is left when what may differ is taken out."""
    a, b = actual.astype(np.float64), right.astype(np.float64)
    if view == "outer_product":
        with np.errstate(invalid="ignore", over="ignore"):
            return a @ a.T, b @ b.T
    if view == "columns_up_to_sign":
        with np.errstate(invalid="ignore", over="ignore"):
            return a * np.where((a * b).sum(axis=0) < 0, -1.0, 1.0), b
    return a, b


def alike(
    actual: Sequence[Array], right: Sequence[Array], outputs: Sequence[Output], *, within: float
) -> bool:
    """Says whether all outputs of one case agree within a tolerance; different counts or shapes never do."""
    return len(actual) == len(right) and all(
        a.shape == b.shape and bool((deviation(a, b, view=output.view) <= within).all())
        for a, b, output in zip(actual, right, outputs, strict=False)
    )
