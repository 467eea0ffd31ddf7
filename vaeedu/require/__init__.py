"""The validators that every public function calls first.

Bad input gets a `ValueError` that says what was expected, what arrived and how to mend it. There are few
validators on purpose: for matrices of data, for grey values, for numbers and tensors of them, for probabilities, for
names out of a short list, for images.
"""

from vaeedu.require.images import image_shape, images, levels
from vaeedu.require.settings import choice, non_negative_float, positive_float, positive_int
from vaeedu.require.tensors import broadcast, matrix, positive, probabilities, real, unit_interval

__all__ = [
    "broadcast",
    "choice",
    "image_shape",
    "images",
    "levels",
    "matrix",
    "non_negative_float",
    "positive",
    "positive_float",
    "positive_int",
    "probabilities",
    "real",
    "unit_interval",
]
