"""Sentences about results, which are said only where the run shows them."""

import warnings
from typing import SupportsFloat


class NotSeen(UserWarning):
    """A lecture says something of its results that this run does not show."""


def claim(seen: SupportsFloat | bool, text: str) -> str:
    """Returns a sentence about a result where this run shows it; where it does not, says so instead.

    Every finding of a lecture passes through here, as the title of a figure or as a printed line. The lectures' tests
    take a `NotSeen` for a failure, so a sentence that is false on a data set or a seed cannot stay. A reader whose
    machine rounds differently, or who changed a number, is told, and reads on.

    Args:
        seen: Whether the run shows it, computed from the run's own numbers: a bool, or a tensor or array of one.
        text: The sentence.

    Returns:
        `text`, or a note that it was not seen.

    Raises:
        ValueError: `text` is empty.

    >>> heads = 61
    >>> claim(heads > 50, f"{heads} of 100 are heads: the coin is not fair")
    '61 of 100 are heads: the coin is not fair'
    """
    if not text.strip():
        raise ValueError("text must say what was found, but is empty")
    if bool(seen):
        return text
    warnings.warn(
        f"this run does not show that “{text}”: read the figure, not the sentence", NotSeen, stacklevel=2
    )
    return f"Not seen in this run: {text}"
