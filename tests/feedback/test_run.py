"""Running a function: every kind of answer becomes arrays, every accident a reason, and nothing decides a mark."""

import json
import signal
import sys
import threading
import time

import numpy as np
import pytest
import torch

from vaeedu.feedback.run import Answer, run, run_all

X = np.arange(6.0).reshape(3, 2)


@pytest.mark.parametrize(
    "function",
    [
        lambda x: x,
        lambda x: x.float().requires_grad_(),
        lambda x: x.to(torch.bfloat16),
        lambda x: x.numpy().astype(np.float32),
        lambda x: x.tolist(),
        lambda x: [tuple(row) for row in x],
        lambda x: (x,),
    ],
)
def test_every_kind_of_array_becomes_float64(function):
    (array,) = run(function, {"x": X}).outputs
    assert array.dtype == np.float64
    np.testing.assert_array_equal(array, X)


@pytest.mark.parametrize("value", [7, 7.0, np.float32(7), torch.tensor(7), np.array(7)])
def test_numbers_become_arrays_without_dimensions(value):
    (array,) = run(lambda: value, {}).outputs
    assert array.shape == ()
    assert array == 7


@pytest.mark.parametrize("pack", [tuple, list])
def test_several_values_may_come_as_tuple_or_list(pack):
    outputs = run(lambda x: pack([x, x.sum()]), {"x": X}, num_outputs=2).outputs
    assert [array.shape for array in outputs] == [(3, 2), ()]


@pytest.mark.parametrize(
    ("value", "message"),
    [(None, "None"), ("text", "a str"), ({"a": 1}, "a dict"), (torch.ones(2) * 1j, "complex numbers")],
)
def test_what_is_no_array_is_unreadable(value, message):
    failure = run(lambda: value, {}).failure
    assert (failure.kind, failure.message) == ("unreadable", message)


def test_ragged_lists_and_sparse_tensors_are_unreadable():
    assert run(lambda: [[1.0], [1.0, 2.0]], {}).failure.kind == "unreadable"
    assert run(lambda: torch.eye(3).to_sparse(), {}).failure.kind == "unreadable"


def test_an_error_names_the_students_own_line():
    def inner(x):
        return torch.linalg.inv(x)  # a line of the student's

    failure = run(lambda x: inner(x), {"x": X}).failure
    assert failure.kind == "raised"
    assert "must be batches of square matrices" in failure.message
    assert failure.line == "return torch.linalg.inv(x)  # a line of the student's"


def test_exit_is_an_error_and_an_interrupt_is_not_swallowed():
    def interrupt():
        raise KeyboardInterrupt

    assert run(lambda: sys.exit(3), {}).failure.message == "SystemExit: 3"
    with pytest.raises(KeyboardInterrupt):
        run(interrupt, {})


def test_unwritten_functions_are_told_apart():
    def function():
        raise NotImplementedError

    assert run(function, {}).failure.kind == "unwritten"


def test_each_call_gets_copies_and_changes_are_noticed():
    def function(x, w):
        x -= 1
        return x + w

    inputs = {"x": X.copy(), "w": np.ones((3, 2))}
    answer = run(function, inputs)
    assert answer.changed == ("x",)
    np.testing.assert_array_equal(inputs["x"], X)
    assert run(lambda x, w: x + w, inputs).changed == ()


def test_an_endless_loop_is_stopped_even_if_it_catches_exceptions():
    def function():
        while True:
            try:
                sum(range(100))
            except Exception:
                continue

    start = time.monotonic()
    failure = run(function, {}, time_limit=0.2).failure
    assert (failure.kind, failure.message) == ("too_slow", "0.2 seconds")
    assert time.monotonic() - start < 5


def test_only_computing_counts_and_what_waits_for_ever_is_stopped_with_other_words(monkeypatch):
    monkeypatch.setattr("vaeedu.feedback.run.WAITING", 5.0)
    assert run(lambda: time.sleep(0.6) or 1, {}, time_limit=0.2).outputs[0] == 1
    failure = run(lambda: time.sleep(60), {}, time_limit=0.2).failure
    assert (failure.kind, failure.message) == ("stuck", "1 seconds")


def test_what_other_threads_compute_does_not_count():
    busy = threading.Event()

    def spin():
        while not busy.is_set():
            pass

    def function():
        thread = threading.Thread(target=spin)
        thread.start()
        time.sleep(0.6)
        busy.set()
        thread.join()
        return 1

    assert run(function, {}, time_limit=0.3).outputs[0] == 1


def test_no_case_is_tried_after_one_that_took_too_long():
    calls = []

    def function(n):
        calls.append(n)
        while n == 1:
            pass
        return n

    answers = run_all(function, [{"n": 0}, {"n": 1}, {"n": 2}], time_limit=0.2)
    assert calls == [0, 1]
    assert [answer.failure and answer.failure.kind for answer in answers] == [None, "too_slow"]


def test_an_alarm_of_somebody_else_keeps_its_time():
    handler = signal.getsignal(signal.SIGALRM)
    before = signal.setitimer(signal.ITIMER_REAL, 100.0)
    try:
        run(lambda: time.sleep(0.05), {})
        left, _ = signal.setitimer(signal.ITIMER_REAL, 0)
    finally:
        signal.setitimer(signal.ITIMER_REAL, *before)
    assert 90 < left < 100
    assert signal.getsignal(signal.SIGALRM) is handler


def test_outside_the_main_thread_it_runs_without_a_limit():
    answers = []
    thread = threading.Thread(target=lambda: answers.append(run(lambda: 1, {}, time_limit=0.1)))
    thread.start()
    thread.join()
    assert answers[0].outputs[0] == 1


def test_nothing_reaches_stderr_where_nbgrader_would_take_it_for_a_failure(capsys):
    assert run(lambda: print("look here", file=sys.stderr) or 1, {}).outputs[0] == 1
    captured = capsys.readouterr()
    assert (captured.err, captured.out) == ("", "look here\n")


@pytest.mark.parametrize(
    "function", [lambda x: (x, x > 2, float("nan")), lambda x: 1 / 0, lambda x: x.mul_(2), lambda x: None]
)
def test_answers_survive_json(function):
    answer = run(function, {"x": X})
    back = Answer.from_json(json.loads(json.dumps(answer.to_json(), allow_nan=False)))
    assert (back.failure, back.changed) == (answer.failure, answer.changed)
    if answer.outputs is not None:
        for a, b in zip(back.outputs, answer.outputs, strict=True):
            np.testing.assert_array_equal(a, b)
            assert a.dtype == b.dtype
