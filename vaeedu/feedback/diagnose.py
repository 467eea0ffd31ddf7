"""Naming mistakes: which known ones explain the arrays that came, alone, two together, or each output by itself."""

from collections.abc import Iterator, Sequence
from itertools import combinations, pairwise

import numpy as np

from vaeedu.feedback.arrays import Array
from vaeedu.feedback.compare import alike
from vaeedu.feedback.key import AnswerKey
from vaeedu.feedback.relations import in_another_order, relation

# One output's arrays, case by case.
Column = Sequence[Array]
_WORDS = {2: "two", 3: "three", 4: "four", 5: "five", 6: "six"}
# How constant a ratio must be to count as one factor.
_CONSTANT = 1e-6


def diagnose(answers: Sequence[Sequence[Array]], key: AnswerKey) -> tuple[str, set[int]]:
    """Names the known mistakes that explain what a function answered.

    A mistake that explains all outputs goes before several that explain one each, and one mistake before two together.
    Where several explain the same arrays, they are all named, and it is said that one of them is meant.

    Args:
        answers: The arrays of each case that was answered, as many as the key has outputs.
        key: What is right, and what the known mistakes answer.

    Returns:
        The text, empty where nothing is explained, and the positions of the wrong outputs that it does not explain.
    """
    columns = list(zip(*answers, strict=True))
    wrong = {place for place in range(len(key.outputs)) if not _is_right(columns[place], key, place)}
    whole = _distinct(
        mistake.message
        for mistake in key.misconceptions
        if all(
            _same(columns[place], _column(mistake.answers, place), key, place)
            for place in range(len(key.outputs))
        )
    )
    if whole:
        return one_of(whole), set()
    if text := in_another_order(answers, key):
        return text, set()
    named = {place: _explained(columns[place], key, place) for place in sorted(wrong)}
    texts = {place: text for place, text in named.items() if text}
    if len(key.outputs) == 1:
        return texts.get(0, ""), wrong - set(texts)
    by_text: dict[str, list[str]] = {}
    for place, text in texts.items():
        by_text.setdefault(text, []).append(f"`{key.outputs[place].name}`")
    return "\n".join(f"{' and '.join(names)}: {text}" for text, names in by_text.items()), wrong - set(texts)


def one_of(messages: Sequence[str]) -> str:
    """Words what may be any of several mistakes.

    >>> one_of(["You forgot the sign."])
    'You forgot the sign.'
    >>> print(one_of(["A sign.", "A half."]))
    What came fits these two mistakes, and one of them is probably yours:
    - A sign.
    - A half.
    """
    if len(messages) == 1:
        return messages[0]
    number = _WORDS.get(len(messages), str(len(messages)))
    listed = "\n".join(f"- {message}" for message in messages)
    return f"What came fits these {number} mistakes, and one of them is probably yours:\n{listed}"


def _explained(column: Column, key: AnswerKey, place: int) -> str:
    """What explains one output: one known mistake, or else the only two that do so together."""
    known = [
        (mistake.message, arrays)
        for mistake in key.misconceptions
        if not _is_right(arrays := _column(mistake.answers, place), key, place)
    ]
    single = _distinct(message for message, arrays in known if _same(column, arrays, key, place))
    if single:
        return one_of(single)
    if key.outputs[place].view != "values":
        return ""
    right = _column(key.expected, place)
    if _is_share(right):
        return ""
    pairs = {
        (one, other)
        for (one, a), (other, b) in combinations(known, 2)
        if one != other
        and any(_same(column, both, key, place) for both in _together(a, b, right[: len(column)]))
    }
    if len(pairs) != 1:
        return relation(column, right, key, place)
    return "Two mistakes together give your values:\n" + "\n".join(f"- {text}" for text in pairs.pop())


def _together(a: Column, b: Column, right: Column) -> Iterator[Column]:
    """What two mistakes would give together: as factors where one of them is a factor, else as changes that add up."""
    # As numbers: True and False can be neither added nor multiplied.
    rows = [tuple(v.astype(np.float64) for v in row) for row in zip(a, b, right, strict=False)]
    if any(x.shape != r.shape or y.shape != r.shape for x, y, r in rows):
        return
    if not all(np.isfinite(array).all() for row in rows for array in row):
        return
    numbers = all(r.size == 1 for *_, r in rows)
    is_factor = [_is_factor(column, right) for column in (a, b)]
    if any(is_factor) and all(np.all(r) for *_, r in rows):
        both = [np.asarray(x * y / r) for x, y, r in rows]
        if _tells(both):
            yield both
    if numbers or not any(is_factor):
        both = [np.asarray(x + y - r) for x, y, r in rows]
        if _tells(both):
            yield both


def _tells(column: Column) -> bool:
    """Whether arrays are not all the same number, which much else would give."""
    entries = np.concatenate([array.reshape(-1) for array in column])
    return any(abs(x - y) > _CONSTANT * abs(x) for x, y in pairwise(entries.tolist()))


def _is_share(column: Column) -> bool:
    """Whether each case asks for one number that counts something, out of at most a hundred.

    There are so few such numbers that changes of two mistakes often add up to one by chance.
    """
    if any(array.size != 1 or not np.isfinite(array).all() for array in column):
        return False
    multiples = [float(array.item()) * np.arange(1, 101) for array in column]
    return all(bool((np.abs(m - m.round()) < 1e-9).any()) for m in multiples)


def _is_factor(column: Column, right: Column) -> bool:
    """Whether each array is the right one times a number."""
    for array, wanted in zip(column, right, strict=False):
        if not wanted.any():
            return False
        factor = float((array * wanted).sum() / np.square(wanted).sum())
        if np.abs(array - factor * wanted).max() > _CONSTANT * np.abs(array).max(initial=0.0):
            return False
    return True


def _is_right(column: Column, key: AnswerKey, place: int) -> bool:
    return _same(column, _column(key.expected, place), key, place)


def _same(column: Column, other: Column, key: AnswerKey, place: int) -> bool:
    return all(
        alike([a], [b], [key.outputs[place]], within=key.tolerance)
        for a, b in zip(column, other, strict=False)
    )


def _column(answers: Sequence[Sequence[Array]], place: int) -> list[Array]:
    return [arrays[place] if place < len(arrays) else np.array(np.nan) for arrays in answers]


def _distinct(messages: Iterator[str]) -> list[str]:
    return list(dict.fromkeys(messages))
