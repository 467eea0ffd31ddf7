"""The validators that every public function calls first.

Bad input gets a `ValueError` that says what was expected, what arrived and how to mend it. There are few
validators on purpose, one for each idea that several functions share: for numbers, and names out of a short list; for
vectors and matrices of data, for tensors of numbers, of grey values and of probabilities; for images and other events;
for covariances and distributions. What one function alone asks of its arguments stands with that function.
"""

from vaeedu.require.distributions import covariance, distribution, probabilities
from vaeedu.require.images import image_shape, images, levels
from vaeedu.require.labels import labels
from vaeedu.require.settings import (
    choice,
    finite_float,
    non_negative_float,
    non_negative_int,
    positive_float,
    positive_int,
)
from vaeedu.require.shapes import event_shape, events
from vaeedu.require.tensors import (
    binary,
    binary_matrix,
    broadcast,
    matrix,
    positive,
    real,
    unit_interval,
    vector,
)

__all__ = [
    "binary",
    "binary_matrix",
    "broadcast",
    "choice",
    "covariance",
    "distribution",
    "event_shape",
    "events",
    "finite_float",
    "image_shape",
    "images",
    "labels",
    "levels",
    "matrix",
    "non_negative_float",
    "non_negative_int",
    "positive",
    "positive_float",
    "positive_int",
    "probabilities",
    "real",
    "unit_interval",
    "vector",
]
