"""An exercise description that could mislead is refused; a sound one gives keys that name mistakes."""

import dataclasses

import numpy as np
import pytest
import torch

from vaeedu.feedback.judge import judge
from vaeedu.feedback.key import Output
from vaeedu.feedback.run import run_all
from vaeedu_grader.authoring.answered import source_of
from vaeedu_grader.authoring.exercise import Exercise, Wrong, answer_key, fresh_key
from vaeedu_grader.authoring.slips import edited, slip


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


def test_variants_of_a_mistake_hear_its_message_and_must_lose_what_it_loses():
    def thrice(x):
        return 3 * x.sum(dim=0)

    exercise = dataclasses.replace(SOUND, wrong=(Wrong(summed, "A sum is no mean.", variants=(thrice,)),))
    for part in ("visible", "hidden"):
        key = answer_key(exercise, part)
        assert judge(run_all(thrice, key.inputs), key).message.endswith("\nA sum is no mean.")
    other = dataclasses.replace(exercise, wrong=(Wrong(summed, "A sum is no mean.", variants=(by_four,)),))
    with pytest.raises(ValueError, match="by_four must fail exactly the parts it loses"):
        answer_key(other, "visible")


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
            "almost must be clearly wrong in a visible case or clearly right in all",
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


def test_fresh_keys_are_of_the_seed_and_name_each_mistake():
    first, again, other = (fresh_key(SOUND, "hidden", seed) for seed in (b"a", b"a", b"b"))
    assert first.to_json() == again.to_json()
    assert first.to_json() != other.to_json()
    assert not np.array_equal(first.inputs[0]["x"], fresh_key(SOUND, "visible", b"a").inputs[0]["x"])
    for wrong in SOUND.wrong:
        assert judge(run_all(wrong.function, first.inputs), first).message.endswith(wrong.message)


def test_inputs_that_would_mislead_are_drawn_again():
    draws = []

    def sometimes(case, rng):
        draws.append(rng.random() < 0.5)
        # One row has the mean that it sums to: the mistake does not show.
        return {"x": rng.standard_normal((4 if draws[-1] else 1, 3)) + 2}

    exercise = dataclasses.replace(SOUND, make_inputs=sometimes, wrong=SOUND.wrong[:1])
    for seed in range(20):
        assert len(fresh_key(exercise, "visible", bytes([seed])).inputs[0]["x"]) == 4
    assert draws.count(True) == 20 < len(draws)
    with pytest.raises(
        ValueError, match=r"inputs must tell its mistakes apart, but 50 draws did not: .* passes the"
    ):
        fresh_key(
            dataclasses.replace(exercise, make_inputs=lambda c, r: {"x": np.ones((1, 3))}), "visible", b""
        )


def test_inputs_at_which_right_solutions_differ_are_drawn_again():
    def one_pass(x):  # right in exact arithmetic, and far off where the mean is large
        return (x + 1e14).mean(dim=0) - 1e14

    exercise = dataclasses.replace(SOUND, alternatives=(one_pass,))
    with pytest.raises(ValueError, match="one_pass must agree with the reference, but does not"):
        fresh_key(exercise, "hidden", b"")
    far = dataclasses.replace(
        SOUND,
        make_inputs=lambda case, rng: {"x": rng.standard_normal((case["N"], 3)) + 1000},
        tolerance=1e-9,
    )
    with pytest.raises(ValueError, match="mean's reference must agree with the reference"):
        fresh_key(dataclasses.replace(far, wrong=()), "visible", b"")


def test_a_slip_is_a_change_to_the_text_of_a_solution_and_has_a_source():
    made = slip(reference, {"dim=0": "dim=1"}, "The wrong axis.", loses=("hidden",))
    assert made.loses == ("hidden",)
    x = torch.tensor([[1.0, 2.0, 6.0]])
    assert made.function(x).tolist() == [3.0]
    space = {}
    exec(source_of(made.function, "mean"), space)
    assert space["mean"](x).tolist() == [3.0]
    assert made.function.__name__ != edited(reference, {"mean(": "sum("}).__name__
    with pytest.raises(ValueError, match="'x' must stand once in by_four, but stands there 2 times"):
        edited(by_four, {"x": "y"})
