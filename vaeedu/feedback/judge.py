"""Judging plain-array answers against an answer key: pure functions that call nothing of the student's."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from vaeedu.feedback.arrays import Array
from vaeedu.feedback.compare import deviation, seen
from vaeedu.feedback.diagnose import diagnose, one_of
from vaeedu.feedback.key import AnswerKey, Goal, Output
from vaeedu.feedback.run import Answer, Failure
from vaeedu.feedback.shown import written_out


@dataclass(frozen=True)
class Verdict:
    """Whether an exercise is solved and, where it is not, why."""

    passed: bool
    message: str = ""


def judge(answers: Sequence[Answer], key: AnswerKey, *, show_case: bool = False) -> Verdict:
    """Judges what a function answered to a key's cases.

    A misconception is named only if it explains every answer given, as a whole or one output of it. Where nothing is
    named, or not for every wrong output, the message describes the smallest case that fails.

    Args:
        answers: One answer a case, in order; fewer if the run was broken off.
        key: The cases and what is right.
        show_case: Whether to write out that case, where no mistake is named: its inputs, what came and what is right.
            Only for inputs that students may see.

    Returns:
        The verdict; its message is empty where everything is right.
    """
    problems = {
        case: problem for case, answer in enumerate(answers) if (problem := _problem(answer, key, case))
    }
    if problems:
        case = _case_to_tell(problems, answers, key)
        named, unexplained = _diagnosis(answers, key)
        if unexplained:
            case = _smallest([c for c in problems if _wrong_arrays(answers[c], key, c, unexplained)], key)
        told = [named, _wrong_arrays(answers[case], key, case, unexplained)] if named else [problems[case]]
        if show_case and not (named and not unexplained) and _has_wrong_arrays(answers[case], key, case):
            told += written_out(answers[case].outputs or (), key, case)
        text = "\n".join(filter(None, told))
        return Verdict(False, f"✗ {key.name}({_described(key, case)})\n{text}")
    if len(answers) < len(key.inputs):
        return Verdict(False, f"✗ {key.name}: only {len(answers)} of {len(key.inputs)} cases were answered")
    return Verdict(True)


def _case_to_tell(problems: Mapping[int, str], answers: Sequence[Answer], key: AnswerKey) -> int:
    """The first case that fails, if there are no arrays in it; else the smallest that fails."""
    first = min(problems)
    if answers[first].outputs is None:
        return first
    return _smallest([case for case in problems if answers[case].outputs is not None], key)


def _smallest(cases: Sequence[int], key: AnswerKey) -> int:
    sizes = {
        case: sum(v.size for v in key.inputs[case].values() if isinstance(v, np.ndarray)) for case in cases
    }
    return min(cases, key=lambda case: (sizes[case], case))


def _diagnosis(answers: Sequence[Answer], key: AnswerKey) -> tuple[str, set[int]]:
    """The known mistakes that explain the answers, and which wrong outputs they leave unexplained."""
    arrays = [answer.outputs for answer in answers if answer.outputs is not None]
    all_there = len(arrays) == len(answers) and all(len(row) == len(key.outputs) for row in arrays)
    named, unexplained = diagnose(arrays, key) if key.goal is None and all_there else ("", set())
    return (named, unexplained) if named else ("", set())


def _problem(answer: Answer, key: AnswerKey, case: int) -> str:
    """What is wrong with one answer, taken by itself; empty if nothing is."""
    if answer.outputs is None:
        return _failed(answer.failure or Failure("unreadable", "nothing"), key)
    if len(answer.outputs) != len(key.outputs):
        return f"It must return {_names(key)}, but returned {_count(len(answer.outputs))}."
    problem = (
        _wrong_arrays(answer, key, case)
        if key.goal is None
        else _short_of(answer.outputs, key, key.goal, case)
    )
    if problem:
        return problem
    if answer.changed:
        name = answer.changed[0]
        return (
            f"The values are right, but the function changes its argument `{name}` in place, so that whatever uses "
            f"`{name}` next gets other data. Work on a new tensor: write `{name} = {name} - …`, not `{name} -= …`."
        )
    return ""


def _wrong_arrays(answer: Answer, key: AnswerKey, case: int, places: Collection[int] | None = None) -> str:
    """What is wrong with the arrays of one case, or with some of them, each in a line of its own."""
    problems = [
        _wrong_array(output, actual, key, case, place)
        for place, (output, actual) in enumerate(zip(key.outputs, answer.outputs or (), strict=True))
        if places is None or place in places
    ]
    return "\n".join(filter(None, problems))


def _has_wrong_arrays(answer: Answer, key: AnswerKey, case: int) -> bool:
    same_number = answer.outputs is not None and len(answer.outputs) == len(key.outputs)
    return key.goal is None and same_number and bool(_wrong_arrays(answer, key, case))


def _wrong_array(output: Output, actual: Array, key: AnswerKey, case: int, place: int) -> str:
    right = key.expected[case][place]
    return (
        _wrong_type(output, actual, key, place)
        or _wrong_shape(output, actual, right)
        or _not_finite(output, actual, right)
        or _wrong_values(output, actual, right, key.tolerance)
    )


def _short_of(outputs: tuple[Array, ...], key: AnswerKey, goal: Goal, case: int) -> str:
    """What keeps a result from its goal: the likely mistake, or else the numbers that were measured."""
    measure = goal.measuring
    if measure is None:
        return ""
    try:
        measured = measure(key.inputs[case], outputs)
    except ValueError as error:
        return f"{error}."
    reached, wanted = measured[goal.quantity], goal.at_least[case]
    astray = [name for name, (low, high) in goal.required.items() if not low <= measured[name] <= high]
    astray = [name for name in astray if not np.isnan(measured[name])]
    if reached >= wanted and not astray:
        return ""
    named = [symptom.message for symptom in goal.symptoms if symptom.fits(measured)]
    if named:
        return one_of(named)
    if not np.isfinite(reached):
        return (
            f"The {goal.quantity} is {reached}, which is no finite number: the training has run away. Does each step "
            "lower the loss, and is every logarithm taken of a positive number?"
        )
    if reached >= wanted:
        low, high = goal.required[astray[0]]
        return (
            f"The {goal.quantity} is reached, but not in the way that is asked for: `{astray[0]}` is "
            f"{measured[astray[0]]:.2f}, and must lie between {low:g} and {high:g}."
        )
    aside = ", ".join(f"{name} {measured[name]:.2f}" for name in goal.shown)
    return (
        f"The {goal.quantity} is {reached:.2f} {goal.unit}, but must be at least {wanted:.2f}"
        f"{aside and f' ({aside})'}."
    )


def _failed(failure: Failure, key: AnswerKey) -> str:
    where = f"\nIt happened in your line: {failure.line}" if failure.line else ""
    messages = {
        "unwritten": "Not written yet: replace `raise NotImplementedError()` by your code.",
        "too_slow": f"Still not done after {failure.message} of computing, so it was stopped. Is there a loop that "
        "never ends, or a loop over entries that one operation on whole arrays could do?",
        "stuck": f"Still not done after {failure.message}, so it was stopped, though it hardly computed in that time. "
        "Does it wait for something: input(), sleep, a file? Or is the machine very busy? Then try again.",
        "raised": f"It stopped with an error: {failure.message}{_hint(failure.message)}{where}",
        "undefined": f"There is no function {key.name}: the cell that should define it is empty or stopped with an "
        "error. Run it and read its message.",
        "not_callable": f"{key.name} must be a function, but is {failure.message}.",
        "unreadable": f"It must return {_names(key)}, but returned {failure.message}.",
    }
    if failure.kind == "unreadable" and failure.message == "None":
        return messages["unreadable"] + " Is the `return` missing?"
    if failure.kind == "unreadable" and failure.message == "complex numbers":
        return messages["unreadable"] + " For a symmetric matrix use torch.linalg.eigh, which stays real."
    return messages.get(failure.kind, failure.message)


def _hint(message: str) -> str:
    if "same dtype" in message or "same data type" in message:
        return "\nThe inputs are float64: create tensors with dtype=x.dtype."
    if "shapes cannot be multiplied" in message or "size mismatch" in message:
        return "\nWrite the shape of each factor beside it: the inner two must agree. Is a transpose missing?"
    return ""


def _wrong_type(output: Output, actual: Array, key: AnswerKey, place: int) -> str:
    # True and False do where every case asks for zeros and ones.
    if actual.dtype.kind == "b" and not all(np.isin(arrays[place], (0, 1)).all() for arrays in key.expected):
        return f"`{output.name}` must hold numbers, but holds True and False."
    return ""


def _wrong_shape(output: Output, actual: Array, right: Array) -> str:
    if actual.shape == right.shape:
        return ""
    wanted = f"({', '.join(output.shape)}{',' if len(output.shape) == 1 else ''}) = " if output.shape else ""
    text = f"`{output.name}` must have shape {wanted}{right.shape}, but has shape {actual.shape}"
    if actual.ndim == 2 and actual.shape == right.shape[::-1]:
        return f"{text}: it is transposed."
    if actual.size == right.size:
        return f"{text}: the number of entries is right, reshape it."
    return f"{text}."


def _not_finite(output: Output, actual: Array, right: Array) -> str:
    odd = ~np.isfinite(actual) & np.isfinite(right)
    if not odd.any():
        return ""
    where = tuple(int(i) for i in np.argwhere(odd)[0])
    return f"`{_entry(output.name, where)}` is {actual[where]}, which is no finite number."


def _wrong_values(output: Output, actual: Array, right: Array, tolerance: float) -> str:
    off = deviation(actual, right, view=output.view)
    if (off <= tolerance).all():
        return ""
    where = tuple(int(i) for i in np.unravel_index(int(off.argmax()), off.shape))
    yours, wanted = seen(actual, right, view=output.view)
    name, aside = output.name, ""
    if output.view == "outer_product":
        name, aside = (
            f"({output.name} {output.name}ᵀ)",
            " (compared as such: a rotation of its columns is free)",
        )
    if output.view == "columns_up_to_sign":
        aside = " (a column's sign is free)"
    return (
        f"The shapes are right, the values are not: `{_entry(name, where)}` is {yours[where]:.6g} "
        f"but should be {wanted[where]:.6g}{aside}. That is the largest deviation; "
        f"{int((off > tolerance).sum())} of {off.size} entries are off by more than {tolerance:g} of the largest entry."
    )


def _entry(name: str, where: tuple[int, ...]) -> str:
    return f"{name}[{', '.join(map(str, where))}]" if where else name


def _names(key: AnswerKey) -> str:
    names = [output.name for output in key.outputs]
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def _count(number: int) -> str:
    return "1 value" if number == 1 else f"{number} values"


def _described(key: AnswerKey, case: int) -> str:
    parts = [
        f"{name} of shape {value.shape}" if isinstance(value, np.ndarray) else f"{name}={value:g}"
        for name, value in key.inputs[case].items()
    ]
    return ", ".join(parts)
