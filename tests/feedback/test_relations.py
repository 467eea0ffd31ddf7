"""What wrong values have to do with the right ones is said where it is a fact, and nowhere else."""

import importlib

import numpy as np
import pytest
from support.mutation import law_tests

from vaeedu.feedback.judge import judge
from vaeedu.feedback.key import AnswerKey, Misconception, Output
from vaeedu.feedback.relations import relation
from vaeedu.feedback.run import Answer

RIGHT = (np.array([0.5, 2.0, 3.5]), np.array([4.0, 0.25, 1.5]))
OUTPUT = Output("var", ("D",))


def key_of(*cases, outputs=(OUTPUT,), misconceptions=()):
    return AnswerKey("f", outputs, 1e-6, ({"n": 2},) * len(cases), cases, tuple(misconceptions))


def told(turn, right=RIGHT, **options):
    key = key_of(*((array,) for array in right), **options)
    return judge([Answer(outputs=(turn(array),)) for array in right], key).message


@pytest.mark.parametrize(
    ("turn", "expected"),
    [
        (np.sqrt, "the square root of the right values: a standard deviation for a variance?"),
        (np.square, "the square of the right values"),
        (np.negative, "the wrong sign"),
        (np.log, "the logarithm of the right values"),
        (np.exp, "the exponential of the right values"),
        (np.reciprocal, "one over the right values"),
        (lambda a: 2 * a, "twice the right values"),
        (lambda a: a / 2, "half of the right values"),
        (lambda a: a / np.log(2), "bits for nats?"),
        (lambda a: a * np.log(2), "nats for bits?"),
    ],
)
def test_a_relation_that_holds_everywhere_is_told(turn, expected):
    assert expected in told(turn)


def test_single_numbers_are_told_from_three_cases_on():
    right = tuple(np.array(x) for x in (0.5137, 2.2171, 3.5419))
    scalar = (Output("kl", ()),)
    assert "the wrong sign" in told(lambda a: np.asarray(-a), right=right, outputs=scalar)
    assert "values are not" in told(lambda a: np.asarray(-a), right=right[:2], outputs=scalar)


@pytest.mark.parametrize("turn", [lambda a: 3 * a, lambda a: a + 1, lambda a: np.where(a > 1, -a, a)])
def test_what_does_not_hold_everywhere_is_not(turn):
    assert "The shapes are right, the values are not" in told(turn)


def test_numbers_by_which_nothing_can_be_told_tell_nothing():
    # Where all is 0 or 1 or the same, many relations hold.
    plain = (np.array([0.0, 1.0, 1.0]), np.array([1.0, 0.0, 4.0]))
    assert relation([np.sqrt(a) for a in plain], plain, key_of(*((a,) for a in plain)), 0) == ""
    assert "values are not" in told(np.negative, right=(np.array([2.0]), np.array([2.0])))


def test_a_known_mistake_comes_first():
    mistake = Misconception("You returned σ.", tuple((np.sqrt(array),) for array in RIGHT))
    assert told(np.sqrt, misconceptions=[mistake]).endswith("\nYou returned σ.")


def test_a_relation_holds_for_values_only():
    loadings = Output("W", ("D", "K"), view="outer_product")
    right = (np.array([[1.0, 2.0], [3.0, 5.0]]),) * 2
    assert "square of" not in told(np.square, right=right, outputs=(loadings,))


OUTPUTS = (Output("mu", ("K",)), Output("var", ("K",)), Output("bound", ()))
THREE = (np.array([1.0, 2.0]), np.array([0.5, 0.25]), np.array(3.0))


@pytest.mark.parametrize("order", [(1, 0, 2), (2, 1, 0), (1, 2, 0)])
def test_right_values_in_another_order_are_told_as_such(order):
    key = key_of(THREE, THREE, outputs=OUTPUTS)
    answers = [Answer(outputs=tuple(THREE[i] for i in order))] * 2
    assert judge(answers, key).message.endswith(
        "The values are right, but in another order than the one asked for: return mu, var, bound."
    )


def test_other_values_in_another_order_are_not():
    key = key_of(THREE, outputs=OUTPUTS)
    assert "another order" not in judge([Answer(outputs=(THREE[1] + 1, THREE[0], THREE[2]))], key).message
    same = (THREE[0], THREE[0], THREE[2])
    assert judge([Answer(outputs=same)], key_of(same, outputs=OUTPUTS)).passed


def test_a_standard_deviation_for_a_variance_is_told_of_one_output_of_several():
    key = key_of(*((np.ones(3), array) for array in RIGHT), outputs=(Output("mu", ("K",)), OUTPUT))
    text = judge([Answer(outputs=(np.ones(3), np.sqrt(array))) for array in RIGHT], key).message
    assert "`var`: What came is the square root" in text


def every_case_law(feedback):
    mixed = [np.sqrt(RIGHT[0]), RIGHT[1] + 1]
    assert (
        importlib.import_module(f"{feedback.__name__}.relations").relation(
            mixed, RIGHT, key_of(*((a,) for a in RIGHT)), 0
        )
        == ""
    )


def plain_numbers_law(feedback):
    plain = (np.array([0.0, 1.0, 4.0]), np.array([1.0, 0.0, 4.0]))
    came = [np.sqrt(array) for array in plain]
    assert (
        importlib.import_module(f"{feedback.__name__}.relations").relation(
            came, plain, key_of(*((a,) for a in plain)), 0
        )
        == ""
    )


test_the_laws_hold, test_each_mistake_breaks_a_law = law_tests(
    "feedback",
    [
        (every_case_law, "relations", "if finite and all(", "if finite and any("),
        (plain_numbers_law, "relations", "len(np.unique(others.round(9))) >= 3", "len(others) >= 0"),
    ],
)
