"""Judging plain arrays: every way of being wrong has its message, and weakening the judge turns a test red."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from vaeedu.feedback import compare
from vaeedu.feedback.judge import judge
from vaeedu.feedback.key import AnswerKey, Misconception, Output, read_key, write_keys
from vaeedu.feedback.run import Answer, Failure

RIGHT = (np.arange(1.0, 7.0).reshape(3, 2), np.array(0.5))
DOUBLED = (RIGHT[0] * 2, RIGHT[1])


def key_of(*right, outputs=None, misconceptions=(), cases=1):
    outputs = outputs or (Output("Z", ("N", "K")), Output("s", ()))[: len(right)]
    inputs = tuple({"x": np.ones((3, 4)), "n": 2} for _ in range(cases))
    return AnswerKey("f", outputs, 1e-4, inputs, (right,) * cases, tuple(misconceptions))


def message(*outputs, key=None, **answer):
    verdict = judge([Answer(outputs=outputs or None, **answer)], key or key_of(*RIGHT))
    assert verdict.passed == (not verdict.message)
    return verdict.message


def test_the_right_answer_passes():
    assert message(*RIGHT) == ""


def test_rounding_errors_of_float32_pass_and_a_permille_does_not():
    noise = np.random.default_rng(0).uniform(-1, 1, (3, 2))
    assert message(RIGHT[0].astype(np.float32).astype(np.float64), RIGHT[1]) == ""
    assert message(RIGHT[0] + 5e-4 * noise, RIGHT[1]) == ""  # below 1e-4 of the largest entry, 6
    assert "values are not" in message(RIGHT[0] + 6e-3 * np.sign(noise), RIGHT[1])


def test_the_case_is_described():
    assert message(RIGHT[0] + 1, RIGHT[1]).startswith("✗ f(x of shape (3, 4), n=2)\n")


@pytest.mark.parametrize(
    ("outputs", "expected"),
    [
        ((RIGHT[0],), "It must return Z and s, but returned 1 value."),
        (
            (RIGHT[0].T, RIGHT[1]),
            "`Z` must have shape (N, K) = (3, 2), but has shape (2, 3): it is transposed.",
        ),
        ((RIGHT[0].reshape(3, 2, 1), RIGHT[1]), "the number of entries is right, reshape it."),
        ((RIGHT[0][:2], RIGHT[1]), "must have shape (N, K) = (3, 2), but has shape (2, 2)."),
        ((RIGHT[0], np.array([0.5])), "`s` must have shape (), but has shape (1,)"),
        ((RIGHT[0] > 2, RIGHT[1]), "`Z` must hold numbers, but holds True and False."),
        ((RIGHT[0], np.array(np.nan)), "`s` is nan, which is no finite number."),
        (
            (np.where(RIGHT[0] == 4, -np.inf, RIGHT[0]), RIGHT[1]),
            "`Z[1, 1]` is -inf, which is no finite number.",
        ),
        (
            (RIGHT[0] + [[0, 0], [0, 3], [0.1, 0]], RIGHT[1]),
            "`Z[1, 1]` is 7 but should be 4. That is the largest deviation; 2 of 6 entries",
        ),
    ],
)
def test_every_kind_of_wrong_array_has_its_message(outputs, expected):
    assert expected in message(*outputs)


@pytest.mark.parametrize(
    ("failure", "expected"),
    [
        (Failure("unwritten", ""), "Not written yet: replace `raise NotImplementedError()`"),
        (Failure("too_slow", "5 seconds"), "Still not done after 5 seconds of computing, so it was stopped."),
        (Failure("stuck", "60 seconds"), "after 60 seconds, so it was stopped, though it hardly computed"),
        (
            Failure("raised", "ValueError: no", "y = g(x)"),
            "error: ValueError: no\nIt happened in your line: y = g(x)",
        ),
        (
            Failure("raised", "RuntimeError: mat1 and mat2 shapes cannot be multiplied"),
            "Is a transpose missing?",
        ),
        (Failure("raised", "RuntimeError: expected m1 and m2 to have the same dtype"), "dtype=x.dtype"),
        (
            Failure("unreadable", "None"),
            "It must return Z and s, but returned None. Is the `return` missing?",
        ),
        (Failure("unreadable", "complex numbers"), "returned complex numbers. For a symmetric matrix"),
        (Failure("unreadable", "a dict"), "It must return Z and s, but returned a dict."),
    ],
)
def test_every_failure_has_its_message(failure, expected):
    assert expected in message(failure=failure)


def test_changing_an_argument_fails_only_where_the_values_are_right():
    assert "changes its argument `x` in place" in message(*RIGHT, changed=("x",))
    assert "values are not" in message(RIGHT[0] + 1, RIGHT[1], changed=("x",))


def test_a_misconception_is_named_when_it_explains_every_answer():
    key = key_of(*RIGHT, misconceptions=[Misconception("You doubled it.", (DOUBLED, RIGHT))], cases=2)
    doubled, right, other = (Answer(outputs=o) for o in (DOUBLED, RIGHT, (RIGHT[0] + 9, RIGHT[1])))
    assert judge([doubled, right], key).message.endswith("\nYou doubled it.")
    assert "You doubled it" not in judge([doubled, doubled], key).message
    assert "You doubled it" not in judge([doubled, other], key).message
    assert judge([right, right], key).passed


LINES = np.array([1.0, 2.0, 4.0]), np.array([10.0, 3.0])
SLIPS = [
    Misconception("You doubled it.", ((LINES[0] * 2, LINES[1]),)),
    Misconception("The one is missing.", ((LINES[0] - 1, LINES[1]),)),
    Misconception("Add the square.", ((LINES[0] + [1, 4, 9], LINES[1]),)),
    Misconception("A sign is wrong.", ((LINES[0], -LINES[1]),)),
    Misconception("You took the wrong axis.", ((LINES[0][::-1], LINES[1] + 1),)),
]
SLIPPED = AnswerKey(
    "f", (Output("a", ("N",)), Output("b", ("M",))), 1e-6, ({"x": 1.0},), (LINES,), tuple(SLIPS)
)


@pytest.mark.parametrize(
    ("a", "b", "told"),
    [
        (LINES[0][::-1], LINES[1] + 1, "You took the wrong axis."),
        (LINES[0] * 2, -LINES[1], "`a`: You doubled it.\n`b`: A sign is wrong."),
        (LINES[0], LINES[1] + 1, "`b`: You took the wrong axis."),
        (
            LINES[0] * 2,
            LINES[1] + [0, 5],
            "`a`: You doubled it.\nThe shapes are right, the values are not: `b[1]` is 8 but should be 3.",
        ),
        (
            (LINES[0] - 1) * 2,
            LINES[1],
            "`a`: Two mistakes together give your values:\n- You doubled it.\n- The one is missing.",
        ),
        (
            LINES[0] - 1 + [1, 4, 9],
            LINES[1],
            "`a`: Two mistakes together give your values:\n- The one is missing.\n- Add the square.",
        ),
        (LINES[0] * 0, LINES[1], "The shapes are right, the values are not: `a[2]` is 0 but should be 4."),
        (LINES[0] * 3, LINES[1] * 2, "`a[2]` is 12 but should be 4. That is the largest deviation"),
    ],
)
def test_each_output_hears_its_own_slips_and_two_together_are_told_as_two(a, b, told):
    assert told in message(a, b, key=SLIPPED)


def test_every_wrong_output_is_described():
    assert message(LINES[0] * 3, LINES[1] * 2, key=SLIPPED).count("the values are not") == 2


def test_where_several_mistakes_answer_the_same_none_is_claimed():
    same = [Misconception("You doubled it.", (DOUBLED,)), Misconception("You added it.", (DOUBLED,))]
    told = message(*DOUBLED, key=key_of(*RIGHT, misconceptions=same))
    assert told.endswith(
        "fits these two mistakes, and one of them is probably yours:\n- You doubled it.\n- You added it."
    )


def test_two_pairs_that_answer_the_same_are_not_named():
    right, one = np.array([1.0, 2.0, 4.0]), np.array([0.0, 0.0, 1.0])
    changes = [one, 3 * one, 2 * one + [1, 0, 0], 2 * one - [1, 0, 0]]
    slips = [Misconception(f"Slip {n}.", ((right + change,),)) for n, change in enumerate(changes)]
    assert "values are not" in message(right + 4 * one, key=key_of(right, misconceptions=slips))
    assert "- Slip 0.\n- Slip 1." in message(right + 4 * one, key=key_of(right, misconceptions=slips[:3]))


@pytest.mark.parametrize(("unit", "told"), [(1 / 8, False), (1 / 8.03, True), (1.0, False)])
def test_of_a_share_or_a_count_no_two_mistakes_are_named(unit, told):
    """Of numbers that count something there are so few that two changes add up to one by chance."""
    right, doubled, both = (np.array([5.0, 9.0]) * unit + n * np.array([1.0, 2.0]) * unit for n in (0, 2, 3))
    slips = [
        Misconception(f"Slip {n}.", tuple((np.array(v),) for v in right + n * np.array([unit, 2 * unit])))
        for n in (1, 2)
    ]
    cases, expected = ({"x": 1.0}, {"x": 2.0}), tuple((np.array(v),) for v in right)
    key = AnswerKey("f", (Output("share", ()),), 1e-6, cases, expected, tuple(slips))
    texts = [judge([Answer(outputs=(np.array(v),)) for v in came], key).message for came in (doubled, both)]
    assert "Slip 2." in texts[0]
    assert ("Two mistakes together" in texts[1]) is told


def test_true_and_false_do_where_zeros_and_ones_are_asked_for():
    mask = np.array([[0, 1], [1, 1], [0, 0]])
    key = key_of(mask, misconceptions=[Misconception("It is turned round.", ((1 - mask,),))])
    assert message(mask > 0, key=key) == ""
    assert message(mask < 1, key=key).endswith("It is turned round.")
    assert "`Z[0, 0]` is 1 but should be 0" in message(mask > -1, key=key)


def test_the_smallest_case_that_fails_is_written_out_where_it_may_be_seen():
    sizes = (50, 2, 3)
    inputs = tuple({"x": np.arange(float(n)), "k": 0.5} for n in sizes)
    right = tuple((case["x"] + 1,) for case in inputs)
    known = Misconception("You added 2.", tuple((case["x"] + 2,) for case in inputs))
    key = AnswerKey("f", (Output("y", ("N",)),), 1e-4, inputs, right, (known,))
    answers = [Answer(outputs=(case["x"] + case["x"] ** 2 + 1,)) for case in inputs]
    told = judge(answers, key, show_case=True).message
    assert told.startswith("✗ f(x of shape (2,), k=0.5)\n")
    assert told.endswith(
        "The smallest case that fails:\n  x = [0., 1.]\n  k = 0.5\n  your y = [1., 3.]\n  right y = [1., 2.]"
    )
    assert "smallest case" not in judge(answers, key).message
    answers = [answers[0], *(Answer(outputs=arrays) for arrays in right[1:])]
    told = judge(answers, key, show_case=True).message
    assert "x = [ 0.,  1., ..., 48., 49.]" in told
    assert len(told) < 700
    added = [Answer(outputs=arrays) for arrays in known.answers]
    assert judge(added, key, show_case=True).message.endswith("\nYou added 2.")
    raised = Answer(failure=Failure("raised", "ValueError: no"))
    assert "smallest case" not in judge([raised], key, show_case=True).message


def test_a_misconception_may_have_another_shape():
    key = key_of(*RIGHT, misconceptions=[Misconception("Rows are examples.", ((RIGHT[0].T, RIGHT[1]),))])
    assert message(RIGHT[0].T, RIGHT[1], key=key).endswith("\nRows are examples.")
    assert "it is transposed" in message(RIGHT[0].T + 1, RIGHT[1], key=key)


def test_a_misconception_may_be_infinite():
    wrong = (np.full((3, 2), np.inf), RIGHT[1])
    key = key_of(*RIGHT, misconceptions=[Misconception("It overflows.", (wrong,))])
    assert message(*wrong, key=key).endswith("\nIt overflows.")
    assert "is -inf" in message(-wrong[0], RIGHT[1], key=key)


def test_answers_that_were_broken_off_do_not_pass():
    assert "only 1 of 2 cases" in judge([Answer(outputs=RIGHT)], key_of(*RIGHT, cases=2)).message
    assert not judge([], key_of(*RIGHT)).passed


def test_a_view_leaves_out_what_may_differ_and_nothing_else():
    W = np.random.default_rng(0).standard_normal((5, 2))
    rotation, _ = np.linalg.qr(np.random.default_rng(1).standard_normal((2, 2)))
    signs = W * [1.0, -1.0]
    passes = {
        "values": (W,),
        "columns_up_to_sign": (W, signs),
        "outer_product": (W, signs, W @ rotation, W[:, ::-1]),
    }
    for view, equal in passes.items():
        key = key_of(W, outputs=(Output("W", ("D", "K"), view),))
        for candidate in (W, signs, W @ rotation, W[:, ::-1], W * 1.01, -W[::-1]):
            accepted = any(candidate is e or np.array_equal(candidate, e) for e in equal)
            assert (message(candidate, key=key) == "") == accepted, view
    assert "(W Wᵀ)[" in message(W * 2, key=key_of(W, outputs=(Output("W", ("D", "K"), "outer_product"),)))


def test_unknown_views_are_refused():
    with pytest.raises(
        ValueError, match="view of output W must be one of values, columns_up_to_sign, outer_product"
    ):
        Output("W", ("D", "K"), "rows")


MUTANTS = {
    "the tolerance is absolute": ("/ scale", "/ 1.0"),
    "not finite counts as equal": ("np.where(alike, 0.0, np.inf)", "0.0"),
    "infinities of either sign are alike": ("(a == b)", "(np.isinf(a) & np.isinf(b))"),
    "shapes may broadcast": ("a.shape == b.shape and ", ""),
    "one close entry is enough": (".all())", ".any())"),
    "columns are taken as they are": ("(a * b).sum(axis=0) < 0", "(a * b).sum(axis=0) < -1e9"),
    "all columns share a sign": ("(a * b).sum(axis=0)", "(a * b).sum()"),
    "the outer product is the inner one": ("return a @ a.T, b @ b.T", "return a.T @ a, b.T @ b"),
}


def test_the_comparison_itself_keeps_the_laws():
    assert _laws_hold(compare.__file__)


@pytest.mark.parametrize("name", MUTANTS)
def test_a_weakened_comparison_turns_these_tests_red(name, tmp_path):
    source = Path(compare.__file__).read_text(encoding="utf-8")
    old, new = MUTANTS[name]
    assert source.count(old) == 1, "the mutant no longer fits the source"
    (tmp_path / "mutant.py").write_text(source.replace(old, new), encoding="utf-8")
    assert not _laws_hold(tmp_path / "mutant.py")


LAWS = """
import runpy, sys, numpy as np
from vaeedu.feedback.key import Output
alike = runpy.run_path(sys.argv[1])["alike"]
W = np.random.default_rng(0).standard_normal((5, 2))
R, _ = np.linalg.qr(np.random.default_rng(1).standard_normal((2, 2)))
out = {view: [Output("W", ("D", "K"), view)] for view in ("values", "columns_up_to_sign", "outer_product")}
inf, big = np.where(W > 1, np.inf, W), 1e6 * W
checks = [
    alike([big * (1 + 1e-6)], [big], out["values"], within=1e-4),
    not alike([W * 1e-3], [W * 2e-3], out["values"], within=1e-2),
    not alike([inf], [W], out["values"], within=1e-4),
    alike([inf], [inf], out["values"], within=1e-4),
    not alike([-np.abs(inf)], [np.abs(inf)], out["values"], within=1e9),
    not alike([W[:1]], [W[:1].repeat(5, 0)], out["values"], within=1e-4),
    not alike([np.where(W == W[0, 0], 9.0, W)], [W], out["values"], within=1e-4),
    alike([W * [1, -1]], [W], out["columns_up_to_sign"], within=1e-4),
    alike([W * [-1, 1]], [W], out["columns_up_to_sign"], within=1e-4),
    not alike([W @ R], [W], out["columns_up_to_sign"], within=1e-4),
    alike([W @ R], [W], out["outer_product"], within=1e-4),
    not alike([W[::-1]], [W], out["outer_product"], within=1e-4),
]
sys.exit(0 if all(checks) else 1)
"""


def _laws_hold(path):
    return subprocess.run([sys.executable, "-c", LAWS, str(path)], check=False).returncode == 0


def test_keys_survive_their_file_byte_for_byte(tmp_path):
    key = key_of(*RIGHT, misconceptions=[Misconception("σ² 'quoted'", ((np.array([np.inf]), RIGHT[1]),))])
    write_keys(tmp_path / "a.json", {"f": key, "e": key})
    back = read_key(tmp_path / "a.json", "f")
    write_keys(tmp_path / "b.json", {"e": back, "f": back})
    assert (tmp_path / "a.json").read_bytes() == (tmp_path / "b.json").read_bytes()
    assert judge([Answer(outputs=RIGHT)], back).passed


def test_a_missing_exercise_and_a_broken_file_are_refused(tmp_path):
    path = tmp_path / "checks.json"
    write_keys(path, {"f": key_of(*RIGHT)})
    with pytest.raises(ValueError, match="name must be one of 'f', but is 'g'"):
        read_key(path, "g")
    for text in ('{"f"', '{"f": {}}', '{"f": 3}', "3", "[]"):
        path.write_text(text)
        with pytest.raises(
            ValueError, match=r"checks\.json must be the file that came with|name must be one of , but"
        ):
            read_key(path, "f")


def test_judging_imports_no_torch():
    code = "import sys, vaeedu.feedback.judge, vaeedu.feedback.examine; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_answers_of_true_and_false_are_told_what_they_miss():
    right = np.array([[True, False, True, True]])
    mistakes = [
        Misconception("The first is wrong.", ((np.array([[False, False, True, True]]),),)),
        Misconception("The second is wrong.", ((np.array([[True, True, True, True]]),),)),
    ]
    key = key_of(right, outputs=(Output("valid", ("N", "M")),), misconceptions=mistakes)
    assert "The first is wrong." in message(np.array([[False, False, True, True]]), key=key)
    both = message(np.array([[False, True, True, True]]), key=key)
    assert "The first is wrong." in both
    assert "The second is wrong." in both
    assert "values are not" in message(np.array([[True, False, False, False]]), key=key)
