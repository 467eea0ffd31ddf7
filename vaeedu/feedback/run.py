"""Running a student's function: inputs go in as tensors, plain arrays or the reason why there are none come out.

Nothing here knows a right answer, and nothing here decides a mark.
"""

import contextlib
import signal
import sys
import threading
import time
import traceback
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Any

import numpy as np

from vaeedu.feedback.arrays import Array, decode, encode
from vaeedu.feedback.key import SECONDS

KINDS = ("unwritten", "raised", "too_slow", "stuck", "unreadable", "undefined", "not_callable")
# A call may take this many times as long by the clock on the wall as it may compute: the machine may be busy.
WAITING = 12.0
# How often, in seconds, it is looked how much has been computed.
_TICK = 0.1
_LIBRARIES = ("site-packages", "dist-packages", str(Path(traceback.__file__).parent))


class _TimeUp(BaseException):
    """Not an `Exception`, so that a student's `except Exception` does not catch it."""

    def __init__(self, kind: str, seconds: float) -> None:
        super().__init__()
        self.failure = Failure(kind, f"{seconds:g} seconds")


@dataclass(frozen=True)
class Failure:
    """Why a call gave no arrays.

    Attributes:
        kind: "unwritten" (NotImplementedError), "raised", "too_slow" (it computed too long), "stuck" (it took too long
            by the clock, but hardly computed), "unreadable" (what came back is no array); "undefined" or
            "not_callable", where there is no function to call.
        message: The error's type and text, or what came back instead, or the type of what is there.
        line: The student's own line that it happened in, where known.
    """

    kind: str
    message: str
    line: str = ""


@dataclass(frozen=True)
class Answer:
    """What one call of a student's function gave.

    Attributes:
        outputs: The returned arrays, or None where there is a failure.
        failure: Why there are no outputs.
        changed: The names of inputs that the call changed in place.
    """

    outputs: tuple[Array, ...] | None = None
    failure: Failure | None = None
    changed: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Writes the answer as a JSON object."""
        return {
            "outputs": None if self.outputs is None else [encode(array) for array in self.outputs],
            "failure": self.failure and vars(self.failure),
            "changed": list(self.changed),
        }

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> "Answer":
        """Reads back what `to_json` wrote."""
        outputs, failure = value["outputs"], value["failure"]
        return cls(
            outputs=None if outputs is None else tuple(decode(array) for array in outputs),
            failure=None if failure is None else Failure(**failure),
            changed=tuple(value["changed"]),
        )


def run(
    function: Callable[..., object],
    inputs: Mapping[str, object],
    *,
    num_outputs: int = 1,
    time_limit: float = SECONDS,
) -> Answer:
    """Calls a function once, and turns whatever happens into an `Answer`.

    Args:
        function: The student's function.
        inputs: Its arguments by name. Arrays are handed over as tensors, each a copy of its own.
        num_outputs: How many values it is asked to return; a list of that many counts as a tuple then.
        time_limit: Seconds of computing until the call is broken off (in the main thread, where Python can do so); it
            is also after `WAITING` times as long, whatever it does. Time that other programs get is not counted.

    Returns:
        The arrays as float64, int64 or bool, whatever type they came in; or the failure.

    >>> run(lambda x: x.mean(dim=0), {"x": np.array([[1.0, 3.0], [3.0, 5.0]])}).outputs
    (array([2., 4.]),)
    >>> run(lambda x: x / 0, {"x": 1}).failure.message
    'ZeroDivisionError: division by zero'
    """
    arguments = {name: _argument(value) for name, value in inputs.items()}
    try:
        # What a library warns about belongs to the student's eyes, but nbgrader takes any stderr in a test cell for a
        # failed test.
        with contextlib.redirect_stderr(sys.stdout), _BrokenOff(after=time_limit):
            result = function(**arguments)
    except _TimeUp as up:
        return Answer(failure=up.failure)
    except NotImplementedError as error:
        return Answer(failure=Failure("unwritten", str(error)))
    except (Exception, SystemExit) as error:
        text = f"{type(error).__name__}: {error}".strip().removesuffix(":")
        return Answer(failure=Failure("raised", text, _own_line(error)))
    changed = tuple(name for name, value in inputs.items() if not _same(arguments[name], value))
    try:
        return Answer(outputs=_arrays(result, num_outputs), changed=changed)
    except (ValueError, TypeError, RuntimeError) as error:
        return Answer(failure=Failure("unreadable", str(error)))


def run_all(
    function: Callable[..., object],
    cases: Sequence[Mapping[str, object]],
    *,
    num_outputs: int = 1,
    time_limit: float = SECONDS,
) -> tuple[Answer, ...]:
    """Runs every case in turn, and none after one that took too long."""
    answers: list[Answer] = []
    for inputs in cases:
        answers.append(run(function, inputs, num_outputs=num_outputs, time_limit=time_limit))
        if answers[-1].failure is not None and answers[-1].failure.kind in ("too_slow", "stuck"):
            break
    return tuple(answers)


def _argument(value: object) -> object:
    import torch  # here, so that judging never needs it

    return torch.from_numpy(value.copy()) if isinstance(value, np.ndarray) else value


def _same(argument: Any, value: object) -> bool:
    if not isinstance(value, np.ndarray):
        return True
    now = argument.detach().numpy()
    return now.shape == value.shape and now.tobytes() == value.tobytes()


class _BrokenOff:
    """Raises `_TimeUp` in the block once it has computed for so long, or has taken far longer by the clock."""

    def __init__(self, after: float) -> None:
        self._seconds = after
        self._start, self._start_computing = time.monotonic(), time.thread_time()
        self._can = hasattr(signal, "setitimer") and threading.current_thread() is threading.main_thread()

    def __enter__(self) -> None:
        if self._can:
            self._handler = signal.signal(signal.SIGALRM, self._ring)
            self._others, self._interval = signal.setitimer(signal.ITIMER_REAL, _TICK, _TICK)

    def __exit__(self, *_: object) -> None:
        if not self._can:
            return
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, self._handler)
        if self._others:  # somebody else's alarm was set: it gets the rest of its time
            rest = max(self._others - (time.monotonic() - self._start), 1e-3)
            signal.setitimer(signal.ITIMER_REAL, rest, self._interval)

    def _ring(self, signum: int, frame: FrameType | None) -> None:
        if time.thread_time() - self._start_computing >= self._seconds:
            raise _TimeUp("too_slow", self._seconds)
        if time.monotonic() - self._start >= WAITING * self._seconds:
            raise _TimeUp("stuck", WAITING * self._seconds)


def _own_line(error: BaseException) -> str:
    """The last line of the traceback that is the student's: of no library, and not of this module."""
    frames = [
        frame
        for frame in traceback.extract_tb(error.__traceback__)
        if frame.filename != __file__ and not any(part in frame.filename for part in _LIBRARIES)
    ]
    return (frames[-1].line or "") if frames else ""


def _arrays(result: object, num_outputs: int) -> tuple[Array, ...]:
    if result is None:
        raise ValueError("None")
    several = isinstance(result, tuple) or (num_outputs > 1 and isinstance(result, list))
    values: Sequence[object] = result if several else (result,)  # type: ignore[assignment]
    return tuple(_array(value) for value in values)


def _array(value: object) -> Array:
    array = np.asarray(_without_torch(value))
    if array.dtype.kind == "c":
        raise ValueError("complex numbers")
    if array.dtype.kind not in "fiub":
        raise ValueError(f"a {type(value).__name__}")
    return array.astype({"f": np.float64, "b": np.bool_}.get(array.dtype.kind, np.int64))


def _without_torch(value: object) -> object:
    import torch

    if isinstance(value, torch.Tensor):
        plain = value.detach().cpu()
        return (plain.double() if plain.is_floating_point() else plain.resolve_conj()).numpy()
    if isinstance(value, (list, tuple)):
        return [_without_torch(item) for item in value]
    return value
