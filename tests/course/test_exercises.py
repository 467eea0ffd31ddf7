"""Every exercise of every assignment, judged directly: right solutions pass, and each mistake is told what it is."""

from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pytest
import torch

from vaeedu.feedback.judge import judge
from vaeedu.feedback.run import run_all
from vaeedu_grader.authoring.course import assignments, exercises
from vaeedu_grader.authoring.exercise import PARTS, answer_key

ROOT = Path(__file__).resolve().parents[2]
ALL = [(name, exercise) for name in assignments(ROOT) for exercise in exercises(ROOT, name).values()]
each = pytest.mark.parametrize("exercise", [e for _, e in ALL], ids=[f"{a[:2]}-{e.name}" for a, e in ALL])
each_compared = pytest.mark.parametrize(
    "exercise",
    [e for _, e in ALL if e.goal is None],
    ids=[f"{a[:2]}-{e.name}" for a, e in ALL if e.goal is None],
)
each_with_a_goal = pytest.mark.parametrize(
    "exercise", [e for _, e in ALL if e.goal], ids=[f"{a[:2]}-{e.name}" for a, e in ALL if e.goal]
)
each_part = pytest.mark.parametrize("part", PARTS)
# Where there is a goal each answer is a training: in the fast tests the reference's stands for them.
each_trained = pytest.mark.parametrize(
    "exercise",
    [pytest.param(e, marks=pytest.mark.slow if e.goal else ()) for _, e in ALL],
    ids=[f"{a[:2]}-{e.name}" for a, e in ALL],
)
# The limit for a call is not what is tested here, and a busy machine must not reach it.
_AMPLE = 600.0


DESCRIBED = {exercise.name: exercise for _, exercise in ALL}


@cache
def key_of(name, part):
    return answer_key(DESCRIBED[name], part)


@cache
def answers_of(name, function, part):
    """What a function answers; each of the exercises' own runs once, however many tests look at it."""
    key = key_of(name, part)
    return run_all(function, key.inputs, num_outputs=len(key.outputs), time_limit=_AMPLE)


def verdict(exercise, function, part):
    return judge(answers_of(exercise.name, function, part), key_of(exercise.name, part))


@each_trained
@each_part
def test_the_reference_and_every_alternative_pass(exercise, part):
    assert len(exercise.alternatives) >= 3
    for function in (exercise.reference, *exercise.alternatives):
        assert verdict(exercise, function, part).message == "", function.__name__


@each_trained
@each_part
def test_every_mistake_hears_its_own_message_and_no_other(exercise, part):
    assert len(exercise.wrong) >= 3
    assert len({wrong.message for wrong in exercise.wrong}) == len(exercise.wrong)
    for wrong in exercise.wrong:
        for function in wrong.functions:
            told = verdict(exercise, function, part).message
            if part in wrong.loses:
                assert told.split("\n", 1)[1] == wrong.message, function.__name__
            else:
                assert told == "", function.__name__


@each
@each_part
def test_float32_solutions_pass(exercise, part):
    def single(**inputs):
        floats = {k: v for k, v in inputs.items() if isinstance(v, torch.Tensor) and v.is_floating_point()}
        lower = inputs | {k: v.float() for k, v in floats.items()}
        default = torch.get_default_dtype()
        result = exercise.reference(**lower)
        assert torch.get_default_dtype() == default
        return result

    assert verdict(exercise, single, part).message == ""


@each_compared
@each_part
def test_an_answer_that_is_off_a_little_or_noisy_fails_without_a_misconception(exercise, part):
    right = answers_of(exercise.name, exercise.reference, part)
    off = [
        replace(answer, outputs=(*answer.outputs[:-1], np.asarray(answer.outputs[-1] * 1.01)))
        for answer in right
    ]
    told = judge(off, key_of(exercise.name, part)).message
    assert "the values are not" in told
    assert not any(wrong.message in told for wrong in exercise.wrong)


@each_with_a_goal
@each_part
def test_an_untrained_answer_falls_short_without_a_misconception(exercise, part):
    def untrained(**inputs):
        return exercise.reference(**{**inputs, "num_steps": 0})

    told = verdict(exercise, untrained, part).message
    assert f"{exercise.goal.unit}, but must be at least" in told
    assert not any(wrong.message in told for wrong in exercise.wrong)


@each
@each_part
def test_cases_vary_in_size_and_a_size_of_one_is_among_them(exercise, part):
    settings = exercise.cases[part]
    assert len({tuple(case.items()) for case in settings}) == len(settings) >= 2
    sizes = [value for case in settings for name, value in case.items() if name.isupper()]
    assert min(sizes) == 1 < max(sizes)
    for inputs in key_of(exercise.name, part).inputs:
        assert all(np.isfinite(value).all() for value in inputs.values())


@each
def test_messages_are_short_and_say_you(exercise):
    for wrong in exercise.wrong:
        assert 40 <= len(wrong.message) <= 260, wrong.message
        assert "return " not in wrong.message, "a hint, not the solution"


def test_names_are_unique_in_the_whole_course():
    assert len(DESCRIBED) == len(ALL)  # the tests above, and `vaeedu.check`, go by them


def test_at_least_two_mistakes_pass_what_students_see():
    for assignment in assignments(ROOT):
        wrong = [w for e in exercises(ROOT, assignment).values() for w in e.wrong]
        assert sum(w.loses == ("hidden",) for w in wrong) >= 2
