"""What wrong values have to do with the right ones, where no known mistake explains them."""

from collections.abc import Callable, Sequence
from itertools import permutations

import numpy as np

from vaeedu.feedback.arrays import Array
from vaeedu.feedback.compare import alike
from vaeedu.feedback.key import AnswerKey

# So many orders of outputs are tried.
_MOST_OUTPUTS = 5
# What turns the right values into such as came, and what to say of it. The first that fits is told.
_RELATIONS: tuple[tuple[Callable[[Array], Array], str], ...] = (
    (np.negative, "The values have the wrong sign, all of them, and are right but for that."),
    (np.sqrt, "What came is the square root of the right values: a standard deviation for a variance?"),
    (np.square, "What came is the square of the right values: a variance for a standard deviation?"),
    (np.log, "What came is the logarithm of the right values."),
    (np.exp, "What came is the exponential of the right values."),
    (np.reciprocal, "What came is one over the right values."),
    (
        lambda right: right / np.log(2),
        "What came is 1.4427 = 1 / ln 2 times the right values: bits for nats?",
    ),
    (lambda right: right * np.log(2), "What came is 0.6931 = ln 2 times the right values: nats for bits?"),
    (lambda right: 2 * right, "What came is twice the right values."),
    (lambda right: right / 2, "What came is half of the right values."),
)


def in_another_order(answers: Sequence[Sequence[Array]], key: AnswerKey) -> str:
    """Says whether all values are right, and only come in another order than the one asked for.

    Args:
        answers: The arrays of each case that was answered, as many as the key has outputs.
        key: What is right.

    Returns:
        A sentence, or nothing.
    """
    number = len(key.outputs)
    if not answers or not 2 <= number <= _MOST_OUTPUTS:
        return ""
    for order in permutations(range(number)):
        if order != tuple(range(number)) and all(
            alike([row[place] for place in order], right, key.outputs, within=key.tolerance)
            for row, right in zip(answers, key.expected, strict=False)
        ):
            asked = ", ".join(output.name for output in key.outputs)
            return f"The values are right, but in another order than the one asked for: return {asked}."
    return ""


def relation(column: Sequence[Array], right: Sequence[Array], key: AnswerKey, place: int) -> str:
    """Says what one output has to do with the right values, the same in every case.

    Args:
        column: The arrays that came, case by case.
        right: Those that are right.
        key: How alike arrays must be.
        place: Which output it is.

    Returns:
        A sentence, or nothing: also where the right values are too few, or too plain, to tell by.
    """
    output = key.outputs[place]
    if output.view != "values" or not _tells(right):
        return ""
    for turned, sentence in _RELATIONS:
        with np.errstate(all="ignore"):
            expected = [np.asarray(turned(array.astype(np.float64))) for array in right]
        finite = all(np.isfinite(array).all() for array in expected)
        if finite and all(
            alike([came], [wanted], [output], within=key.tolerance)
            for came, wanted in zip(column, expected, strict=False)
        ):
            return sentence
    return ""


def _tells(right: Sequence[Array]) -> bool:
    """Whether there are three different numbers besides 0 and 1, so that nothing fits by chance."""
    entries = np.concatenate([array.reshape(-1).astype(np.float64) for array in right])
    others = entries[np.isfinite(entries) & (entries != 0) & (entries != 1)]
    return len(np.unique(others.round(9))) >= 3
