"""Every exercise has hints in three stages and an explanation, and they do not give away what comes later."""

import ast
import math
import re
from functools import cache
from pathlib import Path

import numpy as np
import pytest
import torch

from vaeedu.feedback.hints import read_hints, reference
from vaeedu.feedback.run import run
from vaeedu_grader.authoring.course import assignments, exercises

ROOT = Path(__file__).resolve().parents[2]
each_assignment = pytest.mark.parametrize("assignment", assignments(ROOT))
# Shorter lines of a reference say nothing that a formula does not say.
TELLING = 30
# The limit for a call is not what is tested here.
AMPLE = 600.0


@cache
def hints(assignment):
    return read_hints(ROOT / "exercises" / "hints" / f"{assignment}.md")


def body(assignment, name):
    """The reference's statements, as they would come out of ast: without comments and docstring."""
    (function,) = ast.parse(reference(ROOT, assignment, name)).body
    return [ast.unparse(statement) for statement in function.body[1:]]


@each_assignment
def test_every_exercise_has_them_in_the_order_of_the_assignment(assignment):
    described = exercises(ROOT, assignment)
    assert list(hints(assignment)) == list(described)
    for name, found in hints(assignment).items():
        assert found.assignment == assignment
        reference_ = reference(ROOT, assignment, name)
        assert described[name].signature in reference_
        for part in ("Idea", "Formula", "Why"):
            assert 20 <= len(found.parts[part]) <= 900, (name, part)
        assert len(re.findall(r"[.?](?:\s|$)", found.parts["Why"])) >= 2, name


@each_assignment
def test_the_first_line_runs_and_is_not_the_answer(assignment):
    """On inputs of the exercise's own, with what every assignment's notebook imports."""
    for name, exercise in exercises(ROOT, assignment).items():
        line = re.fullmatch(r"`([^`]+)`", hints(assignment)[name].parts["First line"])[1]
        assert not line.startswith("return "), name
        assert len(body(assignment, name)) > 1, name
        made = {"torch": torch, "math": math, "np": np, "F": torch.nn.functional}
        exec(f"{exercise.signature}\n    {line}\n    return 0.0", made)
        inputs = exercise.make_inputs(exercise.cases["visible"][-1], np.random.default_rng(0))
        answer = run(made[name], inputs, time_limit=AMPLE)
        assert (answer.failure, answer.changed) == (None, ()), name


@each_assignment
def test_what_is_said_early_does_not_hold_what_comes_late(assignment):
    for name, found in hints(assignment).items():
        early = found.parts["Idea"] + found.parts["Formula"]
        for statement in body(assignment, name):
            for line in map(str.strip, statement.splitlines()):
                assert len(line) < TELLING or line not in early, (name, line)
        assert not re.search(r"torch\.|\.sum\(|\bdim=", found.parts["Idea"]), name


@each_assignment
def test_formulas_are_closed(assignment):
    """An open dollar or brace would show the rest of the hint as source."""
    for name, found in hints(assignment).items():
        for part, text in found.parts.items():
            plain = re.sub(r"`[^`]*`", "", text)
            assert plain.count("$") % 2 == 0, (name, part)
            for formula in plain.split("$")[1::2]:
                braces = re.sub(r"\\[{}]", "", formula)
                assert braces.count("{") == braces.count("}"), (name, part, formula)
                lefts, rights = (re.findall(rf"\\{side}\b", formula) for side in ("left", "right"))
                assert len(lefts) == len(rights), (name, formula)
