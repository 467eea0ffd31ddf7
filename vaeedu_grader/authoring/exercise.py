"""One description of an exercise, from which its tests, its answer keys and the demonstration class are made.

It lives on the instructor's side, in `exercises/NN_topic.py` as `EXERCISES`.
"""

import hashlib
import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from vaeedu.feedback.arrays import Array, rounded
from vaeedu.feedback.compare import alike
from vaeedu.feedback.key import SECONDS, AnswerKey, Goal, Misconception, Output, Symptom
from vaeedu.feedback.run import run_all

PARTS = ("visible", "hidden")
# A mistake must stand out from the right answer by this many tolerances, or not show at all.
_CLEARLY = 100.0
# Two mistakes must differ by this many tolerances.
_DISTINCT = 10.0
# How often fresh inputs are drawn until they tell every mistake apart; the exercises need two or three draws at most.
_DRAWS = 50
_OWN_SECONDS = 600.0

Case = Mapping[str, Any]
Function = Callable[..., object]


@dataclass(frozen=True)
class Wrong:
    """A well-known mistake.

    Attributes:
        function: A solution that makes it; it must run, and return arrays, in every case.
        message: What to tell who made it: the idea that is wrong, and the formula to look at, not the solution.
        loses: The parts that fail. A mistake may pass the visible cases.
        symptoms: Where the exercise has a goal, by which measures the mistake is recognised: their ranges. A symptom is
            no proof: where others could show it, let the message name them, too.
        variants: Other solutions that make it and answer otherwise, such as a grid with other ends: they lose the same
            parts, and hear the same message.
    """

    function: Function
    message: str
    loses: tuple[str, ...] = PARTS
    symptoms: Mapping[str, tuple[float | None, float | None]] = field(default_factory=dict)
    variants: tuple[Function, ...] = ()

    @property
    def functions(self) -> tuple[Function, ...]:
        """The solutions that make the mistake."""
        return (self.function, *self.variants)


@dataclass(frozen=True)
class Exercise:
    """A function that students write.

    Attributes:
        name: The function's name, and that of its solution cell (the grade_id). Its test cells, `name_visible` and
            `name_hidden`, are made from this description.
        outputs: What it returns.
        points: Points for the visible and the hidden test cell.
        make_inputs: Takes a case's settings and a NumPy generator, gives the arguments by name.
        cases: The settings of each part's cases.
        reference: A right solution, with the arguments that students' functions have.
        wrong: Mistakes to recognise.
        alternatives: Right solutions of other kinds.
        tolerance: The largest deviation allowed, as a part of an output's largest entry; float32 solutions must pass.
        goal: What a result must reach, where many are right, as those of a training are; each case then says with
            `at_least` how much, by a number or by a function of the inputs. None where answers are compared with the
            reference's.
        seconds: How long one call may take.
    """

    name: str
    outputs: tuple[Output, ...]
    points: Mapping[str, int]
    make_inputs: Callable[[Case, np.random.Generator], dict[str, Any]]
    cases: Mapping[str, tuple[Case, ...]]
    reference: Function
    wrong: tuple[Wrong, ...]
    alternatives: tuple[Function, ...]
    tolerance: float = 1e-4
    goal: Goal | None = None
    seconds: float = SECONDS

    @property
    def signature(self) -> str:
        """The first line of the function, as the notebook has it."""
        return f"def {self.name}{inspect.signature(self.reference)}:"


def answer_key(exercise: Exercise, part: str) -> AnswerKey:
    """Makes the key for one part of an exercise, and refuses one that could mislead.

    Args:
        exercise: The description.
        part: "visible" or "hidden"; each has its own cases and its own fixed seed.

    Returns:
        Inputs and right answers, rounded to nine digits, with those misconceptions that show in this part.

    Raises:
        ValueError: There is no such part; the reference or a wrong solution does not return finite arrays, or arrays of
            the rank described; a mistake nearly agrees with the right answer, shows where it should not, does not show
            where it should, or cannot be told from another. Of an exercise with a goal nothing is run: a case does not
            say what to reach, or a mistake has no symptoms.
    """
    _check_part(part)
    return _key(exercise, part, (*exercise.name.encode(), PARTS.index(part)))


def fresh_key(exercise: Exercise, part: str, seed: bytes) -> AnswerKey:
    """Makes a key like `answer_key`'s, with the same settings but inputs that only the seed decides.

    Inputs that would mislead are drawn again: those in which a mistake does not show or cannot be told from another,
    and those that are so ill-conditioned that a right solution of another kind, or in single precision, comes near the
    tolerance. Where the exercise has a goal nothing is run, as in `answer_key`, and the first draw is taken.

    Args:
        exercise: The description.
        part: "visible" or "hidden".
        seed: What the inputs are drawn from; the same seed gives the same key.

    Raises:
        ValueError: There is no such part, or no draw gave a key.
    """
    _check_part(part)
    reason = ""
    for attempt in range(_DRAWS):
        digest = hashlib.sha256(b"%s/%s/%d" % (seed, part.encode(), attempt)).digest()
        try:
            key = _key(exercise, part, tuple(digest))
            if exercise.goal is None:
                _check_right_ones(exercise, key)
        except ValueError as error:
            reason = str(error)
        else:
            return key
    raise ValueError(
        f"{exercise.name}'s inputs must tell its mistakes apart, but {_DRAWS} draws did not: {reason}"
    )


def _check_part(part: str) -> None:
    if part not in PARTS:
        raise ValueError(f"part must be one of {', '.join(map(repr, PARTS))}, but is {part!r}")


def _key(exercise: Exercise, part: str, entropy: tuple[int, ...]) -> AnswerKey:
    inputs = tuple(
        _rounded_inputs(exercise.make_inputs(case, np.random.default_rng([*entropy, number])))
        for number, case in enumerate(exercise.cases[part])
    )
    if exercise.goal is not None:
        return _goal_key(exercise, exercise.goal, part, inputs)
    right = _answers(exercise, exercise.reference, inputs)
    _check_reference(exercise, right)
    mistakes: list[tuple[Function, Misconception]] = []
    for wrong in exercise.wrong:
        for function in wrong.functions:
            found = Misconception(wrong.message, _answers(exercise, function, inputs))
            if _shows(exercise, function, wrong.loses, found.answers, right, part):
                _check_distinct(exercise, function, found, mistakes)
                mistakes.append((function, found))
    return AnswerKey(
        name=exercise.name,
        outputs=exercise.outputs,
        tolerance=exercise.tolerance,
        inputs=inputs,
        expected=right,
        misconceptions=tuple(found for _, found in mistakes),
        seconds=exercise.seconds,
    )


def _goal_key(exercise: Exercise, goal: Goal, part: str, inputs: tuple[dict[str, Any], ...]) -> AnswerKey:
    """Makes the key of an exercise with a goal, without a training: that would take too long each time it is graded."""
    for case in exercise.cases[part]:
        if "at_least" not in case:
            raise ValueError(
                f"every case of {exercise.name} must say what to reach with at_least, but {case} does not"
            )
    for wrong in exercise.wrong:
        if not wrong.symptoms:
            raise ValueError(
                f"{_called(exercise, wrong.function)} must have symptoms, since the exercise has a goal"
            )
    return AnswerKey(
        name=exercise.name,
        outputs=exercise.outputs,
        tolerance=exercise.tolerance,
        inputs=inputs,
        expected=(),
        misconceptions=(),
        goal=replace(
            goal,
            at_least=tuple(map(_asked, exercise.cases[part], inputs)),
            symptoms=tuple(Symptom(w.message, w.symptoms) for w in exercise.wrong if part in w.loses),
        ),
        seconds=exercise.seconds,
    )


def _asked(case: Case, inputs: dict[str, Any]) -> float:
    at_least = case["at_least"]
    return float(at_least(inputs) if callable(at_least) else at_least)


def _rounded_inputs(inputs: dict[str, Any]) -> dict[str, Any]:
    return {name: rounded(v) if isinstance(v, np.ndarray) else v for name, v in inputs.items()}


def _answers(
    exercise: Exercise, function: Function, inputs: tuple[dict[str, Any], ...]
) -> tuple[tuple[Array, ...], ...]:
    rows = []
    # No time limit that a busy machine could reach: these functions are the course's own, and they end.
    for answer in run_all(function, inputs, num_outputs=len(exercise.outputs), time_limit=_OWN_SECONDS):
        if answer.outputs is None:
            reason = answer.failure and f"{answer.failure.kind}: {answer.failure.message}"
            raise ValueError(
                f"{_called(exercise, function)} must return arrays in every case, but gave {reason}"
            )
        rows.append(tuple(rounded(array) for array in answer.outputs))
    return tuple(rows)


def _check_reference(exercise: Exercise, right: tuple[tuple[Array, ...], ...]) -> None:
    for arrays in right:
        if [array.ndim for array in arrays] != [len(output.shape) for output in exercise.outputs]:
            raise ValueError(
                f"the reference of {exercise.name} must return arrays of the rank that its outputs describe, "
                f"but returned shapes {[array.shape for array in arrays]}"
            )
        if not all(np.isfinite(array).all() and np.any(array) for array in arrays):
            raise ValueError(
                f"the reference of {exercise.name} must return finite arrays that are not all zero"
            )


def _shows(
    exercise: Exercise,
    function: Function,
    loses: tuple[str, ...],
    answers: tuple[tuple[Array, ...], ...],
    right: tuple[tuple[Array, ...], ...],
    part: str,
) -> bool:
    # In one case a mistake may nearly agree with what is right, if it shows clearly in another.
    shows = nearly = False
    for ours, theirs in zip(right, answers, strict=True):
        if alike(theirs, ours, exercise.outputs, within=exercise.tolerance / _CLEARLY):
            continue
        if alike(theirs, ours, exercise.outputs, within=exercise.tolerance * _CLEARLY):
            nearly = True
        else:
            shows = True
    if nearly and not shows:
        raise ValueError(
            f"{_called(exercise, function)} must be clearly wrong in a {part} case or clearly right in all, "
            "but nearly agrees: change the case"
        )
    if shows != (part in loses):
        raise ValueError(
            f"{_called(exercise, function)} must fail exactly the parts it loses, {loses}, "
            f"but {'fails' if shows else 'passes'} the {part} one"
        )
    return shows


def _check_distinct(
    exercise: Exercise, function: Function, found: Misconception, others: list[tuple[Function, Misconception]]
) -> None:
    for other, known in others:
        if all(
            alike(a, b, exercise.outputs, within=exercise.tolerance * _DISTINCT)
            for a, b in zip(found.answers, known.answers, strict=True)
        ):
            raise ValueError(
                f"{_called(exercise, function)} must differ from {_called(exercise, other)}, "
                "but gives the same arrays: change a case, or drop one"
            )


def _check_right_ones(exercise: Exercise, key: AnswerKey) -> None:
    """Refuses inputs in which solutions that are right differ by more than half the tolerance."""
    trials = [(function, key.inputs) for function in exercise.alternatives]
    trials.append((exercise.reference, tuple(map(_single_precision, key.inputs))))
    for function, inputs in trials:
        for ours, theirs in zip(key.expected, _answers(exercise, function, inputs), strict=True):
            if not alike(theirs, ours, exercise.outputs, within=exercise.tolerance / 2):
                raise ValueError(f"{_called(exercise, function)} must agree with the reference, but does not")


def _single_precision(inputs: dict[str, Any]) -> dict[str, Any]:
    return {
        name: v.astype(np.float32) if isinstance(v, np.ndarray) and v.dtype == np.float64 else v
        for name, v in inputs.items()
    }


def _called(exercise: Exercise, function: Function) -> str:
    return f"{exercise.name}'s {getattr(function, '__name__', 'function')}"
