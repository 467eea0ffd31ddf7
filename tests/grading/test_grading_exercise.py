"""An exercise description that could mislead is refused; a sound one gives keys that name mistakes."""

import dataclasses

import numpy as np
import pytest

from vaeedu.grading.exercise import Exercise, Wrong, answer_key
from vaeedu.grading.judge import judge
from vaeedu.grading.key import Output
from vaeedu.grading.run import run_all


def reference(x):
    return x.mean(dim=0)


def summed(x):
    return x.sum(dim=0)


def by_four(x):
    return x.sum(dim=0) / 4


def almost(x):
    return x.mean(dim=0) * (1 + 1e-3)


SOUND = Exercise(
    name="mean",
    signature="def mean(x):",
    outputs=(Output("mean", ("D",)),),
    points={"visible": 1, "hidden": 2},
    make_inputs=lambda case, rng: {"x": rng.standard_normal((case["N"], 3)) + 2},
    cases={"visible": ({"N": 4},), "hidden": ({"N": 7}, {"N": 4})},
    reference=reference,
    wrong=(Wrong(summed, "A sum is no mean."), Wrong(by_four, "N is not always 4.", loses=("hidden",))),
    alternatives=(),
)


def test_a_sound_exercise_names_each_mistake_where_it_shows():
    for part, mistakes in (("visible", [summed]), ("hidden", [summed, by_four])):
        key = answer_key(SOUND, part)
        assert len(key.misconceptions) == len(mistakes)
        assert judge(run_all(reference, key.inputs), key).passed
        for wrong in SOUND.wrong:
            verdict = judge(run_all(wrong.function, key.inputs), key)
            assert verdict.passed == (wrong.function not in mistakes)
            assert verdict.passed or verdict.message.endswith(f"\n{wrong.message}")


def test_keys_are_the_same_every_time_and_parts_differ():
    first, again, hidden = (answer_key(SOUND, part) for part in ("visible", "visible", "hidden"))
    assert first.to_json() == again.to_json()
    assert not np.array_equal(first.inputs[0]["x"], hidden.inputs[1]["x"])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            {"reference": lambda x: 1 / 0},
            "must return arrays in every case, but gave raised: ZeroDivisionError",
        ),
        (
            {"reference": lambda x: x},
            r"must return arrays of the rank that its outputs describe, but .*\(4, 3\)",
        ),
        ({"reference": lambda x: x.mean(dim=0) / 0}, "must return finite arrays that are not all zero"),
        ({"reference": lambda x: x.mean(dim=0) * 0}, "must return finite arrays that are not all zero"),
        ({"wrong": (Wrong(lambda x: None, "m"),)}, "must return arrays in every case, but gave unreadable"),
        (
            {"wrong": (Wrong(almost, "m"),)},
            "almost must be clearly wrong or clearly right in every visible case",
        ),
        (
            {"wrong": (Wrong(by_four, "m"),)},
            "by_four must fail exactly the parts it loses, .* but passes the visible",
        ),
        (
            {"wrong": (Wrong(summed, "m", loses=("hidden",)),)},
            r"summed must fail exactly the parts it loses, \('hidden',\), but fails the visible",
        ),
        (
            {"wrong": (Wrong(summed, "m"), Wrong(lambda x: x.sum(dim=0), "n"))},
            "must differ from mean's summed, but gives the same arrays",
        ),
    ],
)
def test_an_exercise_that_could_mislead_is_refused(change, message):
    with pytest.raises(ValueError, match=message):
        answer_key(dataclasses.replace(SOUND, **change), "visible")


def test_there_are_two_parts():
    with pytest.raises(ValueError, match="part must be one of 'visible', 'hidden', but is 'secret'"):
        answer_key(SOUND, "secret")
