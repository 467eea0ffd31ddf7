"""What crosses the sandbox's wall: packed and read back exactly, and whatever else is sent is refused."""

import base64
import json

import numpy as np
import pytest

from vaeedu.feedback.run import Answer, Failure
from vaeedu.feedback.wire import (
    MAX_BYTES,
    pack_answers,
    pack_cases,
    printable,
    unpack_answers,
    unpack_cases,
)

CASES = [{"x": np.ones(2), "n": 1}, {"x": np.zeros((0, 3)), "n": 2}]
ODD = np.array([[1 / 3, np.nan], [-np.inf, -0.0]])


def alike(a, b):
    return a.dtype == b.dtype and a.shape == b.shape and a.tobytes() == b.tobytes()


def test_cases_come_back_bit_by_bit():
    cases = [{"x": ODD, "k": np.arange(3), "m": np.array([True, False]), "n": 3, "s": 0.1}]
    (back,) = unpack_cases(pack_cases(cases))
    assert list(back) == list(cases[0])
    assert all(alike(back[name], cases[0][name]) for name in "xkm")
    assert (back["n"], back["s"]) == (3, 0.1)


def test_answers_come_back_bit_by_bit():
    answers = (
        Answer(outputs=(ODD, np.array(2.5), np.zeros((0, 4))), changed=("x",)),
        Answer(failure=Failure("raised", "ValueError: no", "y = x")),
    )
    first, second = unpack_answers(pack_answers(answers), CASES)
    assert all(alike(a, b) for a, b in zip(first.outputs, answers[0].outputs, strict=True))
    assert first.changed == ("x",)
    assert second == answers[1]


def sent(**change):
    array = {"dtype": "float64", "shape": [1], "data": base64.b64encode(bytes(8)).decode()}
    array.update({k: v for k, v in change.items() if k in array})
    answer = {"outputs": [array], "failure": None, "changed": []}
    answer.update({k: v for k, v in change.items() if k in answer})
    return json.dumps([answer]).encode()


def test_what_is_changed_below_is_sound_unchanged():
    (answer,) = unpack_answers(sent(), CASES)
    assert answer.outputs[0].tolist() == [0.0]


FAILURE = {"kind": "raised", "message": "m", "line": ""}


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\xff\xfe",
        b"null",
        b"{}",
        b"[1]",
        b"[" * 100_000,
        b"[{}]",
        b"1" * 5000,
        b" " * (MAX_BYTES + 1),
        b"\x80\x04\x95\x10",  # the start of a pickle
        sent(dtype="object"),
        sent(dtype="<U8"),
        sent(dtype=["float64"]),
        sent(dtype=None),
        sent(shape=[2]),
        sent(shape=[-1]),
        sent(shape=[True]),
        sent(shape=[1.0]),
        sent(shape="1"),
        sent(shape=[1] * 9),
        sent(shape=[10**30, 0]),
        sent(data="AAAA"),
        sent(data="not base64!!"),
        sent(data=[0.0]),
        sent(dtype="bool", data=base64.b64encode(b"\2").decode()),
        sent(outputs=[]).replace(b"[]", b"[[]]", 1),
        sent(outputs=None),
        sent(outputs=[json.loads(sent())[0]["outputs"][0]] * 17),
        sent(failure=FAILURE),
        sent(outputs=None, failure={**FAILURE, "kind": "passed"}),
        sent(outputs=None, failure={**FAILURE, "message": "m" * 2001}),
        sent(outputs=None, failure={**FAILURE, "message": 1}),
        sent(outputs=None, failure={**FAILURE, "more": ""}),
        sent(changed=["y"]),
        sent(changed="x"),
        sent(changed=[["x"]]),
        sent()[:-1] + b"," + sent()[1:-1] + b"," + sent()[1:],  # more answers than cases
    ],
)
def test_anything_else_is_refused(data):
    with pytest.raises(ValueError, match="must"):
        unpack_answers(data, CASES)


def test_what_a_terminal_or_a_file_cannot_take_is_replaced():
    text = printable("a\x1b[31m\ud800\u202eb\n\tc")
    assert text == "a\ufffd[31m\ufffd\ufffdb\n\tc"
    text.encode()
    (answer,) = unpack_answers(sent(outputs=None, failure={**FAILURE, "message": "\x1b]0;\ud800"}), CASES)
    assert answer.failure.message == "\ufffd]0;\ufffd"
