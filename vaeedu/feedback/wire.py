"""What passes between the process that runs a student's code and the one that judges it, as bytes.

Cases go in and answers come out as JSON with each array's raw bytes in base64. Nothing is ever unpickled. What comes
out is untrusted: `unpack_answers` checks the size, the depth and every field before an array is made of it.
"""

import base64
import json
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from vaeedu.feedback.arrays import pack, unpack
from vaeedu.feedback.run import KINDS, Answer, Failure

MIME = "application/vnd.vaeedu.answers+json"
MAX_BYTES = 16 * 2**20
_MAX_OUTPUTS, _MAX_TEXT = 16, 2000


def pack_cases(cases: Sequence[Mapping[str, Any]]) -> str:
    """Writes the arguments of several calls, arrays and plain numbers, as a line of text."""
    plain = [
        {name: pack(value) if isinstance(value, np.ndarray) else value for name, value in case.items()}
        for case in cases
    ]
    return base64.b64encode(json.dumps(plain).encode()).decode()


def unpack_cases(text: str) -> list[dict[str, Any]]:
    """Reads back what `pack_cases` wrote.

    >>> unpack_cases(pack_cases([{"x": np.array([1.0, np.inf]), "n": 2}]))
    [{'x': array([ 1., inf]), 'n': 2}]
    """
    cases = json.loads(base64.b64decode(text))
    return [
        {name: unpack(value) if isinstance(value, dict) else value for name, value in case.items()}
        for case in cases
    ]


def pack_answers(answers: Sequence[Answer]) -> bytes:
    """Writes answers as bytes, long error messages cut off."""
    plain = [
        {
            "outputs": None if answer.outputs is None else [pack(array) for array in answer.outputs],
            "failure": answer.failure and {k: v[:_MAX_TEXT] for k, v in vars(answer.failure).items()},
            "changed": list(answer.changed),
        }
        for answer in answers
    ]
    return json.dumps(plain).encode()


def unpack_answers(data: bytes, cases: Sequence[Mapping[str, Any]]) -> tuple[Answer, ...]:
    """Reads answers that untrusted code has written.

    Args:
        data: What it wrote.
        cases: The cases that it was asked.

    Raises:
        ValueError: It is too long, no JSON, nested too deeply, or holds anything but answers to these cases.

    >>> unpack_answers(b'[{"outputs": null, "failure": null, "changed": []}]', [])
    Traceback (most recent call last):
    ...
    ValueError: answers must be a list of at most 0, but are not
    """
    if len(data) > MAX_BYTES:
        raise ValueError(f"answers must be at most {MAX_BYTES} bytes, but are {len(data)}")
    try:
        found = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"answers must be JSON, but are not: {type(error).__name__}") from None
    if not isinstance(found, list) or len(found) > len(cases):
        raise ValueError(f"answers must be a list of at most {len(cases)}, but are not")
    return tuple(_answer(entry, case) for entry, case in zip(found, cases, strict=False))


def _answer(entry: object, case: Mapping[str, Any]) -> Answer:
    if not isinstance(entry, dict) or set(entry) != {"outputs", "failure", "changed"}:
        raise ValueError("an answer must have outputs, failure and changed, and nothing else")
    outputs, failure, changed = entry["outputs"], entry["failure"], entry["changed"]
    if (outputs is None) == (failure is None):
        raise ValueError("an answer must have either outputs or a failure")
    if not isinstance(changed, list) or not all(type(name) is str and name in case for name in changed):
        raise ValueError("an answer's changed must name inputs")
    if failure is not None:
        return Answer(failure=_failure(failure))
    if not isinstance(outputs, list) or len(outputs) > _MAX_OUTPUTS:
        raise ValueError(f"an answer's outputs must be at most {_MAX_OUTPUTS} arrays")
    return Answer(outputs=tuple(unpack(array) for array in outputs), changed=tuple(changed))


def _failure(value: object) -> Failure:
    if not isinstance(value, dict) or set(value) != {"kind", "message", "line"}:
        raise ValueError("a failure must have kind, message and line, and nothing else")
    if not all(type(text) is str and len(text) <= _MAX_TEXT for text in value.values()):
        raise ValueError(f"a failure's fields must be texts of at most {_MAX_TEXT} characters")
    if value["kind"] not in KINDS:
        raise ValueError(f"a failure's kind must be one of {', '.join(KINDS)}")
    return Failure(**{name: printable(text) for name, text in value.items()})


def printable(text: str) -> str:
    r"""Replaces what cannot be written as UTF-8 or would steer a terminal, but for line ends and tabs.

    >>> printable("a\x1b[2J\ud800\n")
    'a�[2J�\n'
    """
    return "".join(c if c in "\n\t" or c.isprintable() else "\ufffd" for c in text)
