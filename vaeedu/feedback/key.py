"""An answer key: one exercise's inputs, right answers and known misconceptions, all plain data and no code.

`make release` writes the visible part of it into an assignment's `checks.json`; the hidden part is made when grading.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from vaeedu.feedback.arrays import Array, decode, encode
from vaeedu.feedback.measures import MEASURES, Measure
from vaeedu.files import write_whole

# Seconds for one call of a student's function, where the exercise does not ask for more.
SECONDS = 5.0
# No exercise has this name: it is no Python name.
_SEALED = ":sealed"
VIEWS = ("values", "columns_up_to_sign", "outer_product")


@dataclass(frozen=True)
class Output:
    """One value that an exercise's function returns.

    Attributes:
        name: What the exercise calls it.
        shape: Its dimensions' letters, such as ("N", "K"); none for a single number.
        view: The invariant under which it is compared: "values"; "columns_up_to_sign", for eigenvectors and other
            directions; "outer_product", W Wᵀ, for what is determined up to a rotation of its columns only.
    """

    name: str
    shape: tuple[str, ...]
    view: str = "values"

    def __post_init__(self) -> None:
        if self.view not in VIEWS:
            raise ValueError(
                f"the view of output {self.name} must be one of {', '.join(VIEWS)}, but is {self.view!r}"
            )


@dataclass(frozen=True)
class Misconception:
    """What a well-known mistake would answer, case by case, and what to tell who made it."""

    message: str
    answers: tuple[tuple[Array, ...], ...]


@dataclass(frozen=True)
class Symptom:
    """What a well-known mistake makes of a result's measures, and what to tell who shows it.

    Attributes:
        message: The idea that is wrong.
        ranges: Lowest and highest value of each measure that tells; None where there is no end.
    """

    message: str
    ranges: Mapping[str, tuple[float | None, float | None]]

    def fits(self, measured: Mapping[str, float]) -> bool:
        """Says whether every measure that tells lies in its range."""
        return all(
            (low is None or measured[name] >= low) and (high is None or measured[name] <= high)
            for name, (low, high) in self.ranges.items()
        )


@dataclass(frozen=True)
class Goal:
    """What a result must reach, where many results are right: a number recomputed from it must be large enough.

    A measure that students should hear about while they work lies in the library, and goes by its name. One that only
    grading needs may lie beside its exercise, a function such as those. A file of keys holds no code, so a student's
    check does not know it: it sees to the number of results and to changed arguments, and says that the rest is
    measured later.

    Attributes:
        measure: The name of one of `vaeedu.feedback.measures.MEASURES`, or a function; None where it was a function and
            the goal has been read from a file.
        quantity: Which of the numbers that it gives must be large enough.
        unit: That number's unit.
        shown: Other numbers to show beside it.
        at_least: By case, what must be reached.
        symptoms: Mistakes to recognise; those that fit are named.
        required: Other measures that must lie in a range, lowest and highest value: those of a result that could reach
            the quantity by another way than the exercise's. One that is no number passes.
    """

    measure: str | Measure | None
    quantity: str
    unit: str
    shown: tuple[str, ...] = ()
    at_least: tuple[float, ...] = ()
    symptoms: tuple[Symptom, ...] = field(default=())
    required: Mapping[str, tuple[float, float]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if isinstance(self.measure, str) and self.measure not in MEASURES:
            raise ValueError(f"measure must be one of {', '.join(MEASURES)}, but is {self.measure!r}")

    def to_json(self) -> dict[str, Any]:
        """Writes the goal as a JSON object."""
        symptoms = [
            {"message": s.message, "ranges": {n: list(r) for n, r in s.ranges.items()}} for s in self.symptoms
        ]
        return {
            **vars(self),
            "measure": self.measure if isinstance(self.measure, str) else None,
            "shown": list(self.shown),
            "at_least": list(self.at_least),
            "symptoms": symptoms,
            "required": {name: list(ends) for name, ends in self.required.items()},
        }

    @property
    def measuring(self) -> Measure | None:
        """The measure itself, or None where it is known to the grader only."""
        return MEASURES[self.measure] if isinstance(self.measure, str) else self.measure

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> "Goal":
        """Reads back what `to_json` wrote."""
        symptoms = tuple(
            Symptom(s["message"], {n: (low, high) for n, (low, high) in s["ranges"].items()})
            for s in value["symptoms"]
        )
        lists = {"shown": tuple(value["shown"]), "at_least": tuple(map(float, value["at_least"]))}
        required = {name: (low, high) for name, (low, high) in value.get("required", {}).items()}
        return cls(**{**value, **lists, "symptoms": symptoms, "required": required})


@dataclass(frozen=True)
class AnswerKey:
    """One exercise's cases with their right answers.

    Attributes:
        name: The function's name.
        outputs: What it returns.
        tolerance: The largest deviation allowed, as a part of the right array's largest entry.
        inputs: A case's arguments by name: arrays and plain numbers.
        expected: A case's right arrays.
        misconceptions: The mistakes that show in these cases.
        goal: What must be reached, where there is no single right answer; `expected` and `misconceptions` are then
            empty.
        seconds: How long one call may take.
    """

    name: str
    outputs: tuple[Output, ...]
    tolerance: float
    inputs: tuple[dict[str, Any], ...]
    expected: tuple[tuple[Array, ...], ...]
    misconceptions: tuple[Misconception, ...]
    goal: Goal | None = None
    seconds: float = SECONDS

    def to_json(self) -> dict[str, Any]:
        """Writes the key as a JSON object; what is as usual is left out."""
        unusual: dict[str, Any] = {} if self.goal is None else {"goal": self.goal.to_json()}
        unusual |= {} if self.seconds == SECONDS else {"seconds": self.seconds}
        return {
            "outputs": [{"name": o.name, "shape": list(o.shape), "view": o.view} for o in self.outputs],
            "tolerance": self.tolerance,
            "inputs": [{name: _encoded(value) for name, value in case.items()} for case in self.inputs],
            "expected": _encoded_all(self.expected),
            "misconceptions": [
                {"message": m.message, "answers": _encoded_beside(m.answers, self.expected)}
                for m in self.misconceptions
            ],
            **unusual,
        }

    @classmethod
    def from_json(cls, name: str, value: Mapping[str, Any]) -> "AnswerKey":
        """Reads back what `to_json` wrote."""
        expected = _decoded_all(value["expected"])
        return cls(
            name=name,
            outputs=tuple(Output(o["name"], tuple(o["shape"]), o["view"]) for o in value["outputs"]),
            tolerance=float(value["tolerance"]),
            inputs=tuple({k: _decoded(v) for k, v in case.items()} for case in value["inputs"]),
            expected=expected,
            misconceptions=tuple(
                Misconception(m["message"], _decoded_beside(m["answers"], expected))
                for m in value["misconceptions"]
            ),
            goal=Goal.from_json(value["goal"]) if "goal" in value else None,
            seconds=float(value.get("seconds", SECONDS)),
        )


def write_keys(path: Path, keys: Mapping[str, AnswerKey], sealed: Sequence[str] = ()) -> None:
    """Writes several keys into one file, the same bytes for the same keys, one exercise a line.

    Args:
        path: The file.
        keys: The keys by exercise.
        sealed: The library's modules that are absent when the exercises are graded.
    """
    lines = [
        f"{json.dumps(name)}:{json.dumps(keys[name].to_json(), ensure_ascii=False, allow_nan=False)}"
        for name in sorted(keys)
    ]
    lines += [f"{json.dumps(_SEALED)}:{json.dumps(list(sealed))}"] if sealed else []
    write_whole(path, ("{\n" + ",\n".join(lines) + "\n}\n").encode())


def read_key(path: Path, name: str) -> AnswerKey:
    """Reads one exercise's key from a file of them.

    Raises:
        ValueError: The file is broken, or has no exercise of that name.
    """
    try:
        keys = json.loads(path.read_text(encoding="utf-8"))
        known = sorted(keys.keys() - {_SEALED})
        if name in known:
            return AnswerKey.from_json(name, keys[name])
    except (json.JSONDecodeError, UnicodeDecodeError, KeyError, TypeError, AttributeError) as error:
        raise ValueError(
            f"{path.name} must be the file that came with the assignment, but cannot be read ({error}): "
            "copy it there again"
        ) from error
    raise ValueError(f"name must be one of {', '.join(map(repr, known))}, but is {name!r}")


def read_names(path: Path) -> list[str]:
    """Reads the names of the exercises in a file of keys; raises `ValueError` as `read_key` does."""
    return sorted(_read(path).keys() - {_SEALED})


def read_sealed(path: Path) -> tuple[str, ...]:
    """Reads which of the library's modules are absent when the exercises of a file are graded."""
    return tuple(map(str, _read(path).get(_SEALED, ())))


def _read(path: Path) -> dict[str, Any]:
    try:
        keys = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ValueError(f"{path.name} must lie beside the notebook, but cannot be read: {error}") from error
    if not isinstance(keys, dict):
        raise ValueError(f"{path.name} must be the file that came with the assignment: copy it there again")
    return keys


def _encoded(value: object) -> object:
    return encode(value) if isinstance(value, np.ndarray) else value


def _decoded(value: object) -> object:
    return decode(value) if isinstance(value, dict) else value


def _encoded_all(cases: tuple[tuple[Array, ...], ...]) -> list[list[dict[str, Any]]]:
    return [[encode(array) for array in arrays] for arrays in cases]


def _decoded_all(cases: list[list[object]]) -> tuple[tuple[Array, ...], ...]:
    return tuple(tuple(decode(array) for array in arrays) for arrays in cases)


def _encoded_beside(
    cases: tuple[tuple[Array, ...], ...], expected: tuple[tuple[Array, ...], ...]
) -> list[list[Any]]:
    """Writes what a mistake answers; None stands for an output that it has right, of which there are many."""
    return [
        [
            None if place < len(right) and _is_same(array, right[place]) else encode(array)
            for place, array in enumerate(arrays)
        ]
        for arrays, right in zip(cases, expected, strict=True)
    ]


def _decoded_beside(
    cases: list[list[Any]], expected: tuple[tuple[Array, ...], ...]
) -> tuple[tuple[Array, ...], ...]:
    return tuple(
        tuple(right[place] if array is None else decode(array) for place, array in enumerate(arrays))
        for arrays, right in zip(cases, expected, strict=True)
    )


def _is_same(a: Array, b: Array) -> bool:
    return a.dtype == b.dtype and np.array_equal(a, b, equal_nan=a.dtype.kind == "f")
